"""Pictures with captions, for text to image (Reed et al. 2016, Zhang et al. 2017)."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from gantrain.checks import check_whole
from gantrain.data.batch import Batch
from gantrain.data.captions import LENGTH, Captions, tokens, words
from gantrain.data.jitter import check_load_size, crops, middle
from gantrain.data.module import GANDataModule
from gantrain.drawing.pictures import grid, to_pil
from gantrain.drawing.sheets import broken, labelled_rows
from gantrain.errors import UserError
from gantrain.rng import derive_seed

SOME = 12  # pictures with their captions in an overview


class CaptionedPictures(GANDataModule):
    """Batches `{real, text, text_wrong, group}`: pictures, a caption of each, and one that is of another picture.

    `text` and `text_wrong` are letters (n, length) int64 as places in the alphabet, or where the dataset brings them
    embeddings (n, d). Which caption of a picture, and which other one, its position in the training's order draws.
    Pictures of one `group` (n,) are no mismatches: these are the classes, or where there are none the pictures.
    Training's pictures are kept at `load_size` (null: size) and cut to `size` at random; held-out ones are whole. The
    other options are GANDataModule's.
    """

    caches = ("cached",)

    def __init__(self, *, size: int, length: int = LENGTH, load_size: int | None = None, **base: Any):
        super().__init__(size=size, **base)
        check_whole(1, length=length)
        self.length, self.load_size = length, check_load_size(load_size, size)
        self.captions: Captions | None = None

    def fill(self) -> None:
        super().fill()
        rows, texts, embeddings = self.cached.rows, self.source.captions, self.source.embeddings
        labels = self.cached.labels
        groups = np.arange(len(rows)) if labels is None else labels
        if embeddings is not None:
            self.captions = Captions.of_embeddings(embeddings[rows], groups)
        elif texts is not None:
            texts = [texts[row] for row in rows.tolist()]
            self.captions = Captions.of_texts(texts, groups, self.length) if texts else None
            if self.part == "train" and texts:
                self.captions.tell(texts, self.length)
        else:
            raise UserError(
                f"data.dataset: {type(self.dataset).__name__} has no captions; take data=captioned_folder or "
                f"data=captioned_shapes"
            )

    @property
    def content(self) -> str:
        captions = self.captions.values.tobytes() + self.captions.own.tobytes()
        return hashlib.blake2b(super().content.encode() + captions, digest_size=8).hexdigest()

    def stored(self, indices: np.ndarray, positions: np.ndarray) -> Batch:
        seed = self.seed if self.part == "train" else 0
        mine = self.captions.drawn(indices, positions, derive_seed(seed, "caption"))
        others = self.captions.mismatched(indices, positions, derive_seed(seed, "mismatch"))
        return {
            "real": torch.as_tensor(crops(self.cached.take(indices), positions, self.size, self.seed)),
            "text": self.text(mine),
            "text_wrong": self.text(others),
            "group": torch.from_numpy(self.captions.groups[indices]),
        }

    def text(self, rows: np.ndarray) -> Tensor:
        """These captions as networks see them."""
        values = torch.from_numpy(self.captions.values[rows])
        return values if values.is_floating_point() else values.long()

    def take(self, indices: np.ndarray) -> Batch:
        """These samples, their pictures from the middle of what is kept."""
        batch = self.stored(indices, indices)
        return self.normalise({**batch, "real": torch.as_tensor(middle(self.cached.take(indices), self.size))})

    def blank(self, n: int) -> Batch:
        text = torch.zeros(n, self.length, dtype=torch.int64)
        return {"real": torch.zeros(n, *self.shape), "text": text, "text_wrong": text, "group": torch.arange(n)}

    def tokens(self, texts: Sequence[str]) -> Tensor:
        """Texts of a user as networks see them, (n, length)."""
        return torch.from_numpy(tokens(texts, self.length)).long()

    def previews(self, n: int) -> Batch:
        """Captions that training does not see, where some are held out."""
        return (self.held_out() if self.has_held_out else self).examples(n)

    def facts(self) -> dict[str, str]:
        values = self.captions.values
        kind = (
            f"{len(values):,} different" if values.dtype == np.uint8 else f"embeddings of {values.shape[1]:,} numbers"
        )
        return {**super().facts(), "captions": f"{self.captions.counts.sum():,}, {kind}"}

    def overview(self, batch: Batch) -> Tensor:
        """Some pictures with a caption each."""
        some = {key: value[:SOME] for key, value in batch.items()}
        return self.sheet(some["real"], some, columns=1)

    def sheet(self, made: Tensor, batch: Batch, columns: int | None = None) -> Tensor:
        """Rows of pictures, each row beside the text that it is made of, where that is known."""
        pictures, text = self.pictures(made), batch["text"]
        if text.is_floating_point() or not columns:
            return grid(pictures, columns)
        rows = [to_pil(grid(row, columns)).convert("RGB") for row in pictures.split(columns)]
        labels = [broken(words(row)) for row in text[: len(rows)].tolist()]
        return on_paper(labelled_rows(list(zip(labels, rows, strict=True))))


def on_paper(sheet: Image.Image) -> Tensor:
    """A drawn sheet as pixels (3, h, w) uint8."""
    return torch.from_numpy(np.array(sheet)).permute(2, 0, 1).contiguous()
