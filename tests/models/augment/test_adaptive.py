"""Adaptive augmentation: the strength that follows the discriminator, and the list of changes by hand."""

import math
from types import SimpleNamespace

import pytest
import torch

from gantrain.errors import UserError
from gantrain.losses.adversarial import Hinge, LeastSquares, NonSaturating, Relativistic, Wasserstein
from gantrain.models.augment.adaptive import (
    COLOUR,
    GEOMETRY,
    LIMIT,
    AdaptiveAugment,
    mirrored_place,
    movement,
    normal,
    recoloured,
    resampled,
)
from gantrain.ramps import Linear

ALONE = SimpleNamespace(trainer=SimpleNamespace(world_size=1), microbatches=1)
NEVER, ALWAYS = torch.tensor(0.0), torch.tensor(1.0)


def learn(augment, logits, loss=None, turns=1, images=None, game=ALONE):
    batch = {"real": torch.zeros(images or len(logits), 1)}
    for _ in range(turns):
        stats = augment.learn(torch.as_tensor(logits), batch, loss or NonSaturating(), game)
    return stats


def pictures(n=2, channels=3, side=6):
    return torch.randn(n, channels, side, side, generator=torch.Generator().manual_seed(0))


# ---- the strength ----------------------------------------------------------------------------------------------------


def test_p_rises_where_d_is_right_too_often_and_falls_else():
    augment = AdaptiveAugment(images=100, every=4, start=0.5)
    right, unsure = [1.0] * 10, [1.0] * 5 + [-1.0] * 5
    assert learn(augment, right, turns=3)["p"].item() == 0.5
    assert learn(augment, right)["p"].item() == pytest.approx(0.9 - 0.05)  # 40 of 100 images, at most the limit
    assert learn(augment, unsure, turns=4)["p"].item() == pytest.approx(LIMIT - 0.4)
    assert learn(augment, [-1.0] * 10, turns=8)["p"].item() == 0.0


def test_a_whole_number_to_start_from_moves_as_any_other():
    augment = AdaptiveAugment(images=100, every=1, start=0)
    assert augment.state_dict()["p"] == 0.0
    assert learn(augment, [1.0] * 10)["p"].item() == pytest.approx(0.1)
    resumed = AdaptiveAugment(start=0)
    resumed.load_state_dict(AdaptiveAugment(start=0).state_dict(), torch.device("cpu"))


def test_p_follows_a_ramp_over_the_images_seen():
    """It enters with the numbers that are drawn, and is the same tensor: a recorded iteration reads it."""
    augment = AdaptiveAugment(target=None, start=Linear(0.1, 0.5, images=100))
    place = augment.strength(torch.device("cpu"))
    assert augment.state_dict()["p"] == pytest.approx(0.1)
    game = SimpleNamespace(images_seen=50, uniform=lambda batch, *shape, key: torch.rand(2, *shape))
    augment.drawn(game, {}, pictures(), "key")
    assert place.item() == learn(augment, [1.0] * 4, turns=4)["p"].item() == pytest.approx(0.3)
    for options in ({"start": Linear(0.0, 0.9, 10), "target": None}, {"start": Linear(0.0, 0.5, 10)}):
        with pytest.raises(ValueError, match=r"start is 0\.0 to 0\.9, it must lie|take target null"):
            AdaptiveAugment(**options)


def test_images_are_counted_where_a_pack_has_one_logit():
    packed = AdaptiveAugment(images=100, every=1)
    assert learn(packed, [1.0] * 5, images=10)["p"].item() == pytest.approx(0.1)


def test_p_stays_until_all_parts_of_the_last_turn_are_done():
    parts = SimpleNamespace(trainer=ALONE.trainer, microbatches=3)
    augment = AdaptiveAugment(images=100, every=2)
    assert learn(augment, [1.0] * 5, turns=5, game=parts)["p"].item() == 0.0
    assert learn(augment, [1.0] * 5, game=parts)["p"].item() == pytest.approx(0.3)


def test_the_sign_is_measured_from_the_loss_s_boundary():
    stats = [learn(AdaptiveAugment(every=1), [0.4, 0.6, 0.7, 0.8], loss)["sign"] for loss in (LeastSquares(), Hinge())]
    assert [value.item() for value in stats] == [0.5, 1.0]


def test_what_is_not_finite_moves_nothing_for_good():
    augment = AdaptiveAugment(images=10, every=1, start=0.5)
    assert learn(augment, [math.nan] * 2)["p"].item() == pytest.approx(0.3)
    assert learn(augment, [1.0] * 2)["p"].item() == pytest.approx(0.5)


def test_its_state_goes_on_in_the_middle_of_a_window():
    straight, stopped, resumed = (AdaptiveAugment(images=100, every=3) for _ in range(3))
    learn(straight, [1.0] * 4, turns=5)
    learn(stopped, [1.0] * 4, turns=2)
    resumed.load_state_dict(stopped.state_dict(), torch.device("cpu"))
    learn(resumed, [1.0] * 4, turns=3)
    assert resumed.state_dict() == straight.state_dict()
    assert straight.state_dict()["p"] == pytest.approx(0.12)
    assert AdaptiveAugment(start=0.2).state_dict() == {"p": 0.2, "window": [0.0] * 3}


@pytest.mark.parametrize("state", [{"p": 2.0, "window": [0.0] * 3}, {"p": 0.1, "window": [math.nan] * 3}, {"p": "1"}])
def test_a_state_that_none_could_have_left_is_refused(state):
    with pytest.raises((ValueError, LookupError)):
        AdaptiveAugment().load_state_dict({"window": [0.0] * 3, **state}, torch.device("cpu"))


def test_a_fixed_strength_stays_and_needs_no_boundary():
    augment = AdaptiveAugment(target=None, start=0.3)
    augment.check("models.augment.x", Relativistic())
    assert learn(augment, [1.0], Relativistic(), turns=9)["p"].item() == pytest.approx(0.3)


@pytest.mark.parametrize("loss", [Wasserstein(), Relativistic()])
def test_losses_without_a_boundary_are_refused(loss):
    with pytest.raises(UserError, match=r"'models\.augment\.x\.target=null'"):
        AdaptiveAugment().check("models.augment.x", loss)


@pytest.mark.parametrize(
    "options",
    [
        {"start": 0.9},
        {"target": None},
        {"target": 1.0},
        {"images": 0},
        {"flip": False, "geometry": False, "colour": False},
    ],
)
def test_what_would_never_change_or_always_is_refused(options):
    with pytest.raises(ValueError, match=r"start|target|images|all off"):
        AdaptiveAugment(**options)


# ---- the list --------------------------------------------------------------------------------------------------------


def test_at_strength_0_nothing_changes():
    x, u = pictures(), torch.rand(2, GEOMETRY + COLOUR, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(AdaptiveAugment()(x, u), x, atol=1e-5)


def test_places_and_colours_are_as_fine_in_mixed_precision():
    x, u = pictures(2, 3, 64), torch.rand(2, GEOMETRY + COLOUR, generator=torch.Generator().manual_seed(0))
    with torch.autocast("cpu", torch.bfloat16):
        mixed = AdaptiveAugment(start=0.8)(x, u)
    assert torch.equal(mixed, AdaptiveAugment(start=0.8)(x, u))


def test_a_share_p_of_the_samples_is_changed():
    u = torch.rand(4000, GEOMETRY, generator=torch.Generator().manual_seed(0))
    same = torch.eye(3)[:2]
    for p in (0.2, 0.7):
        flipped = (movement(u, torch.tensor(p), True, False) - same).abs().amax((1, 2)) > 1e-3
        changed = 1 - (1 - p / 2) * (1 - 0.75 * p)  # mirrored in half the cases, turned in three of four
        assert flipped.float().mean().item() == pytest.approx(changed, abs=0.03)


def test_flips_and_quarter_turns_move_pixels_alone():
    x = pictures(side=5)
    u = torch.zeros(2, GEOMETRY)
    u[:, 1] = torch.tensor([0.1, 0.9])  # mirrored, not
    assert torch.allclose(resampled(x, movement(u, ALWAYS, True, False)), torch.stack([x[0].flip(2), x[1]]), atol=1e-5)
    u[:, 1], u[:, 3] = 0.9, torch.tensor([0.3, 0.6])  # a quarter, a half
    turned = resampled(x, movement(u, ALWAYS, True, False))
    assert torch.allclose(turned[1], x[1].flip(1, 2), atol=1e-4)
    assert min((turned[0] - torch.rot90(x[0], k, (1, 2))).abs().max().item() for k in (1, 3)) < 1e-4


def test_a_shift_of_one_pixel_in_a_picture_of_four_goes_on_as_in_a_mirror():
    x = torch.arange(4.0).expand(1, 1, 4, 4)
    moved = torch.tensor([[[1.0, 0.0, 0.5], [0.0, 1.0, 0.0]]])
    assert torch.allclose(resampled(x, moved)[0, 0, 0], torch.tensor([1.0, 2.0, 3.0, 2.0]))
    assert mirrored_place(torch.tensor([-1.0, 0.0, 3.0, 4.0, 7.0]), 4).tolist() == [1.0, 0.0, 3.0, 2.0, 1.0]


def test_it_samples_as_grid_sample_does():
    x = pictures(4, 3, 9)
    inner = 0.5 * movement(torch.rand(4, GEOMETRY, generator=torch.Generator().manual_seed(0)), ALWAYS, True, False)
    inner[:, :, 2] = torch.tensor([0.1, -0.2])
    grid = torch.nn.functional.affine_grid(inner, list(x.shape), align_corners=False)
    wanted = torch.nn.functional.grid_sample(x, grid, align_corners=False)
    assert torch.allclose(resampled(x, inner), wanted, atol=1e-5)


def colours(**numbers):
    """The uniform numbers of colour, those that are named as given and with an open gate."""
    u = torch.zeros(1, COLOUR)
    u[:, [0, 2, 4, 6, 8]] = 2.0
    for gate, value in numbers.values():
        u[:, gate], u[:, gate + 1] = 0.0, value
    return u


def test_colours_by_hand():
    x = torch.tensor([1.0, 0.0, 0.0]).view(1, 3, 1, 1)

    def seen(**numbers):
        return recoloured(x, colours(**numbers), ALWAYS).flatten().tolist()

    above = 0.5 * (1 + math.erf(1 / math.sqrt(2)))  # one deviation
    assert seen() == pytest.approx([1.0, 0.0, 0.0])
    assert seen(brightness=(0, above)) == pytest.approx([1.2, 0.2, 0.2], abs=1e-4)
    assert seen(contrast=(2, above)) == pytest.approx([2**0.5, 0.0, 0.0], abs=1e-4)
    assert seen(inverted=(4, 0.9)) == pytest.approx([1 / 3, -2 / 3, -2 / 3], abs=1e-5)  # the grey part turns round
    third = seen(hue=(6, 5 / 6))  # 2 pi / 3: red becomes green or blue
    assert sorted(third) == pytest.approx([0.0, 0.0, 1.0], abs=1e-5)
    assert third[0] == pytest.approx(0.0, abs=1e-5)
    assert seen(saturation=(8, above)) == pytest.approx([5 / 3, -1 / 3, -1 / 3], abs=1e-4)


def test_grey_pictures_get_what_colours_do_to_grey():
    u = torch.rand(5, COLOUR, generator=torch.Generator().manual_seed(0))
    grey = pictures(5, 1)
    assert torch.allclose(
        recoloured(grey.expand(-1, 3, -1, -1), u, ALWAYS), recoloured(grey, u, ALWAYS).expand(-1, 3, -1, -1), atol=1e-5
    )


def test_uniform_numbers_become_normal_ones_and_none_is_infinite():
    u = (torch.arange(10000) + 0.5) / 10000
    assert normal(u).std().item() == pytest.approx(1.0, abs=1e-2)
    assert torch.isfinite(normal(torch.tensor([0.0, 1.0]))).all()


def test_it_is_differentiable_twice():
    augment = AdaptiveAugment(start=0.8)
    x = pictures(2, 3, 4).double().requires_grad_()
    u = torch.rand(2, GEOMETRY + COLOUR, generator=torch.Generator().manual_seed(3)).double()
    augment.p, augment.window = torch.tensor(0.8).double(), torch.zeros(3)
    torch.set_default_dtype(torch.float64)
    try:
        assert torch.autograd.gradgradcheck(lambda x: augment(x, u).square().sum(), x)
    finally:
        torch.set_default_dtype(torch.float32)
