"""`gantrain project RUN PHOTO... --out DIR`: find, for each photo, the style whose picture is nearest to it.

DIR/NAME.safetensors is the style, for `gantrain edit` and `interpolate --styles`. DIR/NAME.png shows the photo as
training would see it, the style's picture, and their difference. Photos should be cut as the run's training pictures
are. If you stop the command, run it again: it goes on with the photos that are left.

Examples:
    gantrain project RUN anna.jpg ben.jpg --out D
    gantrain project RUN FOLDER --out D --steps 1000 --vgg vgg16.pth
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from gantrain.cli.options import Add, add_pictures, add_seed
from gantrain.errors import UserError, tell
from gantrain.files import sha256
from gantrain.inference.picture_files import plan, work

if TYPE_CHECKING:  # it imports torch
    from gantrain.inference.projector import Projector

STEPS, STEPS_ON_CPU = 1000, 200
MOST_STEPS = 1_000_000


def add_options(add: Add) -> None:
    add_pictures(add)
    add("--space", choices=("w", "w+"), default="w", help="w+: a style for each layer, nearer but worse to edit (w)")
    add("--steps", type=int, help=f"of the search ({STEPS:,}; {STEPS_ON_CPU} on a CPU)")
    add(
        "--vgg",
        type=Path,
        metavar="FILE",
        help="compare by a VGG16 or VGG19 with these weights (by the run's discriminator)",
    )
    add(
        "--normalise",
        choices=("imagenet", "bgr_mean"),
        default="imagenet",
        help="the VGG's pixels: bgr_mean for Caffe's weights (imagenet)",
    )
    add_seed(add, "of the search (0)")


def main(args: argparse.Namespace) -> int:
    if args.steps is not None and not 1 <= args.steps <= MOST_STEPS:
        raise UserError(f"--steps is {args.steps}, it must be from 1 to {MOST_STEPS:,}")
    jobs = plan(args.inputs, args.out, True, ".png")
    from gantrain.evaluation.backbones import hash_of  # torch, only once the words are sound
    from gantrain.inference.likeness import by_discriminator, by_vgg
    from gantrain.inference.projector import Projector
    from gantrain.inference.style_projection import StyleProjection
    from gantrain.inference.styles import refuse_without_styles, spread
    from gantrain.training.loading import load_trained

    trained = load_trained(args.run, args.plugins, args.best)
    module, data = trained.module, trained.data
    refuse_without_styles(module, "project")
    mean, deviation = spread(module, args.raw)
    if args.vgg is not None:
        likeness, seen_by = by_vgg(args.vgg, args.normalise, data.range), sha256(args.vgg) + args.normalise
    elif "discriminator" in trained.names:
        discriminator = trained.network("discriminator", args.raw)
        likeness, seen_by = by_discriminator(discriminator), hash_of(discriminator)
    else:
        raise UserError(f"{args.run} has no checkpoint, and so no discriminator that compares pictures; add --vgg FILE")
    synthesis = trained.network("generator", args.raw).synthesis
    steps = args.steps or (STEPS_ON_CPU if next(synthesis.parameters()).device.type == "cpu" else STEPS)
    how = {"steps": steps, "each_layer": args.space == "w+", "seed": args.seed}
    projector = Projector(
        module,
        data,
        StyleProjection(synthesis, mean, deviation, likeness, **how),
        repr((hash_of(synthesis), seen_by, how)),
        {photo: sheet for sheet, photo in jobs.items()},
    )
    left = jobs if args.force else remaining(jobs, projector)
    if len(left) < len(jobs):
        tell(f"{len(jobs) - len(left):,} of {len(jobs):,} pictures were projected before")
    code = work(left, projector.open, f" projected, in {args.out}") if left else 0
    if projector.shares:
        share = sum(projector.shares) / len(projector.shares)
        print(f"compared by {likeness.name}: they differ {share:.2f} times as much as the mean style's picture")
    return code


def remaining(jobs: Mapping[Path, Path], projector: "Projector") -> dict[Path, Path]:
    """The jobs that are not done. Raises UserError where other files lie in their places."""
    standing = {sheet: projector.standing(photo) for sheet, photo in jobs.items()}
    taken = [sheet for sheet, state in standing.items() if state == "taken"]
    if taken:
        more = f" and {len(taken) - 1:,} more" if len(taken) > 1 else ""
        raise UserError(
            f"--out: in the place of {taken[0]}{more} lies what is not of this photo, run and search; name another "
            f"folder, or replace it with --force"
        )
    return {sheet: photo for sheet, photo in jobs.items() if standing[sheet] == "open"}
