import copy

import pytest
import torch
from safetensors.torch import load_file

from gantrain.data.images import Digits
from gantrain.data.module import GANDataModule
from gantrain.data.synthetic import Synthetic
from gantrain.errors import UserError
from gantrain.evaluation import classifier as module
from gantrain.evaluation.classifier import dataset_backbone


def digits(cache, **options):
    return GANDataModule(Digits(), size=16, channels=1, batch_size=8, cache_dir=cache, **options).open()


@pytest.fixture(scope="module", autouse=True)
def _few_steps():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "STEPS", 50)  # enough for digits
        yield


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    data = digits(tmp_path_factory.mktemp("cache"), holdout=0.2)
    return data, dataset_backbone(data, None, None)


def test_it_knows_digits_it_has_not_seen(fitted):
    data, backbone = fitted
    other = data.held_out()
    with torch.no_grad():
        features, logits = backbone(torch.tensor(other.cached.images))
    right = (logits.argmax(1) == torch.from_numpy(other.cached.labels)).double().mean()
    assert right > 0.95
    assert features.shape == (len(other), 64)
    assert features.std(0).mean().item() == pytest.approx(1, abs=0.3)


def test_it_is_fitted_once_and_the_same_way(fitted, monkeypatch, capsys):
    data, backbone = fitted
    monkeypatch.setattr(module, "fit", lambda *args: pytest.fail("fitted again"))
    again = copy.copy(data)
    again.seed = 7  # another run's
    assert dataset_backbone(again, None, None).weights == backbone.weights
    monkeypatch.undo()
    before = set((data.cache_dir / "classifiers").iterdir())
    monkeypatch.setattr(module, "STEPS", 10)
    quick = dataset_backbone(data, None, None).weights
    (file,) = set((data.cache_dir / "classifiers").iterdir()) - before
    file.write_bytes(file.read_bytes()[:100])  # damaged
    torch.manual_seed(99)
    state = torch.get_rng_state()
    assert dataset_backbone(data, None, None).weights == quick != backbone.weights
    assert torch.equal(torch.get_rng_state(), state)
    assert "right about" in capsys.readouterr().err


def test_weights_from_a_file(fitted, tmp_path):
    data, backbone = fitted
    torch.save(backbone.network.state_dict(), tmp_path / "w.pth")
    again = dataset_backbone(data, str(tmp_path / "w.pth"), None)
    assert torch.equal(again.network.classify.weight, backbone.network.classify.weight)
    with pytest.raises(UserError, match="no file nowhere"):
        dataset_backbone(data, "nowhere.pth", None)
    colour = GANDataModule(Synthetic(32, classes=4), size=16, channels=3, batch_size=8, cache_dir=tmp_path).open()
    with pytest.raises(UserError, match="does not fit this data set"):
        dataset_backbone(colour, str(tmp_path / "w.pth"), None)


def test_large_pictures_are_reduced(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "STEPS", 3)
    data = GANDataModule(Synthetic(32, classes=4), size=64, channels=3, batch_size=8, cache_dir=tmp_path).open()
    backbone = dataset_backbone(data, None, None)
    assert (backbone.side, backbone.filter, backbone.rounded) == (32, "antialias", True)
    assert dataset_backbone(data, None, "clean").filter == "clean"
    assert len(list((data.cache_dir / "classifiers").iterdir())) == 2
    assert all(load_file(file) for file in (data.cache_dir / "classifiers").iterdir())


def test_data_without_classes(tmp_path):
    data = GANDataModule(Synthetic(32), size=16, channels=3, batch_size=8, cache_dir=tmp_path).open()
    with pytest.raises(UserError, match="no classes"):
        dataset_backbone(data, None, None)
