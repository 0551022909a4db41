"""`gantrain arithmetic`: the sum of mean latents, drawn with what it is the sum of."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image, ImageDraw
from torch import Tensor

from gantrain.cli.options import classes_of, writing
from gantrain.drawing.sheets import GAP, INK, PAPER, enlarged, font
from gantrain.inference.latents import latent_family, read_latents

NOISE = 0.25  # the paper's: the neighbours of the result lie within this of it, in every number
CELL, SIGN = 96, 40  # pixels
BLOCK = (3 * CELL, 3 * CELL + 2 * GAP + 14)
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


def add_up(args: argparse.Namespace, out: Path) -> None:
    module, data = latent_family(args.run, args.plugins)
    operands = [Operand(sign, word, read_latents(word, module.z_dim)[0]) for sign, word in args.operands]
    around = neighbours(result(operands), torch.Generator().manual_seed(args.seed))
    shown = [torch.cat([operand.mean[None], operand.z[:SHOWN]]) for operand in operands]
    latents = torch.cat([*shown, around])
    cond = classes_of(args.of_class, torch.zeros(len(latents)).long(), module, data)  # one: they are comparable
    pictures = data.pictures(module.generate(latents, cond=cond, raw=args.raw))
    *parts, last = pictures.split([*map(len, shown), len(around)])
    with writing("--out", out):
        draw(operands, parts, last).save(out)
    print(out)


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
    blocks = [*map(operand_block, operands, parts), result_block(around)]
    signs = [*(operand.sign for operand in operands), "="]
    signs[0] = signs[0].removeprefix("+")
    step = SIGN + BLOCK[0]
    sheet = Image.new("RGB", (len(blocks) * step + GAP, BLOCK[1] + 2 * GAP), PAPER)
    pen = ImageDraw.Draw(sheet)
    for i, (sign, block) in enumerate(zip(signs, blocks, strict=True)):
        middle = (i * step + SIGN // 2, GAP + 3 * CELL // 2)
        pen.text(middle, sign.replace("-", "\N{MINUS SIGN}"), INK, font(32), anchor="mm")
        sheet.paste(block, (i * step + SIGN, GAP))
    return sheet


def operand_block(operand: Operand, pictures: Tensor) -> Image.Image:
    """The mean's picture, large, with some of the samples' beside it and its name below."""
    mean, *samples = pictures
    if len(samples) == 1:
        samples = []  # it is its own mean
    count = "1 latent" if len(operand.z) == 1 else f"mean of {len(operand.z)}"
    rows = operand.word.removeprefix(str(Path(operand.word).parent) + "/")
    block = captioned(f"{rows}: {count}")
    for i, sample in enumerate(samples):
        block.paste(enlarged(sample, CELL - 4), (0, (SHOWN - len(samples)) * CELL // 2 + i * CELL + 2))
    block.paste(enlarged(mean, 2 * CELL - 4), (CELL if samples else CELL // 2, CELL // 2 + 2))
    return block


def result_block(pictures: Tensor) -> Image.Image:
    block = captioned(f"result, amid noise of ±{NOISE}")
    for i, picture in enumerate(pictures):
        block.paste(enlarged(picture, CELL - 4), (i % 3 * CELL + 2, i // 3 * CELL + 2))
    ImageDraw.Draw(block).rectangle((CELL - 1, CELL - 1, 2 * CELL, 2 * CELL), outline="#d62728", width=3)
    return block


def captioned(text: str) -> Image.Image:
    """An empty block with words below, cut where they are too long."""
    block = Image.new("RGB", BLOCK, PAPER)
    pen = ImageDraw.Draw(block)
    while pen.textlength(text, font()) > block.width:
        text = text.removesuffix("\N{HORIZONTAL ELLIPSIS}")[:-1] + "\N{HORIZONTAL ELLIPSIS}"
    pen.text((block.width // 2, 3 * CELL + GAP), text, INK, font(), anchor="ma")
    return block
