"""`gantrain inpaint RUN IN... --mask MASK --out DIR`: fill holes in pictures of any size, and keep all else unchanged.

The results are always PNG, because a JPEG would also change the pixels around a hole.

Examples:
    gantrain inpaint RUN photo.jpg --mask mask.png --out FILLED
    gantrain inpaint RUN photo.jpg --hole 120,80,64,48 --out FILLED
"""

import argparse
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageOps

from gantrain.cli.options import Add, add_pictures
from gantrain.data.formats.decode import Framing, Unreadable, flat, guarded, open_picture
from gantrain.errors import UserError, tell
from gantrain.inference.picture_files import plan, work

if TYPE_CHECKING:  # it imports torch
    from gantrain.inference.projection import Projection

BLACK = Framing(background=(0, 0, 0))


def add_options(add: Add) -> None:
    add_pictures(add)
    add(
        "--mask",
        type=Path,
        help="a picture, white where pixels are missing and black where they stay; stretched to IN's size",
    )
    add("--hole", metavar="X,Y,W,H", help="a box of missing pixels: left, top, width, height")
    add("--alpha", action="store_true", help="the transparent pixels are missing; they become opaque")
    add("--optimise", action="store_true", help="by a run from noise: its picture nearest to what is known, slowly")
    add("--longest", type=int, help="larger pictures are filled at this longer side, softly (their own)")


def main(args: argparse.Namespace) -> int:
    given = [name for name in ("mask", "hole", "alpha") if getattr(args, name)]
    if len(given) != 1:
        also = f", not {' and '.join(f'--{name}' for name in given)}" if given else ""
        raise UserError(f"say by one of --mask, --hole and --alpha what is missing{also}")
    if args.longest is not None and args.longest < 1:
        raise UserError(f"--longest is {args.longest}; it is at least 1")
    ways: dict[str, Callable[[Any], Any]] = {"mask": from_mask, "hole": from_box, "alpha": lambda _: from_alpha}
    hole_of = ways[given[0]](getattr(args, given[0]))
    jobs = plan(args.inputs, args.out, args.force, ".png")
    from gantrain.inference.filler import Filler  # torch, only once the words are sound
    from gantrain.training.loading import load_trained

    trained = load_trained(args.run, args.plugins, args.best)
    data = trained.data
    fills, draws = "inpaint" in trained.verbs, "sample" in trained.verbs and data.formats == ("png",)
    draws = draws and not trained.module.takes_texts
    if not fills and not (args.optimise and draws):
        way_out = "add --optimise" if draws else "name a run of an experiment such as inpaint_folder"
        raise UserError(f"{args.run} has not learnt to fill holes; {way_out}")
    if fills and args.optimise:
        raise UserError(f"--optimise: {args.run} fills holes without it; leave it out")
    network = trained.network("generator", args.raw)
    filler = Filler(
        network if fills else projection(network, trained.module),
        data.channels,
        data.range,
        data.size,
        data.widest if fills else data.size // 2,
        hole_of,
        alpha=args.alpha,
        centred=fills and data.hole == "centre",
        longest=args.longest,
        framing=data.framing,
    )
    code = work(jobs, filler.open, f" filled, in {args.out}")
    if filler.reduced:
        learnt = "that the run has learnt" if fills else "of half a sample"
        wider = f"{filler.reduced:,} have holes wider than the {filler.widest} pixels {learnt}"
        tell(f"{wider}: filled on a smaller copy, and so softer than what is around")
    return code


def projection(generator: Any, module: Any) -> "Projection":
    """The pictures of a run from noise as fillings of holes, the same at every call."""
    import torch

    from gantrain.inference.projection import Projection

    return Projection(generator, lambda n: module.latents(n, torch.Generator().manual_seed(0)), module.classes)


def from_mask(file: Path) -> Callable[[Image.Image], np.ndarray]:
    """The white pixels of a picture, stretched to the size of others, which is said once for each. Raises UserError."""
    try:
        with guarded(), open_picture(file) as stored:
            values = np.asarray(flat(ImageOps.exif_transpose(stored), BLACK).convert("L"))
    except Unreadable as error:
        raise UserError(f"--mask: {str(file)!r}: {error}") from error
    mask, stretched = values > 127, set()
    if not mask.any():
        raise UserError(f"--mask: {str(file)!r} has no white pixel, so nothing is missing")
    if ((values > 0) & (values < 255)).any():
        tell(f"--mask: {str(file)!r} is grey in places: over 127 is missing")

    def hole_of(picture: Image.Image) -> np.ndarray:
        if picture.size == mask.shape[::-1]:
            return mask
        sizes = [f"{width}x{height}" for width, height in (mask.shape[::-1], picture.size)]
        hole = np.array(Image.fromarray(mask).resize(picture.size, Image.Resampling.NEAREST))
        if not hole.any():
            raise Unreadable(f"of the mask's {sizes[0]} pixels no white one is left at {sizes[1]}")
        if picture.size not in stretched:
            tell(f"--mask: {str(file)!r} is {sizes[0]} pixels, and stretched to pictures of {sizes[1]}")
        stretched.add(picture.size)
        return hole

    return hole_of


def from_box(text: str) -> Callable[[Image.Image], np.ndarray]:
    """A box of missing pixels. Raises UserError."""
    numbers = [int(number) for number in text.split(",")] if re.fullmatch(r"\d{1,6}(,\d{1,6}){3}", text, re.A) else []
    if not numbers:
        raise UserError(f"--hole is {text!r}, it must be left,top,width,height in pixels, such as 20,10,64,48")
    left, top, width, height = numbers
    if not width or not height:
        raise UserError(f"--hole is {text!r}, {width}x{height} pixels: nothing is missing")

    def hole_of(picture: Image.Image) -> np.ndarray:
        if left + width > picture.width or top + height > picture.height:
            raise Unreadable(f"--hole {text} reaches beyond the picture's {picture.width}x{picture.height} pixels")
        hole = np.zeros(picture.size[::-1], bool)
        hole[top : top + height, left : left + width] = True
        return hole

    return hole_of


def from_alpha(picture: Image.Image) -> np.ndarray:
    """The pixels that are more than half transparent."""
    if not picture.has_transparency_data:
        raise Unreadable("it has no transparency, so nothing is missing; use --mask or --hole")
    hole = np.asarray(picture.convert("RGBA").getchannel("A")) < 128
    if not hole.any():
        raise Unreadable("none of its pixels is transparent, so nothing is missing; use --mask or --hole")
    return hole
