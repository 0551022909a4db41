"""The keys of a config, and which of them a person meant who typed another."""

from collections.abc import Iterable, Iterator
from typing import Any

MOST = 4  # keys in one sentence
# What other programs call the last part of a key.
OTHERS = {
    **dict.fromkeys(("learning_rate", "learningrate"), "lr"),
    **dict.fromkeys(("batch", "batchsize", "bs", "train_batch_size"), "batch_size"),
    **dict.fromkeys(("epoch", "num_epochs", "n_epochs", "max_epochs", "niter"), "epochs"),
    **dict.fromkeys(("steps", "num_steps", "max_steps", "iters", "max_iters", "num_iterations"), "iterations"),
    **dict.fromkeys(("gpus", "gpu", "ngpu", "num_gpus"), "devices"),
    **dict.fromkeys(("device", "cuda", "cpu"), "accelerator"),
    **dict.fromkeys(("image_size", "imagesize", "img_size", "resolution"), "size"),
    **dict.fromkeys(("latent_dim", "nz", "latent_size"), "z_dim"),
    **dict.fromkeys(("amp", "fp16", "bf16"), "precision"),
    **dict.fromkeys(("dataroot", "data_root", "data_dir", "data_path"), "root"),
    **dict.fromkeys(("out", "output", "out_dir", "output_dir", "outdir", "run_dir"), "hydra.run.dir"),
}
OUTSIDE = ("experiment", "debug", "hydra.run.dir")  # of a command line, but of no run's config


def keys_of(node: Any, prefix: str = "") -> Iterator[str]:
    """Every key of a config by its whole path."""
    for key, value in node.items() if isinstance(node, dict) else ():
        yield f"{prefix}{key}"
        yield from keys_of(value, f"{prefix}{key}.")


def meant(typed: str, keys: Iterable[str], value: str = "") -> str:
    """`; write a= or b=`: the keys that `typed` is short for, here or in other programs; `` where there are none."""
    *above, last = typed.replace("-", "_").split(".")
    other, keys = OTHERS.get(last, last), [*keys, *OUTSIDE]
    names = (".".join([*above, last]), ".".join([*above, other]), other)
    return next(filter(None, (within(name, keys, value) for name in names)), "")


def within(typed: str, keys: Iterable[str], value: str = "") -> str:
    """As `meant`, of keys that end as `typed` does and have its other parts before, in their order."""
    *above, last = typed.split(".")
    found = [key for key in keys if key.rpartition(".")[2] == last and _in_order(above, key.split("."))]
    found = [typed] if typed in found else sorted(found, key=lambda key: key.count("."))
    more = ", ..." if len(found) > MOST else ""
    return f"; write {' or '.join(f'{key}={value}' for key in found[:MOST])}{more}" if found else ""


def _in_order(parts: list[str], key: list[str]) -> bool:
    rest = iter(key[:-1])
    return all(part in rest for part in parts)
