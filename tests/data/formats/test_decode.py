"""One picture to pixels: modes, transparency, orientation, framing, and what is refused."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from gantrain.data.formats import decode as decoding
from gantrain.data.formats.decode import Framing, Unreadable, guarded, open_picture, to_array

GREY = np.linspace(0, 255, 64, dtype=np.uint8).reshape(8, 8)
COLOUR = np.stack([GREY, GREY.T, 255 - GREY], axis=-1)


def stored(picture, kind="PNG", **options):
    """The picture as a file gives it back."""
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return open_picture(io.BytesIO(stream.getvalue()))


def pixels(picture, size=8, channels=3, **options):
    with guarded():
        return to_array(picture, size, channels, Framing(**{"crop": "centre", **options}))


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("RGB", "PNG"),
        ("RGB", "BMP"),
        ("RGBA", "PNG"),
        ("P", "PNG"),
        ("P", "GIF"),
        ("L", "PNG"),
        ("LA", "PNG"),
        ("1", "PNG"),
    ],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_lossless_modes_become_grey_or_rgb(mode, kind, channels):
    original = Image.fromarray(COLOUR).convert(mode)
    found = pixels(stored(original, kind), channels=channels)
    expected = np.asarray(original.convert("RGB").convert("L" if channels == 1 else "RGB"))
    assert found.shape == (channels, 8, 8)
    assert np.abs(found.astype(int) - expected.reshape(8, 8, channels).transpose(2, 0, 1)).max() <= 1


@pytest.mark.parametrize(("kind", "mode"), [("JPEG", "RGB"), ("JPEG", "CMYK"), ("WEBP", "RGB"), ("JPEG", "L")])
def test_lossy_formats(kind, mode):
    original = Image.new("RGB", (8, 8), (200, 100, 50))
    found = pixels(stored(original.convert(mode), kind, quality=95))
    expected = np.asarray(original.convert(mode).convert("RGB")).transpose(2, 0, 1)
    assert np.abs(found.astype(int) - expected).max() <= 6


@pytest.mark.parametrize("dtype", [np.uint16, np.int32])
def test_sixteen_bits_are_scaled_not_clipped(dtype):
    picture = Image.fromarray(GREY.astype(dtype) * 257)
    assert picture.mode in ("I;16", "I")
    assert (pixels(picture, channels=1)[0] == GREY).all()
    assert (pixels(stored(Image.fromarray(GREY.astype(np.uint16) * 257)), channels=3) == GREY).all()


def test_transparency_shows_the_background():
    clear = Image.fromarray(np.zeros((8, 8, 4), np.uint8))
    palette = Image.new("P", (8, 8), 3)
    palette.putpalette([*range(256)] * 3)
    for picture in (
        stored(clear),
        stored(clear, "WEBP", lossless=True),
        stored(clear.convert("LA")),
        stored(palette, transparency=3),
        stored(palette, "GIF", transparency=3),
        stored(Image.new("RGB", (8, 8), (1, 2, 3)), transparency=(1, 2, 3)),
    ):
        assert pixels(picture, background=(10, 20, 30))[:, 4, 4].tolist() == [10, 20, 30]
    half = stored(Image.new("RGBA", (8, 8), (255, 0, 0, 128)))
    assert pixels(half)[:, 0, 0].tolist() == [255, 127, 127]


def test_exif_orientation_is_applied():
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 270 degrees
    picture = stored(Image.fromarray(COLOUR), exif=exif)
    assert (pixels(picture).transpose(1, 2, 0) == np.rot90(COLOUR, 3)).all()


def test_the_first_frame_of_an_animation():
    frames = [Image.new("L", (8, 8), value) for value in (40, 200)]
    assert (pixels(stored(frames[0], "GIF", save_all=True, append_images=frames[1:]), channels=1) == 40).all()


def test_centre_keeps_the_middle_and_none_squashes():
    wide = np.zeros((10, 30, 3), np.uint8)
    wide[:, 10:20] = 255
    for picture in (Image.fromarray(wide), Image.fromarray(wide.transpose(1, 0, 2))):
        assert (to_array(picture, 10, 3, Framing("centre")) == 255).all()
    squashed = to_array(Image.fromarray(wide), 10, 3, Framing("none"))
    assert squashed[0, 5, 0] == 0
    assert squashed[0, 5, 5] == 255


def test_centre_is_scaling_the_shorter_side_and_cutting():
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8))
    scaled = picture.resize((30, 20), Image.Resampling.BICUBIC).crop((5, 0, 25, 20))
    found = to_array(picture, 20, 3, Framing()).transpose(1, 2, 0)
    assert np.abs(found.astype(int) - np.asarray(scaled)).max() <= 1


def test_a_large_jpeg_is_decoded_smaller_to_nearly_the_same():
    picture = Image.fromarray(COLOUR).resize((1024, 1024), Image.Resampling.BICUBIC)
    found = pixels(stored(picture, "JPEG", quality=95), size=64)
    assert np.abs(found.astype(int) - to_array(picture, 64, 3)).mean() < 2


def test_arrays_are_squashed_and_enlarged():
    red = Image.new("RGB", (2, 2), (255, 0, 0))
    assert to_array(red, 2, 3)[:, 0, 0].tolist() == [255, 0, 0]
    assert to_array(red, 2, 1).shape == (1, 2, 2)
    assert to_array(Image.new("L", (2, 4), 7), 6, 3).shape == (3, 6, 6)


def refused(data, says):
    with pytest.raises(Unreadable, match=says), guarded(), open_picture(io.BytesIO(data)) as picture:
        to_array(picture, 8, 3, Framing())


def saved(kind, size=(32, 32)):
    stream = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    Image.fromarray(noise).save(stream, kind)
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP"])
def test_a_truncated_file_is_refused(kind):
    data = saved(kind)
    refused(data[: len(data) // 2], ".")


def test_what_is_no_picture_is_refused():
    for data in (b"", b"<html>", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", saved("TIFF")):
        refused(data, "^no PNG, JPEG, WebP, BMP or GIF$")


def test_one_pixel_is_no_picture():
    refused(saved("PNG", (1, 1)), "^only 1x1 pixels$")


@pytest.mark.parametrize("side", [10_000, 30_000])
def test_a_bomb_is_refused_before_it_is_decoded(side):
    data = bytearray(saved("BMP"))
    data[18:26] = side.to_bytes(4, "little") * 2
    refused(bytes(data), "decompression bomb")


def test_impossible_framings_are_refused():
    with pytest.raises(ValueError, match="background"):
        Framing(background=(0, 0, 256))


def test_a_picture_larger_than_memory_allows_is_refused(monkeypatch):
    monkeypatch.setattr(decoding, "MOST_PIXELS", 32 * 31)
    refused(saved("PNG"), "32x32 pixels, more than 992")


@pytest.mark.parametrize("size", [(decoding.LONGEST_SIDE + 1, 1), (1, decoding.LONGEST_SIDE + 1), (1, 60_000_000)])
def test_a_long_thin_picture_is_refused_before_it_is_decoded(size):
    header = struct.pack(">2I5B", *size, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")]
    data = b"\x89PNG\r\n\x1a\n"
    for kind, content in chunks:
        data += struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    refused(data, "more than .* a side")
