"""The house rules of the design that a program can check."""

import ast
from pathlib import Path

import gantrain
from gantrain.folders import configs_folder

PACKAGE = Path(gantrain.__file__).parent


def test_config_groups_are_packages():
    groups = {folder.name for folder in configs_folder().iterdir() if folder.is_dir()}
    packages = {folder.name for folder in PACKAGE.iterdir() if (folder / "__init__.py").is_file()}
    only_config = {"experiment", "game", "trainer", "logger", "debug"}
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


def test_slow_libraries_are_imported_where_they_are_used():
    """A trained run is used without Lightning: see training/fitted.py. What lies inside of functions may wait."""
    slow = ("pytorch_lightning", "torchmetrics", "torchvision", "sklearn", "skimage", "scipy")
    found = {
        file.relative_to(PACKAGE).as_posix()
        for file in PACKAGE.rglob("*.py")
        for line in file.read_text(encoding="utf-8").splitlines()
        if line.startswith(tuple(f"{word} {library}" for library in slow for word in ("import", "from")))
    }
    assert {name for name in found if not name.startswith("callbacks/")} == {
        *("loggers.py", "evaluation/pairs.py", "evaluation/super_resolution.py"),
        *(
            f"training/{name}.py"
            for name in ("dry_run", "fit", "fitted", "prepare", "processes", "profiler", "watchers")
        ),
    }


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
            assert name == "defaults" or {"width", "path"} & set(node), f"{file}: {name}"


# From top to bottom: who stands higher may import who stands lower. `gantrain` alone is the package's public face.
FLOORS = [
    *("__main__", "gantrain", "cli"),
    "inference",
    "training",
    "report",
    "callbacks",
    "evaluation",
    *("models", "models.loop"),
    *("losses", "loggers"),
    "run",
    "config",
    "networks",
    *("data", "data.cache", "data.source", "data.batch", "data.formats"),
    "drawing",
    *("parallel", "signals", "rng", "ramps", "checks", "files", "folders", "errors"),
    "evaluation.measures",
]


def floor_of(module):
    """The lowest floor that the module is of: `data.cache.fill` stands on that of `data.cache`."""
    parts = module.split(".")[1:] or ["gantrain"]
    names = [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
    return next((FLOORS.index(name) for name in names if name in FLOORS), None)


def test_no_import_points_upwards():
    wrong = []
    for file in PACKAGE.rglob("*.py"):
        inside = file.relative_to(PACKAGE).with_suffix("").parts
        own = ".".join(("gantrain", *inside)).removesuffix(".__init__")
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("gantrain"):
                continue
            modules = [node.module] if node.module != "gantrain" else [f"gantrain.{a.name}" for a in node.names]
            for module in modules:
                if module == "gantrain.__version__" or floor_of(module) is None or floor_of(own) is None:
                    unknown = module if floor_of(module) is None else own
                    if module != "gantrain.__version__":
                        wrong.append(f"{file}:{node.lineno}: {unknown} stands on no floor; add its room to FLOORS")
                elif floor_of(module) < floor_of(own):
                    wrong.append(f"{file}:{node.lineno}: {own} imports {module}, which stands above it")
    assert not wrong, "\n".join(wrong)


def test_few_modules_are_loose():
    loose = [file.name for file in PACKAGE.glob("*.py") if not file.name.startswith("__")]
    assert len(loose) <= 10, loose


def test_files_are_utf8_whatever_the_locale():
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or any(word.arg == "encoding" for word in node.keywords):
                continue
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            mode = next((a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)), None)
            text = name == "write_text" or (name == "read_text" and not node.args)
            text |= name == "open" and mode in ("r", "w", "a", "x", "rt", "wt", "at")
            assert not text, f"{file}:{node.lineno} says no encoding"
