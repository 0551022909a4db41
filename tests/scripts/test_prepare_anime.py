"""Cutting faces: the detector is a stand-in, the rest is real."""

import importlib.util
from pathlib import Path

from PIL import Image

SCRIPT = Path(__file__).parents[2] / "scripts" / "prepare_anime.py"
spec = importlib.util.spec_from_file_location("prepare_anime", SCRIPT)
anime = importlib.util.module_from_spec(spec)
spec.loader.exec_module(anime)


def faces(picture):
    """Two faces on wide drawings, none on others."""
    return [(60, 10, 20, 30), (0, 0, 10, 10)] if picture.width > 90 else []


def test_faces_are_cut_counted_and_named(tmp_path):
    drawings, target = tmp_path / "drawings", tmp_path / "faces"
    (drawings / "sub folder").mkdir(parents=True)
    target.mkdir()
    drawing = Image.new("RGBA", (100, 50), (0, 0, 0, 0))
    drawing.paste((255, 0, 0, 255), (55, 10, 85, 40))
    drawing.save(drawings / "sub folder" / "a.png")
    Image.new("L", (80, 50)).save(drawings / "faceless.png")
    (drawings / "broken.png").write_bytes(b"no picture")
    saved, faceless, unreadable = anime.prepare(drawings, target, 64, False, faces)
    assert (saved, faceless, len(unreadable)) == (1, 1, 1)
    assert "broken.png" in unreadable[0]
    (file,) = target.iterdir()
    face = Image.open(file)
    assert (face.size, face.mode) == ((64, 64), "RGB")
    assert face.getpixel((32, 32)) == (255, 0, 0)
    assert anime.prepare(drawings, target, 64, True, faces)[0] == 2


def test_a_square_that_sticks_out_is_moved_inside():
    picture = Image.new("RGB", (50, 40), "white")
    picture.paste((255, 0, 0), (40, 0, 50, 40))
    assert anime.cut(picture, (45, -5, 10, 20), 8).getpixel((7, 4)) == (255, 0, 0)
    assert anime.cut(picture, (0, 0, 500, 500), 8).size == (8, 8)


def test_no_two_drawings_get_one_name():
    paths = ["a/b.png", "a_b.png", "a%2Fb.png", "a%252Fb.png", "a/b.jpg", "a/b.png.jpg", "a.png/b.jpg"]
    names = {anime.name_of(Path(path)) for path in paths}
    assert len(names) == len(paths)
    assert not any("/" in name for name in names)
