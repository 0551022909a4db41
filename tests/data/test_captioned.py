"""Pictures with a caption each and another that is not theirs, the same however batches are cut."""

import numpy as np
import pytest
import torch

from gantrain.data.captioned import CaptionedPictures
from gantrain.data.captioned_shapes import CaptionedShapes
from gantrain.data.captions import words
from gantrain.data.images import ArrayImages
from gantrain.data.stream import Batches
from gantrain.data.synthetic import Synthetic
from gantrain.errors import UserError


def opened(dataset=None, **options):
    dataset = dataset or CaptionedShapes(each=1, side=16)
    known = {"size": 16, "channels": 3, "batch_size": 8, "length": 66}
    return CaptionedPictures(dataset=dataset, **{**known, **options}).open()


@pytest.fixture(scope="module")
def shapes(_cache):
    return opened()


def test_a_caption_is_the_pictures_own_and_the_other_is_not(shapes):
    seen = set()
    for batch, _ in zip(shapes.loader(Batches(30, 0)), range(8), strict=False):
        for text, wrong, group in zip(batch["text"], batch["text_wrong"], batch["group"], strict=True):
            index = int(np.flatnonzero(shapes.captions.groups == int(group))[0])  # one picture of each kind
            own = shapes.source.captions[index]
            assert words(text.tolist()) in own
            assert words(wrong.tolist()) not in own
            seen.add(own.index(words(text.tolist())))
    assert seen == {0, 1, 2, 3, 4}


def test_batches_of_any_size_are_the_same_samples(shapes):
    whole = next(shapes.loader(Batches(12, 6)))
    parts = [batch for batch, _ in zip(shapes.loader(Batches(4, 6)), range(3), strict=False)]
    for key, value in whole.items():
        assert torch.equal(torch.cat([part[key] for part in parts]), value), key


def test_an_epoch_brings_other_captions(shapes):
    first, second = (next(shapes.loader(Batches(180, start))) for start in (0, 180))
    order = [batch["group"].argsort() for batch in (first, second)]
    assert (first["text"][order[0]] != second["text"][order[1]]).any(1).float().mean() > 0.5


def test_held_out_captions_stay_whatever_the_seed(shapes):
    held = [opened(seed=seed).held_out().take(np.arange(5)) for seed in (0, 1)]
    assert all(torch.equal(held[0][key], held[1][key]) for key in held[0])


def test_given_embeddings_come_as_they_are():
    class Given(Synthetic):
        def open(self, root):
            self.embeddings = np.random.default_rng(0).normal(size=(20, 2, 4)).astype(np.float32)
            return self

    data = opened(Given(20), holdout=5)
    batch = next(data.loader(Batches(6, 0)))
    assert batch["text"].dtype == torch.float32
    rows = data.source.embeddings[batch["group"].numpy()]
    assert ((batch["text"][:, None] == torch.from_numpy(rows)).all(2).any(1)).all()
    assert data.sheet(batch["real"].float(), batch, 3).shape[0] == 3


def test_data_without_captions_are_refused():
    class Bare:
        def open(self, root):
            return ArrayImages(np.zeros((20, 16, 16), np.uint8), np.zeros(20, np.int64), "bare")

    with pytest.raises(UserError, match="has no captions"):
        opened(Bare(), channels=1)


def test_pictures_are_cut_at_random_in_training_alone():
    data = opened(load_size=20, size=16)
    batch = data.normalise(next(data.loader(Batches(8, 0))))
    assert batch["real"].shape == (8, 3, 16, 16)
    assert data.held_out().cached.images.shape[-1] == 16


def test_the_facts_count_captions(shapes):
    different = {text for texts in shapes.source.captions for text in texts}
    assert shapes.facts()["captions"] == f"900, {len(different)} different"


def test_the_sheet_has_rows_beside_their_texts(shapes):
    batch = shapes.examples(4)
    bare, told = (shapes.sheet(batch["real"], batch, columns) for columns in (None, 2))
    assert told.shape[2] > bare.shape[2]  # the text stands at the left
