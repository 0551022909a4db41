"""CONTRIBUTING.md's recipes work as they stand there."""

import re
import shlex
import sys
import types
from pathlib import Path

import pytest

from gantrain.cli import main as program

TEXT = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")
SECTIONS = {section.partition("\n")[0]: section for section in TEXT.split("\n## ")}


def block(part, kind):
    return re.search(rf"```{kind}\n(.*?)```", SECTIONS[part], re.DOTALL)[1]


@pytest.mark.parametrize("part", ["A loss", "A network", "A data set"])
def test_a_part_of_your_own_trains(part, gantrain, monkeypatch, tmp_path):
    Path("mine.py").write_text(block(part, "python"), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    trained = gantrain(*shlex.split(block(part, "sh"))[1:], "hydra.run.dir=run")
    assert trained.code == 0, trained
    assert re.search(r"mine\.\w+", Path("run/.hydra/config.yaml").read_text(encoding="utf-8"))
    monkeypatch.delitem(sys.modules, "mine")


def test_a_verb_of_your_own_runs(gantrain, monkeypatch):
    module = types.ModuleType("gantrain.cli.weigh")
    exec(block("A verb", "python"), vars(module))
    monkeypatch.setitem(sys.modules, "gantrain.cli.weigh", module)
    monkeypatch.setitem(program.VERBS, "weigh", "parameters of a run's networks")
    assert gantrain("debug=tiny", "hydra.run.dir=run").code == 0
    assert re.search(r"^generator \d+$", gantrain("weigh", "run").out, re.MULTILINE)
