"""Self-attention between the places of a map: SAGAN (Zhang et al. 2019, arXiv 1805.08318, section 3)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class SelfAttention(nn.Module):
    """Maps (n, channels, h, w) to maps of the same shape: every place adds what it reads at all others.

    A query and a key of channels / 8 numbers each say how much a place looks at another: their product's softmax,
    without the usual scale. It reads `value` times as many channels, through one more convolution, times a learnt
    `gamma`. With `pool` keys and values are those of a map half as large (the maximum of 2x2). All four convolutions
    are 1x1. A gamma near 0, or below, is no sign of a fault: its square and the maps say whether attention is used.
    """

    def __init__(self, channels: int, value: float = 0.5, gamma: float = 0.0, pool: bool = True, bias: bool = False):
        super().__init__()
        keys, values = max(1, channels // 8), max(1, round(value * channels))
        self.query = nn.Conv2d(channels, keys, 1, bias=bias)
        self.key = nn.Conv2d(channels, keys, 1, bias=bias)
        self.value = nn.Conv2d(channels, values, 1, bias=bias)
        self.back = nn.Conv2d(values, channels, 1, bias=bias)
        self.pool = nn.MaxPool2d(2) if pool else nn.Identity()
        self.gamma = nn.Parameter(torch.tensor(float(gamma)))

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = self._rows(x)
        read = F.scaled_dot_product_attention(query, key, value, scale=1.0)
        return x + self.gamma * self.back(read[:, 0].transpose(1, 2).unflatten(2, x.shape[2:]))

    def _rows(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Query, key and value (n, 1, places, numbers): of one head."""
        maps = (self.query(x), self.pool(self.key(x)), self.pool(self.value(x)))
        query, key, value = (part.flatten(2).transpose(1, 2).unsqueeze(1) for part in maps)
        return query, key, value

    def maps(self, x: Tensor, places: Tensor) -> Tensor:
        """How much the places (k,) look at all others, (n, k, h, w) of keys; each map sums to 1."""
        query, key, _ = self._rows(x.float())
        looked = torch.softmax(query[:, 0, places] @ key[:, 0].transpose(1, 2), 2)
        pooled = isinstance(self.pool, nn.MaxPool2d)
        return looked.unflatten(2, [side // 2 if pooled else side for side in x.shape[2:]])


def attention_layers(network: nn.Module) -> list[SelfAttention]:
    """The layers of a network that attend, first to last."""
    return [part for part in network.modules() if isinstance(part, SelfAttention)]
