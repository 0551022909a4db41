"""How numbers were obtained: what must agree before two of them may be compared."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

# These say which networks were measured and with which draws, not how: numbers that differ in them may be compared,
# and the comparison says so.
OF_THE_MODEL = ("networks", "truncation", "seed")


@dataclass(frozen=True)
class Protocol:
    """Everything that moves a score of samples without the generator being better or worse.

    `weights` is the backbone's sha256, `data` the real pictures' hash, `real` and `samples` are counts, `networks` ema
    or raw; `quantisation` says where pictures are rounded.
    """

    backbone: str
    weights: str
    resize: str
    features: int
    data: str
    split: str
    real: int
    samples: int
    quantisation: str
    networks: str
    truncation: float | None
    seed: int
    neighbours: str

    def plain(self) -> dict[str, Any]:
        return asdict(self)


def ema_or_raw(module: Any, name: str, raw: bool) -> Literal["ema", "raw"]:
    """Which weights of a module's network are measured: a module may average others and not this one."""
    return "raw" if module.averaged(name, raw) is module.networks[name] else "ema"


def tagged(score: str, samples: int, backbone: str) -> str:
    """The short name of a score under a protocol, such as `fid10k_tf`."""
    return f"{score}{short(samples)}_{backbone}"


def names_score(word: str, name: str) -> bool:
    """Whether a person who writes `word` means the score `name`: with its tag, or without."""
    return word in (name, untagged(name))


def short(count: int) -> str:
    """10000 as `10k`, 1797 as `1797`."""
    return f"{count // 1000}k" if count % 1000 == 0 and count else str(count)


def untagged(name: str) -> str:
    """The score's name without its tag: `fid` of `fid10k_tf`."""
    return re.sub(r"\d+k?_\w+$", "", name)


def unlike(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """The keys that keep two protocols from being compared."""
    keys = dict.fromkeys([*one, *other])
    return [key for key in keys if key not in OF_THE_MODEL and one.get(key) != other.get(key)]
