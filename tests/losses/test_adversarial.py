"""Adversarial losses against values worked out by hand."""

import math

import pytest
import torch

from gantrain.losses.adversarial import (
    Hinge,
    LeastSquares,
    Minimax,
    NonSaturating,
    Relativistic,
    RelativisticAverage,
    Wasserstein,
    by_decision,
    targets_like,
)

REAL = torch.tensor([0.0, 2.0])
FAKE = torch.tensor([-1.0, 1.0])


def softplus(x):
    return math.log(1 + math.exp(x))


def test_non_saturating():
    loss = NonSaturating()
    on_real = (softplus(0) + softplus(-2)) / 2  # -log sigmoid(x) = softplus(-x)
    on_fake = (softplus(-1) + softplus(1)) / 2
    assert loss.discriminator(REAL, FAKE).item() == pytest.approx(on_real + on_fake, abs=1e-6)
    assert loss.generator(FAKE).item() == pytest.approx((softplus(1) + softplus(-1)) / 2, abs=1e-6)


def test_mean_of_terms_is_half_their_sum():
    total = NonSaturating().discriminator(REAL, FAKE)
    assert NonSaturating(combine="mean").discriminator(REAL, FAKE).item() == pytest.approx(total.item() / 2)


def test_one_sided_smoothing_touches_only_the_real_target():
    # BCE with target t at logit x is softplus(x) - t x
    on_real = (softplus(0) + softplus(2) - 0.9 * 2) / 2
    on_fake = (softplus(-1) + softplus(1)) / 2
    loss = NonSaturating(real=0.9).discriminator(REAL, FAKE)
    assert loss.item() == pytest.approx(on_real + on_fake, abs=1e-6)


def test_minimax_generator_minimises_log_of_one_minus_d():
    expected = -(softplus(-1) + softplus(1)) / 2
    assert Minimax().generator(FAKE).item() == pytest.approx(expected, abs=1e-6)
    assert Minimax().discriminator(REAL, FAKE).item() == NonSaturating().discriminator(REAL, FAKE).item()


def test_minimax_saturates_where_non_saturating_does_not():
    sure = torch.tensor([-10.0], requires_grad=True)
    (weak,) = torch.autograd.grad(Minimax().generator(sure), sure)
    (strong,) = torch.autograd.grad(NonSaturating().generator(sure), sure)
    assert abs(weak.item()) < 1e-4
    assert strong.item() == pytest.approx(-1.0, abs=1e-4)


def test_least_squares():
    loss = LeastSquares()
    on_real = ((0 - 1) ** 2 + (2 - 1) ** 2) / 2
    on_fake = ((-1) ** 2 + 1**2) / 2
    assert loss.discriminator(REAL, FAKE).item() == pytest.approx(on_real + on_fake)
    assert loss.generator(FAKE).item() == pytest.approx(((-1 - 1) ** 2 + 0) / 2)
    assert LeastSquares(generator=0.5).generator(FAKE).item() == pytest.approx((1.5**2 + 0.5**2) / 2)


def test_uniform_targets_are_where_their_numbers_say():
    numbers = torch.tensor([0.0, 0.25])
    assert targets_like(REAL, (0.8, 1.0), numbers).tolist() == pytest.approx([0.8, 0.85])
    assert LeastSquares(real=(0.8, 1.0)).draws == {"discriminator": 6}
    assert LeastSquares(generator=(0.8, 1.0)).draws == {"generator": 1}
    pulled = LeastSquares(generator=(0.8, 1.0)).generator(FAKE, drawn=numbers[:, None])
    assert pulled.item() == pytest.approx(((-1 - 0.8) ** 2 + (1 - 0.85) ** 2) / 2)


def test_a_label_is_that_of_all_decisions_of_a_sample_and_of_a_pack():
    numbers = torch.tensor([[0.0], [0.5], [1.0], [0.25]])
    assert by_decision(numbers, torch.zeros(4, 1, 2, 2)).shape == (1, 4, 1, 1, 1)
    assert by_decision(numbers, torch.zeros(2)).tolist() == [[0.0, 1.0]]


def test_decision_maps_count_every_place():
    logits = torch.tensor([[[0.0, 2.0]]])
    assert NonSaturating().generator(logits).item() == pytest.approx((softplus(0) + softplus(-2)) / 2, abs=1e-6)


def test_half_precision_logits_are_computed_in_float32():
    assert NonSaturating().discriminator(REAL.bfloat16(), FAKE.bfloat16()).dtype == torch.float32


def test_the_boundary_lies_between_the_targets():
    assert LeastSquares().boundary == 0.5
    assert LeastSquares(real=1, fake=-1).boundary == 0
    assert LeastSquares(real=(0.8, 1.0), fake=(0.0, 0.2)).boundary == pytest.approx(0.5)
    assert NonSaturating(real=0.9).boundary == 0


@pytest.mark.parametrize("target", [[1.0, 0.8], [0.9, 0.9]])
def test_a_range_of_targets_rises(target):
    with pytest.raises(ValueError, match="target"):
        NonSaturating(real=target)


@pytest.mark.parametrize("loss", [NonSaturating, Minimax])
@pytest.mark.parametrize(("name", "target"), [("real", 2), ("real", (0.7, 1.2)), ("fake", -0.1)])
def test_a_cross_entropy_with_a_target_beyond_0_and_1_would_fall_for_ever(loss, name, target):
    with pytest.raises(ValueError, match=f"{name} is .* it must lie between 0 and 1"):
        loss(**{name: target})
    LeastSquares(**{name: target})


def test_wasserstein_is_the_difference_of_means():
    assert Wasserstein().discriminator(REAL, FAKE).item() == pytest.approx(0 - 1)
    assert Wasserstein().generator(FAKE + 3).item() == pytest.approx(-3)
    assert Wasserstein().boundary is None


def test_hinge_stops_at_its_margin():
    # max(0, 1 - 0), max(0, 1 - 2); max(0, 1 - 1), max(0, 1 + 1)
    assert Hinge().discriminator(REAL, FAKE).item() == pytest.approx(0.5 + 1.0)
    assert Hinge().generator(FAKE + 3).item() == pytest.approx(-3)


def test_relativistic_pairs_samples_in_order():
    loss = (softplus(-1 - 0) + softplus(1 - 2)) / 2
    assert Relativistic().discriminator(REAL, FAKE).item() == pytest.approx(loss, abs=1e-6)
    swapped = (softplus(0 + 1) + softplus(2 - 1)) / 2
    assert Relativistic().generator(FAKE, REAL).item() == pytest.approx(swapped, abs=1e-6)


def test_relativistic_average_compares_with_the_other_kinds_mean():
    # means: real 1, fake 0
    on_real, on_fake = (softplus(0 - 0) + softplus(0 - 2)) / 2, (softplus(-1 - 1) + softplus(1 - 1)) / 2
    assert RelativisticAverage().discriminator(REAL, FAKE).item() == pytest.approx(on_real + on_fake, abs=1e-6)
    on_real, on_fake = (softplus(0 - 0) + softplus(2 - 0)) / 2, (softplus(1 + 1) + softplus(1 - 1)) / 2
    assert RelativisticAverage().generator(FAKE, REAL).item() == pytest.approx(on_real + on_fake, abs=1e-6)


@pytest.mark.parametrize("loss", [Wasserstein(), Hinge(), Relativistic(), RelativisticAverage()])
def test_half_precision_logits_give_losses_in_float32(loss):
    real, fake = REAL.bfloat16(), FAKE.bfloat16()
    assert loss.discriminator(real, fake).dtype == loss.generator(fake, real).dtype == torch.float32


def test_a_share_of_the_labels_is_the_other_kind_s():
    """Columns: target, whether flipped, the other kind's target; of real samples, then of fake ones."""
    drawn = torch.tensor([[0.0, 0.04, 0.0, 0.0, 0.9, 0.0], [0.0, 0.06, 0.0, 0.0, 0.9, 0.0]])
    flipped = NonSaturating(flip=0.05)
    assert flipped.draws == {"discriminator": 6}
    on_real = (softplus(0) + softplus(-2)) / 2  # the first is 0 with either label
    on_fake = (softplus(-1) + softplus(1)) / 2
    assert flipped.discriminator(REAL + 0, FAKE, drawn).item() == pytest.approx(on_real + on_fake, abs=1e-6)
    on_real = (softplus(1) + softplus(-3)) / 2
    assert flipped.discriminator(REAL + 1, FAKE, drawn).item() == pytest.approx(on_real + on_fake, abs=1e-6)
    squares = LeastSquares(flip=0.05, real=0.9, fake=(0.0, 0.2)).discriminator(REAL, FAKE, drawn + 0.5 * (drawn == 0))
    assert squares.item() == pytest.approx((0.1**2 + 1.1**2 + 1.1**2 + 0.9**2) / 2)


def test_without_flips_and_ranges_nothing_is_drawn():
    assert NonSaturating(real=0.9).draws == Minimax().draws == Hinge().draws == {}


@pytest.mark.parametrize("flip", [-0.1, 0.5, 1.0])
def test_more_flips_than_truths_are_refused(flip):
    with pytest.raises(ValueError, match="flip is"):
        NonSaturating(flip=flip)
