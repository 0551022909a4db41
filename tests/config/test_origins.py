"""Where each value of a composed config comes from."""

from pathlib import Path

import yaml

from gantrain.config.origins import origin_of, origins


def test_the_last_that_states_a_value_counts():
    found = origins(["experiment=wgangp_mnist", "networks.generator.width=32"], None)
    for key, origin in {
        "seed": "train.yaml",
        "data.size": "data/mnist.yaml",
        "networks.generator.z_dim": "networks/dcgan.yaml",
        "networks.generator.width": "networks.generator.width=32",
        "losses.penalties.gp.weight": "losses/wasserstein_gp.yaml",
        "models.players.generator.every": "experiment/wgangp_mnist.yaml",
        "models.players.generator.networks": "models/latent.yaml",
        "data.class_names": "worked out",
    }.items():
        assert origin_of(key, found) == origin, key


def test_a_stage_has_what_it_states_and_else_the_roots():
    found = origins(["experiment=agecgan_wiki", "stages.gan.iterations=3"], None)
    for key, origin in {
        "stages.gan.iterations": "stages.gan.iterations=3",
        "stages.encoder.iterations": "experiment/agecgan_wiki.yaml",
        "stages.gan.data.size": "data/aged_faces.yaml",
        "stages.gan.networks.encoder.width": "networks/agecgan.yaml",
    }.items():
        assert origin_of(key, found) == origin, key


def test_show_prints_yaml_also_of_ones_own(gantrain):
    Path("mine/experiment").mkdir(parents=True)
    text = "# @package _global_\ndefaults:\n  - override /data: mnist\niterations: 7\n"
    Path("mine/experiment/own.yaml").write_text(text)
    result = gantrain("show", "own", "seed=3", "--config-dir", "mine")
    assert result.code == 0, result
    shown = yaml.safe_load(result.out)
    assert (shown["iterations"], shown["seed"], shown["data"]["range"]) == (7, 3, [-1, 1])
    lines = {line.split(":")[0]: line.partition("  # ")[2] for line in result.out.splitlines()}
    assert (lines["iterations"], lines["seed"]) == ("mine/experiment/own.yaml", "seed=3")


def test_an_experiment_or_key_that_is_not_there_is_refused(gantrain):
    for words, said in ((["nothing_such"], "there is no 'nothing_such'"), (["dcgan_mnist", "foo=1"], "no such key")):
        result = gantrain("show", *words)
        assert (result.code, result.out) == (2, "")
        assert said in result.err
