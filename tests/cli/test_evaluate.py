import argparse
import errno
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from pictures_on_disk import write_picture

from gantrain.cli.evaluate import add_options
from gantrain.cli.main import main
from gantrain.cli.work import evaluate
from gantrain.run.folder import Run
from gantrain.run.scores import read_scores


@pytest.fixture(scope="module")
def unmeasured(tmp_path_factory):
    folder = tmp_path_factory.mktemp("unmeasured") / "run"
    assert main(["debug=tiny", "evaluation=none", f"hydra.run.dir={folder}"]) == 0
    return folder


@pytest.fixture
def run(unmeasured):
    shutil.copytree(unmeasured, "run")
    return "run"


def test_scores_and_protocol_of_a_run(gantrain, run, tmp_path):
    result = gantrain("evaluate", run, "--samples", 20, "--backbone", "random", "--json", "scores/r.json")
    assert result.code == 0, result
    assert "fd20_random" in result.out
    assert "split train, real 64, samples 20" in result.out
    written = json.loads((tmp_path / "scores/r.json").read_text())
    assert (written["run"], written["iteration"], written["protocol"]["backbone"]) == ("run", 2, "random")
    (kept,) = read_scores(run)
    assert kept.plain() == {key: value for key, value in written.items() if key != "run"}
    assert kept.result.protocol["networks"] == "ema"


def test_raw_weights_other_seeds_and_other_keys(gantrain, run):
    words = ("evaluate", run, "--samples", 20, "--backbone", "random", "evaluation.scores=[kid]")
    assert gantrain(*words).code == 0
    assert gantrain(*words, "--raw").code == 0
    assert gantrain(*words, "--seed", 3).code == 0
    found = read_scores(run)
    assert [r.result.protocol["networks"] for r in found] == ["ema", "raw", "ema"]
    assert [r.result.protocol["seed"] for r in found] == [0, 0, 3]
    assert all(list(r.result.scores) == ["kid20_random"] for r in found)


def test_measured_twice_is_the_same(gantrain, run):
    words = ("evaluate", run, "--samples", 20, "--backbone", "random")
    assert gantrain(*words).code == 0
    first = read_scores(run)
    assert gantrain(*words).code == 0
    assert [r.result for r in read_scores(run)] == [r.result for r in first]


def test_a_run_that_keeps_no_best(gantrain, run):
    result = gantrain("evaluate", run, "--best")
    assert (result.code, "no best checkpoint" in result.err) == (2, True)


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (("nowhere",), "nowhere is no run"),
        (("run", "--samples", 1), "samples is 1"),
        (("run", "--backbone", "resnet18", "--weights", "w.pth"), "no file w.pth"),
        (("run", "evaluation.nothing=1"), "no such option"),
        (("run", "--backbone", "random", "evaluation.scores=[fid]"), "there are frechet, kid, "),
        (("run", "seed=1"), "only evaluation"),
        (("run", "evaluation=none"), "evaluation=none measures nothing"),
        (("run", "--seed", 10**30), "--seed is"),
        (("run", "--backbone", "random", f"evaluation.seed={10**30}"), "it must be a whole number from 0"),
        (("run", "--samples", 20, "--backbone", "random", "--json", "/dev/null/x.json"), "--json"),
    ],
)
def test_mistakes(gantrain, run, words, names):
    result = gantrain("evaluate", *words)
    assert result.code == 2, result
    assert names in result.err
    assert "Traceback" not in result.err


@pytest.mark.whole
def test_the_usual_evaluation_of_a_run_of_pairs(gantrain, tmp_path):
    words = ("experiment=pix2pix_folder", "debug=tiny", "evaluation=none", "callbacks.samples.count=1")
    assert gantrain(*words, "callbacks.networks=null", "hydra.run.dir=pairs").code == 0
    assert "Measure scores" in Path("pairs/report.html").read_text()
    measured = gantrain("evaluate", "pairs", "evaluation.pictures=2")
    assert measured.code == 0, measured
    assert "psnr_mean" in measured.out
    for i in range(2):
        write_picture(tmp_path / f"photos/{i}.png", i, (70, 70))
    result = gantrain("features", "pairs", "photos", "--layout", "folder", "--out", "f.npz")
    assert result.code == 0, result


def test_a_run_between_two_folders_has_scores_of_both_ways(gantrain, scheduled):
    result = gantrain("evaluate", "run", "evaluation.pictures=4")
    assert result.code == 0, result
    assert all(name in result.out for name in ("fd_b4_random", "kid_a_input4_random", "cycle_a", "kept_b_shuffled"))
    assert gantrain("evaluate", "run", "evaluation=random").err.count("evaluation=pairs where") == 1
    refused = gantrain("evaluate", "run", "--backbone", "dataset")
    assert (refused.code, "backbone=dataset knows classes" in refused.err) == (2, True), refused


def test_the_report_shows_the_newest_scores_on_top(gantrain, run):
    for seed in (1, 2):
        words = ("--samples", 20, "--seed", seed, "--backbone", "random")
        assert gantrain("evaluate", run, *words).code == 0
        page = Path(run, "report.html").read_text(encoding="utf-8")
        assert re.search(r"Protocol:[^<]*seed (\d+)", page)[1] == str(seed)


def test_scores_of_a_run_that_is_trained_meanwhile_are_told_and_not_kept(gantrain, run, monkeypatch):
    """Two that write would mix; to read a run in training is what measuring it early needs."""
    monkeypatch.setattr(evaluate, "WAIT", 0.1)
    other = subprocess.Popen(
        [sys.executable, "-c", "import sys; from gantrain.run.folder import Run\nwith Run('run').locked(): input()"],
        stdin=subprocess.PIPE,
    )
    lock = Path(run, ".hydra/lock")
    while lock.read_text() != str(other.pid):
        assert other.poll() is None
    report = Path(run, "report.html").read_bytes()
    words = ("evaluate", run, "--samples", 20, "--backbone", "random", "--json", "r.json")
    result = gantrain(*words)
    assert (result.code, "fd20_random" in result.out) == (0, True), result
    assert f"not kept in the run, only told here (run: process {other.pid} is training" in result.err
    assert json.loads(Path("r.json").read_text())["iteration"] == 2
    assert (read_scores(run), Path(run, "report.html").read_bytes()) == ([], report)
    other.kill()
    other.communicate()
    assert gantrain(*words).code == 0
    assert len(read_scores(run)) == 1


def test_two_that_measure_at_once_keep_both(gantrain, run):
    """What one writes, the other has not overwritten: each reads the file while it is alone."""
    found = [evaluate.measured(options(run, seed)) for seed in (1, 2)]
    threads = [threading.Thread(target=evaluate.keep, args=(Run.open(run), one)) for one in found]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(record.result.protocol["seed"] for record in read_scores(run)) == [1, 2]


def options(run, seed):
    parser = argparse.ArgumentParser()
    add_options(parser.add_argument)
    words = [run, "--samples", "20", "--backbone", "random", "--seed", str(seed)]
    return parser.parse_intermixed_args(words)


@pytest.mark.parametrize("error", [errno.EACCES, errno.ENOSPC])
def test_scores_of_a_run_that_cannot_be_written_are_told(gantrain, run, monkeypatch, error):
    def refuses(self, wait=0):
        raise OSError(error, os.strerror(error), str(self.folder / ".hydra/lock"))

    monkeypatch.setattr(Run, "locked", refuses)
    result = gantrain("evaluate", run, "--samples", 20, "--backbone", "random")
    assert (result.code, "fd20_random" in result.out) == (2, True), result
    assert "Traceback" not in result.err
    assert f"run/.hydra/lock: {os.strerror(error)}; the scores are told here" in result.err
