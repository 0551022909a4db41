"""What the options of several verbs say."""

import errno
import os
from pathlib import Path

import pytest

from gantrain.cli.options import writing
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
