"""Distances of pictures to a photo."""

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from gantrain.errors import UserError
from gantrain.inference.likeness import Likeness, by_discriminator, by_vgg
from gantrain.losses.perceptual import convolutions
from gantrain.networks.stylegan2 import Discriminator


def test_layers_and_sizes_weigh_alike_by_hand():
    photo, made = torch.ones(1, 1, 4, 4), torch.zeros(1, 1, 4, 4)
    made[:, :, :, ::2] = 3
    layers = Likeness("", lambda pictures: [pictures, 10 * pictures.mean((2, 3))], pixels=False)
    # of the first layer the mean of 1 and 4, of the second (15 - 10)^2 of 100
    assert layers.to(photo)(made).item() == pytest.approx((2.5 + 0.25) / 2)
    whole = Likeness("", layers.features, pixels=True)
    # pixels are 1.5 apart as a whole, 0.5 at half and at a quarter of the size
    assert whole.to(photo)(made).item() == pytest.approx(1.375 + 2.5 / 3)
    assert whole.to(photo)(photo).item() == 0


@pytest.mark.parametrize("classes", [None, 3])
def test_a_discriminator_compares_alone_and_learns_nothing(classes):
    torch.manual_seed(0)
    likeness = by_discriminator(Discriminator(2, 8, 1, top=4, mapping=2, classes=classes).eval())
    photo, made = torch.randn(2, 1, 1, 8, 8)
    made.requires_grad_()
    distance = likeness.to(photo)(made)
    assert distance > likeness.to(photo)(photo + 0.01) > 0
    distance.backward()
    assert made.grad.abs().max() > 0


def test_a_vgg_is_known_by_its_layers(tmp_path):
    torch.manual_seed(0)
    file = tmp_path / "vgg.safetensors"
    save_file(convolutions("vgg16").half().state_dict(), file)
    likeness = by_vgg(file, "imagenet", (-1, 1))
    assert likeness.name == "a VGG16"
    photo = torch.rand(1, 1, 8, 8)
    assert [len(layer[0]) for layer in likeness.features(photo)] == [64, 128, 256]
    assert likeness.to(photo)(-photo) > likeness.to(photo)(photo) == 0
    save_file(nn.Conv2d(1, 1, 1).state_dict(), file)
    with pytest.raises(UserError, match="has 1 convolutions; a VGG16 has 13, a VGG19 16"):
        by_vgg(file, "imagenet", (-1, 1))
    with pytest.raises(UserError, match="--vgg: there is no file"):
        by_vgg(tmp_path / "none", "imagenet", (-1, 1))
