"""Which techniques a config asks for that are off by default, in words."""

from collections.abc import Iterator, Mapping
from typing import Any


def techniques(config: Mapping[str, Any]) -> str:
    """The techniques of a stage's config, one after the other; of penalties only those whose weight changes."""
    models, losses = config["models"], config.get("losses") or {}
    found = [kind(node) for node in (models.get("augment") or {}).values() if node]
    if models.get("consistency"):
        found.append(f"consistency {models['consistency']:g}")
    if models.get("top_k"):
        found.append(kind(models["top_k"]))
    if models.get("clusters") and not models.get("classes"):
        found.append(f"{models['clusters']} clusters in the place of classes")
    if models.get("z_kind", "normal") != "normal":
        found.append(f"{models['z_kind']} latents")
    if (losses.get("adversarial") or {}).get("flip"):
        found.append(f"{losses['adversarial']['flip']:g} of the labels flipped")
    for name in ("matching", "drift"):
        if losses.get(name):
            found.append(kind(losses[name]))
    if models.get("fade_images"):
        found.append(f"layers of this size fade in over {models['fade_images']:,} images")
    for name, node in config["networks"].items():
        if node.get("freeze"):
            found.append(f"{node['freeze']} parts of the {name} frozen")
        if node.get("minibatch"):
            found.append(f"minibatch {node['minibatch'].get('kind')} in the {name}")
        if node.get("pack", 1) != 1:
            found.append(f"packs of {node['pack']} in the {name}")
    parts = {key: value for key, value in models.items() if key != "augment"}
    penalties = losses.get("penalties") or {}
    of_penalties = (f"{name} {change}" for name, node in penalties.items() for change in changing("", node))
    others = {key: value for key, value in losses.items() if key != "penalties"}
    return ", ".join(dict.fromkeys([*found, *changing("", parts), *of_penalties, *changing("", others)]))


def changing(key: str, node: Any) -> Iterator[str]:
    """The numbers below a key that change over training, each with the last part of its own."""
    if is_ramp(node):
        yield f"{key} {plain(node)}"
    elif isinstance(node, Mapping):
        for name, value in node.items():
            yield from changing(name, value)
    elif isinstance(node, list):
        for value in node:
            yield from changing(key, value)


def is_ramp(node: Any) -> bool:
    return isinstance(node, Mapping) and str(node.get("_target_")).startswith("gantrain.ramps.")


def kind(node: Mapping[str, Any]) -> str:
    """The class that a node names, with those of its options that are plain or change over training."""
    options = [f"{key} {said}" for key, value in node.items() if not key.startswith("_") and (said := plain(value))]
    name = node["_target_"].rpartition(".")[2]
    return f"{name} ({', '.join(options)})" if options else name


def plain(value: Any) -> str:
    """A value in words; empty for lists and parts, but for a number that changes."""
    if is_ramp(value):
        return f"{value['first']:g} to {value['last']:g} over {value['images']:,} images"
    return "" if isinstance(value, (Mapping, list)) else str(value)
