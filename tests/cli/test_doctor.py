"""What the doctor says of this machine, and of an experiment that it tries."""

import re
from pathlib import Path

from gantrain.config.compose import composed
from gantrain.training import host
from gantrain.training.dry_run import dry_run


def test_an_experiment_is_tried_and_leaves_nothing(gantrain):
    result = gantrain("doctor", "dcgan_digits", "debug=tiny", "iterations=5000", "trainer.threads=1")
    assert result.code == 0, result
    for word in ("gantrain", "libraries", "GPU", "memory", "threads", "disk", "cache", "training", "iteration", "time"):
        assert re.search(rf"^{word} +\S", result.out, re.MULTILINE), word
    assert "5,000 iterations" in result.out
    assert "and the scores" in result.out
    assert list(Path().iterdir()) == []


def test_what_is_reckoned_is_of_the_whole_length():
    (found,), memory = dry_run(composed(["debug=tiny", "iterations=1000", "evaluation=none"], None))
    assert (found.length, found.timed) == (1000, 16)  # R1 of every 8th turn, twice
    assert found.iteration > 0
    assert found.seconds >= 1000 * found.iteration
    assert found.disk > 2 * found.saved > 0
    assert memory["process"] > 100


def test_words_that_compose_nothing_are_refused(gantrain):
    for words, said in ((["dcgan_mnsit"], "did you mean 'dcgan_mnist'"), (["debug=tiny", "foo=1"], "no such key")):
        result = gantrain("doctor", *words)
        assert result.code == 2
        assert said in result.err


def test_what_is_wrong_is_said(monkeypatch):
    monkeypatch.setattr(host.torch, "get_num_threads", lambda: 99)
    monkeypatch.setattr(host, "free_disk", lambda folder: 5e8)
    monkeypatch.setattr(host, "free_memory", lambda: 1e9)
    said = "\n".join(host.troubles())
    assert "99 threads" in said
    assert "0.5 GB of disk are free for the cache" in said
    assert "only 1.0 GB of memory" in said
