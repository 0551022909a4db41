"""`gantrain upscale RUN IN... --out DIR`: pictures made larger by a trained super-resolution run."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from gantrain.atomic import replacing
from gantrain.data.decode import Unreadable
from gantrain.data.folder import list_pictures
from gantrain.enlarge import Enlarger
from gantrain.errors import UserError
from gantrain.latents import add_plugins
from gantrain.loading import load_trained
from gantrain.quiet import quiet_libraries


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        "gantrain upscale", description="Pictures made larger by a trained super-resolution run, of any size."
    )
    parser.add_argument("run", type=Path, help="the run's directory")
    parser.add_argument("inputs", type=Path, nargs="+", metavar="IN", help="a picture, or a folder of them")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where they go, under their names")
    parser.add_argument("--tile", type=int, default=256, help="pixels of IN that are enlarged at a time, a side (256)")
    parser.add_argument(
        "--overlap",
        type=int,
        default=16,
        help="pixels that tiles share on every side (16, and at least as many as the network sees)",
    )
    parser.add_argument("--force", action="store_true", help="replace what is there")
    parser.add_argument("--raw", action="store_true", help="the last weights instead of their average (EMA)")
    parser.add_argument("--best", action="store_true", help="of the checkpoint with the best score, not of the last")
    add_plugins(parser)
    args = parser.parse_args(words)
    quiet_libraries()
    if args.tile < 1 or args.overlap < 0:
        raise UserError(f"--tile is {args.tile} and --overlap {args.overlap}; they are at least 1 and 0")
    jobs = plan(args.inputs, args.out, args.force)
    enlarger = super_resolver(args)
    failures = {}
    for target, source in tqdm(jobs.items(), unit=" pictures", disable=len(jobs) == 1 or not sys.stderr.isatty()):
        try:
            save(enlarger.open(source), target)
        except Unreadable as error:
            failures[source] = str(error)
        except OSError as error:
            failures[source] = f"cannot write {target}: {error.strerror or error}"
    done = len(jobs) - len(failures)
    print(f"{done:,} of {len(jobs):,} pictures, {enlarger.scale} times larger, in {args.out}", flush=True)
    for source, reason in failures.items():
        print(f"gantrain: {str(source)!r}: {reason}", file=sys.stderr)
    return 1 if failures else 0


def plan(inputs: Sequence[Path], out: Path, force: bool) -> dict[Path, Path]:
    """Where each picture goes and where it comes from. Raises UserError before anything is written."""
    jobs: dict[Path, Path] = {}
    for path in inputs:
        if not path.exists():
            raise UserError(f"IN: there is no file or folder {str(path)!r}")
        names = list_pictures(path, "IN").names if path.is_dir() else [path.name]
        for name in names:
            source = path / name if path.is_dir() else path
            if path.is_dir() and out.resolve() != path.resolve() and source.resolve().is_relative_to(out.resolve()):
                continue  # what was made before is no input
            target = out / name
            if target in jobs and not source.samefile(jobs[target]):
                raise UserError(f"IN: {str(jobs[target])!r} and {str(source)!r} have one name; enlarge them separately")
            jobs[target] = source
    if out.exists() and not out.is_dir():
        raise UserError(f"--out: {out} is a file, not a folder; name another")
    for target, source in jobs.items():
        if target.exists() and target.samefile(source):
            raise UserError(f"--out: {str(source)!r} lies there and would be overwritten; name another folder")
    there = [target for target in jobs if target.exists()]
    if there and not force:
        more = f" and {len(there) - 1:,} more are" if len(there) > 1 else " is"
        raise UserError(f"--out: {there[0]}{more} there already; --force replaces what is there")
    if not jobs:
        raise UserError("IN: nothing to enlarge: all of it lies in --out")
    return jobs


def super_resolver(args: argparse.Namespace) -> Enlarger:
    """The run's generator, ready to enlarge. Raises UserError where it is none of that kind."""
    from gantrain.data.low_high import LowHigh
    from gantrain.prepare import accelerator, build_data

    trained = load_trained(args.run, args.plugins, args.best)
    data = build_data(trained.stage)
    if not isinstance(data, LowHigh):
        raise UserError(f"{args.run} does not enlarge pictures; name a run of an experiment such as srgan_photos")
    network = trained.module.best("generator", args.raw).to(accelerator(trained.stage.config["trainer"])).eval()
    reach = getattr(network, "reach", 0)
    return Enlarger(network, data.scale, data.channels, data.range, args.tile, max(args.overlap, reach))


def save(picture: Image.Image, file: Path) -> None:
    """Write a picture as its file's suffix says, whole or not at all. Raises OSError and Unreadable."""
    kind = Image.registered_extensions().get(file.suffix.lower())
    if kind is None:
        raise Unreadable(f"no picture can be written as '{file.suffix}'")
    if kind == "JPEG" and picture.mode not in ("L", "RGB"):
        raise Unreadable(f"a .jpg has neither transparency nor 16 bits, this picture is {picture.mode}")
    file.parent.mkdir(parents=True, exist_ok=True)
    with replacing(file) as temporary:
        picture.save(temporary, format=kind, quality=95, icc_profile=picture.info.get("icc_profile"))
