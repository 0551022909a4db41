"""Loggers: the same points at the same iterations; a resumed run continues them; a missing package is one sentence."""

import csv
import errno
import itertools
import os
import sys
import types
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.summary.writer.record_writer import RecordWriter

from gantrain.loggers import CSV, flat

TINY = ("debug=tiny", "evaluation=none", "callbacks.samples.count=4", "callbacks.metrics.every=2")


def rows(file="run/csv/metrics.csv"):
    with Path(file).open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_csv_has_a_row_for_each_record(gantrain):
    assert gantrain(*TINY, "iterations=5", "logger=csv", "hydra.run.dir=run").code == 0
    assert [row["step"] for row in rows()] == ["2", "4", "5"]  # the last window is cut short by the end
    assert {"generator/adv", "discriminator/real_logit", "speed/images_per_second", "generator/lr"} <= set(rows()[0])
    assert not Path("run/tensorboard").exists()


def test_a_resumed_csv_keeps_what_came_before_the_checkpoint(gantrain):
    assert gantrain(*TINY, "iterations=4", "logger=csv", "hydra.run.dir=run").code == 0
    before = rows()
    with Path("run/csv/metrics.csv").open("a") as stream:  # as after a crash behind the last checkpoint
        stream.write(",".join(["0"] * (len(before[0]) - 1) + ["6"]) + "\n")
    assert [row["step"] for row in rows()] == ["2", "4", "6"]
    assert gantrain("resume", "run", "iterations=8").code == 0
    assert [row["step"] for row in rows()] == ["2", "4", "6", "8"]
    assert rows()[:2] == before
    assert rows()[2]["generator/adv"] != "0"


@pytest.mark.parametrize("cut", ["0.5,0.25", "0.5,0.25,1", "x,y,z\r\n", "1,2,3,4,5\r\n", ""])
def test_a_csv_that_a_kill_has_cut_keeps_its_whole_rows(tmp_path, cut):
    (tmp_path / "metrics.csv").write_text(f"a,b,step\r\n1,2,10\r\n3,,20\r\n5,6,30\r\n{cut}", newline="")
    kept = CSV(str(tmp_path), purge_step=25)._rows_to_keep()
    assert kept == [{"a": "1", "b": "2", "step": "10"}, {"a": "3", "step": "20"}]


def test_none_and_several_at_once(gantrain, tmp_path):
    assert gantrain(*TINY, "logger=none", "hydra.run.dir=bare").code == 0
    assert {p.name for p in Path("bare").iterdir()} >= {"metrics.jsonl", "samples"}
    assert not Path("bare/tensorboard").exists()
    (tmp_path / "mine/logger").mkdir(parents=True)
    (tmp_path / "mine/logger/both.yaml").write_text("defaults: [tensorboard, csv]\n")
    result = gantrain("--config-dir", "mine", *TINY, "iterations=4", "logger=both", "hydra.run.dir=run")
    assert result.code == 0, result
    events = EventAccumulator("run/tensorboard").Reload()
    assert [e.step for e in events.Scalars("generator/adv")] == [2, 4]
    values = [float(row["generator/adv"]) for row in rows()]
    assert values == pytest.approx([e.value for e in events.Scalars("generator/adv")])


def test_a_logger_of_lightnings_own(gantrain):
    words = ("logger=none", "+logger.plain._target_=pytorch_lightning.loggers.CSVLogger", "hydra.run.dir=run")
    result = gantrain(*TINY, "iterations=4", *words)
    assert result.code == 0, result
    assert Path("run/plain").is_dir()
    assert "tensorboard --logdir" not in result.out  # there is nothing for it


@pytest.mark.parametrize("name", ["wandb", "mlflow"])
def test_a_missing_package(gantrain, monkeypatch, name):
    monkeypatch.setitem(sys.modules, name, None)
    result = gantrain(*TINY, f"logger={name}")
    assert result.code == 2
    assert f"logger={name}" in result.err
    assert f"pip install 'gantrain[{name}]'" in result.err
    assert len(result.err.strip().splitlines()) == 1
    assert not Path("runs").exists()


def test_loggers_that_cannot_be_used_are_refused(gantrain):
    assert gantrain(*TINY, "hydra.run.dir=run").code == 0
    result = gantrain("resume", "run", "logger=none")
    assert result.code == 2
    assert "logger: a resumed run changes single keys" in result.err
    result = gantrain(*TINY, "logger=tensorbord")
    assert result.code == 2
    assert "tensorboard" in result.err


class FakeMlflow:
    """The calls that `MlflowClient` gets, with as much of an answer as they need."""

    def __init__(self):
        self.calls, self.uris = [], []

    def client(self, uri):
        self.uris.append(uri)
        return self

    def __getattr__(self, name):
        def call(*args, **options):
            self.calls.append((name, args, options))
            run = types.SimpleNamespace(info=types.SimpleNamespace(run_id="r1"))
            return {"get_experiment_by_name": None, "create_experiment": "e1", "create_run": run}.get(name)

        return call

    def of(self, name):
        return [(args, options) for called, args, options in self.calls if called == name]


@pytest.fixture
def mlflow(monkeypatch):
    fake = FakeMlflow()
    entities = types.ModuleType("mlflow.entities")
    entities.Metric = lambda key, value, timestamp, step: (key, value, step)
    entities.Param = lambda key, value: (key, value)
    module = types.ModuleType("mlflow")
    module.MlflowClient, module.entities = fake.client, entities
    monkeypatch.setitem(sys.modules, "mlflow", module)
    monkeypatch.setitem(sys.modules, "mlflow.entities", entities)
    return fake


def test_mlflow_gets_config_metrics_and_the_end(gantrain, mlflow):
    assert gantrain(*TINY, "iterations=4", "logger=mlflow", "hydra.run.dir=run").code == 0
    assert mlflow.uris == [f"sqlite:///{Path('run/mlflow/mlflow.db').absolute()}"]
    batches = mlflow.of("log_batch")
    params = dict(p for _, options in batches for p in options.get("params", []))
    assert params["data.size"] == "16"
    points = [m for _, options in batches for m in options.get("metrics", []) if m[0] == "generator/adv"]
    assert [step for _, _, step in points] == [2, 4]
    assert mlflow.of("set_terminated") == [(("r1", "FINISHED"), {})]
    mlflow.calls.clear()
    assert gantrain("resume", "run", "iterations=6").code == 0  # the same run goes on
    assert mlflow.of("update_run") == [(("r1",), {"status": "RUNNING"})]
    assert not mlflow.of("create_run")
    assert not any("params" in options for _, options in mlflow.of("log_batch"))


class FakeWandb(types.ModuleType):
    """`wandb.init` and the run that it gives."""

    def __init__(self):
        super().__init__("wandb")
        self.run, self.begun, self.logged = None, [], []
        self.Image = lambda picture, **options: picture

    def init(self, **options):
        self.begun.append(options)
        self.run = types.SimpleNamespace(id=options["id"] or "w1", log=self.logged.append, finish=self.finish)
        return self.run

    def finish(self, exit_code):
        self.run = None


@pytest.fixture
def wandb(monkeypatch):
    fake = FakeWandb()
    inner = {"wandb.sdk": {}, "wandb.sdk.lib": {"RunDisabled": type(None)}, "wandb.wandb_run": {"Run": type(None)}}
    monkeypatch.setitem(sys.modules, "wandb", fake)
    for name, members in inner.items():
        module = types.ModuleType(name)
        vars(module).update(members)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr("pytorch_lightning.loggers.wandb._WANDB_AVAILABLE", True)
    monkeypatch.setenv("WANDB_MODE", "")
    return fake


def test_wandb_gets_config_metrics_and_pictures(gantrain, wandb):
    assert gantrain(*TINY, "iterations=4", "logger=wandb", "hydra.run.dir=run").code == 0
    (begun,) = wandb.begun
    assert (begun["project"], begun["dir"], begun["name"]) == ("gantrain", "run", "cgan_digits run")
    assert begun["config"]["data"]["size"] == 16
    points = [p for p in wandb.logged if "generator/adv" in p]
    assert [p["trainer/global_step"] for p in points] == [2, 4]
    shown = [p["samples"][0].size for p in wandb.logged if "samples" in p]
    assert shown == [(502, 52)] * 2  # one latent in ten classes, at the start and the end
    assert wandb.run is None  # closed: the next job of a sweep would write into it
    assert gantrain("resume", "run", "iterations=6").code == 0
    assert wandb.begun[1]["id"] == Path("run/wandb/id.txt").read_text() == "w1"


def test_nested_keys():
    assert flat({"a": {"b": 1, "c": {}}, "d": [1, 2]}) == {"a.b": 1, "a.c": {}, "d": [1, 2]}


@pytest.mark.parametrize("written", [0, 4])
def test_a_disk_that_is_full_for_tensorboard_alone(gantrain, monkeypatch, written):
    """Its thread ends there; the run ends in a sentence with its last checkpoint, and goes on later."""
    write, records = RecordWriter.write, itertools.count()

    def full(self, data):
        if next(records) >= written:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(self, data)

    words = ("debug=tiny", "iterations=6", "callbacks.metrics.every=1", "callbacks.samples.count=4")
    with monkeypatch.context() as patch:
        patch.setattr(RecordWriter, "write", full)
        result = gantrain(*words, "callbacks.checkpoint.every_seconds=0", "hydra.run.dir=run")
    assert result.code == 2, result
    assert "gantrain: run: the disk is full; the last whole checkpoint is kept" in result.err
    assert "Traceback" not in result.err
    assert gantrain("resume", "run").code == 0
