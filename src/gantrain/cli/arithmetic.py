"""`gantrain arithmetic RUN --plus A --minus B --plus C`: sums of mean latents, as in Radford et al. 2016, 6.3.2."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image, ImageDraw
from torch import Tensor

from gantrain.cli.options import add_class, add_run, add_seed, class_of, writing
from gantrain.drawing.sheets import GAP, INK, PAPER, enlarged, font
from gantrain.errors import UserError
from gantrain.inference.latents import latent_family, read_latents
from gantrain.training.quiet import quiet_libraries

NOISE = 0.25  # the paper's: the neighbours of the result lie within this of it, in every number
CELL = 96
SHOWN = 3  # samples beside their mean


@dataclass
class Operand:
    """Latents (n, z_dim) that are averaged, with their sign, + or -, and the word that names them."""

    sign: str
    word: str
    z: Tensor

    @property
    def mean(self) -> Tensor:
        return self.z.mean(0)


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        "gantrain arithmetic", description="Sums and differences of mean latents, as the DCGAN paper makes them."
    )
    add_run(parser)
    for sign, name in (("+", "plus"), ("-", "minus")):
        parser.add_argument(
            f"--{name}",
            dest="operands",
            action="append",
            type=signed(sign),
            metavar="FILE[:0,3,5]",
            help=f"latents of `gantrain sample --save-latents`, all or some rows; their mean is taken {sign}",
        )
    add_seed(parser, "of the noise around the result (0)")
    parser.add_argument("--out", type=Path, help="a .png (RUN/arithmetic.png)")
    add_class(parser, "of a conditional run, by number or name, of all pictures (0)")
    args = parser.parse_args(words)
    quiet_libraries()
    out = args.out or args.run / "arithmetic.png"
    if out.suffix.lower() != ".png":
        raise UserError(f"--out: '{out}' must end in .png")
    if not args.operands:
        raise UserError("nothing to add; name latents with --plus FILE and --minus FILE, in the order of the sum")
    module, data = latent_family(args.run, args.plugins)
    operands = [Operand(sign, word, read_latents(word, module.z_dim)[0]) for sign, word in args.operands]
    around = neighbours(result(operands), torch.Generator().manual_seed(args.seed))
    shown = [torch.cat([operand.mean[None], operand.z[:SHOWN]]) for operand in operands]
    latents, options, word = torch.cat([*shown, around]), {}, args.of_class
    if module.classes or word is not None:  # latents are comparable within one class
        options["cond"] = torch.full((len(latents),), 0 if word is None else class_of(word, module, data))
    pictures = data.pictures(module.generate(latents, raw=args.raw, **options))
    *parts, last = pictures.split([*map(len, shown), len(around)])
    with writing("--out", out):
        draw(operands, parts, last).save(out)
    print(out)
    return 0


def signed(sign: str) -> Callable[[str], tuple[str, str]]:
    """What argparse makes of a word: the options share one list, which keeps their order."""
    return lambda word: (sign, word)


def result(operands: Sequence[Operand]) -> Tensor:
    """The sum of the operands' means with their signs, (z_dim,)."""
    return torch.stack([operand.mean if operand.sign == "+" else -operand.mean for operand in operands]).sum(0)


def neighbours(z: Tensor, generator: torch.Generator) -> Tensor:
    """Nine latents (9, z_dim): `z` itself in the middle, the others with uniform noise of `NOISE`."""
    noise = NOISE * (2 * torch.rand(9, len(z), generator=generator) - 1)
    noise[4] = 0
    return z + noise


def draw(operands: Sequence[Operand], parts: Sequence[Tensor], around: Tensor) -> Image.Image:
    """The sum in a row: each operand's first samples and its mean, then the result amid its neighbours."""
    blocks = [operand_block(operand, part) for operand, part in zip(operands, parts, strict=True)]
    signs = [operand.sign for operand in operands]
    signs[0] = "" if signs[0] == "+" else "-"
    blocks.append(result_block(around))
    signs.append("=")
    sign_width = 40
    height = max(block.height for block in blocks)
    width = sum(block.width for block in blocks) + sign_width * len(blocks) + GAP
    sheet = Image.new("RGB", (width, height + 2 * GAP), PAPER)
    pen, left = ImageDraw.Draw(sheet), 0
    for sign, block in zip(signs, blocks, strict=True):
        middle = (left + sign_width // 2, GAP + 3 * CELL // 2)
        pen.text(middle, sign.replace("-", "\N{MINUS SIGN}"), INK, font(32), anchor="mm")
        sheet.paste(block, (left + sign_width, GAP))
        left += sign_width + block.width
    return sheet


def operand_block(operand: Operand, pictures: Tensor) -> Image.Image:
    """The mean's picture, large, with some of the samples' beside it and its name below."""
    mean, *samples = pictures
    block = Image.new("RGB", (3 * CELL, 3 * CELL + 2 * GAP + 14), PAPER)
    if len(samples) == 1:
        samples = []  # it is its own mean
    for i, sample in enumerate(samples):
        block.paste(enlarged(sample, CELL - 4), (0, (SHOWN - len(samples)) * CELL // 2 + i * CELL + 2))
    block.paste(enlarged(mean, 2 * CELL - 4), (CELL if samples else CELL // 2, CELL // 2 + 2))
    count = "1 latent" if len(operand.z) == 1 else f"mean of {len(operand.z)}"
    rows = operand.word.removeprefix(str(Path(operand.word).parent) + "/")
    caption(block, f"{rows}: {count}")
    return block


def result_block(pictures: Tensor) -> Image.Image:
    block = Image.new("RGB", (3 * CELL, 3 * CELL + 2 * GAP + 14), PAPER)
    for i, picture in enumerate(pictures):
        block.paste(enlarged(picture, CELL - 4), (i % 3 * CELL + 2, i // 3 * CELL + 2))
    ImageDraw.Draw(block).rectangle((CELL - 1, CELL - 1, 2 * CELL, 2 * CELL), outline="#d62728", width=3)
    caption(block, f"result, amid noise of ±{NOISE}")
    return block


def caption(block: Image.Image, text: str) -> None:
    """Words below a block, cut where they are too long."""
    pen = ImageDraw.Draw(block)
    while pen.textlength(text, font()) > block.width:
        text = text.removesuffix("\N{HORIZONTAL ELLIPSIS}")[:-1] + "\N{HORIZONTAL ELLIPSIS}"
    pen.text((block.width // 2, 3 * CELL + GAP), text, INK, font(), anchor="ma")
