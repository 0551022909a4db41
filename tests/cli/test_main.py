"""The program from the outside: verbs and help."""

import contextlib
import io
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from PIL import Image
from refusals import refused

from gantrain.cli.main import main
from gantrain.run.folder import Run


@pytest.mark.parametrize("words", [("list",), ("--help",), ("--version",)])
def test_list_and_help_answer_at_once(words):
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    code = (
        "import sys; from gantrain.cli.main import main; code = main(sys.argv[1:]);"
        "sys.exit(code or any(m in sys.modules for m in ('torch', 'hydra', 'omegaconf')))"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < 1.0  # seconds of a CPU


HELPS = """
import contextlib, io, sys
from gantrain.cli.main import VERBS, main

for verb in VERBS:
    with contextlib.redirect_stdout(io.StringIO()) as told, contextlib.suppress(SystemExit):
        main([verb, "--help"])
    assert "Examples:" in told.getvalue() and "torch" not in sys.modules, verb
"""


def test_help_of_every_verb_does_without_torch():
    done = subprocess.run([sys.executable, "-c", HELPS], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# What each may not import, in this order, since one process does all: its modules only ever grow.
COSTS = """
import sys
from gantrain.cli.main import main

TRAINS = ("pytorch_lightning", "lightning_fabric", "torchmetrics", "torchvision")
for words, code, without in (
    (["sample", "nowhere"], 2, ("torch", "hydra")),
    (["resume", "nowhere"], 2, ("torch", "hydra")),
    (["export", "run", "--format", "wrong"], 2, ("torch", "hydra")),
    (["health", "run"], 2, ("torch", "hydra")),
    (["compare", "run", "run"], 0, ("torch", "hydra")),
    (["resume", "run", "seed=3"], 2, ("torch",)),
    (["upscale", "run", "nowhere.png", "--out", "made"], 2, ("torch",)),
    (["data", "experiment=nothere"], 2, ("torch",)),
    (["sample", "classes", "--class", "nothere"], 2, ("torch",)),
    (["trainer.accelerator=tpu"], 2, ("torch",)),
    (["trainer.accelerator=gpu"], 2, TRAINS),
    (["sample", "run", "-n", "2"], 0, TRAINS),
):
    done = main(words)
    found = [module for module in without if module in sys.modules]
    assert done == code and not found, (words, done, found)
"""


def test_a_verb_imports_no_more_than_it_needs(run):
    config = yaml.safe_load(Path("run/.hydra/config.yaml").read_text())
    config["models"]["classes"] = 3
    Path("classes/.hydra").mkdir(parents=True)
    Run("classes").write_config(config)
    done = subprocess.run([sys.executable, "-c", COSTS], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("before", "after"), [(None, "passive"), ("active", "active")])
def test_waiting_threads_sleep_unless_the_user_says_otherwise(monkeypatch, before, after):
    monkeypatch.setenv("OMP_WAIT_POLICY", before or "")
    if before is None:
        monkeypatch.delenv("OMP_WAIT_POLICY")
    assert main(["--version"]) == 0
    assert os.environ["OMP_WAIT_POLICY"] == after


def test_nothing_said_is_the_default_experiment(monkeypatch):
    given = []
    monkeypatch.setattr("gantrain.cli.train._run", lambda composed, settings, folder: given.append(settings) or Done)
    for words in ([], ["train"]):
        assert main(words) == 0
    assert [settings.runtime.choices.experiment for settings in given] == ["cgan_digits"] * 2


class Done:
    exit_code = 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("help", "sample"), "usage: gantrain sample"),
        (("--help", "list"), "usage: gantrain list"),
        (("help",), "usage: gantrain [experiment"),
        (("help", "train"), "usage: gantrain [experiment"),
        (("train", "--help"), "usage: gantrain [experiment"),
        (("experiment=dcgan_mnist", "-h"), "usage: gantrain [experiment"),
    ],
)
def test_help_wherever_it_is_asked_for(capsys, words, says):
    with contextlib.suppress(SystemExit):  # argparse's
        assert main(words) == 0
    assert capsys.readouterr().out.startswith(says)


@pytest.mark.parametrize("first", [["--config-dir", "list"], ["--config-dir=list"]])
def test_a_verb_behind_options(gantrain, first):
    Path("list/experiment").mkdir(parents=True)
    Path("list/experiment/my_digits.yaml").write_text("# Mine.\n# data: inside\n")
    listed = gantrain(*first, "list")
    assert listed.code == 0, listed
    assert "my_digits" in listed.out
    refused(gantrain(*first, "my_digits"), "gantrain experiment=my_digits")


def test_names_that_the_terminal_does_not_know(tmp_path, monkeypatch):
    for name in "\u732b\u72ac":
        (tmp_path / "pets" / name).mkdir(parents=True)
        for i in range(4):
            Image.new("L", (32, 32), 20 * i + ord(name) % 9).save(tmp_path / "pets" / name / f"{i}.png")

    def shown(encoding, *words):
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding))
            assert main(words) == 0
            sys.stdout.flush()
            return sys.stdout.buffer.getvalue()

    words = ("experiment=dcgan_folder", "models=conditional", "data.root=pets", "data.classes=2", "data.size=32")
    assert b"?" in shown("cp1252", "data", *words)
    assert "\u732b".encode() in shown("utf-8", "data", *words)
    shown("cp1252", "debug=tiny", "logger=csv", "hydra.run.dir=\u72ac")


def test_a_program_may_take_what_is_printed():
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert main(["--version"]) == 0
    assert printed.getvalue().startswith("gantrain ")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["list"], "list was stopped before its end"),
        (["--config-dir", "mine", "list"], "list was stopped before its end"),
        (["experiment=dcgan_digits"], "checkpoints are whole"),
        (["resume", "run"], "checkpoints are whole"),
    ],
)
def test_what_ctrl_c_has_ended(monkeypatch, capsys, words, says):
    def interrupted(words):
        raise KeyboardInterrupt

    monkeypatch.setattr("gantrain.cli.main._dispatch", interrupted)
    assert main(words) == 130
    assert says in capsys.readouterr().err
