"""Training from the command line: one clear sentence for every mistake, and nothing left behind."""

import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from idx import make_mnist, write_idx
from refusals import refused

from gantrain.run.folder import Run

TINY = ("debug=tiny", "callbacks.samples.count=4")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["experiment=dcgan_mnits"], ["experiment", "'dcgan_mnits'", "'dcgan_mnist'"]),
        (["iteratoins=3"], ["iteratoins", "write iterations="]),
        (["+iteratoins=3"], ["iteratoins", "'iterations'"]),
        (["data.batchsize=3"], ["data.batchsize", "'batch_size'"]),
        (["networks.generator.widht=3"], ["networks.generator.widht", "'width'"]),
        (["models.players.generator.evry=3"], ["models.players.generator.evry", "'every'"]),
        (["models.players.generator.optimizer.lrr=3"], ["models.players.generator.optimizer.lrr", "'lr'"]),
        (["losses=hinge_"], ["losses", "'hinge'"]),
        (["losses=WGAN-GP"], ["losses: there is no", "write losses=wasserstein_gp"]),
        (["losses=lsgan"], ["write losses=least_squares"]),
        (["lossez=minimax"], ["lossez", "write losses="]),
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
        (
            ["experiment=stylegan2_mnist", "losses.penalties.path_length.weight=1"],
            ["'losses.penalties.path_length={_target_: gantrain.losses.path_length.PathLength, weight: 1, every: 4}'"],
        ),
        (["experiment=stylegan2_mnist", "losses.penalties.path_lenth.weight=1"], ["losses.penalties.r1.weight="]),
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
        (["evaluation=5"], ["evaluation", "'5'", "dataset, holes, none, pairs"]),
        (["data=null"], ["data", "'null'", "digits"]),
        (["trainer=null"], ["trainer", "'null'", "default"]),
        (["losses=null"], ["losses=none"]),
        (["hydra.run.dir="], ["hydra.run.dir: empty"]),
        (["experiment=dcgan_folder", "data.root=~/no such (folder)"], [f"{Path.home()}/no such (folder) is not there"]),
        (["experiment=dcgan_folder", "data.root=[a]"], ["data.root is ['a']"]),
        (["experiment=dcgan_folder", "data.root=null"], ["point data.root= at the folder of pictures"]),
        (["data.dataset.crop=a(b"], ["gantrain: 'data.dataset.crop=a(b' is no override", "special characters"]),
        (["dcgan_mnist"], ["gantrain experiment=dcgan_mnist"]),
        (["cyclegan_small", "epochs=5"], ["gantrain experiment=cyclegan_small"]),
        (["-m", "wgan_mnist", "seed=0,1"], ["gantrain experiment=wgan_mnist"]),
        (["train", "sngan_mnist"], ["gantrain experiment=sngan_mnist"]),
        (["dcgan_mnits"], ["'dcgan_mnist'"]),
        (["data", "gan_mnist"], ["experiment=gan_mnist"]),
        (["view", "runs/x"], ["`gantrain report`"]),
        (["generate", "runs/x"], ["`gantrain sample`"]),
        (["help", "sampel"], ["'sample'"]),
        (["epochs", "5"], ["epochs=5"]),
        (["lr=1e-4"], ["models.players.discriminator.optimizer.lr=", "models.players.generator.optimizer.lr="]),
        (["optimizer.lr=1"], ["models.players.generator.optimizer.lr="]),
        (["models.lr=1e-4"], ["models.players.discriminator.optimizer.lr=", "models.players.generator.optimizer.lr="]),
        (["networks.width=8"], ["networks.generator.width=", "networks.discriminator.width="]),
        (["networks.G.width=8"], ["write networks.generator.width="]),
        (["evaluation.batch_size=8"], ["write data.batch_size="]),
        (["trainer.epochs=8"], ["write epochs="]),
        (["losses.lambda=8"], ["write losses.penalties.r1.weight="]),
        (["models.players.generator.lr=1"], ["models.players.generator.optimizer.lr="]),
        (["experiment=srgan_photos", "lr=1"], ["stages.pretrain.models.players.generator.optimizer.lr="]),
        (["batch_size=32"], ["data.batch_size="]),
        (["latent_dim=32"], ["networks.generator.z_dim="]),
        (["trainer.max_epochs=3"], ["epochs="]),
        (["--epochs", "5"], ["--epochs: ", "epochs=5"]),
        (["experiment=dcgan_mnist", "--seed=3"], ["--seed: ", "write seed=3"]),
        (["--learning-rate", "1e-4", "debug=tiny"], ["models.players.generator.optimizer.lr=1e-4"]),
        (["--gpus", "2"], ["trainer.devices=2"]),
        (["--output-dir", "x"], ["hydra.run.dir=x"]),
        (("health=null",), ("health: there is no such key; write callbacks.health=null",)),
        (("callbacks.health=3",), ("leave it out with callbacks.health=null",)),
        (("+losses.penalties.r11=null",), ("losses.penalties.r11 is null", "did you mean 'r1'?\n")),
        (("networks.generator=null",), ("name a class with _target_; leave out networks.generator=null\n",)),
        (("models.players.generator=null",), ("or be left out; leave out models.players.generator=null\n",)),
        (("experiment=r3gan_mnist", "losses=hinge"), ("losses.penalties.r1", "leave it out with ~losses.penalties.r1")),
        *(
            (("losses=hinge", f"losses.adversarial.{key}=0.1"), (f"{key}: Hinge has no such option; leave it out\n",))
            for key in ("flip", "target")  # data.augment.flip and losses.adversarial._target_ are others
        ),
        (
            ("models/augment=noise", "models/augment=adaptive"),
            ("models/augment=[noise,adaptive]",),
        ),
        (("experiment=r3gan_mnist", "game=hinge_sn"), ("leave it out with ~networks.discriminator.spectral",)),
    ],
)
def test_a_config_that_cannot_be_trained_is_refused_in_one_sentence(gantrain, words, says):
    refused(gantrain(*words), *says)


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


def test_a_refused_run_takes_back_its_own_directories_only(gantrain):
    Path("mine/own").mkdir(parents=True)
    refused(gantrain("iterations=0", "hydra.run.dir=mine/own/a/b/c"), "iterations")
    assert sorted(Path("mine").rglob("*")) == [Path("mine/own")]


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


def test_hydras_own_words_leave_the_caller_as_it_was(gantrain, monkeypatch):
    monkeypatch.setenv("HYDRA_FULL_ERROR", "0")
    before = list(sys.argv)
    assert "batch_size: 7" in gantrain("--cfg", "job", "data.batch_size=7").out
    refused(gantrain("experiment=dcgan_mnits"), "experiment")
    assert "batch_size" in gantrain("data.batch_size=8", "--cfg", "job", "--package", "data").out
    assert (sys.argv, os.environ["HYDRA_FULL_ERROR"]) == (before, "0")
    monkeypatch.delenv("HYDRA_FULL_ERROR")
    refused(gantrain("experiment=dcgan_mnits"), "experiment")
    assert (sys.argv, os.environ.get("HYDRA_FULL_ERROR")) == (before, None)
