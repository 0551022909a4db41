"""Captions in files beside pictures, in a folder of their own, in a CSV; embeddings; and what is wrong with them."""

from pathlib import Path

import numpy as np
import pytest
from pictures_on_disk import write_picture

from gantrain.data import captioned_folder
from gantrain.data.captioned_folder import CaptionedFolder
from gantrain.errors import UserError

NAMES = ("a.png", "in/b.png", "in/c.png")


@pytest.fixture
def root(tmp_path):
    for i, name in enumerate(NAMES):
        write_picture(tmp_path / "data" / name, i)
    return tmp_path / "data"


def write_texts(folder, texts=("one\n\n two \n", "three", "four\nfive")):
    for name, text in zip(NAMES, texts, strict=True):
        file = (folder / name).with_suffix(".txt")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


WANTED = [["one", "two"], ["three"], ["four", "five"]]


def test_files_beside_pictures_or_in_a_mirror(root, tmp_path):
    write_texts(tmp_path / "texts")
    source = CaptionedFolder(captions_root=str(tmp_path / "texts")).open(root)
    assert source.captions == WANTED
    assert source.dropped == {"empty captions": 1}
    write_texts(root)
    beside = CaptionedFolder().open(root)
    assert beside.captions == WANTED
    (root / "a.txt").write_text("another", encoding="utf-8")
    assert CaptionedFolder().open(root).fingerprint != beside.fingerprint


def test_a_table_has_a_caption_in_each_row(root, monkeypatch):
    rows = 'path,caption\na.png,one\n"a.png","two, or ""2"""\nin\\b.png,three\nin/c.png,\nin/c.png,four\n'
    (root / "c.csv").write_text(rows, encoding="utf-8")
    (root / "notes.pdf").write_text("", encoding="utf-8")
    monkeypatch.chdir(root.parent)
    source = CaptionedFolder(table="c.csv").open(Path(root.name))
    assert source.captions == [["one", 'two, or "2"'], ["three"], ["four"]]
    assert source.dropped == {"neither pictures nor captions": 1, "empty captions": 1}


@pytest.mark.parametrize("named", [True, False])
def test_embeddings_belong_to_pictures_by_path_or_else_by_order(root, tmp_path, named):
    values = np.arange(12, dtype=np.float32).reshape(3, 2, 2)
    file = tmp_path / ("e.npz" if named else "e.npy")
    if named:
        np.savez(file, embeddings=values, paths=np.array(NAMES[::-1]))
    else:
        np.save(file, values)
    source = CaptionedFolder(embeddings=str(file)).open(root)
    assert (source.embeddings == (values[::-1] if named else values)).all()
    assert source.captions is None


def test_splits_have_captions_of_their_own(root, tmp_path):
    for split in ("train", "val"):
        for i in range(2):
            write_picture(tmp_path / "s" / split / f"{i}.png", i)
            (tmp_path / "s" / split / f"{i}.txt").write_text(f"{split} {i}", encoding="utf-8")
    (tmp_path / "s" / "c.csv").write_text(
        "path,caption\n" + "".join(f"{s}/{i}.png,row {s} {i}\n" for s in ("train", "val") for i in range(2)),
        encoding="utf-8",
    )
    for options, first in (({}, ""), ({"table": "c.csv"}, "row ")):
        folder = CaptionedFolder(**options)
        assert folder.open(tmp_path / "s").captions == [[f"{first}train {i}"] for i in range(2)]
        assert folder.held_out().open(tmp_path / "s").captions == [[f"{first}val {i}"] for i in range(2)]


def without_a_text(root):
    write_texts(root)
    (root / "in" / "c.txt").unlink()


def with_one_too_many(root):
    write_texts(root)
    (root / "notes.txt").write_text("x", encoding="utf-8")


def with_an_empty_one(root):
    write_texts(root, ("one", " \n\n", "four"))


def with_other_letters(root):
    write_texts(root)
    (root / "a.txt").write_bytes(b"\xff\xfe\xff")


def with_a_link(root):
    write_texts(root)
    (root.parent / "secret.txt").write_text("x", encoding="utf-8")
    (root / "a.txt").unlink()
    (root / "a.txt").symlink_to(root.parent / "secret.txt")


def with_twins(root):
    write_texts(root)
    write_picture(root / "a.jpg", 9)


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (without_a_text, "1 of 3 pictures have no caption: 'in/c.png'"),
        (with_one_too_many, "belong to no picture: 'notes.txt'"),
        (with_an_empty_one, "no caption, only empty lines"),
        (with_other_letters, "UTF-8"),
        (with_a_link, "leads out"),
        (with_twins, "differ in their suffix alone"),
    ],
)
def test_texts_that_do_not_fit_are_named(root, harm, said):
    harm(root)
    with pytest.raises(UserError, match=said):
        CaptionedFolder().open(root)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("path,text\na.png,x\n", "no column 'caption'"),
        ("path,caption\na.png,one\n", "2 of 3 pictures have no caption in c.csv: 'in/b.png'"),
        ("path,caption\na.png,x\nin/b.png,x\nin/c.png,x\n../b.png,x\n", "of no picture in"),
    ],
)
def test_tables_that_do_not_fit_are_named(root, rows, said):
    (root / "c.csv").write_text(rows, encoding="utf-8")
    with pytest.raises(UserError, match=said):
        CaptionedFolder(table="c.csv").open(root)
    with pytest.raises(UserError, match="must be the name"):
        CaptionedFolder(table="../c.csv").open(root)


def test_embeddings_that_do_not_fit_are_named(root, tmp_path):
    file = tmp_path / "e.npz"
    for paths, said in (
        ((*NAMES[:2], "d.png"), "1 of 3 pictures have no embedding"),
        ((*NAMES, "d.png"), "of no pict"),
    ):
        np.savez(file, embeddings=np.zeros((len(paths), 2), np.float32), paths=np.array(paths))
        with pytest.raises(UserError, match=said):
            CaptionedFolder(embeddings=str(file)).open(root)
    np.save(tmp_path / "e.npy", np.zeros((2, 2), np.float32))
    with pytest.raises(UserError, match="2 pictures, and there are 3"):
        CaptionedFolder(embeddings=str(tmp_path / "e.npy")).open(root)
    with pytest.raises(ValueError, match="keep one"):
        CaptionedFolder(embeddings="e.npy", table="c.csv")


def test_sizes_are_bounded(root, monkeypatch):
    write_texts(root)
    monkeypatch.setattr(captioned_folder, "MOST", 1)
    with pytest.raises(UserError, match="2 captions, at most 1"):
        CaptionedFolder().open(root)
    monkeypatch.setattr(captioned_folder, "LARGEST_TEXT", 2)
    with pytest.raises(UserError, match="more than"):
        CaptionedFolder().open(root)
