"""Films."""

from PIL import Image

from gantrain.drawing.video import even


def test_frames_have_even_sides():
    assert even(Image.new("RGB", (131, 130))).size == (130, 130)
