"""report.html: one page that needs nothing else, from whatever a run has left."""

import importlib
import json
import re
import shutil
import sys
from html.parser import HTMLParser
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import yaml
from PIL import Image

from gantrain.callbacks.checkpoints import Checkpoints
from gantrain.cli.main import main
from gantrain.report import curves
from gantrain.report import page as report
from gantrain.run.folder import Run

TINY = ("debug=tiny", "callbacks.samples.count=4", "callbacks.samples.every=1", "callbacks.metrics.every=1")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run of four iterations, once."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    assert main([*TINY, "iterations=4", f"hydra.run.dir={folder}"]) == 0
    return folder


@pytest.fixture
def run(trained):
    """A copy of that run to do damage to."""
    shutil.copytree(trained, "run")
    return Path("run")


class Page(HTMLParser):
    """What a page loads, links to and says."""

    def __init__(self, text):
        super().__init__()
        self.loads, self.links, self.tags, self.words = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        for key, value in attributes:
            if key in ("src", "srcset", "data", "poster"):
                self.loads.append(value)
            if key in ("href", "xlink:href", "action"):
                self.links.append(value)

    def handle_data(self, data):
        self.words.append(data)


def page_of(file="run/report.html"):
    return Page(Path(file).read_text())


def write_metrics(values, n=3, stage="train"):
    records = [
        {"stage": stage, "iteration": i, "images_seen": 8 * i, "seconds": float(i), "values": values}
        for i in range(1, n + 1)
    ]
    Path("run/metrics.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))


@pytest.mark.whole
def test_a_run_ends_with_its_page(gantrain):
    result = gantrain(*TINY, "iterations=4", "hydra.run.dir=run")
    assert f"report   {Path('run/report.html')}" in result.out
    page = page_of()
    text = "".join(page.words)
    assert "cgan_digits" in text
    for command in (
        "gantrain resume run iterations=8",
        "gantrain sample run -n 64",
        "gantrain report run",
        "tensorboard --logdir run",
    ):
        assert command in text
    assert "4 iterations, finished" in text
    assert "half_life_images" in text  # the config
    assert "Go on where it stopped" not in text
    for title in ("adversarial loss", "logits (mean)", "accuracy", "images per second", "r1"):
        assert title in text
    assert page.tags.count("svg") == 6


def test_the_page_needs_nothing_else(run):
    page = page_of()
    assert page.loads
    assert all(load.startswith("data:image/") for load in page.loads)
    assert all(link.startswith("#") for link in page.links)
    assert not {"script", "link", "iframe", "object", "embed", "base"} & set(page.tags)
    text = (run / "report.html").read_text()
    assert "default-src 'none'" in text
    assert not re.search(r"@import|url\((?!#)", text)
    assert "prefers-color-scheme: dark" in text
    assert "width=device-width" in text
    assert sum(load.startswith("data:image/gif") for load in page.loads) == 1


def test_grids_are_few_small_and_in_order(run):
    rng = np.random.default_rng(0)
    for i in range(12):
        Image.fromarray(rng.integers(0, 255, (700, 700, 3), np.uint8)).save(run / f"samples/{10 * i:08d}.png")
    report.write_report(Run(run), Run(run).config(), run / "report.html")
    page = page_of()
    iterations = [int(i.replace(",", "")) for i in re.findall(r"<figcaption>([\d,]+) iterations", str(render(run)))]
    assert iterations[0] == 0
    assert iterations[-1] == 110
    assert iterations == sorted(iterations)
    assert len(iterations) == report.GRIDS
    assert len(page.loads) == report.GRIDS + 4  # the latest, the animation, real pictures, the nearest to samples
    assert (run / "report.html").stat().st_size < 8_000_000  # noise, which no format makes smaller


def render(run):
    return report.render(Run(run), Run(run).config())


HOSTILE = "</title><script>alert('$x^{') </script>\n&\"'{{ 70*7 + 1234 }}"


def test_hostile_names_are_text(run):
    config = yaml.safe_load((run / ".hydra/config.yaml").read_text())
    config["name"] = HOSTILE
    config["data"]["dataset"]["name"] = HOSTILE
    (run / ".hydra/config.yaml").write_text(yaml.safe_dump(config))
    write_metrics({f"{HOSTILE}/adv": 1.0, f"a/{HOSTILE}_logit": 2.0, HOSTILE: 3.0, "a/b": "<b>", "_hidden/adv": 1.0})
    text = render(run)
    assert "<script" not in text
    assert "{{ 70*7 + 1234 }}" in text.replace("&#34;", '"')
    assert "1724" not in re.sub(r'"[^"]*"|<svg.*?</svg>', "", text, flags=re.DOTALL)
    assert Page(text).tags.count("title") == 1


def test_a_folder_with_spaces_and_signs_is_quoted(gantrain, run):
    name = "my run; $(rm -rf x) <b>"
    shutil.move("run", name)
    assert gantrain("report", name).out.strip() == str(Path(name, "report.html"))
    text = "".join(page_of(Path(name, "report.html")).words)
    assert f"gantrain resume '{name}' iterations=8" in text


def test_a_killed_run_has_a_page_with_an_animation(gantrain, run):
    (run / "samples/progress.gif").unlink()
    (run / "report.html").unlink()
    (run / "checkpoints/train/finished.json").unlink()
    shutil.rmtree(run / "networks")
    with (run / "metrics.jsonl").open("a") as stream:
        stream.write('{"stage": "train", "iter')
    before = sorted(run.rglob("*"))
    assert gantrain("report", "run").code == 0
    assert sorted(run.rglob("*")) == sorted([*before, run / "report.html"])
    page = page_of()
    text = "".join(page.words)
    assert "not finished" in text
    assert "gantrain resume run" in text
    assert "4 iterations, of 4 iterations" in text
    assert any(load.startswith("data:image/gif") for load in page.loads)


@pytest.mark.whole
def test_a_prolonged_run_that_is_stopped_again_is_not_finished(gantrain, run, monkeypatch):
    stop_at_once = Checkpoints.on_train_batch_end

    def signalled(self, trainer, module, *args):
        self.stop.received = 15
        stop_at_once(self, trainer, module, *args)

    monkeypatch.setattr(Checkpoints, "on_train_batch_end", signalled)
    assert gantrain("resume", "run", "epochs=2").code == 143
    assert "not finished" in "".join(page_of().words)


def test_missing_pieces(gantrain, run):
    (run / "metrics.jsonl").unlink()
    shutil.rmtree(run / "samples")
    shutil.rmtree(run / "checkpoints")
    assert gantrain("report", "run", "--out", "elsewhere/page.html").out.strip() == str(Path("elsewhere/page.html"))
    text = "".join(page_of("elsewhere/page.html").words)
    assert "No samples were drawn" in text
    assert "No metrics were recorded" in text
    assert "0 iterations, of 4 iterations" in text


@pytest.mark.whole
def test_records_of_any_shape(run):
    lines = [
        "[]",
        "3",
        '{"values": 3}',
        '{"values": {"a/adv": 1}}',
        '{"iteration": 1, "values": {"a/adv": null}}',
        "\0",
    ]
    (run / "metrics.jsonl").write_text("\n".join(lines))
    assert "No metrics were recorded" in render(run)
    write_metrics({"a/adv": float("nan"), "b/adv": float("inf"), "c/adv": 1.0, "images_per_second": "fast"})
    assert "adversarial loss" in render(run)


def test_a_picture_cut_off_by_a_kill_is_left_out(run):
    last = run / "samples/00000004.png"
    for damaged in (last.read_bytes()[:-40], last.read_bytes()[:20], b""):
        last.write_bytes(damaged)
        text = render(run)
        assert "after 3 iterations" in text
        assert "after 4 iterations" not in text


def test_stages_have_chapters(run):
    config = yaml.safe_load((run / ".hydra/config.yaml").read_text())
    stage = {key: config.pop(key) for key in ("data", "networks", "losses", "models", "iterations", "epochs")}
    config["stages"] = {"first": stage, "second": {**stage, "iterations": None, "epochs": 3}}
    (run / ".hydra/config.yaml").write_text(yaml.safe_dump(config))
    shutil.move("run/samples", "run/first")
    Path("run/samples").mkdir()
    shutil.move("run/first", "run/samples/first")
    shutil.move("run/checkpoints/train", "run/checkpoints/first")
    write_metrics({"first/generator/adv": 1.0}, stage="first")
    text = "".join(Page(render(run)).words)
    assert "Stage 1: first" in text
    assert "Stage 2: second" in text
    assert "generator 1" in text
    assert "first/generator" not in text
    assert "0 iterations, of 3 epochs" in text
    assert "gantrain resume run stages.second.epochs=6" in text


@pytest.mark.whole
def test_a_page_that_cannot_be_written_loses_no_run(gantrain):
    Path("run/report.html").mkdir(parents=True)
    result = gantrain(*TINY, "hydra.run.dir=run")
    assert result.code == 0, result
    (line,) = result.err.strip().splitlines()
    assert line.startswith("warning: no report.html")
    assert "gantrain report run" in line
    refused = gantrain("report", "run")
    assert refused.code == 2
    assert "--out" in refused.err
    assert str(Path("run/report.html")) in refused.err
    assert gantrain("report", "run", "--out", "page.html").code == 0


def test_a_page_of_no_run(gantrain, tmp_path):
    (tmp_path / "empty").mkdir()
    refused = gantrain("report", "empty")
    assert refused.code == 2
    assert "empty is no run" in refused.err


def test_time_adds_up_over_stages():
    records = [("gan", 1.0), ("gan", 4.0), ("encoder", 2.0), ("encoder", 9.0), ("encoder", 8.0)]
    assert report.training_seconds([{"stage": stage, "seconds": s} for stage, s in records]) == 13.0
    assert report.training_seconds([]) == 0.0


def test_long_curves_are_thinned_and_smoothed_without_bias():
    curve = curves.Curve("c", 0, list(range(10_000)), [float(i % 2) for i in range(10_000)])
    x, y = curves.thinned(curve)
    assert len(x) == len(y) == curves.POINTS
    assert x.mean() == pytest.approx(4999.5)
    assert y == pytest.approx(0.5, abs=0.03)
    line = np.arange(200.0)
    assert curves.smoothed(line)[10:-10] == pytest.approx(line[10:-10])
    assert len(curves.smoothed(line)) == 200
    short = np.arange(5.0)
    assert curves.smoothed(short) is short


@pytest.mark.whole
def test_drawings_are_the_same_each_time_and_follow_the_pages_colours():
    records = [{"iteration": i, "values": {"a/adv": float(i)}} for i in range(3)]
    (one,), (other,) = curves.draw_charts(records, ""), curves.draw_charts(records, "")
    assert one.svg == other.svg
    assert "var(--curve-0)" in one.svg
    assert "var(--ink)" in one.svg
    assert "#000" not in one.svg


def test_training_imports_no_plotting_before_the_end():
    # torchmetrics imports matplotlib by itself where it is installed
    importlib.import_module("gantrain.training.fit")  # first, so that other packages are not imported twice
    with mock.patch.dict(sys.modules):
        for name in [name for name in sys.modules if name.partition(".")[0] == "gantrain"]:
            del sys.modules[name]
        importlib.import_module("gantrain.training.fit")
        assert not {"gantrain.report.page", "gantrain.report.curves"} & set(sys.modules)
        importlib.import_module("gantrain.report.page")
        assert {"gantrain.report.page", "gantrain.report.curves"} < set(sys.modules)


def test_the_wheel_has_the_template():
    from hatchling.builders.wheel import WheelBuilder

    root = Path(__file__).parents[2]
    files = {file.distribution_path for file in WheelBuilder(str(root)).recurse_included_files()}
    assert "gantrain/report/page.html" in files


def test_the_page_of_a_run_between_two_folders(scheduled):
    page = (scheduled / "report.html").read_text()
    for said in ("Train twice as long", "The same latents"):
        assert said not in page
    assert "Measure scores" in page
    assert "side by side: a, what it becomes, b, what it becomes" in page
