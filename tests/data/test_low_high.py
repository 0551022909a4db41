import numpy as np
import pytest
import torch
from pictures_on_disk import make_pictures
from PIL import Image

from gantrain.data.folder import ImageFolder
from gantrain.data.low_high import LowHigh, larger, smaller
from gantrain.data.stream import Batches
from gantrain.data.synthetic import Synthetic


def module(**options):
    options = {"dataset": Synthetic(20), "size": 16, "scale": 4, "channels": 3, "batch_size": 6, **options}
    return LowHigh(**options).open()


def by_pillow(pixels, side):
    """Pixels (c, h, w) resized in floats: with bytes Pillow rounds and clips between its two passes as well."""
    planes = [Image.fromarray(plane.numpy().astype(np.float32)) for plane in pixels]
    return np.stack([np.asarray(plane.resize((side, side), Image.Resampling.BICUBIC)) for plane in planes]).clip(0, 255)


@pytest.mark.parametrize("scale", [2, 4, 8])
def test_low_is_high_reduced_as_pillow_does_it(scale):
    batch = module(scale=scale).examples(4)
    assert batch["cond"].shape == (4, 3, 16 // scale, 16 // scale)
    for real, cond in zip(batch["real"], batch["cond"], strict=True):
        low = by_pillow(((real + 1) * 127.5).round(), 16 // scale)
        assert np.abs((cond.numpy() + 1) * 127.5 - low).max() < 0.51  # rounded, no more


def test_bicubic_is_pillows():
    pixels = torch.randint(0, 256, (1, 3, 6, 6), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    assert np.abs(larger(pixels, 4)[0].numpy() - by_pillow(pixels[0], 24)).max() < 0.51


def test_both_are_flipped_alike():
    plain, flipped = module().examples(20), module(augment={"flip": True}).examples(20)
    mirrored = 0
    for i in range(20):
        turned = torch.equal(flipped["real"][i], plain["real"][i].flip(-1))
        mirrored += turned
        assert turned or torch.equal(flipped["real"][i], plain["real"][i])
        low = smaller(((flipped["real"][i : i + 1] + 1) * 127.5).round().byte(), 4)
        assert torch.allclose(flipped["cond"][i], low[0] / 127.5 - 1, atol=1e-6)
    assert 4 < mirrored < 16


def test_low_pictures_have_eight_bits():
    cond = module(range=[0, 1]).examples(6)["cond"] * 255
    assert torch.allclose(cond, cond.round(), atol=1e-4)


def test_labels_do_not_take_the_conditions_place(tmp_path):
    for name in "ab":
        make_pictures(tmp_path / name, 3, size=(16, 16))
    batch = next(iter(module(dataset=ImageFolder(), root=str(tmp_path)).loader(Batches(6, 0))))
    assert module(dataset=ImageFolder(), root=str(tmp_path)).normalise(batch)["cond"].shape == (6, 3, 4, 4)


def test_previews_are_held_out():
    data = module(holdout=3)
    unseen = [truth.float() / 127.5 - 1 for _, truth in data.held_out().wholes()]
    for real in data.previews(5)["real"]:
        assert any(torch.allclose(real, truth, atol=1e-6) for truth in unseen)
    assert len(data.held_out()) == 3


def test_the_sheet_shows_four_columns_and_two_rows_each():
    batch = module().examples(2)
    sheet = module().sheet(batch["real"], batch)
    assert sheet.dtype == torch.uint8
    assert sheet.shape[0] == 3
    assert sheet.shape[2] > 4 * 192
    assert sheet.shape[1] > 4 * 192


@pytest.mark.parametrize("options", [{"scale": 3}, {"size": 18}])
def test_impossible_options_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        module(**options)
