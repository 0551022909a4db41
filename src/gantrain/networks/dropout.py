"""Dropout (Srivastava et al. 2014) whose masks a CPU draws quickly."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

STEPS = 2**16  # of the rates that 16 bits can have


class Dropout(nn.Dropout):
    """torch's dropout; on a CPU, in training, sixteen random bits decide on each number.

    torch draws a random number of its own for each, on one thread: a third of what a small discriminator's pass takes.
    The rate is `p` rounded to 1/65536, and what is kept is scaled by exactly that rate. The bits come from torch's
    generator, whose state checkpoints hold. Elsewhere it is torch's dropout itself, which a CUDA graph can record and a
    compiler fuses.
    """

    def forward(self, x: Tensor) -> Tensor:
        dropped = round(self.p * STEPS)
        fast = self.training and x.device.type == "cpu" and 0 < dropped < STEPS
        if not fast or torch.compiler.is_compiling():
            return F.dropout(x, self.p, self.training)
        numbers = torch.empty(x.numel() // 4 + 1, dtype=torch.int64).random_(-(2**63), None)  # all 64 bits
        bits = numbers.view(torch.int16)[: x.numel()].view(x.shape)
        kept = torch.ge(bits, dropped - STEPS // 2, out=torch.empty_like(x, requires_grad=False))
        return x * kept.mul_(STEPS / (STEPS - dropped))
