import torch
from torch import nn

from gantrain.data.holes import hidden
from gantrain.inference.projection import Projection


class Line(nn.Module):
    """Pictures (1, 4, 4) whose rows are the latent's four numbers, brighter by the class."""

    def forward(self, z, cond=None):
        rows = z[:, None, :, None].expand(-1, 1, 4, 4)
        return rows if cond is None else rows.detach() * 0 + z.mean() * 0 + cond.view(-1, 1, 1, 1)


def latents(n):
    return torch.randn(n, 4, generator=torch.Generator().manual_seed(0))


def example():
    picture = torch.tensor([0.5, -0.25, 0.75, 0.0])[None, None, :, None].expand(2, 1, 4, 4).clone()
    missing = torch.zeros(2, 1, 4, 4, dtype=torch.bool)
    missing[:, :, :, 1:3] = True
    return picture, hidden(picture, missing)


def test_what_fits_the_known_pixels_is_found_and_gradients_are_left_alone():
    picture, cond = example()
    generator = nn.Sequential(Line(), nn.Conv2d(1, 1, 1))
    generator[1].weight.data.fill_(1), generator[1].bias.data.zero_()
    with torch.no_grad():
        made = Projection(generator, latents, steps=150)(cond)
    assert (made - picture).abs().max() < 0.1
    assert torch.equal(made[0], made[1])  # one picture has one result
    assert generator[1].weight.grad is None
    assert not made.requires_grad


def test_of_all_classes_the_nearest_is_taken():
    picture = torch.full((1, 1, 4, 4), 6.2)
    cond = hidden(picture, torch.zeros(1, 1, 4, 4, dtype=torch.bool).index_fill(2, torch.tensor([1]), True))
    made = Projection(Line(), latents, classes=10, steps=1)(cond)
    assert (made == 6).all()
