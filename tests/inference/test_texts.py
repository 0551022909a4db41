"""Texts of a user: where they come from, what is lost of them, and runs that know embeddings alone."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from gantrain.data.captions import tokens
from gantrain.errors import UserError
from gantrain.inference.texts import asked_of, read_texts
from gantrain.networks.text import Given


class Known(Given):
    def embed(self, texts):
        return np.array([[len(text), 1.0] for text in texts])


def run(encoder):
    module = SimpleNamespace(
        networks={"text": encoder},
        averaged=lambda name, raw: encoder,
        embedded=lambda text, raw: torch.stack([(text > 0).sum(1), text[:, 0]], 1).float(),
    )
    data = SimpleNamespace(length=6, tokens=lambda texts: torch.from_numpy(tokens(texts, 6)).long())
    return module, data


class Reader(torch.nn.Module):
    features = 2


def test_words_files_and_embeddings_in_their_order(tmp_path):
    (tmp_path / "t.txt").write_text("\nb\n\n c \n", encoding="utf-8")
    np.save(tmp_path / "e.npy", np.array([[7, 8], [9, 10]], np.float32))
    asked = asked_of(*run(Reader()), ["a"], tmp_path / "t.txt", tmp_path / "e.npy", raw=False)
    assert asked.names == ["a", "b", "c", "e.npy 0", "e.npy 1"]
    assert asked.embeddings.tolist() == [[1, 1], [1, 2], [1, 3], [7, 8], [9, 10]]


def test_what_is_lost_is_said(capsys):
    asked_of(*run(Reader()), ["abcdefgh", "ä"], None, None, raw=False)
    said = capsys.readouterr().err
    assert "more than 6 letters" in said
    assert "'ä'" in said


def test_runs_of_embeddings_take_texts_where_the_encoder_is_named(tmp_path):
    with pytest.raises(UserError, match="--embedding FILE"):
        asked_of(*run(Given(2)), ["a"], None, None, raw=False)
    assert asked_of(*run(Known(2)), ["abc"], None, None, raw=False).embeddings.tolist() == [[3, 1]]
    with pytest.raises(UserError, match="must give"):
        asked_of(*run(Known(3)), ["abc"], None, None, raw=False)
    np.save(tmp_path / "e.npy", np.zeros((1, 3), np.float32))
    with pytest.raises(UserError, match="3 numbers, this run takes 2"):
        asked_of(*run(Given(2)), [], None, tmp_path / "e.npy", raw=False)


@pytest.mark.parametrize("text", ["", "  "])
def test_empty_texts_are_refused(text, tmp_path):
    with pytest.raises(UserError, match="empty"):
        asked_of(*run(Reader()), ["a", text], None, None, raw=False)
    with pytest.raises(UserError, match="--text 'TEXT'"):
        asked_of(*run(Reader()), [], None, None, raw=False)
    (tmp_path / "t.txt").write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match="holds no text"):
        read_texts(tmp_path / "t.txt")


def test_files_that_are_no_text_are_refused(tmp_path):
    (tmp_path / "t.txt").write_bytes(b"\xff\xff")
    for name in ("t.txt", "none.txt"):
        with pytest.raises(UserError, match="--text-file"):
            read_texts(tmp_path / name)
    with pytest.raises(UserError, match="too many"):
        asked_of(*run(Reader()), ["a"] * 1001, None, None, raw=False)
