import pytest
import torch

from gantrain.data.images import Digits
from gantrain.data.module import GANDataModule
from gantrain.errors import UserError
from gantrain.evaluation import extraction as module
from gantrain.evaluation.backbones import named
from gantrain.evaluation.extraction import RealParts, extract, generated, real_features, stream

CPU = torch.device("cpu")


def digits(cache, seed=0, **options):
    return GANDataModule(Digits(), 16, 1, 8, cache_dir=cache, seed=seed, **options).open()


def test_the_order_is_the_evaluations_and_nothing_is_flipped(tmp_path):
    one = digits(tmp_path, seed=0)
    other = digits(tmp_path, seed=5, augment={"flip": True})
    for (a, labels), (b, others) in zip(stream(one, 600, seed=3), stream(other, 600, seed=3), strict=True):
        assert torch.equal(a, b)
        assert torch.equal(labels, others)
    assert [len(part) for part, _ in stream(one, 600, seed=3)] == [250, 250, 100]


def test_every_picture_comes_once(tmp_path):
    data = digits(tmp_path)
    pictures = torch.cat([part for part, _ in stream(data, len(data), seed=1)])
    rows = {row.numpy().tobytes() for row in pictures}
    assert rows == {row.tobytes() for row in data.cached.images}
    assert len(pictures) == len(data)


def test_real_features_are_kept(tmp_path, monkeypatch):
    data, backbone = digits(tmp_path), named("random", None, None)
    first = real_features(data, backbone, 300, 0, CPU)
    monkeypatch.setattr(module, "extract", lambda *args: pytest.fail("extracted again"))
    again = real_features(digits(tmp_path, seed=9), backbone, 300, 0, CPU)
    assert torch.equal(first.features, again.features)
    assert torch.equal(first.labels, again.labels)
    assert again.probabilities is None
    monkeypatch.undo()
    (file,) = (tmp_path / "features").iterdir()
    file.write_bytes(b"damaged")
    assert torch.equal(real_features(data, backbone, 300, 0, CPU).features, first.features)
    assert len(real_features(data, backbone, 301, 0, CPU)) == 301


def test_parts_are_the_whole_in_order(tmp_path, monkeypatch):
    data, backbone = digits(tmp_path), named("random", None, None)
    whole = real_features(data, backbone, len(data), 0, CPU)
    monkeypatch.setattr(module, "PART", 500)
    parts = list(RealParts(data, backbone, len(data), 0, CPU))
    assert [len(part) for part in parts] == [500, 500, 500, 297]
    assert torch.equal(torch.cat([part.labels for part in parts]), whole.labels)
    assert torch.allclose(torch.cat([part.features for part in parts]), whole.features, atol=1e-6)
    again = real_features(data, backbone, 700, 0, CPU)
    assert torch.allclose(again.features, whole.features[:700], atol=1e-6)
    assert again.probabilities is None


class Family:
    """Makes pictures that say which latents and which class they were made of."""

    def __init__(self, conditional=False, bad=False):
        self.classes, self.bad = (3 if conditional else None), bad

    def latents(self, n, generator, truncation):
        return torch.randn(n, 2, generator=generator) * (truncation or 1)

    def generate(self, z, raw=False, cond=None):
        pictures = torch.zeros(len(z), 1, 16, 16) + (z[:, :1, None, None].tanh() if cond is None else 0)
        if cond is not None:
            pictures += cond.view(-1, 1, 1, 1) / 4 - 1
        return pictures / 0 if self.bad else pictures


def made(data, **options):
    options = {"count": 300, "seed": 0, "raw": False, "truncation": None, "labels": None, **options}
    family = options.pop("family", Family())
    parts = list(generated(family, data, **options))
    return torch.cat([part for part, _ in parts]), [cond for _, cond in parts]


def test_generated_pictures_are_of_the_seed(tmp_path):
    data = digits(tmp_path)
    assert torch.equal(made(data)[0], made(data)[0])
    assert not torch.equal(made(data)[0], made(data, seed=1)[0])
    assert made(data)[0].dtype == torch.uint8


def test_classes_are_those_of_real_pictures(tmp_path):
    pictures, conds = made(digits(tmp_path), family=Family(conditional=True), labels=torch.tensor([0, 2]), count=5)
    assert torch.cat(conds).tolist() == [0, 2, 0, 2, 0]
    assert pictures[:, 0, 0, 0].tolist() == [0, 64, 0, 64, 0]  # c / 4 * 127.5


def test_pictures_that_are_not_finite(tmp_path):
    with pytest.raises(UserError, match="not finite"):
        made(digits(tmp_path), family=Family(bad=True))


class Broken(torch.nn.Module):
    name = "broken"

    def forward(self, pictures):
        return torch.full((len(pictures), 2), torch.nan), None


def test_features_that_are_not_finite():
    with pytest.raises(UserError, match="broken"):
        extract(iter([(torch.zeros(2, 1, 4, 4, dtype=torch.uint8), None)]), Broken(), CPU)
