"""Scores of faces in other ages: known answers, and runs that keep or lose the face."""

import re

import numpy as np
import pytest
import torch
from torch import nn
from toys import game, player
from wiki import write_archive

from gantrain.data import GANDataModule
from gantrain.data.aged_faces import AgedFaces
from gantrain.drawing import progress
from gantrain.errors import UserError
from gantrain.evaluation import ageing
from gantrain.evaluation.ageing import AgeingScores, Judge, distance, identity
from gantrain.files import sha256
from gantrain.losses.euclidean import Euclidean
from gantrain.models.inversion import Inversion
from gantrain.networks.face import FaceEmbedder
from gantrain.networks.torchscript import trust_backbone


def test_identity_by_hand():
    photos = torch.tensor([[1.0, 0], [0, 2], [3, 3]])
    same = identity(photos, photos)
    half = 0.5**0.5
    assert torch.allclose(same[:, 0], torch.ones(3))
    assert torch.allclose(same[:, 1], torch.tensor([half / 2, half / 2, half]))
    one = identity(photos, torch.tensor([[1.0, 0]] * 3))  # one face for every input
    assert (one[:, 0] - one[:, 1]).mean().item() == pytest.approx(0, abs=1e-6)


def test_distance_by_hand():
    pictures = torch.tensor([[0.0, 0], [3, 4], [0, 0]]).view(3, 1, 1, 2)
    assert distance(pictures).item() == pytest.approx((5 + 0 + 5) / 3)


class Encoder(nn.Module):
    """The picture itself is the latent."""

    def __init__(self, keeps):
        super().__init__()
        self.keeps = keeps

    def forward(self, images):
        return images.flatten(1) * self.keeps


class Generator(nn.Module):
    """The latent itself is the picture; its first row tells the class by how bright it is."""

    z_dim = 3 * 16 * 16

    def forward(self, z, cond):
        made = z.view(-1, 3, 16, 16).clone()
        made[:, :, :4] = (cond.float() / 2.5 - 1).view(-1, 1, 1, 1)
        return made


@pytest.fixture
def data(tmp_path):
    """Noise whose upper quarter is as bright as the face is old."""
    years = [1990, 1975, 1965, 1955, 1945, 1930] * 10
    write_archive(tmp_path, years)
    from PIL import Image

    for file in tmp_path.rglob("*.jpg"):
        age = sorted(set(years), reverse=True).index(int(file.name.split("_")[1][:4]))
        pixels = np.random.default_rng(int(file.name.split("_")[0])).integers(0, 256, (16, 16, 3), dtype=np.uint8)
        pixels[:4] = 51 * age
        Image.fromarray(pixels).save(file.with_suffix(".jpg"), format="PNG")
    return GANDataModule(AgedFaces(), 16, 3, 8, root=str(tmp_path), classes=6, holdout=18).open()


def module(keeps=1.0):
    networks = {"encoder": Encoder(keeps), "generator": Generator(), "face": FaceEmbedder("untrained", size=None)}
    networks["weight"] = nn.Linear(1, 1)
    return Inversion(networks=networks, players={"encoder": player("weight")}, classes=6, embedding=Euclidean())


def test_a_perfect_run_and_one_that_makes_one_face_of_all(data):
    scores = AgeingScores()
    scores.check(module(), data)
    perfect = scores.measure(module(), data)
    assert list(scores.names(module(), data)) == list(perfect.scores)
    assert perfect.scores["identity"].value == pytest.approx(1, abs=0.01)
    assert perfect.scores["spread"].value == pytest.approx(1, abs=0.01)
    gain = perfect.scores["identity_gain"]
    assert gain.value > 10 * gain.error > 0
    assert perfect.scores["age_accuracy"].value > 2 / 6
    assert perfect.scores["aged_identity_gain"].value > 0
    rows = perfect.tables["ageing"]
    assert [row["target age"] for row in rows] == ["0-18", "19-29", "30-39", "40-49", "50-59", "60+"]
    assert sum(row["photos of that age"] for row in rows) == perfect.protocol["samples"] == 18
    collapsed = scores.measure(module(keeps=0.0), data).scores
    assert collapsed["aged_identity_gain"].value == pytest.approx(0, abs=1e-5)
    assert collapsed["spread"].value < 0.7  # what is left is the age
    assert collapsed["identity"].value < perfect.scores["identity"].value - 0.1


def test_the_judge_is_fitted_once_for_all_stages(data, monkeypatch):
    made = []
    monkeypatch.setattr(ageing, "Judge", lambda *args: made.append(1) or Judge(*args))
    scores, one, other = AgeingScores(), module(), module(keeps=0.5)
    other.networks["face"] = one.networks["face"]
    assert scores.measure(one, data) != scores.measure(other, data)
    assert len(made) == 1


def test_training_photos_are_looked_at_a_part_at_a_time(data, monkeypatch):
    def fitted():
        return Judge(FaceEmbedder("untrained", size=None), torch.device("cpu"), data, data.held_out(), 5)

    whole, seen, take = fitted(), [], data.take
    monkeypatch.setattr(ageing, "PART", 10)
    monkeypatch.setattr(data, "take", lambda rows: seen.append(len(rows)) or take(rows))
    parts = fitted()
    assert seen == [10, 10, 10, 10, 2]
    assert torch.equal(parts.class_of(whole.embeddings), whole.class_of(whole.embeddings))
    again = fitted()
    assert len(seen) == 5  # their embeddings are kept
    assert torch.equal(again.class_of(whole.embeddings), whole.class_of(whole.embeddings))
    Judge(FaceEmbedder("untrained", size=16), torch.device("cpu"), data, data.held_out(), 5)
    assert len(seen) == 10  # of another recogniser


class Brightness(nn.Module):
    """Faces by how bright their quarters are."""

    def forward(self, x):
        return nn.functional.adaptive_avg_pool2d(x, 2).flatten(1)


def test_another_recogniser_judges_and_the_own_one_only_says_so(data, tmp_path):
    file = tmp_path / "judge.pt"
    torch.jit.script(Brightness()).save(file)
    with pytest.raises(UserError, match=r"evaluation\.judge: .* is TorchScript.* named it"):
        AgeingScores(judge=str(file)).check(module(), data)
    trust_backbone(str(file))
    scores, run = AgeingScores(judge=str(file)), module()
    scores.check(run, data)
    own, other = AgeingScores().measure(run, data), scores.measure(run, data)
    assert "own" in own.protocol["judge"]
    assert "another" in other.protocol["judge"]
    assert other.protocol["face recogniser"] == sha256(file)[:16] != own.protocol["face recogniser"]
    assert other.scores["identity"].value != own.scores["identity"].value
    with pytest.raises(UserError, match=r"evaluation\.judge: there is no file nowhere\.pt"):
        AgeingScores(judge="nowhere.pt").check(run, data)


def test_fewer_photos_and_what_does_not_fit(data):
    assert AgeingScores(samples=5).measure(module(), data).protocol["samples"] == 5
    with pytest.raises(UserError, match="scores of an encoder of faces"):
        AgeingScores().check(game(), data)
    with pytest.raises(ValueError, match="samples is 1"):
        AgeingScores(samples=1)
    with pytest.raises(UserError, match=r"data\.holdout"):
        AgeingScores().check(module(), GANDataModule(AgedFaces(), 16, 3, 8, root=str(data.root), classes=6).open())


def test_progress_is_told(data, monkeypatch, capsys):
    monkeypatch.setattr(progress, "SECONDS", 0)
    monkeypatch.setattr(ageing, "PART", 10)
    AgeingScores().measure(module(), data)
    told = capsys.readouterr().err
    assert re.search(r"1 of 5 parts of the training photos, \d:\d\d left", told)
    assert re.search(r"5 of 6 ages judged, \d:\d\d left", told)
