"""The house rules of the design that a program can check."""

import ast
from pathlib import Path

import gantrain
from gantrain.folders import configs_folder

PACKAGE = Path(gantrain.__file__).parent


def test_config_groups_are_packages():
    groups = {folder.name for folder in configs_folder().iterdir() if folder.is_dir()}
    packages = {folder.name for folder in PACKAGE.iterdir() if (folder / "__init__.py").is_file()}
    only_config = {"experiment", "trainer", "logger", "debug"}
    assert groups - only_config == packages - {"cli", "config", "drawing", "inference", "report", "run", "training"}


def test_training_step_is_overridden_nowhere():
    owners = [
        f"{file.relative_to(PACKAGE)}:{node.name}"
        for file in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ClassDef)
        if any(isinstance(part, ast.FunctionDef) and part.name == "training_step" for part in node.body)
    ]
    assert owners == ["models/base.py:GANModule"]


def test_networks_and_losses_are_plain_torch():
    for folder in ("networks", "losses"):
        for file in (PACKAGE / folder).glob("*.py"):
            text = file.read_text()
            for foreign in ("pytorch_lightning", "hydra", "omegaconf"):
                assert f"import {foreign}" not in text, file
                assert f"from {foreign}" not in text, file


def test_tests_mirror_the_package():
    tests = Path(__file__).parent
    for file in tests.rglob("test_*.py"):
        room = file.parent.relative_to(tests)
        if room.parts:  # what is about the whole lies at the top
            home = PACKAGE.parents[1] if room.parts[0] == "scripts" else PACKAGE
            assert (home / room / file.name.removeprefix("test_")).is_file(), file


def test_every_network_config_has_a_width_or_comes_from_a_file():
    from omegaconf import OmegaConf

    for file in (configs_folder() / "networks").glob("*.yaml"):
        for name, node in OmegaConf.load(file).items():
            assert {"width", "path"} & set(node), f"{file}: {name}"
