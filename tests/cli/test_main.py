"""The program from the outside: verbs, help, and one clear sentence for every mistake."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from compare import newest
from idx import make_mnist, write_idx
from PIL import Image

import gantrain as package
from gantrain.cli.main import main
from gantrain.run.exports import load_network
from gantrain.run.folder import Run

TINY = ("debug=tiny", "callbacks.samples.count=4")


@pytest.fixture(scope="module")
def saved_often(tmp_path_factory):
    """A run of four iterations with a checkpoint after each, once."""
    folder = tmp_path_factory.mktemp("saved_often") / "run"
    assert main([*TINY, "callbacks.checkpoint.every_seconds=0", "iterations=4", f"hydra.run.dir={folder}"]) == 0
    return folder


def refused(result, *words):
    """One sentence, exit 2, no traceback, no directory left behind."""
    assert result.code == 2, result
    assert result.err.startswith("gantrain: ")
    assert len(result.err.strip().splitlines()) == 1, result.err
    for word in words:
        assert word in result.err, result.err
    assert "Traceback" not in result.err
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["experiment=dcgan_mnits"], ["experiment", "'dcgan_mnits'", "'dcgan_mnist'"]),
        (["iteratoins=3"], ["iteratoins", "'iterations'"]),
        (["+iteratoins=3"], ["iteratoins", "'iterations'"]),
        (["data.batchsize=3"], ["data.batchsize", "'batch_size'"]),
        (["networks.generator.widht=3"], ["networks.generator.widht", "'width'"]),
        (["models.players.generator.evry=3"], ["models.players.generator.evry", "'every'"]),
        (["models.players.generator.optimizer.lrr=3"], ["models.players.generator.optimizer.lrr", "'lr'"]),
        (["losses=hinge_"], ["losses", "'hinge'"]),
        (["lossez=minimax"], ["lossez", "'losses'"]),
        (["sampel", "RUN"], ["'sampel' is no verb", "'sample'"]),
        (["iterations=3", "epochs=2"], ["iterations and epochs are both set"]),
        (["iterations=0"], ["iterations is 0"]),
        (["epochs=-1"], ["epochs is -1"]),
        (["iterations=many"], ["iterations is 'many'"]),
        (["data.batch_size=0"], ["data.batch_size is 0"]),
        (["data.batch_size=2000"], ["data.batch_size", "2000", "1797"]),
        (["networks.generator.size=32"], ["networks.generator", "(1, 32, 32)", "(1, 16, 16)", "data.size"]),
        (["networks.discriminator.channels=3"], ["networks.discriminator", "data.channels"]),
        (["networks.generator._target_=os.system"], ["networks.generator._target_", "os.system"]),
        (["networks.generator=null"], ["networks.generator"]),
        (["trainer.precision=16-mixed"], ["trainer.precision=16-mixed needs a GPU", "bf16-mixed"]),
        (["trainer.precision=half"], ["trainer.precision", "32-true"]),
        (["trainer.accelerator=gpu"], ["trainer.accelerator=gpu", "cpu"]),
        (["trainer.accelerator=quantum"], ["trainer.accelerator", "auto, cpu or gpu"]),
        (["trainer.devices=0"], ["trainer.devices is 0"]),
        (["models.ema.networks=[critic]"], ["models.ema.networks", "'critic'"]),
        (["models.microbatches=7"], ["models.microbatches", "64"]),
        (["seed=x"], ["seed is 'x'"]),
        (["data.size=${data.sise}"], ["data.size: ", "data.sise"]),
        (["plugins=[no_such_module]"], ["plugins", "no_such_module"]),
        (["init_from=nowhere"], ["nowhere is no run"]),
        (["data.range=[1,-1]"], ["data", "range"]),
        (["networks.generator.output_stride=0"], ["networks.generator", "zero"]),
        (["experiment=dcgan_folder", f"data.root={'a' * 300}"], ["aaa: File name too long"]),
        (["data.dataset=null"], ["data", "dataset is None, it must name a class"]),
        (["models.players.generator.optimizer=null"], ["models.players.generator.optimizer is None"]),
        (["models.players.generator.optimizer=5"], ["models.players.generator.optimizer is 5"]),
        (["models.players.generator.schedule=x"], ["models.players.generator.schedule is 'x'"]),
        (["trainer.deterministic=foo"], ["trainer.deterministic is 'foo'"]),
        (["callbacks.samples.every=0"], ["callbacks.samples", "every"]),
        (["a=b=c"], ["key=value"]),
        (["--multirum"], ["--multirum", "'--multirun'"]),
        (["networks.generator.width=-1"], ["networks.generator"]),
        (["networks.generator.init=glorrot"], ["networks.generator", "glorrot"]),
        (["losses.adversarial.real=foo"], ["losses.adversarial", "foo"]),
        (["models.players.generator.optimizer.lr=-1"], ["models.players", "-1"]),
        (["data.batch_size=abc", "debug=tiny"], ["data.batch_size is 'abc'"]),
        (["networks.generator=null", "debug=tiny"], ["networks.generator is None"]),
        (["~trainer.precision"], ["trainer.precision"]),
        (["+evaluation.fid=1"], ["evaluation"]),
        (["data.on_error=banana"], ["data", "banana"]),
        (["experiment=dcgan_mnist"], ["data.root", "MNIST/raw", "download=true"]),
        (["experiment=dcgan_mnist", "data.root=nowhere"], ["data.root", "nowhere"]),
        (["--config-dir", "nowhere"], ["--config-dir", "nowhere"]),
        (["experiment=dcgan_folder", "data.root=2024"], ["data.root", "2024"]),
        (["models.players.generator=null"], ["models.players.generator is None", "optimizer"]),
        (["models.players=3"], ["models.players is 3"]),
        (["losses.penalties=5"], ["losses.penalties is 5"]),
        (["models.ema=5"], ["models.ema is 5"]),
        (["models.players.generator.optimizer.lr=abc"], ["models.players.generator.optimizer", "lr=abc"]),
        (["models.players.discriminator.optimizer.betas=1"], ["models.players.discriminator.optimizer", "betas=1"]),
        (["data.range.x=5"], ["gantrain: data.range.x=5: ", "'x'"]),
        (["~data"], ["data: nothing is set"]),
        (["networks=null"], ["networks", "networks=none"]),
        (["evaluation=5"], ["evaluation", "'5'", "dataset, none, pairs, random"]),
        (["data=null"], ["data", "'null'", "digits"]),
        (["trainer=null"], ["trainer", "'null'", "default"]),
        (["losses=null"], ["losses=none"]),
        (["hydra.run.dir="], ["hydra.run.dir: empty"]),
        (["experiment=dcgan_folder", "data.root=~/no such (folder)"], [f"{Path.home()}/no such (folder) is not there"]),
        (["experiment=dcgan_folder", "data.root=[a]"], ["data.root is ['a']"]),
        (["experiment=dcgan_folder", "data.root=null"], ["point data.root= at the folder of pictures"]),
        (["data.dataset.crop=a(b"], ["gantrain: 'data.dataset.crop=a(b' is no override", "special characters"]),
    ],
)
def test_mistakes(gantrain, words, says):
    refused(gantrain(*words), *says)


def test_a_bug_in_training_is_no_mistake_of_the_user(gantrain, monkeypatch):
    def bug(*_):
        raise ValueError("a bug")

    monkeypatch.setattr("gantrain.models.latent.LatentGAN.losses", bug)
    with pytest.raises(ValueError, match="a bug"):
        gantrain(*TINY, "hydra.run.dir=run")


def test_a_group_that_a_users_file_empties(gantrain, tmp_path):
    (tmp_path / "mine/experiment").mkdir(parents=True)
    (tmp_path / "mine/experiment/bare.yaml").write_text("# @package _global_\niterations: 1\ncallbacks: null\n")
    refused(gantrain("--config-dir", "mine", "experiment=bare"), "callbacks: nothing is set")


def test_a_callbacks_mistake_leaves_no_directory(gantrain):
    refused(gantrain("callbacks.checkpoint.keep=0", "hydra.run.dir=runs/x"), "callbacks.checkpoint", "keep")
    refused(gantrain("callbacks.checkpoint=null", "hydra.run.dir=runs/x"), "callbacks.checkpoint")
    refused(gantrain("logger.tensorboard._target_=torch.nn.Linear", "hydra.run.dir=runs/x"), "logger.tensorboard")


def test_damaged_idx_files(gantrain, tmp_path):
    make_mnist(tmp_path / "mnist")
    file = tmp_path / "mnist/MNIST/raw/train-images-idx3-ubyte"
    file.write_bytes(file.read_bytes()[:1000])
    refused(gantrain("experiment=dcgan_mnist", "data.root=mnist"), "data.root", str(Path("mnist/MNIST/raw")), "damaged")


def test_mnist_files_train(gantrain, tmp_path):
    make_mnist(tmp_path / "mnist")
    words = ("experiment=gan_mnist", "data.root=mnist", "iterations=2", "data.batch_size=8", "hydra.run.dir=run")
    result = gantrain(*words, "networks.generator.width=8", "networks.discriminator.width=8")
    assert result.code == 0, result
    assert "64 images, 1x28x28" in result.out
    # the run remembers where the data are, from wherever it is resumed
    assert Path(Run("run").config()["data"]["root"]).is_absolute()
    shutil.move("mnist", "elsewhere")
    refused(gantrain("resume", "run", "iterations=3"), "data.root")
    assert gantrain("resume", "run", "iterations=3", "data.root=elsewhere").code == 0


def test_a_pair_of_wrong_mnist_shapes(gantrain, tmp_path):
    make_mnist(tmp_path / "mnist")
    write_idx(tmp_path / "mnist/MNIST/raw/train-labels-idx1-ubyte", np.zeros(5))
    refused(gantrain("experiment=dcgan_mnist", "data.root=mnist"), "64 images but 5 labels")


def test_a_directory_that_holds_a_run_is_refused(gantrain, run):
    before = sorted(run.rglob("*"))
    refused(gantrain(*TINY, "hydra.run.dir=run"), "already holds a run", "gantrain resume run")
    assert sorted(run.rglob("*")) == before


def test_a_directory_with_pictures_of_another_program_is_refused_before_any_goes(gantrain, tmp_path):
    picture = tmp_path / "samples/000123.png"
    picture.parent.mkdir()
    picture.write_bytes(b"not ours")
    refused(gantrain(*TINY, "hydra.run.dir=."), "hydra.run.dir", "already holds samples")
    assert picture.read_bytes() == b"not ours"
    for name in ("networks", "metrics.jsonl"):
        (tmp_path / "other" / name).mkdir(parents=True)
        refused(gantrain(*TINY, "hydra.run.dir=other"), f"already holds {name}")
        (tmp_path / "other" / name).rmdir()


def test_an_unwritable_run_directory(gantrain, tmp_path):
    (tmp_path / "file").write_text("")
    refused(gantrain(*TINY, "hydra.run.dir=file/run"), "hydra.run.dir", "file")


def test_tied_and_normalised_weights_of_ones_own(gantrain, tmp_path, monkeypatch):
    (tmp_path / "tied.py").write_text(
        "from torch.nn.utils import spectral_norm\n\n"
        "from gantrain.networks.dcgan import Generator\n\n\n"
        "class Tied(Generator):\n"
        "    def __init__(self, **options):\n"
        "        super().__init__(**options)\n"
        "        spectral_norm(self.layers[0])\n"
        "        self.again = self.layers\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    words = (*TINY, "plugins=[tied]", "networks.generator._target_=tied.Tied", "hydra.run.dir=run")
    assert gantrain(*words).code == 0
    whole = package.load("run", plugins=["tied"])["generator"]
    exported = load_network("run/networks/generator", plugins=["tied"])
    assert torch.equal(whole(torch.ones(1, 64)), exported(torch.ones(1, 64)))
    # and another run starts from it, wherever it is resumed
    assert gantrain(*words[:-1], "init_from=run", "hydra.run.dir=second").code == 0
    assert Run("second").config()["init_from"] == str(tmp_path / "run")
    refused(gantrain(*TINY, "init_from=run", "hydra.run.dir=third"), "plugins", "tied")


def test_use_of_what_is_no_run(gantrain, tmp_path):
    (tmp_path / "empty").mkdir()
    for verb in ("sample", "resume"):
        refused(gantrain(verb, "empty"), "empty is no run")
        refused(gantrain(verb, "nowhere"), "nowhere is no run")


def test_a_run_without_a_checkpoint(gantrain, run):
    shutil.rmtree(run / "checkpoints")
    shutil.rmtree(run / "networks")
    refused(gantrain("sample", "run"), "no checkpoint yet", "gantrain resume run")


def test_exported_networks_serve_where_the_checkpoints_are_gone(gantrain, run):
    assert gantrain("sample", "run", "-n", 4, "--out", "a").code == 0
    shutil.rmtree(run / "checkpoints")
    assert gantrain("sample", "run", "-n", 4, "--out", "b").code == 0
    for name in ("0.png", "3.png"):
        assert Path("a", name).read_bytes() == Path("b", name).read_bytes()


def test_a_config_edited_into_another_network(gantrain, run):
    config = yaml.safe_load((run / ".hydra/config.yaml").read_text())
    config["networks"]["generator"]["width"] = 16
    (run / ".hydra/config.yaml").write_text(yaml.safe_dump(config))
    refused(gantrain("sample", "run"), "config.yaml", "layers.0.weight", "undo the edit")
    refused(gantrain("resume", "run", "iterations=5"), "config.yaml", "layers.0.weight", "undo the edit")


def test_a_damaged_config(gantrain, run):
    for text in ("{", "[1, 2]", "seed: 0\n", "\0", "seed: 2020-13-45\n"):
        (run / ".hydra/config.yaml").write_text(text)
        refused(gantrain("sample", "run"), "config.yaml")
        refused(gantrain("resume", "run"), "config.yaml")


@pytest.mark.parametrize(
    "override",
    [
        "iterations=null",
        "trainer=null",
        "data.root=null",
        "data.root=",
        "data.root=[a]",
        "logger=3",
        "seed=3",
        "data.batch_size=4",
        "networks.generator.width=9",
        "trainer.precision=bf16-mixed",
        "experiment=x",
        "x",
    ],
)
def test_forbidden_overrides_on_resume(gantrain, run, override):
    refused(gantrain("resume", "run", override), override.partition("=")[0])


def test_allowed_overrides_on_resume(gantrain, run, tmp_path):
    result = gantrain(
        "resume", "run", "iterations=3", "trainer.accelerator=cpu", "evaluation=null", f"data.root={tmp_path}"
    )
    assert result.code == 0, result
    assert newest("run")["iteration"] == 3
    assert gantrain("resume", "run", "epochs=1").code == 0
    assert newest("run")["iteration"] == 8  # 64 images in batches of 8
    assert gantrain("resume", "run", "iterations=9", "data.cache_dir=2024-01-01").code == 0
    assert Run("run").config()["data"]["cache_dir"] == str(tmp_path / "2024-01-01")
    assert any((tmp_path / "2024-01-01").iterdir())


def test_a_run_remembers_its_cache_from_wherever_it_is_resumed(gantrain, tmp_path):
    assert gantrain(*TINY, "data.cache_dir=mine", "hydra.run.dir=run").code == 0
    assert Run("run").config()["data"]["cache_dir"] == str(tmp_path / "mine")


def test_threads_are_those_of_one_run(gantrain):
    before = torch.get_num_threads()
    short = ("iterations=1", "evaluation=none", "callbacks.networks=null")  # threads wait for each other
    result = gantrain(*TINY, *short, f"trainer.threads={before + 1}", "hydra.run.dir=run")
    assert f"({before + 1} threads)" in result.out
    assert torch.get_num_threads() == before


def test_what_a_kill_left_in_the_middle_of_a_save_goes(gantrain, run):
    cut_off = run / "checkpoints/train/.00000003.ckpt.4711"
    cut_off.write_bytes(b"half")
    assert gantrain("resume", "run", "iterations=3").code == 0
    assert not cut_off.exists()
    assert newest("run")["iteration"] == 3


def test_a_finished_run_trains_nothing(gantrain, run):
    before = (run / "checkpoints/train/00000002.ckpt").read_bytes()
    result = gantrain("resume", "run")
    assert result.code == 0
    assert "nothing left to train" in result.out
    assert (run / "checkpoints/train/00000002.ckpt").read_bytes() == before
    config = (run / ".hydra/config.yaml").read_text()
    refused(gantrain("resume", "run", "iterations=1"), "iterations", "2")
    assert (run / ".hydra/config.yaml").read_text() == config


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "other", "hostile", "lacking", "wrong"])
def test_a_corrupt_last_checkpoint_falls_back_to_the_one_before(gantrain, saved_often, damage):
    shutil.copytree(saved_often, "run")
    last = Path("run/checkpoints/train/00000004.ckpt")
    data = bytearray(last.read_bytes())
    if damage == "truncated":
        last.write_bytes(data[: len(data) // 2])
    elif damage == "flipped":
        weight = newest("run")["networks"]["discriminator"]["head.weight"]
        data[data.find(weight.numpy().tobytes()) + 5] ^= 1
        last.write_bytes(data)
    elif damage == "empty":
        last.write_bytes(b"")
    elif damage == "other":
        torch.save({"something": torch.zeros(3)}, last)
    elif damage == "lacking":
        torch.save({key: value for key, value in newest("run").items() if key != "iteration"}, last)
    elif damage == "wrong":
        torch.save({**newest("run"), "optimizers": 3}, last)
    else:
        torch.save({"networks": Opens()}, last)
    result = gantrain("resume", "run")
    assert result.code == 0, result
    assert "00000004.ckpt cannot be read" in result.err
    assert "trying the one before" in result.err
    assert newest("run")["iteration"] == 4
    assert not Path("hacked").exists()
    assert Path("run/checkpoints/train/00000004.ckpt.broken").exists()


def test_a_run_whose_checkpoints_are_all_damaged_is_left_alone(gantrain, saved_often):
    shutil.copytree(saved_often, "run")
    for file in Path("run/checkpoints/train").glob("*.ckpt"):
        file.write_bytes(b"")
    before = {file: file.read_bytes() for file in Path("run").rglob("*") if file.is_file()}
    result = gantrain("resume", "run", "iterations=5")
    assert result.code == 2
    assert "none of its checkpoints can be read" in result.err
    config = Path("run/.hydra/config.yaml")
    assert {file: file.read_bytes() for file in before if file != config} == {
        file: data for file, data in before.items() if file != config
    }


class Opens:
    """What a hostile checkpoint would run when it is unpickled."""

    def __reduce__(self):
        return (Path.touch, (Path("hacked"),))


def test_a_full_disk_keeps_the_last_checkpoint(gantrain, monkeypatch):
    save = torch.save

    def full(state, stream):
        if state["iteration"] <= 2:
            return save(state, stream)
        with Path("/dev/full").open("wb") as nowhere:  # a disk without space, as torch meets it
            return save(state, nowhere)

    words = (*TINY, "iterations=4", "callbacks.checkpoint.every_seconds=0", "hydra.run.dir=run")
    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", full)
        result = gantrain(*words)
    assert result.code == 2
    assert "the disk is full" in result.err
    assert "gantrain resume run" in result.err
    assert "Traceback" not in result.err
    assert {file.name for file in Path("run/checkpoints/train").iterdir()} == {"00000001.ckpt", "00000002.ckpt"}
    assert gantrain("resume", "run").code == 0


def test_divergence_stops_with_the_last_good_checkpoint_and_likely_causes(gantrain):
    words = (*TINY, "iterations=50", "callbacks.checkpoint.every_seconds=0", "hydra.run.dir=run")
    result = gantrain(*words, "models.players.generator.optimizer.lr=1e38")
    assert result.code == 1, result
    assert "is not finite" in result.err
    assert "learning rate" in result.err
    assert str(Path("run/checkpoints")) in result.err
    assert "not finished" in Path("run/report.html").read_text()
    assert "Traceback" not in result.err
    assert all(torch.isfinite(w).all() for net in newest("run")["networks"].values() for w in net.values())


def test_init_from_starts_from_another_runs_networks(gantrain, run):
    assert gantrain(*TINY, "init_from=run", "hydra.run.dir=second", "iterations=1").code == 0
    # its first grid shows the other run's last one
    assert Path("second/samples/00000000.png").read_bytes() == Path("run/samples/00000002.png").read_bytes()
    slow = ("models.players.discriminator.optimizer.lr=0", "losses.penalties=null", "iterations=1")
    assert gantrain(*TINY, "init_from=run", *slow, "hydra.run.dir=third").code == 0
    result = gantrain(*TINY, "init_from=run", "networks.generator.width=7", "hydra.run.dir=runs/fourth")
    refused(result, "init_from", "networks.generator", "layers.0.weight")
    theirs, ours = newest("run")["networks"]["discriminator"], newest("third")["networks"]["discriminator"]
    assert all(torch.equal(theirs[key], ours[key]) for key in theirs)  # the discriminator as well
    shutil.rmtree("run")
    assert gantrain("resume", "second", "iterations=2").code == 0  # it has its own weights by now


def test_experiments_of_ones_own(gantrain, tmp_path):
    mine = tmp_path / "mine" / "experiment"
    mine.mkdir(parents=True)
    text = "# @package _global_\n# Mine.\ndefaults: [dcgan_digits, _self_]\nnetworks: {generator: {width: 6}}\n"
    (mine / "my_digits.yaml").write_text(text)
    result = gantrain("experiment=my_digits", "--config-dir", "mine", *TINY, "hydra.run.dir=run")
    assert result.code == 0, result
    assert Run("run").config()["networks"]["generator"]["width"] == 6
    assert "my_digits" in gantrain("list", "--config-dir", "mine").out
    (mine / "dcgan_digits.yaml").write_text(text)
    refused(gantrain("experiment=my_digits", "--config-dir", "mine", *TINY), "dcgan_digits.yaml", "rename it")


def test_sample(gantrain):
    assert gantrain(*TINY, "models.ema.ramp_up=null", "hydra.run.dir=run").code == 0
    run = Path("run")
    assert gantrain("sample", "run").out.strip() == str(run / "samples.png")
    assert Image.open(run / "samples.png").size == (8 * 50 + 2, 8 * 50 + 2)
    for out, options in (("a.png", []), ("b.png", []), ("c.png", ["--seed", 1]), ("d.png", ["--raw"])):
        assert gantrain("sample", "run", "-n", 5, "--out", out, *options).code == 0
    a, b, c, d = (Path(f"{name}.png").read_bytes() for name in "abcd")
    assert a == b
    assert a != c
    assert a != d
    assert gantrain("sample", "run", "-n", 12, "--out", "folder/of/pictures").code == 0
    assert sorted(p.name for p in Path("folder/of/pictures").iterdir())[-1] == "11.png"
    assert Image.open("folder/of/pictures/00.png").size == (16, 16)
    refused(gantrain("sample", "run", "-n", 0), "-n is 0")


def test_three_lines_of_python(run):
    generator = package.load("run")["generator"]
    images = generator(torch.randn(2, generator.z_dim))
    assert images.shape == (2, 1, 16, 16)
    assert not generator.training
    raw = package.load("run", raw=True)["generator"]
    assert not torch.equal(raw(torch.ones(1, 64)), generator(torch.ones(1, 64)))


def test_a_runs_directory_holds_what_the_design_says(run):
    for name in ("weights.safetensors", "ema.safetensors", "config.json"):
        assert (run / "networks/generator" / name).is_file()
    assert {p.name for p in (run / "samples").iterdir()} == {"00000000.png", "00000002.png", "progress.gif"}
    assert list((run / "tensorboard").glob("events.out.tfevents.*"))
    assert (run / ".hydra/config.yaml").is_file()


def test_the_console_is_short(gantrain):
    result = gantrain(*TINY, "hydra.run.dir=run")
    lines = result.out.strip().splitlines()
    facts = [line.split("  ")[0] for line in lines[:6]]
    assert facts == ["experiment", "run", "data", "parameters", "length", "device"]
    assert len(lines) <= 13
    assert result.err == ""
    assert (Path("run") / "report.html").is_file()


def test_list_names_experiments_and_their_data(gantrain, tmp_path, monkeypatch):
    listed = gantrain("list").out
    assert "dcgan_digits" in listed
    assert "(built in)" in listed
    assert "(not found)" in listed
    make_mnist(tmp_path / "sets")
    monkeypatch.setenv("GANTRAIN_DATA", str(tmp_path / "sets"))
    assert "(found)" in gantrain("list").out
    words = ("experiment=gan_mnist", "iterations=1", "data.batch_size=8", "hydra.run.dir=run")
    assert gantrain(*words).code == 0  # and training finds it there as well


@pytest.mark.parametrize("words", [("list",), ("--help",), ("--version",)])
def test_list_and_help_answer_at_once(words):
    began = time.perf_counter()
    code = (
        "import sys; from gantrain.cli.main import main; code = main(sys.argv[1:]);"
        "sys.exit(code or any(m in sys.modules for m in ('torch', 'hydra', 'omegaconf')))"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout
    assert time.perf_counter() - began < 1.0


def test_a_refused_run_takes_back_its_own_directories_only(gantrain):
    Path("mine/own").mkdir(parents=True)
    refused(gantrain("iterations=0", "hydra.run.dir=mine/own/a/b/c"), "iterations")
    assert sorted(Path("mine").rglob("*")) == [Path("mine/own")]


def test_a_rejected_sweep_leaves_nothing(gantrain):
    refused(gantrain("-m", "iteratoins=1,2"), "iteratoins")
    refused(gantrain("-m", "iteratoins=1,2", "hydra.sweep.dir=mine/own"), "iteratoins")
    assert not Path("mine").exists()
    Path("mine").mkdir()
    Path("mine/multirun.yaml").write_text("theirs")
    refused(gantrain("-m", "iteratoins=1,2", "hydra.sweep.dir=mine"), "iteratoins")
    assert Path("mine/multirun.yaml").exists()


def test_loading_a_run_leaves_the_callers_generators_alone(run):
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    package.load("run")
    assert torch.equal(torch.rand(1), expected)


def test_exports_are_readable_for_others(run):
    assert (run / "networks/generator/weights.safetensors").stat().st_mode & 0o044 == 0o044


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
