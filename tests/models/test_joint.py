"""The text stage: which pairs count, and what its previews show."""

import torch
from toys import player

from gantrain.losses.contrastive import InfoNCE
from gantrain.models.joint import JointEmbedding, alike
from gantrain.networks.text import Eye, Given


def family():
    torch.manual_seed(0)
    networks = {"text": Given(5), "eye": Eye(2, 8, 1, 5)}
    return JointEmbedding(networks=networks, players={"encoders": player("text", "eye")}, contrast=InfoNCE())


def batch(n=6):
    return {"real": torch.randn(n, 1, 8, 8), "text": torch.randn(n, 5), "group": torch.arange(n)}


def test_pairs_of_a_group_or_with_one_caption_are_alike():
    given = {"group": torch.tensor([0, 0, 1, 2]), "text": torch.tensor([[1, 2], [3, 4], [5, 6], [1, 2]])}
    found = alike(given)
    assert found.nonzero().tolist() == [[0, 1], [0, 3], [1, 0], [3, 0]]


def test_both_networks_learn_from_the_batch():
    module = family()
    terms, _ = module.encoders(batch(), None)
    terms["contrast"].backward()
    assert all(weight.grad is not None for weight in module.networks["eye"].parameters())
    assert module.networks["eye"].log_length.grad != 0


def test_a_preview_shows_what_agrees_most():
    module, given = family(), batch()
    shown = module.preview(given, torch.Generator())
    assert shown.shape == (4, 1, 8, 8)  # a row for the first text
    with torch.no_grad():
        seen = torch.nn.functional.normalize(module.networks["eye"].eval()(given["real"]), dim=1)
    best = (seen @ given["text"][0]).argmax()
    assert torch.equal(shown[0], given["real"][best])
