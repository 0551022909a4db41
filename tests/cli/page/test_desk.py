"""What the page asks of verbs, without a browser."""

import shlex
from pathlib import Path

import pytest
from PIL import Image

from gantrain.cli.page import desk as module
from gantrain.cli.page.desk import Desk, bounded, box_of, checked, named, text_words
from gantrain.errors import UserError
from gantrain.training.loading import kept, load_trained


@pytest.fixture
def desk(tmp_path):
    return lambda *options: Desk(Path("run"), tmp_path / "made", options)


def photo(size=(40, 24), file="photo.png"):
    Image.radial_gradient("L").resize(size).convert("RGB").save(file)
    return file


def test_its_samples_are_those_of_the_verb_it_names(run, gantrain, desk):
    asked = desk("--raw")
    with kept("run") as trained:
        assert load_trained("run") is trained
        answer = asked.samples(n=5, seed=7, truncation=0.5)
    assert load_trained("run") is not trained
    assert answer.file.name == "sample_n-5_seed-7_truncation-0.5.png"
    words = "sample run -n 5 --seed 7 --truncation 0.5 --out sample_n-5_seed-7_truncation-0.5.png --raw"
    assert answer.command == f"gantrain {words}"
    assert gantrain(*shlex.split(words)).code == 0
    assert Path(answer.file.name).read_bytes() == answer.file.read_bytes()
    assert asked.samples(n=5, seed=8, truncation=0.5).file.read_bytes() != answer.file.read_bytes()


def test_single_numbers_of_a_latent(run, desk):
    asked = desk()
    plain = asked.shifted(seed=1, numbers="8 to 15", shift0=0.0, shift1=0.0)
    moved = asked.shifted(seed=1, numbers="8 to 15", shift0=0.0, shift1=-1.5)
    assert "--shift" not in plain.command
    assert "-n 1 --seed 1 --shift=9:-1.5 --out" in moved.command
    assert plain.file.read_bytes() != moved.file.read_bytes()
    for numbers in ("8", "0 to 7 --out=/tmp/x", "-1 to 7"):
        with pytest.raises(UserError, match=r"^numbers is"):
            asked.shifted(seed=1, numbers=numbers)
    with pytest.raises(UserError, match=r"^shift is 5, it must be from -4 to 4"):
        asked.shifted(seed=1, numbers="0 to 7", shift0=5)


def test_a_hole_is_what_is_painted_and_the_box_where_nothing_is(monkeypatch, desk):
    def layer(*box):
        painted = Image.new("RGBA", (40, 24))
        painted.paste((255, 0, 0, 200), box)
        painted.save("layer.png")
        return "layer.png"

    asked, given = desk(), []
    monkeypatch.setattr(Desk, "changed", lambda self, verb, photo, *words: given.extend(words))
    box = dict.fromkeys(("left", "top"), 50) | dict.fromkeys(("width", "height"), 25)
    asked.filling(photo(), painted=layer(3, 4, 10, 9), **box)
    asked.filling(photo(), painted=layer(0, 0, 0, 0), **box)
    asked.filling(photo(), **box)
    assert given[1:] == ["--hole=20,12,10,6"] * 2
    with Image.open(given[0].removeprefix("--mask=")) as mask:
        assert (mask.mode, mask.size, mask.getbbox()) == ("L", (40, 24), (3, 4, 10, 9))
    Path("layer.eps").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0")
    with pytest.raises(UserError, match="cannot be used"):
        asked.filling(photo(), painted="layer.eps", **box)


def test_walks_and_neighbours(run, desk):
    asked = desk()
    assert Image.open(asked.walk(rows=2, steps=3, seed=1).file).format == "PNG"
    film = asked.walk(rows=2, steps=3, seed=1, film=True)
    assert film.file.suffix == ".gif"
    assert Image.open(film.file).n_frames == 6
    near = asked.nearest(nearest=3, seed=1)
    assert near.command == ""
    assert Image.open(near.file).width > 3 * 64


def test_styles_and_classes(styled, desk):
    asked = desk()
    of_one = asked.samples(n=2, seed=0, psi=0.5, of_class="3")
    assert "--psi 0.5 --class=3" in of_one.command
    mixed = asked.mixture(rows=2, columns=3, first=4, last=1, psi=1, seed=0)
    assert "--layers=1-4" in mixed.command
    assert "edit run --rows 2 --reach 0.5 --seed 0 --class=3" in asked.edits(2, 0.5, 0, "3").command
    found = asked.style(photo(), search=10)
    assert (found.file.name, Image.open(found.file).format) == ("photo_project_steps-10.png", "PNG")
    with pytest.raises(UserError, match="--class is 30, this run has the classes 0 to 9"):
        asked.samples(n=2, seed=0, of_class="30")
    with pytest.raises(UserError, match="there is no class '--out=/tmp/x'"):
        asked.samples(n=2, seed=0, of_class="--out=/tmp/x")


def test_a_photo_is_changed_and_keeps_its_name(scheduled, desk):
    asked = desk()
    answer = asked.translation(photo(), to="a")
    assert answer.file.name == "photo_translate_to-a.png"
    assert Image.open(answer.file).size == (40, 24)
    assert answer.command == "gantrain translate run PHOTO --to=a --out FOLDER"
    with pytest.raises(UserError, match="does not enlarge pictures"):
        asked.larger(photo())


def test_a_photo_is_refused_in_a_sentence(monkeypatch, desk):
    with pytest.raises(UserError, match="there is no photo yet; upload one first"):
        checked(None)
    with pytest.raises(UserError, match="has 3000x2 pixels, at most 2,048 a side"):
        checked(photo((3000, 2)))
    Path("page.eps").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n")
    with pytest.raises(UserError, match="the photo cannot be used: no PNG, JPEG, WebP, BMP or GIF"):
        checked("page.eps")
    Path("cut.png").write_bytes(Path(photo()).read_bytes()[:-60])
    with pytest.raises(UserError, match=r"the photo cannot be used: .*truncated"):
        desk().hole("cut.png", left=0, top=0, width=9, height=9)
    monkeypatch.setattr(module, "LARGEST_UPLOAD", 10)
    with pytest.raises(UserError, match="has 0 MiB, at most 0 are taken"):
        checked(photo())


def test_a_hole_lies_in_the_photo_as_it_is_seen(desk):
    box = {"left": 50, "top": 99, "width": 100, "height": 10}
    assert box_of((40, 24), **box) == (20, 23, 20, 1)
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    Image.new("RGB", (40, 24)).save("turned.jpg", exif=exif)
    assert checked("turned.jpg") == (24, 40)
    with Image.open(desk().hole("turned.jpg", **box).file) as shown:
        assert (shown.size, shown.getpixel((12, 39)), shown.getpixel((11, 39))) == ((24, 40), (128,) * 3, (0,) * 3)


def test_texts_are_words_of_their_own(run, desk):
    assert text_words(" a red square \n\n--out=/tmp/x\n") == ["--text=a red square", "--text=--out=/tmp/x"]
    for text in ("a\n" * 5, "a" * 301):
        with pytest.raises(UserError, match="at most 4 texts of at most 300 letters"):
            text_words(text)
    with pytest.raises(UserError, match="--text: this run's samples are not made of texts"):
        desk().samples(n=1, seed=0, text="a red square")


@pytest.mark.parametrize("value", [0, 65, float("nan"), "64", None, True])
def test_numbers_have_bounds_behind_the_sliders_too(value, desk):
    with pytest.raises(UserError, match=r"^n is .*, it must be"):
        bounded("n", value)
    with pytest.raises(UserError, match=r"^n is"):
        desk().samples(n=value, seed=0)


def test_few_answers_stay(run, desk, monkeypatch):
    monkeypatch.setattr(module, "KEPT", 2)
    asked = desk()
    files = [asked.samples(n=1, seed=seed).file for seed in range(3)]
    assert [file.exists() for file in files] == [False, True, True]


def test_names_of_files_are_plain():
    assert named("sample", ["-n", "16", "--class=../ä b"], "png") == "sample_n-16_class-..-b.png"
    assert len(named("sample", ["--class=" + "x" * 500], "png")) < 120
