"""The latent family."""

import functools

import pytest
import torch
from torch import nn
from toys import Discriminator, Generator, game, play, player

from gantrain.errors import UserError
from gantrain.losses.auxiliary import ClassLabels, Codes
from gantrain.losses.matching import FeatureMatching
from gantrain.losses.penalties import R1
from gantrain.models.latent import LatentGAN
from gantrain.networks import dcgan, mlp
from gantrain.networks.critique import Critique, critique_of
from gantrain.networks.spectral import bound_spectral_norms


def test_the_same_latents_the_same_pictures_in_any_chunks():
    module = game()
    z = module.latents(7, torch.Generator().manual_seed(1))
    assert z.shape == (7, 3)
    assert torch.allclose(module.generate(z), module.generate(z, chunk=2), atol=1e-6)


def test_previews_of_other_counts_show_the_same_pictures():
    module = game(networks={"generator": Generator(z_dim=100), "discriminator": Discriminator()})
    few, many = (module.preview({"real": torch.zeros(n, 4)}, torch.Generator().manual_seed(2)) for n in (3, 64))
    assert torch.allclose(few, many[:3], atol=1e-6)


def test_generating_keeps_mode_and_buffers():
    module = game()
    module.networks["generator"].train()
    module.generate(torch.zeros(2, 3))
    assert module.networks["generator"].training


def test_first_losses_of_an_untrained_pair():
    module = play(game(), 1)
    first = module.meters.pop()
    assert first["discriminator/adv"] / 2 == pytest.approx(0.69, abs=0.1)
    assert first["generator/adv"] == pytest.approx(0.7, abs=0.1)


def test_shapes_are_checked_against_the_data():
    with pytest.raises(UserError, match=r"makes \(5,\) of \(3,\), but this game needs \(4,\)"):
        game(networks={"generator": Generator(features=5), "discriminator": Discriminator()}).check(
            {"real": torch.zeros(2, 4)}
        )
    with pytest.raises(UserError, match=r"networks\.discriminator does not take \(4,\)"):
        game(networks={"generator": Generator(), "discriminator": Discriminator(features=5)}).check(
            {"real": torch.zeros(2, 4)}
        )
    game().check({"real": torch.zeros(2, 4)})


def test_it_needs_its_two_networks():
    networks = {"discriminator": Discriminator(), "maker": Generator()}
    with pytest.raises(UserError, match=r"networks\.generator is missing"):
        game(networks=networks, generator=player("maker"))


@pytest.mark.parametrize(("option", "value"), [("classes", "ten"), ("classes", 3.5), ("classes", 0)])
def test_what_is_no_number_is_refused(option, value):
    with pytest.raises(ValueError, match=f"^{option} is {value!r}"):
        game(**{option: value})


@pytest.mark.parametrize("option", ["adversarial_weight", "z_std", "consistency"])
def test_what_must_not_be_negative_is_refused(option):
    with pytest.raises(ValueError, match=f"^{option} is -1, it must be 0 or more"):
        game(**{option: -1})


# ---- of a class ------------------------------------------------------------------------------------------------------


class OfClass(nn.Module):
    """A network that takes class numbers below 3 as well, and notes them."""

    def __init__(self, network, inputs):
        super().__init__()
        self.network, self.z_dim = network, inputs
        self.table = nn.Embedding(3, inputs)
        self.seen = []

    def forward(self, x, cond):
        self.seen.append(cond.tolist())
        return self.network(x + self.table(cond))


class Labelled(LatentGAN):
    """The toys' batches have no classes."""

    def draw(self, batch):
        return {"cond": torch.arange(len(batch["real"])) % 3, **super().draw(batch)}


def conditional(**options):
    networks = {"generator": OfClass(Generator(), 3), "discriminator": OfClass(Discriminator(), 4)}
    return game(family=Labelled, networks=networks, classes=3, **options)


LABELS = [0, 1, 2, 0, 1, 2, 0, 1]


def test_both_networks_take_the_real_samples_classes():
    module = play(conditional(penalties={"r1": R1(1.0)}), 1)
    assert module.networks["generator"].seen == [LABELS]  # one pass serves both turns
    assert module.networks["discriminator"].seen == [LABELS] * 4  # real, fake, penalty; the generator's turn
    assert module.networks["generator"].table.weight.grad.abs().sum() > 0


@pytest.mark.parametrize("weight", [0.0, 0.5])
def test_the_adversarial_term_has_a_weight_so_that_feature_matching_may_replace_it(weight):
    class Telling(Discriminator):
        def forward(self, x):
            return Critique(super().forward(x), (self.layers[:2](x),))

    networks = {"generator": Generator(), "discriminator": Telling()}
    module = game(networks=networks, matching=FeatureMatching(2.0), adversarial_weight=weight)
    batch = {"real": torch.randn(5, 4), "z": torch.randn(5, 3)}
    terms, _ = module.generator(batch, module.shared(batch, ["generator"]))
    logits = networks["discriminator"](networks["generator"](batch["z"])).logits
    assert torch.allclose(terms["adv"], weight * nn.functional.softplus(-logits).mean())
    assert terms["matching"] > 0


def test_fresh_noise_draws_classes_of_its_own():
    module = play(conditional(fresh_noise=True), 50)
    passes = module.networks["generator"].seen
    assert passes[::2] == [LABELS] * 50
    drawn = torch.tensor(passes[1::2])
    assert drawn.shape == (50, 8)
    assert torch.bincount(drawn.flatten(), minlength=3).min() > 0.75 * 400 / 3
    judged = module.networks["discriminator"].seen
    assert judged[:3] == [LABELS, LABELS, passes[1]]


def test_samples_of_classes():
    module = conditional()
    z = module.latents(7, torch.Generator().manual_seed(0))
    turn = module.generate(z)
    assert torch.equal(turn, module.generate(z, torch.tensor([0, 1, 2, 0, 1, 2, 0])))
    assert torch.allclose(turn, module.generate(z, chunk=2), atol=1e-6)
    assert not torch.equal(turn, module.generate(z, torch.zeros(7, dtype=torch.int64)))
    shown = module.preview({"real": torch.zeros(8, 4)}, torch.Generator().manual_seed(0))
    assert shown.shape == (6, 4)
    assert torch.equal(shown[:3], module.generate(z[:1].repeat(3, 1)))
    assert module.preview_columns == 3
    assert module.classes
    assert not game().classes


def test_classes_must_be_in_the_data():
    with pytest.raises(UserError, match=r"models\.classes: the data have no classes"):
        conditional().check({"real": torch.zeros(2, 4)})
    conditional().check({"real": torch.zeros(2, 4), "cond": torch.tensor([0, 2])})
    networks = {"generator": OfClass(Generator(), 3), "discriminator": OfClass(Discriminator(), 4)}
    with pytest.raises(UserError, match=r"networks\.generator does not take .*its classes from data"):
        game(networks=networks, classes=4).check({"real": torch.zeros(2, 4), "cond": torch.tensor([0, 2])})


# ---- of classes and codes that the discriminator says ----------------------------------------------------------------


class Saying(Discriminator):
    """It says `size` numbers beside its logits."""

    def __init__(self, size):
        super().__init__()
        self.head = nn.Linear(4, size)

    def forward(self, x):
        return Critique(super().forward(x), (), self.head(x))


class Clusters(Labelled):
    """Pictures of 2x2 pixels in three classes, each around one of its own."""

    middles = 1.6 * torch.eye(4)[:3] - 0.8

    def draw(self, batch):
        drawn = super().draw(batch)
        near = self.middles[drawn["cond"]] + 0.1 * (batch["real"] - 2)
        return {**drawn, "real": near.view(-1, 1, 2, 2)}


def saying_classes(**options):
    networks = {"generator": OfClass(Generator(), 3), "discriminator": Saying(3)}
    return game(family=Labelled, networks=networks, classes=3, auxiliary=ClassLabels(3), **options)


def with_codes(z_dim=8, size=4, **options):
    networks = {"generator": Generator(z_dim), "discriminator": Saying(size)}
    return game(networks=networks, auxiliary=Codes(3, 1), **options)


@pytest.mark.parametrize("fresh", [False, True])
def test_a_discriminator_that_says_the_class_is_not_shown_it(fresh):
    module = saying_classes(fresh_noise=fresh)
    terms = []
    module.auxiliary.fake = lambda said, z, cond: terms.append((z, cond)) or ClassLabels(3).fake(said, z, cond)
    recorded = play(module, 1).meters.pop()
    assert {"discriminator/class_real", "discriminator/class_fake", "generator/class_fake"} <= set(recorded)
    assert "generator/class_real" not in recorded
    (z, cond), (z_generator, cond_generator) = terms  # the two turns judge fakes of the latents that each drew
    assert cond.tolist() == LABELS
    assert torch.equal(z, z_generator) is not fresh
    assert cond_generator.tolist() == module.networks["generator"].seen[-1]


def trained(generator, discriminator, **options):
    """A small game of perceptrons on the clusters, after some hundred milliseconds."""
    torch.manual_seed(0)
    networks = {
        "generator": mlp.Generator(8, 16, 2, 1, hidden=[1], **generator),
        "discriminator": mlp.Discriminator(16, 2, 1, hidden=[1], **discriminator),
    }
    adam = functools.partial(torch.optim.Adam, betas=(0.5, 0.999))
    players = {name: player(name, optimizer=adam, lr=0.02) for name in networks}
    return play(game(family=Clusters, networks=networks, **players, **options), 100, batch_size=24)


@pytest.mark.parametrize(
    ("discriminator", "auxiliary"), [({"classes": 3}, None), ({"auxiliary": 3}, ClassLabels(3))], ids=["cgan", "acgan"]
)
def test_classes_are_obeyed(discriminator, auxiliary):
    module = trained({"classes": 3}, discriminator, auxiliary=auxiliary, classes=3)
    asked = torch.arange(300) % 3
    made = module.generate(module.latents(300, torch.Generator().manual_seed(0)), asked)
    assert (torch.cdist(made.flatten(1), Clusters.middles).argmin(1) == asked).float().mean() > 0.95


def test_codes_are_kept_by_the_samples():
    module = trained({}, {"auxiliary": 4}, auxiliary=Codes(3, 1))
    z = module.latents(300, torch.Generator().manual_seed(0))
    said = module.networks["discriminator"](module.generate(z)).auxiliary
    assert (said[:, :3].argmax(1) == z[:, 4:7].argmax(1)).float().mean() > 0.95


def test_latents_end_with_their_codes():
    module = with_codes(z_std=0.1)
    z = module.latents(1000, torch.Generator().manual_seed(0))
    assert z.shape == (1000, 8)
    assert z[:, :4].std().item() == pytest.approx(0.1, abs=0.01)
    assert torch.equal(z[:, 4:7].sum(1), torch.ones(1000))
    shown = module.preview({"real": torch.zeros(8, 4)}, torch.Generator().manual_seed(0))
    first = module.codes.varied(z[:2], 0)
    assert module.preview_columns == 3
    assert torch.equal(shown, module.generate(first.flatten(0, 1)))


def test_what_is_said_must_fit():
    real = {"real": torch.zeros(2, 4), "cond": torch.tensor([0, 2])}
    saying_classes().check(real)
    with_codes().check(real)
    with pytest.raises(
        UserError, match=r"losses\.auxiliary asks 4 numbers.*says 5; set networks.discriminator.auxiliary=4"
    ):
        with_codes(size=5).check(real)
    with pytest.raises(UserError, match=r"asks 4 numbers.*says 0"):
        game(networks={"generator": Generator(8), "discriminator": Discriminator()}, auxiliary=Codes(3, 1)).check(real)
    with pytest.raises(UserError, match=r"z_dim is 4, and losses\.auxiliary takes 4"):
        with_codes(z_dim=4).check(real)
    with pytest.raises(UserError, match=r"losses\.auxiliary\.classes is 3, but models\.classes is null; choose"):
        game(networks={"generator": Generator(), "discriminator": Saying(3)}, auxiliary=ClassLabels(3)).check(real)


def test_packs_of_samples_with_something_of_their_own_are_refused():
    judge = dcgan.Discriminator(4, 8, 1, pack=2)
    networks = {"generator": dcgan.Generator(3, 4, 8, 1), "discriminator": judge}
    data = {"real": torch.zeros(4, 1, 8, 8), "cond": torch.arange(4)}
    module = game(networks=networks)
    module.check(data)
    assert critique_of(judge(*module.inputs_of("discriminator", data))).logits.shape == (4,)
    for option, value, key in (("classes", 4, "models"), ("clusters", 2, "models"), ("auxiliary", Codes(2), "losses")):
        asker = rf"{key}\.{option}"
        with pytest.raises(UserError, match=rf"pack is 2: .* but {asker} is about each one alone; .* or {asker}=null"):
            game(networks=networks, **{option: value}).check(data)


def test_spectral_norms_estimate_moves_once_a_turn():
    networks = {"generator": Generator(), "discriminator": Discriminator()}
    bound_spectral_norms(networks["discriminator"])
    seen = []
    norm = networks["discriminator"].layers[0].parametrizations.weight[0]
    norm.register_forward_hook(lambda *_: seen.append(1))
    play(game(networks=networks), 3)
    assert len(seen) == 3 * 2  # in the discriminator's turn and in the generator's, of passes there are three
