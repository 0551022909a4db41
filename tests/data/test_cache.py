"""The cache of decoded pictures."""

import json

import numpy as np
import pytest
from PIL import Image

from gantrain.data import cache as caches
from gantrain.data.cache import open_cache, to_array
from gantrain.errors import UserError


class Counting:
    """A source that counts how often it is read."""

    def __init__(self, count=5, fingerprint="one", labels=True):
        self.count, self.fingerprint, self.reads = count, fingerprint, 0
        self.labels = np.arange(count) if labels else None

    def __len__(self):
        return self.count

    def name(self, index):
        return f"number {index}"

    def read(self, index):
        self.reads += 1
        return Image.new("L", (4, 4), index * 10)


def test_it_is_built_once(tmp_path):
    source = Counting()
    first = open_cache(source, 4, 1, tmp_path)
    again = open_cache(source, 4, 1, tmp_path)
    assert source.reads == 5
    assert first.images.shape == (5, 1, 4, 4)
    assert first.images.dtype == np.uint8
    assert (again.images[3] == 30).all()
    assert again.labels.tolist() == [0, 1, 2, 3, 4]
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith(".")] == []


def test_another_source_size_or_channels_is_another_cache(tmp_path):
    for source, size, channels in ((Counting(), 4, 1), (Counting(fingerprint="two"), 4, 1), (Counting(), 8, 1)):
        open_cache(source, size, channels, tmp_path)
        assert source.reads == 5
    assert open_cache(Counting(labels=False, fingerprint="three"), 4, 3, tmp_path).labels is None


@pytest.mark.parametrize("damage", ["truncate", "flip", "version", "no meta"])
def test_a_damaged_or_old_cache_is_built_anew(tmp_path, damage, monkeypatch):
    open_cache(Counting(), 4, 1, tmp_path)
    place = next(tmp_path.iterdir())
    pixels = place / "images.npy"
    data = bytearray(pixels.read_bytes())
    if damage == "truncate":
        pixels.write_bytes(data[:-3])
    elif damage == "flip":
        data[-1] ^= 1
        pixels.write_bytes(data)
    elif damage == "version":
        meta = json.loads((place / "meta.json").read_text())
        (place / "meta.json").write_text(json.dumps({**meta, "version": 0}))
    else:
        (place / "meta.json").unlink()
    source = Counting()
    assert (open_cache(source, 4, 1, tmp_path).images[4] == 40).all()
    assert source.reads == 5


def test_an_unreadable_picture_is_named(tmp_path):
    source = Counting()
    source.read = lambda index: (_ for _ in ()).throw(OSError("truncated"))
    with pytest.raises(UserError, match=r"number 0 \(truncated\)"):
        open_cache(source, 4, 1, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_unwritable_folder_is_named(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(UserError, match=r"data\.cache_dir"):
        open_cache(Counting(), 4, 1, file)


def test_conversion():
    red = Image.new("RGB", (2, 2), (255, 0, 0))
    assert to_array(red, 2, 3)[:, 0, 0].tolist() == [255, 0, 0]
    assert to_array(red, 2, 1).shape == (1, 2, 2)
    assert to_array(Image.new("L", (2, 2), 7), 6, 3).shape == (3, 6, 6)


def test_the_place_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("GANTRAIN_CACHE", str(tmp_path / "own"))
    assert caches.default_folder() == tmp_path / "own"
    monkeypatch.delenv("GANTRAIN_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert caches.default_folder() == tmp_path / "gantrain"
