import numpy as np
import pytest
from PIL import Image

from gantrain.data.images import Digits
from gantrain.data.module import GANDataModule
from gantrain.data.split import Part, divide
from gantrain.errors import UserError


class Named:
    labels, class_names, framing, fingerprint = np.array([3, 1, 4, 1, 5, 9]), None, None, "named"

    def __init__(self, names="abcdef"):
        self.names = names

    def __len__(self):
        return len(self.names)

    def name(self, index):
        return self.names[index]

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
