"""What is shown in a game: to whom, by which numbers, and what penalties see of it."""

import pytest
import torch
import toys
from compare import differences, newest
from recorder import Recorder
from refusals import refused
from torch import nn

from gantrain.errors import UserError
from gantrain.losses.adversarial import Relativistic
from gantrain.losses.matching import FeatureMatching
from gantrain.losses.penalties import R1, GradientPenalty
from gantrain.models.augment.shown import Augment, Shown
from gantrain.models.loop.capture import WARM_UP
from gantrain.training import fit


class Shift(Augment):
    """Adds a number of its own to each sample; as simple as it gets."""

    ranks = (0, 1, 2, 3)

    def drawn(self, game, batch, like, key):
        return game.uniform(batch, key=key)

    def __call__(self, samples, drawn):
        return samples + drawn.view(-1, *[1] * (samples.dim() - 1))


class Noted(toys.Discriminator):
    """A discriminator that notes what it sees."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, x):
        self.seen.append(x.detach())
        return super().forward(x)


def game(**options):
    torch.manual_seed(0)
    networks = {"generator": toys.Generator(), "discriminator": Noted()}
    return toys.game(networks=networks, augment={"shift": Shift()}, **options)


def batch(n=3, uses=("real", "fake", "fake_generator", "real_generator")):
    numbers = {f"augment.shift.{use}": torch.arange(n) + 10.0 * place for place, use in enumerate(uses)}
    return {"real": torch.zeros(n, 4), "z": torch.zeros(n, 3), **numbers}


def test_both_kinds_are_shown_changed_in_both_turns_each_by_numbers_of_its_own():
    module, data = game(adversarial=Relativistic()), batch()
    seen = module.networks["discriminator"].seen
    fakes = module.shared(data, ["generator"])
    module.discriminator(data, fakes)
    module.generator(data, fakes)
    made = fakes.detach()
    numbers = [data[f"augment.shift.{use}"][:, None] for use in ("real", "fake", "fake_generator", "real_generator")]
    wanted = [numbers[0].expand(3, 4), made + numbers[1], made + numbers[2], numbers[3].expand(3, 4)]
    assert len(seen) == 4
    assert all(torch.equal(a, b) for a, b in zip(seen, wanted, strict=True))


def test_health_is_told_what_the_discriminator_sees(monkeypatch):
    module, data = game(), batch()
    monkeypatch.setattr(
        module.shown, "draw", lambda game, batch, uses: {f"augment.shift.{use}": torch.ones(3) for use in uses}
    )
    assert torch.equal(module.seen("real", data), data["real"] + 1)
    assert torch.equal(toys.game().seen("real", data), data["real"])
    fakes = torch.rand(3, 4)
    module.judged("real", fakes, data)
    assert torch.equal(module.networks["discriminator"].seen[-1], fakes + 1)


def test_numbers_are_drawn_for_what_is_judged():
    drawn = set()
    module = game()
    module.uniform = lambda batch, *shape, key: drawn.add(key) or torch.zeros(2)
    module.noise = lambda batch, *shape, key: torch.zeros(2, *shape)
    module.draw({"real": torch.zeros(2, 4)})
    assert drawn == {f"augment.shift.{use}" for use in ("real", "fake", "fake_generator")}
    module.matching = FeatureMatching()
    module.draw({"real": torch.zeros(2, 4)})
    assert "augment.shift.real_generator" in drawn


def test_penalties_see_what_the_discriminator_sees_and_their_gradient_is_the_plain_picture_s():
    """D(T(x)) with T(x) = x + u: the gradient with respect to x, at x + u."""
    module, data = game(penalties={"r1": R1(2.0)}), batch()
    seen = module.networks["discriminator"].seen
    (term,) = toys.penalties(module, "discriminator", data).values()
    assert torch.equal(seen[-1], data["augment.shift.real"][:, None].expand(3, 4))
    changed = (data["real"] + data["augment.shift.real"][:, None]).requires_grad_()
    (gradient,) = torch.autograd.grad(module.networks["discriminator"](changed).sum(), changed)
    assert term.item() == pytest.approx(gradient.square().sum(1).mean().item())


class Tripled(Shift):
    def __call__(self, samples, drawn):
        return 3 * samples


def test_a_change_that_stretches_steepens_the_slope_that_r1_measures():
    torch.manual_seed(0)
    networks = {"generator": toys.Generator(), "discriminator": nn.Linear(4, 1)}
    plain, tripled = (
        toys.game(networks=networks, penalties={"r1": R1(1.0)}, augment={"shift": member})
        for member in (Shift(), Tripled())
    )
    terms = [toys.penalties(module, "discriminator", batch())["r1"].item() for module in (plain, tripled)]
    assert terms[1] == pytest.approx(9 * terms[0])


def test_between_real_and_fake_a_point_is_shown_changed_as_well():
    module, data = game(penalties={"gp": GradientPenalty(10.0)}), batch()
    toys.penalties(module, "discriminator", {**data, "mix.gp": torch.ones(3)})
    assert torch.equal(module.networks["discriminator"].seen[-1], data["augment.shift.real"][:, None].expand(3, 4))


def test_consistency_shows_samples_as_they_are_and_pays_for_what_changes():
    module, data = game(consistency=10.0), batch()
    fakes = module.shared(data, [])
    terms, _ = module.discriminator(data, fakes)
    network = module.networks["discriminator"]
    assert torch.equal(network.seen[0], data["real"])
    assert torch.equal(network.seen[1], fakes)
    for use, samples in (("real", data["real"]), ("fake", fakes)):
        after = network(samples + data[f"augment.shift.{use}"][:, None])
        wanted = 10 * (network(samples) - after).square().mean()
        assert terms[f"consistency_{use}"].item() == pytest.approx(wanted.item(), rel=1e-5)
    network.seen.clear()
    module.generator(data, fakes)
    assert torch.equal(network.seen[0], fakes)


def test_members_follow_each_other():
    shown = Shown({"first": Shift(), "gone": None, "second": Tripled()})
    numbers = {f"augment.{name}.real": torch.ones(2) for name in ("first", "second")}
    assert torch.equal(shown(torch.zeros(2, 4), numbers, "real"), torch.full((2, 4), 3.0))
    assert torch.equal(shown(torch.zeros(2, 4), numbers, "fake"), torch.zeros(2, 4))  # nothing was drawn for it


def test_what_is_no_member_is_refused():
    with pytest.raises(ValueError, match=r"augment\.noise is 0\.1"):
        Shown({"noise": 0.1})
    with pytest.raises(UserError, match=r"models\.consistency compares"):
        toys.game(consistency=1.0).check({"real": torch.zeros(2, 4)})


# ---- as a user asks for it -------------------------------------------------------------------------------------------

TINY = ("debug=tiny", "callbacks.networks=null", "callbacks.samples=null", "logger=none")
R1_GP = ("losses.penalties.gp={_target_: gantrain.losses.penalties.GradientPenalty, weight: 1.0}",)


@pytest.mark.parametrize(
    "words",
    [
        ("models/augment=diffaugment", "models.augment.diffaugment.cutout=0.5", *R1_GP),
        ("models/augment=adaptive", "models.augment.adaptive.images=40", "models.augment.adaptive.every=1"),
        ("models/augment=noise", "models.augment.noise.images=1000"),
        ("models/augment=diffaugment", "models.consistency=10", "losses=relativistic"),
        (
            "models.z_kind=uniform",
            "losses.adversarial.flip=0.1",
            "networks.discriminator.minibatch.kind=discrimination",
        ),
        ("models.top_k={_target_: gantrain.models.adversary.TopK, images: 8, decay: 0.8}",),
        (
            "losses.penalties.h={_target_: gantrain.losses.penalties.HistoricalAveraging, of: generator}",
            "networks.discriminator.minibatch.kind=deviation",
        ),
    ],
)
def test_a_technique_resumes_exactly_and_is_replayed_as_it_is_played(words, gantrain, monkeypatch):
    words, length = (*TINY, *words), f"iterations={WARM_UP + 2}"
    recorders = {run: Recorder(never=run == "stopped") for run in ("stopped", "replayed")}
    for run, recorder in recorders.items():
        monkeypatch.setattr(fit, "recorder_for", lambda trainer, recorder=recorder: lambda: recorder)
        done = gantrain(*words, *([length] if run == "replayed" else []), f"hydra.run.dir={run}")
        assert done.code == 0, done
        if run == "stopped":
            resumed = gantrain("resume", run, length)
            assert resumed.code == 0, resumed
    assert recorders["replayed"].recordings
    assert differences(newest("stopped"), newest("replayed")) == []


@pytest.mark.parametrize("experiment", ["dcgan_digits", "wgangp_mnist", "pix2pix_folder", "cyclegan_small"])
def test_off_leaves_the_weights_bit_for_bit(experiment, gantrain):
    """As without the keys at all, which is what earlier versions had."""
    words = (f"experiment={experiment}", *TINY)
    latent = experiment in ("dcgan_digits", "wgangp_mnist")
    gone = ("~models.augment", *(f"~models.{key}" for key in ("consistency", "z_kind") if latent))
    assert gantrain(*words, "hydra.run.dir=off").code == 0
    without = gantrain(*words, *gone, "hydra.run.dir=without")
    assert without.code == 0, without
    assert differences(newest("off"), newest("without")) == []


def test_two_processes_see_the_same_changes_as_one(gantrain, quick_workers):
    words = (
        *("experiment=gan_mnist_keras", *TINY, "trainer.accelerator=cpu", "models/augment=adaptive"),
        *("models.augment.adaptive.images=40", "models.augment.adaptive.every=1", "models.augment.adaptive.start=0.5"),
        *("losses.penalties.r1={_target_: gantrain.losses.penalties.R1, weight: 1.0}", "iterations=3"),
    )
    assert gantrain(*words, "data.batch_size=8", "hydra.run.dir=one").code == 0
    two = gantrain(*words, "data.batch_size=4", "trainer.devices=2", "hydra.run.dir=two")
    assert two.code == 0, two
    one, two = newest("one"), newest("two")
    assert one["shared"]["augment.adaptive"]["p"] == pytest.approx(two["shared"]["augment.adaptive"]["p"])
    for name, state in one["networks"].items():
        for key, value in state.items():
            assert torch.allclose(value, two["networks"][name][key], atol=1e-5), (name, key)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("models/augment=adaptive", "losses=relativistic"), "has no logit that divides real from fake"),
        (("experiment=gan3d_furniture", "models/augment=diffaugment"), "networks.discriminator.shift moves volumes"),
        (("models.consistency=10",), "models/augment=diffaugment"),
        (("experiment=pix2pix_folder", "models/augment=diffaugment"), "models.conditional=false"),
        (("models.augment=0.5",), "models.augment is 0.5"),
        (("models.augment=noise",), "write models/augment=noise"),
        (("models/augment=noise,diffaugment",), "'models/augment=noise,diffaugment' has several values; add -m"),
        (("models.augment.noise.std=1",), "with _target_, or be chosen, as models/augment=diffaugment is"),
        (("models.adversarial_weight=0",), "add losses.matching, or take 1"),
        (("models.top_k=3",), "top_k is 3"),
        (("networks.discriminator.minibatch={kind: std}",), "minibatch.kind is 'std'"),
        (
            ("networks.discriminator.minibatch.kind=deviation", "data.batch_size=1"),
            "networks.discriminator.minibatch=null",
        ),
    ],
)
def test_what_cannot_work_is_refused(words, said, gantrain):
    refused(gantrain("debug=tiny", *words), said)
