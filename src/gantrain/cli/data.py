"""`gantrain data experiment=X data.root=P`: what training would see."""

import argparse
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

from PIL import Image

from gantrain.cli.options import writing
from gantrain.config.build import allow_plugins
from gantrain.config.compose import composed
from gantrain.config.stages import Stage, stages_of
from gantrain.data import GANDataModule
from gantrain.data.source import dropped_by
from gantrain.data.survey import class_counts, copies, modes, sizes
from gantrain.drawing.pictures import to_pil
from gantrain.errors import UserError
from gantrain.training.quiet import quiet_libraries

GRID = 64  # pictures
NAMED = 20  # classes


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser("gantrain data", description="What training would see of its data.")
    parser.add_argument(
        "overrides", nargs="*", metavar="key=value", help="as for training: experiment=, data.root=, ..."
    )
    parser.add_argument(
        "--out", type=Path, default=Path("data.png"), help="a grid of pictures as they train (data.png)"
    )
    parser.add_argument("--config-dir", help="a folder with experiments of your own")
    args = parser.parse_intermixed_args(words)
    if args.out.suffix.lower() not in Image.registered_extensions():
        raise UserError(f"--out: cannot write {args.out}; name a picture such as data.png")
    quiet_libraries()
    from gantrain.training.assemble import build_data

    config = composed(args.overrides, args.config_dir)
    allow_plugins(config.get("plugins") or [])
    stages = stages_of(config)
    for number, stage in enumerate(stages):
        if any(stage.config["data"] == earlier.config["data"] for earlier in stages[:number]):
            continue
        data = build_data(stage)
        data.fill()
        print(f"{stage.tag}\n" if stage.tag else "", end="")
        describe(data)
        data.check()  # the report first: it shows what is wrong
        draw(data, _picture(args.out, stage))
    return 0


def describe(data: GANDataModule) -> None:
    """Print what was found, a fact per line."""
    facts = data.facts() if hasattr(data, "facts") else picture_facts(data)
    for key, value in facts.items():
        print(f"{key:<10}  {value}")
    for index, reason in sorted(data.cached.unreadable.items())[:NAMED]:
        print(f"{'':<10}  {data.source.name(index)!r}: {reason}")
    for reason, count in dropped_by(data.source).items():
        print(f"{'':<10}  {count:>7,} left out: {reason}")


def picture_facts(data: GANDataModule) -> dict[str, str]:
    cached, dropped = data.cached, dropped_by(data.source)
    megabytes = sum(file.stat().st_size for file in cached.place.iterdir()) / 1e6
    return {
        "images": f"{len(data):,}",
        "sizes": _sizes(data),
        "modes": ", ".join(f"{mode} {count:,}" for mode, count in modes(cached).most_common()),
        "classes": _classes(data),
        "copies": _copies(data),
        "unreadable": "none" if not cached.unreadable else f"{len(cached.unreadable):,}",
        "left out": "none" if not dropped else f"{sum(dropped.values()):,} listed pictures",
        "training": f"{'x'.join(map(str, data.shape))} in {data.range[0]:g} to {data.range[1]:g}, "
        f"batches of {data.batch_size}{', flipped at random' if data.flip else ''}",
        "cache": f"{cached.place} ({megabytes:,.1f} MB)",
    }


def draw(data: GANDataModule, file: Path) -> None:
    """Write pictures as training sees them, the first in its order, to `file`."""
    batch = data.examples(min(GRID, len(data)))
    with writing("--out", file):
        to_pil(data.overview(batch)).save(file)
    print(f"{'picture':<10}  {file}", flush=True)


def _picture(out: Path, stage: Stage) -> Path:
    return out.with_stem(f"{out.stem}_{stage.tag}") if stage.tag else out


def _sizes(data: GANDataModule) -> str:
    found = sizes(data.cached)
    if not found:
        return "none"
    by_area = sorted(found, key=lambda size: (size[0] * size[1], size))
    commonest, count = found.most_common(1)[0]
    if len(found) == 1:
        return "all {}x{}".format(*commonest)
    return "from {}x{} to {}x{}, most often {}x{} ({:,})".format(*by_area[0], *by_area[-1], *commonest, count)


def _classes(data: GANDataModule) -> str:
    counts = class_counts(data.cached)
    if not counts:
        return "none"
    names = data.source.class_names or [str(number) for number in range(len(counts))]
    listed = [f"{_printable(name)} {count:,}" for name, count in zip_longest(names, counts, fillvalue=0)]
    more = f", and {len(listed) - NAMED:,} more" if len(listed) > NAMED else ""
    return f"{len(listed)}: {', '.join(listed[:NAMED])}{more}"


def _copies(data: GANDataModule) -> str:
    groups = copies(data.cached)
    if not groups:
        return "none"
    rows = data.cached.rows
    pairs = ", ".join(" = ".join(repr(data.source.name(rows[i])) for i in group[:2]) for group in groups[:3])
    more = ", ..." if len(groups) > 3 else ""
    return f"{sum(len(group) - 1 for group in groups):,} pictures have the pixels of another: {pairs}{more}"


def _printable(name: str) -> str:
    return name if name.isprintable() else repr(name)
