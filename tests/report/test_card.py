"""The model card says what a run is, as far as the run knows it."""

import json

import pytest
import yaml

from gantrain.config.compose import composed
from gantrain.config.stages import stages_of
from gantrain.report.card import card_of, data_of, limits_of, tags_of, task_of
from gantrain.run.folder import Run
from gantrain.run.scores import Record, Result, Score, add_scores


def test_a_card_says_data_training_scores_and_limits(run):
    result = Result({"fd80_random": Score(3.25, "lower", 0.5)}, {"backbone": "random", "samples": 80})
    add_scores(run, Record("train", 2, 16, 0.1, result))
    with (run / "metrics.jsonl").open("a") as stream:
        look = {"stage": "train", "iteration": 2, "images_seen": 16, "seconds": 1.0, "values": {}}
        stream.write(json.dumps({**look, "verdict": "discriminator winning", "evidence": ["it is right"]}) + "\n")
    card = card_of(Run(run), "me/digits", "cc-by-4.0", checkpoints=True)
    _, head, text = card.split("---\n", 2)
    assert yaml.safe_load(head) == {
        "library_name": "gantrain",
        "license": "cc-by-4.0",
        "tags": ["gan", "gantrain", "conditional-image-generation"],
    }
    for line in (
        "# digits",
        "![Samples](samples/00000002.png)",
        "gantrain resume RUN data.root=DATA iterations=N",
        "- Synthetic, 1x16x16, batches of 8, pictures in [-1, 1]",
        "- length: 2 iterations, 16 images",
        "- seed: 0",
        "| fd80_random | 3.25 +- 0.5 | lower |",
        'Protocol: {"backbone": "random", "samples": 80}',
        "- Health after 2 iterations: discriminator winning: it is right.",
        "Of the weights: cc-by-4.0. The licence of the data is not known to gantrain.",
    ):
        assert line in text.splitlines(), text


def test_a_card_does_not_say_what_it_does_not_know(run):
    (run / "checkpoints/train/finished.json").unlink()
    (run / "scores.jsonl").unlink()
    card = card_of(Run(run), "me/digits", None, checkpoints=False)
    assert "license:" not in card
    assert "None was measured." in card
    assert "gantrain resume" not in card
    assert "- The training of this run has not come to its end." in card


def test_what_was_held_out_and_whose_code_it_needs_are_said(run):
    config = Run(run).config()
    config["data"]["holdout"] = 0.1
    assert data_of(stages_of(config)) == ["Synthetic, 1x16x16, batches of 8, pictures in [-1, 1], 10% of them held out"]
    (stage,) = stages_of(config)
    assert limits_of(Run(run), {**config, "plugins": ["mine"]}, [stage])[-1] == "It needs code of its author's: mine."


CONDITIONAL = "conditional-image-generation"


@pytest.mark.parametrize(
    ("words", "task", "tags"),
    [
        ("dcgan_digits", "unconditional-image-generation", []),
        ("mnist_fast models=latent", "unconditional-image-generation", []),  # nobody asks for a cluster
        ("mnist_fast", None, [CONDITIONAL]),
        ("stackgan_shapes", "text-to-image", []),
        ("srgan_celeba", "image-to-image", []),
        ("agecgan_wiki", "image-to-image", [CONDITIONAL]),
        ("gan3d_shapenet", None, []),
    ],
)
def test_the_hub_finds_a_run_under_what_it_is_for(words, task, tags):
    last = stages_of(composed([*f"experiment={words}".split(), "debug=tiny"], None))[-1]
    assert (task_of(last), tags_of(last)) == (task, ["gan", "gantrain", *tags])
