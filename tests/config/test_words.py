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
def test_parts(word, parts):
    assert parted(word) == parts
