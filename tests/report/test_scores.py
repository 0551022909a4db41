"""What the page says of scores."""

from gantrain.evaluation.ageing import NAMES
from gantrain.evaluation.holes import BETTER as HOLES
from gantrain.evaluation.pairs import BETTER as PAIRS
from gantrain.evaluation.protocol import tagged
from gantrain.evaluation.samples import SCORES
from gantrain.report.scores import meaning, own_first
from gantrain.run.scores import Record, Result


def test_every_score_has_a_sentence():
    plain = [
        *NAMES,
        *HOLES,
        *PAIRS,
        "psnr_y_bicubic",
        "ssim_mean",
        "l1_smooth",
        "coverage_iou",
        "mmd_iou",
        "fill_ratio",
    ]
    samples = [tagged("fid" if name == "frechet" else name, 10_000, "tf") for name in SCORES]
    assert [name for name in (*plain, *samples, tagged("modes", 26_000, "dataset")) if not meaning(name)] == []
    assert meaning("somebody_s_own") == ""


def test_the_runs_own_protocol_comes_first():
    def record(**protocol):
        return Record("train", 1, 1, 1.0, Result({}, {"seed": 0, "split": "test", **protocol}))

    newest_first = [record(backbone="tf", samples=100), record(backbone="random", samples=100)]
    own = {"backbone": "random", "samples": 100, "best": None, "every": 10}
    assert own_first(newest_first, own) == newest_first[::-1]
    assert own_first(newest_first, None) == newest_first
