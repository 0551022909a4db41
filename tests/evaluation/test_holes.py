import math

import numpy as np
import pytest
import torch
import toys
from torch import nn

from gantrain.data.holes import Holes
from gantrain.data.synthetic import Synthetic
from gantrain.errors import UserError
from gantrain.evaluation.holes import HoleScores, compared, smooth
from gantrain.losses.holes import HoleL1
from gantrain.models.inpainting import Inpainting


class AsItIs(nn.Module):
    """The hole in the mean colour: what `_mean` is, and nonsense around it, which counts nowhere."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))  # says on which device it is

    def forward(self, cond):
        return torch.where(cond[:, -1:] > 0, cond[:, :-1], -5.0)


def data(**options):
    known = {"dataset": Synthetic(20), "hole": "square", "cond_channels": 4, "size": 16, "channels": 3}
    return Holes(**{**known, "batch_size": 6, "holdout": 5, **options}).open()


def family():
    return Inpainting(
        networks={"generator": AsItIs()}, players={"generator": toys.player("generator")}, content=HoleL1()
    )


def test_numbers_by_hand():
    truth = torch.full((1, 2, 4, 4), 100, dtype=torch.uint8)
    made, missing = truth.clone(), torch.zeros(1, 1, 4, 4, dtype=torch.bool)
    missing[0, 0, :2] = True
    made[0, 0, 0, 0] = 140  # of 8 missing pixels in 2 channels
    made[0, :, 3] = 0  # known
    found = compared(made, truth, missing)
    assert found["l1"] == [40 / 16]
    assert found["psnr"] == pytest.approx([10 * math.log10(255**2 / (1600 / 16))], rel=1e-6)


def test_smooth_filling_goes_on_with_a_ramp_and_keeps_to_its_border():
    ramp = torch.arange(8.0).expand(2, 8, 8).clone()
    missing = torch.zeros(8, 8, dtype=torch.bool)
    missing[2:6, 3:6] = True
    hidden = torch.where(missing, 99.0, ramp)
    assert torch.allclose(smooth(hidden, missing), ramp, atol=1e-5)
    corner = torch.zeros(8, 8, dtype=torch.bool)
    corner[:3, :3] = True  # nothing is known above and at the left of it
    filled = smooth(torch.where(corner, 99.0, ramp), corner)
    assert filled[:, corner].min() >= 0
    assert filled[:, corner].max() <= 3
    assert torch.equal(filled[:, ~corner], ramp[:, ~corner])


def test_one_pixel_is_the_mean_of_its_neighbours():
    picture = torch.tensor([[[0.0, 1.0, 0.0], [2.0, 9.0, 3.0], [0.0, 6.0, 0.0]]])
    missing = torch.zeros(3, 3, dtype=torch.bool)
    missing[1, 1] = True
    assert smooth(picture, missing)[0, 1, 1] == 3.0


def test_all_answers_stand_side_by_side():
    pictures, scores, module = data(), HoleScores(), family()
    scores.check(module, pictures)
    result = scores.measure(module, pictures)
    assert list(result.scores) == scores.names(module, pictures)
    for name, better in (("psnr", "higher"), ("l1", "lower")):
        assert result.scores[name] == result.scores[f"{name}_mean"]
        assert result.scores[name] != result.scores[f"{name}_smooth"]
        assert result.scores[name].better == result.scores[f"{name}_smooth"].better == better
    assert (result.protocol["pictures"], result.protocol["hole"]) == (5, "square")
    assert HoleScores(pictures=2).measure(module, pictures).protocol["pictures"] == 2


def test_the_mean_is_that_of_what_is_left():
    pictures = data()
    batch = pictures.held_out().take(np.arange(5))
    missing = batch["cond"][:, -1:] > 0
    wanted = compared(pictures.pictures(batch["cond"][:, :-1]), pictures.pictures(batch["real"]), missing)["l1"]
    assert HoleScores().measure(family(), pictures).scores["l1_mean"].value == pytest.approx(sum(wanted) / 5)


def test_what_does_not_fit_is_refused():
    with pytest.raises(UserError, match="runs that fill holes"):
        HoleScores().check(toys.game(), data())
    with pytest.raises(ValueError, match="pictures is 0"):
        HoleScores(pictures=0)
