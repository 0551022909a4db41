"""Photos to styles, file by file, with what was done before left as it is."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from PIL import Image
from torch import Tensor

from gantrain.data.formats.decode import Unreadable
from gantrain.drawing.pictures import grid, to_pil
from gantrain.errors import UserError
from gantrain.inference.style_files import read_styles, save_styles
from gantrain.inference.style_projection import StyleProjection
from gantrain.inference.users_pictures import as_trained


@dataclass
class Projector:
    """`open` finds the style of a photo by `search`, writes it beside the `sheets` (photo to file), and draws these.

    A style's file says what it was made of, so that the same photo need not be projected twice, and how far it is from
    the photo beside the mean style.
    """

    module: Any
    data: Any
    search: StyleProjection
    settings: str  # all that moves a result, beside the photo
    sheets: Mapping[Path, Path]
    shares: list[float] = field(default_factory=list)  # of distances, of the mean style's

    def open(self, photo: Path) -> Image.Image:
        """The photo as training would show it, what its style makes, and their difference.

        Raises Unreadable, OSError and UserError.
        """
        pixels = as_trained(photo, self.data)
        real = self.data.to_range(pixels).to(self.search.centre.device)
        style = self.search(real)
        distance, of_mean = (self.search.apart(w, real) for w in (style, self.search.centre.expand_as(style)))
        if not math.isfinite(distance):
            raise UserError(f"{photo}: no style was found, for the run's networks make what is no number; try --best")
        said = {"of": self.mark(pixels), "distance": f"{distance:.6g}", "distance_of_mean": f"{of_mean:.6g}"}
        file = self.style_file(photo)
        file.parent.mkdir(parents=True, exist_ok=True)
        save_styles(style[None], file, said)
        self.shares.append(share(distance, of_mean))
        made = self.data.pictures(self.search.made(style).cpu())[0]
        difference = (made.int() - pixels.int()).abs().to(torch.uint8)
        return to_pil(grid(torch.stack([pixels, made, difference]), columns=3))

    def style_file(self, photo: Path) -> Path:
        return self.sheets[photo].with_suffix(".safetensors")

    def mark(self, pixels: Tensor) -> str:
        """Of a photo and all that moves its result."""
        return hashlib.sha256(self.settings.encode() + pixels.numpy().tobytes()).hexdigest()

    def standing(self, photo: Path) -> Literal["done", "open", "taken"]:
        """Whether a photo's files are there, made by the same run in the same way, or others lie in their places."""
        style, sheet = self.style_file(photo), self.sheets[photo]
        if not style.exists():
            return "taken" if sheet.exists() else "open"
        try:
            _, _, said = read_styles(str(style), self.module)
            if said.get("of") != self.mark(as_trained(photo, self.data)):
                return "taken"
            of_mean = share(float(said["distance"]), float(said["distance_of_mean"]))
        except (UserError, Unreadable, LookupError, ValueError):
            return "taken"
        if not sheet.exists():  # the style is written first
            return "open"
        self.shares.append(of_mean)
        return "done"


def share(distance: float, of_mean: float) -> float:
    """How far a style's picture is from a photo beside the mean style's, which may be the photo itself."""
    return distance / of_mean if of_mean else 1.0
