"""The cache of decoded pictures: built once, found again, mended, shared."""

import json
import os
import shutil
import subprocess
import sys
import threading

import numpy as np
import pytest
from pictures_on_disk import make_pictures, write_picture
from PIL import Image

from gantrain.data.cache import kept
from gantrain.data.cache import pictures as caches
from gantrain.data.cache.pictures import open_cache
from gantrain.data.folder import ImageFolder
from gantrain.errors import UserError


class Counting:
    """A source that counts how often it is read; the pictures in `broken` cannot be."""

    framing = None
    class_names = None

    def __init__(self, count=5, fingerprint="one", labels=True, broken=()):
        self.count, self.fingerprint, self.broken, self.reads = count, fingerprint, broken, 0
        self.labels = np.arange(count) if labels else None

    def __len__(self):
        return self.count

    def name(self, index):
        return f"number {index}"

    def read(self, index):
        self.reads += 1
        if index in self.broken:
            raise OSError("truncated")
        return Image.new("L", (4, 4), index * 10 % 256)


def places(folder):
    return [entry for entry in folder.iterdir() if not entry.name.startswith(".")]


def test_it_is_built_once(tmp_path):
    source = Counting()
    first = open_cache(source, 4, 1, tmp_path)
    again = open_cache(source, 4, 1, tmp_path)
    assert source.reads == 5
    assert first.images.shape == (5, 1, 4, 4)
    assert first.images.dtype == np.uint8
    assert (again.images[3] == 30).all()
    assert again.labels.tolist() == [0, 1, 2, 3, 4]
    assert again.looks.tolist() == [(4, 4, b"L")] * 5
    assert sorted(file.name for file in again.place.iterdir()) == ["looks.npy", "meta.json", "pixels.u8"]
    assert list(tmp_path.glob(".*.part")) == []


def test_another_source_size_or_channels_is_another_cache(tmp_path):
    for source, size, channels in ((Counting(), 4, 1), (Counting(fingerprint="two"), 4, 1), (Counting(), 8, 1)):
        open_cache(source, size, channels, tmp_path)
        assert source.reads == 5
    assert open_cache(Counting(labels=False, fingerprint="three"), 4, 3, tmp_path).labels is None


def test_another_framing_is_another_cache(tmp_path):
    write_picture(tmp_path / "x" / "a.png", 1, (40, 10))
    centre, squashed = (
        open_cache(ImageFolder(crop=crop).open(tmp_path / "x"), 10, 3, tmp_path / "c") for crop in ("centre", "none")
    )
    assert (centre.images != squashed.images).any()


@pytest.mark.parametrize(
    "damage",
    ["truncate", "longer", "flip", "version", "no meta", "torn meta", "looks", "other looks", "checksums"],
)
@pytest.mark.parametrize("broken", [(), (1,)])
def test_a_damaged_or_old_cache_is_built_anew(tmp_path, damage, broken):
    place = open_cache(Counting(broken=broken), 4, 1, tmp_path).place
    pixels, looks, meta = (place / name for name in ("pixels.u8", "looks.npy", "meta.json"))
    data, facts = bytearray(pixels.read_bytes()), json.loads(meta.read_text())
    if damage == "truncate":
        pixels.write_bytes(data[:-3])
    elif damage == "longer":
        pixels.write_bytes(data + b"abc")
    elif damage == "flip":
        data[-1] ^= 1
        pixels.write_bytes(data)
    elif damage == "version":
        meta.write_text(json.dumps({**facts, "version": 1}))
    elif damage == "no meta":
        meta.unlink()
    elif damage == "torn meta":
        meta.write_text(meta.read_text()[:-9])
    elif damage == "looks":
        looks.write_bytes(looks.read_bytes()[:-1])
    elif damage == "other looks":
        np.save(looks, np.zeros(5))
    else:
        meta.write_text(json.dumps({**facts, "pixels": []}))
    source = Counting(broken=broken)
    assert (open_cache(source, 4, 1, tmp_path).images[-1] == 40).all()
    assert source.reads == 5


def test_a_large_cache_is_checked_by_its_length_and_some_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "BLOCK_BYTES", 16)
    monkeypatch.setattr(kept, "FULL_CHECK_BYTES", 100)
    place = open_cache(Counting(200), 4, 1, tmp_path).place
    read = []
    checksum = kept._checksum
    monkeypatch.setattr(kept, "_checksum", lambda stream, block: read.append(block) or checksum(stream, block))
    source = Counting(200)
    open_cache(source, 4, 1, tmp_path)
    assert source.reads == 0
    assert len(read) == pytest.approx(2 * kept.SAMPLED_BLOCKS, abs=2)
    assert 199 in read
    data = bytearray((place / "pixels.u8").read_bytes())
    data[-1] ^= 1  # as when a disk was full
    (place / "pixels.u8").write_bytes(data)
    open_cache(source, 4, 1, tmp_path)
    assert source.reads == 200


def test_unreadable_pictures_do_not_enter_it(tmp_path):
    for _ in range(2):  # built and read back
        cached = open_cache(Counting(600, broken=(0, 7, 255, 256, 599)), 4, 1, tmp_path)
        assert len(cached.images) == len(cached.rows) == 595
        assert cached.unreadable == dict.fromkeys((0, 7, 255, 256, 599), "truncated")
        assert (cached.labels == cached.rows).all()
        assert (cached.images[:, 0, 0, 0] == cached.rows * 10 % 256).all()


def test_it_may_hold_nothing(tmp_path):
    for _ in range(2):
        assert len(open_cache(Counting(2, broken=(0, 1)), 4, 1, tmp_path).images) == 0


def test_a_changed_source_is_noticed(tmp_path):
    root, folder = make_pictures(tmp_path / "x", 3), tmp_path / "c"
    first = open_cache(ImageFolder().open(root), 8, 3, folder).images
    write_picture(root / "001.png", 99)
    os.utime(root / "001.png", ns=(5, 5))  # a clock may be too coarse for two writes in one test
    second = open_cache(ImageFolder().open(root), 8, 3, folder).images
    assert [(first[i] == second[i]).all() for i in range(3)] == [True, False, True]
    write_picture(root / "added.png")
    assert len(open_cache(ImageFolder().open(root), 8, 3, folder).images) == 4
    assert len(first) == 3  # what is open stays as it was


def test_a_file_that_vanishes_while_it_is_built_is_unreadable(tmp_path):
    source = ImageFolder().open(make_pictures(tmp_path / "x", 3))
    (tmp_path / "x" / "001.png").unlink()
    cached = open_cache(source, 8, 3, tmp_path / "c")
    assert cached.unreadable == {1: "cannot be opened: No such file or directory"}
    assert cached.rows.tolist() == [0, 2]


def test_what_the_system_refused_is_tried_again(tmp_path):
    refusing, open_again = Counting(), Counting()
    refusing.read = lambda index: (_ for _ in ()).throw(PermissionError(13, "Permission denied"))
    cached = open_cache(refusing, 4, 1, tmp_path)
    assert cached.unreadable == dict.fromkeys(range(5), "cannot be opened: Permission denied")
    assert len(open_cache(refusing, 4, 1, tmp_path).images) == 0
    assert len(open_cache(open_again, 4, 1, tmp_path).images) == 5


def test_a_read_only_source(tmp_path):
    root = make_pictures(tmp_path / "x", 3)
    for path in (*root.iterdir(), root):
        path.chmod(0o555)
    before = sorted(root.iterdir())
    assert len(open_cache(ImageFolder().open(root), 8, 3, tmp_path / "c").images) == 3
    root.chmod(0o755)
    assert sorted(root.iterdir()) == before


def test_an_unwritable_folder_is_named(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(UserError, match=rf"data\.cache_dir: cannot write .* at {file}\); free space"):
        open_cache(Counting(), 4, 1, file)


def test_a_file_in_its_place_goes(tmp_path):
    place = open_cache(Counting(), 8, 1, tmp_path / "cache").place
    shutil.rmtree(place)
    place.write_text("not a folder")
    place.with_name(f".{place.name}.part").write_text("nor this")
    assert len(open_cache(Counting(), 8, 1, tmp_path / "cache").images) == 5


def test_a_full_disk_is_told_before_it_is_filled(tmp_path, monkeypatch):
    monkeypatch.setattr(caches.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 10}))
    source = Counting()
    with pytest.raises(UserError, match=r"data\.cache_dir: .*needs .* GB"):
        open_cache(source, 4, 1, tmp_path)
    assert source.reads == 0


def test_two_builds_at_once_build_it_once(tmp_path, capsys):
    sources, found = [Slow(), Slow()], []
    threads = [
        threading.Thread(target=lambda s=source: found.append(open_cache(s, 4, 1, tmp_path))) for source in sources
    ]
    sources[0].may_start.set()
    threads[0].start()
    sources[0].started.wait(10)
    threads[1].start()
    sources[0].may_end.set()
    for thread in threads:
        thread.join(20)
    assert [source.reads for source in sources] == [5, 0]
    assert (found[0].images == found[1].images).all()


class Slow(Counting):
    """A source whose build another can run into."""

    def __init__(self):
        super().__init__()
        self.may_start, self.started, self.may_end = threading.Event(), threading.Event(), threading.Event()

    def read(self, index):
        self.started.set()
        self.may_end.wait(10)
        return super().read(index)


def test_two_processes_build_one_cache(tmp_path):
    make_pictures(tmp_path / "x", 40, size=(64, 64))
    code = (
        "import sys; from pathlib import Path; from gantrain.data.cache.pictures import open_cache; "
        "from gantrain.data.folder import ImageFolder; "
        "print(int(open_cache(ImageFolder().open(Path('x')), 64, 3, Path('c')).images.sum(dtype='int64')))"
    )
    running = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=tmp_path) for _ in range(2)]
    sums = [process.communicate(timeout=120)[0] for process in running]
    assert sums[0] == sums[1] != b""
    assert len(places(tmp_path / "c")) == 1


def test_a_large_cache_is_read_not_mapped(tmp_path, monkeypatch):
    cached = open_cache(Counting(50), 4, 1, tmp_path)
    indices = np.array([49, 0, 7, 7])
    small = cached.take(indices)
    monkeypatch.setattr(caches, "MAPPED_BYTES", 10)
    large = cached.take(indices)
    assert (large == small).all()
    assert (large[:, 0, 0, 0] == indices * 10 % 256).all()
    large[:] = 0  # a copy
    assert (cached.take(indices) == small).all()
