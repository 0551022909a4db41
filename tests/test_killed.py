"""A kill at every write of a run: what it leaves once it is resumed is what it leaves without the kill."""

import copy
import csv
import shutil
from pathlib import Path

import pytest
from compare import differences
from safetensors.torch import load_file

from gantrain.run.checkpoint import read_checkpoint
from gantrain.run.folder import Run
from gantrain.run.metrics import read_records
from gantrain.run.scores import read_scores
from gantrain.training import fit

OFTEN = ("callbacks.samples={every:1,count:2}", "callbacks.checkpoint.every_seconds=0", "callbacks.metrics.every=1")
WORDS = (*OFTEN, "debug=tiny", "callbacks.networks=null", "logger=csv", "iterations=2")
SCORES = ("evaluation=random", "evaluation.every=1", "evaluation.samples=8", "evaluation.resamples=1")
SMALL = ("data.size=32", "data.load_size=36")
FAMILIES = {
    "latent": (*SCORES, "models.ema={networks:[generator],half_life_images:10}"),
    "paired": ("experiment=pix2pix_facades", "evaluation=none", "networks.generator.width=1", *SMALL),
    "unpaired": ("experiment=cyclegan_small", "evaluation=none", *SMALL),
}
# The writes are of the same kinds: one family is killed at all of them, the others at every second.
TRIED = {"latent": slice(None), "paired": slice(0, None, 2), "unpaired": slice(1, None, 2)}


def before_every_write(monkeypatch, kept):
    """Keep what a kill in place of each write would leave: a copy of the run, in `kept` by its number."""

    def copied(plain, writes=lambda *_: True):
        def call(path, *args, **options):
            if writes(*args) and path.is_relative_to(Path("run").absolute()) | path.is_relative_to("run"):
                shutil.copytree("run", f"killed_{len(kept)}")
                kept.append(Path(f"killed_{len(kept)}"))
            return plain(path, *args, **options)

        return call

    monkeypatch.setattr(Path, "replace", copied(Path.replace))
    # What touches and unlinks comes next to these.
    monkeypatch.setattr(Path, "open", copied(Path.open, lambda mode="r", *_: mode[0] in "aw"))


def left(run):
    """All that a run leaves but what a clock says, by its place."""
    return {str(file.relative_to(run)): content(file) for file in sorted(run.rglob("*")) if file.is_file()}


def content(file):
    match file.suffix:
        case ".ckpt":
            return read_checkpoint(file)
        case ".safetensors":
            return load_file(file)
        case ".csv":
            rows = csv.DictReader(file.read_text().splitlines())
            return [{k: v for k, v in row.items() if v and "images_per_second" not in k} for row in rows]
        case ".jsonl" if file.stem == "metrics":
            records = read_records(file)
            for record in records:
                del record["seconds"], record["values"]["images_per_second"]
            return records
        case ".jsonl":
            return [{**record.plain(), "seconds": 0} for record in read_scores(file.parent)]
    return "" if file.name == "lock" else file.read_bytes().hex()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_kill_at_any_write_costs_nothing(family, gantrain, monkeypatch):
    killed = []
    with monkeypatch.context() as patch:
        before_every_write(patch, killed)
        assert gantrain(*FAMILIES[family], *WORDS, "hydra.run.dir=run").code == 0
    whole, config = left(Path("run")), Run("run").config()
    for run in killed[TRIED[family]]:
        shutil.rmtree("run")
        run.rename("run")
        if Path("run/.hydra/config.yaml").exists():
            again = fit.resume(Path("run"), copy.deepcopy(config))
        else:
            again = fit.run(copy.deepcopy(config), Path("run"))
        assert again.exit_code == 0, run
        assert differences(left(Path("run")), whole) == [], run
    assert len(killed) > 12
