"""Which networks take pictures of other sizes, and how far they see."""

from gantrain.networks import resnet, srgan, unet
from gantrain.networks.extent import AnySize, Local


def test_a_residual_generator_takes_any_multiple_of_its_halvings():
    assert isinstance(resnet.Generator(2, 3, 3, blocks=1), AnySize)


def test_a_generator_of_super_resolution_sees_its_surroundings_alone():
    assert isinstance(srgan.Generator(2, 3, 2, blocks=1), Local)


def test_a_unet_takes_one_size_and_sees_all_of_it():
    network = unet.Generator(2, 16, 3, 3)
    assert not isinstance(network, AnySize)
    assert not isinstance(network, Local)
