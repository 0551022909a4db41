"""Configs of earlier versions."""

import pytest

from gantrain.config.earlier import NOISE, NOISY, bring_up


@pytest.mark.parametrize("target", NOISY)
def test_noise_of_a_discriminator_becomes_noise_of_what_it_is_shown(target):
    config = {"networks": {"discriminator": {"_target_": target, "width": 16, "noise": 0.01}}, "models": {"k": 1}}
    bring_up(config)
    assert config["networks"]["discriminator"] == {"_target_": target, "width": 16}
    assert config["models"] == {"k": 1, "augment": {"noise": {"_target_": NOISE, "std": 0.01}}}


def test_what_is_of_today_or_no_config_stays():
    today = {"networks": {"discriminator": {"_target_": NOISY[0]}}, "models": {"augment": {"noise": {"std": 0.1}}}}
    for config in (today, {"networks": {"discriminator": {"_target_": "mine.D", "noise": 0.5}}, "models": {}}):
        before = repr(config)
        bring_up(config)
        assert repr(config) == before
    for nothing in (None, 3, [], {}, {"networks": 3}, {"networks": {"discriminator": None}, "models": None}):
        bring_up(nothing)
