"""Pictures of every kind through a small run; what goes wrong is named and stops nothing else."""

import struct
import zlib

import numpy as np
import pytest
import torch
from pictures_on_disk import write_picture
from PIL import Image

from gantrain.cli.main import main
from gantrain.drawing import progress
from gantrain.inference.loaded import load

TINY = ("experiment=srgan_photos", "debug=tiny", "stages.pretrain.iterations=1", "stages.adversarial.iterations=1")


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("upscale") / "run"
    words = ("networks.generator.skip=false", "callbacks.samples.count=1", "callbacks.networks=null")
    assert main([*TINY, *words, f"hydra.run.dir={folder}"]) == 0
    return folder


def opened(file):
    return np.asarray(Image.open(file))


def test_a_picture_is_what_the_network_makes_of_it(run, gantrain, tmp_path):
    write_picture(tmp_path / "in.png", 3, (20, 13))
    assert gantrain("upscale", run, "in.png", "--out", "out").code == 0
    low = torch.from_numpy(opened("in.png").copy()).permute(2, 0, 1)[None] / 127.5 - 1
    made = ((load(run)["generator"](low)[0] + 1) * 127.5).round().clamp(0, 255).permute(1, 2, 0)
    assert np.abs(opened("out/in.png") - made.numpy()).max() <= 1


def test_tiles_leave_no_seam(run, gantrain, tmp_path):
    write_picture(tmp_path / "in.png", 3, (70, 50))
    assert gantrain("upscale", run, "in.png", "--out", "whole").code == 0
    assert gantrain("upscale", run, "in.png", "--out", "tiled", "--tile", 16, "--overlap", 4).code == 0
    assert opened("tiled/in.png").shape == (200, 280, 3)
    assert np.abs(opened("tiled/in.png").astype(int) - opened("whole/in.png")).max() <= 1


@pytest.mark.parametrize(
    ("mode", "name", "after"),
    [
        ("L", "a.png", "L"),
        ("1", "a.png", "L"),
        ("RGBA", "a.png", "RGBA"),
        ("RGB", "a.webp", "RGB"),
        ("LA", "a.png", "LA"),
        ("P", "a.png", "RGB"),
        ("CMYK", "a.jpg", "RGB"),
        ("L", "a.jpeg", "L"),
        ("RGB", "a.bmp", "RGB"),
        ("RGB", "a.gif", "P"),
    ],
)
def test_every_mode_keeps_its_kind_and_name(run, gantrain, tmp_path, mode, name, after):
    write_picture(tmp_path / "in" / name, 1, (9, 7), mode)
    done = gantrain("upscale", run, f"in/{name}", "--out", "out")
    assert done.code == 0, done
    picture = Image.open(tmp_path / "out" / name)
    assert (picture.mode, picture.size) == (after, (36, 28))


def test_alpha_is_enlarged_by_itself_and_what_it_hides_is_not_shown(run, gantrain, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 4), dtype=np.uint8)
    pixels[:, :4, 3], pixels[:, 4:, 3] = 0, 255
    Image.fromarray(pixels).save("seen.png")
    Image.fromarray(np.where(pixels[..., 3:] == 0, 255, pixels[..., :3]).astype(np.uint8)).save("opaque.png")
    assert gantrain("upscale", run, "seen.png", "opaque.png", "--out", "out").code == 0
    seen, opaque = opened("out/seen.png"), opened("out/opaque.png")
    assert (seen[..., :3] == opaque).all()
    assert (seen[:, :8, 3] == 0).all()
    assert (seen[:, -8:, 3] == 255).all()


def test_sixteen_bits_stay_sixteen(run, gantrain, tmp_path):
    deep = np.arange(64, dtype=np.uint16).reshape(8, 8) * 1000
    Image.fromarray(deep).save("deep.png")
    assert gantrain("upscale", run, "deep.png", "--out", "out").code == 0
    made = opened("out/deep.png")
    assert made.shape == (32, 32)
    assert made.dtype == np.uint16
    assert len(np.unique(made)) > 256


def test_what_is_lost_in_reading_is_said(run, gantrain, tmp_path):
    frames = [Image.new("RGB", (8, 8), (shade, 0, 0)) for shade in (0, 100, 200)]
    for name in ("in/a.gif", "in/b.webp", "in/c.png"):
        (tmp_path / "in").mkdir(exist_ok=True)
        frames[0].save(name, save_all=True, append_images=frames[1:])
    deep_png(tmp_path / "in" / "deep.png")
    frames[0].save("in/plain.png")
    done = gantrain("upscale", run, "in", "--out", "out")
    assert done.code == 0, done
    assert "only the first frame is taken: 3 pictures, such as 'in/a.gif'" in done.err
    assert "16 bits of each colour are taken as 8: 1 pictures, such as 'in/deep.png'" in done.err
    assert len(done.err.splitlines()) == 2


def deep_png(file):
    """Two pixels of three colours in 16 bits."""
    header = struct.pack(">2I5B", 2, 1, 16, 2, 0, 0, 0)
    parts = (b"IHDR", header), (b"IDAT", zlib.compress(bytes(13))), (b"IEND", b"")
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts))


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def test_pictures_are_turned_as_their_exif_says(run, gantrain):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (10, 6)).save("turned.jpg", exif=exif)
    assert gantrain("upscale", run, "turned.jpg", "--out", "out").code == 0
    made = Image.open("out/turned.jpg")
    assert made.size == (24, 40)
    assert 0x0112 not in made.getexif()


def test_a_single_pixel(run, gantrain, tmp_path):
    write_picture(tmp_path / "dot.png", 0, (1, 1))
    assert gantrain("upscale", run, "dot.png", "--out", "out").code == 0
    assert opened("out/dot.png").shape == (4, 4, 3)


def bomb(file, side=30_000):
    """A PNG of a few bytes whose header promises 900 megapixels."""
    header = struct.pack(">2I5B", side, side, 8, 2, 0, 0, 0)
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")))


def test_a_folder_goes_on_past_broken_files_and_names_them(run, gantrain, tmp_path):
    for name in ("a.png", "deep/er/b.jpg"):
        write_picture(tmp_path / "in" / name, 0, (8, 8))
    (tmp_path / "in" / "broken.png").write_text("hello")
    bomb(tmp_path / "in" / "huge.png")
    (tmp_path / "in" / "notes.txt").write_text("no picture, not looked at")
    done = gantrain("upscale", run, "in", "--out", "out")
    assert done.code == 1
    assert "2 of 4 pictures, 4 times larger, in out" in done.out
    assert "'in/broken.png': no PNG" in done.err
    assert "'in/huge.png': Image size (900000000 pixels) exceeds limit" in done.err
    assert sorted(str(f.relative_to(tmp_path / "out")) for f in (tmp_path / "out").rglob("*.*")) == [
        "a.png",
        "deep/er/b.jpg",
    ]


def test_what_would_be_too_large_afterwards_is_refused(run, gantrain):
    Image.new("1", (7000, 7000)).save("large.png")
    done = gantrain("upscale", run, "large.png", "--out", "out")
    assert done.code == 1
    assert "7000x7000 pixels, too many to be made 4 times larger" in done.err


def test_nothing_is_overwritten_without_force(run, gantrain, tmp_path):
    write_picture(tmp_path / "in" / "a.png", 0, (8, 8))
    write_picture(tmp_path / "in" / "b.png", 1, (8, 8))
    write_picture(tmp_path / "out" / "a.png", 2, (3, 3))
    before = (tmp_path / "out" / "a.png").read_bytes()
    refused = gantrain("upscale", run, "in", "--out", "out")
    assert refused.code == 2
    assert "--out: out/a.png is there already; --force replaces what is there" in refused.err
    assert (tmp_path / "out" / "a.png").read_bytes() == before
    assert not (tmp_path / "out" / "b.png").exists()
    assert gantrain("upscale", run, "in", "--out", "out", "--force").code == 0
    assert opened("out/a.png").shape == (32, 32, 3)


def test_inputs_are_never_overwritten(run, gantrain, tmp_path):
    write_picture(tmp_path / "in" / "a.png", 0, (8, 8))
    refused = gantrain("upscale", run, "in", "--out", "in", "--force")
    assert refused.code == 2
    assert "'in/a.png' lies there and would be overwritten" in refused.err


def test_what_was_made_before_is_no_input(run, gantrain, tmp_path):
    write_picture(tmp_path / "in" / "a.png", 0, (8, 8))
    for _ in range(2):
        assert gantrain("upscale", run, "in", "--out", "in/large", "--force").code == 0
    found = sorted(str(f.relative_to(tmp_path / "in")) for f in (tmp_path / "in").rglob("*.png"))
    assert found == ["a.png", "large/a.png"]


def test_two_inputs_of_one_name_are_refused(run, gantrain, tmp_path):
    for folder in ("x", "y"):
        write_picture(tmp_path / folder / "a.png", 0, (8, 8))
    refused = gantrain("upscale", run, "x/a.png", "y/a.png", "--out", "out")
    assert refused.code == 2
    assert "'x/a.png' and 'y/a.png' would both become" in refused.err


def test_transparency_does_not_fit_into_a_jpeg(run, gantrain, tmp_path):
    write_picture(tmp_path / "a.png", 0, (8, 8), "RGBA")
    (tmp_path / "a.png").rename("a.jpg")
    done = gantrain("upscale", run, "a.jpg", "--out", "out")
    assert done.code == 1
    assert "a .jpg has neither transparency nor 16 bits" in done.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["gone.png"], "there is no file or folder 'gone.png'"),
        (["empty"], "IN: empty holds no png"),
        (["in.png", "--tile", "0"], "--tile is 0"),
        (["in.png", "--out", "in.png"], "is a file, not a folder"),
    ],
)
def test_mistakes_get_one_sentence(run, gantrain, tmp_path, words, sentence):
    (tmp_path / "empty").mkdir()
    write_picture(tmp_path / "in.png", 0, (8, 8))
    refused = gantrain("upscale", run, "--out", "out", *words)
    assert refused.code == 2
    assert sentence in refused.err


def test_a_run_that_is_no_super_resolver(gantrain, tmp_path):
    assert gantrain("debug=tiny", "hydra.run.dir=digits").code == 0
    write_picture(tmp_path / "in.png", 0, (8, 8))
    refused = gantrain("upscale", "digits", "in.png", "--out", "out")
    assert refused.code == 2
    assert "digits does not enlarge pictures; name a run of an experiment such as srgan_photos" in refused.err
    assert "is no run" in gantrain("upscale", "empty", "in.png", "--out", "out").err


def test_progress_is_told_in_a_log(run, gantrain, tmp_path, monkeypatch):
    monkeypatch.setattr(progress, "SECONDS", 0)
    for number in range(2):
        write_picture(tmp_path / f"in/{number}.png", number, (40, 20))
    result = gantrain("upscale", run, "in", "--out", "out", "--tile", 20)
    assert "1 of 2 pictures, " in result.err
    assert "1 of 2 tiles, " in result.err
    assert " left" in result.err
