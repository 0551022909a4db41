"""Words that change a run's config: what they mean, they mean in training too."""

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from gantrain.config.changes import apply, read
from gantrain.config.compose import arrange
from gantrain.errors import UserError
from gantrain.folders import configs_folder

WORDS = (
    "iterations=3",
    "seed=1_000",
    "trainer.devices=null",
    "trainer.deterministic=true",
    "trainer.precision='bf16-mixed'",
    "trainer.accelerator=2024-01-01",
    "data.root=2024_01",
    "data.cache_dir=2024-01-01",
    "evaluation.weights=~/my weights (2), it's one",
    'evaluation.backbone="a, b"',
    "evaluation.scores=[fd, 'a,b', 1e-3]",
    "evaluation.best=1e-4",
    "++evaluation.ratio={a: [1, x]}",
    "evaluation.seed=${oc.env:SEED_OF_A_TEST}",
    "logger.csv._target_=gantrain.loggers.CSV",
)


def test_a_word_means_what_it_means_in_training(monkeypatch):
    monkeypatch.setenv("SEED_OF_A_TEST", "5")
    # Logger and seed of evaluation are in no group that is chosen by default.
    words = [word if word[0] == "+" or not word.startswith("logger") else f"++{word}" for word in WORDS]
    with initialize_config_dir(str(configs_folder()), version_base="1.3"):
        composed = compose("train", overrides=arrange(["evaluation=dataset", *words]))
    for word in WORDS:
        key, value = read(word)
        there = OmegaConf.select(composed, key)
        assert (OmegaConf.to_container(there) if OmegaConf.is_config(there) else there) == value, word


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("x", "'x' is no override; write key=value"),
        ("~evaluation.best", "'~evaluation.best' is no override; write key=value"),
        ("evaluation.best=a(b", "special characters"),
        ("iterations=3,4", "'iterations=3,4' has several values"),
        ("data.root=", "data.root: empty; name a folder"),
        ("trainer.threads=${oc.env:NO_SUCH_VARIABLE}", "NO_SUCH_VARIABLE"),
    ],
)
def test_a_word_that_changes_nothing_is_refused(word, says):
    with pytest.raises(UserError) as refused:
        read(word)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_key_that_the_run_has_is_not_answered_with_another():
    config = {"callbacks": {"health": {"every": None}}, "evaluation": {"every": 3}}
    with pytest.raises(UserError, match=r"callbacks\.health\.every: a resumed run keeps its config; only"):
        apply(config, "callbacks.health.every", 5)


def test_an_evaluation_is_chosen_by_its_name():
    config = {"evaluation": None}
    apply(config, *read("evaluation='dataset'"))
    assert config["evaluation"]["_target_"].startswith("gantrain.evaluation.")
    for nothing in ("none", "null"):
        apply(config, *read(f"evaluation={nothing}"))
        assert config["evaluation"] is None
    with pytest.raises(UserError, match="there is no '5'"):
        apply(config, *read("evaluation=5"))
