import numpy as np
import pytest
from PIL import Image

from gantrain.data.folder import ImageFolder
from gantrain.data.images import Digits
from gantrain.data.module import GANDataModule
from gantrain.data.source import Source
from gantrain.data.split import Part, divide
from gantrain.data.two_folders import TwoFolders
from gantrain.data.unpaired import Unpaired
from gantrain.errors import UserError


class Named(Source):
    labels, class_names, framing, fingerprint = np.array([3, 1, 4, 1, 5, 9]), None, None, "named"

    def __init__(self, names="abcdef"):
        self.names = names

    def read(self, index):
        return Image.new("L", (1, 1), index)


@pytest.mark.parametrize(("holdout", "held"), [(2, 2), (0.5, 3), (0.34, 2)])
def test_every_row_is_on_one_side(holdout, held):
    train, test = divide(Named(), holdout)
    assert len(test) == held
    assert sorted([*train, *test]) == [0, 1, 2, 3, 4, 5]


def test_a_new_picture_moves_at_most_one_other():
    def held(names):
        return {names[i] for i in divide(Named(names), 2)[1]}

    before = held("abcdef")
    for new in "ghijklmnop":
        assert len(before - held("abcdef" + new)) <= 1


@pytest.mark.parametrize("kind", ["{}_19{}-01-01_2000.jpg", "nm{}_rm{}_1950-1-1_2000.jpg"])
def test_all_photos_of_a_person_of_wiki_or_imdb_are_on_one_side(kind):
    people = [f"{person:05d}" for person in range(20)]
    names = [f"{photo:02d}/{kind.format(person, 10 + photo)}" for person in people for photo in range(3)]
    train, test = divide(Named(names), 0.2)
    assert len(test) == 12
    assert not {row // 3 for row in train} & {row // 3 for row in test}
    once = names[::3]  # of people with one photo the photo's own name decides
    assert [once[i] for i in divide(Named(once), 5)[1]] == [once[i] for i in divide(ByName(once), 5)[1]]


class ByName(Named):
    def group(self, index):
        return self.names[index]


@pytest.mark.parametrize("holdout", [6, 10, 0.99])
def test_a_side_without_rows_is_refused(holdout):
    with pytest.raises(UserError, match=r"data\.holdout"):
        divide(Named(), holdout)


def test_a_part_reads_its_rows():
    part = Part(Named(), np.array([1, 4]))
    assert len(part) == 2
    assert [part.name(i) for i in range(2)] == ["b", "e"]
    assert part.labels.tolist() == [1, 5]
    assert part.read(1).getpixel((0, 0)) == 4
    assert part.fingerprint != Part(Named(), np.array([1, 3])).fingerprint


def test_training_and_held_out_pictures_are_different_ones():
    data = GANDataModule(Digits(), size=8, channels=1, batch_size=8, holdout=0.25).open()
    other = data.held_out()
    assert data.held_out() is other
    assert (len(data), len(other)) == (1348, 449)
    assert not set(data.source.rows) & set(other.source.rows)
    rows = np.sort(np.concatenate([data.source.rows, other.source.rows]))
    whole = GANDataModule(Digits(), size=8, channels=1, batch_size=8).open()
    assert np.array_equal(rows, np.arange(len(whole)))
    assert np.array_equal(other.cached.images, whole.cached.images[other.source.rows])


def test_without_a_split_the_way_out_is_named():
    data = GANDataModule(Digits(), size=8, channels=1, batch_size=8).open()
    with pytest.raises(UserError, match=r"data\.holdout=0\.1"):
        data.held_out()


def test_exact_copies_of_training_pictures_are_not_held_out(tmp_path, capsys):
    for i in range(20):
        picture = Image.fromarray(np.random.default_rng(i).integers(0, 256, (8, 8, 3), np.uint8))
        for copy in range(1 + i % 2):  # every other one twice, in another format
            picture.save(tmp_path / f"{i}_{copy}.{('png', 'bmp')[copy]}")

    for holdout in (0.2, 10):
        data = GANDataModule(ImageFolder(), 8, 3, 4, root=str(tmp_path), holdout=holdout).open()
        held = data.held_out()
        assert not pixels(data) & pixels(held)
        assert len(held) + len(data) < 30
        assert f"{30 - len(held) - len(data)} held-out pictures are copies" in capsys.readouterr().err


def test_neither_are_they_where_training_keeps_its_pictures_larger(tmp_path):
    for side in ("trainA", "trainB"):
        (tmp_path / side).mkdir()
        for i in range(12):
            pixels_of = np.random.default_rng(i % 10).integers(0, 256, (12, 12, 3), np.uint8)
            Image.fromarray(pixels_of).save(tmp_path / side / f"{i}.png")
    options = {"size": 8, "channels": 3, "batch_size": 2, "root": str(tmp_path), "holdout": 6}
    data = Unpaired(dataset=TwoFolders(), load_size=10, **options).open()
    assert not pixels(Unpaired(dataset=TwoFolders(), **options).open()) & pixels(data.held_out())


def pixels(data):
    return {row.tobytes() for row in data.cached.take(np.arange(len(data.cached.rows)))}


def test_where_all_are_copies_it_is_said(tmp_path):
    for i in range(6):
        Image.new("RGB", (8, 8)).save(tmp_path / f"{i}.png")
    data = GANDataModule(ImageFolder(), 8, 3, 2, root=str(tmp_path), holdout=2).open()
    with pytest.raises(UserError, match=r"data\.holdout: all .* copies of training pictures, such as \d\.png"):
        data.held_out()
