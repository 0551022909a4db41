"""The networks of 3D-GAN (Wu et al. 2016, arXiv 1610.07584): noise to volumes and back, for any power of two."""

import itertools

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gantrain.networks.init import Init, initialise
from gantrain.networks.minibatch import MinibatchDeviation

KERNEL = 4
BASE = 4  # side of the smallest map, which one "valid" kernel spans


def widths(width: int, size: int) -> list[int]:
    """The discriminator's channels, doubling from `width` at half the side to a map of side 4."""
    depth = (size // BASE).bit_length() - 1
    if depth < 1 or size != BASE << depth:
        raise ValueError(f"size {size} is none of 8, 16, 32, 64, 128, ...: 4 doubled some times")
    return [width << i for i in range(depth)]


class ToCubes(nn.Conv3d):
    """A convolution that halves the side of volumes (n, c, s, s, s), with a kernel of 4.

    It is computed with a kernel of 2 on the eight voxels of each 2x2x2 cube, which are channels there: the same sums.
    On a CPU its gradient at volumes of one channel takes a third of the time.
    """

    def __init__(self, channels: int, width: int):
        super().__init__(channels, width, KERNEL, 2, 1)

    def forward(self, volumes: Tensor) -> Tensor:
        cubes = F.pad(volumes, (1,) * 6)
        for axis in (4, 3, 2):
            cubes = cubes.unflatten(axis, (-1, 2))  # (n, c, z, 2, y, 2, x, 2)
        cubes = cubes.permute(0, 1, 3, 5, 7, 2, 4, 6).flatten(1, 4)
        return F.conv3d(cubes, halved(self.weight).flatten(1, 4), self.bias)


class FromCubes(nn.ConvTranspose3d):
    """A transposed convolution that doubles the side of volumes (n, c, s, s, s), with a kernel of 4.

    It is computed as `ToCubes` is: a kernel of 2 makes the eight voxels of each cube as channels. On a CPU volumes of
    one channel take a third of the time.
    """

    def __init__(self, width: int, channels: int):
        super().__init__(width, channels, KERNEL, 2, 1)

    def forward(self, maps: Tensor) -> Tensor:
        cubes = F.conv_transpose3d(maps, halved(self.weight).flatten(1, 4))
        cubes = cubes.unflatten(1, (-1, 2, 2, 2)).permute(0, 1, 5, 2, 6, 3, 7, 4)  # (n, c, z, 2, y, 2, x, 2)
        volumes = cubes.flatten(6, 7).flatten(4, 5).flatten(2, 3)[..., 1:-1, 1:-1, 1:-1]
        return volumes if self.bias is None else volumes + self.bias.view(-1, 1, 1, 1)


def halved(kernels: Tensor) -> Tensor:
    """Kernels (a, b, 4, 4, 4) as (a, b, 2, 2, 2, 2, 2, 2): the place in a cube, then the cube."""
    return kernels.view(*kernels.shape[:2], *(2,) * 6).permute(0, 1, 3, 5, 7, 2, 4, 6)


class Generator(nn.Module):
    """Latents (n, z_dim) to volumes (n, channels, size, size, size) in (0, 1).

    A "valid" transposed convolution makes a map of side 4, others of stride 2 double it while halving the channels;
    all but the last have batch norm and ReLU. The paper's has `size` 64 and `width` 64.
    """

    def __init__(
        self,
        z_dim: int,
        width: int,
        size: int,
        channels: int = 1,
        norm_eps: float = 1e-5,
        norm_momentum: float = 0.1,
        init: Init = "dcgan",
    ):
        super().__init__()
        self.z_dim = z_dim
        features = widths(width, size)[::-1]

        def block(up: nn.ConvTranspose3d) -> list[nn.Module]:
            return [up, nn.BatchNorm3d(up.out_channels, eps=norm_eps, momentum=norm_momentum), nn.ReLU()]

        layers = [nn.Unflatten(1, (z_dim, 1, 1, 1)), *block(nn.ConvTranspose3d(z_dim, features[0], KERNEL))]
        for a, b in itertools.pairwise(features):
            layers += block(nn.ConvTranspose3d(a, b, KERNEL, 2, 1))
        self.layers = nn.Sequential(*layers, FromCubes(features[-1], channels), nn.Sigmoid())
        initialise(self, init)

    def forward(self, z: Tensor) -> Tensor:
        return self.layers(z)


class RandomShift(nn.Module):
    """In train mode, move each volume (n, c, s, s, s) by up to `most` voxels along each axis, empty ones coming in.

    The translation of DiffAugment (Zhao et al. 2020, arXiv 2006.10738): it keeps a discriminator from learning a small
    data set by heart.
    """

    def __init__(self, most: int):
        super().__init__()
        self.most = most

    def forward(self, volumes: Tensor) -> Tensor:
        if not self.training:
            return volumes
        shifted = F.pad(volumes, (self.most,) * 6)
        corners = torch.randint(2 * self.most + 1, (len(volumes), 3), device=volumes.device)
        steps = torch.arange(volumes.shape[-1], device=volumes.device)
        for axis in range(3):  # by index tensors, so that the host need not know the numbers
            places = corners[:, axis, None] + steps
            view = [len(volumes), *[1] * 4]
            view[2 + axis] = len(steps)
            size = list(shifted.shape)
            size[2 + axis] = len(steps)
            shifted = shifted.gather(2 + axis, places.view(view).expand(size))
        return shifted


class Discriminator(nn.Module):
    """Volumes (n, channels, size, size, size) to logits (n,): the generator's mirror image, with leaky ReLU.

    `norm` puts batch norm after all convolutions but the first and the last, `norm_first` after the first too; never
    use it with a gradient penalty. `shift` moves what it judges in training by up to so many voxels. `group` shows the
    last layer how much so many samples vary (`MinibatchDeviation`); 0 shows nothing.
    """

    def __init__(
        self,
        width: int,
        size: int,
        channels: int = 1,
        slope: float = 0.2,
        norm: bool = True,
        norm_first: bool = True,
        shift: int = 0,
        group: int = 0,
        norm_eps: float = 1e-5,
        norm_momentum: float = 0.1,
        init: Init = "dcgan",
    ):
        super().__init__()
        features = [channels, *widths(width, size)]
        layers: list[nn.Module] = [RandomShift(shift)] if shift else []
        for i, (a, b) in enumerate(itertools.pairwise(features)):
            layers.append(nn.Conv3d(a, b, KERNEL, 2, 1) if i else ToCubes(a, b))
            if norm and (i > 0 or norm_first):
                layers.append(nn.BatchNorm3d(b, eps=norm_eps, momentum=norm_momentum))
            layers.append(nn.LeakyReLU(slope))
        if group:
            layers.append(MinibatchDeviation(group))
        self.layers = nn.Sequential(*layers, nn.Conv3d(features[-1] + bool(group), 1, KERNEL), nn.Flatten())
        initialise(self, init)

    def forward(self, volumes: Tensor) -> Tensor:
        return self.layers(volumes).squeeze(1)
