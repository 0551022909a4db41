"""WIKI-crop, IMDB-crop and CSV lists: what is taken, what is left out and why, and hostile lists."""

import numpy as np
import pytest
from pictures_on_disk import write_picture
from wiki import NOT_A_NUMBER, person, write_archive, write_mat

from gantrain.data.aged_faces import AgedFaces
from gantrain.errors import UserError


@pytest.fixture
def root(tmp_path):
    for i in range(4):
        write_picture(tmp_path / "crop" / "00" / f"{i}.jpg", i)
    return tmp_path / "crop"


def labels(source):
    return {source.name(i): int(source.labels[i]) for i in range(len(source))}


def test_every_rule_drops_and_counts(root, tmp_path):
    write_picture(tmp_path / "outside.jpg")
    people = [
        person("00/0.jpg"),
        person("00/1.jpg", taken=1960),
        person("00/1.jpg", taken=1970),
        person("00/1.jpg", born=-40),
        person("00/1.jpg", score=-np.inf),
        person("00/1.jpg", second=1.5),
        person("00/1.jpg", born=NOT_A_NUMBER),
        person("00/9.jpg"),
        person("../outside.jpg"),
        person(str(tmp_path / "outside.jpg")),
        person("00/../../outside.jpg"),
        person("C:\\outside.jpg"),
        person(""),
        person("00"),
        person("00/2.jpg", taken=2060),
    ]
    write_mat(root / "wiki.mat", people)
    source = AgedFaces().open(root)
    assert labels(source) == {"00/0.jpg": 2, "00/2.jpg": 5}
    assert source.dropped == {
        "age under 1": 2,
        "age over 100": 1,
        "no face": 1,
        "a second face": 1,
        "no age": 1,
        "no such picture (such as '00/9.jpg')": 3,
        "a path outside of data.root": 4,
    }
    assert source.class_names == ("0-18", "19-29", "30-39", "40-49", "50-59", "60+")
    assert source.read(1).size == (8, 8)


def test_a_link_out_of_the_root_is_no_picture_of_it(root, tmp_path):
    write_picture(tmp_path / "outside.jpg")
    (root / "00" / "link.jpg").symlink_to(tmp_path / "outside.jpg")
    write_mat(root / "wiki.mat", [person("00/0.jpg"), person("00/link.jpg")])
    source = AgedFaces().open(root)
    assert labels(source) == {"00/0.jpg": 2}
    assert source.dropped == {"no such picture (such as '00/link.jpg')": 1}


@pytest.mark.parametrize("below", ["", "wiki_crop", "imdb_crop"])
@pytest.mark.parametrize("name", ["wiki", "imdb"])
def test_both_archives_where_they_unpack_to(tmp_path, below, name):
    write_archive(tmp_path / "data" / below, [1990, 1975, 1930], name)
    source = AgedFaces().open(tmp_path / "data")
    assert source.labels.tolist() == [0, 1, 5]


def test_a_csv_lists_paths_and_ages_and_what_is_dropped_is_counted(root):
    (root / "faces.csv").write_text(
        "name,path,age\na,00/0.jpg,25\nb,00/1.jpg,60.5\nc,00/2.jpg,old\nd,00/3.jpg,-3\ne,x,5\n"
    )
    source = AgedFaces().open(root)
    assert labels(source) == {"00/0.jpg": 1, "00/1.jpg": 5}
    assert source.dropped == {"no age": 1, "age under 1": 1, "no such picture (such as 'x')": 1}
    (root / "more.csv").write_text("path,age\n00/3.jpg,1\n")
    with pytest.raises(UserError, match=r"2 CSV files; choose one with data\.dataset\.table="):
        AgedFaces().open(root)
    assert labels(AgedFaces(table="more.csv").open(root)) == {"00/3.jpg": 0}


def test_the_fingerprint_follows_the_list_and_the_pictures(root):
    def fingerprint(*people):
        write_mat(root / "wiki.mat", people)
        return AgedFaces().open(root).fingerprint

    both = fingerprint(person("00/0.jpg"), person("00/1.jpg"))
    assert both == fingerprint(person("00/0.jpg"), person("00/1.jpg"))
    assert both != fingerprint(person("00/0.jpg"), person("00/1.jpg", taken=2030))
    assert both != fingerprint(person("00/0.jpg"), person("00/2.jpg"))
    write_picture(root / "00" / "1.jpg", 77, (9, 9))
    assert both != fingerprint(person("00/0.jpg"), person("00/1.jpg"))


def test_what_cannot_serve(root, tmp_path):
    def refused(says, **options):
        with pytest.raises(UserError, match=says):
            AgedFaces(**options).open(root)

    with pytest.raises(UserError, match="nowhere is not there"):
        AgedFaces().open(tmp_path / "nowhere")
    refused(r"no wiki\.mat, no imdb\.mat and no CSV")
    refused("there is no .*other.csv", table="other.csv")
    refused("must be the name", table="../list.csv")
    refused("must be the name", table="list.txt")
    (root / "a.csv").write_text("path;age\n00/0.jpg;25\n")
    refused("no column 'age'; its first line must be path,age")
    (root / "a.csv").write_bytes(b"path,age\n\xff\xfe,3\n")
    refused("must be a CSV in UTF-8")
    (root / "a.csv").write_text("path,age\n")
    refused("lists no picture to train on: it is empty")
    write_mat(root / "other.mat", [person("00/0.jpg")], "other")
    refused(r"must be wiki\.mat or imdb\.mat", table="other.mat")
    write_mat(root / "wiki.mat", [person("00/8.jpg"), person("00/9.jpg")])
    refused(r"lists no picture to train on: no such picture \(such as '00/8.jpg'\) 2")
    write_mat(root / "wiki.mat", [person("00/0.jpg")], dob=np.zeros((1, 2)))
    refused("differ in length")
    write_mat(root / "wiki.mat", [person("00/0.jpg")], dob="1970")
    refused("the field 'dob' of .* holds no numbers")
    write_mat(root / "wiki.mat", [person("00/0.jpg")], full_path=np.array([[7.0]]))
    refused("no such picture .* 1")


def test_pictures_of_one_pixel_and_torn_ones_are_left_out(gantrain, root):
    write_picture(root / "00" / "0.jpg", size=(1, 1))
    (root / "00" / "1.jpg").write_bytes((root / "00" / "2.jpg").read_bytes()[:60])
    write_mat(root / "wiki.mat", [*(person(f"00/{i}.jpg") for i in range(4)), person("00/3.jpg", taken=1960)])
    result = gantrain("data", "data=aged_faces", f"data.root={root}", "data.size=16", "data.holdout=0")
    assert result.code == 0, result
    lines = [line.split(maxsplit=1) for line in result.out.splitlines()]
    assert ["images", "2"] in lines
    assert ["unreadable", "2"] in lines
    assert ["'00/0.jpg':", "only 1x1 pixels"] in lines
    assert ["classes", "6: 0-18 0, 19-29 0, 30-39 2, 40-49 0, 50-59 0, 60+ 0"] in lines
    assert "1 files or rows" in result.out
    assert "1 left out: age under 1" in result.out


def test_rare_ages_may_be_drawn_more_often(tmp_path):
    from gantrain.data import GANDataModule

    write_archive(tmp_path, [1980] * 18 + [1930] * 2)
    options = {"size": 8, "channels": 3, "batch_size": 4, "root": str(tmp_path), "upsize": True}
    for balance, old in ((0, 2), (0.5, 5), (1, 10)):
        data = GANDataModule(AgedFaces(), **options, balance=balance).open()
        assert (data.examples(20)["cond"] == 5).sum() == old  # 0.5: weights 18 and 2 under the root, 3 to 1


@pytest.mark.parametrize("form", ["./{}", "{}", ".//{}"])
@pytest.mark.parametrize("slash", ["/", "\\"])
def test_paths_are_taken_as_they_are_meant(root, form, slash):
    names = [form.format(f"00/{i}.jpg").replace("/", slash) for i in range(2)]
    (root / "a.csv").write_text(f"path,age\n{names[0]},25\n{names[1]},60\n00/0.jpg,25\n{names[0]},60\n")
    source = AgedFaces().open(root)
    assert labels(source) == {"00/0.jpg": 1, "00/1.jpg": 5}
    assert source.dropped == {"listed before": 2}
