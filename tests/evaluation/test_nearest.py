"""Samples beside the training pictures that are nearest to them."""

from gantrain.data import GANDataModule
from gantrain.data.synthetic import Synthetic
from gantrain.evaluation import nearest


def test_below_a_copy_is_its_original(monkeypatch):
    data = GANDataModule(Synthetic(64), size=40, channels=1, batch_size=8).open()
    shown = {}
    monkeypatch.setattr(nearest, "grid", lambda pictures, *_: shown.setdefault(len(shown), pictures)[0])
    copies = data.take([9, 60, 3])["real"]
    noisy = copies + 0.05 * (copies.flip(0) - copies)
    sheet = nearest.nearest_sheet(noisy, data)
    assert sheet.height > 2 * 40
    assert (shown[0] == data.pictures(noisy)).all()
    assert (shown[1] == data.pictures(copies)).all()
