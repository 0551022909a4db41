import pytest
import torch

from gantrain.networks.patchgan import Discriminator


@pytest.mark.parametrize(("layers", "patch"), [(1, 16), (2, 34), (3, 70)])
def test_a_logit_sees_a_patch(layers, patch):
    network = Discriminator(2, 3, layers=layers, norm="none")
    images = torch.zeros(1, 3, 128, 128, requires_grad=True)
    logits = network(images)
    middle = logits.shape[-1] // 2
    logits[0, middle, middle].backward()
    seen = images.grad[0].abs().sum(0) > 0
    assert seen.any(0).sum() == seen.any(1).sum() == patch


def test_at_256_it_has_a_map_of_30():
    assert Discriminator(4, 3)(torch.zeros(1, 3, 256, 256)).shape == (1, 30, 30)


def test_the_condition_counts():
    network = Discriminator(4, 3, 1, layers=1)
    images, cond = torch.randn(2, 3, 16, 16), torch.randn(2, 1, 16, 16)
    assert not torch.allclose(network(images, cond), network(images, cond.flip(0)))


def test_features_are_those_of_each_layer():
    judged = Discriminator(4, 3, layers=2, features=True)(torch.zeros(1, 3, 32, 32))
    assert [tuple(f.shape[1:]) for f in judged.features] == [(4, 16, 16), (8, 8, 8), (16, 7, 7)]
    assert judged.logits.shape == (1, 6, 6)
    with pytest.raises(ValueError, match="layers is 0"):
        Discriminator(4, 3, layers=0)
