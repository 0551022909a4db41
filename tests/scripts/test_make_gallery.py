"""The gallery: a command that gives the run's config back, pictures that fit, and hand-written words that stay."""

import importlib.util
import io
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from gantrain.config.compose import composed
from gantrain.config.finalise import make_absolute
from gantrain.errors import UserError

SCRIPT = Path(__file__).parents[2] / "scripts" / "make_gallery.py"
spec = importlib.util.spec_from_file_location("make_gallery", SCRIPT)
making = importlib.util.module_from_spec(spec)
spec.loader.exec_module(making)


@pytest.mark.parametrize(
    "words",
    [
        ["experiment=dcgan_digits", "iterations=7"],
        ["experiment=dcgan_folder", "seed=3", "data.root=FOLDER", "losses=hinge", "data.size=32"],
        ["experiment=srgan_photos", "data.root=FOLDER", "losses/content=vgg16", "stages.pretrain.iterations=5"],
    ],
)
def test_a_command_is_found_that_composes_the_same(words):
    config = {"name": words[0].partition("=")[2], **composed(words, None)}
    make_absolute(config)
    assert sorted(making.command(config)) == sorted(words)


def test_a_small_picture_keeps_every_pixel_and_a_large_one_fits():
    small = Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8))
    data, suffix = making.compressed(small)
    assert suffix == ".png"
    assert np.array_equal(Image.open(io.BytesIO(data)), small)
    data, suffix = making.compressed(small.resize((600, 400)))
    assert suffix == ".jpg"
    assert len(data) <= making.LARGEST
    assert Image.open(io.BytesIO(data)).size == (600, 400)


def test_an_enlarged_photo_stands_between_its_small_self_and_the_truth(monkeypatch):
    photo = torch.randint(0, 256, (3, 48, 60), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    blocks = nn.ConvTranspose2d(3, 3, 4, stride=4, groups=3, bias=False)
    nn.init.ones_(blocks.weight)
    data = SimpleNamespace(holdout=1, scale=4, to_range=torch.Tensor.float, pictures=torch.Tensor.byte)
    data.open = data.held_out = lambda: data
    data.wholes = lambda: iter([("a.png", photo)])
    trained = SimpleNamespace(data=data, network=lambda name, raw: blocks)
    monkeypatch.setattr(making, "load_trained", lambda folder: trained)
    sheet = making.enlarged_photos(SimpleNamespace(folder="run"))
    low, bicubic, ours, truth = (sheet[:, 2:50, left : left + 48] for left in (2, 52, 102, 152))
    assert torch.equal(ours, low)
    assert torch.equal(truth, photo[:, :, :48])  # as wide as it is high
    assert not torch.equal(bicubic, low)
    data.holdout = 0
    assert making.enlarged_photos(SimpleNamespace(folder="run")) is None


def test_a_strip_of_four_fits(tmp_path):
    (tmp_path / "gallery").mkdir()
    for i, name in enumerate(making.STRIP):
        assert not (tmp_path / "strip.png").exists()
        Image.new("RGB", (400, 300), (60 * i, 0, 0)).save(tmp_path / "gallery" / f"{name}.png")
        making.write_strip(tmp_path)
    with Image.open(tmp_path / "strip.png") as strip:
        assert strip.height == making.STRIP_HEIGHT
        assert strip.convert("RGB").getpixel((strip.width - 1, 0)) == (180, 0, 0)


def test_an_entry_is_replaced_between_its_marks_and_the_rest_stays():
    page = making.with_entry("# Gallery\n\nBy hand.\n\n<!-- next entry -->\n\n## Styles\n", "a", "first")
    page = page.replace("<!-- end: a -->", "<!-- end: a -->\n\nOf a, by hand.")
    page = making.with_entry(page, "b", "other")
    order = ["By hand.", "made: a", "first", "end: a", "Of a, by hand.", "made: b", "other", "end: b", "## Styles"]
    assert sorted(order, key=page.index) == order
    again = making.with_entry(page, "a", "second")
    assert again == page.replace("first", "second")
    assert making.with_entry("By hand.\n", "a", "first").startswith("By hand.\n\n<!-- made: a -->")


def test_a_mark_without_its_end_is_refused():
    with pytest.raises(UserError, match="end: a"):
        making.with_entry("<!-- made: a -->\nby hand\n", "a", "new")


def test_a_run_becomes_a_picture_and_an_entry(run, monkeypatch, capsys):
    monkeypatch.setattr(making, "command", lambda config: [f"experiment={config['name']}"])  # what debug=tiny does
    Path("docs").mkdir()
    page = Path("docs/gallery.md")
    page.write_text("# Gallery\n\nBy hand.\n")
    words = ["make_gallery", str(run), "--machine", "an old laptop", "--docs", "docs"]
    monkeypatch.setattr("sys.argv", words)
    assert making.main() == 0
    assert Image.open("docs/images/gallery/cgan_digits.png").format == "PNG"
    told = page.read_text()
    assert told.startswith("# Gallery\n\nBy hand.\n")
    for part in ("](images/gallery/cgan_digits.png)", "gantrain experiment=cgan_digits\n", ", an old laptop\n"):
        assert part in told
    assert making.main() == 0
    assert page.read_text() == told
    monkeypatch.setattr("sys.argv", ["make_gallery", "docs", "--machine", "x", "--docs", "docs"])
    capsys.readouterr()
    assert making.main() == 2
    assert "docs is no run" in capsys.readouterr().err
