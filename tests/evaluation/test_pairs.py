import math

import numpy as np
import pytest
import torch
import toys
from torch import nn

from gantrain.data.pairs import Pairs
from gantrain.data.synthetic import Synthetic
from gantrain.drawing import progress
from gantrain.errors import UserError
from gantrain.evaluation import pairs as module
from gantrain.evaluation.pairs import PairScores, compared, mean_target
from gantrain.losses.reconstruction import PixelL1
from gantrain.models.paired import PairedGAN


class Colourless(nn.Module):
    """The condition three times: what `_input` is, too."""

    def forward(self, cond):
        return cond.expand(-1, 3, -1, -1)


def data(**options):
    known = {"dataset": Synthetic(20), "condition": "grey", "cond_channels": 1, "size": 16, "channels": 3}
    return Pairs(**{**known, "batch_size": 6, "holdout": 5, **options}).open()


def family():
    return PairedGAN(
        networks={"generator": Colourless()}, players={"generator": toys.player("generator")}, content=PixelL1()
    )


def test_numbers_by_hand():
    truth = torch.full((1, 1, 16, 16), 100, dtype=torch.uint8)
    made = truth.clone()
    made[0, 0, 0] = 110  # of 256 pixels, 16
    found = compared(made, truth)
    assert found["l1"] == pytest.approx([10 * 16 / 256])
    assert found["psnr"] == pytest.approx([10 * math.log10(255**2 / (100 * 16 / 256))], rel=1e-5)
    assert compared(truth, truth)["ssim"] == pytest.approx([1.0])


def test_the_mean_of_the_training_is_no_trained_answer():
    pairs = data()
    reals = pairs.take(np.arange(15))["real"]
    assert torch.allclose(mean_target(pairs)[0], reals.mean(0), atol=1e-6)


def test_the_mean_of_the_training_is_kept(tmp_path, monkeypatch):
    pairs = data(cache_dir=tmp_path)
    first = PairScores().measure(family(), pairs)
    monkeypatch.setattr(module, "mean_target", lambda data: pytest.fail("measured again"))
    assert PairScores().measure(family(), pairs) == first


def test_all_answers_stand_side_by_side():
    pairs, scores = data(), PairScores()
    module = family()
    scores.check(module, pairs)
    result = scores.measure(module, pairs)
    assert list(result.scores) == scores.names(module, pairs)
    for name in ("psnr", "ssim", "l1"):
        assert result.scores[name] == result.scores[f"{name}_input"]
        assert result.scores[name] != result.scores[f"{name}_mean"]
    assert result.protocol["pictures"] == 5
    assert result.scores["l1"].better == "lower"
    for name in ("fd", "kid"):
        assert result.scores[f"{name}5_random"] == result.scores[f"{name}_input5_random"]
    assert result.protocol["backbone"] == "random"
    assert not any("fd" in name for name in PairScores(pictures=1).measure(module, pairs).scores)


def test_what_does_not_fit_is_refused():
    with pytest.raises(UserError, match="aligned pairs"):
        PairScores().check(toys.game(), data())
    with pytest.raises(UserError, match=r"data\.size is 8"):
        PairScores().check(family(), data(size=8))
    with pytest.raises(ValueError, match="pictures is 0"):
        PairScores(pictures=0)


def test_progress_is_told(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("GANTRAIN_CACHE", str(tmp_path))  # what is kept there is not made again
    monkeypatch.setattr(progress, "SECONDS", 0)
    monkeypatch.setattr(module, "CHUNK", 2)
    PairScores().measure(family(), data())
    told = capsys.readouterr().err
    assert "2 of 3 parts of the pairs, 0:00 left" in told
    assert "parts of the training pairs" in told
