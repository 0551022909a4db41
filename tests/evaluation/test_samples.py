"""Scores of pictures of known quality: real digits, corrupted step by step."""

from itertools import pairwise
from pathlib import Path

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn.functional import avg_pool2d
from toys import game

from gantrain.data.images import Digits
from gantrain.data.module import GANDataModule
from gantrain.data.synthetic import Synthetic
from gantrain.drawing import progress
from gantrain.errors import UserError
from gantrain.evaluation import classifier
from gantrain.evaluation import extraction as features_module
from gantrain.evaluation.backbones import Random
from gantrain.evaluation.classifier import dataset_backbone
from gantrain.evaluation.extraction import Features, extract, stream
from gantrain.evaluation.samples import CONDITIONAL, SCORES, SampleScores, Sides
from gantrain.models.family import Family
from gantrain.networks.torchscript import trust

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """The backbone, and two halves of the digits that share no picture."""
    data = GANDataModule(Digits(), 16, 1, 8, cache_dir=tmp_path_factory.mktemp("cache")).open()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(classifier, "STEPS", 100)  # enough to tell digits apart
        backbone = dataset_backbone(data, None, None)
        pictures, labels = (torch.cat(parts) for parts in zip(*stream(data, 1796, seed=4), strict=True))
        yield data, backbone, (pictures[:898], labels[:898]), (pictures[898:], labels[898:])


def features(digits, pictures, labels=None):
    return extract(iter([(pictures, labels)]), digits[1], CPU)


def ladder(digits, rungs, names):
    """The scores of each rung against the first half, as lists by name."""
    real = features(digits, *digits[2])
    measured = [SampleScores(resamples=0).score(names, real, features(digits, rung), [real]) for rung in rungs]
    return {name: [scores[name].value for scores in measured] for name in names}


def rises(values):
    return all(a < b for a, b in pairwise(values))


def falls(values):
    return rises([-value for value in values])


def noisy(pictures, strength):
    noise = torch.randn(pictures.shape, generator=torch.Generator().manual_seed(0))
    return (pictures + 255 * strength * noise).clamp(0, 255).to(torch.uint8)


def blurred(pictures, width):
    return avg_pool2d(pictures.float(), width, stride=1, padding=width // 2, count_include_pad=False).to(torch.uint8)


def test_noise(digits):
    found = ladder(digits, [noisy(digits[3][0], s) for s in (0, 0.1, 0.2, 0.4)], ("frechet", "kid", "density"))
    assert rises(found["frechet"])
    assert rises(found["kid"])
    assert falls(found["density"])


def test_blur_makes_every_distance_worse(digits):
    found = ladder(digits, [blurred(digits[3][0], w) for w in (1, 3, 5, 7)], ("frechet", "kid", "coverage", "is"))
    assert rises(found["frechet"])
    assert rises(found["kid"])
    assert falls(found["coverage"])
    assert falls(found["is"])


def test_dropped_classes(digits):
    pictures, labels = digits[3]
    rungs = [pictures[labels < left] for left in (10, 7, 4, 1)]
    names = ("frechet", "recall", "coverage", "classes", "kl", "js", "is", "mode")
    found = ladder(digits, rungs, names)
    assert found["classes"] == [10, 7, 4, 1]
    for name in ("frechet", "kl", "js"):
        assert rises(found[name]), name
    for name in ("recall", "coverage", "is", "mode"):
        assert falls(found[name]), name
    assert found["mode"][0] == pytest.approx(found["is"][0], rel=0.02)
    assert found["mode"][3] < 0.2 * found["is"][3] + 0.1


def test_mixed_in_copies(digits):
    training, fresh = digits[2][0], digits[3][0]
    rungs = [torch.cat([training[:n], fresh[n:]]) for n in (0, 200, 500, 898)]
    found = ladder(digits, rungs, ("copying", "frechet"))
    assert found["copying"][0] == pytest.approx(1, abs=0.15)
    assert falls(found["copying"])
    assert found["copying"][3] == 0
    assert falls(found["frechet"])  # which is why it takes another score to see them


def toy():
    """A generator of 16x16 pictures, barely begun."""
    torch.manual_seed(0)
    networks = {"generator": Pictures(), "discriminator": torch.nn.Identity()}
    return game(networks=networks)


class Pictures(torch.nn.Module):
    z_dim = 3

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(3, 256)

    def forward(self, z):
        return self.layer(z).tanh().view(-1, 1, 16, 16)


def measure(digits, module=None, **options):
    options = {"samples": 50, "backbone": "random", **options}
    evaluation = SampleScores(**options)
    module = module or toy()
    evaluation.check(module, digits[0])
    return evaluation.measure(module, digits[0])


def test_the_same_seed_gives_the_same_numbers(digits):
    one, again = measure(digits), measure(digits)
    assert one == again
    other = measure(digits, seed=1)
    assert other.scores["fd50_random"].value != one.scores["fd50_random"].value
    assert other.protocol["seed"] == 1


class Lost(Exception):
    """The real data were read."""


def test_what_depends_on_real_data_alone_is_kept(tmp_path, bare, monkeypatch):
    """With a cold cache, a warm one and one that lost its files the scores are the same bits."""

    def lost(*args):
        raise Lost

    bare.undo()
    monkeypatch.setattr(classifier, "STEPS", 20)
    for options in ({}, {"backbone": "random"}, {"backbone": "random", "split": "test"}):
        options["resamples"] = 3
        data = GANDataModule(Digits(), 16, 1, 8, cache_dir=tmp_path / "warm", holdout=0.3).open()
        cold = SampleScores(samples=50, **options).measure(toy(), data)
        with monkeypatch.context() as patch:
            patch.setattr(features_module, "stream", lost)
            for slow in ("root_of", "radii", "moments"):
                kinds = {"moments": 0, "root_of": 0, "radii": 0}
                patch.setattr(features_module, slow, counted(getattr(features_module, slow), kinds, slow))
                warm = SampleScores(samples=50, **options).measure(toy(), data)
                assert kinds == {"moments": 4 if slow == "moments" else 0, "root_of": 0, "radii": 0}  # of fakes alone
            assert warm == cold
            with pytest.raises(Lost):
                SampleScores(samples=50, seed=1, **options).measure(toy(), data)
        for file in (tmp_path / "warm" / "features").iterdir():
            file.unlink()
        assert SampleScores(samples=50, **options).measure(toy(), data) == cold


def counted(function, calls, name):
    def called(*args):
        calls[name] += 1
        return function(*args)

    return called


def test_scores_are_made_where_the_features_are():
    """Fake tensors of CUDA refuse one of the CPU beside them, and a value that the host waits for."""
    with FakeTensorMode(allow_non_fake_inputs=True):
        real, fake = (
            Features(torch.randn(60, 8, device="cuda"), torch.rand(60, 4, device="cuda").softmax(1), None)
            for _ in range(2)
        )
        sides = Sides(real, fake, [real], True, 3, torch.Generator())
        for name, (needs, score) in SCORES.items():
            if CONDITIONAL not in needs:  # classes are looked up by the host
                found = score(sides)
                assert found.value.device.type == found.error.device.type == "cuda", name


def test_the_protocol_is_in_the_result(digits):
    result = measure(digits, backbone="dataset", samples=70, real=500, split="train")
    assert next(iter(result.scores)) == "fd70_dataset"
    expected = {"samples": 70, "real": 500, "split": "train", "networks": "raw", "truncation": None, "resize": "none"}
    assert expected.items() <= result.protocol.items()
    assert result.protocol["weights"] == digits[1].weights[:16]
    assert {name.removesuffix("70_dataset") for name in result.scores} == {"fd", *SCORES} - {
        *("frechet", "intra", "class_accuracy")
    }
    assert all(score.error is not None for score in result.scores.values())


class Copies(torch.nn.Module):
    """Makes pictures of the training split, and none of those that are measured against."""

    z_dim = 3

    def __init__(self, pictures):
        super().__init__()
        self.pictures, self.weight = pictures, torch.nn.Parameter(torch.ones(1))

    def forward(self, z):
        return self.pictures[: len(z)]


@pytest.mark.parametrize("part", [250, 10_000])
def test_copies_are_found_beyond_the_real_pictures_that_are_measured(digits, part, monkeypatch):
    monkeypatch.setattr(features_module, "PART", part)
    data = digits[0]
    last = list(stream(data, 1797, seed=0))[-1][0]
    module = game(networks={"generator": Copies(last.float() / 127.5 - 1), "discriminator": torch.nn.Identity()})
    result = measure(digits, module, real=100, samples=40, scores=["copying"])
    assert result.scores["copying40_random"].value == 0
    assert result.protocol["real"] == 100


def test_the_names_are_known_before(digits):
    for options in ({}, {"scores": ["kid", "frechet"]}, {"backbone": "dataset", "samples": 70}):
        evaluation = SampleScores(**{"samples": 50, "backbone": "random", "resamples": 2, **options})
        evaluation.check(toy(), digits[0])
        assert evaluation.names(toy(), digits[0]) == list(evaluation.measure(toy(), digits[0]).scores)
    with pytest.raises(UserError, match="'is50_random' is not measured"):
        SampleScores(samples=50, backbone="random", best="is50_random").check_best(toy(), digits[0])


def test_a_script_that_classifies_is_asked(digits):
    class Classifying(torch.nn.Module):
        def forward(self, x):
            return x.mean((2, 3)), x.amax((2, 3))

    torch.jit.script(Classifying()).save("both.pt")
    trust(Path("both.pt"))
    names = SampleScores(samples=50, backbone="both.pt").names(toy(), digits[0])
    assert "is50_both" in names
    assert "classes50_both" not in names


def test_only_what_applies(digits):
    assert set(measure(digits, scores=["kid"]).scores) == {"kid50_random"}
    with pytest.raises(UserError, match=r"'classes' does not apply.*random"):
        SampleScores(samples=50, backbone="random", scores=["classes"]).check(toy(), digits[0])
    with pytest.raises(ValueError, match="did you mean 'recall'"):
        SampleScores(scores=["recal"])


class AllAlike(Pictures):
    """Asked for a class, it makes what it makes of any."""

    def forward(self, z, cond):
        assert len(z) == len(cond)
        return super().forward(z)


def test_conditional_families_get_classes(digits):
    torch.manual_seed(0)
    module = game(networks={"generator": AllAlike(), "discriminator": torch.nn.Identity()}, classes=10)
    result = measure(digits, module, scores=["intra", "frechet"], samples=200)
    # classes that all look the same are further from single classes than from their mixture
    assert result.scores["intra200_random"].value > result.scores["fd200_random"].value
    # and each is what was asked for by chance alone, whatever the classifier sees in it
    accuracy = measure(digits, module, backbone="dataset", scores=["class_accuracy"], samples=200)
    assert accuracy.scores["class_accuracy200_dataset"].value == pytest.approx(0.1, abs=0.06)
    with pytest.raises(UserError, match="'class_accuracy' does not apply"):
        measure(digits, scores=["class_accuracy"])


def test_the_held_out_split(tmp_path, digits):
    data = GANDataModule(Digits(), 16, 1, 8, cache_dir=tmp_path, holdout=0.3).open()
    evaluation = SampleScores(samples=50, backbone="random", split="test")
    evaluation.check(toy(), data)
    result = evaluation.measure(toy(), data)
    assert (result.protocol["split"], result.protocol["real"]) == ("test", 539)
    with pytest.raises(UserError, match=r"data\.holdout=0\.1"):
        measure(digits, split="test")


def test_unseen_real_pictures_show_what_the_datas_own_classifier_leaves_to_reach(tmp_path, digits, monkeypatch):
    monkeypatch.setattr(classifier, "STEPS", 50)
    data = GANDataModule(Digits(), 16, 1, 8, cache_dir=tmp_path, holdout=0.3).open()
    result = SampleScores(samples=200, resamples=0).measure(toy(), data)
    ((title, (row,)),) = result.tables.items()
    assert "200 unseen real pictures" in title
    assert list(row) == [name.removesuffix("200_dataset").replace("fd", "frechet") for name in result.scores]
    assert 0.5 < float(row["precision"]) < 1
    assert 0.5 < float(row["copying"]) < 2
    assert float(row["frechet"]) < result.scores["fd200_dataset"].value
    for options in ({"split": "test"}, {"backbone": "random"}):
        assert SampleScores(samples=50, resamples=0, **options).measure(toy(), data).tables == {}
    assert measure(digits, backbone="dataset").tables == {}  # nothing is held out


def test_protocols_say_where_a_score_is_not_the_papers(digits):
    both = measure(digits, backbone="dataset", resize=None)
    assert "not the mean of ten splits" in both.protocol["inception score"]
    assert measure(digits, scores=["kid"]).protocol["inception score"] is None
    evaluation, backbone = SampleScores(samples=50, scores=["kid"], backbone="random"), Random()
    evaluation.named = backbone
    for backbone.filter, backbone.rounded, said in (("clean", True, "not clean-FID"), ("clean", False, "clean")):
        assert evaluation.measure(toy(), digits[0]).protocol["resize"].endswith(said)


def test_what_is_too_few(digits, capsys, tmp_path):
    measure(digits, samples=20)
    assert "biased upwards" in capsys.readouterr().err
    with pytest.raises(ValueError, match="2 or more"):
        SampleScores(samples=1)
    with pytest.raises(UserError, match="too few"):
        measure(digits, samples=5)
    with pytest.raises(UserError, match=r"evaluation\.real is 2,000.*1,797"):
        measure(digits, real=2000)


def test_early_errors(digits, tmp_path):
    unlabelled = GANDataModule(Synthetic(32), 16, 1, 8, cache_dir=tmp_path).open()
    with pytest.raises(UserError, match="no classes"):
        SampleScores(backbone="dataset").check(toy(), unlabelled)
    with pytest.raises(UserError, match=r"no file weights\.pth"):
        SampleScores(backbone="resnet18", weights="weights.pth").check(toy(), digits[0])
    with pytest.raises(UserError, match="Family does not make"):
        SampleScores().check(Family(), digits[0])
    of_texts = Family()
    of_texts.takes_texts, of_texts.generate = True, lambda latents, embeddings: latents
    with pytest.raises(UserError, match="use evaluation=texts"):
        SampleScores().check(of_texts, digits[0])
    for wrong in (
        {"truncation": 0},
        {"samples": 2.5},
        {"every": 1.5},
        {"resamples": 2.5},
    ):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            SampleScores(**wrong)


def test_truncation_narrows(digits):
    wide, narrow = measure(digits), measure(digits, truncation=0.1)
    assert narrow.protocol["truncation"] == 0.1
    assert narrow.scores["recall50_random"].value <= wide.scores["recall50_random"].value
    assert narrow.scores["fd50_random"].value != wide.scores["fd50_random"].value


def test_progress_is_told(digits, monkeypatch, capsys):
    monkeypatch.setattr(progress, "SECONDS", 0)
    real = features(digits, *digits[2])
    SampleScores(resamples=0).score(["frechet", "kid"], real, real, [real])
    assert "1 of 2 scores, 0:00 left" in capsys.readouterr().err
