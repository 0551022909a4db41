"""Both losses by hand, and what is left out of them."""

import math

import pytest
import torch

from gantrain.losses.contrastive import InfoNCE, SymmetricHinge

NONE = torch.zeros(2, 2, dtype=torch.bool)


def test_info_nce_by_hand():
    texts, pictures = torch.tensor([[2.0, 0], [0, 5]]), torch.tensor([[3.0, 0], [1, 1]])
    # Texts are taken at length 1: scores are [[3, 1], [0, 1]].
    rows = [-3 + math.log(math.exp(3) + math.exp(1)), -1 + math.log(math.exp(0) + math.exp(1))]
    columns = [-3 + math.log(math.exp(3) + math.exp(0)), -1 + math.log(2 * math.exp(1))]
    assert InfoNCE()(texts, pictures, NONE).item() == pytest.approx((sum(rows) + sum(columns)) / 4)


def test_hinge_by_hand():
    texts, pictures = torch.tensor([[1.0, 0], [0, 1]]), torch.tensor([[2.0, 0.5], [1.5, 1]])
    # Scores [[2, 1.5], [.5, 1]]: of wrong pictures max(0, 1 + 1.5 - 2), max(0, 1 + .5 - 1); of texts .5 - 2, 1.5 - 1.
    assert SymmetricHinge()(texts, pictures, NONE).item() == pytest.approx((0.5 + 0.5 + 0 + 1.5) / 2)


@pytest.mark.parametrize("loss", [InfoNCE(), SymmetricHinge()])
def test_pairs_that_may_belong_together_are_left_out(loss):
    torch.manual_seed(0)
    texts, pictures = torch.randn(3, 4), torch.randn(3, 4)
    also = torch.zeros(3, 3, dtype=torch.bool)
    also[0, 1] = also[1, 0] = True
    moved = loss(texts, pictures, also)
    others = [(texts[[0, 2]], pictures[[0, 2]]), (texts[[1, 2]], pictures[[1, 2]])]
    assert torch.isfinite(moved)
    everything = torch.ones(3, 3, dtype=torch.bool) & ~torch.eye(3, dtype=torch.bool)
    assert loss(texts, pictures, everything).item() == pytest.approx(0, abs=1e-6)
    assert all(torch.isfinite(loss(*pair, NONE)) for pair in others)


@pytest.mark.parametrize("loss", [InfoNCE(), SymmetricHinge()])
def test_embeddings_of_a_bfloat16_pass_are_compared_in_float32(loss):
    torch.manual_seed(0)
    texts, pictures = torch.randn(2, 64).bfloat16(), torch.randn(2, 64).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        found = loss(texts, pictures, NONE)
    assert torch.equal(found, loss(texts.float(), pictures.float(), NONE))
