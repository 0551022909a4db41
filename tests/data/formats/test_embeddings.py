"""Embeddings of three kinds of files; what is none, or would run code, ends in one sentence."""

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from gantrain.data.formats import embeddings
from gantrain.data.formats.embeddings import read_embeddings
from gantrain.errors import UserError

VALUES = np.arange(12, dtype=np.float32).reshape(2, 3, 2)
PATHS = ["a.png", "b/ç.png"]


def written(folder, kind, values=VALUES, paths=PATHS):
    file = folder / f"e.{kind}"
    if kind == "npy":
        np.save(file, values)
    elif kind == "npz":
        np.savez_compressed(file, embeddings=values, **({} if paths is None else {"paths": np.array(paths)}))
    else:
        save_file({"embeddings": values}, file, metadata=None if paths is None else {"paths": json.dumps(paths)})
    return file


@pytest.mark.parametrize("kind", ["npy", "npz", "safetensors"])
def test_what_was_written_is_read(kind, tmp_path):
    found = read_embeddings(written(tmp_path, kind), "--embedding")
    assert (found.values == VALUES).all()
    assert found.paths == (None if kind == "npy" else PATHS)
    flat = read_embeddings(written(tmp_path, kind, VALUES[:, 0].astype(np.float64), None), "--embedding")
    assert flat.values.shape == (2, 1, 2)
    assert flat.values.dtype == np.float32
    assert flat.paths is None


@pytest.mark.parametrize("kind", ["npy", "npz", "safetensors"])
@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.zeros(3, np.float32), "must be"),
        (np.full((2, 2), np.nan, np.float32), "not finite"),
        (np.zeros((2, 2), np.int64), "with a point"),
    ],
)
def test_what_is_no_embedding_is_refused(kind, values, said, tmp_path):
    with pytest.raises(UserError, match=said):
        read_embeddings(written(tmp_path, kind, values, None), "key")


def test_paths_of_another_number_are_refused(tmp_path):
    with pytest.raises(UserError, match="1 paths and embeddings of 2"):
        read_embeddings(written(tmp_path, "npz", paths=["a"]), "key")


def test_python_objects_are_never_read(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    np.save(tmp_path / "bomb.npy", np.array([[Bomb()]], dtype=object), allow_pickle=True)
    np.savez(tmp_path / "bomb.npz", embeddings=np.array([[Bomb()]], dtype=object))
    for name in ("bomb.npy", "bomb.npz"):
        with pytest.raises(UserError, match="holds object"):
            read_embeddings(tmp_path / name, "key")
    (tmp_path / "bomb.pickle").write_bytes(b"cos\nsystem\n(S'touch ran'\ntR.")
    with pytest.raises(UserError, match=r"scripts/convert_embeddings\.py"):
        read_embeddings(tmp_path / "bomb.pickle", "key")
    assert not (tmp_path / "ran").exists()


def test_a_header_promises_no_memory(tmp_path, monkeypatch):
    file = written(tmp_path, "npy")
    data = file.read_bytes()
    file.write_bytes(data.replace(b"(2, 3, 2)", b"(2, 9, 9)"))
    with pytest.raises(UserError, match="promises 2x9x9"):
        read_embeddings(file, "key")
    monkeypatch.setattr(embeddings, "LARGEST", 100)
    with pytest.raises(UserError, match="more than"):
        read_embeddings(file, "key")
