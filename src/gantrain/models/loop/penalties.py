"""What the penalties of a game draw for an iteration, and what they add to a turn."""

from collections.abc import Mapping
from typing import Any

import torch

from gantrain.data.batch import Batch
from gantrain.losses.penalties import Penalty, PenaltyInputs
from gantrain.models.loop.batch import Scalars, batch_size
from gantrain.models.loop.turn import Turn
from gantrain.ramps import Ramp
from gantrain.run.checkpoint import Stateful


def drawn(game: Any, batch: Batch) -> Batch:
    """The inputs of penalties besides samples: random numbers, and weights that change over training.

    Each has one row per sample, so that microbatches and processes take their own rows.
    """
    given = {}
    for key, penalty in game.penalties.items():
        if penalty.draws is not None:
            like = batch.get("real", next(iter(batch.values())))
            shape = () if penalty.draws == "sample" else like.shape[1:]
            draw = game.noise if penalty.draws == "normal" else game.uniform
            given[f"mix.{key}"] = draw(batch, *shape, key=f"mix.{key}")
        if isinstance(penalty.weight, Ramp):
            now = penalty.weight.at(game.images_seen)
            given[f"weight.{key}"] = torch.full((batch_size(batch),), now, device=game.device)
    return given


def paid(turn: Turn, looked_at: Mapping[str, PenaltyInputs], batch: Batch) -> Scalars:
    """The weighted penalties that are due in a turn.

    `looked_at` are the samples for penalties on gradients, by the suffix of their terms; each takes a pass of its own.
    """
    terms = {}
    for key, penalty in turn.due.items():
        weight = batch[f"weight.{key}"][0] if f"weight.{key}" in batch else None
        if penalty.looks_at == "weights":
            terms[key] = penalty.of_weights(turn.weights, weight, first=turn.parts == 0)
            continue
        for suffix, inputs in looked_at.items():
            terms[f"{key}{suffix}"] = penalty.at(inputs, batch.get(f"mix.{key}"), weight)
    turn.parts += 1
    return terms


def with_state(penalties: Mapping[str, Penalty]) -> dict[str, Stateful]:
    """The penalties that have state, by their names in a checkpoint."""
    return {f"penalties.{name}": penalty for name, penalty in penalties.items() if isinstance(penalty, Stateful)}
