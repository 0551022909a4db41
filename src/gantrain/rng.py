"""Randomness: noise indexed by sample, seeds derived by name, and the state of every global generator."""

import functools
import hashlib
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor


def derive_seed(*parts: int | str) -> int:
    """A 63-bit seed from the parts, the same on every machine."""
    digest = hashlib.blake2b("/".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def seed_everything(*parts: int | str) -> None:
    """Seed Python, NumPy and torch (all devices) from the parts."""
    seed = derive_seed(*parts)
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def normal(n: int, *shape: int, **drawing: Any) -> Tensor:
    """Standard normal noise (n, *shape) for this process' share of a batch, drawn as `_drawn` says."""
    return _drawn(torch.randn, (n, *shape), **drawing)


def uniform(n: int, *shape: int, **drawing: Any) -> Tensor:
    """Numbers (n, *shape) in [0, 1), all equally likely, drawn alike."""
    return _drawn(torch.rand, (n, *shape), **drawing)


def integers(n: int, high: int, **drawing: Any) -> Tensor:
    """Whole numbers (n,) below `high`, all equally likely, drawn alike."""
    return _drawn(functools.partial(torch.randint, high), (n,), **drawing)


def _drawn(
    draw: Callable[..., Tensor],
    shape: tuple[int, ...],
    seed: tuple[int | str, ...],
    rank: int = 0,
    world: int = 1,
    device: torch.device | str = "cpu",
) -> Tensor:
    """Random rows for the share of process `rank` in a batch that `world` processes have in common.

    Stateless: the seed names the draw. Every process draws the whole batch and keeps its rows, so that the noise
    belongs to the sample, however many processes share the batch, and a resumed run need not restore anything.
    """
    n, *sides = shape
    generator = torch.Generator(device).manual_seed(derive_seed(*seed))
    return draw((n * world, *sides), generator=generator, device=device)[rank * n : (rank + 1) * n]


def get_state(device: torch.device) -> dict[str, Any]:
    """The state of the global generators in tensors and plain types."""
    of_numpy: Any = np.random.get_state()
    kind, keys, position, has_gauss, gauss = of_numpy
    state = {
        "python": random.getstate(),
        "numpy": [kind, torch.from_numpy(keys.astype(np.int64)), position, has_gauss, gauss],
        "torch": torch.get_rng_state(),
    }
    if device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(device)
    return state


def set_state(state: dict[str, Any], device: torch.device) -> None:
    """Undo `get_state`."""
    version, values, gauss_next = state["python"]
    random.setstate((version, tuple(values), gauss_next))
    kind, keys, position, has_gauss, gauss = state["numpy"]
    np.random.set_state((kind, keys.numpy().astype(np.uint32), position, has_gauss, gauss))
    torch.set_rng_state(state["torch"].cpu())
    if device.type == "cuda" and "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"].cpu(), device)
