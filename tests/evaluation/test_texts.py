"""Recall and agreement by hand and by properties; what is measured of each stage; a warning near chance."""

import pytest
import torch
import toys
from torch import nn

from gantrain.data.captioned import CaptionedPictures
from gantrain.data.captioned_shapes import CaptionedShapes
from gantrain.errors import UserError
from gantrain.evaluation.backbones import Random
from gantrain.evaluation.texts import TextScores, agreeing, others_of, warn_near_chance
from gantrain.losses.adversarial import NonSaturating
from gantrain.losses.contrastive import InfoNCE
from gantrain.models.joint import JointEmbedding
from gantrain.models.text_image import TextToImage
from gantrain.networks.stackgan import Discriminator, LowGenerator


class Spelled(nn.Module):
    """A text's first letters as numbers."""

    features = 66

    def forward(self, text):
        return text.float() + 1


class Knowing(nn.Module):
    """Says of every picture the same."""

    def __init__(self):
        super().__init__()
        self.said = nn.Parameter(torch.ones(66))

    def forward(self, pictures):
        return self.said.expand(len(pictures), -1)


def data():
    shapes = CaptionedShapes(each=1, side=16)
    return CaptionedPictures(dataset=shapes, size=16, channels=3, batch_size=4, length=66).open()


def text_stage(**networks):
    networks = {"text": Spelled(), "eye": Knowing(), **networks}
    return JointEmbedding(networks=networks, players={"encoders": toys.player("text", "eye")}, contrast=InfoNCE())


def image_stage(**others):
    networks = {
        "text": Spelled(),
        "generator": LowGenerator(3, 4, 66, width=2, size=16, channels=3),
        "discriminator": Discriminator(66, width=2, size=16, channels=3),
        **others,
    }
    players = {name: toys.player(name) for name in ("discriminator", "generator")}
    return TextToImage(adversarial=NonSaturating(), networks=networks, players=players)


def test_recall_and_agreement_by_hand():
    texts = torch.tensor([[1.0, 0], [0, 1], [1, 1]])
    pictures = torch.tensor([[2.0, 0], [3.0, 0.1], [0, 5]])  # the second one agrees with the first text most
    others = ~torch.eye(3, dtype=torch.bool)
    found = agreeing(texts, pictures, others, among=3, seed=0)
    assert found["recall"].value == pytest.approx(1 / 3)
    cosines = [1, 0.1 / (9.01**0.5), 0.5**0.5]
    assert found["agreement"].value == pytest.approx(sum(cosines) / 3, rel=1e-5)
    assert found["agreement_shuffled"].value < found["agreement"].value


def test_captions_that_fit_as_well_are_not_wrong():
    text = torch.tensor([[1], [2], [1], [3]])
    others = others_of({"group": torch.tensor([0, 0, 1, 2]), "text": text})
    assert others.tolist() == [
        [False, False, False, True],
        [False, False, True, True],
        [False, True, False, True],
        [True, True, True, False],
    ]


def test_one_who_answers_always_the_same_is_at_chance(capsys):
    result = TextScores(samples=None, among=10).measure(text_stage(), data())
    assert set(result.scores) == {"recall", "agreement", "agreement_shuffled"}
    assert result.protocol["among"] == 10
    assert result.protocol["captions"] == 60
    assert result.scores["recall"].value < 0.3
    assert "10" in capsys.readouterr().err


def test_made_pictures_are_held_against_real_ones():
    known, module = data(), image_stage(eye=Knowing())
    evaluation = TextScores(samples=40)
    evaluation.check(module, known)
    result = evaluation.measure(module, known)
    names = evaluation.names(module, known)
    assert list(result.scores) == names
    assert names == ["recall", "agreement", "agreement_shuffled", "recall_real", "agreement_real", "fd40_random"]
    assert result.scores["agreement"].value == pytest.approx(result.scores["agreement_real"].value)  # it sees nothing
    assert result.scores["fd40_random"].value > 0
    again = evaluation.measure(module, known)
    assert again.plain() == result.plain()


def test_the_backbone_is_loaded_once(monkeypatch):
    loaded = []
    monkeypatch.setattr("gantrain.evaluation.texts.named", lambda *words: loaded.append(words) or Random())
    TextScores(samples=20).measure(image_stage(), data())
    assert len(loaded) == 1


def test_without_an_eye_there_is_the_distance_alone():
    known, module = data(), image_stage()
    assert TextScores(samples=20).names(module, known) == ["fd20_random"]
    assert list(TextScores(samples=20).measure(module, known).scores) == ["fd20_random"]


def test_few_captions_are_fewer_to_choose_from():
    known = data()
    known.held_out().captions.groups[:] = torch.arange(60).numpy() % 3
    result = TextScores(samples=12).measure(text_stage(), known)
    assert 2 <= result.protocol["among"] <= 11


def test_a_warning_near_chance_alone(capsys):
    warn_near_chance(0.05, 50, made=False)
    assert "stages.text.iterations" in capsys.readouterr().err
    warn_near_chance(0.05, 50, made=True)
    assert "chance is 2%" in capsys.readouterr().err
    for made in (False, True):
        warn_near_chance(0.07, 50, made)
    assert capsys.readouterr().err == ""


def test_other_runs_are_refused():
    with pytest.raises(UserError, match="texts measures"):
        TextScores().check(toys.game(), data())
    with pytest.raises(ValueError, match="dataset needs classes"):
        TextScores(backbone="dataset")
    known = data()
    known.held_out().captions.groups[:] = 0
    with pytest.raises(UserError, match=r"data\.holdout"):
        TextScores().check(text_stage(), known)
