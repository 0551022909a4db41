"""A kill at every write of a run: what it leaves once it is resumed is what it leaves without the kill."""

import csv
import os
import shutil
import sys
from pathlib import Path

import pytest
from compare import differences
from safetensors.torch import load_file

from gantrain.cli.main import main
from gantrain.run.checkpoint import read_checkpoint
from gantrain.run.folder import Run
from gantrain.run.metrics import read_records
from gantrain.run.scores import read_scores
from gantrain.training import fit

OFTEN = ("callbacks.samples={every:1,count:2}", "callbacks.checkpoint.every_seconds=0", "callbacks.metrics.every=1")
WORDS = (*OFTEN, "debug=tiny", "callbacks.networks=null", "logger=csv", "iterations=2")
SCORES = ("evaluation=random", "evaluation.every=1", "evaluation.samples=8", "evaluation.resamples=1")
FAMILIES = {
    "latent": (*SCORES, "models.ema={networks:[generator],half_life_images:10}"),
    "paired": ("experiment=pix2pix_facades", "evaluation=none", "networks.generator.width=1"),
    "unpaired": ("experiment=cyclegan_small", "evaluation=none"),
}
KILLED = 9


def at_every_write(number):
    """Let the process end, as if it was killed, in place of its write of that number."""
    count = 0

    def counted(plain, writes=lambda *_: True):
        def call(path, *args, **options):
            nonlocal count
            if writes(*args) and path.is_relative_to(Path("run").absolute()) | path.is_relative_to("run"):
                count += 1
                if count == number:
                    os._exit(KILLED)
            return plain(path, *args, **options)

        return call

    Path.replace = counted(Path.replace)
    Path.open = counted(Path.open, lambda mode="r", *_: mode[0] in "aw")  # what touches and unlinks comes next to these


def train(folder, config):
    return fit.run(config, folder)


def resume(folder, config):
    return fit.resume(folder, config)


def in_a_process(work):
    """Its exit code; a fork needs no second for imports."""
    sys.stdout.flush()
    child = os.fork()
    if not child:
        code = 1
        try:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 1)
            code = work()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


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
@pytest.mark.timeout(300)
def test_a_kill_at_any_write_costs_nothing(family, monkeypatch):
    monkeypatch.setattr("gantrain.training.fit.report", lambda *_: None)  # made anew at each end, and slow
    words = [*FAMILIES[family], *WORDS, "hydra.run.dir=run"]
    assert in_a_process(lambda: main(words)) == 0
    whole, config = left(Path("run")), Run("run").config()
    for number in range(1, 1000):
        shutil.rmtree("run")

        def killed(number=number):
            at_every_write(number)
            return train(Path("run"), config).exit_code

        code = in_a_process(killed)
        if code == 0:
            break
        assert code == KILLED
        again = resume if Path("run/.hydra/config.yaml").exists() else train
        assert in_a_process(lambda again=again: again(Path("run"), config).exit_code) == 0, number
        assert differences(left(Path("run")), whole) == [], number
    assert number > 12
