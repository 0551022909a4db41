"""The keys of a config, and which of them a person meant who typed another."""

import difflib
from collections.abc import Iterable, Iterator
from typing import Any

MOST = 4  # keys in one sentence
# What other programs call the last part of a key.
OTHERS = {
    **dict.fromkeys(("learning_rate", "learningrate"), "lr"),
    **dict.fromkeys(("beta", "beta1", "beta2", "adam_betas"), "betas"),
    **dict.fromkeys(("n_critic", "ncritic", "n_dis", "critic_iters", "critic_steps"), "generator.every"),
    **dict.fromkeys(("lambda", "lambd", "lam", "coefficient", "coeff"), "weight"),
    **dict.fromkeys(("lambda_gp", "gp_lambda", "gp_weight"), "gp.weight"),
    **dict.fromkeys(("ema_decay", "ema_beta"), "half_life_images"),
    **dict.fromkeys(("log_every", "log_interval"), "metrics.every"),
    **dict.fromkeys(("sample_every", "sample_interval"), "samples.every"),
    **dict.fromkeys(("save_every", "save_interval", "checkpoint_every", "ckpt_every"), "checkpoint.every_seconds"),
    "ngf": "generator.width",
    "ndf": "discriminator.width",
    **dict.fromkeys(("batch", "batchsize", "bs", "train_batch_size"), "batch_size"),
    **dict.fromkeys(("epoch", "num_epochs", "n_epochs", "max_epochs", "niter"), "epochs"),
    **dict.fromkeys(("steps", "num_steps", "max_steps", "iters", "max_iters", "num_iterations"), "iterations"),
    **dict.fromkeys(("gpus", "gpu", "ngpu", "num_gpus"), "devices"),
    **dict.fromkeys(("device", "cuda", "cpu"), "accelerator"),
    **dict.fromkeys(("image_size", "imagesize", "img_size", "resolution"), "size"),
    **dict.fromkeys(("latent_dim", "nz", "z", "noise_dim", "latent_size"), "z_dim"),
    **dict.fromkeys(("amp", "fp16", "bf16"), "precision"),
    **dict.fromkeys(("dataroot", "data_root", "data_dir", "data_path"), "root"),
    **dict.fromkeys(("out", "output", "out_dir", "output_dir", "outdir", "run_dir"), "hydra.run.dir"),
}
# What other programs call the networks, also in one word with what is asked of them, as in lr_d.
NETWORKS = {
    **dict.fromkeys(("g", "gen", "netg", "generator"), "generator"),
    **dict.fromkeys(("d", "dis", "disc", "netd", "critic", "discriminator"), "discriminator"),
}
OUTSIDE = ("experiment", "debug", "hydra.run.dir")  # of a command line, but of no run's config


def keys_of(node: Any, prefix: str = "") -> Iterator[str]:
    """Every key of a config by its whole path."""
    for key, value in node.items() if isinstance(node, dict) else ():
        yield f"{prefix}{key}"
        yield from keys_of(value, f"{prefix}{key}.")


def leaf(node: Any, key: str) -> str:
    """The first key of all that a node holds, as a person would have typed it."""
    while isinstance(node, dict) and node:
        key, node = f"{key}.{next(iter(node))}", next(iter(node.values()))
    return key


def meant(typed: str, keys: Iterable[str], value: str = "", outside: Iterable[str] = OUTSIDE) -> str:
    """`; write a= or b=`: the keys that `typed` is short for, here or in other programs; `` where there are none."""
    keys = [*keys, *outside]
    *above, last = typed.replace("-", "_").split(".")
    if len(above) > 1 and ".".join(above) in keys:  # a place that is there: no key of another part is meant
        keys = [key for key in keys if key.startswith(f"{above[0]}.")]
    known = {part for key in keys for part in key.split(".")}
    places = [above, [NETWORKS.get(part.lower(), part) for part in above]]
    places += [[part for part in places[1] if part in known], []]
    ends = {key.rpartition(".")[2] for key in keys}
    names = [last, OTHERS.get(last.lower(), last), *_of_network(last)]
    tries = [".".join([*place, name]) for name in names for place in places]
    # What is only like a key must lie where the first part says: networks.d.minibatch.kind is not models.z_kind.
    alike = [end for end in ends if end.startswith("_") == last.startswith("_")]  # target is not _target_
    near = difflib.get_close_matches(last, alike, 1, 0.75)
    tries += [".".join([*place, name]) for name in near for place in places if place or not above]
    return next(filter(None, (within(name, keys, value) for name in tries)), "")


def _of_network(word: str) -> Iterator[str]:
    """`discriminator.lr` of lr_d, d_lr or lrD."""
    parts = word.split("_") if "_" in word else [word[:-1], word[-1]] if word[-1:].isupper() else [word]
    for network, *rest in (parts, parts[::-1]):
        if network.lower() in NETWORKS and rest:
            key = "_".join(rest if parts[0] == network else rest[::-1]).lower()
            yield f"{NETWORKS[network.lower()]}.{OTHERS.get(key, key)}"


def within(typed: str, keys: Iterable[str], value: str = "") -> str:
    """What `meant` says, of the keys that end as `typed` does and have its other parts before that, in their order."""
    *above, last = typed.split(".")
    found = [key for key in keys if key.rpartition(".")[2] == last and _in_order(above, key.split("."))]
    found = [typed] if typed in found else sorted(found, key=lambda key: key.count("."))
    more = ", ..." if len(found) > MOST else ""
    return f"; write {' or '.join(f'{key}={value}' for key in found[:MOST])}{more}" if found else ""


def _in_order(parts: list[str], key: list[str]) -> bool:
    rest = iter(key[:-1])
    return all(part in rest for part in parts)
