"""How a run ended."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gantrain.config.stages import Stage
from gantrain.evaluation.best import best_of, score_of
from gantrain.run.folder import Run
from gantrain.run.health import Finding
from gantrain.run.scores import read_scores

UNHEALTHY = 3  # the exit code of a run that health has ended


@dataclass
class Outcome:
    """How a run ended after its `last` stage: `signum` is the signal that stopped it, or 0; `unhealthy` is the finding
    by which health stopped it, or None.

    `objective` is what a multirun minimises: the best value of the score `evaluation.best`, 0 without scores.
    """

    run: Run
    last: Stage
    signum: int
    seconds: float
    images: int
    objective: float
    unhealthy: Finding | None = None

    @property
    def exit_code(self) -> int:
        return 128 + self.signum if self.signum else UNHEALTHY if self.unhealthy else 0


def objective_of(run: Run, config: Mapping[str, Any]) -> float:
    """What a multirun minimises, from the run's last stage that was measured."""
    records = read_scores(run.folder)
    if not config.get("evaluation") or not records:
        return 0.0
    best = config["evaluation"].get("best")
    return score_of(best_of(records, records[-1], best).result, best)[1].cost()
