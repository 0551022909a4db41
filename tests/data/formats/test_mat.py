"""MATLAB files from strangers."""

import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from scipy.io import loadmat, savemat
from wiki import person, write_mat

from gantrain.data.formats import mat
from gantrain.data.formats.mat import read_struct
from gantrain.errors import UserError


def test_fields_come_flat(tmp_path):
    found = read_struct(write_mat(tmp_path / "a.mat", [person("x"), person("y")]), "wiki", ["full_path", "dob"])
    assert found["full_path"].tolist() == ["x", "y"]
    assert found["dob"].tolist() == [719529, 719529]


def test_scipys_reader_agrees(tmp_path):
    """Every way that numbers and texts are written, packed and not."""
    cells = np.array([["a", "längerer Text", "", "日本/0.jpg"], ["b" * 300, 3.5, "e", "f"]], object)
    numbers = {
        "double": np.array([[1.5, -np.inf, 1e300]]),
        "whole": np.array([[1.0, 2.0, 250.0]]),
        "int32": np.array([[-5], [70000]], np.int32),
        "uint16": np.array([2010, 1999, 1], np.uint16),
        "uint8": np.array([7], np.uint8),
        "int64": np.array([2**40], np.int64),
        "single": np.array([0.5, np.nan], np.float32),
        "empty": np.zeros((0, 3)),
        "bool": np.array([True, False]),
    }
    for packed in (False, True):
        content = {"before": np.eye(3), "it": {**numbers, "cells": cells, "text": "abc"}, "after": "x"}
        savemat(tmp_path / "a.mat", content, do_compression=packed)
        found = read_struct(tmp_path / "a.mat", "it", [*numbers, "cells", "text"])
        wanted = loadmat(tmp_path / "a.mat")["it"]
        for name in numbers:
            assert np.array_equal(found[name], wanted[name].item().ravel(order="F"), equal_nan=True), name
        cell_by_cell = wanted["cells"].item().ravel(order="F")
        texts = [str(cell.item()) if cell.dtype.kind == "U" and cell.size else "" for cell in cell_by_cell]
        assert found["cells"].tolist() == texts
        assert "längerer Text" in texts
        assert found["text"].tolist() == ["abc"]


def nested(depth):
    """A cell in a cell in a cell, the outermost named wiki."""

    def head(name):
        flags = struct.pack("<2I2I2I2i", 6, 8, 1, 0, 5, 8, 1, 1)
        return flags + struct.pack("<2I", 1, len(name)) + name.ljust(-(-len(name) // 8) * 8, b"\0")

    size, parts = 0, []
    for level in range(depth):
        content = head(b"" if level < depth - 1 else b"wiki")
        size += len(content)
        parts.append(struct.pack("<2I", 14, size) + content)
        size += 8
    return b"MATLAB 5.0".ljust(124) + struct.pack("<H2s", 0x0100, b"IM") + b"".join(reversed(parts))


def test_cells_within_cells_end_nothing(tmp_path):
    (tmp_path / "a.mat").write_bytes(nested(100_000))  # scipy's reader ends the process with these
    with pytest.raises(UserError, match="no struct 'wiki'"):
        read_struct(tmp_path / "a.mat", "wiki", ["dob"])


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
    monkeypatch.setattr(mat, "LARGEST_MAT", 1 << 20)
    bomb = zlib.compress(bytes(8 << 20))
    header = b"MATLAB 5.0".ljust(124) + struct.pack("<H2s", 0x0100, b"IM")
    (tmp_path / "a.mat").write_bytes(header + struct.pack("<2I", 15, len(bomb)) + bomb)
    with pytest.raises(UserError, match="more than 1 MB"):
        read_struct(tmp_path / "a.mat", "wiki", ["dob"])
    savemat(tmp_path / "b.mat", {"wiki": {"dob": np.zeros(1 << 18)}})
    with pytest.raises(UserError, match="more than 1 MB"):
        read_struct(tmp_path / "b.mat", "wiki", ["dob"])


def test_damage_at_any_place_ends_no_process(tmp_path):
    """In a process of its own, since what it looks for ends one."""
    write_mat(tmp_path / "a.mat", [person("x"), person("y")])
    script = """
import random, sys
from pathlib import Path
from gantrain.data.formats.mat import inflated, read_struct
from gantrain.errors import UserError
whole, drawn, file = inflated(Path("a.mat").read_bytes(), 1 << 20), random.Random(0), Path("b.mat")
for number in range(128, len(whole), max(1, len(whole) // 200)):
    data = bytearray(whole)
    for _ in range(drawn.choice([1, 1, 4])):
        place = number if number < len(whole) - 4 else 128
        data[place:place + 4] = drawn.choice([bytes(4), b"\\xff" * 4, b"\\x04\\0\\0\\0", drawn.randbytes(4)])
        number = drawn.randrange(128, len(whole))
    file.write_bytes(data)
    try:
        read_struct(file, "wiki", ["full_path", "dob"])
    except UserError:
        pass
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path)
    assert result.returncode == 0, result


def test_a_text_without_dimensions_is_refused(tmp_path):
    name = struct.pack("<2I", 1, 4) + b"wiki\0\0\0\0"
    content = struct.pack("<4I", 6, 8, 4, 0) + struct.pack("<2I", 5, 0) + name + struct.pack("<2I", 16, 0)
    header = b"MATLAB 5.0".ljust(124) + b"\x00\x01IM"
    (tmp_path / "a.mat").write_bytes(header + struct.pack("<2I", 14, len(content)) + content)
    with pytest.raises(UserError, match="without dimensions"):
        read_struct(tmp_path / "a.mat", "wiki", ["dob"])
