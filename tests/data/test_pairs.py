import numpy as np
import pytest
import torch
from PIL import Image

from gantrain.data.conditions import edges
from gantrain.data.folder import ImageFolder
from gantrain.data.pairs import Pairs
from gantrain.data.split_folder import SplitFolder
from gantrain.data.synthetic import Synthetic
from gantrain.errors import UserError


def module(**options):
    known = {"dataset": Synthetic(20), "condition": "grey", "cond_channels": 1, "size": 16, "channels": 3}
    return Pairs(**{**known, "batch_size": 6, **options}).open()


def write_pair(file, size=(32, 16), quality=95, **options):
    """Noise at the left, and its negative at the right."""
    file.parent.mkdir(parents=True, exist_ok=True)
    width, height = size
    left = np.random.default_rng(len(file.stem)).integers(0, 256, (height, width // 2, 3), dtype=np.uint8)
    Image.fromarray(np.concatenate([left, 255 - left], 1)).save(file, **options)


def facades(tmp_path, **options):
    return module(dataset=SplitFolder(), root=str(tmp_path), condition="beside", cond_channels=3, **options)


def test_halves_belong_together_in_both_directions(tmp_path):
    for folder, count in (("train", 3), ("val", 2)):
        for i in range(count):
            write_pair(tmp_path / folder / f"{'x' * (i + 1)}.png")
    there, back = facades(tmp_path), facades(tmp_path, direction="b_to_a")
    batch, other = there.examples(3), back.examples(3)
    assert torch.allclose(batch["real"], -batch["cond"], atol=1e-6)
    assert torch.equal(batch["cond"], other["real"])
    assert len(there.held_out()) == 2
    assert len(there.previews(2)["real"]) == 2


def test_an_odd_column_in_the_middle_belongs_to_neither(tmp_path):
    write_pair(tmp_path / "train" / "a.png")
    pixels = np.asarray(Image.open(tmp_path / "train" / "a.png"))
    Image.fromarray(np.insert(pixels, 16, 0, 1)).save(tmp_path / "train" / "a.png")
    batch = facades(tmp_path).examples(1)
    assert torch.allclose(batch["real"], -batch["cond"], atol=1e-6)


def test_halves_are_those_of_the_turned_picture(tmp_path):
    write_pair(tmp_path / "train" / "a.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(tmp_path / "train" / "a.png") as picture:
        picture.rotate(90, expand=True).save(tmp_path / "train" / "a.png", exif=exif)
    batch = facades(tmp_path).examples(1)
    assert torch.allclose(batch["real"], -batch["cond"], atol=1e-6)


def test_a_picture_that_holds_no_two_is_named(tmp_path):
    write_pair(tmp_path / "train" / "a.png", (16, 16))
    with pytest.raises(UserError, match=r"'a\.png' \(16x16 pixels, no two pictures side by side\)"):
        facades(tmp_path)


@pytest.mark.parametrize("load_size", [None, 20])
def test_both_are_flipped_and_cut_alike(load_size):
    options = {"load_size": load_size, "seed": 3}
    plain, flipped = module(**options).examples(20), module(augment={"flip": True}, **options).examples(20)
    weights = torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)
    mirrored = 0
    for i in range(20):
        grey = (flipped["real"][i] * weights).sum(0)
        assert (grey - flipped["cond"][i, 0]).abs().max() < 0.1  # bicubic overshoots are clipped in each
        turned = torch.equal(flipped["real"][i], plain["real"][i].flip(-1))
        mirrored += turned
        assert turned or torch.equal(flipped["real"][i], plain["real"][i])
    assert 4 < mirrored < 16


def test_held_out_pairs_are_whole():
    data = module(load_size=20, holdout=4)
    assert data.cached.images.shape[-1] == 20
    held_out = data.held_out()
    assert held_out.cached.images.shape == (4, 3, 16, 16)
    assert torch.equal(held_out.take(np.arange(2))["real"], held_out.to_range(torch.tensor(held_out.cached.images[:2])))


def test_edges_are_those_at_the_size_that_is_trained():
    data = module(condition="edges")
    grey = module().conditions.images
    assert (data.conditions.images[:, 0] == np.stack([edges(picture[0]) for picture in grey])).all()
    taken = data.take(np.arange(3))
    assert torch.equal(data.to_range(torch.tensor(data.conditions.images[:3])), taken["cond"])


def test_a_users_picture_becomes_a_condition():
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (8, 6), dtype=np.uint8))
    drawn = module(condition="edges").condition_of(picture, drawn=True)
    assert torch.allclose(drawn[0], torch.from_numpy(np.array(picture)) / 127.5 - 1, atol=1e-6)
    assert set(module(condition="edges").condition_of(picture).unique().tolist()) == {-1, 1}


def test_labels_do_not_take_the_conditions_place(tmp_path):
    for name in "ab":
        write_pair(tmp_path / name / "x.png", (16, 16))
    data = module(dataset=ImageFolder(), root=str(tmp_path), batch_size=2)
    assert data.examples(2)["cond"].shape == (2, 1, 16, 16)


def test_sheets_show_input_ours_and_target():
    data = module()
    batch = data.examples(2)
    assert data.overview(batch).shape[0] == 3
    sheet = data.sheet(-batch["real"], batch, columns=1)
    assert sheet.shape == (3, 3 * 2 + 2 * 48, 2 * 2 + 3 * 48)
    made, target = sheet[:, 2:50, 50:98], sheet[:, 2:50, 98:146]
    assert (made.int() + target.int() == 255).all()


@pytest.mark.parametrize(
    "options",
    [
        {"direction": "b_to_a"},
        {"cond_channels": 3},
        {"load_size": 8},
    ],
)
def test_impossible_options_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        module(**options)


@pytest.mark.parametrize(("direction", "left"), [("a_to_b", 0), ("b_to_a", 8)])
def test_of_a_file_of_pairs_a_user_gives_the_half_that_training_showed(direction, left):
    data = Pairs(
        dataset=ImageFolder(),
        condition="beside",
        cond_channels=3,
        size=8,
        channels=3,
        batch_size=1,
        direction=direction,
    )
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (8, 16, 3), dtype=np.uint8))
    assert (np.asarray(data.half_of(picture)) == np.asarray(picture)[:, left : left + 8]).all()
    for size in ((8, 8), (12, 8), (24, 8)):
        other = picture.resize(size)
        assert data.half_of(other) is other
