"""`gantrain augment`: folders of classes, the same for a seed; what is refused."""

import pytest
import torch
from pictures_on_disk import make_pictures

from gantrain.cli.work import augment


@pytest.fixture
def real(tmp_path, monkeypatch):
    """Two pictures of each of ten classes; a run makes five at a time."""
    monkeypatch.setattr(augment, "CHUNK", 5)
    for name in range(10):
        make_pictures(tmp_path / "real" / str(name), 2)
    return tmp_path / "real"


def files(folder):
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*.png")}


def test_each_class_has_so_many_and_a_seed_is_the_same_pictures(gantrain, styled, real, tmp_path):
    before = files(real)
    for out, count in (("one", 2), ("two", 11), ("other", 2)):
        done = gantrain("augment", styled, real, "--per-class", count, "--seed", int(out == "other"), "--out", out)
        assert done.code == 0, done
    one, two, other = (files(tmp_path / out) for out in ("one", "two", "other"))
    assert sorted(one) == sorted(f"{name}/generated_{i}.png" for name in range(10) for i in range(2))
    assert len(two) == 110
    assert one["3/generated_1.png"] == two["3/generated_01.png"] != other["3/generated_1.png"]
    assert one["3/generated_1.png"] != one["4/generated_1.png"]
    assert files(real) == before


def test_only_what_a_classifier_is_sure_of(gantrain, styled, real, tmp_path, monkeypatch):
    monkeypatch.setattr(augment, "MOST_TRIES", 1)
    monkeypatch.setattr(augment, "PASSES", 1)
    for word in ("0.01", "0.999999"):  # a classifier of noise
        done = gantrain("augment", styled, real, "--per-class", 3, "--confidence", word, "--out", word)
        assert (done.code, len(files(tmp_path / word)) == 30) == ((0, True) if word == "0.01" else (1, False)), done
    assert "--confidence 0.999999 leaves fewer than 3: " in done.err


def test_the_classifier_is_asked_for_the_class_itself():
    parts = iter([torch.arange(4).view(4, 1, 1, 1)])
    probabilities = torch.tensor([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5], [0.05, 0.95]])
    taken = list(augment.chosen(parts, lambda pictures: probabilities, 1, 0.5))
    assert [None if one is None else one.item() for one in taken] == [None, 1, 2, 3]


@pytest.mark.parametrize("sure", [(), ("--confidence", 0.01)])
def test_a_stopped_command_goes_on_and_no_other_does(gantrain, styled, real, tmp_path, monkeypatch, sure):
    monkeypatch.setattr(augment, "PASSES", 1)
    words = ("augment", styled, real, "--per-class", 2, *sure, "--out")
    assert gantrain(*words, "whole").code == 0
    made, to_pil = [], augment.to_pil

    def stopping(picture):
        made.append(picture)
        if len(made) == 8:  # the second of the fourth class
            raise KeyboardInterrupt
        return to_pil(picture)

    monkeypatch.setattr(augment, "to_pil", stopping)
    assert gantrain(*words, "out").code == 130
    left = files(tmp_path / "out")
    assert len(left) == 7
    for other in (("--seed", 1), ("--per-class", 3), ("--confidence", 0.5), ("--raw",)):
        refused = gantrain(*words, "out", *other)
        assert (refused.code, len(refused.err.splitlines())) == (2, 1), refused
        assert "pictures of another command that was stopped" in refused.err
    assert files(tmp_path / "out") == left
    (tmp_path / "out" / "3" / "mine.txt").write_text("mine")
    made.clear()
    made.extend([None] * 8)
    done = gantrain(*words, "out")
    assert (done.code, len(made)) == (0, 8 + 14), done  # whole classes are not made again
    assert files(tmp_path / "out") == files(tmp_path / "whole")
    assert (tmp_path / "out" / "3" / "mine.txt").read_text() == "mine"
    assert not (tmp_path / "out" / augment.UNFINISHED).exists()
    assert "holds files already" in gantrain(*words, "out").err


@pytest.mark.parametrize("text", ["", "[]", '{"asked": 1, "counts": []}', "\0"])
def test_a_mark_that_is_none_is_refused(gantrain, styled, real, tmp_path, text):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / augment.UNFINISHED).write_text(text)
    refused = gantrain("augment", styled, real, "--per-class", 1, "--out", "out")
    assert (refused.code, len(refused.err.splitlines())) == (2, 1), refused
    assert [file.name for file in (tmp_path / "out").iterdir()] == [augment.UNFINISHED]


def test_what_is_refused(gantrain, styled, real, tmp_path):
    words = ("--per-class", 1, "--out")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a.txt").write_text("")
    make_pictures(tmp_path / "flat", 2)
    for name in ("cat", "dog"):
        make_pictures(tmp_path / "pets" / name, 1)
    for given, sentence in (
        ((styled, real, "--per-class", 0, "--out", "out"), "--per-class is 0"),
        ((styled, real, *words, "out", "--confidence", 1), "--confidence is 1.0, it must lie between 0 and 1"),
        ((styled, real, *words, "real/11"), "--out: real/11 and"),
        ((styled, real, *words, "."), "lie in each other"),
        ((styled, real, *words, "full"), "--out: full holds files already"),
        ((styled, tmp_path / "flat", *words, "out"), "has no folders of classes; the run has learnt 0, 1, 2"),
        ((styled, tmp_path / "pets", *words, "out"), "has the classes cat, dog, the run has learnt 0, 1"),
        ((styled, tmp_path / "none", *words, "out"), "FOLDER: "),
    ):
        refused = gantrain("augment", *given)
        assert refused.code == 2, (given, refused)
        assert sentence in refused.err.splitlines()[-1]
    assert not (tmp_path / "out").exists()
    make_pictures(real / "3", 1).joinpath("000.png").rename(real / "3" / "generated_0.png")
    assert "so not only real ones" in gantrain("augment", styled, real, *words, "out").err


def test_a_run_without_classes_is_refused(gantrain, real):
    assert gantrain("debug=tiny", "models=latent", "callbacks.samples=null", "hydra.run.dir=run").code == 0
    refused = gantrain("augment", "run", real, "--per-class", 1, "--out", "out")
    assert refused.code == 2
    assert "makes pictures of no classes" in refused.err
    assert len(refused.err.splitlines()) == 1
