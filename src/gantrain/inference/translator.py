"""One picture of any kind and size through a picture-to-picture network: grey, 16 bits, transparent."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
import torch.nn.functional as F
from PIL import Image, ImageOps
from torch import Tensor, nn

from gantrain.data.formats.decode import Framing, flat, guarded, open_picture
from gantrain.drawing.pictures import to_pil, to_uint8
from gantrain.inference.enlarger import separate
from gantrain.networks.extent import AnySize
from gantrain.training.loading import Trained


@dataclass
class Translator:
    """`network` makes pictures in `range` from what `condition` makes of a picture: (channels, h, w) in `range`.

    A network that has a `multiple` takes sides that are multiples of it: pictures are padded to them and cut back, and
    made smaller first where their longer side is over `longest`. Any other gets `size` a side, padded and cut alike.
    As in training, transparent parts are laid on the background of `framing`, and a framing that crops nothing shows
    the whole picture squashed into a square. `half` is what is taken of a picture first. The result has its size. With
    `keep_light` only its colours are taken: at full size, too, they lie on the detail of the picture itself.
    """

    network: nn.Module
    condition: Callable[[Image.Image], Tensor]
    range: tuple[float, float]
    size: int
    longest: int
    keep_light: bool = False
    framing: Framing = field(default_factory=Framing)
    half: Callable[[Image.Image], Image.Image] | None = None
    halved: int = 0  # pictures of which a half was taken

    def open(self, file: Path) -> Image.Image:
        """What becomes of a picture, turned as its EXIF says, with its own alpha. Raises Unreadable."""
        with guarded(), open_picture(file) as stored:
            return self.of(stored)

    def of(self, stored: Image.Image) -> Image.Image:
        """The same of a picture in memory."""
        whole = ImageOps.exif_transpose(stored)
        taken = whole if self.half is None else self.half(whole)
        self.halved += taken is not whole
        pixels, alpha = separate(taken, self.framing)
        # What was converted from CMYK is in no profile of CMYK any more, and a profile of grey fits no colours.
        profile = stored.info.get("icc_profile") if stored.mode in ("RGB", "RGBA") else None
        picture = flat(Image.fromarray(pixels), self.framing)  # 16 bits to 8
        made = self.translated(picture)
        if alpha is not None:
            made.putalpha(alpha)
        made.info["icc_profile"] = profile if made.mode in ("RGB", "RGBA") else None
        return made

    def translated(self, picture: Image.Image) -> Image.Image:
        """An opaque picture in grey or RGB to what the network makes of it, of the same size."""
        shown = picture.resize(self.shown_at(picture.size), Image.Resampling.BICUBIC)
        made = to_pil(to_uint8(self.make(self.condition(shown)), self.range))
        made = made.resize(picture.size, Image.Resampling.BICUBIC)
        if self.keep_light and made.mode == "RGB":
            _, *colours = made.convert("YCbCr").split()
            made = Image.merge("YCbCr", [picture.convert("L"), *colours]).convert("RGB")
        return made

    def shown_at(self, size: tuple[int, int]) -> tuple[int, int]:
        """The width and height at which the network sees a picture of this size."""
        longest = min(self.longest, max(size)) if isinstance(self.network, AnySize) else self.size
        if self.framing.crop == "none":
            return longest, longest
        width, height = (max(1, round(side * longest / max(size))) for side in size)
        return width, height

    def make(self, cond: Tensor) -> Tensor:
        """A condition (c, h, w) to what is made of it (c', h, w), on the CPU."""
        height, width = cond.shape[-2:]
        multiple = self.network.multiple if isinstance(self.network, AnySize) else self.size
        padding = (0, -width % multiple, 0, -height % multiple)
        device = next(self.network.parameters()).device
        with torch.no_grad():
            made = self.network(F.pad(cond[None], padding, "replicate").to(device))
        return made[0, :, :height, :width].float().cpu()


def translator_of(
    trained: Trained,
    raw: bool = False,
    to: str | None = None,
    drawn: bool = False,
    whole: bool = False,
    longest: int = 1024,
) -> Translator:
    """That of a run that translates; the options are those of `gantrain translate`. Raises UserError."""
    data = trained.data
    return Translator(
        trained.network(trained.module.generator_to(to), raw),
        functools.partial(data.condition_of, drawn=True) if drawn else data.condition_of,
        data.range,
        data.size,
        longest,
        keep_light=data.condition == "grey",
        framing=data.framing,
        half=None if whole else data.half_of,
    )
