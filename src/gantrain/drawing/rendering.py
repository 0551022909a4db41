"""Binary volumes as shaded pictures: the faces that a parallel camera sees, drawn through a depth buffer."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

SIDE = 96  # pixels
OVERSAMPLED = 2  # each way, then averaged
PIXELS = SIDE * OVERSAMPLED
ELEVATION = 25.0  # degrees above the horizon
AZIMUTH = 30.0
LIGHT = (-0.5, 0.35, 0.8)  # from where, in the camera's frame: to the right, towards it, upwards
COLOUR = (0.30, 0.52, 0.82)
AMBIENT = 0.45
MOST_POINTS = 150_000  # on all faces that look along one axis


def render(volumes: Tensor, azimuth: float = AZIMUTH) -> Tensor:
    """Pictures (n, 3, SIDE, SIDE) uint8 of volumes (n, s, s, s) bool, whose last axis points upwards; white ground.

    All volumes are drawn to the same scale, at which a full one just fits. `azimuth` in degrees moves the camera.
    """
    return torch.stack([render_one(volume, azimuth) for volume in volumes.cpu()])


def render_one(volume: Tensor, azimuth: float) -> Tensor:
    s, e = volume.shape[0], math.radians(ELEVATION)
    axes = camera(azimuth)
    towards = axes[1]
    scale = PIXELS / (s * (math.cos(e) + math.sqrt(2) * math.sin(e)))
    padded = F.pad(volume, (1,) * 6)
    openness = 1 - F.avg_pool3d(padded[None].float(), 3, 1, 1)[0]  # of a voxel's neighbourhood: less in corners
    points, shades = [], []
    for axis in range(3):
        sign = 1 if towards[axis] > 0 else -1
        if abs(towards[axis]) < 1e-6:
            continue
        hidden = padded.roll(-sign, axis)
        faces = (padded & ~hidden).nonzero()
        # Points so close together that no pixel of a face stays empty; the noise of an untrained network has too many
        # faces for that, and needs no care.
        steps = max(2, min(math.ceil(1.5 * scale) + 1, math.isqrt(MOST_POINTS // max(1, len(faces)))))
        light = sum(part * v[axis] for part, v in zip(LIGHT, axes, strict=True)) * sign
        outside = faces.clone()
        outside[:, axis] += sign
        crevice = openness[tuple(outside.T)]
        shade = (AMBIENT + (1 - AMBIENT) * max(light / math.hypot(*LIGHT), 0.0)) * (0.4 + 0.9 * crevice).clamp(max=1)
        points.append(on_face(faces - 1, axis, sign, steps))
        shades.append(shade.repeat_interleave(steps * steps))
    return picture(torch.cat(points) - s / 2, torch.cat(shades), axes, scale)


def camera(azimuth: float) -> tuple[tuple[float, ...], ...]:
    """Unit vectors to the right, towards the camera and upwards in its picture."""
    a, e = math.radians(azimuth), math.radians(ELEVATION)
    towards = (math.cos(e) * math.sin(a), -math.cos(e) * math.cos(a), math.sin(e))
    right = (math.cos(a), math.sin(a), 0.0)
    up = (-math.sin(e) * math.sin(a), math.sin(e) * math.cos(a), math.cos(e))
    return right, towards, up


def on_face(voxels: Tensor, axis: int, sign: int, steps: int) -> Tensor:
    """Points (faces * steps**2, 3) on the voxels' faces that look along `axis`."""
    t = torch.linspace(0, 1, steps)
    a, b = torch.meshgrid(t, t, indexing="ij")
    across = [a.flatten(), b.flatten()]
    across.insert(axis, torch.full((steps * steps,), 1.0 if sign > 0 else 0.0))
    return (voxels[:, None].float() + torch.stack(across, 1)).flatten(0, 1)


def picture(points: Tensor, shades: Tensor, axes: tuple[tuple[float, ...], ...], scale: float) -> Tensor:
    """The nearest point's shade in each pixel, averaged down to (3, SIDE, SIDE) uint8."""
    right, towards, up = (points @ torch.tensor(axis) for axis in axes)
    column = (right * scale + PIXELS / 2).long().clamp_(0, PIXELS - 1)
    row = (PIXELS / 2 - up * scale).long().clamp_(0, PIXELS - 1)
    place = row * PIXELS + column
    # Depth and shade in one number, so that the nearest point brings its shade along.
    depth = ((towards.max() - towards) * 1000).long() if len(towards) else towards.long()
    key = depth * 1024 + (shades * 1023).long()
    nothing = torch.iinfo(torch.int64).max
    nearest = torch.full((PIXELS**2,), nothing).scatter_reduce(0, place, key, "amin")
    shade = (nearest % 1024).float() / 1023
    base = torch.tensor(COLOUR)[:, None]
    colour = base + (1 - base) * 0.5 * shade  # paler where it is brighter
    sheet = torch.where(nearest == nothing, torch.ones(3, 1), shade * colour)
    sheet = F.avg_pool2d(sheet.view(1, 3, PIXELS, PIXELS), OVERSAMPLED)[0]
    return (sheet * 255).round().to(torch.uint8)


def turn(volumes: Tensor, frames: int = 12) -> Tensor:
    """The volumes seen from all around: pictures (frames, n, 3, SIDE, SIDE) uint8."""
    return torch.stack([render(volumes, AZIMUTH + 360 * i / frames) for i in range(frames)])
