"""Captions as numbers, whose they are, and which are no picture's own."""

import numpy as np
import pytest

from gantrain.data.captions import ALPHABET, Captions, remarks, tokens, words
from gantrain.errors import UserError


def test_letters_are_places_in_reeds_alphabet():
    assert len(ALPHABET) == 70
    assert len(set(ALPHABET)) == 69
    (row,) = tokens(["A z0é "], 8).tolist()
    assert row == [1, 70, 26, 27, 70, 70, 0, 0]
    assert words(row) == "a z0  "


def test_a_long_text_is_cut_and_both_losses_are_said():
    assert words(tokens(["abcdef"], 3)[0].tolist()) == "abc"
    long, odd = remarks(["abcdef", "naïve", "a"], 5)
    assert "1 of 3" in long
    assert "'abcdef'" in long
    assert "'ï'" in odd
    assert remarks(["plain"], 5) == []


def test_no_mismatch_is_a_pictures_own_or_of_its_group():
    texts = [["a", "b"], ["b", "c"], ["c"], ["d", "a"]]
    captions = Captions.of_texts(texts, np.array([0, 0, 1, 2]), 5)
    assert len(captions.values) == 4  # equal texts are one
    pictures, positions = np.arange(400) % 4, np.arange(400)
    said = [words(row) for row in captions.values[captions.mismatched(pictures, positions, 1)].tolist()]
    may = [{"c", "d", "a"} - {"a", "b"}, {"a", "c", "d"} - {"b", "c"}, {"a", "b", "d"}, {"b", "c"}]
    for number in range(4):
        assert {text for text, picture in zip(said, pictures, strict=True) if picture == number} == may[number]


def test_draws_are_by_position_whatever_the_batch():
    captions = Captions.of_texts([["a", "b", "c"], ["d"], ["e", "f"]], np.arange(3), 5)
    pictures, positions = np.arange(60) % 3, np.arange(60)
    for draw in (captions.drawn, captions.mismatched):
        whole = draw(pictures, positions, 3)
        parts = [draw(pictures[i : i + 7], positions[i : i + 7], 3) for i in range(0, 60, 7)]
        assert (np.concatenate(parts) == whole).all()
        assert (draw(pictures, positions, 4) != whole).any()
    drawn = captions.drawn(pictures, positions, 3)
    assert {0, 1, 2} == set(drawn[pictures == 0].tolist())


def test_captions_that_are_all_alike_are_refused():
    captions = Captions.of_texts([["a"], ["a"]], np.arange(2), 5)
    with pytest.raises(UserError, match="no mismatch"):
        captions.mismatched(np.arange(2), np.arange(2), 0)


def test_embeddings_belong_to_their_pictures():
    values = np.arange(12, dtype=np.float32).reshape(2, 3, 2)
    captions = Captions.of_embeddings(values, np.arange(2))
    rows = captions.mismatched(np.zeros(50, int), np.arange(50), 0)
    assert set(rows.tolist()) == {3, 4, 5}
    assert (captions.values[3] == values[1, 0]).all()
