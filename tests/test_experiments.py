"""Every experiment composes, trains, resumes to the same bits as without a stop, and is used.

Those that have classes of their own are recorded where nothing stops them, and played where they are stopped: so what
is replayed is what would be played, bit for bit.
"""

import json
import math
import re

import pytest
import torch
from compare import differences, newest
from pictures_on_disk import write_picture
from PIL import Image
from recorder import Recorder
from rounding import Rounding
from stopping import stop_at

from gantrain.callbacks import networks
from gantrain.callbacks.networks import describe
from gantrain.config.build import build
from gantrain.config.compose import composed
from gantrain.config.stages import stages_of
from gantrain.folders import configs_folder
from gantrain.models.base import GANModule
from gantrain.models.loop.capture import WARM_UP
from gantrain.run.exports import load_network
from gantrain.run.uses import takes_texts, uses_of
from gantrain.training import fit
from gantrain.training.loading import load_trained

FOLDER = configs_folder() / "experiment"
RECORDS = ("callbacks.metrics.every=1", "callbacks.samples.count=2")
FEW = {"samples": 16, "pictures": 4}  # to measure scores on, which nobody reads here


def grown_to(size, *left_out, **options):
    """A run that grows to a smaller size, through fewer stages."""
    options = {"size": size, **options}
    networks = [f"networks.{name}.{key}={options[key]}" for name in ("generator", "discriminator") for key in options]
    return (f"data.size={size}", *networks, *(f"~stages.r{stage}" for stage in left_out))


TEXTS = ("networks.generator_low.size=16", "networks.generator.size=32", "networks.eye.size=8", "data.length=66")

SMALLER = {
    **dict.fromkeys(("agecgan_wiki", "agecgan_wiki_modern"), ("data.size=16", "networks.face.size=16")),
    "cyclegan_folders": (
        "data.size=32",
        "data.load_size=36",
        "networks.generator_ab.blocks=2",
        "networks.generator_ba.blocks=2",
    ),
    "pix2pix_facades": ("data.size=64", "data.load_size=72"),
    "r3gan_ffhq64": ("networks.generator.blocks=1", "networks.discriminator.blocks=1"),
    "srgan_celeba": ("data.size=32", "networks.generator.blocks=1"),
    "srgan_photos": ("data.size=32", "networks.generator.blocks=1"),
    "ccgan_faces": ("data.size=32",),
    "mnist_fast": ("trainer.threads=1",),
    "context_faces": ("data.size=64", "networks.generator.bottleneck=16"),
    **dict.fromkeys(
        ("stylegan2_faces", "stylegan2_ffhq", "stylegan2_folder"),
        ("data.size=16", "networks.generator.top=16", "networks.discriminator.top=16"),
    ),
    "pggan_mnist": grown_to(14, 14, top=16),
    "pggan_mnist_uni": grown_to(14, 14),
    "pggan_faces": (*grown_to(8, 4, 8, 16, 32, top=16), "models.fade_images=null"),
    "pggan_celebahq": (*grown_to(8, *(4 * 2**i for i in range(8)), top=16), "models.fade_images=null"),
    "stylegan1_faces": grown_to(16, 16, 32, top=16),
    "stackgan_shapes": TEXTS,
    "stackgan_birds": (*TEXTS, "~stages.one"),  # whose game is that of the last stage
    "stackgan_book": (*TEXTS, "~stages.text", "~stages.two"),
    "stackgan_folder": (*TEXTS, "~stages.text", "~stages.one"),
    "gan3d_shapenet": ("data.size=32",),
    "gan3d_shapenet_paper": ("data.size=32",),
}
# These have the classes of another, as a test below sees, so the costliest tests pass them over.
ALIKE = {
    "cyclegan_folders": "cyclegan_small",
    **dict.fromkeys(("dcgan_folder", "dcgan_pokemon_modern", "folder_fast"), "dcgan_celeba"),
    **dict.fromkeys(("dcgan_mnist_uni", "dcgan_paper", "stacked_mnist_uni"), "dcgan_mnist"),
    "gan3d_shapenet_paper": "gan3d_shapenet",
    **dict.fromkeys(("gan_mnist_book", "gan_mnist_keras"), "gan_mnist"),
    "inpaint_folder": "ccgan_faces",
    "pggan_celebahq": "pggan_faces",
    "pix2pix_folder": "pix2pix_facades",
    "r3gan_sprites": "r3gan_mnist",
    "stacked_mnist_pac2": "stacked_mnist",
    **dict.fromkeys(("stylegan2_faces", "stylegan2_folder", "stylegan2_sprites"), "stylegan2_mnist"),
}
EXPERIMENTS = sorted(str(file.relative_to(FOLDER).with_suffix("")) for file in FOLDER.rglob("*.yaml"))
DISTINCT = [experiment for experiment in EXPERIMENTS if experiment not in ALIKE]
# RMSprop can be recorded on a GPU alone; a beta that changes nowhere.
EAGER = {"wgan_mnist", "r3gan_ffhq64", "stackgan_birds"}
# Kinds of iterations that are equally often; with a lazy penalty more are needed until there are enough without it.
TURNS = dict.fromkeys(("stacked_mnist", "stylegan2_mnist", "stylegan2_ffhq"), 2)


def classes(node):
    """The classes that a node of a config names."""
    if isinstance(node, dict):
        return set().union(*map(classes, node.values()), {node["_target_"]} if "_target_" in node else set())
    return set().union(*map(classes, node)) if isinstance(node, list) else set()


def test_what_the_costliest_tests_pass_over_has_no_class_of_its_own():
    def of(experiment):
        stages = stages_of(composed([f"experiment={experiment}", "debug=tiny"], None))
        played = {key: [stage.config[key] for stage in stages] for key in ("networks", "losses", "models")}
        return {name for name in classes(played) if not name.startswith("gantrain.ramps.")}  # r3gan_mnist has those

    for experiment, other in ALIKE.items():
        assert other in DISTINCT
        assert of(experiment) <= of(other), experiment


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_trains_resumes_exactly_and_is_used(experiment, gantrain, monkeypatch, tmp_path):
    words = (f"experiment={experiment}", "debug=tiny", *RECORDS, *SMALLER.get(experiment, ()))
    config = composed(words, None)
    words += tuple(f"evaluation.{key}={count}" for key, count in FEW.items() if key in (config["evaluation"] or {}))
    *earlier, last = stages_of(config)
    distinct, length = experiment in DISTINCT, WARM_UP * TURNS.get(experiment, 1) + 2
    batch = 2 if distinct and not earlier else 4
    if last.config["data"]["batch_size"] > batch:
        words += (f"data.batch_size={batch}",)
    longer = f"{last.key('iterations')}={length}"
    if distinct:
        words += tuple(f"{stage.key('iterations')}={length}" for stage in earlier)
    recorder = recorded_by(Recorder(), monkeypatch) if distinct else None
    assert gantrain(*words, longer, "callbacks.networks=null", "hydra.run.dir=straight").code == 0
    # Some batches of at most 4 from 64 images: the stop lies inside an epoch.
    assert newest("straight", last.name)["iteration"] == length
    if distinct:
        assert experiment in EAGER or len(recorder.recordings) > len(earlier)
        recorded_by(Recorder(never=True), monkeypatch)
    stopped = ["stopped"]
    for stage in earlier:
        stopped.append(f"stopped_in_{stage.name}")
        assert stop_at(gantrain, (*words, longer), monkeypatch, stage.tag, 1, stopped[-1]).code == 143
        assert gantrain("resume", stopped[-1]).code == 0
    with monkeypatch.context() as patch:
        if distinct:
            patch.setattr(networks, "describe", describe)  # for once
        assert gantrain(*words, "hydra.run.dir=stopped").code == 0
    resumed = gantrain("resume", "stopped", longer)
    assert resumed.code == 0, resumed

    def records(run):
        lines = [json.loads(line) for line in (tmp_path / run / "metrics.jsonl").read_text().splitlines()]
        plain = [{k: v for k, v in r["values"].items() if k != "images_per_second"} for r in lines]
        return [(r["stage"], r["iteration"], values) for r, values in zip(lines, plain, strict=True)]

    for stage in (*earlier, last):
        straight = newest("straight", stage.name)
        for run in stopped:
            assert differences(newest(run, stage.name), straight) == []
    for run in stopped:
        assert records(run) == records("straight")
    assert [i for stage, i, _ in records("straight") if stage == last.name] == list(range(1, length + 1))

    assert gantrain("report", "straight").code == 0
    use(gantrain, tmp_path)
    assert (tmp_path / "straight" / "samples" / last.tag / "progress.gif").stat().st_size > 0
    for name in load_trained("straight").module.networks_for_use():
        load_network(tmp_path / "straight" / "networks" / name)


@pytest.mark.parametrize("experiment", DISTINCT)
def test_trains_in_bfloat16(experiment, gantrain, monkeypatch):
    """Penalties, averages and previews leave autocast: what they take of it must not stay in half the bits.

    Networks compute in half the bits, and nothing else does.
    """
    words = (f"experiment={experiment}", "debug=tiny", *SMALLER.get(experiment, ()), "trainer.precision=bf16-mixed")
    lengths = [f"{stage.key('iterations')}=1" for stage in stages_of(composed(words, None))]
    quiet = ("evaluation=none", "callbacks.networks=null", "callbacks.samples.count=2", "data.batch_size=2")
    rounding, iterate = Rounding(), GANModule.iterate

    def watched(module, batch):
        with rounding:
            iterate(module, batch)

    monkeypatch.setattr(GANModule, "iterate", watched)
    assert gantrain(*words, *lengths, *quiet, "hydra.run.dir=run").code == 0
    assert rounding.found == set()


def recorded_by(recorder, monkeypatch):
    monkeypatch.setattr(fit, "recorder_for", lambda trainer: lambda: recorder)
    return recorder


def use(gantrain, tmp_path):
    """What the run `straight` is for: pictures from noise, larger ones, or others."""
    trained = load_trained("straight")
    data, verbs = trained.data.open(), uses_of(trained.stage).verbs
    examples = data.examples(2)
    for key, value in data.blank(2).items():  # by which networks are exported
        assert (value.shape, value.dtype) == (examples[key].shape, examples[key].dtype), key
    if "sample" in verbs:
        texts = ("--text", "a small red square") if takes_texts(trained.stage) else ()
        sampled = gantrain("sample", "straight", "-n", 3, *texts, "--out", "pictures")
        assert sampled.code == 0, sampled
        assert len(list((tmp_path / "pictures").glob("*.png"))) == 3
    else:
        (verb,) = {"upscale", "translate", "inpaint"} & set(verbs)
        write_picture(tmp_path / "in.png", 0, (10, 7))
        hole = ("--hole", "2,1,4,3") if verb == "inpaint" else ()
        made = gantrain(verb, "straight", "in.png", *hole, "--out", "pictures")
        assert made.code == 0, made
        assert Image.open(tmp_path / "pictures" / "in.png").size == ((40, 28) if verb == "upscale" else (10, 7))


def header(experiment):
    lines = (FOLDER / f"{experiment}.yaml").read_text().splitlines()
    return " ".join(line.lstrip("# ") for line in lines if line.startswith("#"))


FULL = {"MNIST": 60_000, "202,599 faces": 202_599, "5,000 images": 5_000, "792 sprites": 792}


def test_headers_say_how_long_the_experiment_is():
    seen = 0
    for experiment in EXPERIMENTS:
        config = composed([f"experiment={experiment}"], None)
        said = re.search(
            r"cost: .*?([\d,]+) iterations of (\d+)(?: on the full MNIST| on [\d,]+ faces)?", header(experiment)
        )
        if not said or config["stages"]:
            continue
        assert int(said[2]) == config["data"]["batch_size"], experiment
        images = next((count for name, count in FULL.items() if name in said[0]), 0)
        length = config["iterations"] or math.ceil(config["epochs"] * images / config["data"]["batch_size"])
        assert int(said[1].replace(",", "")) == length, experiment
        seen += 1
    assert seen >= 15


COUNTS = re.compile(r"cost: .*?[Gg]enerator (?:has )?([\d,]*\d),?(?: and)?(?: each)? discriminator (?:has )?([\d,]*\d)")


@pytest.mark.parametrize("experiment", [name for name in EXPERIMENTS if COUNTS.search(header(name))])
def test_headers_say_how_many_parameters_the_networks_have(experiment):
    networks = stages_of(composed([f"experiment={experiment}"], None))[-1].config["networks"]
    with torch.device("meta"):  # which fills nothing
        pair = [
            build(networks[name], f"networks.{name}")
            for kind in ("generator", "discriminator")
            for name in [next(name for name in networks if name.startswith(kind))]
        ]
    counts = tuple(f"{sum(weight.numel() for weight in network.parameters()):,}" for network in pair)
    assert counts == COUNTS.search(header(experiment)).groups()


MATCHING = "+losses.matching={_target_: gantrain.losses.matching.FeatureMatching}"


@pytest.mark.parametrize(
    "words",
    [
        ("losses=minimax",),
        ("losses=relativistic",),
        (MATCHING, "networks.discriminator.features=true"),
        ("experiment=sngan_resnet_mnist", "models=conditional"),
        ("experiment=r3gan_mnist", "models=conditional"),
        ("experiment=stylegan2_mnist", "models.classes=10", "models.fresh_noise=true", "models.microbatches=2"),
        ("experiment=sagan_sprites", "models=conditional", "data.classes=3", "callbacks.attention=null"),
        ("models=latent", "losses=wasserstein_gp", "networks.discriminator.pack=2"),
    ],
)
def test_choices_that_no_experiment_makes_train_and_resume_exactly(words, gantrain):
    words += ("debug=tiny", "callbacks.networks=null", "callbacks.samples=null", "logger=none")
    assert gantrain(*words, "hydra.run.dir=stopped").code == 0
    assert gantrain("resume", "stopped", "iterations=4").code == 0
    assert gantrain(*words, "iterations=4", "hydra.run.dir=straight").code == 0
    assert differences(newest("stopped", "train"), newest("straight", "train")) == []
