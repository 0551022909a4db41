import pytest
import torch
import toys
from torch import nn

from gantrain.data.holes import hidden, pasted
from gantrain.errors import UserError
from gantrain.losses.adversarial import NonSaturating
from gantrain.losses.auxiliary import ClassLabels, Codes
from gantrain.losses.holes import HoleL1
from gantrain.losses.reconstruction import PixelL1
from gantrain.models.inpainting import Inpainting
from gantrain.networks.critique import Critique


class Says(nn.Module):
    """A discriminator that says two classes."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Conv2d(3, 3, 4)

    def forward(self, pictures):
        said = self.layer(pictures).flatten(1)
        return Critique(said[:, 0], auxiliary=said[:, 1:])


def batch(n=4, seed=0):
    generator = torch.Generator().manual_seed(seed)
    real = torch.rand(n, 3, 4, 4, generator=generator)
    missing = torch.zeros(n, 1, 4, 4, dtype=torch.bool)
    missing[:, :, 1:3, 1:3] = True
    return {"real": real, "cond": hidden(real, missing), "label": torch.arange(n) % 2}


def game(discriminator=None, **options):
    torch.manual_seed(0)
    networks = {"generator": nn.Conv2d(4, 3, 1), "discriminator": discriminator or nn.Conv2d(3, 1, 1)}
    players = {name: toys.player(name) for name in ("discriminator", "generator")}
    known = {"content": HoleL1(2.0), "adversarial": NonSaturating(), "players": players}
    return Inpainting(networks=networks, **{**known, **options})


def test_the_critic_sees_what_is_made_inside_the_hole_alone():
    module, data = game(), batch()
    fakes = module.shared(data, ["generator"])
    missing = data["cond"][:, -1:].expand(-1, 3, -1, -1) > 0
    assert torch.equal(fakes[~missing], data["real"][~missing])
    assert torch.equal(fakes[missing], module.networks["generator"](data["cond"])[missing])
    terms, _ = module.losses("discriminator", data, fakes)
    logits = [module.networks["discriminator"](x) for x in (data["real"], fakes)]
    assert torch.allclose(terms["adv"], NonSaturating().discriminator(*logits))


def test_content_is_that_of_the_hole():
    module, data = game(), batch()
    fakes = module.shared(data, ["generator"])
    terms, _ = module.losses("generator", data, fakes)
    inside = (fakes - data["real"])[:, :, 1:3, 1:3].abs().mean()
    assert torch.allclose(terms["content"], 2 * inside)


def test_hidden_pixels_reach_nobody_but_the_content_loss():
    module, data = game(), batch()
    other = {**data, "real": torch.where(data["cond"][:, -1:] > 0, 1 - data["real"], data["real"])}
    other["cond"] = hidden(other["real"], data["cond"][:, -1:] > 0)
    assert torch.equal(module.shared(data, []), module.shared(other, []))


def test_the_critic_says_the_class_of_real_pictures():
    module, data = game(Says(), auxiliary=ClassLabels(2, weight=3.0)), batch()
    terms, stats = module.losses("discriminator", data, module.shared(data, []))
    said = module.networks["discriminator"](data["real"]).auxiliary
    assert torch.allclose(terms["class_real"], 3 * nn.functional.cross_entropy(said, data["label"]))
    assert set(terms) == {"adv", "class_real"}
    assert "accuracy" in stats
    module.check(data)


def test_previews_are_pasted():
    module, data = game(), batch()
    assert torch.equal(
        module.preview(data, None), pasted(module.networks["generator"](data["cond"]), data["cond"]).detach()
    )


def test_what_does_not_fit_is_named():
    data = batch()
    with pytest.raises(UserError, match=r"losses\.auxiliary: holes are filled without codes"):
        game(auxiliary=Codes(2))
    with pytest.raises(UserError, match=r"losses\.content looks at more than the hole"):
        game(content=PixelL1())
    with pytest.raises(UserError, match=r"losses\.auxiliary: it is the discriminator"):
        game(auxiliary=ClassLabels(2), adversarial=None, players={"generator": toys.player("generator")})
    with pytest.raises(UserError, match=r"data\.classes is null"):
        game(Says(), auxiliary=ClassLabels(2)).check({key: data[key] for key in ("real", "cond")})
    with pytest.raises(UserError, match=r"models=inpainting fills holes, and these data have none"):
        game().check({**data, "cond": data["real"]})
    with pytest.raises(UserError, match=r"losses\.auxiliary asks 3 numbers"):
        game(Says(), auxiliary=ClassLabels(3)).check(data)
