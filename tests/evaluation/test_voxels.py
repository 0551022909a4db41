"""Scores of volumes by hand, and what they say of good and bad generators."""

import numpy as np
import pytest
import torch
from torch import nn
from toys import player
from volumes_on_disk import make_shapenet

from gantrain.data import GANDataModule
from gantrain.data.shapenet import ShapeNet
from gantrain.data.synthetic import Synthetic
from gantrain.data.voxels import VoxelDataModule
from gantrain.drawing import progress
from gantrain.errors import UserError
from gantrain.evaluation.voxels import VoxelScores, box_fill, facts, iou
from gantrain.losses.adversarial import NonSaturating
from gantrain.models.latent import LatentGAN


def flat(*rows):
    """Volumes of 2^3 from strings of eight."""
    return torch.tensor([[c == "1" for c in row] for row in rows])


def test_iou_by_hand():
    a = flat("11000000", "11110000", "00000000")
    b = flat("11000000", "01100000", "00000000")
    # common 2, 1, 0 / union 2, 3, 2; common 2, 2, 0 / union 4, 4, 4; nothing common but two empty ones, which are equal
    assert torch.allclose(iou(a, b), torch.tensor([[1, 1 / 3, 0], [0.5, 0.5, 0], [0, 0, 1]]))


def test_iou_over_several_blocks(monkeypatch):
    from gantrain.evaluation import voxels

    volumes = torch.rand(5, 64, generator=torch.Generator().manual_seed(0)) < 0.4
    whole = iou(volumes, volumes)
    monkeypatch.setattr(voxels, "BLOCK", 7)
    assert torch.equal(iou(volumes, volumes), whole)


def test_box_fill_by_hand():
    volumes = torch.zeros(4, 4, 4, 4, dtype=torch.bool)
    volumes[0, 1:3, 1:3, 1:3] = True  # a cube
    volumes[1, 0, 0, 0] = volumes[1, 2, 1, 3] = True  # two voxels in a box of 3 x 2 x 4
    volumes[2, 3, :, 0] = True  # a rod
    assert torch.allclose(box_fill(volumes), torch.tensor([1, 2 / 24, 1, 0]))


def test_facts_by_hand():
    made = flat("11000000", "10000000", "00000000")
    real = flat("11000000", "00000011", "00000001", "10000000")
    found = facts(made, real)
    assert found["occupancy"] == pytest.approx(3 / 24)
    assert found["alike"] == pytest.approx((0.5 + 0 + 0) / 3)
    # the first two are nearest to themselves, the empty one to nothing
    assert found["coverage"] == pytest.approx(2 / 4)
    assert found["mmd"] == pytest.approx((0 + 1 + 1 + 0) / 4)


class Fixed(nn.Module):
    """Makes the given volumes (n, 1, s, s, s) one after the other."""

    z_dim = 2

    def __init__(self, volumes):
        super().__init__()
        self.volumes, self.weight, self.count = volumes, nn.Parameter(torch.ones(1)), 0

    def forward(self, z):
        rows = torch.arange(self.count, self.count + len(z)) % len(self.volumes)
        self.count += len(z)
        return self.volumes[rows]


def family(volumes):
    networks = {"generator": Fixed(volumes), "discriminator": nn.Linear(1, 1)}
    players = {name: player(name) for name in networks}
    return LatentGAN(networks=networks, players=players, adversarial=NonSaturating())


@pytest.fixture
def data(tmp_path):
    return VoxelDataModule(dataset=ShapeNet(), size=8, batch_size=4, root=str(make_shapenet(tmp_path))).open()


def test_the_test_split_itself_is_perfect(data):
    held_out = data.held_out()
    truth = held_out.take(np.arange(len(held_out)))["real"]
    result = VoxelScores().measure(family(truth), data)
    assert VoxelScores().names(family(truth), data) == list(result.scores)
    values = {name: score.value for name, score in result.scores.items()}
    distinct = len(truth.flatten(1).unique(dim=0))
    assert values["coverage_iou"] == pytest.approx(distinct / 8)
    assert values["mmd_iou"] == pytest.approx(0)
    for name in ("occupancy_ratio", "fill_ratio", "alike_ratio"):
        assert values[name] == pytest.approx(1, abs=1e-5)
    assert result.protocol["samples"] == result.protocol["real"] == 8
    assert [row["volumes"] for row in result.tables["volumes"]] == ["generated", "training", "real"]


def test_one_blob_for_all_latents_stands_out(data):
    blob = torch.zeros(1, 1, 8, 8, 8)
    blob[..., 1:7, 1:7, 1:7] = 1
    scores = VoxelScores().measure(family(blob), data).scores
    assert scores["coverage_iou"].value == pytest.approx(1 / 8)
    assert scores["alike_ratio"].value > 1.5
    assert scores["occupancy_ratio"].value > 1.5


def test_what_does_not_fit_is_refused(data, tmp_path):
    module = family(torch.zeros(1, 1, 8, 8, 8))
    pictures = GANDataModule(Synthetic(8), 8, 1, 4).open()
    with pytest.raises(UserError, match="these scores are of volumes"):
        VoxelScores().check(module, pictures)
    VoxelScores().check(module, data)
    alone = VoxelDataModule(dataset=ShapeNet(split="test"), size=8, batch_size=4, root=str(data.root)).open()
    with pytest.raises(UserError, match="training on the test split"):
        VoxelScores().check(module, alone)
    VoxelScores(split="train").check(module, alone)
    for options in ({"samples": 1}, {"samples": 2.5}):
        with pytest.raises(ValueError, match=next(iter(options))):
            VoxelScores(**options)


def test_progress_is_told(data, monkeypatch, capsys):
    from gantrain.evaluation import voxels

    monkeypatch.setattr(progress, "SECONDS", 0)
    monkeypatch.setattr(voxels, "CHUNK", 4)
    VoxelScores().measure(family(torch.ones(1, 1, 8, 8, 8)), data)
    assert "1 of 2 parts of the volumes, 0:00 left" in capsys.readouterr().err
