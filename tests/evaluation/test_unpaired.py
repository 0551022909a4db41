import numpy as np
import pytest
import torch
import toys
from PIL import Image
from torch import nn

from gantrain.data.two_folders import TwoFolders
from gantrain.data.unpaired import Unpaired
from gantrain.errors import UserError
from gantrain.evaluation.unpaired import UnpairedScores, edges, likeness
from gantrain.losses.adversarial import LeastSquares
from gantrain.losses.reconstruction import PixelL1
from gantrain.models.unpaired import UnpairedGAN


class Brighter(nn.Module):
    """Adds so many of 255 shades to every pixel."""

    def __init__(self, shades=0.0):
        super().__init__()
        self.shades = nn.Parameter(torch.tensor(shades))

    def forward(self, pictures):
        return pictures + self.shades / 127.5


def data(folder, tests=True, **options):
    """Darker pictures of a, of b brighter by 100; in `testA` and `testB` others."""
    for name, low, count in (("trainA", 20, 5), ("trainB", 120, 6), ("testA", 20, 4), ("testB", 120, 5)):
        (folder / name).mkdir()
        rng = np.random.default_rng(low + count)
        for i in range(count):
            Image.fromarray(rng.integers(low, low + 60, (16, 16, 3), dtype=np.uint8)).save(folder / name / f"{i}.png")
    dataset = TwoFolders() if tests else TwoFolders(test_a="gone", test_b="gone")
    known = {"dataset": dataset, "root": str(folder), "size": 16, "channels": 3, "batch_size": 2}
    return Unpaired(**{**known, **options}).open()


def family(to_b=0.0, to_a=0.0):
    networks = {"generator_ab": Brighter(to_b), "generator_ba": Brighter(to_a)}
    networks |= {name: nn.Flatten() for name in ("discriminator_a", "discriminator_b")}
    players = {"generators": toys.player("generator_ab", "generator_ba")}
    return UnpairedGAN(networks=networks, players=players, adversarial=LeastSquares(), cycle=PixelL1())


def test_edges_by_hand_and_their_likeness():
    step = torch.zeros(1, 1, 5, 6, dtype=torch.uint8)
    step[..., 3:] = 10
    assert edges(step).view(3, 4).tolist() == [[0, 40, 40, 0]] * 3
    grey, brighter = torch.rand(2, 20), torch.zeros(2, 20)
    brighter[0] = 3 * grey[0] + 5
    assert likeness(grey, brighter).tolist() == pytest.approx([1, 0], abs=1e-6)


def test_doing_nothing_is_what_the_input_scores(tmp_path):
    pictures, scores, module = data(tmp_path), UnpairedScores(), family()
    scores.check(module, pictures)
    result = scores.measure(module, pictures)
    assert list(result.scores) == scores.names(module, pictures)
    for side, count in (("b", 4), ("a", 5)):
        for score in ("fd", "kid"):
            tag = f"{count}_random"
            assert result.scores[f"{score}_{side}{tag}"] == result.scores[f"{score}_{side}_input{tag}"]
        assert result.scores[f"kept_{side}"].value == pytest.approx(1, abs=1e-5)
        assert result.scores[f"kept_{side}_shuffled"].value < 0.5
        assert result.scores[f"cycle_{side}"].value == 0
    assert result.protocol["split"] == "held out"
    assert (result.protocol["a"], result.protocol["b"]) == (4, 5)
    assert UnpairedScores(pictures=2).measure(module, pictures).protocol["b"] == 2


def test_the_right_shift_comes_nearer_and_what_does_not_come_back_is_counted(tmp_path):
    result = UnpairedScores().measure(family(to_b=100.0, to_a=-97.0), data(tmp_path))
    assert result.scores["fd_b4_random"].value < 0.2 * result.scores["fd_b_input4_random"].value
    assert result.scores["cycle_a"].value == pytest.approx(3)
    assert result.scores["kept_b"].value == pytest.approx(1, abs=1e-5)


def test_nothing_is_hidden_below_8_bits(tmp_path):
    """A third of a shade is lost on the way, so only the way back is seen."""
    result = UnpairedScores().measure(family(to_b=0.3, to_a=0.7), data(tmp_path))
    assert result.scores["cycle_a"].value == pytest.approx(1)


def test_where_nothing_is_held_out_training_is_measured_and_said(tmp_path, capsys):
    pictures, scores = data(tmp_path, tests=False, load_size=20, upsize=True), UnpairedScores()
    scores.check(family(), pictures)
    assert "nothing is held out, so scores are of training's pictures" in capsys.readouterr().err
    protocol = scores.measure(family(), pictures).protocol
    assert (protocol["split"], protocol["a"], protocol["b"]) == ("train, for nothing is held out", 5, 6)


def test_what_does_not_fit_is_refused(tmp_path):
    pictures = data(tmp_path, holdout=2)
    with pytest.raises(UserError, match="two kinds of pictures without pairs"):
        UnpairedScores().check(toys.game(), pictures)
    with pytest.raises(UserError, match="one picture of side a is too little"):
        UnpairedScores().check(family(), pictures)
    with pytest.raises(ValueError, match="pictures is 1"):
        UnpairedScores(pictures=1)
