"""What a run is for is said by its family and its data, not guessed from the keys of its config."""

import sys

import pytest

from gantrain.config.compose import composed
from gantrain.config.stages import Stage, stages_of
from gantrain.run.uses import a_class, code_of, commands_of, program, takes_texts, uses_of

LATENT = ("sample", "interpolate", "arithmetic", "features")


@pytest.mark.parametrize(
    ("experiment", "verbs", "evaluation", "columns"),
    [
        ("dcgan_digits", LATENT, "dataset", ""),
        ("stylegan2_mnist", (*LATENT, "styles", "project", "edit"), "dataset", ""),
        ("gan3d_furniture", LATENT, "voxels", ""),
        ("srgan_photos", ("features", "upscale"), "super_resolution", ""),
        ("pix2pix_folder", ("features", "translate"), "pairs", "input, result, target"),
        ("inpaint_folder", ("features", "inpaint"), "holes", "input, result, picture"),
        ("cyclegan_small", ("translate",), "unpaired", "a, what it becomes, b, what it becomes"),
        ("agecgan_wiki_modern", ("age", "sample", "interpolate", "arithmetic"), "ageing", ""),
    ],
)
def test_what_the_families_say(experiment, verbs, evaluation, columns):
    stage = stages_of(composed([f"experiment={experiment}"], None))[-1]
    assert uses_of(stage) == (verbs, evaluation, columns)


def stage(family="gantrain.models.latent.LatentGAN", **data):
    config = {"models": {"_target_": family}, "data": data, "losses": {"cycle": {}}}
    return Stage("train", "", config)


def test_keys_say_nothing():
    """Neither an option `load_size` nor a loss `cycle` makes a run one of pictures to pictures."""
    assert uses_of(stage(load_size=8, scale=4, condition="grey")) == (LATENT, "dataset", "")


def test_of_classes_that_are_not_trusted_nothing_is_known():
    assert uses_of(stage("os.Thing")) == ((), None, "")
    assert uses_of(stage("gantrain.models.latent.Missing", _target_="gantrain.data.unpaired.Unpaired")).verbs == (
        "translate",
    )


def test_commands_of_a_run_of_texts():
    of_texts = stages_of(composed(["experiment=stackgan_shapes"], None))[-1]
    assert takes_texts(of_texts)
    assert not takes_texts(stage())
    told = commands_of(of_texts, "r")
    assert told == {"Make pictures of a text": "gantrain sample r --text 'TEXT' -n 8"}


def test_commands_for_people():
    assert commands_of(stage(), "runs/a") == {"Draw new samples": "gantrain sample runs/a -n 64 --seed 1"}
    style = commands_of(stage("gantrain.models.style.StyleGAN"), "r")
    assert [word.split()[1] for word in style.values()] == ["styles", "project", "edit", "sample"]
    (own,) = commands_of(stage(), "runs/a", code_of({"plugins": ["mine", "a b.pt"]})[0]).values()
    assert own == "gantrain sample runs/a -n 64 --seed 1 --plugins 'mine,a b.pt'"
    ageing = commands_of(stage("gantrain.models.inversion.Inversion"), "r")
    assert ageing["Show faces in other ages"] == "gantrain age r PHOTOS --out FOLDER"


@pytest.mark.parametrize(
    ("family", "classes", "names", "words"),
    [
        ("latent.LatentGAN", 10, None, "--class 3"),
        ("latent.LatentGAN", 2, None, "--class 1"),
        ("latent.LatentGAN", 2, ["cat", "big dog"], "--class 'big dog'"),
        ("latent.LatentGAN", None, None, None),
        ("paired.PairedGAN", 10, None, None),
    ],
)
def test_a_class_is_told_of_where_a_run_has_learnt_some(family, classes, names, words):
    one = stage(f"gantrain.models.{family}", class_names=names)
    one.config["models"]["classes"] = classes
    assert a_class(one) == words
    told = commands_of(one, "r").get("Draw new samples of one class")
    assert told == (words and f"gantrain sample r {words}")


def test_commands_are_of_the_program_that_was_started(tmp_path, monkeypatch):
    for name in ("gantrain", "tensorboard"):
        (tmp_path / name).touch(mode=0o755)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(sys, "orig_argv", ["python", str(tmp_path / "gantrain")])
    assert program() == str(tmp_path / "gantrain")
    assert program("tensorboard") == str(tmp_path / "tensorboard")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert program() == "gantrain"
    monkeypatch.setattr(sys, "orig_argv", ["python", "-m", "gantrain"])
    assert program() == "gantrain"
