"""The prior of latents: normal or uniform noise, whose last numbers may be codes."""

import math
from typing import Literal

import torch
from torch import Tensor

from gantrain.losses.auxiliary import Codes


class Prior:
    """Noise of deviation `z_std`, or uniform in [-z_std, z_std], then `codes` where there are some."""

    def __init__(self, z_std: float, z_kind: Literal["normal", "uniform"], codes: Codes | None):
        self.z_std, self.z_kind, self.codes = z_std, z_kind, codes

    def of(self, normal: Tensor) -> Tensor:
        """Latents from standard normal numbers (n, z_dim), so that all kinds of latents use one random stream."""
        noise, rest = normal, None
        if self.codes is not None:
            noise, rest = normal.tensor_split([normal.shape[1] - self.codes.size], 1)
        if self.z_kind == "uniform":
            noise = torch.erf(noise / 2**0.5)  # the normal's distribution function, scaled to [-1, 1]
        if self.codes is None:
            return self.z_std * noise
        return torch.cat([self.z_std * noise, self.codes.drawn(rest)], 1)


def normal_latents(n: int, z_dim: int, generator: torch.Generator, truncation: float | None = None) -> Tensor:
    """Standard normal latents (n, z_dim) from a CPU generator, cut at `truncation` deviations if given.

    Row i of a seed is the same latent for every n. torch fills a normal tensor in blocks of 16 numbers and draws the
    last 16 again if they are no whole block, so rows are drawn up to a multiple of 16. torch's truncated normal draws
    again until all numbers are within the limits, which makes rows depend on each other; hence the inverse of the
    truncated distribution function.
    """
    if truncation is None:
        return torch.randn(math.ceil(n / 16) * 16, z_dim, generator=generator)[:n].clone()
    share = 2 * torch.rand(n, z_dim, generator=generator, dtype=torch.float64) - 1
    latents = math.sqrt(2) * torch.erfinv(share * math.erf(truncation / math.sqrt(2)))
    return latents.clamp(-truncation, truncation).float()
