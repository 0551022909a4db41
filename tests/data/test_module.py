"""The DataModule: batches, ranges, flips."""

import pytest
import torch

from gantrain.data import GANDataModule
from gantrain.data.stream import Batches
from gantrain.data.synthetic import Synthetic
from gantrain.errors import UserError


def module(**options):
    options = {"dataset": Synthetic(20, classes=4), "size": 8, "channels": 1, "batch_size": 6, **options}
    return GANDataModule(**options).open()


def test_examples_are_in_range_with_their_classes():
    batch = module().examples(5)
    assert batch["real"].shape == (5, 1, 8, 8)
    assert batch["real"].min() >= -1
    assert batch["real"].max() <= 1
    assert batch["cond"].dtype == torch.int64


def test_the_ends_of_the_range_are_black_and_white():
    data = module(range=[0, 1])
    batch = data.normalise({"real": torch.tensor([0, 255], dtype=torch.uint8).view(2, 1, 1, 1)})
    assert batch["real"].flatten().tolist() == [0.0, 1.0]
    batch = module().normalise({"real": torch.tensor([0, 255], dtype=torch.uint8).view(2, 1, 1, 1)})
    assert batch["real"].flatten().tolist() == [-1.0, 1.0]


def test_flips_are_drawn_per_sample():
    plain, flipped = module(), module(augment={"flip": True})
    a, b = plain.examples(20)["real"], flipped.examples(20)["real"]
    same = [torch.equal(x, y) for x, y in zip(a, b, strict=True)]
    mirrored = [torch.equal(x.flip(-1), y) for x, y in zip(a, b, strict=True)]
    assert all(s or m for s, m in zip(same, mirrored, strict=True))
    assert 4 < sum(mirrored) < 16


def test_a_resumed_stream_flips_the_same_samples():
    data = module(augment={"flip": True})
    batches = iter(data.loader(Batches(6, 0)))
    next(batches)
    straight = next(batches)
    resumed = next(iter(data.loader(Batches(6, 6))))
    assert torch.equal(straight["flip"], resumed["flip"])
    assert torch.equal(straight["real"], resumed["real"])


def test_more_classes_than_said_is_an_error():
    with pytest.raises(UserError, match=r"data\.classes is 3 but the data have 4"):
        module(classes=3)
    with pytest.raises(UserError, match="no classes"):
        module(dataset=Synthetic(20), classes=3)


@pytest.mark.parametrize("options", [{"channels": 2}, {"range": [1, -1]}, {"augment": {"flop": True}}])
def test_impossible_options_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        module(**options)
