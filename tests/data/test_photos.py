import os

import numpy as np
import pytest
import torch
from pictures_on_disk import write_picture
from PIL import Image

from gantrain.data.folder import ImageFolder
from gantrain.data.photos import PhotoCrops
from gantrain.data.stream import Batches
from gantrain.data.synthetic import Synthetic
from gantrain.errors import UserError

SIZES = [(40, 30), (25, 61), (16, 16), (90, 33)]


@pytest.fixture
def photos(tmp_path):
    """Photos whose pixels say where they are: (row, column, number of the photo)."""
    (tmp_path / "photos").mkdir()
    for i, (width, height) in enumerate(SIZES):
        rows, columns = np.mgrid[:height, :width]
        pixels = np.stack([rows, columns, np.full_like(rows, i)], -1).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / "photos" / f"{i}.png")
    return tmp_path / "photos"


def module(root, **options):
    options = {"dataset": ImageFolder(), "size": 16, "scale": 4, "channels": 3, "batch_size": 6, **options}
    return PhotoCrops(root=root and str(root), **options).open()


def test_crops_are_parts_of_photos_each_equally_often(photos):
    crops = next(module(photos).loader(Batches(8000, 0)))["real"].int()
    rows, columns, photo = crops[:, :, 0, 0].T
    assert (crops[:, 0] == rows.view(-1, 1, 1) + torch.arange(16).view(16, 1)).all()
    assert (crops[:, 1] == columns.view(-1, 1, 1) + torch.arange(16)).all()
    assert torch.bincount(photo).tolist() == [2000] * 4
    for i, (width, height) in enumerate(SIZES):  # every corner that there is comes, and about equally often
        for found, free in ((rows[photo == i], height - 15), (columns[photo == i], width - 15)):
            counts = torch.bincount(found, minlength=free)
            assert len(counts) == free
            assert (counts - 2000 / free).abs().max() < 6 * (2000 / free) ** 0.5


def test_a_resumed_stream_and_two_processes_see_the_same_crops(photos):
    data = module(photos, augment={"flip": True})
    batches = iter(data.loader(Batches(6, 0)))
    next(batches)
    straight = next(batches)
    resumed = next(iter(data.loader(Batches(6, 6))))
    shared = [next(iter(data.loader(Batches(3, 6, rank, 2)))) for rank in range(2)]
    for key in ("real", "flip"):
        assert torch.equal(straight[key], resumed[key])
        assert torch.equal(straight[key], torch.cat([part[key] for part in shared]))


def test_another_seed_other_crops(photos):
    a, b = (module(photos, seed=seed).examples(8)["real"] for seed in (0, 1))
    assert not torch.equal(a, b)


def test_small_photos_are_counted_and_named_unless_they_may_be_enlarged(photos):
    write_picture(photos / "tiny.png", 9, (10, 30))
    write_picture(photos / "dot.png", 9, (1, 1))
    with pytest.raises(UserError, match=r"data\.size is 16, but 2 of 6 .*'dot\.png' \(1x1\), 'tiny\.png' \(10x30\)"):
        module(photos)
    assert {tuple(side) for side in module(photos, upsize=True).cached.sides} >= {(16, 16), (48, 16)}


def test_photos_of_every_mode_become_what_is_asked_for(tmp_path):
    for mode, suffix in (("L", "png"), ("RGBA", "png"), ("P", "gif"), ("CMYK", "jpg"), ("1", "png")):
        write_picture(tmp_path / f"{mode}.{suffix}", 1, (20, 18), mode)
    Image.fromarray(np.full((18, 20), 65535, np.uint16)).save(tmp_path / "deep.png")
    for channels in (1, 3):
        data = module(tmp_path, channels=channels)
        assert [photo.shape for _, photo in data.wholes()] == [(channels, 18, 20)] * 6
        assert {name: int(photo.min()) for name, photo in data.wholes()}["deep.png"] == 255


def test_photos_are_turned_as_their_exif_says(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    write_picture(tmp_path / "a.png", 0, (32, 20))
    Image.open(tmp_path / "a.png").save(tmp_path / "b.jpg", exif=exif)
    assert [photo.shape[1:] for _, photo in module(tmp_path).wholes()] == [(20, 32), (32, 20)]


def test_what_is_no_picture_is_named(photos):
    (photos / "bad.png").write_text("hello")
    with pytest.raises(UserError, match=r"data\.on_error: 1 of 5 .*'bad\.png' \(no PNG"):
        module(photos)
    data = module(photos, on_error="skip")
    assert [name for name, _ in data.wholes()] == ["0.png", "1.png", "2.png", "3.png"]
    for photo in photos.iterdir():
        photo.write_text("hello")
    with pytest.raises(UserError, match=r"data\.root: 5 of 5 .*nothing is left"):
        module(photos, on_error="skip")


def test_some_are_held_out_whole(photos):
    data = module(photos, holdout=1)
    (name, truth), *rest = data.held_out().wholes()
    assert rest == []
    assert truth.shape[1:] == SIZES[int(name[0])][::-1]
    assert name not in [other for other, _ in data.wholes()]


def test_arrays_are_enlarged_freely():
    assert module(None, dataset=Synthetic(4, side=8)).examples(2)["real"].shape == (2, 3, 16, 16)


def test_a_batch_may_be_larger_than_the_number_of_photos(photos):
    data = module(photos)
    assert data.variety == 15 * 25 + 46 * 10 + 1 + 18 * 75
    assert len(data) == 4 * round((2 * 1 + 1 * 3 + 1 + 5 * 2) / 4)


def test_the_content_is_what_the_photos_show(photos):
    before = module(photos)
    for file in photos.iterdir():
        os.utime(file, (0, 0))
    assert module(photos).content == before.content
    assert module(photos).source.fingerprint != before.source.fingerprint
    with Image.open(photos / "2.png") as picture:
        turned = picture.convert("RGB").transpose(Image.Transpose.ROTATE_180)
    turned.save(photos / "2.png")
    other = module(photos).content
    assert other != before.content
    with Image.open(photos / "1.png") as picture:  # the same bytes, cut into other lines
        Image.frombytes("RGB", (61, 25), picture.tobytes()).save(photos / "1.png")
    assert module(photos).content not in (other, before.content)


def test_samples_by_their_numbers_are_the_turns_crops(photos):
    data = module(photos)
    batch = data.take(np.arange(len(data)))
    assert (batch["real"].shape, batch["cond"].shape) == ((16, 3, 16, 16), (16, 3, 4, 4))
    photo = ((batch["real"][:, 2, 0, 0] + 1) * 127.5).round().int().tolist()
    assert photo == [i % 4 for i in range(16)]
    assert [data.name(i) for i in range(16)] == [f"{i}.png" for i in photo]
    assert not torch.equal(batch["real"][0], batch["real"][4])  # another place in the same photo
    assert torch.equal(data.take(np.array([6]))["real"][0], batch["real"][6])
    assert data.labels is None


def test_labels_are_those_of_the_turns_photos(tmp_path):
    for i, name in enumerate(("a/0.png", "b/1.png", "b/bad.png", "b/2.png")):
        write_picture(tmp_path / name, i, (32, 32))
    (tmp_path / "b/bad.png").write_text("hello")
    assert module(tmp_path, on_error="skip").labels.tolist() == 4 * [0, 1, 1]


@pytest.mark.parametrize("options", [{"balance": 0.5}, {"classes": 2}])
def test_photos_have_no_classes(photos, options):
    with pytest.raises(UserError, match=rf"data\.{next(iter(options))} is .* but the data have no classes"):
        module(photos, **options)
