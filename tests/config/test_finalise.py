"""From a composed config to a run's: lengths, stages, debug, checks."""

import pytest
from omegaconf import OmegaConf

from gantrain.config.compose import composed
from gantrain.config.finalise import either, finalise
from gantrain.config.stages import stages_of
from gantrain.errors import UserError

ROOT = {
    "iterations": None,
    "epochs": 40,
    "seed": 0,
    "data": {"size": 28, "batch_size": 64, "dataset": {"_target_": "gantrain.data.folder.ImageFolder"}, "classes": 10},
    "networks": {"generator": {"width": 64, "size": "${data.size}"}, "embedder": {"path": "file"}},
    "losses": {},
    "models": {"players": {}, "rate": "${data.size}"},
    "trainer": {"accelerator": "auto", "devices": 1, "precision": "32-true"},
    "callbacks": {},
    "logger": {},
    "evaluation": None,
    "stages": None,
    "init_from": None,
    "plugins": [],
}


def final(*overrides, **changes):
    return finalise(OmegaConf.create({**ROOT, **changes}), overrides)


def test_interpolations_resolve():
    assert final()["networks"]["generator"]["size"] == 28


def test_either_is_the_first_that_is_not_null():
    assert [either(None, 4, 5), either(0, 4), either(None, None)] == [4, 0, None]
    latent = ("models=latent", "models.clusters=null")
    for words, classes in ((latent[:1], 64), (latent, None), (("models=conditional",), 10)):
        config = composed(["experiment=mnist_fast", *words], None)
        assert config["networks"]["discriminator"]["classes"] == classes


def test_a_game_of_the_datas_classes_and_one_of_none():
    assert final(models={"classes": "${data.classes}"})["models"]["classes"] == 10
    assert final(models={"classes": None})["models"]["classes"] is None


def test_the_default_game_has_classes_where_the_data_have_some_and_a_chosen_one_needs_them():
    without = {"data": {**ROOT["data"], "classes": None}, "models": {"classes": "${data.classes}"}}
    assert final(**without)["models"]["classes"] is None
    for word in ("experiment=cgan_digits", "models=conditional", "++models.classes=${data.classes}"):
        with pytest.raises(
            UserError, match=r"^data\.classes is null, but this game is of classes; set models\.classes=nul"
        ):
            final(word, **without)


def test_a_length_on_the_command_line_replaces_the_experiments():
    config = final("iterations=100", iterations=100)
    assert (config["iterations"], config["epochs"]) == (100, None)
    config = final("epochs=3", epochs=3, iterations=500)
    assert (config["iterations"], config["epochs"]) == (None, 3)


@pytest.mark.parametrize("overrides", [(), ("iterations=100", "epochs=40")])
def test_two_lengths_are_an_error(overrides):
    with pytest.raises(UserError, match="iterations and epochs are both set"):
        final(*overrides, iterations=100)


def test_no_length_is_an_error():
    with pytest.raises(UserError, match="no length is set"):
        final(epochs=None)


@pytest.mark.parametrize("value", [0, -3, 1.5, "many", True])
def test_lengths_are_positive_whole_numbers(value):
    with pytest.raises(UserError, match="iterations is"):
        final("iterations=x", iterations=value)


STAGES = {
    "gan": {"epochs": 2},
    "encoder": {"iterations": 5, "models": {"other": "${data.size}"}, "data": {"size": 32, "batch_size": 8}},
}


def test_stages_replace_and_then_resolve():
    config = final(stages=STAGES, epochs=None)
    gan, encoder = stages_of(config)
    assert (gan.name, gan.tag, gan.config["epochs"], gan.config["iterations"]) == ("gan", "gan", 2, None)
    assert gan.config["models"] == {"players": {}, "rate": 28}
    assert encoder.config["models"] == {"other": 32}  # replaced, not merged
    assert encoder.config["networks"]["generator"]["size"] == 32
    assert encoder.config["iterations"] == 5
    assert encoder.config["seed"] == 0


def test_a_saved_config_gives_the_same_stages():
    config = final(stages=STAGES, epochs=None)
    again = OmegaConf.to_container(OmegaConf.create(config))
    assert [s.config for s in stages_of(again)] == [s.config for s in stages_of(config)]


def test_a_run_without_stages_is_one_stage_without_a_tag():
    (stage,) = stages_of(final())
    assert (stage.name, stage.tag) == ("train", "")


def test_a_root_length_with_stages_names_the_stage_keys():
    with pytest.raises(UserError, match=r"stages\.gan\.iterations=, stages\.encoder\.iterations="):
        final("iterations=5", stages=STAGES, epochs=None, iterations=5)


def test_a_stages_length_on_the_command_line():
    stages = {"gan": {"epochs": 2, "iterations": 7}, "encoder": {"iterations": 5}}
    gan, _ = stages_of(final("stages.gan.iterations=7", stages=stages, epochs=None))
    assert (gan.config["iterations"], gan.config["epochs"]) == (7, None)


def test_a_stage_cannot_state_everything():
    with pytest.raises(UserError, match=r"stages\.gan\.trainer: a stage may state data"):
        final(stages={"gan": {"iterations": 1, "trainer": {}}}, epochs=None)


def test_unknown_keys_name_the_nearest():
    with pytest.raises(UserError, match="callback: there is no such key; did you mean 'callbacks'"):
        final(callback={})


DEBUG = {"iterations": 2, "width": 8, "batch_size": 8, "dataset": {"_target_": "synthetic"}}


def test_debug_shrinks_every_stage():
    config = final(stages=STAGES, epochs=None, debug=DEBUG)
    for stage in stages_of(config):
        assert stage.config["iterations"] == 2
        assert stage.config["epochs"] is None
        assert stage.config["networks"]["generator"]["width"] == 8
        assert stage.config["networks"]["embedder"] == {"path": "untrained"}
        assert stage.config["data"]["batch_size"] == 8
        assert stage.config["data"]["dataset"]["_target_"] == "synthetic"
    assert "debug" not in config


def test_debug_puts_few_pictures_together():
    data = {"batch_size": 64, "size": 8, "count": 128_000, "dataset": {}}
    assert final(data=data, debug={**DEBUG, "dataset": {"count": 64}})["data"]["count"] == 64


def test_debug_sees_mistakes_in_the_data_that_it_leaves_out():
    for stated in ({"bakground": "black"}, {"background": 3}):
        data = {**ROOT["data"], "dataset": {**ROOT["data"]["dataset"], **stated}}
        with pytest.raises(UserError, match=f"^data.dataset.{next(iter(stated))}"):
            final(data=data, debug=DEBUG)
    with pytest.raises(UserError, match=r"^stages.gan.data.dataset.x: ImageFolder has no such option"):
        final(
            stages={"gan": {"epochs": 1, "data": {**data, "dataset": {**ROOT["data"]["dataset"], "x": 1}}}},
            epochs=None,
            debug=DEBUG,
        )


def test_debug_does_not_ask_a_classifier():
    scores = {"_target_": "x", "backbone": "dataset", "best": "sure", "scores": ["sure"]}
    found = final(evaluation=scores, debug=DEBUG)["evaluation"]
    assert found == {"_target_": "x", "backbone": "random", "best": None, "scores": None}


def test_debug_leaves_a_length_of_the_command_line():
    assert final("iterations=7", iterations=7, debug=DEBUG)["iterations"] == 7


def test_a_folder_may_be_called_by_a_number():
    config = final(data={**ROOT["data"], "root": 2024, "cache_dir": 5}, init_from=1)
    assert (config["data"]["root"], config["data"]["cache_dir"], config["init_from"]) == ("2024", "5", "1")


def test_a_users_own_loss_may_have_weights_of_another_kind():
    losses = {
        "classes": {"_target_": "x", "weights": [1, 2]},
        "content": {"_target_": "x", "weights": None, "width": 64},
    }
    assert final(losses=losses)["losses"]["classes"]["weights"] == [1, 2]
    tiny = final(losses=losses, debug=DEBUG)["losses"]
    assert tiny["classes"]["weights"] == [1, 2]
    assert (tiny["content"]["weights"], tiny["content"]["width"]) == ("untrained", 8)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"seed": -1}, "seed is -1"),
        ({"seed": 2**63}, "at most 9223372036854775807"),
        ({"seed": None}, "seed is None"),
        ({"trainer": {**ROOT["trainer"], "devices": 0}}, r"trainer\.devices is 0"),
        ({"trainer": {**ROOT["trainer"], "precision": "16"}}, r"trainer\.precision is '16'"),
        ({"trainer": {**ROOT["trainer"], "max_steps": 5}}, r"trainer\.max_steps: there is no such key"),
        ({"data": {**ROOT["data"], "batch_size": 0}}, r"data\.batch_size is 0"),
        ({"data": {**ROOT["data"], "size": -28}}, r"data\.size is -28"),
        ({"data": {**ROOT["data"], "root": True}}, r"data\.root is True"),
        ({"data": {**ROOT["data"], "root": ""}}, r"data\.root is ''"),
        ({"data": {**ROOT["data"], "cache_dir": ["a"]}}, r"data\.cache_dir is \['a'\]"),
        ({"init_from": 2.5}, r"init_from is 2\.5"),
        ({"evaluation": {"_target_": "x", "weights": ["a"]}}, r"evaluation\.weights is \['a'\], .* name of a file"),
        ({"callbacks": None}, "callbacks: nothing is set"),
        ({"callbacks": 5}, "callbacks is 5"),
        ({"trainer": {**ROOT["trainer"], "profiler": "simple"}}, r"trainer\.profiler: there is no such key"),
        (
            {"trainer": {**ROOT["trainer"], "deterministic": "foo"}},
            r"trainer\.deterministic is 'foo', .* true or false",
        ),
        (
            {"trainer": {**ROOT["trainer"], "benchmark": "on"}},
            r"trainer\.benchmark is 'on', it must be true or false or null",
        ),
        ({"trainer": {**ROOT["trainer"], "capture": True}}, r"trainer\.capture is True, it must be one of auto, none"),
        (
            {"trainer": {**ROOT["trainer"], "compile": True}},
            r"trainer\.compile is True, it must be one of none,",
        ),
        (
            {"trainer": {**ROOT["trainer"], "compile": "max-autotune", "deterministic": True}},
            r"trainer\.compile=max-autotune .* take trainer\.compile=default",
        ),
        ({"stages": 5}, "stages is 5"),
        ({"stages": {"gan": 5}}, r"stages\.gan is 5; a stage states data"),
        ({"plugins": "abc"}, r"plugins is 'abc'; write a list of modules, as plugins=\[my_module\]"),
        ({"networks": {"generator": {"width": 0}}}, r"networks\.generator\.width is 0"),
        ({"networks": {"generator": {"z_dim": -1}}}, r"networks\.generator\.z_dim is -1"),
        ({"data": {**ROOT["data"], "classes": "x"}}, r"data\.classes is 'x'"),
        (
            {"data": {**ROOT["data"], "classes": None}, "models": {"classes": 10}},
            r"^data\.classes is null, but this game is of classes; set models\.classes=null .* or data\.classes=N if",
        ),
        ({"models": {"classes": 5}}, r"^models\.classes is 5, but data\.classes is 10; leave it out"),
        (
            {"stages": {"gan": {"epochs": 1, "models": {"classes": 5}}}, "epochs": None},
            r"^stages\.gan\.models\.classes is 5, but data\.classes is 10",
        ),
        ({"networks": None}, "networks: nothing is set"),
        ({"networks": {"../victim": {}}}, r"networks\.\.\./victim: a name is made of letters"),
        ({"models": {"players": {"a.b": {}}}}, r"models\.players\.a\.b: a name is made of letters"),
        ({"logger": {"../../victim": {}}}, "a name is made of letters"),
        ({"stages": {"../../victim": {"epochs": 1}}, "epochs": None}, r"stages\.\.\./\.\./victim: a name is made"),
        ({"stages": {"gan\n": {"epochs": 1}}, "epochs": None}, "a name is made"),
        ({"stages": {1: {"epochs": 1}}, "epochs": None}, "a name is made"),
    ],
)
def test_values_that_no_run_can_have(change, says):
    with pytest.raises(UserError, match=says):
        final(**change)
