"""What is refused before anything is written: names that lead nowhere, networks that do not take what they get."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from gantrain.errors import UserError, first_line
from gantrain.losses.penalties import Penalty
from gantrain.models.loop.ema import EMA
from gantrain.models.loop.eval_mode import for_inference
from gantrain.models.players import Player
from gantrain.networks.minibatch import MinibatchDeviation, MinibatchDiscrimination

COMPARING = (MinibatchDeviation, MinibatchDiscrimination)
# What a network raises for inputs of another shape, number or range than it takes.
NOT_TAKEN = (RuntimeError, TypeError, ValueError, IndexError)


def check_networks(networks: Mapping[str, nn.Module], needed: Sequence[str], who: str) -> None:
    """Raise UserError where one of the networks that `who` needs is missing."""
    for name in needed:
        if name not in networks:
            raise UserError(f"networks.{name} is missing: {who} needs {' and '.join(needed)}")


def check_players(
    players: Mapping[str, Player],
    networks: Mapping[str, nn.Module],
    known: Sequence[str],
    measures: Mapping[str, Sequence[str]],
) -> None:
    """Raise UserError for networks that are not there, and where a family says what it has `known`, for others.

    `measures` are the statistics of each player.
    """
    for name, player in players.items():
        for network in player.networks:
            if network not in networks:
                raise UserError(f"models.players.{name}.networks: there is no network '{network}'")
        if not known:
            continue  # a family that overrides `losses` finds its mistakes when they play
        if name not in known:
            raise UserError(f"models.players.{name}: there is no such player; this family has {', '.join(known)}")
        if player.plays_when is not None:
            check_statistic(name, player.plays_when.statistic, measures.get(name, ()))


def check_statistic(player: str, statistic: str, measured: Sequence[str]) -> None:
    """Raise UserError where the statistic that decides whether a player plays is none of those it measures."""
    if statistic not in measured:
        have = f"there are {', '.join(sorted(measured))}" if measured else "this player measures none"
        raise UserError(f"models.players.{player}.plays_when.statistic: '{statistic}' is not measured; {have}")


def check_penalties(
    penalties: Mapping[str, Penalty], networks: Mapping[str, nn.Module], players: Mapping[str, Player]
) -> None:
    """Raise UserError for penalties that would look at no network, at one with batch norm, or at no real samples."""
    for key, penalty in penalties.items():
        looked_at = [network for name, player in players.items() if penalty.is_of(name) for network in player.networks]
        if not looked_at:
            raise UserError(
                f"losses.penalties.{key}: there is no player '{penalty.of}' whose networks it could act on; "
                f"losses.penalties.{key}.of= names another ({', '.join(players)}), losses.penalties={{}} leaves it out"
            )
        if penalty.draws == "value" and penalty.of.startswith("generator"):
            raise UserError(
                f"losses.penalties.{key}.of is {penalty.of}: {type(penalty).__name__} looks around real samples, which "
                f"discriminators get; losses.penalties.{key}.of=discriminator, or leave it out"
            )
        for name in looked_at if penalty.looks_at == "samples" else ():
            if any(isinstance(part, nn.modules.batchnorm._BatchNorm) for part in networks[name].modules()):
                raise UserError(
                    f"losses.penalties.{key} with batch norm in networks.{name}: batch norm ties the samples of "
                    f"a batch together, so a per-sample gradient means nothing; choose it without batch norm "
                    f"(norm=false, or norm=instance)"
                )


def check_norms(networks: Mapping[str, nn.Module], samples: int) -> None:
    """Raise UserError for a generator with batch norm that trains on one picture in a pass, by its statistics alone."""
    for name, network in networks.items():
        if samples == 1 and getattr(network, "norm", None) == "batch":
            raise UserError(
                f"networks.{name}.norm is batch, with one picture in a pass: it trains by that picture's statistics "
                f"and is used with the running means of many, as another network; take networks.{name}.norm=instance, "
                f"or a larger data.batch_size"
            )


def check_packs(networks: Mapping[str, nn.Module], samples: int) -> None:
    """Raise UserError where the samples of a pass do not divide into a discriminator's packs."""
    for name, network in networks.items():
        pack = pack_of(network)
        if samples % pack:
            raise UserError(
                f"networks.{name}.pack is {pack}, and a pass of {samples} pictures does not divide into such packs; "
                f"set data.batch_size, with models.microbatches each part of it, to a multiple of {pack}"
            )


def check_minibatch(networks: Mapping[str, nn.Module], samples: int) -> None:
    """Raise UserError for a network that compares the samples of a pass, where each has one alone."""
    for name, network in networks.items():
        if samples == 1 and any(isinstance(part, COMPARING) for part in network.modules()):
            raise UserError(
                f"networks.{name} compares the samples of a batch, and there is one in a pass; take data.batch_size=2 "
                f"or more, fewer models.microbatches, or the network without that layer "
                f"(networks.{name}.minibatch=null, of volumes and StyleGAN2 networks.{name}.group=0)"
            )


def check_ema(ema: EMA | None, networks: Mapping[str, nn.Module]) -> None:
    """Raise UserError for networks to be averaged that are not there."""
    for network in ema.names if ema is not None else ():
        if network not in networks:
            raise UserError(f"models.ema.networks: there is no network '{network}'")


def z_dim_of(generator: nn.Module) -> int:
    """The size of the latents that a generator takes. Raises UserError where it does not say."""
    z_dim = getattr(generator, "z_dim", None)
    if not isinstance(z_dim, int):
        raise UserError("networks.generator has no z_dim, so it takes no latents; choose one as in networks=dcgan")
    return z_dim


def pack_of(network: nn.Module) -> int:
    """How many samples a discriminator judges together."""
    pack = getattr(network, "pack", 1)
    return pack if isinstance(pack, int) else 1


def tried(name: str, network: nn.Module, *inputs: Tensor, way_out: str) -> Any:
    """What a network gives for a few examples, in eval mode. Raises UserError where it does not take them."""
    with for_inference(network):
        try:
            return network(*inputs)
        except NOT_TAKEN as error:
            raise UserError(
                f"networks.{name} does not take {described(inputs)} ({first_line(error)}): {way_out}"
            ) from error


def described(inputs: Sequence[Tensor]) -> str:
    """The shape of a sample of each input; whole numbers are classes."""
    return " with ".join(str(tuple(x.shape[1:])) if x.is_floating_point() else "class numbers" for x in inputs)


def outputs_for(family: Any, batch: Mapping[str, Tensor]) -> dict[str, Any]:
    """What each network gives for one sample of a batch, in eval mode.

    Raises UserError for one that does not take it, or makes something of another shape than the game needs.
    """
    one = {key: value[:1] for key, value in batch.items()}
    given = {}
    for name, network in family.networks.items():
        inputs, wanted = family.inputs_of(name, one), family.target_of(name, one)
        if inputs is None:
            continue
        given[name] = tried(name, network, *inputs, way_out=family.way_out)
        if wanted is not None and given[name].shape != wanted.shape:
            made, needed = (tuple(tensor.shape[1:]) for tensor in (given[name], wanted))
            raise UserError(
                f"networks.{name} makes {made} of {described(inputs)}, but this game needs {needed}: {family.way_out}"
            )
    return given
