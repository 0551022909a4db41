"""What the page says of scores."""

import torch

from gantrain.evaluation.ageing import NAMES
from gantrain.evaluation.holes import BETTER as HOLES
from gantrain.evaluation.measures.classes import jensen_shannon
from gantrain.evaluation.pairs import BETTER as PAIRS
from gantrain.evaluation.protocol import tagged
from gantrain.evaluation.samples import SCORES
from gantrain.report.scores import COMPARED, meaning, own_first
from gantrain.run.scores import Record, Result


def test_every_score_has_a_sentence():
    plain = [
        *NAMES,
        *HOLES,
        *PAIRS,
        *("psnr_y_bicubic", "ssim_rgb", "lpips", "checker_bicubic", "content"),
        *("ssim_mean", "l1_smooth"),
        *("coverage_iou", "mmd_iou", "fill_ratio"),
        *("cycle_a", "kept_b", "kept_b_shuffled"),
        *("recall", "recall_real", "agreement", "agreement_shuffled"),
    ]
    samples = [tagged("fid" if name == "frechet" else name, 10_000, "tf") for name in SCORES]
    sets = [tagged(name, 256, "random") for name in ("fd_input", "kid_b", "fd_b_input")]
    others = [tagged("modes", 26_000, "dataset")]
    assert [name for name in (*plain, *samples, *sets, *others) if not meaning(name)] == []
    assert meaning("somebody_s_own") == ""


def test_a_sentence_says_what_is_measured():
    assert "cosine" in meaning("identity")
    assert meaning("classes10k_dataset").startswith("how many")
    largest = jensen_shannon(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])).item()
    assert f"to {largest:.2f}" in meaning("js10k_dataset")


def test_a_name_without_a_tag_is_that_of_another_score():
    assert "caption" in meaning("recall")
    assert "caption" not in meaning("recall10k_tf")


def test_a_side_and_an_answer_to_compare_with_are_told():
    assert meaning("fd_b_input256_random") == f"{meaning('fd256_random')}; {COMPARED['_input']}; side b"


def test_the_runs_own_protocol_comes_first():
    def record(**protocol):
        return Record("train", 1, 1, 1.0, Result({}, {"seed": 0, "split": "test", **protocol}))

    newest_first = [record(backbone="tf", samples=100), record(backbone="random", samples=100)]
    own = {"backbone": "random", "samples": 100, "best": None, "every": 10}
    assert own_first(newest_first, own) == newest_first[::-1]
    assert own_first(newest_first, None) == newest_first
