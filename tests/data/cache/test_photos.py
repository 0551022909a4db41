import shutil

import numpy as np
import pytest
from pictures_on_disk import make_pictures, write_picture

from gantrain.data.cache import photos as photo_cache
from gantrain.data.cache.photos import open_photos
from gantrain.data.folder import ImageFolder


@pytest.fixture
def source(tmp_path):
    write_picture(tmp_path / "photos" / "large.png", 7, (50, 40))
    return ImageFolder().open(make_pictures(tmp_path / "photos", 3, size=(12, 10)))


def test_it_is_built_once(source, tmp_path, monkeypatch):
    first = open_photos(source, 3, folder=tmp_path / "cache")
    assert [photo.shape for photo in first.take(np.arange(4))] == [(3, 10, 12)] * 3 + [(3, 40, 50)]
    monkeypatch.setattr(photo_cache, "_build", None)
    again = open_photos(source, 3, folder=tmp_path / "cache")
    assert all((a == b).all() for a, b in zip(first.take(range(4)), again.take(range(4)), strict=True))


@pytest.mark.parametrize("file", ["pixels.u8", "looks.npy", "sides.npy", "meta.json"])
def test_a_damaged_one_is_built_anew(source, tmp_path, file):
    built = open_photos(source, 3, folder=tmp_path / "cache")
    before = [photo.copy() for photo in built.take(range(4))]
    damaged = built.place / file
    data = bytearray(damaged.read_bytes())
    data[-3] ^= 255
    damaged.write_bytes(data)
    again = open_photos(source, 3, folder=tmp_path / "cache")
    assert all((a == b).all() for a, b in zip(before, again.take(range(4)), strict=True))


def test_a_file_in_its_place_goes(source, tmp_path):
    place = open_photos(source, 3, folder=tmp_path / "cache").place
    shutil.rmtree(place)
    place.write_text("not a folder")
    place.with_name(f".{place.name}.part").write_text("nor this")
    assert len(open_photos(source, 3, folder=tmp_path / "cache")) == len(source)


def test_a_broken_build_is_not_taken_for_whole(source, tmp_path, monkeypatch):
    def stopped(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(photo_cache, "checksums", stopped)
        with pytest.raises(KeyboardInterrupt):
            open_photos(source, 3, folder=tmp_path / "cache")
    assert len(open_photos(source, 3, folder=tmp_path / "cache")) == 4


def test_options_that_change_pixels_have_caches_of_their_own(source, tmp_path):
    caches = [open_photos(source, *options, folder=tmp_path / "cache") for options in ((3, 1), (1, 1), (3, 16))]
    assert len({cache.place for cache in caches}) == 3
    assert caches[2].sides.min() == 16


def test_what_is_read_stays_readable_when_the_cache_is_deleted(source, tmp_path):
    photos = open_photos(source, 3, folder=tmp_path / "cache")
    before = photos[0].copy()
    shutil.rmtree(tmp_path / "cache")
    assert (photos[0] == before).all()
