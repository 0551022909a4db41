"""What the README and docs/ show works as it stands there: lines that are typed, files that are written."""

import importlib
import re
import shlex
from pathlib import Path

import pytest

from gantrain.cli.main import VERBS
from gantrain.cli.parser import Parser
from gantrain.config.compose import composed
from gantrain.config.stages import stages_of
from gantrain.errors import UserError

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SHELL = re.compile(r"```sh\n(.*?)```", re.DOTALL)
LINKS = re.compile(r"\]\((?!https?:)([\w./-]+)")


def typed():
    """The lines of gantrain in the pages' blocks of shell, as words, without their comments."""
    for page in PAGES:
        for block in SHELL.findall(page.read_text(encoding="utf-8")):
            for line in block.splitlines():
                words = shlex.split(line, comments=True)
                if words[:1] == ["gantrain"] and "..." not in words:
                    yield page.name, words[1:]


LINES = list(typed())


def test_lines_that_train_compose_and_say_where_what_they_need_comes_from():
    lines = [words[words[0] in ("data", "-m") :] for _, words in LINES if words and words[0] not in {*VERBS} - {"data"}]
    lines = [words for words in lines if words[0] not in ("--config-dir", "-m") and not any("," in w for w in words)]
    assert len(lines) > 15
    for words in dict.fromkeys(map(tuple, lines)):
        for stage in stages_of(composed(words, None)):
            name = stage.config["data"]["dataset"].get("name")
            assert name != "FashionMNIST" or stage.config["data"]["dataset"]["download"], words
            content = (stage.config.get("losses") or {}).get("content") or {}
            assert content.get("weights", "none asked for") or content.get("download"), words


def test_lines_that_use_a_run_name_options_that_their_verb_has():
    lines = [(page, words) for page, words in LINES if words and words[0] in {*VERBS} - {"data"}]
    assert {words[0] for _, words in lines} > {"sample", "resume", "evaluate", "compare"}
    for page, (verb, *words) in lines:
        parser = Parser(verb)
        importlib.import_module(f"gantrain.cli.{verb}").add_options(parser.add_argument)
        try:
            parser.parse_intermixed_args(words)
        except UserError as error:
            pytest.fail(f"{page}: gantrain {verb} {shlex.join(words)}: {error}")


@pytest.mark.parametrize("verb", VERBS)
def test_help_ends_with_examples_that_work_as_they_stand(verb):
    module = importlib.import_module(f"gantrain.cli.{verb}")
    examples = re.findall(rf"^    gantrain {verb}\b(.*)$", module.__doc__, re.MULTILINE)
    assert examples
    for words in map(shlex.split, examples):
        parser = Parser(verb)
        module.add_options(parser.add_argument)
        try:
            parser.parse_intermixed_args(words)
        except UserError as error:
            pytest.fail(f"gantrain {verb} {shlex.join(words)}: {error}")


def test_links_lead_to_files():
    for page in PAGES:
        for link in LINKS.findall(re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_every_experiment_is_in_the_table_and_no_other():
    rows = re.findall(r"^\| `(\w+)`", (ROOT / "docs" / "experiments.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(rows) == sorted(file.stem for file in (ROOT / "configs" / "experiment").glob("*.yaml"))


def test_a_family_of_your_own_trains_resumes_and_is_used(gantrain, monkeypatch, tmp_path):
    text = (ROOT / "docs" / "extend.md").read_text(encoding="utf-8")
    section = text[text.index("## A family") :]
    python, experiment = (re.search(rf"```{kind}\n(.*?)```", section, re.DOTALL)[1] for kind in ("python", "yaml"))
    Path("mine/experiment").mkdir(parents=True)
    Path("mine/experiment/denoise.yaml").write_text(experiment)
    Path("my_module.py").write_text(python)
    monkeypatch.syspath_prepend(tmp_path)
    words = ("--config-dir", "mine", "experiment=denoise", "debug=tiny", "hydra.run.dir=run")
    trained = gantrain(*words)
    assert trained.code == 0, trained
    assert "gantrain sample" not in trained.out  # it draws nothing from noise, and says so of itself
    resumed = gantrain("resume", "run", "iterations=4", "plugins=[my_module]")
    assert resumed.code == 0, resumed
