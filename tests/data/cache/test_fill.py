"""Filling a cache: chunks, processes, interruption and going on."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from pictures_on_disk import make_pictures
from PIL import Image

from gantrain.data.cache import fill as filling
from gantrain.data.cache.fill import Done, Job, Journal, chunk_rows, fill, fill_chunk, processes_for
from gantrain.data.cache.pictures import open_cache
from gantrain.data.folder import ImageFolder
from gantrain.data.formats.decode import Framing
from gantrain.errors import UserError


class Shades:
    """Grey pictures by number; reading `stop_at` is as if the user pressed Ctrl-C, `die_at` kills the process."""

    labels = class_names = None
    framing = Framing()

    def __init__(self, count, stop_at=None, die_at=None):
        self.count, self.stop_at, self.die_at, self.fingerprint, self.reads = count, stop_at, die_at, f"{count}", []

    def __len__(self):
        return self.count

    def name(self, index):
        return f"shade {index}"

    def read(self, index):
        if index == self.stop_at:
            raise KeyboardInterrupt
        if index == self.die_at:
            os._exit(9)
        self.reads.append(index)
        return Image.new("L", (4, 4), index % 251)


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch):
    monkeypatch.setattr(filling, "CHUNK_ROWS", 10)


def job(tmp_path, source, size=4):
    (tmp_path / "pixels").write_bytes(bytes(len(source) * size * size))
    return Job(source, size, 1, tmp_path / "pixels", 10)


def test_chunks_cover_the_source_once(tmp_path):
    work = job(tmp_path, Shades(47))
    assert [i for chunk in work.chunks for i in work.span(chunk)] == list(range(47))


def test_a_chunk_is_bounded_whatever_the_size(monkeypatch):
    monkeypatch.setattr(filling, "CHUNK_ROWS", 256)
    for row in (16, 3 * 64**2, 3 * 256**2, 3 * 4096**2):
        assert chunk_rows(row) == 1 or chunk_rows(row) * row <= filling.CHUNK_BYTES
    assert chunk_rows(784) == 256


def test_no_more_than_a_chunk_is_held(tmp_path):
    source, told = Shades(95), []
    work = job(tmp_path, source)
    for done in fill(work, work.chunks, 1):
        told.append(done.chunk)
        assert source.reads[-1] <= 10 * len(told)  # the next is read only once this one is in the file
    assert told == list(range(10))
    rows = np.frombuffer(work.file.read_bytes(), np.uint8).reshape(95, 16)
    assert (rows == np.arange(95)[:, None]).all()


def test_an_interrupted_build_goes_on(tmp_path, capsys):
    with pytest.raises(KeyboardInterrupt):
        open_cache(Shades(95, stop_at=57), 4, 1, tmp_path)
    assert len(list(tmp_path.glob(".*.part"))) == 1
    source = Shades(95)
    cached = open_cache(source, 4, 1, tmp_path)
    assert source.reads == list(range(50, 95))
    assert (cached.images[:, 0, 0, 0] == np.arange(95)).all()
    assert list(tmp_path.glob(".*.part")) == []


@pytest.mark.parametrize(
    ("damage", "again"),
    [("torn", 40), ("pixels", 30), ("no pixels", 0), ("nonsense", 50), ("short", 30), ("other chunk", 50)],
)
def test_only_what_is_there_is_believed(tmp_path, damage, again):
    with pytest.raises(KeyboardInterrupt):
        open_cache(Shades(95, stop_at=57), 4, 1, tmp_path)
    part = next(tmp_path.glob(".*.part"))
    journal, pixels = part / "journal.jsonl", part / "pixels.u8"
    lines = journal.read_text().splitlines()
    data = bytearray(pixels.read_bytes())
    if damage == "torn":
        journal.write_text("\n".join(lines)[:-7])
    elif damage == "pixels":
        data[3 * 160 : 5 * 160] = bytes(320)
        pixels.write_bytes(data)
    elif damage == "no pixels":
        pixels.unlink()
    elif damage == "nonsense":
        journal.write_text("\n".join([*lines, "{}", "[1]", '{"chunk": 7, "crc32": null, "looks": []}', "\0"]))
    elif damage == "short":
        pixels.write_bytes(data[: 3 * 160 + 5])
    else:
        journal.write_text("\n".join([*lines, lines[0].replace('"chunk": 0', '"chunk": 99')]))
    source = Shades(95)
    cached = open_cache(source, 4, 1, tmp_path)
    assert len(source.reads) == 95 - again
    assert (cached.images[:, 0, 0, 0] == np.arange(95)).all()


def test_the_journal_remembers_looks_and_reasons(tmp_path):
    work = job(tmp_path, Shades(13))
    done = [fill_chunk(work, 0), Done(1, fill_chunk(work, 1).crc32, [(4, 4, "L"), "why not?", (4, 4, "L")])]
    journal = Journal(tmp_path / "journal", work)
    for part in done:
        journal.add(part)
    assert journal.read() == done


def test_several_processes_give_the_same(tmp_path):
    make_pictures(tmp_path / "x", 35)
    (tmp_path / "x" / "007.png").write_bytes(b"")
    source = ImageFolder().open(tmp_path / "x")
    one, two = (open_cache(source, 8, 3, tmp_path / f"c{n}", processes=n) for n in (1, 2))
    assert (one.images == two.images).all()
    assert one.unreadable == two.unreadable == {7: "no PNG, JPEG, WebP, BMP or GIF"}


def test_a_process_that_dies_is_told(tmp_path):
    with pytest.raises(UserError, match="a process that decodes pictures died"):
        open_cache(Shades(40, die_at=25), 4, 1, tmp_path, processes=2)


def test_arrays_and_small_folders_start_no_process():
    arrays = Shades(60_000)
    arrays.framing = None
    assert processes_for(arrays) == 1
    assert processes_for(Shades(filling.POOL_FROM - 1)) == 1
    assert 1 <= processes_for(Shades(200_000)) <= filling.MOST_PROCESSES


def test_large_pictures_are_decoded_by_fewer_processes(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(8))

    class Large(Shades):
        def read(self, index):
            if index == 0:
                raise OSError("unreadable")
            return Image.new("L", (200, 100))

    monkeypatch.setattr(filling, "AT_ONCE", 60_000)
    assert processes_for(Large(10_000)) == 3
    monkeypatch.setattr(filling, "AT_ONCE", 60)
    assert processes_for(Large(10_000)) == 1


def test_the_look_is_what_is_stored(tmp_path):
    (tmp_path / "x").mkdir()
    Image.new("L", (640, 320)).save(tmp_path / "x" / "a.jpg")  # decoded at a part of its side
    (tmp_path / "pixels.u8").touch()
    job = Job(ImageFolder().open(tmp_path / "x"), 8, 3, tmp_path / "pixels.u8", 1)
    assert fill_chunk(job, 0).looks == [(640, 320, "L")]


SCRIPT = """
import os, time
from pathlib import Path
from gantrain.data.cache.fill import Job, fill
from PIL import Image

class Slow:
    labels = class_names = framing = None

    def __len__(self):
        return 1000

    def read(self, index):
        Path("pids", str(os.getpid())).touch()
        time.sleep(0.1)
        return Image.new("L", (4, 4))

if __name__ == "__main__":
    Path("pids").mkdir()
    Path("pixels").touch()
    print(list(fill(Job(Slow(), 4, 1, Path("pixels"), 2), range(500), 2)))
"""


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGINT])
def test_no_process_outlives_its_parent(tmp_path, signum):
    (tmp_path / "script.py").write_text(SCRIPT)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    parent = subprocess.Popen([sys.executable, "script.py"], cwd=tmp_path, **quiet)
    _wait_for(lambda: len(list(tmp_path.glob("pids/*"))) == 2)
    parent.send_signal(signum)
    parent.wait(60)
    for pid in tmp_path.glob("pids/*"):
        _wait_for(lambda pid=pid: not _alive(int(pid.name)))


UNGUARDED = """
import sys
from pathlib import Path
from gantrain.data.cache import pictures
from gantrain.data.folder import ImageFolder
from gantrain.errors import UserError

pictures.processes_for = lambda source: 2
try:
    pictures.open_cache(ImageFolder().open(Path("pictures")), 32, 3, Path("cache"))
except UserError as error:
    sys.exit(str(error))
"""


def test_a_script_without_a_guard_is_told_and_does_not_wait_for_itself(tmp_path):
    (tmp_path / "pictures").mkdir()
    for i in range(4):
        Image.new("RGB", (32, 32), (i, 0, 0)).save(tmp_path / f"pictures/{i}.png")
    (tmp_path / "script.py").write_text(UNGUARDED)
    done = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert "if __name__ == '__main__':" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr


def _alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return found


def test_decoding_processes_need_no_torch():
    modules = "gantrain.data.cache.pictures, gantrain.data.folder, gantrain.data.zipped"
    code = f"import sys, {modules}; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
