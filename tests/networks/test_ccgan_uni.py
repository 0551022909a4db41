import torch

from gantrain.networks.ccgan_uni import Discriminator, Generator


def parameters(network):
    return sum(p.numel() for p in network.parameters())


def test_the_source_has_as_many_weights():
    assert parameters(Generator(64, 28, 1)) == 297_313
    assert parameters(Discriminator(64, 28, 1, auxiliary=10)) == 201_675
    assert parameters(Discriminator(64, 28, 1, auxiliary=100)) == 766_245  # as the source's code runs


def test_shapes_and_the_mask_that_is_not_looked_at():
    cond = torch.rand(2, 4, 16, 16)
    generator = Generator(4, 16, 3).eval()
    made = generator(cond)
    assert made.shape == (2, 3, 16, 16)
    assert torch.equal(made, generator(torch.cat([cond[:, :3], 1 - cond[:, 3:]], 1)))


def test_it_says_a_logit_and_classes():
    said = Discriminator(4, 16, 3, auxiliary=5)(torch.rand(2, 3, 16, 16))
    assert (said.logits.shape, said.auxiliary.shape) == ((2,), (2, 5))
