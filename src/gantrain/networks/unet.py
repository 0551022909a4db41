"""The U-Net generator of pix2pix (Isola et al. 2017, section 6.1.1): down to one pixel and up again, with skips."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gantrain.networks.dropout import Dropout
from gantrain.networks.init import Init, initialise
from gantrain.networks.norms import Norm, norm_layers
from gantrain.networks.smooth import smoothed

WIDEST = 8  # channels of the inner blocks, in multiples of width
DROPPED = 3  # innermost blocks of the decoder that have dropout


class Generator(nn.Module):
    """Pictures (n, cond_channels, size, size) to (n, channels, size, size) in (-1, 1).

    As many blocks as halve `size`, a power of two, to a single pixel; 256 is the paper's, with `width` 64. What goes
    around the middle is joined to what comes out of it. The innermost map has no norm: it is one pixel. With `smooth`,
    for pictures whose last channel says where a hole is, the network makes what is added to a smooth filling of the
    hole; untrained it adds nothing.
    """

    def __init__(
        self,
        width: int,
        size: int,
        cond_channels: int,
        channels: int,
        norm: Norm = "instance",
        dropout: float = 0.5,
        init: Init = "dcgan",
        smooth: bool = False,
    ):
        super().__init__()
        self.norm, self.smooth = norm, smooth
        depth = size.bit_length() - 1
        if size != 1 << depth or depth < 2:
            raise ValueError(f"size is {size}, it must be a power of two of 4 or more")
        if smooth and cond_channels != channels + 1:
            raise ValueError(f"smooth: it fills holes, which need {channels + 1} cond_channels; leave it false")
        widths = [width * min(2**i, WIDEST) for i in range(depth)]
        down, up = [], []
        for i, (a, b) in enumerate(zip([cond_channels, *widths], widths, strict=False)):
            first = [] if i == 0 else [nn.LeakyReLU(0.2)]
            last = [] if i in (0, depth - 1) else norm_layers(norm, b)
            down.append(nn.Sequential(*first, nn.Conv2d(a, b, 4, 2, 1, bias=not last), *last))
        bounded: list[nn.Module] = [] if smooth else [nn.Tanh()]
        for i, b in enumerate([*widths[-2::-1], channels]):
            a = widths[depth - 1 - i] * (1 if i == 0 else 2)
            normed = [] if i == depth - 1 else norm_layers(norm, b)
            last = bounded if i == depth - 1 else [Dropout(dropout)] if i < DROPPED else []
            up.append(nn.Sequential(nn.ReLU(), nn.ConvTranspose2d(a, b, 4, 2, 1, bias=not normed), *normed, *last))
        self.down, self.up = nn.ModuleList(down), nn.ModuleList(up)
        initialise(self, init)
        if smooth:
            nn.init.zeros_(self.up[-1].get_parameter("1.weight"))

    def forward(self, cond: Tensor) -> Tensor:
        if not self.smooth:
            return self.made(cond)
        filled = smoothed(cond)
        return F.hardtanh(filled + self.made(torch.cat([filled, cond[:, -1:]], 1)))

    def made(self, cond: Tensor) -> Tensor:
        skips = []
        for block in self.down:
            cond = block(cond)
            skips.append(cond)
        made = self.up[0](skips.pop())
        for block in self.up[1:]:
            made = block(torch.cat([skips.pop(), made], 1))
        return made
