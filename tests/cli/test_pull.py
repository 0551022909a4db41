"""`gantrain pull`: a run from the Hub that every verb takes, and that is resumed to the same bits."""

from pathlib import Path

from compare import differences, newest
from refusals import refused


def test_a_pulled_run_is_resumed_to_the_same_bits(gantrain, hub, run):
    assert gantrain("push", "run", "me/digits", "--checkpoints").code == 0
    result = gantrain("pull", "hf://me/digits", "pulled")
    assert (result.code, result.out.strip()) == (0, "pulled"), result
    assert gantrain("sample", "pulled", "-n", 2, "--out", "a.png").code == 0
    assert gantrain("sample", "run", "-n", 2, "--out", "b.png").code == 0
    assert Path("a.png").read_bytes() == Path("b.png").read_bytes()
    for folder in ("run", "pulled"):
        assert gantrain("resume", folder, "iterations=4").code == 0
    assert newest("run", "train")["iteration"] == 4
    assert differences(newest("run", "train"), newest("pulled", "train")) == []


def test_a_run_without_checkpoints_is_used_and_not_resumed(gantrain, hub, run):
    assert gantrain("push", "run", "me/digits").code == 0
    assert gantrain("pull", "me/digits", "pulled").code == 0
    assert gantrain("sample", "pulled", "-n", 2, "--out", "a.png").code == 0
    refused(gantrain("resume", "pulled", "iterations=4"), "its checkpoints are gone", "init_from=pulled")


def test_what_cannot_be_pulled(gantrain, hub, run):
    refused(gantrain("pull", "me/digits", "run"), "run is there already")
    refused(gantrain("pull", "digits", "there"), "'digits' is no name of a repository")
    refused(gantrain("pull", "me/digits", "there"), "hf://me/digits: there is no such repository")
    refused(gantrain("sample", "hf://me/digits"), "gantrain pull user/name FOLDER")
    assert not Path("there").exists()
