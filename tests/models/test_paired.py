import pytest
import torch
import toys
from torch import nn

from gantrain.errors import UserError
from gantrain.losses.adversarial import LeastSquares, NonSaturating
from gantrain.losses.holes import HoleL1
from gantrain.losses.penalties import R1
from gantrain.losses.reconstruction import PixelL1, PixelMSE
from gantrain.models.paired import PairedGAN
from gantrain.training.fitted import fitted


class Pairs(nn.Module):
    """A discriminator of pairs, as picture to picture has it."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Conv2d(5, 1, 1)

    def forward(self, target, cond):
        return self.layer(torch.cat([target, cond], 1)).squeeze(1)


def batch(n=4):
    generator = torch.Generator().manual_seed(0)
    return {
        "real": torch.rand(n, 3, 4, 4, generator=generator),
        "cond": torch.rand(n, 2, 4, 4, generator=generator),
    }


def game(players=("discriminator", "generator"), adversarial=True, discriminator=None, **options):
    torch.manual_seed(0)
    networks = {"generator": nn.Conv2d(2, 3, 1), "discriminator": discriminator or nn.Conv2d(3, 1, 1)}
    return fitted(PairedGAN)(
        networks=networks,
        players={name: toys.player(name) for name in players},
        content=options.pop("content", PixelMSE()),
        adversarial=NonSaturating() if adversarial else None,
        **options,
    )


def test_the_generator_pays_for_content_and_a_little_for_the_critics_opinion():
    module, data = game(content=PixelL1(2.0), adversarial_weight=1e-3), batch()
    fake = module.shared(data, ["generator"])
    assert torch.equal(fake, module.networks["generator"](data["cond"]))
    terms, _ = module.losses("generator", data, fake)
    assert torch.allclose(terms["content"], 2 * (fake - data["real"]).abs().mean())
    assert torch.allclose(terms["adv"], 1e-3 * nn.functional.softplus(-module.networks["discriminator"](fake)).mean())


def test_the_critic_sees_what_is_made_without_a_way_back():
    module, data = game(), batch()
    fake = module.shared(data, ["generator"])
    terms, stats = module.losses("discriminator", data, fake)
    terms["adv"].backward()
    assert all(p.grad is None for p in module.networks["generator"].parameters())
    logits = [module.networks["discriminator"](x) for x in (data["real"], fake)]
    right = torch.cat([(logits[0] > 0).flatten(), (logits[1] < 0).flatten()]).float().mean()
    assert stats["accuracy"] == right


def test_alone_the_generator_pays_for_content_only():
    module, data = game(players=["generator"], adversarial=False), batch()
    terms, stats = module.losses("generator", data, module.shared(data, ["generator"]))
    assert list(terms) == ["content"]
    assert stats == {}


def test_pairs_are_judged_where_it_is_conditional():
    module, data = game(discriminator=Pairs(), conditional=True), batch()
    fake = module.shared(data, [])
    assert not fake.requires_grad
    terms, _ = module.losses("discriminator", data, fake)
    logits = [module.networks["discriminator"](x, data["cond"]) for x in (data["real"], fake)]
    assert torch.allclose(terms["adv"], NonSaturating().discriminator(*logits))
    module.check(data)


def test_penalties_act_on_the_critic_at_its_condition():
    module, data = game(discriminator=Pairs(), conditional=True, penalties={"r1": R1(2.0)}), batch()
    terms = toys.penalties(module, "discriminator", data)
    weight = module.networks["discriminator"].layer.weight[0, :3, 0, 0]
    assert torch.allclose(terms["r1"], weight.square().sum() / 16, rtol=1e-5)  # 2 * 1/2, of the mean of 16


def test_least_squares_decide_halfway():
    module, data = game(), batch()
    module.adversarial = LeastSquares()
    module.networks["discriminator"].requires_grad_(False).weight.zero_()
    module.networks["discriminator"].bias.fill_(0.4)
    _, stats = module.losses("discriminator", data, module.shared(data, []))
    assert stats["accuracy"] == 0.5  # everything below 1/2 is taken for made


def test_it_learns_what_the_condition_says(monkeypatch):
    class Endless(torch.utils.data.IterableDataset):
        def __init__(self, batch_size):
            self.batch_size = batch_size

        def __iter__(self):
            while True:
                cond = torch.randn(self.batch_size, 2, 4, 4)
                yield {"real": torch.cat([cond, -cond[:, :1]], 1), "cond": cond}

    monkeypatch.setattr(toys, "Endless", Endless)
    module = game(players=["generator"], adversarial=False)
    module.players["generator"] = toys.player("generator", lr=0.05)
    weight = toys.play(module, 100).networks["generator"].weight[:, :, 0, 0]
    assert torch.allclose(weight, torch.tensor([[1.0, 0], [0, 1], [-1, 0]]), atol=0.05)


def test_what_is_missing_is_named():
    with pytest.raises(UserError, match=r"networks\.generator is missing"):
        PairedGAN(networks={}, players={}, content=PixelMSE())
    with pytest.raises(UserError, match=r"players\.discriminator.*needs losses\.adversarial"):
        game(adversarial=False)
    with pytest.raises(UserError, match=r"losses\.content looks at holes.*models=inpainting"):
        game(content=HoleL1())
    with pytest.raises(UserError, match=r"networks\.discriminator is missing"):
        PairedGAN(
            networks={"generator": nn.Conv2d(2, 3, 1)}, players={}, content=PixelMSE(), adversarial=NonSaturating()
        )


def test_networks_that_do_not_fit_the_data_are_named():
    module, data = game(), batch()
    with pytest.raises(UserError, match=r"networks\.generator does not take \(5, 4, 4\)"):
        module.check({**data, "cond": torch.rand(4, 5, 4, 4)})
    with pytest.raises(UserError, match=r"makes \(3, 4, 4\) of \(2, 4, 4\), but this game needs \(3, 8, 8\)"):
        module.check({**data, "real": torch.rand(4, 3, 8, 8)})
    with pytest.raises(UserError, match=r"networks\.discriminator does not take"):
        game(discriminator=Pairs()).check(data)
