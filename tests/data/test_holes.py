import numpy as np
import pytest
import torch

from gantrain.data.holes import Holes, hidden, pasted
from gantrain.data.stream import Batches
from gantrain.data.synthetic import Synthetic


def module(classes=None, **options):
    known = {"dataset": Synthetic(20, classes), "hole": "mixture", "cond_channels": 4, "size": 16, "channels": 3}
    return Holes(**{**known, "batch_size": 6, "classes": classes, **options}).open()


def test_what_is_hidden_changes_nothing():
    generator = torch.Generator().manual_seed(0)
    pictures = torch.rand(2, 3, 6, 6, generator=generator)
    missing = torch.zeros(2, 1, 6, 6, dtype=torch.bool)
    missing[0, :, 1:4, 2:5] = missing[1, :, :3] = True
    other = torch.where(missing, torch.rand(2, 3, 6, 6, generator=generator), pictures)
    assert not torch.equal(other, pictures)
    assert torch.equal(hidden(other, missing), hidden(pictures, missing))


def test_a_hole_has_the_mean_colour_of_what_is_left():
    pictures = torch.tensor([[[[1.0, 2.0], [6.0, 9.0]]]])
    missing = torch.tensor([[[[False, False], [False, True]]]])
    assert hidden(pictures, missing).tolist() == [[[[1, 2], [6, 3]], [[0, 0], [0, 1]]]]


def test_pasting_leaves_what_is_known_exactly():
    batch = module().examples(6)
    made = torch.zeros_like(batch["real"]).requires_grad_()
    whole = pasted(made, batch["cond"])
    missing = batch["cond"][:, -1:].expand(-1, 3, -1, -1) > 0
    assert torch.equal(whole[~missing], batch["real"][~missing])
    assert (whole[missing] == 0).all()
    whole.sum().backward()
    assert torch.equal(made.grad, missing.float())


def test_holes_do_not_depend_on_batches_or_processes():
    data = module()
    one = next(data.loader(Batches(8, 12)))
    parts = [next(data.loader(Batches(4, 12, rank, 2))) for rank in (0, 1)]
    for key in one:
        assert torch.equal(torch.cat([part[key] for part in parts]), one[key])
    assert not torch.equal(next(data.loader(Batches(8, 32)))["hole"], one["hole"])  # the next epoch draws others


def test_held_out_pictures_keep_one_hole_each_whatever_the_seed():
    first, other = (module(holdout=5, seed=seed).held_out() for seed in (0, 1))
    rows = np.arange(5)
    assert torch.equal(first.take(rows)["cond"], other.take(rows)["cond"])
    assert torch.equal(first.take(rows[3:])["cond"], first.take(rows)["cond"][3:])


def test_other_holes_are_other_data():
    assert len({module(hole=hole).content for hole in ("mixture", "centre")}) == 2


def test_pictures_are_flipped_and_holes_are_not():
    plain, flipped = module(seed=3).examples(20), module(seed=3, augment={"flip": True}).examples(20)
    assert torch.equal(plain["cond"][:, -1], flipped["cond"][:, -1])
    turned = [not torch.equal(a, b) for a, b in zip(plain["real"], flipped["real"], strict=True)]
    assert 4 < sum(turned) < 16
    known = flipped["cond"][:, -1:].expand(-1, 3, -1, -1) == 0
    assert torch.equal(flipped["cond"][:, :-1][known], flipped["real"][known])


def test_classes_are_labels_and_not_conditions():
    batch = module(classes=2).examples(6)
    assert batch["cond"].shape == (6, 4, 16, 16)
    assert batch["label"].dtype == torch.int64
    assert "label" not in module().examples(2)


def test_sheets_show_input_ours_and_picture():
    data = module()
    batch = data.examples(2)
    assert data.overview(batch).shape[0] == 3
    assert data.sheet(batch["real"], batch, columns=1).shape == (3, 3 * 2 + 2 * 48, 2 * 2 + 3 * 48)


@pytest.mark.parametrize(
    ("hole", "widest"), [("square", 5), ("centre", 8), ("half", 8), ("strokes", 2), ("mixture", 8)]
)
def test_how_wide_the_holes_are(hole, widest):
    assert module(hole=hole, sides=[3, 5]).widest == widest


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"cond_channels": 3}, "cond_channels is 3, it must be channels"),
        ({"sides": [4, 16]}, r"sides is \[4, 16\]"),
        ({"sides": [5]}, r"sides is \[5\]"),
        ({"sides": [5, 4]}, r"sides is \[5, 4\]"),
    ],
)
def test_impossible_options_are_refused(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        module(**options)
