"""What a sweep leaves: a run per job, a table and a picture, whatever becomes of single jobs."""

import csv
import json
import signal
from pathlib import Path

import pytest
from forked import FORK, forked
from hydra._internal.core_plugins import basic_launcher
from hydra.core.utils import JobReturn, JobStatus
from PIL import Image
from refusals import refused

from gantrain.cli.sweep import Job, Sweep, check_jobs, shortened
from gantrain.drawing.text import aligned
from gantrain.errors import UserError
from gantrain.folders import configs_folder
from gantrain.run.folder import Run
from gantrain.run.scores import Record, Result, Score, add_scores
from gantrain.training import fit

TINY = (
    "debug=tiny",
    "callbacks.samples.count=4",
    "callbacks.metrics.every=2",
    "callbacks.networks=null",
    "hydra.sweep.dir=sweep",
)
LR = "models.players.generator.optimizer.lr"


def table():
    with Path("sweep/sweep.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_choices_that_an_experiment_sweeps_over_are_checked_before_the_first_begins(gantrain, tmp_path):
    own = tmp_path / "mine" / "experiment"
    own.mkdir(parents=True)
    text = "# @package _global_\niterations: 2\nhydra: {sweeper: {params: {seed: '0,1', losses: 'hinge,hingee'}}}\n"
    (own / "many.yaml").write_text(text)
    words = ("-m", "--config-dir", "mine", "experiment=many", *TINY)
    refused(gantrain(*words), "job 1 of 4: losses: there is no 'hingee'")
    refused(gantrain(*words, "seed=3", "losses=dragan,hingee"), "job 1 of 2: losses: there is no 'hingee'")
    assert not Path("sweep").exists()


def test_a_table_and_a_picture_at_the_end(gantrain):
    result = gantrain("-m", *TINY, "iterations=4", "seed=0,1", f"{LR}=1e-4,2e-4")
    assert result.code == 0, result
    rows = table()
    assert [(r["job"], r["seed"], r[LR]) for r in rows] == [
        *(("0", "0", "0.0001"), ("1", "0", "0.0002"), ("2", "1", "0.0001"), ("3", "1", "0.0002")),
    ]
    assert list(rows[0])[:4] == ["job", "seed", LR, "outcome"]
    assert {r["outcome"] for r in rows} == {"done"}
    assert {r["iterations"] for r in rows} == {"4"}
    assert all(float(r[key]) > 0 for r in rows for key in ("seconds", "images_per_second", "generator/adv"))
    lines = result.out.splitlines()
    head = next(i for i, line in enumerate(lines) if line.startswith("job  seed  lr"))
    (last,) = [line.replace("*", "").split() for line in lines[head + 1 : head + 5] if line.startswith("3")]
    assert last[:5] == ["3", "1", "0.0002", "done", "4"]
    assert lines[head + 6].split() == ["lr", "seeds", "fd80_random", "images/s"]
    assert " +- " in lines[head + 7]
    assert [line.split()[:2] for line in lines[head + 7 : head + 9]] == [["0.0001", "2"], ["0.0002", "2"]]
    assert lines[head + 10 :] == [
        *("table    sweep/sweep.csv", "picture  sweep/sweep.png", "longer   gantrain resume sweep/JOB iterations=N"),
    ]
    picture = Image.open("sweep/sweep.png")
    assert picture.width > 8 * 50
    assert picture.height >= 4 * 52
    assert gantrain("resume", "sweep/2", "iterations=5").code == 0


@pytest.mark.parametrize("bad", ["networks.generator.size=32,16", f"{LR}=1e38,1e-4"])
def test_a_failed_job_has_its_line_and_the_others_go_on(gantrain, bad):
    result = gantrain("-m", *TINY, "iterations=6", bad)
    assert result.code == 1, result
    assert "gantrain: job 0: " in result.err
    assert "Traceback" not in result.err
    failed, done = table()
    assert failed["outcome"] == ("diverged" if "lr" in bad else "failed")
    assert failed["error"]
    assert (done["outcome"], done["error"], done["iterations"]) == ("done", "", "6")
    assert Path("sweep/sweep.png").is_file()


def test_jobs_in_processes_of_their_own_have_one_table(gantrain, monkeypatch):
    """As with launchers for Ray or SLURM: what a job tells its process is lost with it."""
    run_job = basic_launcher.run_job

    def apart(**options):
        worker = FORK.Process(target=lambda: run_job(**options))
        worker.start()
        worker.join()
        return JobReturn(status=JobStatus.COMPLETED, _return_value=0.0)

    monkeypatch.setattr(basic_launcher, "run_job", apart)
    for _ in range(2):  # the second finds runs in its folders, and the lines of the first
        result = gantrain("-m", *TINY, "logger=none", "seed=0,1")
        rows = table()
        assert [row["job"] for row in rows] == ["0", "1"]
        assert "table    sweep/sweep.csv" in result.out
        assert (result.code, {row["outcome"] for row in rows}) in ((0, {"done"}), (1, {"failed"}))
    assert result.code == 1


def test_an_unexpected_error_ends_its_job_alone(gantrain, monkeypatch):
    run = fit.run

    def breaks(config, folder, **options):
        if config["seed"] == 0:
            raise RuntimeError("out of memory")
        return run(config, folder, **options)

    monkeypatch.setattr(fit, "run", breaks)
    result = gantrain("-m", *TINY, "seed=0,1")
    assert result.code == 1
    assert "Traceback" in result.err  # a bug of ours: all that is known of it
    assert [(r["outcome"], r["error"]) for r in table()] == [("failed", "RuntimeError: out of memory"), ("done", "")]


def test_jobs_of_different_sizes_share_the_picture(gantrain):
    assert gantrain("-m", *TINY, "data.size=16,32", "networks.generator.z_dim=4").code == 0
    assert Image.open("sweep/sweep.png").mode == "RGB"


def test_ctrl_c_ends_the_sweep_with_a_checkpoint_and_the_table(gantrain):
    process = forked("-m", *TINY, "iterations=1000000", "callbacks.progress.seconds=0", "seed=0,1")
    process.when(lambda: "/1,000,000" in process.said())
    process.send(signal.SIGINT)
    assert process.ended() == 130, process.said()
    assert "Traceback" not in process.said()
    (row,) = table()
    stopped = Run("sweep/0").newest("train")["iteration"]
    assert (row["outcome"], row["iterations"]) == ("stopped", str(stopped))
    assert not Path("sweep/1").exists()
    assert Path("sweep/sweep.png").is_file()
    assert gantrain("resume", "sweep/0", f"iterations={stopped + 2}").code == 0


def test_a_torn_last_record_costs_only_itself(tmp_path):
    record = {"stage": "train", "iteration": 2, "images_seen": 16, "seconds": 0.5, "values": {"generator/adv": 1.0}}
    (tmp_path / "metrics.jsonl").write_text(json.dumps(record) + '\n{"stage": "tr')
    sweep = Sweep(tmp_path)
    sweep.add(Job(0, tmp_path, {}, "diverged", 1.0))
    assert sweep.table()[0]["generator/adv"] == 1.0


def test_short_names_tell_keys_apart():
    assert shortened(["seed", "data.seed", "a.g.lr", "a.d.lr", "x.beta"]) == [
        "seed",
        "data.seed",
        "g.lr",
        "d.lr",
        "beta",
    ]


def test_rows_of_different_columns():
    assert aligned([{"a": "1"}, {"a": "22", "b": "x"}]) == ["a   b", "1", "22  x"]


def test_a_rejected_sweep_leaves_nothing(gantrain):
    refused(gantrain("-m", "iteratoins=1,2"), "iteratoins")
    refused(gantrain("-m", "iteratoins=1,2", "hydra.sweep.dir=mine/own"), "iteratoins")
    assert not Path("mine").exists()
    Path("mine").mkdir()
    Path("mine/multirun.yaml").write_text("theirs")
    refused(gantrain("-m", "iteratoins=1,2", "hydra.sweep.dir=mine"), "iteratoins")
    assert Path("mine/multirun.yaml").exists()


def test_a_sweep_makes_one_run_per_job_and_survives_a_failed_one(gantrain):
    result = gantrain("-m", *TINY, "seed=0,1", "networks.generator.width=4,32", "hydra.sweep.dir=sweep")
    assert result.code == 0, result
    assert sorted(p.name for p in Path("sweep").iterdir() if p.is_dir()) == ["0", "1", "2", "3"]
    assert gantrain("resume", "sweep/3", "iterations=3").code == 0
    result = gantrain("-m", *TINY, "networks.generator.size=16,32", "hydra.sweep.dir=second")
    assert result.code == 1
    assert "job 1: networks.generator makes (1, 32, 32)" in result.err
    assert Path("second/0/checkpoints").is_dir()
    assert not Path("second/1").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("seed=0,x",), "job 1 of 2: seed is 'x'"),
        (("seed=x",), "job 0 of 1: seed is 'x'"),
        (("hydra/sweeper=basic", "seed=0,x"), "job 1 of 2: seed is 'x'"),
        (("seed=0,1", "models.lr=3"), "write models.players.discriminator.optimizer.lr="),
        (("seed=0,1", "iterations=3,0"), "job 1 of 4: iterations is 0"),
        (("networks.generator.width=8,x",), "job 1 of 2: networks.generator.width is 'x'"),
        ((f"{LR}=1e-4", "models.players.generator.every=1,half"), "job 1 of 2: models.players.generator.every"),
        (("losses=non_saturating,hinge,none_such",), "job 2 of 3: losses: there is no 'none_such'"),
        (("experiment=dcgan_digits,dcgan_digitz",), "job 1 of 2: experiment: there is no 'dcgan_digitz'"),
        (("callbacks.metrics.evry=1,2",), "job 0 of 2: callbacks.metrics.evry"),
        (("data.size=16,large",), "job 1 of 2: data.size is 'large'"),
        (("networks.generator.size=16,15",), "job 1 of 2: networks.generator: Generator refuses"),
        (("losses.penalties.r1.every=8,0",), "job 1 of 2: losses.penalties.r1"),
        (("data.dataset.nmae=a,b",), "job 0 of 2: data.dataset.nmae"),
    ],
)
def test_a_sweep_is_checked_whole_before_it_begins(gantrain, words, says):
    result = gantrain("-m", "debug=tiny", "hydra.sweep.dir=sweep", *words)
    refused(result, says)
    assert result.out == ""
    assert not Path("sweep").exists()


def test_what_a_launcher_takes_is_no_part_of_a_job():
    words = ("-m", "debug=tiny", "hydra/launcher=ray", "hydra.launcher.ray.init.num_cpus=2", "seed=0,1")
    check_jobs(words)
    with pytest.raises(UserError, match="job 1 of 2: seed"):
        check_jobs([*words[:-1], "seed=0,x"])


def test_means_over_seeds_carry_their_standard_errors(tmp_path):
    """Scores 1, 2 and 6 of one game: 3 +- 1.5; of the other one job alone has been measured."""
    sweep = Sweep(tmp_path)
    for number, (choice, seed, value) in enumerate(
        [("a", 0, 1.0), ("a", 1, 2.0), ("a", 2, 6.0), ("b", 0, 4.0), ("b", 1, None)]
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        if value is not None:
            result = Result({"fd": Score(value, "lower", 0.1), "kid": Score(9.0, "lower")}, {"samples": 10})
            add_scores(folder, Record("train", 5, 40, 1.0, result))
        sweep.add(Job(number, folder, {"game": choice, "seed": str(seed)}, "done", 1.0, 10.0 * number or None))
    assert sweep.means() == [
        {"game": "a", "seeds": "3", "fd": "3 +- 1.5", "images/s": "15"},
        {"game": "b", "seeds": "1", "fd": "4", "images/s": "35"},
    ]
    sweep.jobs = sweep.jobs[:3]  # seeds alone are no choice
    assert sweep.means() == []


def test_an_experiment_may_state_what_is_swept_and_the_command_line_takes_less(gantrain):
    quick = ("callbacks.samples=null", "callbacks.health=null", "evaluation=none", "logger=none")
    words = ("experiment=compare_mnist", *TINY, *quick, "seed=0")
    result = gantrain("-m", *words)
    assert result.code == 0, result
    games = sorted(file.stem for file in (configs_folder() / "game").glob("*.yaml"))
    assert sorted(row["game"] for row in table()) == games
    assert {row["outcome"] for row in table()} == {"done"}
