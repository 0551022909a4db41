"""Tensors kept on disk: found again, made anew where damaged, bounded, and the same for several processes."""

import multiprocessing
import os
from types import SimpleNamespace

import pytest
import torch

from gantrain.evaluation import kept as module
from gantrain.evaluation.kept import kept, read


def made(value=1.0):
    return {"a": torch.full((3, 2), value, dtype=torch.float64), "b": torch.arange(4)}


def asked(place, content="it", make=made):
    return kept(SimpleNamespace(cache_dir=place), "things", content, make)


def never():
    pytest.fail("made again")


def files(place):
    return sorted((place / "things").iterdir())


def test_made_once_for_each_content(tmp_path):
    first = asked(tmp_path)
    again = asked(tmp_path, make=never)
    assert first.keys() == again.keys()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert asked(tmp_path, "other", lambda: made(2.0))["a"][0, 0] == 2
    assert len(files(tmp_path)) == 2


def test_in_the_caches_folder_unless_the_data_name_another(tmp_path, monkeypatch):
    monkeypatch.setenv("GANTRAIN_CACHE", str(tmp_path / "usual"))
    asked(None)
    assert len(files(tmp_path / "usual")) == 1


@pytest.mark.parametrize("place", [0, 40, 200, -1])
def test_a_flipped_bit_anywhere_is_damage(tmp_path, place):
    asked(tmp_path)
    (file,) = files(tmp_path)
    whole = bytearray(file.read_bytes())
    whole[place] ^= 4
    file.write_bytes(whole)
    again = asked(tmp_path, make=lambda: made(7.0))
    assert again["a"][0, 0] == 7
    assert read(file)["a"][0, 0] == 7  # in the place of what was damaged


@pytest.mark.parametrize("content", [b"", b"damaged", None])
def test_what_is_no_such_file_is_made_anew(tmp_path, content):
    asked(tmp_path)
    (file,) = files(tmp_path)
    file.write_bytes(file.read_bytes()[:-3] if content is None else content)
    assert asked(tmp_path)["a"][0, 0] == 1
    assert torch.equal(read(file)["b"], torch.arange(4))


def test_what_was_used_longest_ago_goes_first(tmp_path, monkeypatch):
    sizes = []
    for number, name in enumerate(("old", "used", "new")):
        asked(tmp_path, name)
        file = max(files(tmp_path), key=lambda file: file.stat().st_mtime_ns)
        sizes.append(file.stat().st_size)
        os.utime(file, (number + 1, number + 1))
    asked(tmp_path, "used", never)
    left_by_a_killed_process = tmp_path / "things" / ".x.safetensors.1"
    left_by_a_killed_process.write_bytes(b"part")
    os.utime(left_by_a_killed_process, (0, 0))
    monkeypatch.setattr(module, "MOST_BYTES", 3 * sizes[0])
    asked(tmp_path, "newest")
    assert len(files(tmp_path)) == 3
    asked(tmp_path, "used", never)
    asked(tmp_path, "new", never)
    with pytest.raises(pytest.fail.Exception):
        asked(tmp_path, "old", never)


def test_a_cache_that_cannot_be_written_costs_time_alone(tmp_path, capsys):
    (tmp_path / "things").write_text("a file in its place")
    assert asked(tmp_path)["a"][0, 0] == 1
    assert capsys.readouterr().err.count("cannot be written") == 1


def twin(place):
    for turn in range(150):
        values = asked(place, turn % 5, lambda: {"a": torch.full((2000,), float(turn % 5))})  # noqa: B023, at once
        assert (values["a"] == turn % 5).all()
        for file in (place / "things").glob("*.safetensors") if turn % 7 == 0 else ():
            file.unlink(missing_ok=True)


def test_several_processes_make_and_remove_the_same(tmp_path):
    context = multiprocessing.get_context("fork")
    twins = [context.Process(target=twin, args=(tmp_path,)) for _ in range(3)]
    for process in twins:
        process.start()
    for process in twins:
        process.join(60)
    assert [process.exitcode for process in twins] == [0, 0, 0]
    assert not [file for file in files(tmp_path) if file.name.startswith(".")]
