import pytest
import torch

from gantrain.networks.context_encoder import Discriminator, Generator


def parameters(network):
    return sum(p.numel() for p in network.parameters())


def test_the_paper_has_as_many_weights():
    with torch.device("meta"):
        assert parameters(Generator(64, 128, 3)) == 71_130_531
        assert parameters(Generator(64, 128, 3, bottleneck=100)) == 7_221_231
        assert parameters(Discriminator(64, 3)) == 2_766_529


def test_the_middle_is_made_and_nothing_around_it():
    torch.manual_seed(0)
    generator = Generator(4, 64, 3, bottleneck=8)
    made = generator(torch.rand(2, 4, 64, 64))
    assert made.shape == (2, 3, 64, 64)
    middle = made[:, :, 16:48, 16:48]
    assert (middle != 0).float().mean() > 0.5
    assert (made != 0).sum() == (middle != 0).sum()
    cond = torch.rand(1, 4, 64, 64, dtype=torch.float64, requires_grad=True)
    generator.double().eval()(cond).square().sum().backward()
    assert (cond.grad[:, :3] != 0).all()  # the whole picture is seen through the bottleneck
    assert (cond.grad[:, 3] == 0).all()


def test_a_logit_for_the_papers_hole_and_several_for_the_picture():
    discriminator = Discriminator(2, 3)
    assert discriminator(torch.rand(2, 3, 64, 64)).shape == (2, 1, 1)
    assert discriminator(torch.rand(2, 3, 128, 128)).shape == (2, 5, 5)


@pytest.mark.parametrize("size", [32, 100])
def test_sizes_that_cannot_be_halved_so_often_are_refused(size):
    with pytest.raises(ValueError, match=f"size is {size}"):
        Generator(2, size, 3)
