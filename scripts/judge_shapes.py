"""Do the pictures of a run of coloured shapes show what their sentences say? An independent classifier's opinion.

    python scripts/judge_shapes.py RUN [RUN ...]

A small classifier learns shape, colour, size and place from real pictures of all 240 kinds. How often it is right about
real ones that it has not seen is printed first. Then each run makes pictures of sentences. How many show each word of
theirs is printed, of the kinds that training holds out and of its own.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from gantrain.data.captioned_shapes import COLOURS, KINDS, PLACES, SHAPES, SIZES, CaptionedShapes, said
from gantrain.errors import UserError
from gantrain.models.text_image import TextToImage
from gantrain.training.loading import load_trained

SIDE = 32  # pixels that the classifier sees
EACH = 24  # real pictures of a kind, of which the last TESTED are for the test
TESTED = 8
WORDS = {"shape": SHAPES, "colour": COLOURS, "size": SIZES, "place": PLACES}


class Reader(nn.Module):
    """Pictures (n, 3, any size) in -1..1 to logits for each of the four words."""

    def __init__(self, width: int = 24):
        super().__init__()
        layers: list[nn.Module] = []
        for a, b, kernel, stride in ((3, 1, 3, 1), (1, 2, 4, 2), (2, 2, 4, 2), (2, 4, 4, 2)):
            a, b = a if a == 3 else a * width, b * width
            layers += [nn.Conv2d(a, b, kernel, stride, 1), nn.BatchNorm2d(b), nn.ReLU()]
        last = nn.Linear(4 * width * (SIDE // 8) ** 2, sum(map(len, WORDS.values())))
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.3), last)

    def forward(self, pictures: Tensor) -> tuple[Tensor, ...]:
        small = F.interpolate(pictures, (SIDE, SIDE), mode="area")
        return self.layers(small).split([len(words) for words in WORDS.values()], 1)


def real(each: int = EACH) -> tuple[Tensor, Tensor]:
    """Real pictures (n, 3, SIDE, SIDE) of all kinds, and the numbers of their four words (n, 4)."""
    pictures, kinds = [], []
    for source in (CaptionedShapes("train", each), CaptionedShapes("test", each)):
        for index, kind in enumerate(source.labels):
            small = source.read(index).resize((SIDE, SIDE), Image.Resampling.BOX)
            pictures.append(np.asarray(small))
            kinds.append(KINDS[kind])
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2) / 127.5 - 1, torch.tensor(kinds)


def fitted(pictures: Tensor, kinds: Tensor, passes: int = 8) -> Reader:
    reader, batch = Reader(), 64
    optimizer = torch.optim.Adam(reader.parameters())
    steps = passes * (len(pictures) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 6e-3, total_steps=steps)
    for _ in range(passes):
        for rows in torch.randperm(len(pictures))[: len(pictures) // batch * batch].split(batch):
            said_of = zip(reader(pictures[rows]), kinds[rows].T, strict=True)
            optimizer.zero_grad()
            sum(F.cross_entropy(logits, wanted) for logits, wanted in said_of).backward()
            optimizer.step()
            schedule.step()
    return reader.eval()


def right(reader: Reader, pictures: Tensor, kinds: Tensor) -> dict[str, float]:
    """How often the reader finds each word of the kinds (n, 4) in the pictures."""
    with torch.no_grad():
        found = torch.stack([logits.argmax(1) for logits in reader(pictures)], 1)
    return dict(zip(WORDS, (found == kinds).float().mean(0).tolist(), strict=True))


def made(run: Path, kinds: list[tuple[int, int, int, int]], seed: int = 0) -> Tensor:
    """Pictures that a run makes of sentences with all four words."""
    trained = load_trained(run)
    if not isinstance(trained.module, TextToImage):
        raise UserError(f"{run} makes no pictures of sentences; name a run of stackgan_shapes")
    sentences = ["a {2} {1} {0} {3}".format(*said(kind)) for kind in kinds]
    embedding = trained.module.embedded(trained.data.tokens(sentences))
    latents = trained.module.latents(len(kinds), torch.Generator().manual_seed(seed))
    return trained.module.generate(latents, embedding)


def described(what: str, shares: dict[str, float], count: int) -> str:
    return f"{what}  {count:,} pictures  " + "  ".join(f"{word} {share:.1%}" for word, share in shares.items())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="runs of stackgan_shapes")
    args = parser.parse_args()
    torch.manual_seed(0)
    pictures, kinds = real()
    tested = torch.arange(len(kinds)) % EACH >= EACH - TESTED
    reader = fitted(pictures[~tested], kinds[~tested])
    print(described("real", right(reader, pictures[tested], kinds[tested]), int(tested.sum())), flush=True)
    held_out = set(CaptionedShapes("test", 1).labels.tolist())
    for run in args.runs:
        for name, part in (("held-out kinds", True), ("kinds of training", False)):
            asked = [kind for number, kind in enumerate(KINDS) if (number in held_out) == part]
            asked = [kind for kind in asked for _ in range(32 if part else 8)]
            shares = right(reader, made(run, asked), torch.tensor(asked))
            print(described(f"{run}  {name}", shares, len(asked)), flush=True)


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        print(f"judge_shapes: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
