"""Spherical walks between latents."""

import torch
from torch import Tensor


def slerp(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """Spherical interpolation (White 2016, arXiv 1609.04468): from `a` (z_dim,) at t = 0 to `b` at t = 1, (t, z_dim).

    Normal latents lie near a sphere; a straight line leaves it for lengths that the generator never saw. The direction
    turns at constant speed, the length goes linearly. Opposite vectors turn through some fixed third direction.
    """
    start, end, t = a.double(), b.double(), t.double().unsqueeze(1)
    lengths = start.norm(), end.norm()
    u, v = _direction(start), _direction(end)
    angle = 2 * torch.atan2((u - v).norm(), (u + v).norm())  # exact near 0 and pi, where the arc cosine is not
    aside = v - (u @ v) * u
    aside = _direction(aside) if aside.norm() > 1e-9 else _perpendicular(u)
    turned = torch.cos(t * angle) * u + torch.sin(t * angle) * aside
    return (turned * torch.lerp(*lengths, t)).to(a.dtype)


def walk(stops: Tensor, steps: int, closed: bool = False) -> Tensor:
    """A walk through `stops` (n, z_dim): latents (legs, steps, z_dim).

    Open: n - 1 legs, each with both its ends. Closed: n legs back to the start, each without its end, which is the
    start of the next: shown one after the other no picture comes twice.
    """
    t = times(steps, closed)
    return torch.stack([slerp(a, b, t) for a, b in zip(*legs(stops, closed), strict=True)])


def legs(stops: Tensor, closed: bool) -> tuple[Tensor, Tensor]:
    """Where the legs of a walk through `stops` begin and end."""
    return (stops, stops.roll(-1, 0)) if closed else (stops[:-1], stops[1:])


def times(steps: int, closed: bool) -> Tensor:
    """The places of a leg's steps, from 0 to 1."""
    return torch.arange(steps) / steps if closed else torch.linspace(0, 1, steps)


def _direction(vector: Tensor) -> Tensor:
    return vector / vector.norm().clamp_min(torch.finfo(vector.dtype).tiny)


def _perpendicular(u: Tensor) -> Tensor:
    """Some unit vector at a right angle to the unit vector `u`; zero in one dimension, where there is none."""
    axis = torch.zeros_like(u)
    axis[u.abs().argmin()] = 1
    return _direction(axis - (axis @ u) * u)
