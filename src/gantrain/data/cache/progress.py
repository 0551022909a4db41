"""How far a cache is."""

from gantrain.drawing.progress import Progress


class Decoding(Progress):
    """Counts pictures decoded, of `total`, of which `done` were there before."""

    def __init__(self, total: int, done: int = 0):
        super().__init__(total, "images", done, "decoding")

    def line(self, speed: float) -> str:
        left = (self.total - self.done) / speed
        return f"decoded {self.done:,} of {self.total:,} images, {speed:,.0f} images/s, {left:,.0f} s left"
