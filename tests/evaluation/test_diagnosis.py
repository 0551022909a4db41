"""Verdicts on histories of measurements: made by hand for each rule, and recorded from real games broken on purpose."""

import json
from pathlib import Path

import pytest

from gantrain.evaluation.diagnosis import LIMITS, LOOKS, MATURE, PATIENCE, diverged, judge
from gantrain.run.health import YOUNG

RECORDED = json.loads((Path(__file__).parents[1] / "fixtures/health.json").read_text())

USUAL = {
    **{f"{player}/{name}": 1.0 for player in ("discriminator", "generator") for name in ("bounded", "grad_norm")},
    **{f"{player}/step": 0.01 for player in ("discriminator", "generator")},
    "not_finite": 0.0,
    "diversity": 0.95,
    "real_diversity": 9.0,
    "duplicates": 0.0,
    "real_duplicates": 0.0,
    "nearest": 1.2,
    "norm_gap": 0.1,
    "augmented": 0.0,
    "leak": None,
    "real_logit": 0.4,
    "fake_logit": -0.4,
    "separation": 0.85,
    "unseen_separation": 0.84,
    "real_accuracy": 0.7,
    "fake_accuracy": 0.7,
    "unseen_accuracy": 0.69,
    "cells": [20, 20, 20, 20],
    "real_cells": [0.25, 0.25, 0.25, 0.25],
}


def history(looks=PATIENCE, **measures):
    """So many looks at a healthy game, but for these measures: a value of all looks, or one for each."""
    made = []
    for i in range(looks):
        counted = {"discriminator/turns": 100.0 * i, "generator/turns": 100.0 * i}
        moving = {"discriminator/loss": 1.2 + 0.01 * i, "generator/loss": 0.9 - 0.01 * i}
        own = {name: value[i] if isinstance(value, tuple) else value for name, value in measures.items()}
        own |= {name: own[name] * (1 + 1e-4 * i) for name in own if name.endswith("/loss") and abs(own[name] or 0) > 1}
        made.append({**USUAL, **counted, **moving, **own})
    return made


def verdict(**measures):
    return judge(history(**measures)).verdict


def test_a_healthy_game_is_healthy_once_it_has_been_looked_at_often_enough():
    assert verdict() == "healthy"
    assert [judge(history(looks)).verdict for looks in (1, LOOKS - 1, LOOKS)] == [YOUNG, YOUNG, "healthy"]
    assert judge(history()).evidence == ["separation 0.85, diversity 0.95, distance to training's 1.2"]


# What one step over each threshold is called, and what one under it is not.
RULES = {
    "discriminator/loss": ("diverging", LIMITS["loss"], "above"),
    "generator/step": ("diverging", LIMITS["step"], "above"),
    "fake_logit": ("diverging", LIMITS["loss"], "above"),
    "duplicates": ("generator collapsed", LIMITS["duplicates"], "above"),
    "nearest": ("memorising", LIMITS["nearest"], "below"),
    "norm_gap": ("not learning", LIMITS["norm gap"], "above"),
}


@pytest.mark.parametrize("measure", RULES)
def test_one_measure_beyond_its_threshold_is_found(measure):
    name, limit, side = RULES[measure]
    beyond, within = (1.01, 0.99) if side == "above" else (0.99, 1.01)
    found = judge(history(**{measure: beyond * limit}))
    assert found.verdict == name
    assert found.evidence
    assert "." in found.remedy  # it names a key
    assert verdict(**{measure: within * limit}) == "healthy"


def test_the_median_of_the_last_looks_counts():
    usual = (0.95,) * (PATIENCE - 1)
    assert verdict(diversity=(*usual, 0.0)) == "healthy"  # one look is chance
    assert verdict(diversity=(*usual[:-1], 0.0, 0.0)) == "generator collapsed"
    assert verdict(diversity=(0.0, 0.0, *usual[1:])) == "healthy"  # long over


def test_what_is_not_finite_is_said_at_once():
    assert judge(history(1, not_finite=0.5)).verdict == "diverging"
    assert judge([{"generator/turns": 1.0, "generator/bounded": 0.0, "generator/loss": None}]).verdict == YOUNG
    skipped = {"generator/loss": None, "generator/grad_norm": None, "generator/step": 0.0}
    assert "no step of the generator is made" in judge(history(2, **skipped)).evidence[0]
    found = diverged("the loss of player 'generator' is not finite in iteration 7")
    assert (found.verdict, found.evidence) == (
        "diverging",
        ["the loss of player 'generator' is not finite in iteration 7"],
    )
    assert found.remedy.startswith("lower models.players.generator.optimizer.lr")


def test_large_numbers_of_a_critic_without_a_boundary_say_nothing():
    measures = {"real_accuracy": None, "fake_accuracy": None, "unseen_accuracy": None, "real_logit": 5e4}
    bounded = {"discriminator/bounded": 0.0, "generator/bounded": 0.0, "discriminator/loss": -5e4}
    assert verdict(**measures, **bounded) == "healthy"


@pytest.mark.parametrize(
    ("measures", "evidence"),
    [
        ({"discriminator/step": 0.0}, "the weights of the discriminator do not move"),
        ({"generator/step": 0.0, "generator/grad_norm": 0.0}, "no gradient reaches the generator"),
        ({"generator/turns": 7.0}, "the generator has not played"),
        ({"generator/loss": 0.6931}, "the loss of the generator stands still"),
        ({"separation": 0.02, "nearest": 3.0}, "takes fakes for the real samples"),
        ({"separation": 0.5, "unseen_separation": 0.5, "nearest": 3.0}, "as by chance"),
    ],
)
def test_a_game_that_learns_nothing_is_told_why(measures, evidence):
    found = judge(history(**measures))
    assert found.verdict == "not learning"
    assert evidence in found.evidence[0]


def test_a_discriminator_that_wins_tells_all_apart_and_the_fakes_are_far():
    wins = {"separation": 1.0, "unseen_separation": 1.0, "real_logit": 9.0, "fake_logit": -9.0, "nearest": 3.0}
    assert verdict(**wins) == "discriminator winning"
    assert verdict(**{**wins, "nearest": 1.0}) == "healthy"  # fakes are good all the same
    assert verdict(**{**wins, "separation": 0.95}) == "healthy"
    assert verdict(**{**wins, "fake_logit": 7.0}) == "healthy"
    critic = {**wins, "real_accuracy": None, "fake_accuracy": None, "unseen_accuracy": None}
    assert judge(history(MATURE, **critic)).verdict == "discriminator winning"
    assert judge(history(MATURE, **{**critic, "nearest": 1.9})).verdict == "healthy"
    nearer = tuple(4.0 - 0.1 * i for i in range(MATURE))
    assert judge(history(MATURE, **{**critic, "nearest": nearer})).verdict == "healthy"  # it learns


def test_an_overfit_discriminator_shows_on_unseen_samples():
    assert verdict(real_accuracy=0.95, unseen_accuracy=0.6) == "memorising"
    assert verdict(separation=0.95, unseen_separation=0.6) == "memorising"
    assert verdict(real_accuracy=0.75, unseen_accuracy=0.6) == "healthy"


def test_pairs_memorise_where_unseen_inputs_give_worse_results():
    assert verdict(error=0.1, unseen_error=0.25) == "memorising"
    assert verdict(error=0.1, unseen_error=0.15) == "healthy"


def test_missing_modes_are_cells_with_few_fakes():
    found = judge(history(MATURE, cells=[40, 40, 0, 1]))
    assert found.verdict == "some modes missing"
    # of 405 fakes over five looks 0 and 5 are where 25% each should be; chance: 4 * sqrt(0.25 / (2 pi 405))
    assert found.evidence == [
        "49% of the samples that should be in some clusters of the data are in others (by chance 4%)",
        "2 of 4 clusters, 50% of the data, have less than half of their share",
    ]
    assert judge(history(MATURE, cells=[30, 30, 30, 8])).verdict == "healthy"  # few, but some
    assert judge(history(MATURE, cells=[4, 4, 0, 0])).verdict == "healthy"  # too few fakes to say
    assert judge(history(40, cells=[4, 4, 0, 0])).verdict == "some modes missing"  # small batches need more looks


@pytest.mark.parametrize("measures", [{"cells": [40, 40, 0, 1]}, {"diversity": 0.2}])
def test_a_young_game_may_make_few_kinds_of_samples(measures):
    assert judge(history(MATURE - 1, **measures)).verdict == "healthy"
    assert judge(history(MATURE, **measures)).verdict in ("some modes missing", "generator collapsed")
    nearer = tuple(3.0 * 0.99**i for i in range(MATURE))
    assert judge(history(MATURE, **measures, nearest=nearer)).verdict == "healthy"
    if "diversity" not in measures:
        more = tuple([80 - 2 * i, 80 - 2 * i, 2 * i, 2 * i] for i in range(MATURE))
        assert judge(history(MATURE, cells=more)).verdict == "healthy"
        assert judge(history(MATURE, **measures, diversity=nearer[::-1])).verdict == "healthy"


def test_a_leak_needs_an_augmentation():
    assert verdict(augmented=2.0, leak=0.9) == "augmentation leaking"
    assert verdict(augmented=2.0, leak=0.1) == "healthy"
    assert verdict(augmented=0.1, leak=0.9) == "healthy"


def test_a_young_generator_may_be_on_its_way():
    rising = tuple(0.05 * 1.3**i for i in range(LOOKS))
    assert judge(history(LOOKS, duplicates=0.9, diversity=rising)).verdict == "healthy"
    assert judge(history(LOOKS, duplicates=0.9, diversity=0.05)).verdict == "generator collapsed"


def test_a_generator_that_hears_no_latent_is_told_so():
    found = judge(history(diversity=0.0, **{"generator/step": 0.0, "generator/grad_norm": 0.0, "generator/dead": 1.0}))
    assert found.verdict == "generator collapsed"
    assert "100% of the generator's channels have one value everywhere" in found.evidence
    assert "models.z_std" in found.remedy


def test_the_more_urgent_verdict_comes_first_and_sides_are_named():
    assert verdict(diversity=0.0, nearest=0.1) == "generator collapsed"
    assert verdict(diversity=0.0, **{"discriminator/loss": 1e6}) == "diverging"
    sides = ("not_finite", "diversity", "duplicates", "real_duplicates", "nearest", "separation")
    two = [
        {**look, **{f"{side}/{name}": look[name] for side in "ab" for name in sides}, "b/duplicates": 0.9}
        for look in history()
    ]
    for look in two:
        del look["not_finite"]
        look |= {
            "generators/turns": look.pop("generator/turns"),
            "discriminators/turns": look.pop("discriminator/turns"),
        }
    found = judge(two)
    assert found.verdict == "generator collapsed"
    assert found.evidence[0].startswith("side b: ")
    assert "models.players.generators.optimizer.lr" in found.remedy


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_games_get_the_right_verdict(name):
    game = RECORDED[name]
    said = [judge(game["looks"][: i + 1]).verdict for i in range(len(game["looks"]))]
    assert said[-1] == game["verdict"], said
    assert set(said) <= {YOUNG, "healthy", game["verdict"]}, said
