"""Layers with an equalised learning rate: weights N(0, 1), scaled when used (Karras et al. 2018, arXiv 1710.10196)."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class EqDense(nn.Module):
    """A linear layer of weights N(0, 1) that are multiplied by gain / sqrt(inputs) when used, so that all layers learn
    at one speed under Adam.

    `lr` slows it down: weights begin as N(0, 1) / lr, and weights and biases count `lr` times. `bias` is what the bias
    begins with; with None there is none.
    """

    def __init__(self, inputs: int, outputs: int, gain: float = 1.0, bias: float | None = 0.0, lr: float = 1.0):
        super().__init__()
        self.scale, self.lr = gain * lr / math.sqrt(inputs), lr
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / lr)
        self.bias = None if bias is None else nn.Parameter(torch.full((outputs,), bias / lr))

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight * self.scale, None if self.bias is None else self.bias * self.lr)


class EqConv(nn.Module):
    """A convolution of the same kind; `padding` is half the kernel, of zeros, unless it is given."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        gain: float = 1.0,
        stride: int = 1,
        padding: int | None = None,
        bias: bool = True,
    ):
        super().__init__()
        self.scale, self.stride = gain / math.sqrt(inputs * kernel**2), stride
        self.padding = kernel // 2 if padding is None else padding
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight * self.scale, self.bias, self.stride, self.padding)
