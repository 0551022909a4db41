"""How numbers were obtained: what must agree before two of them may be compared."""

import re
from collections.abc import Mapping
from typing import Any, Literal

# These say which networks were measured and with which draws, not how: numbers that differ in them may be compared,
# and the comparison says so.
OF_THE_MODEL = ("networks", "truncation", "seed")


def ema_or_raw(module: Any, name: str, raw: bool) -> Literal["ema", "raw"]:
    """Which weights of a module's network are measured: a module may average others and not this one."""
    return "raw" if module.averaged(name, raw) is module.networks[name] else "ema"


def tagged(score: str, samples: int, backbone: str) -> str:
    """The short name of a score under a protocol, such as `fid10k_tf` or `kid1797_random`."""
    count = f"{samples // 1000}k" if samples % 1000 == 0 else str(samples)
    return f"{score}{count}_{backbone}"


def frechet_name(backbone: str) -> Literal["fid", "fd"]:
    """What the Frechet distance is called: FID by Inception alone, which the config calls `tf`."""
    return "fid" if backbone == "tf" else "fd"


def names_score(word: str, name: str) -> bool:
    """Whether a person who writes `word` means the score `name`: with its tag, or without, as `fid` for `fid10k_tf`."""
    return word in (name, re.sub(r"\d+k?_\w+$", "", name))


def unlike(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """The keys that keep two protocols from being compared."""
    keys = dict.fromkeys([*one, *other])
    return [key for key in keys if key not in OF_THE_MODEL and one.get(key) != other.get(key)]
