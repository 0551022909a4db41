"""Cut faces out of drawings, as the data of `experiment=dcgan_anime` wants them.

    pip install -e '.[anime]'
    python scripts/prepare_anime.py DRAWINGS FACES [--size 64] [--all]

Faces are found by the package animeface, cut with a square around their box, resized with antialiasing and saved as
PNG under the drawing's name. Drawings without a face are counted and skipped; of several faces the likeliest is kept,
or with --all each. Files that cannot be read are named.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image, ImageOps
from tqdm import tqdm

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif"}
Box = tuple[int, int, int, int]  # left, top, width, height
Detector = Callable[[Image.Image], Sequence[Box]]


def animeface_boxes(picture: Image.Image) -> list[Box]:
    """The faces' boxes, the likeliest first."""
    import animeface

    faces = sorted(animeface.detect(picture), key=lambda face: -face.likelihood)
    return [(f.face.pos.x, f.face.pos.y, f.face.pos.width, f.face.pos.height) for f in faces]


def cut(picture: Image.Image, box: Box, size: int) -> Image.Image:
    """The square around a box, moved inside the picture where it sticks out, at (size, size)."""
    left, top, width, height = box
    side = min(max(width, height), *picture.size)
    x = min(max(0, left + (width - side) // 2), picture.width - side)
    y = min(max(0, top + (height - side) // 2), picture.height - side)
    return picture.crop((x, y, x + side, y + side)).resize((size, size), Image.Resampling.LANCZOS)


def flatten(picture: Image.Image) -> Image.Image:
    """RGB, upright, on white where it is transparent."""
    picture = ImageOps.exif_transpose(picture).convert("RGBA")
    ground = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(ground, picture).convert("RGB")


def name_of(drawing: Path) -> str:
    """A drawing's path below its folder as one name, another for each path: `a/b.png` is `a%2Fb_png`."""
    stem = drawing.with_suffix("").as_posix().replace("%", "%25").replace("/", "%2F")
    return stem + drawing.suffix.replace(".", "_")


def prepare(source: Path, target: Path, size: int, every_face: bool, detect: Detector) -> tuple[int, int, list[str]]:
    """Cut all drawings under `source` into `target`; returns faces saved, drawings without one, unreadable files."""
    saved, faceless, unreadable = 0, 0, []
    for file in tqdm(sorted(f for f in source.rglob("*") if f.suffix.lower() in SUFFIXES), unit="drawing"):
        try:
            with Image.open(file) as opened:
                picture = flatten(opened)
        except (OSError, ValueError, Image.DecompressionBombError) as error:
            unreadable.append(f"{file}: {error}")
            continue
        boxes = detect(picture)
        faceless += not boxes
        for i, box in enumerate(boxes if every_face else boxes[:1]):
            cut(picture, box, size).save(target / f"{name_of(file.relative_to(source))}_{i}.png")
            saved += 1
    return saved, faceless, unreadable


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("drawings", type=Path, help="a folder of drawings")
    parser.add_argument("faces", type=Path, help="the folder that the faces go to")
    parser.add_argument("--size", type=int, default=64, help="their side in pixels (64)")
    parser.add_argument("--all", action="store_true", help="every face of a drawing, not only the likeliest")
    args = parser.parse_args()
    try:
        import animeface  # noqa: F401
    except ImportError:
        print("prepare_anime: the detector is missing; pip install -e '.[anime]' brings it", file=sys.stderr)
        return 2
    if not args.drawings.is_dir() or args.size < 8:
        print(f"prepare_anime: {args.drawings} is no folder, or --size {args.size} is under 8", file=sys.stderr)
        return 2
    args.faces.mkdir(parents=True, exist_ok=True)
    saved, faceless, unreadable = prepare(args.drawings, args.faces, args.size, args.all, animeface_boxes)
    for line in unreadable:
        print(f"cannot read {line}", file=sys.stderr)
    print(f"{saved} faces saved; {faceless} drawings without a face, {len(unreadable)} files unreadable")
    return 0 if saved else 1


if __name__ == "__main__":
    sys.exit(main())
