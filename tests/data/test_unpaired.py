import numpy as np
import pytest
import torch
from PIL import Image

from gantrain.data.two_folders import TwoFolders
from gantrain.data.unpaired import Unpaired
from gantrain.errors import UserError


@pytest.fixture
def root(tmp_path):
    """Three pictures of a in shades below 100, five of b above."""
    for folder, first, count in (("trainA", 10, 3), ("trainB", 110, 5), ("testA", 50, 1), ("testB", 150, 2)):
        (tmp_path / folder).mkdir()
        for i in range(count):
            shade = first + 10 * i
            pixels = np.full((8, 8), shade, np.uint8)
            pixels[:, :4] += 5  # brighter at the left
            Image.fromarray(pixels).save(tmp_path / folder / f"{i}.png")
    return tmp_path


def module(root, **options):
    known = {"dataset": TwoFolders(), "root": str(root), "size": 8, "channels": 1, "batch_size": 3}
    return Unpaired(**{**known, **options}).open()


def shades(pictures):
    """The darker shade of each picture."""
    return ((pictures.flatten(1).min(1).values + 1) * 127.5).round().int().tolist()


def test_each_side_is_shuffled_by_itself_and_comes_as_often(root):
    batch = module(root).examples(15)
    a, b = shades(batch["a"]), shades(batch["b"])
    assert sorted(a) == sorted([10, 20, 30] * 5)
    assert sorted(b) == sorted([110, 120, 130, 140, 150] * 3)
    for i in range(0, 15, 3):
        assert len(set(a[i : i + 3])) == 3  # the shorter side begins anew
    assert len({(x, y) for x, y in zip(a, b, strict=True)}) > 5  # nobody has a partner for life


def test_an_epoch_is_the_longer_side_and_a_batch_no_more_than_the_shorter(root):
    data = module(root)
    assert (len(data), data.variety) == (5, 3)
    assert (len(data.held_out()), data.held_out().variety) == (2, 1)


def test_each_is_flipped_by_itself(root):
    batch = module(root, augment={"flip": True}).examples(60)
    turned = {side: pictures[:, 0, 0, 0] < pictures[:, 0, 0, -1] for side, pictures in batch.items()}
    for side in "ab":
        assert 15 < turned[side].sum() < 45
    assert 15 < (turned["a"] == turned["b"]).sum() < 45


def test_training_is_cut_and_what_is_held_out_is_whole(root):
    data = module(root, size=6, load_size=8)
    assert data.examples(2)["a"].shape == (2, 1, 6, 6)
    assert data.cached.images.shape[-1] == 8
    assert data.held_out().cached.images.shape[-1] == 6


def test_sheets_show_both_ways(root):
    data = module(root)
    batch = data.examples(2)
    made = torch.cat([torch.full((2, 1, 8, 8), -1.0), torch.full((2, 1, 8, 8), 1.0)])
    sheet = data.sheet(made, batch, columns=1)
    cells = [sheet[0, 2 : 2 + 48, 2 + 48 * i : 2 + 48 * (i + 1)] for i in range(4)]
    assert cells[0].min() < 100 < cells[2].min()
    assert cells[1].max() == 0
    assert cells[3].min() == 255
    assert data.overview(batch)[0, 2:50, 2:50].max() < 100


def test_an_empty_side_is_named(root):
    with pytest.raises(UserError, match=r"no picture is left of side [ab]"):
        module(root, holdout=7)


@pytest.mark.parametrize("options", [{"balance": 0.5}, {"load_size": 4}])
def test_impossible_options_are_refused(root, options):
    with pytest.raises(ValueError, match=next(iter(options))):
        module(root, **options)
