"""`gantrain interpolate`: latents, styles or texts, and the pictures between them."""

import argparse
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from gantrain.cli.interpolate import check_length
from gantrain.cli.options import classes_of, refuse_texts, writing
from gantrain.drawing import video
from gantrain.drawing.pictures import grid, save_gif, to_pil
from gantrain.drawing.sheets import broken, labelled_rows
from gantrain.errors import UserError
from gantrain.inference.latents import latent_family, read_latents
from gantrain.inference.slerp import legs, times, walk
from gantrain.inference.style_files import read_styles
from gantrain.inference.styles import refuse_without_styles, straight
from gantrain.inference.texts import Asked, asked_of

FRAMES_PER_SECOND = 25


def interpolate(args: argparse.Namespace, out: Path, steps: int) -> None:
    """Write the walk of `steps` pictures from one stop to the next to `out`, a film unless it is a .png."""
    moving = out.suffix.lower() != ".png"
    module, data = latent_family(args.run, args.plugins, texts=True)
    if args.styles or args.space == "w":
        refuse_without_styles(module, "--styles" if args.styles else "--space w")
    asked = None
    if module.takes_texts:
        asked = asked_of(module, data, args.text, args.text_file, args.embedding, args.raw)
    else:
        refuse_texts(args)
    if asked is not None and len(asked.names) > 1:
        samples, labels = between_texts(module, args, asked, steps, moving)
        write(data.pictures(samples), labels, steps, out)
        return
    stops, names = choose(module, args, moving)
    check_length(len(stops) - (not moving), steps)
    starts, ends = legs(stops, closed=moving)
    turns = torch.arange(len(starts)) * (not moving)  # an animation is of one class throughout
    of_legs = None if args.styles else classes_of(args.of_class, turns, module, data)
    if args.space == "w" and not args.styles:
        starts, ends = (module.styles(part, of_legs, args.raw) for part in (starts, ends))
    if args.space == "w" or args.styles:
        samples = module.generate_from(straight(starts, ends, times(steps, closed=moving)).flatten(0, 1), args.raw)
    else:
        latents = walk(stops, steps, closed=moving).flatten(0, 1)
        if asked is None:
            cond = None if of_legs is None else of_legs.repeat_interleave(steps)
            samples = module.generate(latents, cond=cond, raw=args.raw)
        else:
            samples = module.generate(latents, asked.embeddings.expand(len(latents), -1), args.raw)
    labels = [broken(f"{a} to {b}") for a, b in itertools.pairwise(names)]
    if of_legs is not None and not moving:
        labels = [f"{label}\nclass {number}" for label, number in zip(labels, of_legs, strict=True)]
    write(data.pictures(samples), labels, steps, out)


def write(pictures: Tensor, labels: Sequence[str], steps: int, out: Path) -> None:
    """The pictures of a walk as the file's kind wants them: a label for each row of `steps`, or a film."""
    with writing("--out", out):
        if out.suffix.lower() == ".png":
            rows = [to_pil(grid(row, columns=steps)).convert("RGB") for row in pictures.split(steps)]
            labelled_rows(list(zip(labels, rows, strict=True))).save(out)
        elif out.suffix.lower() == ".gif":
            save_gif(frames(pictures), out, 1000 // FRAMES_PER_SECOND)
        else:
            video.save_mp4(frames(pictures), out, FRAMES_PER_SECOND)
    print(out)


def between_texts(
    module: Any, args: argparse.Namespace, asked: Asked, steps: int, moving: bool
) -> tuple[Tensor, list[str]]:
    """Pictures on straight lines between embedded texts, and what each row of them is."""
    if args.latents:
        z, _ = read_latents(args.latents, module.z_dim)
    else:
        z = module.latents(1 if moving else args.rows or 4, torch.Generator().manual_seed(args.seed))
    z = z[:1] if moving else z
    starts, ends = legs(asked.embeddings, closed=moving)
    check_length(len(starts) * len(z), steps)
    texts = torch.lerp(starts[:, None], ends[:, None], times(steps, closed=moving)[None, :, None])
    texts = texts[:, None].expand(-1, len(z), -1, -1).flatten(0, 2)
    latents = z[None, :, None].expand(len(starts), -1, steps, -1).flatten(0, 2)
    labels = [broken(f"{a} > {b}") for a, b in itertools.pairwise(asked.names) for _ in z]
    return module.generate(latents, texts, args.raw), labels


def choose(module: Any, args: argparse.Namespace, closed: bool) -> tuple[Tensor, Sequence[str | int]]:
    """The latents or styles to walk through and what they are called: a series, as in figure 4 of Radford et al. 2016.

    Latents are called by their numbers, styles by their files.
    """
    if args.styles:
        parts = [read_styles(word, module) for word in args.styles]
        stops = torch.cat([styles for styles, _, _ in parts])
        if len(stops) < 2:
            raise UserError(f"--styles: {args.styles[0]} holds one style; a walk needs two or more")
        words = zip(args.styles, parts, strict=True)
        return stops, [Path(word).stem for word, (styles, _, _) in words for _ in range(len(styles))]
    if args.latents:
        stops, names = read_latents(args.latents, module.z_dim)
        if len(stops) < 2:
            raise UserError(f"--latents: {args.latents} names one latent; a walk needs two or more")
        return stops, names
    count = (args.rows or 8) + (0 if closed else 1)
    return module.latents(count, torch.Generator().manual_seed(args.seed)), list(range(count))


def frames(pictures: Tensor) -> list[Image.Image]:
    """Each picture alone, of 128 pixels or more."""
    return [to_pil(grid(picture[None], least_side=128, gap=0)) for picture in pictures]
