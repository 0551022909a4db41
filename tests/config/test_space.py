"""Files of --space."""

from pathlib import Path

import pytest

from gantrain.config.space import ends, read_space
from gantrain.errors import UserError


def test_ranges_and_choices_are_read():
    Path("s.yaml").write_text("a.lr: {low: 1e-4, high: 1e-2, log: true}\nb: [x, y]\nc: {low: 8, high: 32, step: 8}\n")
    assert ends(read_space(Path("s.yaml"))) == {"a.lr": [1e-4, 1e-2], "b": ["x", "y"], "c": [8, 32]}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "must hold lines such as"),
        ("a: {low: 1}", "a: write a list of choices"),
        ("a: {low: 2, high: 1}", "low must be below high"),
        ("a: {low: 0, high: 1, log: true}", "low must be above 0"),
        ("a: {low: x, high: 1}", "must be numbers"),
        ("a: {low: 1, high: .inf}", "must be numbers"),
        ("a: []", "write a list of choices"),
        ("a: [b", "is no YAML"),
        ("- 1", "must hold lines such as"),
        ("a: &a [*a]", "within itself"),
        (f"a: [{'1, ' * 30_000}]", "more than 64 kB"),
        (f"{'a' * 1000}: []", r" a{100}: write a list of choices"),
    ],
)
def test_what_cannot_be_tried_is_refused(text, sentence):
    Path("s.yaml").write_text(text)
    with pytest.raises(UserError, match=sentence):
        read_space(Path("s.yaml"))


def test_a_file_that_is_not_there_is_named():
    with pytest.raises(UserError, match=r"--space: cannot read none\.yaml"):
        read_space(Path("none.yaml"))
