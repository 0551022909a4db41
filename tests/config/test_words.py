"""Words as they were typed."""

import pytest

from gantrain.config.words import parted


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("seed=3", ("", "seed", "3")),
        ("++models.x=a=b\nc", ("++", "models.x", "a=b\nc")),
        ("~losses.penalties.r1", ("~", "losses.penalties.r1", None)),
        ("--config-dir=mine", ("", "--config-dir", "mine")),
        ("data.root=", ("", "data.root", "")),
        ("list", ("", "list", None)),
    ],
)
def test_a_word_has_a_mark_a_key_and_a_value(word, parts):
    assert parted(word) == parts
