"""Adaptive augmentation (Karras et al. 2020, arXiv 2006.06676): its strength follows the overfitting of D."""

import math
from typing import Any

import torch
from torch import Tensor

from gantrain.checks import check_positive, check_whole
from gantrain.data.batch import Batch
from gantrain.errors import UserError
from gantrain.losses.adversarial import AdversarialLoss
from gantrain.models.augment.shown import Augment
from gantrain.models.family import Family
from gantrain.models.loop.batch import Scalars, batch_size
from gantrain.parallel import average_scalars
from gantrain.ramps import Ramp, at

GEOMETRY, COLOUR = 18, 10  # how many uniform numbers each needs per sample
LIMIT = 0.85  # of p: beyond it nearly every picture is changed, and the changes appear in samples


class AdaptiveAugment(Augment):
    """Applies several random changes, each with probability p, which rises while D is right too often about real ones.

    Every `every` turns p moves by (images since the last move) / `images`: up if the mean sign of D's logits on real
    pictures is above `target`, else down; it stays between 0 and 0.85. `start` is the first p. With `target: null` p
    stays, or changes over the images seen if `start` is a `Ramp` (R3GAN, Huang et al. 2024).

    The changes: `flip` (mirroring, quarter turns; not for digits and letters), `geometry` (shift, scale, rotation,
    aspect) and `colour` (brightness, contrast, inverted luma, hue, saturation).
    """

    ranks = (2,)

    def __init__(
        self,
        target: float | None = 0.6,
        images: int = 500_000,
        every: int = 4,
        start: float | Ramp = 0.0,
        flip: bool = True,
        geometry: bool = True,
        colour: bool = True,
    ):
        check_whole(1, images=images, every=every)
        check_positive(target=target)
        changes = isinstance(start, Ramp)
        ends = (start.first, start.last) if isinstance(start, Ramp) else (start,)
        if not all(0 <= p <= LIMIT for p in ends):
            raise ValueError(f"start is {' to '.join(map(str, ends))}, it must lie between 0 and {LIMIT}")
        if changes and target is not None:
            raise ValueError("start changes over the images seen, and target would change it as well; take target null")
        if target is None and not any(ends):
            raise ValueError("start is 0 and target null, so nothing would ever be changed; set one of them")
        if target is not None and target >= 1:
            raise ValueError(f"target is {target}, it must be below 1: a mean of signs is never above")
        if not (flip or geometry or colour):
            raise ValueError("flip, geometry and colour are all off; leave it out")
        self.target, self.images, self.every, self.start = target, images, every, start
        self.flip, self.geometry, self.colour = flip, geometry, colour
        self.p: Tensor | None = None  # the probability of each change
        self.window: Tensor | None = None  # since the last move of p: sum of signs, their number, images

    def drawn(self, game: Family, batch: Batch, like: Tensor, key: str) -> Tensor:
        if isinstance(self.start, Ramp):  # the host's count is read here, outside of what is recorded
            self.strength(like.device).fill_(self.start.at(game.images_seen))
        return game.uniform(batch, GEOMETRY + COLOUR, key=key)

    def __call__(self, samples: Tensor, drawn: Tensor) -> Tensor:
        p = self.strength(samples.device)
        if self.flip or self.geometry:
            samples = resampled(samples, movement(drawn[:, :GEOMETRY], p, self.flip, self.geometry))
        return recoloured(samples, drawn[:, GEOMETRY:], p) if self.colour else samples

    def strength(self, device: torch.device) -> Tensor:
        """p, always the same tensor: a recorded iteration reads and changes it in place."""
        if self.p is None:
            self.p = torch.full((), float(at(self.start, 0)), device=device)
            self.window = torch.zeros(3, device=device)
        return self.p

    @torch.no_grad()
    def learn(self, real_logits: Tensor, batch: Batch, adversarial: AdversarialLoss, game: Family) -> Scalars:
        p = self.strength(real_logits.device)
        if self.target is None:
            return {"p": p.clone()}
        world = game.trainer.world_size
        logits, images = real_logits.float(), batch_size(batch) * world
        right, wrong = (logits > adversarial.boundary).float(), (logits < adversarial.boundary).float()
        sign = average_scalars((right - wrong).mean(), world)  # NaN counts as 0
        one = torch.ones_like(sign)
        self.window += torch.stack([sign, one, images * one])
        total, signs, seen = self.window.unbind()
        due = signs >= self.every * game.microbatches  # one sign per microbatch
        step = torch.sign(total / signs - self.target) * seen / self.images
        p.copy_(torch.where(due, (p + step).clamp(0, LIMIT), p))
        self.window.copy_(torch.where(due, 0.0, self.window))
        return {"p": p.clone(), "sign": sign}

    def check(self, key: str, adversarial: AdversarialLoss) -> None:
        if self.target is not None and adversarial.boundary is None:
            raise UserError(
                f"{key} adapts to how often D takes real pictures for real, and {type(adversarial).__name__} has no "
                f"logit that divides real from fake; fix its strength ('{key}.target=null' '{key}.start=0.3'), or "
                f"choose losses=non_saturating, hinge or least_squares"
            )

    def state_dict(self) -> dict[str, Any]:
        if self.p is None:
            return {"p": float(at(self.start, 0)), "window": [0.0] * 3}
        return {"p": self.p.item(), "window": self.window.tolist()}

    def load_state_dict(self, state: dict[str, Any], device: torch.device) -> None:
        """Raises ValueError for what no training could have left."""
        p, window = state["p"], state["window"]
        if not (isinstance(p, float) and 0 <= p <= LIMIT + 1e-6):
            raise ValueError(f"p of an adaptive augmentation is {p!r}, it lies between 0 and {LIMIT}")
        if not (isinstance(window, list) and len(window) == 3 and all(map(math.isfinite, window))):
            raise ValueError("an adaptive augmentation counts three finite numbers")
        strength = self.strength(device)
        strength.fill_(p)
        self.window.copy_(torch.tensor(window))


def gated(values: Tensor, gates: Tensor, p: Tensor, neutral: float) -> Tensor:
    """The values where their gate, uniform in [0, 1), is below p; elsewhere `neutral`, which changes nothing."""
    return torch.where(gates < p, values, neutral)


def normal(u: Tensor) -> Tensor:
    """Standard normal numbers from uniform ones; their ends, which would be infinite, are cut at 5 deviations."""
    return math.sqrt(2) * torch.erfinv((2 * u - 1).clamp(-1 + 6e-7, 1 - 6e-7))


def movement(u: Tensor, p: Tensor, flip: bool, geometry: bool) -> Tensor:
    """The affine maps (n, 2, 3) from places in the new picture to places in the old one, in [-1, 1] coordinates."""
    one = torch.ones_like(u[:, 0])
    matrix = stretch(one, one)
    if flip:
        mirrored = gated((u[:, 1] * 2).floor() * 2 - 1, u[:, 0], p, 1.0)
        quarters = gated((u[:, 3] * 4).floor() * (math.pi / 2), u[:, 2], p, 0.0)
        matrix = product(matrix, stretch(mirrored, one), turn(quarters))
    if geometry:
        shift = move(*(gated(u[:, i] * 0.5 - 0.25, u[:, 4], p, 0.0) for i in (5, 6)))  # not rounded to whole pixels
        scale = gated(torch.exp2(0.2 * normal(u[:, 8])), u[:, 7], p, 1.0)
        either = 1 - torch.sqrt(1 - p)  # two rotations, of which at least one happens with probability p
        before = turn(gated((2 * u[:, 10] - 1) * math.pi, u[:, 9], either, 0.0))
        aspect = gated(torch.exp2(0.2 * normal(u[:, 12])), u[:, 11], p, 1.0)
        after = turn(gated((2 * u[:, 14] - 1) * math.pi, u[:, 13], either, 0.0))
        last = move(*(gated(0.25 * normal(u[:, i]), u[:, 15], p, 0.0) for i in (16, 17)))
        matrix = product(matrix, shift, stretch(scale, scale), before, stretch(aspect, 1 / aspect), after, last)
    return matrix[:, :2]


def product(first: Tensor, *others: Tensor) -> Tensor:
    """The product of matrices (..., a, b) without `@`, which autocast would compute with fewer bits."""
    for other in others:
        first = (first[..., :, :, None] * other[..., None, :, :]).sum(-2)
    return first


def stretch(x: Tensor, y: Tensor) -> Tensor:
    return torch.diag_embed(torch.stack([x, y, torch.ones_like(x)], 1))


def turn(angle: Tensor) -> Tensor:
    cos, sin, zero, one = torch.cos(angle), torch.sin(angle), torch.zeros_like(angle), torch.ones_like(angle)
    return torch.stack([cos, -sin, zero, sin, cos, zero, zero, zero, one], 1).view(-1, 3, 3)


def move(x: Tensor, y: Tensor) -> Tensor:
    zero, one = torch.zeros_like(x), torch.ones_like(x)
    return torch.stack([one, zero, x, zero, one, y, zero, zero, one], 1).view(-1, 3, 3)


def resampled(images: Tensor, movement: Tensor) -> Tensor:
    """Pictures (n, c, h, w) resampled by `movement` (n, 2, 3): bilinear, mirrored beyond the border.

    With `gather`, since not every version and device has a second derivative of `grid_sample`.
    """
    n, channels, height, width = images.shape
    ys = (torch.arange(height, device=images.device) * 2 + 1) / height - 1
    xs = (torch.arange(width, device=images.device) * 2 + 1) / width - 1
    grid = torch.stack([xs.expand(height, -1), ys[:, None].expand(-1, width), torch.ones_like(xs).expand(height, -1)])
    x, y = product(movement, grid.flatten(1)).unbind(1)
    flat = images.flatten(2)
    made: Any = 0
    x, y = mirrored_place((x + 1) * width / 2 - 0.5, width), mirrored_place((y + 1) * height / 2 - 0.5, height)
    left, top = x.floor(), y.floor()
    for row, row_share in ((top, 1 - (y - top)), (top + 1, y - top)):
        for column, column_share in ((left, 1 - (x - left)), (left + 1, x - left)):
            place = row.clamp(0, height - 1) * width + column.clamp(0, width - 1)
            there = flat.gather(2, place.long()[:, None].expand(-1, channels, -1))
            made = made + there * (row_share * column_share)[:, None]
    return made.view(n, channels, height, width)


def mirrored_place(place: Tensor, side: int) -> Tensor:
    """Pixel coordinates reflected at the borders into the picture; the outermost row is not repeated."""
    span = max(1, side - 1)
    place = torch.remainder(place, 2 * span)
    return torch.where(place > span, 2 * span - place, place)


def recoloured(images: Tensor, u: Tensor, p: Tensor) -> Tensor:
    """Change brightness, contrast, luma, hue and saturation by one matrix on colours; grey pictures get its mean."""
    channels = images.shape[1]
    grey = torch.full((3,), 1 / math.sqrt(3), device=images.device)  # the axis on which colours are none
    luma, same = torch.outer(grey, grey), torch.eye(3, device=images.device)
    add = gated(0.2 * normal(u[:, 1]), u[:, 0], p, 0.0)
    times = gated(torch.exp2(0.5 * normal(u[:, 3])), u[:, 2], p, 1.0)
    inverted = gated((u[:, 5] * 2).floor(), u[:, 4], p, 0.0)
    angle = gated((2 * u[:, 7] - 1) * math.pi, u[:, 6], p, 0.0)
    saturation = gated(torch.exp2(normal(u[:, 9])), u[:, 8], p, 1.0)
    matrix = times.view(-1, 1, 1) * (same - 2 * inverted.view(-1, 1, 1) * luma)
    saturated = luma + (same - luma) * saturation.view(-1, 1, 1)
    matrix = product(saturated, about(grey, angle, luma, same), matrix)
    # Brightness is added first and lies on the grey axis: contrast and luma change it, hue and saturation do not.
    offset = add * times * (1 - 2 * inverted)
    if channels == 3:
        return product(matrix, images.flatten(2)).view_as(images) + offset.view(-1, 1, 1, 1)
    scale = matrix.sum((1, 2)) / 3
    return images * scale.view(-1, 1, 1, 1) + offset.view(-1, 1, 1, 1)


def about(axis: Tensor, angle: Tensor, along: Tensor, same: Tensor) -> Tensor:
    """Rotations of colours by `angle` (n,) about an axis (Rodrigues); `along` is the projection on it."""
    x, y, z = axis.unbind()
    zero = torch.zeros_like(x)
    across = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero]).view(3, 3)
    cos, sin = torch.cos(angle).view(-1, 1, 1), torch.sin(angle).view(-1, 1, 1)
    return cos * same + sin * across + (1 - cos) * along
