"""What a score is: a number with its error and direction, and the protocol under which it was measured."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from gantrain.config import LARGEST_SEED
from gantrain.models.base import GANModule


@dataclass(frozen=True)
class Score:
    """A value, the direction that is better, and its standard error where it has one."""

    value: float
    better: Literal["higher", "lower", "near 1"]
    error: float | None = None

    def __str__(self) -> str:
        return f"{self.value:.4g}" if self.error is None else f"{self.value:.4g} +- {self.error:.2g}"

    def cost(self) -> float:
        """What a sweep or a search for the best minimises."""
        if self.better == "near 1":
            return abs(math.log(self.value)) if self.value > 0 else math.inf
        return self.value if self.better == "lower" else -self.value


@dataclass(frozen=True)
class Result:
    """Scores by short names that carry the protocol (`fid10k_tf`); the protocol in full; tables for people."""

    scores: Mapping[str, Score]
    protocol: Mapping[str, Any]
    tables: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """The same in types that JSON knows."""
        return asdict(self)

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "Result":
        """Undo `plain`."""
        scores = {name: Score(**score) for name, score in plain["scores"].items()}
        return cls(scores, plain["protocol"], plain.get("tables", {}))


class Evaluation:
    """One kind of measuring; the config's `evaluation` node names a subclass.

    In training it is measured every `every` iterations (null: only at the end) of the stages in `stages` (null: all).
    `best` names the score, with or without its tag, by which the best checkpoint is kept and which a multirun
    minimises; null is the first. `seed` draws what is drawn.
    """

    def __init__(
        self,
        *,
        every: int | None = None,
        best: str | None = None,
        stages: Sequence[str] | None = None,
        seed: int = 0,
    ):
        if every is not None and every < 1:
            raise ValueError(f"every is {every}, it must be 1 or more, or null for the end alone")
        if not isinstance(seed, int) or not 0 <= seed <= LARGEST_SEED:
            raise ValueError(f"seed is {seed!r}, it must be a whole number from 0 to {LARGEST_SEED}")
        self.every, self.best, self.seed = every, best, seed
        self.stages = None if stages is None else list(stages)

    def applies(self, stage: str) -> bool:
        """Whether the stage is measured; `stage` is its tag, empty where there is only one."""
        return self.stages is None or not stage or stage in self.stages

    def check(self, module: GANModule, data: Any) -> None:
        """Raise UserError early where the family or the data do not fit, or something is missing."""

    def measure(self, module: GANModule, data: Any, raw: bool = False) -> Result:
        """The scores of the module's networks now, of EMA weights unless `raw`. The caller puts the module into eval
        mode and the global generators back. Raises UserError."""
        raise NotImplementedError
