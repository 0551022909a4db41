"""A run of two stages that share a network: resumed inside and between them, bit for bit."""

import json
import shutil
from pathlib import Path

import pytest
from compare import differences, newest
from refusals import refused
from stopping import stop_at

from gantrain.cli.main import main
from gantrain.config.compose import composed
from gantrain.config.stages import apply_set, stages_of
from gantrain.errors import UserError

EXPERIMENT = """\
# @package _global_
# Two stages that share the generator.
defaults:
  - override /data: digits
stages:
  gan: {iterations: 4}
  copy:
    iterations: 4
    data: {dataset: {_target_: gantrain.data.images.Digits}, size: 16, channels: 1, batch_size: 8, classes: 10}
    losses: {}
    models:
      _target_: family.Copy
      players:
        student: {networks: [student], optimizer: {_target_: torch.optim.Adam, _partial_: true, lr: 1e-3}}
networks:
  generator: {z_dim: 64, width: 8, init: torch}
  discriminator: {width: 8, init: torch}
  student: {_target_: gantrain.networks.dcgan.Generator, z_dim: 64, width: 8, size: 16, channels: 1}
models:
  ema: {networks: [generator], half_life_images: 100, ramp_up: 0.5}
  players:
    discriminator: {optimizer: {lr: 1e-3}}
    generator: {optimizer: {lr: 1e-3}}
plugins: [family]
"""

FAMILY = '''\
from gantrain.models.base import GANModule


class Copy(GANModule):
    """The student learns what the frozen generator makes."""

    def draw(self, batch):
        return {"z": self.noise(batch, 64, key="z")}

    def losses(self, name, batch, shared):
        made = self.networks["generator"](batch["z"])
        assert not self.networks["generator"].training
        return {"l2": (self.networks["student"](batch["z"]) - made).square().mean()}, {}

    def preview(self, batch, generator):
        import torch

        with torch.no_grad():
            return self.networks["student"].eval()(torch.zeros(len(batch["real"]), 64))

    def networks_for_use(self):
        return ("student",)
'''


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two_stages")
    (folder / "mine" / "experiment").mkdir(parents=True)
    (folder / "mine" / "experiment" / "two_stages.yaml").write_text(EXPERIMENT)
    (folder / "family.py").write_text(FAMILY)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield ("experiment=two_stages", "--config-dir", str(folder / "mine"), "callbacks.metrics.every=1")


@pytest.fixture(scope="module")
def straight(words, tmp_path_factory):
    """A run of both stages without a stop, once."""
    folder = tmp_path_factory.mktemp("straight") / "run"
    assert main([*words, f"hydra.run.dir={folder}"]) == 0
    return folder


@pytest.fixture
def run(straight):
    """A copy of that run to go on from."""
    shutil.copytree(straight, "run")
    return Path("run")


def test_resumed_in_either_stage_it_ends_in_the_same_bits(gantrain, words, straight, monkeypatch, tmp_path):
    quick = (*words, "callbacks.networks=null")  # it only describes the networks, once is enough
    for stage, iteration in (("gan", 2), ("gan", 4), ("copy", 1), ("copy", 3)):
        run = f"stopped_{stage}_{iteration}"
        assert stop_at(gantrain, quick, monkeypatch, stage, iteration, run).code == 143
        resumed = gantrain("resume", run, "plugins=[family]")
        assert resumed.code == 0, resumed
        assert differences(newest(run, "copy"), newest(straight, "copy")) == []
        assert differences(newest(run, "gan"), newest(straight, "gan")) == []
        assert metrics(tmp_path / run) == metrics(straight)


def metrics(run):
    records = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [(r["stage"], r["iteration"], r["values"].get("copy/student/l2")) for r in records]


def test_the_second_stage_starts_from_the_averaged_generator(run):
    averaged, passed_on = newest("run", "gan")["ema"]["generator"], newest("run", "copy")["networks"]["generator"]
    assert differences(averaged, passed_on) == []


def test_finished_stages_leave_a_marker_and_tags_name_the_stage(gantrain, run, tmp_path):
    assert json.loads((tmp_path / "run/checkpoints/gan/finished.json").read_text()) == {"iterations": 4}
    records = [json.loads(line) for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
    assert [(r["stage"], r["iteration"]) for r in records] == [(s, i) for s in ("gan", "copy") for i in (1, 2, 3, 4)]
    assert "gan/discriminator/adv" in records[0]["values"]
    assert "copy/student/l2" in records[-1]["values"]
    assert (tmp_path / "run/networks/student/weights.safetensors").is_file()
    before = (tmp_path / "run/metrics.jsonl").read_text()
    again = gantrain("resume", "run", "plugins=[family]")
    assert "nothing left to train" in again.out
    assert (tmp_path / "run/metrics.jsonl").read_text() == before


def test_only_the_last_stage_can_be_prolonged(gantrain, words, run):
    assert gantrain("resume", "run", "plugins=[family]", "stages.copy.iterations=5").code == 0
    assert newest("run", "copy")["iteration"] == 5
    refused = gantrain("resume", "run", "plugins=[family]", "stages.gan.iterations=9")
    assert refused.code == 2
    assert "only the last stage can be prolonged" in refused.err
    assert "no stage 'gam'" in gantrain("resume", "run", "plugins=[family]", "stages.gam.iterations=9").err
    wrong = gantrain("resume", "run", "plugins=[family]", "evaluation=random", "evaluation.stages=[gam]")
    assert (wrong.code, "evaluation.stages: there is no stage 'gam'" in wrong.err) == (2, True)
    assert "use stages.gan.iterations=" in gantrain("resume", "run", "plugins=[family]", "iterations=9").err


def test_a_runs_plugins_need_the_users_word(gantrain, words, run):
    for verb in (["resume", "run"], ["sample", "run"]):
        refused = gantrain(*verb)
        assert refused.code == 2
        assert "plugins: this run takes code from 'family'" in refused.err
    assert "makes no pictures from noise" in gantrain("sample", "run", "--plugins", "family").err


def test_a_network_is_stated_once(gantrain, words):
    node = "{_target_:gantrain.networks.dcgan.Generator,z_dim:64,width:9,size:16,channels:1}"
    other = f"++stages.copy.networks={{generator:{node}}}"
    refused = gantrain(*words, other, "hydra.run.dir=run")
    assert refused.code == 2
    assert "stages.copy.networks.generator differs" in refused.err


ROOT = {
    "data": {"size": 28, "batch_size": 64, "augment": {"flip": False}},
    "models": {"rate": 1, "size": "${data.size}"},
    "losses": {"penalties": {"gp": {"weight": 10.0}}},
}


def placed(**stages):
    return apply_set({**ROOT, "stages": stages})


def test_a_stage_sets_single_keys_of_a_copy_of_the_roots_or_of_its_own_part():
    stages = placed(
        a={"iterations": 1, "set": {"data.size": 7, "losses": {"penalties": {"gp": {"weight": 5.0}}}}},
        b={"data": {"size": 3}, "set": {"data.batch_size": 8, "models.new": None, "losses.penalties": {}}},
        c={"iterations": 2},
    )
    assert stages["a"] == {
        "iterations": 1,
        "data": {**ROOT["data"], "size": 7},
        "losses": {"penalties": {"gp": {"weight": 5.0}}},
    }
    assert stages["b"] == {
        "data": {"size": 3, "batch_size": 8},
        "models": {**ROOT["models"], "new": None},
        "losses": {"penalties": {}},
    }
    assert stages["c"] == {"iterations": 2}
    assert ROOT["data"]["size"] == 28


@pytest.mark.parametrize(
    ("node", "says"),
    [
        (3, r"stages\.a\.set is 3; it holds keys"),
        ({"iterations": 5}, r"stages\.a\.set\.iterations: a length stands beside set, as stages\.a\.iterations"),
        ({"trainer.devices": 2}, r"stages\.a\.set\.trainer\.devices: a stage sets single keys of data, networks"),
        ({"data": 5}, r"stages\.a\.set\.data: a stage sets single keys"),
        ({"data.size.x": 5}, r"stages\.a\.set\.data\.size\.x: data\.size holds no keys"),
    ],
)
def test_what_a_stage_cannot_set(node, says):
    with pytest.raises(UserError, match=says):
        placed(a={"set": node})


def test_a_key_of_the_command_line_that_all_stages_set_is_refused(gantrain):
    refused(
        gantrain("experiment=pggan_mnist", "~stages.r28", "data.size=14"),
        "data.size: every stage of this run sets it for itself",
        "use stages.r7.set.data.size=, stages.r14.set.data.size=",
    )
    refused(gantrain("experiment=pggan_mnist", "stages.r7.set.data.sise=7"), "data.sise")
    config = composed(["experiment=pggan_mnist", "stages.r14.set.data.batch_size=8"], None)
    data = [stage.config["data"] for stage in stages_of(config)]
    assert [(node["size"], node["batch_size"]) for node in data] == [(7, 32), (14, 8), (28, 32)]
