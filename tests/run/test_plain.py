"""Files of strangers are bounded before they are used."""

import datetime
import time

import pytest

from gantrain.errors import UserError
from gantrain.run.folder import Run
from gantrain.run.plain import refuse_unbounded

RECURSIVE = []
RECURSIVE.append(RECURSIVE)
LAUGHS = ["x"]
for _ in range(30):
    LAUGHS = [LAUGHS] * 9


@pytest.mark.parametrize(
    "value", [RECURSIVE, LAUGHS, [["x" * 100_000] * 100], {1: {2: {3}}}, [datetime.date(2020, 1, 1)], b"x", (1,)]
)
def test_what_is_refused(value):
    with pytest.raises(ValueError, match="it holds"):
        refuse_unbounded(value)


def test_what_is_plain():
    refuse_unbounded({"a": [1, 2.5, None, True, "text", {3: []}]})


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [*a]",
        "\n".join(["a0: &a0 [x, x]", *(f"a{i + 1}: &a{i + 1} [{','.join([f'*a{i}'] * 9)}]" for i in range(30))]),
        "[" * 100_000,
        "x: y\n" * 3_000_000,
        "seed: 2020-01-01",
        "iterations: " + "9" * 5000,
        "? [a]\n: b",
        "5",
        "\x00",
    ],
)
def test_a_config_that_does_harm_is_damaged_and_soon_so(text, run):
    (run / ".hydra/config.yaml").write_text(text)
    began = time.process_time()
    with pytest.raises(UserError, match=r"config\.yaml is damaged"):
        Run.open("run").config()
    assert time.process_time() - began < 10


def test_a_folder_with_an_empty_config_is_no_run(gantrain, run):
    (run / ".hydra/config.yaml").write_text("")
    assert "is no run" in gantrain("resume", "run").err


def test_a_run_that_was_killed_before_its_config_was_whole_begins(gantrain, tmp_path):
    (tmp_path / "new/.hydra").mkdir(parents=True)
    (tmp_path / "new/.hydra/config.yaml").touch()
    (tmp_path / "new/.hydra/.config.yaml.4711").write_text("half")
    assert gantrain("debug=tiny", "callbacks.samples.count=4", "hydra.run.dir=new").code == 0
    assert sorted(file.name for file in (tmp_path / "new/.hydra").iterdir()) == ["config.yaml", "lock", "train.begun"]
