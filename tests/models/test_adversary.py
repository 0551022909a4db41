"""What a game costs its two sides, by hand."""

import pytest
import torch
from torch import nn
from toys import Discriminator, Generator, game, play, player

from gantrain.errors import UserError
from gantrain.losses.adversarial import Hinge, NonSaturating, Relativistic, RelativisticAverage, Wasserstein
from gantrain.losses.matching import FeatureMatching
from gantrain.losses.penalties import R1, R2, GradientPenalty, WGANDiv
from gantrain.models.adversary import TopK, check_matching, consistent, discriminator_turn, generator_turn, measured
from gantrain.models.players import ClipWeights
from gantrain.networks.critique import Critique
from gantrain.networks.minibatch import MinibatchDiscrimination

REAL = Critique(torch.tensor([1.0, -1.0, 3.0]), (torch.full((3, 2), 2.0),))
FAKE = Critique(torch.tensor([-2.0, -1.0, -3.0]), (torch.full((3, 2), 5.0),))


def test_a_discriminators_turn():
    terms, stats = discriminator_turn(Hinge(), REAL, FAKE)
    assert {key: value.item() for key, value in terms.items()} == {"adv": pytest.approx(2 / 3)}
    assert {key: value.item() for key, value in stats.items()} == {
        "real_logit": 1.0,
        "fake_logit": -2.0,
        "accuracy": pytest.approx(5 / 6),
    }


def test_where_no_logit_means_undecided_their_distance_is_recorded():
    _, stats = discriminator_turn(Wasserstein(), REAL, FAKE)
    assert stats["distance"].item() == 3.0
    assert measured(Wasserstein()) == list(stats) == ["real_logit", "fake_logit", "distance"]
    assert measured(NonSaturating()) == ["real_logit", "fake_logit", "accuracy"]


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_statistics_of_half_logits_are_means_in_float32(kind):
    real = torch.full((1000,), 200.0).to(kind)
    fake = torch.where(torch.arange(1000) % 2 == 0, 200.0, 199.0).to(kind)
    _, stats = discriminator_turn(Wasserstein(), Critique(real), Critique(fake))
    assert stats["distance"].item() == pytest.approx(0.5)
    assert all(value.dtype == torch.float32 for value in stats.values())


def test_a_generators_turn_judges_real_samples_only_where_a_loss_compares_with_them():
    seen = []

    def judge_real():
        seen.append(torch.is_grad_enabled())
        return REAL

    assert generator_turn(Wasserstein(), None, FAKE, judge_real) == {"adv": torch.tensor(2.0)}
    assert seen == []
    terms = generator_turn(Relativistic(), None, FAKE, judge_real)
    assert torch.equal(terms["adv"], Relativistic().generator(FAKE.logits, REAL.logits))
    terms = generator_turn(Wasserstein(), FeatureMatching(0.5), FAKE, judge_real)
    assert {key: value.item() for key, value in terms.items()} == {"adv": 2.0, "matching": 0.5 * 2 * 9}
    assert seen == [False, False]


def with_norm(norm, *layers):
    network = Discriminator()
    for layer in layers:
        norm(network.layers[layer])
    return {"networks": {"generator": Generator(), "discriminator": network}}


@pytest.mark.parametrize(
    "options",
    [
        *({"penalties": {"p": penalty}} for penalty in (R1(1.0), R2(1.0), GradientPenalty(10.0), WGANDiv())),
        {"discriminator": player("discriminator", after_step=ClipWeights(0.01))},
        with_norm(nn.utils.spectral_norm, 0, 2),
        with_norm(nn.utils.parametrizations.spectral_norm, 0, 2),
        {"adversarial": Hinge()},
    ],
)
def test_a_critic_of_wasserstein_with_a_bound(options):
    game(**{"adversarial": Wasserstein(), **options}).check({"real": torch.zeros(2, 4)})


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"penalties": {"p": R1(0.0)}},
        {"penalties": {"p": R1(1.0, of="generator")}},
        {"generator": player("generator", after_step=ClipWeights(0.01))},
        with_norm(nn.utils.parametrizations.spectral_norm, 0),
    ],
)
def test_a_critic_of_wasserstein_without_a_bound_is_refused_with_the_ways_out(options):
    ways = r"losses=wasserstein_gp.*ClipWeights.*networks\.discriminator\.spectral=true"
    with pytest.raises(UserError, match=ways):
        game(adversarial=Wasserstein(), **options).check({"real": torch.zeros(2, 4)})


def test_spectral_norm_leaves_minibatch_discrimination_free_and_the_sentence_says_so():
    options = with_norm(nn.utils.parametrizations.spectral_norm, 0, 2)
    options["networks"]["discriminator"].layers.insert(2, MinibatchDiscrimination(8, rows=1, size=1))
    options["networks"]["discriminator"].layers[3] = nn.utils.parametrizations.spectral_norm(nn.Linear(9, 1))
    with pytest.raises(UserError, match="and no minibatch discrimination, whose slope it leaves free"):
        game(adversarial=Wasserstein(), **options).check({"real": torch.zeros(2, 4)})


def test_matching_wants_features():
    check_matching(None, Critique(torch.zeros(1)))
    check_matching(FeatureMatching(), REAL)
    with pytest.raises(UserError, match=r"losses\.matching: .*networks\.discriminator\.features=true"):
        check_matching(FeatureMatching(), Critique(torch.zeros(1)))
    with pytest.raises(UserError, match=r"losses\.matching\.layer is 1, but .* gives 1 features"):
        check_matching(FeatureMatching(layer=1), REAL)


class Telling(Discriminator):
    def forward(self, x):
        return Critique(super().forward(x), (self.layers[:2](x),))


@pytest.mark.parametrize("adversarial", [Wasserstein(), Hinge(), Relativistic(), RelativisticAverage()])
def test_every_loss_plays(adversarial):
    networks = {"generator": Generator(), "discriminator": Telling()}
    module = play(game(networks=networks, adversarial=adversarial, matching=FeatureMatching()), 2)
    assert {"generator/adv", "generator/matching", "discriminator/adv"} <= set(module.meters.pop())


def test_matching_alone_brings_the_means_of_the_features_together():
    class Flat(Wasserstein):
        def generator(self, fake_logits, real_logits=None):
            return 0 * fake_logits.mean()

    networks = {"generator": Generator(), "discriminator": Telling()}
    module = game(networks=networks, adversarial=Flat(), matching=FeatureMatching())
    module.players = {"generator": module.players["generator"]}
    module.turns = {"generator": 0}
    first = play(module, 1).meters.pop()["generator/matching"]
    play(module, 200)
    module.meters.pop()
    assert play(module, 201).meters.pop()["generator/matching"] < first / 10


# ---- the best fakes --------------------------------------------------------------------------------------------------


def test_the_share_of_fakes_falls_with_every_epoch_to_a_half():
    top = TopK(decay=0.8, images=100, least=0.5)
    assert [top.share(seen) for seen in (0, 99, 100, 250, 10**9)] == pytest.approx([1.0, 1.0, 0.8, 0.64, 0.5])
    assert top.share_for(torch.zeros(3, 2), 100).tolist() == pytest.approx([0.8] * 3)


@pytest.mark.parametrize("shape", [(4,), (4, 3), (4, 2, 2)])
def test_the_gradient_is_that_of_the_mean_of_the_best(shape):
    logits = torch.tensor([0.0, 3.0, -1.0, 2.0]).view(4, *[1] * (len(shape) - 1)).expand(shape).clone().requires_grad_()
    loss = NonSaturating()
    best = TopK().best(logits, torch.full((4,), 0.5))
    assert torch.equal(best, logits)  # what is recorded is the loss of all
    (gradient,) = torch.autograd.grad(loss.generator(best), logits)
    (wanted,) = torch.autograd.grad(loss.generator(logits[[1, 3]]), logits)
    assert torch.allclose(gradient, wanted, atol=1e-7)
    (of_all,) = torch.autograd.grad(loss.generator(TopK().best(logits, torch.ones(4))), logits)
    assert torch.allclose(of_all, torch.autograd.grad(loss.generator(logits), logits)[0], atol=1e-7)


def test_one_fake_at_least_teaches():
    logits = torch.tensor([0.0, 3.0], requires_grad=True)
    (gradient,) = torch.autograd.grad(TopK().best(logits, torch.full((2,), 0.1)).sum(), logits)
    assert gradient.tolist() == [0.0, 2.0]


@pytest.mark.parametrize("options", [{"decay": 0.0}, {"least": 1.5}, {"images": 0}])
def test_what_is_no_share_is_refused(options):
    with pytest.raises(ValueError, match="must be"):
        TopK(**options)


def test_consistency_is_a_mean_square():
    assert consistent(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 5.0])).item() == 4.5
