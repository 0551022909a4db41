"""Volume files: what is read, and that hostile ones are refused in one sentence and within bounds."""

import io
import pickle
import struct
import zipfile
import zlib

import numpy as np
import pytest
from scipy.io import savemat
from volumes_on_disk import box, write_volume

from gantrain.data.formats import volume_files
from gantrain.data.formats.volume_files import Unreadable, read_volume


@pytest.mark.parametrize("suffix", [".mat", ".npy", ".npz"])
@pytest.mark.parametrize("kind", [np.uint8, bool, np.float64])
def test_every_format_and_type_gives_the_same_volume(tmp_path, suffix, kind):
    volume = box().astype(kind)
    volume[5, 4, 3] = 1
    found = read_volume(write_volume(tmp_path / f"v{suffix}", volume), "instance")
    assert found.dtype == bool
    assert np.array_equal(found, volume.astype(bool))


def test_matlabs_and_fortrans_order(tmp_path):
    volume = np.asfortranarray(np.arange(27).reshape(3, 3, 3) % 2)
    for suffix in (".mat", ".npy", ".npz"):
        assert np.array_equal(read_volume(write_volume(tmp_path / f"v{suffix}", volume), "instance"), volume)


def test_uncompressed_mat_and_another_key(tmp_path):
    savemat(tmp_path / "v.mat", {"other": np.zeros(3), "voxels": box()}, do_compression=False)
    assert read_volume(tmp_path / "v.mat", "voxels").sum() == 27


def refused(file, match, key="instance"):
    with pytest.raises(Unreadable, match=match):
        read_volume(file, key)


@pytest.mark.parametrize("suffix", [".mat", ".npz"])
def test_a_wrong_key_names_what_is_there(tmp_path, suffix):
    refused(write_volume(tmp_path / f"v{suffix}", box(), key="voxels"), "has no 'instance' .*, it holds 'voxels'")


@pytest.mark.parametrize("suffix", [".mat", ".npy", ".npz"])
@pytest.mark.parametrize(
    ("array", "match"),
    [
        (np.zeros((4, 4, 5), np.uint8), "4x4x5, not a cube"),
        (np.zeros((4, 4), np.uint8), "4x4, not a cube"),
        (box() * 255, "holds 255, not only 0 and 1"),
        (box() * 0.5, r"holds 0\.5, not only 0 and 1"),
        (np.full((2, 2, 2), np.nan), "holds nan, not only 0 and 1"),
        (np.full((2, 2, 2), 1j), "holds complex128, not numbers"),
        (np.zeros((0, 0, 0)), "its side is 0|has no 'instance'|0x0"),
    ],
)
def test_wrong_shapes_and_values(tmp_path, suffix, array, match):
    refused(write_volume(tmp_path / f"v{suffix}", array), match)


@pytest.mark.parametrize("suffix", [".mat", ".npy", ".npz"])
def test_every_truncation_is_refused(tmp_path, suffix):
    rng = np.random.default_rng(0)
    whole = write_volume(tmp_path / f"v{suffix}", rng.integers(0, 2, (6, 6, 6)).astype(np.uint8)).read_bytes()
    for length in {0, 3, 100, 127, 128, 135, len(whole) // 2, len(whole) - 1} - {len(whole)}:
        (tmp_path / f"cut{suffix}").write_bytes(whole[: min(length, len(whole) - 1)])
        with pytest.raises(Unreadable):
            read_volume(tmp_path / f"cut{suffix}", "instance")


@pytest.mark.parametrize("suffix", [".mat", ".npy", ".npz"])
def test_damage_is_refused_or_harmless(tmp_path, suffix):
    rng = np.random.default_rng(1)
    whole = bytearray(write_volume(tmp_path / f"v{suffix}", box()).read_bytes())
    refusals = 0
    for _ in range(300):
        damaged = whole.copy()
        damaged[rng.integers(len(damaged))] ^= 1 << rng.integers(8)
        (tmp_path / f"w{suffix}").write_bytes(damaged)
        try:
            read_volume(tmp_path / f"w{suffix}", "instance")
        except Unreadable:
            refusals += 1
    assert refusals > 20


def test_a_mat_bomb_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(volume_files, "LARGEST_FILE", 1 << 20)
    header = b"MATLAB 5.0".ljust(124) + b"\x00\x01IM"
    body = zlib.compress(bytes(3 << 20), 9)
    (tmp_path / "bomb.mat").write_bytes(header + struct.pack("<2I", 15, len(body)) + body)
    refused(tmp_path / "bomb.mat", "more than 1 MB unpacked")


def test_many_small_bombs_are_not_unpacked_either(tmp_path, monkeypatch):
    monkeypatch.setattr(volume_files, "LARGEST_FILE", 1 << 20)
    header = b"MATLAB 5.0".ljust(124) + b"\x00\x01IM"
    body = zlib.compress(bytes(400_000), 9)
    (tmp_path / "bomb.mat").write_bytes(header + 4 * (struct.pack("<2I", 15, len(body)) + body))
    refused(tmp_path / "bomb.mat", "more than 1 MB unpacked")


def test_a_header_that_promises_too_much(tmp_path):
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        stream, {"descr": "<f8", "fortran_order": False, "shape": (100_000, 100_000, 100_000)}
    )
    (tmp_path / "v.npy").write_bytes(stream.getvalue())
    refused(tmp_path / "v.npy", "its side is 100000")


def test_a_large_file_is_not_even_read(tmp_path, monkeypatch):
    monkeypatch.setattr(volume_files, "LARGEST_FILE", 1 << 20)
    with (tmp_path / "v.npy").open("wb") as stream:
        stream.truncate((1 << 20) + 1)
    refused(tmp_path / "v.npy", "larger than 1 MB")


class Code:
    def __reduce__(self):
        return print, ("code ran",)


def test_pickles_are_never_opened(tmp_path, capsys):
    objects = np.empty((2, 2, 2), object)
    objects[:] = Code()
    np.save(tmp_path / "v.npy", objects, allow_pickle=True)
    refused(tmp_path / "v.npy", "Python objects")
    np.savez(tmp_path / "v.npz", instance=objects)
    refused(tmp_path / "v.npz", "Python objects")
    (tmp_path / "p.npy").write_bytes(pickle.dumps(Code()))
    refused(tmp_path / "p.npy", "magic")
    assert "code ran" not in capsys.readouterr().out


def test_what_is_no_such_file(tmp_path):
    (tmp_path / "v.mat").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(600))
    refused(tmp_path / "v.mat", "save -v7")
    savemat(tmp_path / "cell.mat", {"instance": {"a": 1}})
    refused(tmp_path / "cell.mat", "'instance' is no array of numbers")
    with zipfile.ZipFile(tmp_path / "v.npz", "w") as archive:
        archive.writestr("readme.txt", "hello")
    refused(tmp_path / "v.npz", "has no 'instance' .*, it holds nothing")
    refused(tmp_path / "none.mat", "No such file")


def test_a_cell_is_not_even_opened(tmp_path):
    cells = np.empty((2, 2, 2), object)
    cells[...] = 1.0
    savemat(tmp_path / "v.mat", {"instance": cells})
    refused(tmp_path / "v.mat", "'instance' is no array of numbers")
