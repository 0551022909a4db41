"""What is refused before anything is written: names that lead nowhere, networks that do not take what they get."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from gantrain.errors import UserError, first_line
from gantrain.losses.penalties import Penalty
from gantrain.models.loop.ema import EMA
from gantrain.models.loop.eval_mode import for_inference
from gantrain.models.players import Player

# What a network raises for inputs of another shape, number or range than it takes.
NOT_TAKEN = (RuntimeError, TypeError, ValueError, IndexError)


def check_networks(networks: Mapping[str, nn.Module], needed: Sequence[str], who: str) -> None:
    """Raise UserError where one of the networks that `who` needs is missing."""
    for name in needed:
        if name not in networks:
            raise UserError(f"networks.{name} is missing: {who} needs {' and '.join(needed)}")


def check_players(
    players: Mapping[str, Player], networks: Mapping[str, nn.Module], plays: Mapping[str, Sequence[str]] | None
) -> None:
    """Raise UserError for networks that are not there, and, where `plays` is stated, players and statistics."""
    for name, player in players.items():
        for network in player.networks:
            if network not in networks:
                raise UserError(f"models.players.{name}.networks: there is no network '{network}'")
        if plays is None:
            continue
        if name not in plays:
            raise UserError(f"models.players.{name}: there is no such player; this family has {', '.join(plays)}")
        if player.plays_when is not None:
            check_statistic(name, player.plays_when.statistic, plays[name])


def check_statistic(player: str, statistic: str, measured: Sequence[str]) -> None:
    """Raise UserError where the statistic that decides whether a player plays is none of those it measures."""
    if statistic not in measured:
        have = f"there are {', '.join(sorted(measured))}" if measured else "this player measures none"
        raise UserError(f"models.players.{player}.plays_when.statistic: '{statistic}' is not measured; {have}")


def check_penalties(
    penalties: Mapping[str, Penalty],
    networks: Mapping[str, nn.Module],
    players: Mapping[str, Player],
    penalised: Sequence[str],
) -> None:
    """Raise UserError for penalties that would look at no network, or at one with batch norm."""
    if not penalties:
        return
    keys = f"losses.penalties ({', '.join(penalties)})"
    trained = {network for player in players.values() for network in player.networks}
    if not trained.intersection(penalised):
        raise UserError(f"{keys}: no player trains a network that they act on; leave them out: losses.penalties={{}}")
    for name in trained.intersection(penalised):
        if any(isinstance(part, nn.modules.batchnorm._BatchNorm) for part in networks[name].modules()):
            raise UserError(
                f"{keys} with batch norm in networks.{name}: batch norm ties the samples of a batch together, so a "
                f"per-sample gradient means nothing; choose it without batch norm (norm=false, or norm=instance)"
            )


def check_options(networks: Mapping[str, nn.Module], ema: EMA | None, microbatches: int, on_divergence: str) -> None:
    """Raise UserError for options that no game can have."""
    for network in ema.names if ema is not None else ():
        if network not in networks:
            raise UserError(f"models.ema.networks: there is no network '{network}'")
    if not isinstance(microbatches, int) or microbatches < 1:
        raise UserError(f"models.microbatches is {microbatches}, it must be a whole number of 1 or more")
    if on_divergence not in ("stop", "skip"):
        raise UserError(f"models.on_divergence is '{on_divergence}', it must be stop or skip")


def z_dim_of(generator: nn.Module) -> int:
    """The size of the latents that a generator takes. Raises UserError where it does not say."""
    z_dim = getattr(generator, "z_dim", None)
    if not isinstance(z_dim, int):
        raise UserError("networks.generator has no z_dim, so it takes no latents; choose one as in networks=dcgan")
    return z_dim


def tried(name: str, network: nn.Module, *inputs: Tensor, way_out: str) -> Any:
    """What a network gives for a few examples, in eval mode. Raises UserError where it does not take them."""
    with for_inference(network):
        try:
            return network(*inputs)
        except NOT_TAKEN as error:
            kinds = [str(tuple(x.shape[1:])) if x.is_floating_point() else "class numbers" for x in inputs]
            raise UserError(
                f"networks.{name} does not take {' with '.join(kinds)} ({first_line(error)}): {way_out}"
            ) from error
