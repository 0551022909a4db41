"""Pictures read straight from a ZIP file, sound, damaged and hostile."""

import io
import pickle
import zipfile

import numpy as np
import pytest
from PIL import Image

from gantrain.data import zipped
from gantrain.data.formats.decode import Framing
from gantrain.data.zipped import ZippedPictures
from gantrain.errors import UserError


def png(value=0, side=8):
    stream = io.BytesIO()
    noise = np.random.default_rng(value).integers(0, 256, (side, side, 3), dtype=np.uint8)
    Image.fromarray(noise).save(stream, "PNG")
    return stream.getvalue()


def write_zip(file, members, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(file, "w", method) as target:
        for name, data in members.items():
            target.writestr(name, data)
    return file


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_members_are_read_by_every_process(tmp_path, method):
    members = {"b/1.png": png(1), "a.png": png(2), "b/": b"", "notes.txt": b"x", "__MACOSX/._a.png": b"x"}
    source = pickle.loads(pickle.dumps(ZippedPictures(write_zip(tmp_path / "x.zip", members, method), Framing())))
    assert source.names == ["a.png", "b/1.png"]
    with source.read(0) as picture:
        assert (np.asarray(picture) == np.asarray(Image.open(io.BytesIO(png(2))))).all()


@pytest.mark.parametrize("name", ["../x.png", "/x.png", "a/../../x.png", "C:/x.png", "..\\x.png", "\\x.png"])
def test_a_path_outside_is_refused(tmp_path, name):
    file = write_zip(tmp_path / "x.zip", {"a.png": png(), name: png()})
    with pytest.raises(UserError, match="names a path outside of itself"):
        ZippedPictures(file, Framing())


@pytest.mark.parametrize("damage", ["cut", "empty", "text"])
def test_what_is_no_zip_is_refused(tmp_path, damage):
    file = write_zip(tmp_path / "x.zip", {"a.png": png()})
    data = file.read_bytes()
    file.write_bytes({"cut": data[:-30], "empty": b"", "text": b"hello" * 100}[damage])
    with pytest.raises(UserError, match=r"no sound ZIP file"):
        ZippedPictures(file, Framing())


def test_a_zip_without_pictures_is_refused(tmp_path):
    with pytest.raises(UserError, match="holds no picture"):
        ZippedPictures(write_zip(tmp_path / "x.zip", {"a.txt": b""}), Framing())


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_damaged_member_is_unreadable(tmp_path, method):
    file = write_zip(tmp_path / "x.zip", {"a.png": png()}, method)
    data = bytearray(file.read_bytes())
    data[120] ^= 255
    file.write_bytes(data)
    source = ZippedPictures(file, Framing())
    with pytest.raises(Exception, match=r"damaged there|decompress"):
        source.read(0)
    data[0] = 0
    file.write_bytes(data)
    with pytest.raises(ValueError, match="damaged there"):
        source.read(0)


def test_sizes_are_bounded(tmp_path, monkeypatch):
    bomb = write_zip(tmp_path / "x.zip", {"a.png": bytes(100_000)}, zipfile.ZIP_DEFLATED)
    source = ZippedPictures(bomb, Framing())
    monkeypatch.setattr(zipped, "LARGEST_MEMBER", 50_000)
    with pytest.raises(ValueError, match="larger than"):
        source.read(0)
    source.members["size"] = 10  # a directory that lies: no more than that is unpacked
    with pytest.raises(ValueError, match="damaged there"):
        source.read(0)


def test_an_encrypted_member_is_unreadable(tmp_path):
    file = write_zip(tmp_path / "x.zip", {"a.png": png()})
    data = bytearray(file.read_bytes())
    data[data.index(b"PK\1\2") + 8] |= 1
    file.write_bytes(data)
    with pytest.raises(ValueError, match="encrypted"):
        ZippedPictures(file, Framing()).read(0)


def test_other_contents_other_fingerprint(tmp_path):
    prints = {
        ZippedPictures(write_zip(tmp_path / "x.zip", members), Framing()).fingerprint
        for members in ({"a.png": png(0)}, {"a.png": png(1)}, {"b.png": png(0)}, {"a.png": png(0)})
    }
    assert len(prints) == 3


def test_a_directory_that_begins_before_the_file_is_refused(tmp_path):
    whole = write_zip(tmp_path / "x.zip", {"a.png": png(0), "b.png": png(1)}).read_bytes()
    (tmp_path / "x.zip").write_bytes(whole[8:])
    with pytest.raises(UserError, match="cut off in front"):
        ZippedPictures(tmp_path / "x.zip", Framing())
