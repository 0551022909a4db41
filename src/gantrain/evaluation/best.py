"""Which of a run's results is the best."""

import math
from collections.abc import Iterable

from gantrain.errors import UserError
from gantrain.evaluation.protocol import names_score, unlike
from gantrain.run.scores import Record, Result, Score


def score_of(result: Result, best: str | None) -> tuple[str, Score]:
    """The score that `best` names, with or without its tag, else the first. Raises UserError."""
    for name, score in result.scores.items():
        if best is None or names_score(best, name):
            return name, score
    raise UserError(f"evaluation.best is '{best}', but there are {', '.join(result.scores)}")


def best_of(records: Iterable[Record], like: Record, best: str | None) -> Record:
    """The best of the stage's records that may be compared with `like`; one without a number comes after all others."""
    comparable = [
        record
        for record in records
        if record.stage == like.stage
        and not unlike(record.result.protocol, like.result.protocol)
        and record.result.scores.keys() == like.result.scores.keys()
    ]

    def order(record: Record) -> tuple[bool, float]:
        score = score_of(record.result, best)[1]
        return not math.isfinite(score.value), score.cost()

    return min([*comparable, like], key=order)
