"""A trained run in Python: its networks by name, what its pictures are, and what it makes of some."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from PIL import Image
from torch import nn

from gantrain.data.formats.decode import Unreadable
from gantrain.drawing.pictures import to_pil
from gantrain.errors import UserError, did_you_mean
from gantrain.inference.enlarger import enlarger_of
from gantrain.inference.translator import translator_of
from gantrain.networks.labels import take_latents_alone
from gantrain.training.loading import Trained, load_trained

Picture = TypeVar("Picture", Image.Image, np.ndarray)


class Loaded(dict[str, nn.Module]):
    """The trained networks by name, in eval mode: averaged ones (EMA) where kept, unless `raw`.

    A generator that takes class numbers beside its latents does without them too: each latent then says its class.
    `size` and `channels` are those of its pictures, `range` is that of its tensors, `classes` their number and
    `class_names` their names where the run has learnt some, `scale` how many times larger it makes a picture; None
    where there is none. `verbs` is what it is for. Pictures that its methods take are PIL's, or uint8 arrays (h, w) or
    (h, w, 3), and they give the same kind.
    """

    def __init__(self, trained: Trained, raw: bool = False):
        module, data = trained.module, trained.data
        names = module.networks_for_use()
        super().__init__({name: module.averaged(name, raw).eval().requires_grad_(False) for name in names})
        for network in self.values():
            take_latents_alone(network)
        self._trained, self._raw = trained, raw
        self.verbs, self.range, self.size, self.channels = sorted(trained.verbs), data.range, data.size, data.channels
        self.classes, self.class_names = module.classes, list(data.class_names or []) or None
        self.scale = data.scale

    def generate(
        self, n: int = 1, seed: int = 0, classes: int | str | Sequence[int | str] | None = None, arrays: bool = False
    ) -> Any:
        """`n` samples: a list of PIL pictures; with `arrays` uint8 (n, h, w) or (n, h, w, 3), of volumes their values.

        `classes` is one class for all, or a class for each, by number or name; None takes 0, 1, 2, ... in turn. A seed
        means the pictures of `gantrain sample --seed`. Raises UserError.
        """
        self._refuse_unless("sample", "makes no pictures from noise")
        module, data = self._trained.module, self._trained.data
        if module.takes_texts:
            raise UserError("this run makes pictures of texts; use `gantrain sample` with --text")
        latents = module.latents(n, torch.Generator().manual_seed(seed))
        samples = module.generate(latents, cond=self._classes(n, classes), raw=self._raw)
        if arrays and data.formats != ("png",):
            return samples.numpy()
        pictures = [to_pil(picture) for picture in data.pictures(samples)]
        return np.stack([np.asarray(picture) for picture in pictures]) if arrays else pictures

    def upscale(self, image: Picture) -> Picture:
        """A picture of any size, `scale` times larger. Raises UserError."""
        self._refuse_unless("upscale", "does not enlarge pictures")
        return alike(enlarger_of(self._trained, self._raw).enlarged, image)

    def translate(self, image: Picture, to: str | None = None) -> Picture:
        """A picture of any size turned into another kind; `to` is a or b of a run between two. Raises UserError."""
        self._refuse_unless("translate", "does not translate pictures")
        return alike(translator_of(self._trained, self._raw, to).of, image)

    def _refuse_unless(self, verb: str, what: str) -> None:
        if verb not in self.verbs:
            raise UserError(f"this run {what}; it is for {', '.join(self.verbs)}")

    def _classes(self, n: int, classes: Any) -> torch.Tensor | None:
        if not self.classes:
            if classes is not None:
                raise UserError("classes: this run's samples are of no class; leave it out")
            return None
        if classes is None:
            return torch.arange(n) % self.classes
        each = [classes] * n if isinstance(classes, (int, str)) else list(classes)
        if len(each) != n:
            raise UserError(f"classes: {len(each)} for {n} samples; give one, or one for each")
        return torch.tensor([self._class(word) for word in each])

    def _class(self, word: int | str) -> int:
        names = self.class_names or []
        if isinstance(word, str) and word in names:
            return names.index(word)
        if type(word) is int and 0 <= word < self.classes:
            return word
        near = did_you_mean(word, names) if isinstance(word, str) else ""
        raise UserError(f"classes: there is no class {word!r}{near or f'; there are 0 to {self.classes - 1}'}")


def alike(make: Any, image: Picture) -> Picture:
    """What `make` makes of a picture, of the kind that was given. Raises UserError for one that cannot be used."""
    if isinstance(image, Image.Image):
        try:
            return make(image)
        except Unreadable as error:
            raise UserError(f"image: {error}") from error
    pixels = np.asarray(image)
    if pixels.dtype != np.uint8 or not (pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] in (3, 4))):
        raise UserError(
            f"image is {pixels.dtype} of the shape {pixels.shape}; give a PIL picture, or uint8 (h, w) or (h, w, 3)"
        )
    return np.asarray(alike(make, Image.fromarray(pixels)))


def load(run: Path | str, raw: bool = False, plugins: Sequence[str] = ()) -> Loaded:
    """A trained run, from its directory: the networks by name in eval mode on the CPU, and its uses.

    `run` may be one on the Hub as well, `hf://user/name`, of which `@revision` may follow. EMA weights where kept, with
    `raw` the others; `plugins` are the modules and TorchScript files that it may use: code that runs. Raises UserError
    where it is no run or has nothing trained yet.
    """
    return Loaded(load_trained(run, plugins), raw)
