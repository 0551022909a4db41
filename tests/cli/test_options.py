"""What the options of several verbs say."""

import errno
import os
from pathlib import Path

import pytest
from toys import Shades

from gantrain.cli.options import class_of, writing
from gantrain.errors import UserError


def fails_at(name):
    with writing("--out", Path("out/report.html")):
        raise OSError(errno.EACCES, os.strerror(errno.EACCES), name)


@pytest.mark.parametrize("name", ["out/report.html", "out/.report.html.12", "out", None])
def test_what_cannot_be_written_asks_for_another_place(name):
    with pytest.raises(
        UserError, match=r"--out: cannot write out/report.html \(Permission denied\); name another place"
    ):
        fails_at(name)


@pytest.mark.parametrize("name", ["out/metrics.jsonl", "elsewhere/x"])
def test_what_cannot_be_read_meanwhile_is_named_itself(name):
    with pytest.raises(UserError, match=f"^{name}: Permission denied$"):
        fails_at(name)


def test_a_config_that_may_not_be_read_is_not_called_damaged(gantrain, run, monkeypatch):
    read = Path.read_text

    def refuses(self, *words, **options):
        if self.name == "config.yaml":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))
        return read(self, *words, **options)

    monkeypatch.setattr(Path, "read_text", refuses)
    for verb in ("sample", "resume", "report", "evaluate"):
        result = gantrain(verb, "run")
        assert (result.code, result.err) == (
            2,
            "gantrain: run/.hydra/config.yaml cannot be read (Permission denied)\n",
        )


def test_classes_by_number_and_name():
    family = Shades()
    assert [class_of(word, family.classes, family.class_names) for word in ("0", "4", "04", "bee")] == [0, 4, 4, 1]


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("5", "--class is 5, this run has the classes 0 to 4"),
        ("9" * 9999, "the classes 0 to 4"),
        ("cwo", "no class 'cwo'; did you mean 'cow'"),
        ("-1", "no class '-1'; there are ant, bee"),
        ("", "no class ''"),
        ("\u0663", "no class"),
    ],
)
def test_classes_that_are_none(word, says):
    with pytest.raises(UserError, match=says):
        class_of(word, Shades.classes, Shades.class_names)
