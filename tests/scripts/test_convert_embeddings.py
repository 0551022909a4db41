"""The published pickles' layout becomes a file that is read; a pickle that asks for more is refused."""

import importlib.util
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

import gantrain
from gantrain.data.formats.embeddings import read_embeddings

FILE = Path(gantrain.__file__).parents[2] / "scripts" / "convert_embeddings.py"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("convert_embeddings", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write(folder, embeddings, names):
    folder.mkdir()
    for file, value in (("char-CNN-RNN-embeddings.pickle", embeddings), ("filenames.pickle", names)):
        (folder / file).write_bytes(pickle.dumps(value, protocol=2))


def test_what_was_pickled_is_read(script, tmp_path, monkeypatch, capsys):
    values = np.arange(12, dtype=np.float32).reshape(2, 3, 2)
    write(tmp_path / "train", list(values), ["001.A/a", "002.B/b"])
    write(tmp_path / "test", list(values[:1] + 1), ["003.C/c"])
    folders = [str(tmp_path / part) for part in ("train", "test")]
    monkeypatch.setattr(sys, "argv", ["convert", *folders, "--out", "e.safetensors"])
    script.main()
    assert "3 pictures" in capsys.readouterr().out
    found = read_embeddings(Path("e.safetensors"), "key")
    assert found.paths == ["images/001.A/a.jpg", "images/002.B/b.jpg", "images/003.C/c.jpg"]
    assert (found.values == np.concatenate([values, values[:1] + 1])).all()


def test_a_pickle_that_would_run_something_is_refused(script, tmp_path):
    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    write(tmp_path / "train", [Bomb()], ["a"])
    with pytest.raises(pickle.UnpicklingError, match=r"io\.open|builtins\.open|_io\.open"):
        script.converted(tmp_path / "train")
    assert not (tmp_path / "ran").exists()
    write(tmp_path / "odd", [np.zeros((3, 2))], ["a", "b"])
    with pytest.raises(ValueError, match="do not belong"):
        script.converted(tmp_path / "odd")
