import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms.v2 import functional

from gantrain.evaluation.measures.resize import FILTERS, resize


def picture(side=20, n=2):
    return torch.randint(0, 256, (n, 3, side, side), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("side", [9, 31, 299])
def test_tf1_is_tensorflows(side):
    fidelity = pytest.importorskip("torch_fidelity.interpolate_compat_tensorflow")
    theirs = fidelity.interpolate_bilinear_2d_like_tensorflow1x(
        picture().float(), size=(side, side), align_corners=False
    )
    assert torch.allclose(resize(picture(), side, "tf1"), theirs, atol=1e-3)


def test_tf1_by_hand():
    # doubling: every second pixel is the source's, the last has no right neighbour
    row = torch.tensor([[[[0, 100], [0, 100]]]], dtype=torch.uint8)
    assert resize(row, 4, "tf1")[0, 0, 0].tolist() == [0, 50, 100, 100]


def test_antialias_is_torchvisions():
    theirs = functional.resize(picture().float(), [7, 7], antialias=True)
    assert torch.allclose(resize(picture(), 7, "antialias"), theirs, atol=1e-3)


def test_clean_is_pillows_on_floats():
    plane = Image.fromarray(picture()[1, 2].numpy().astype(np.float32))
    theirs = np.asarray(plane.resize((7, 7), Image.Resampling.BICUBIC))
    assert np.allclose(resize(picture(), 7, "clean")[1, 2], theirs.clip(0, 255), atol=1e-4)


def test_the_filters_differ_and_a_fitting_picture_stays():
    made = [resize(picture(), 9, how) for how in FILTERS]
    for i in range(3):
        assert (made[i] - made[i - 1]).abs().mean() > 1
    for how in FILTERS:
        assert torch.equal(resize(picture(), 20, how), picture().float())
    with pytest.raises(ValueError, match="bicubic"):
        resize(picture(), 9, "bicubic")
