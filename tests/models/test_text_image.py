"""Text to image: what each side pays, what is drawn, stage II beside stage I, latents and texts in use."""

from types import SimpleNamespace

import pytest
import torch
from toys import player

from gantrain.errors import UserError
from gantrain.losses.adversarial import NonSaturating, Relativistic
from gantrain.models.text_image import TextToImage, divergence
from gantrain.networks.stackgan import Discriminator, HighGenerator, LowGenerator
from gantrain.networks.text import Given

TEXT = 5


def networks():
    torch.manual_seed(0)
    return {
        "text": Given(TEXT),
        "generator_low": LowGenerator(3, 4, TEXT, width=2, size=16, channels=1, init="torch"),
        "discriminator_low": Discriminator(TEXT, width=2, size=16, channels=1, text_dim=3, norm="none"),
        "generator": HighGenerator(2, TEXT, width=2, low=16, size=32, channels=1, residuals=1, init="torch"),
        "discriminator": Discriminator(TEXT, width=2, size=32, channels=1, text_dim=3, norm="none"),
    }


def family(low=None, nets=None, **options):
    end = "" if low else "_low"
    players = {name: player(f"{name}{end}") for name in ("discriminator", "generator")}
    known = {"adversarial": NonSaturating(), "networks": nets or networks(), "players": players, "low": low}
    module = TextToImage(**{**known, **options})
    module.trainer = SimpleNamespace(world_size=1, global_rank=0, precision_plugin=None)
    return module


def batch(n=4, size=16):
    torch.manual_seed(1)
    return {
        "real": torch.randn(n, 1, size, size),
        "text": torch.randn(n, TEXT),
        "text_wrong": torch.randn(n, TEXT),
        "group": torch.arange(n),
    }


def ready(module, **options):
    given = batch(**options)
    given |= module.draw(given)
    return given, module.shared(given, ["discriminator", "generator"])


def test_the_divergence_by_hand():
    zeros = torch.zeros(2, 3)
    assert divergence(zeros, zeros).item() == 0
    assert divergence(zeros + 2, zeros).item() == pytest.approx(2)
    log = torch.full((2, 3), 0.5)
    assert divergence(zeros, log).item() == pytest.approx(0.5 * (2.718281828 - 1) - 0.5)


def test_the_discriminator_sees_right_wrong_and_made_pairs():
    module = family()
    given, shared = ready(module)
    terms, stats = module.discriminator(given, shared)
    judge, bce = module.networks["discriminator_low"], torch.nn.functional.binary_cross_entropy_with_logits
    real, wrong = judge(given["real"], given["text"]), judge(given["real"], given["text_wrong"])
    fake = judge(shared.fakes, given["text"])
    false = (bce(wrong, torch.zeros(4)) + bce(fake, torch.zeros(4))) / 2
    assert terms["adv"].item() == pytest.approx((bce(real, torch.ones(4)) + false).item(), rel=1e-5)
    assert stats["wrong_logit"].item() == pytest.approx(wrong.mean().item())
    terms["adv"].backward()
    assert judge.text[0].weight.grad.abs().sum() > 0


def test_each_pair_has_random_labels_of_its_own():
    module = family(adversarial=NonSaturating(real=(0.7, 1.0), generator=(0.4, 1.0), flip=0.3))
    given, shared = ready(module)
    assert {key: tuple(value.shape) for key, value in given.items() if key.startswith("labels.discriminator")} == {
        "labels.discriminator": (4, 6),
        "labels.discriminator_wrong": (4, 6),
    }
    terms, _ = module.discriminator(given, shared)
    judge, bce = module.networks["discriminator_low"], torch.nn.functional.binary_cross_entropy_with_logits
    pairs = {"": (shared.fakes, "text"), "_wrong": (given["real"], "text_wrong")}
    real, expected = judge(given["real"], given["text"]), 0.0
    for kind, (pictures, text) in pairs.items():
        u = given[f"labels.discriminator{kind}"]
        of_real = torch.where(u[:, 1] < 0.3, 0.0, 0.7 + 0.3 * u[:, 0])
        of_false = torch.where(u[:, 4] < 0.3, 0.7 + 0.3 * u[:, 5], 0.0)
        expected += (bce(real, of_real) + bce(judge(pictures, given[text]), of_false)).item() / 2
    assert terms["adv"].item() == pytest.approx(expected, rel=1e-5)
    made, _ = module.generator(given, shared)
    target = 0.4 + 0.6 * given["labels.generator"][:, 0]
    assert made["adv"].item() == pytest.approx(bce(judge(shared.fakes, given["text"]), target).item(), rel=1e-5)


def test_the_generator_pays_for_its_condition():
    module = family(kl=3.0)
    given, shared = ready(module)
    terms, _ = module.generator(given, shared)
    mean, log = module.networks["generator_low"].augmentation(given["text"])
    assert terms["kl"].item() == pytest.approx(3 * divergence(mean, log).item())
    terms["adv"].backward()
    assert module.networks["generator_low"].augmentation.layers[0].weight.grad.abs().sum() > 0


def test_draws_have_a_key_each_and_do_not_depend_on_processes():
    module = family(low="generator_low")
    whole = module.draw(batch(size=32))
    assert {key: tuple(value.shape) for key, value in whole.items()} == {
        "z": (4, 3),
        "eps_low": (4, 4),
        "eps": (4, 2),
    }
    halves = []
    for rank in (0, 1):
        module.trainer.world_size, module.trainer.global_rank = 2, rank
        halves.append(module.draw(batch(n=2, size=32)))
    assert all(torch.equal(torch.cat([half[key] for half in halves]), value) for key, value in whole.items())


def test_stage_two_leaves_stage_one_alone():
    module = family(low="generator_low")
    module.begin_stage()
    before = {key: value.clone() for key, value in module.networks["generator_low"].state_dict().items()}
    given, shared = ready(module, size=32)
    for name in ("discriminator", "generator"):
        sum(module.losses(name, given, shared)[0].values()).backward(retain_graph=True)
    after = module.networks["generator_low"].state_dict()
    assert all(torch.equal(after[key], value) for key, value in before.items())  # batch norm's numbers as well
    assert all(weight.grad is None for weight in module.networks["generator_low"].parameters())
    assert module.networks["generator"].augmentation.layers[0].weight.grad.abs().sum() > 0


@pytest.mark.parametrize("low", [None, "generator_low"])
def test_a_seed_is_a_picture_whatever_the_batch(low):
    module = family(low=low)
    latents = module.latents(5, torch.Generator().manual_seed(7))
    assert latents.shape == (5, module.z_dim)
    assert torch.equal(module.latents(3, torch.Generator().manual_seed(7)), latents[:3])
    text = torch.randn(1, TEXT).expand(5, -1)
    made = module.generate(latents, text)
    assert torch.allclose(module.generate(latents, text, chunk=2), made, atol=1e-6)
    assert not torch.allclose(made[0], made[1], atol=1e-4)
    assert not torch.allclose(module.generate(latents, -text), made, atol=1e-4)
    assert module.networks["generator_low"].training  # modes come back


def test_what_is_made_is_the_game_s_own():
    """Latents are, part by part, what `draw` gives."""
    module = family(low="generator_low").eval()
    given = module.draw(batch(size=32)) | {"text": torch.randn(4, TEXT)}
    latents = torch.cat([given["z"], given["eps_low"], given["eps"]], 1)
    with torch.no_grad():
        wanted = module.fakes(module.networks, given, given["text"])
    assert torch.allclose(module.generate(latents, given["text"]), wanted, atol=1e-6)


def test_games_that_do_not_fit_are_refused():
    with pytest.raises(UserError, match="compares pairs"):
        family(adversarial=Relativistic())
    with pytest.raises(UserError, match=r"networks\.text is missing"):
        family(nets={key: value for key, value in networks().items() if key != "text"})
    with pytest.raises(ValueError, match="kl is -1"):
        family(kl=-1)
    module = family()
    with pytest.raises(UserError, match=r"networks\.text\.features=6"):
        module.check({**batch(), "text": torch.zeros(4, 6)})
    with pytest.raises(UserError, match="makes"):
        module.check(batch(size=32))
