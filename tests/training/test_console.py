"""What a run says at its end."""

import shlex
from pathlib import Path

import pytest
from scheduled import SCHEDULED

TINY = ("debug=tiny", "callbacks.samples.count=4")


def test_its_commands_can_be_pasted_also_where_the_folder_has_spaces(gantrain):
    ended = gantrain("debug=tiny", "callbacks.samples.count=4", "hydra.run.dir=my run")
    assert ended.code == 0, ended
    lines = [line.split(maxsplit=1) for line in ended.out.splitlines() if line]
    commands = {line[0]: shlex.split(line[1]) for line in lines if line[0] in ("sample", "class", "longer", "curves")}
    assert commands["sample"] == ["gantrain", "sample", "my run"]
    assert commands["class"] == ["gantrain", "sample", "my run", "--class", "3"]
    assert commands["longer"] == ["gantrain", "resume", "my run", "iterations=N"]
    assert commands["curves"] == ["tensorboard", "--logdir", "my run"]


@pytest.mark.whole
def test_the_console_is_short(gantrain):
    result = gantrain(*TINY, "hydra.run.dir=run")
    lines = result.out.strip().splitlines()
    facts = [line.split("  ")[0] for line in lines[:6]]
    assert facts == ["experiment", "run", "data", "parameters", "length", "device"]
    assert len(lines) <= 14
    assert result.err == ""
    assert (Path("run") / "report.html").is_file()


def test_nobody_is_told_to_prolong_a_run_whose_schedule_has_ended(gantrain):
    ended = gantrain(*SCHEDULED, "hydra.run.dir=run")
    assert (ended.code, "longer " in ended.out) == (0, False), ended
    again = gantrain("resume", "run").out
    assert ("nothing left to train" in again, "raise iterations=" in again) == (True, False)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), ["r1 (R1, weight 1.0, every 8 turns, from cgan_digits or the command line)"]),
        (
            ("losses=wasserstein_gp",),
            ["gp (GradientPenalty, weight 10.0, every turn, from losses=wasserstein_gp)", "r1 ("],
        ),
        (
            ("losses.penalties.r1.weight={_target_: gantrain.ramps.Cosine, first: 3.0, last: 0.5, images: 9000}",),
            ["r1 (R1, weight 3 to 0.5 over 9,000 images, every 8 turns"],
        ),
        (("losses=relativistic",), ["r1 (R1, weight 1.0, every 8 turns, from losses=relativistic, changed)", "r2 (R2"]),
        (("~losses.penalties.r1",), []),
        (("losses.penalties.r1=null",), []),
    ],
)
def test_the_header_names_every_penalty(gantrain, words, told):
    result = gantrain(*TINY, "hydra.run.dir=run", *words)
    assert result.code == 0, result
    line = next(line for line in result.out.splitlines() if line.startswith("parameters "))
    assert ("; penalties " in line) == bool(told)
    for said in told:
        assert said in line
