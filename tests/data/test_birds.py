"""CUB's layout: squares about boxes, whole classes held out, captions in text_c10 or given."""

import numpy as np
import pytest
from pictures_on_disk import write_picture

from gantrain.data.birds import CaptionedBirds, around
from gantrain.errors import UserError


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "CUB_200_2011"
    names = [f"{c:03d}.Kind/{i}.jpg" for c in range(1, 6) for i in range(2)]
    for i, name in enumerate(names):
        write_picture(root / "images" / name, i, size=(40, 30))
        text = (tmp_path / "text_c10" / name).with_suffix(".txt")
        text.parent.mkdir(parents=True, exist_ok=True)
        text.write_text(f"bird {i}\nthe bird {i}", encoding="utf-8")
    lines = {
        "images.txt": [f"{i} {name}" for i, name in enumerate(names, 1)],
        "bounding_boxes.txt": [f"{i} 10.0 5.0 8.0 4.0" for i in range(1, 11)],
    }
    for name, rows in lines.items():
        (root / name).write_text("\n".join(rows), encoding="utf-8")
    return root


def test_classes_are_held_out_whole(root):
    birds = CaptionedBirds()
    train, test = birds.open(root.parent), birds.held_out().open(root)
    assert set(train.labels) == {0, 1, 2, 4}
    assert set(test.labels) == {3}
    assert train.captions[0] == ["bird 0", "the bird 0"]
    assert test.captions[1] == ["bird 7", "the bird 7"]
    assert train.fingerprint != test.fingerprint


def test_squares_about_boxes(root):
    assert CaptionedBirds().open(root).read(0).size == (12, 12)
    assert around((10, 5, 8, 4), (40, 30)) == (8, 1, 20, 13)
    assert around((0, 0, 8, 4), (40, 30)) == (0, 0, 10, 8)  # as far as the picture goes
    with pytest.raises(ValueError, match="outside"):
        around((90, 5, 8, 4), (40, 30))


def test_embeddings_are_found_by_name(root):
    names = [f"images/{c:03d}.Kind/{i}.jpg" for c in range(1, 6) for i in range(2)]
    values = np.arange(20, dtype=np.float32).reshape(10, 1, 2)
    np.savez("e.npz", embeddings=values, paths=np.array(names))
    assert (CaptionedBirds(embeddings="e.npz").held_out().open(root).embeddings == values[6:8]).all()


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("bounding_boxes.txt", "1 1 2 3", "line 1 of .* has 4 words"),
        ("bounding_boxes.txt", "1 1 2 nan 4", "damaged at '1'"),
        ("bounding_boxes.txt", "1 1 2 3 4", "no box of"),
        ("images.txt", "a b c", "has 3 words"),
    ],
)
def test_damaged_lists_are_named(root, file, text, said):
    (root / file).write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=said):
        CaptionedBirds().open(root)


def test_what_is_missing_is_named(root):
    with pytest.raises(UserError, match=r"there is no folder .*images"):
        CaptionedBirds().open(root / "images")
    (root / "images.txt").unlink()
    with pytest.raises(UserError, match=r"cannot read .*images\.txt"):
        CaptionedBirds().open(root)
