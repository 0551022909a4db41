"""What the README shows as files to write works as it stands there."""

import re
import shlex
from pathlib import Path

from gantrain.config.compose import composed
from gantrain.config.stages import stages_of

README = (Path(__file__).parents[1] / "README.md").read_text()


LINES = re.findall(r"^gantrain (?:data )?(experiment=.*?)(?: +#.*)?$", README, re.MULTILINE)


def test_its_lines_that_train_say_where_what_they_need_comes_from():
    assert len(LINES) > 15
    for line in LINES:
        words = shlex.split(line)
        config = composed(words, None)
        for stage in stages_of(config):
            name = stage.config["data"]["dataset"].get("name")
            assert name != "FashionMNIST" or stage.config["data"]["dataset"]["download"], line
            content = (stage.config.get("losses") or {}).get("content") or {}
            assert content.get("weights", "none asked for") or content.get("download"), line


def test_a_family_of_your_own_trains_resumes_and_is_used(gantrain, monkeypatch, tmp_path):
    section = README[README.index("## A family of your own") :]
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
