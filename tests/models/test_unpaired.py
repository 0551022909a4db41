import pytest
import torch
import toys
from torch import nn

from gantrain.errors import UserError
from gantrain.losses.adversarial import LeastSquares, Wasserstein
from gantrain.losses.penalties import R1
from gantrain.losses.reconstruction import PixelL1
from gantrain.models.unpaired import UnpairedGAN


def batch(n=3):
    generator = torch.Generator().manual_seed(0)
    return {side: torch.rand(n, 3, 4, 4, generator=generator) for side in "ab"}


def networks():
    torch.manual_seed(0)
    return {
        **{f"generator_{way}": nn.Conv2d(3, 3, 1) for way in ("ab", "ba")},
        **{f"discriminator_{side}": nn.Conv2d(3, 1, 1) for side in "ab"},
    }


def game(**options):
    players = {
        "generators": toys.player("generator_ab", "generator_ba"),
        "discriminators": toys.player("discriminator_a", "discriminator_b"),
    }
    options = {"networks": networks(), "adversarial": LeastSquares(combine="mean"), "cycle": PixelL1(10.0), **options}
    return UnpairedGAN(players=players, **options)


def drawn(module, data, swap=0.0):
    """The batch with what a pool draws: the given, and the first place."""
    n = len(data["a"])
    extra = {f"swap.pool_{side}": torch.full((n,), swap) for side in "ab"}
    return {**data, **extra, **{f"place.pool_{side}": torch.zeros(n) for side in "ab"}}


def test_the_generators_pay_for_the_game_the_way_back_and_for_what_is_right_already():
    module, data = game(identity=PixelL1(5.0)), batch()
    ab, ba = module.networks["generator_ab"], module.networks["generator_ba"]
    judge = module.networks["discriminator_b"]
    fakes = module.shared(data, ["generators"])
    assert torch.equal(fakes.new["b"], ab(data["a"]))
    terms, stats = module.generators(data, fakes)
    assert set(terms) == {f"{key}_{side}" for key in ("adv", "cycle", "identity") for side in "ab"}
    assert torch.allclose(terms["adv_b"], (judge(fakes.new["b"]) - 1).square().mean())
    assert torch.allclose(terms["cycle_a"], 10 * (ba(ab(data["a"])) - data["a"]).abs().mean())
    assert torch.allclose(terms["identity_b"], 5 * (ab(data["b"]) - data["b"]).abs().mean())
    assert stats == {}


def test_the_discriminators_see_older_fakes_and_no_way_back():
    module, data = game(pool=3), drawn(game(pool=3), batch())
    first = module.shared(data, ["discriminators"]).new["b"]
    with torch.no_grad():
        module.networks["generator_ab"].bias += 1
    fakes = module.shared(data, ["discriminators", "generators"])
    terms, stats = module.discriminators(data, fakes)
    judge = module.networks["discriminator_b"]
    older = torch.stack([first[0], fakes.new["b"][0], fakes.new["b"][1]])  # the first place is swapped each time
    expected = 0.5 * ((judge(data["b"]) - 1).square().mean() + judge(older).square().mean())
    assert torch.allclose(terms["adv_b"], expected)
    assert torch.allclose(stats["fake_logit_b"], judge(older).mean())
    terms["adv_b"].backward()
    assert all(p.grad is None for name in ("ab", "ba") for p in module.networks[f"generator_{name}"].parameters())


def test_only_what_is_learnt_from_fills_the_pool():
    module, data = game(), drawn(game(), batch())
    for playing in ([], ["generators"]):
        module.shared(data, playing)
    assert module.kept["pool_a"].state_dict() == {"kept": []}
    module.shared(data, ["discriminators"])
    assert len(module.kept["pool_a"].state_dict()["kept"]) == len(data["a"])


def test_without_a_pool_the_newest_are_judged():
    module, data = game(pool=0), batch()
    assert module.kept == {}
    assert module.draw(data) == {}
    _, stats = module.discriminators(data, module.shared(data, []))
    fake = module.networks["generator_ab"](data["a"])
    assert torch.allclose(stats["fake_logit_b"], module.networks["discriminator_b"](fake).mean())


def test_penalties_act_on_both_sides():
    module, data = game(pool=0, penalties={"r1": R1(2.0)}), batch()
    terms = toys.penalties(module, "discriminators", data)
    for side in "ab":
        weight = module.networks[f"discriminator_{side}"].weight
        assert torch.allclose(terms[f"r1_{side}"], weight.square().sum() / 16, rtol=1e-5)  # the mean of 4 x 4 decisions


def test_each_way_has_its_generator():
    module, data = game(), batch()
    assert [module.generator_to(side) for side in (None, "b", "a")] == ["generator_ab"] * 2 + ["generator_ba"]
    shown = module.preview(data, torch.Generator())
    there, back = (module.networks[f"generator_{way}"](data[way[0]]) for way in ("ab", "ba"))
    assert torch.allclose(shown, torch.cat([there, back]))


def test_there_are_two_sides():
    with pytest.raises(UserError, match="to is 'c', it must be a or b"):
        UnpairedGAN.generator_to(None, "c")


def test_what_does_not_fit_is_named():
    with pytest.raises(UserError, match=r"networks\.discriminator_b is missing"):
        UnpairedGAN(
            networks={k: v for k, v in networks().items() if k != "discriminator_b"},
            players={},
            adversarial=LeastSquares(),
            cycle=PixelL1(),
        )
    for pool in (2.5, "ten", -1):
        with pytest.raises(ValueError, match=f"^pool is {pool!r}"):
            game(pool=pool)
    module = game()
    module.check(batch())
    module.networks["generator_ab"] = nn.Conv2d(3, 1, 1)
    with pytest.raises(UserError, match=r"generator_ab makes \(1, 4, 4\) of \(3, 4, 4\), but"):
        module.check(batch())
    module = game()
    module.networks["discriminator_a"] = nn.Conv2d(2, 1, 1)
    with pytest.raises(UserError, match=r"networks\.discriminator_a does not take \(3, 4, 4\)"):
        module.check(batch())


def test_both_critics_of_wasserstein_need_a_bound():
    game(adversarial=Wasserstein(), penalties={"r1": R1(1.0)}).check(batch())
    bounded = networks()
    nn.utils.parametrizations.spectral_norm(bounded["discriminator_a"])
    with pytest.raises(UserError, match=r"slope of networks\.discriminator_b"):
        game(adversarial=Wasserstein(), networks=bounded).check(batch())


def test_the_adversarial_terms_have_a_weight():
    data = batch()
    terms = [
        module.generators(data, module.shared(data, ["generators"]))[0]
        for module in (game(), game(adversarial_weight=0.5))
    ]
    for side in "ab":
        assert torch.equal(terms[1][f"adv_{side}"], 0.5 * terms[0][f"adv_{side}"])
        assert torch.equal(terms[1][f"cycle_{side}"], terms[0][f"cycle_{side}"])
