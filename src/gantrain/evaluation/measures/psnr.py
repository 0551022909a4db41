"""Peak signal-to-noise ratio of 8-bit pictures."""

import torch
from torch import Tensor

LEAST_ERROR = 1e-3  # a picture without any error is 78 dB, so that means over pictures stay finite


def psnr(error: Tensor) -> Tensor:
    """The PSNR in dB of mean squared errors of pixels in 0..255."""
    return 10 * torch.log10(255**2 / error.clamp(min=LEAST_ERROR))
