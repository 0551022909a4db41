"""MATLAB files from strangers."""

import struct
import zlib

import numpy as np
import pytest
from scipy.io import savemat
from wiki import person, write_mat

from gantrain.data import mat
from gantrain.data.mat import read_struct
from gantrain.errors import UserError


def test_fields_come_flat(tmp_path):
    found = read_struct(write_mat(tmp_path / "a.mat", [person("x"), person("y")]), "wiki", ["full_path", "dob"])
    assert [cell.item() for cell in found["full_path"]] == ["x", "y"]
    assert found["dob"].tolist() == [719529, 719529]


def test_what_is_missing_is_named(tmp_path):
    file = write_mat(tmp_path / "a.mat", [person("x")])
    with pytest.raises(UserError, match="no struct 'imdb'"):
        read_struct(file, "imdb", ["dob"])
    with pytest.raises(UserError, match="has no field 'age'"):
        read_struct(file, "wiki", ["dob", "age"])
    savemat(tmp_path / "b.mat", {"wiki": np.zeros(3)})
    with pytest.raises(UserError, match="no struct 'wiki'"):
        read_struct(tmp_path / "b.mat", "wiki", ["dob"])


def test_damaged_files_are_refused_in_a_sentence(tmp_path):
    whole = write_mat(tmp_path / "a.mat", [person("x")] * 50).read_bytes()
    rng = np.random.default_rng(0)
    damaged = [b"", b"no MATLAB file", whole[:100], whole[: len(whole) // 2], b"\x89HDF\r\n\x1a\n" + bytes(600)]
    for _ in range(40):
        bytes_of = bytearray(whole)
        bytes_of[int(rng.integers(128, len(whole)))] ^= int(rng.integers(1, 256))
        damaged.append(bytes(bytes_of))
    refused = []
    for content in damaged:
        (tmp_path / "b.mat").write_bytes(content)
        try:
            read_struct(tmp_path / "b.mat", "wiki", ["full_path", "dob"])
        except UserError as error:
            refused.append(str(error))
    assert not [message for message in refused if "\n" in message]
    assert len(refused) >= 43  # some changed bytes mean the same


def test_a_file_that_unpacks_to_far_more_is_refused_before_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(mat, "LARGEST", 1 << 20)
    bomb = zlib.compress(bytes(8 << 20))
    header = b"MATLAB 5.0".ljust(124) + struct.pack("<H2s", 0x0100, b"IM")
    (tmp_path / "a.mat").write_bytes(header + struct.pack("<2I", 15, len(bomb)) + bomb)
    with pytest.raises(UserError, match="more than 1 MB"):
        read_struct(tmp_path / "a.mat", "wiki", ["dob"])
    savemat(tmp_path / "b.mat", {"wiki": {"dob": np.zeros(1 << 18)}})
    with pytest.raises(UserError, match="more than 1 MB"):
        read_struct(tmp_path / "b.mat", "wiki", ["dob"])
