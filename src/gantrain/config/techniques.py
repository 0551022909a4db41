"""Which techniques a config asks for that are off by default, in words."""

from collections.abc import Mapping
from typing import Any


def techniques(config: Mapping[str, Any]) -> str:
    """Those of a stage's config, one after the other, without penalties; empty where there are none."""
    models, losses = config["models"], config.get("losses") or {}
    found = [kind(node) for node in (models.get("augment") or {}).values() if node]
    if models.get("consistency"):
        found.append(f"consistency {models['consistency']:g}")
    if models.get("top_k"):
        found.append(kind(models["top_k"]))
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
    return ", ".join(found)


def kind(node: Mapping[str, Any]) -> str:
    """The class that a node names, with those of its options that are plain."""
    plain = {key: value for key, value in node.items() if not isinstance(value, (Mapping, list))}
    options = [f"{key} {value}" for key, value in plain.items() if not key.startswith("_")]
    name = node["_target_"].rpartition(".")[2]
    return f"{name} ({', '.join(options)})" if options else name
