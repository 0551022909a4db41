"""How a new run starts from the networks of another, also of pictures of another size."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from gantrain.errors import UserError
from gantrain.training.loading import load_trained

NUMBERED = (nn.ModuleList, nn.Sequential)


def start_from(
    networks: Mapping[str, nn.Module], nodes: Mapping[str, Mapping], folder: str, plugins: Sequence[str]
) -> Mapping[str, Any]:
    """Give the networks the weights of another run's networks of the same names, averaged ones where it has them.

    `nodes` are theirs in the config. Of a network for pictures of another size it takes what fits. Says what was not
    taken; the config of the other run's data comes back. Raises UserError.
    """
    theirs = load_trained(folder, plugins)
    common = [name for name in networks if name in theirs.names]
    if not common:
        have, want = ", ".join(theirs.names), ", ".join(networks)
        raise UserError(f"init_from: {folder} has {have}, this run has {want}; none in common")
    told = []
    for name in common:
        source, size = theirs.module.averaged(name), nodes[name].get("size")
        if size != (theirs_size := theirs.stage.config["networks"][name].get("size")):
            taken = take_fitting(name, networks[name], source, folder)
            told.append(f"networks.{name} of size {size} takes {taken} of the one of size {theirs_size} in {folder}")
            continue
        try:
            networks[name].load_state_dict(source.state_dict())
        except RuntimeError as error:
            detail = str(error).splitlines()[1].strip()
            detail = f"{detail[:200]} ..." if len(detail) > 200 else detail  # it may name hundreds of tensors
            of_experiment = f", experiment={theirs_name}," if (theirs_name := theirs.stage.config.get("name")) else ""
            raise UserError(
                f"init_from: networks.{name} differs from the one in {folder} ({detail}); name a run of the same "
                f"networks, or train that run's experiment{of_experiment} with its options"
            ) from error
    if new := [name for name in networks if name not in common]:
        told.append(f"{folder} has no {', '.join(new)}: begun untrained")
    for line in told:
        print(f"gantrain: init_from: {line}", file=sys.stderr, flush=True)
    return theirs.stage.config["data"]


def take_fitting(name: str, network: nn.Module, source: nn.Module, folder: str) -> str:
    """Give a network those tensors of another that have their names and shapes; says in words which.

    Layers are counted from the first, as those of a generator are from the smallest maps on, or from the last, as a
    discriminator's: as more fits. Raises UserError where no kernel or matrix does.
    """
    taken = max((fitting(network, source, last) for last in (False, True)), key=numbers)
    if not any(tensor.dim() > 1 for tensor in taken.values()):
        raise UserError(
            f"init_from: networks.{name} has no layer of the shape that the one in {folder} has; its width belongs to "
            f"the largest pictures, so halve it where data.size doubles"
        )
    frozen = parts_of(key for key, weight in network.named_parameters() if not (weight.requires_grad or key in taken))
    if frozen:
        raise UserError(
            f"networks.{name}.freeze: {', '.join(frozen)} would never train, and the one in {folder} has no such "
            f"layers; leave it out, or first train the whole at this size"
        )
    ours = network.state_dict()
    network.load_state_dict({**ours, **taken})
    left = parts_of(key for key in ours if key not in taken)
    share = f"{numbers(taken):,} of {numbers(ours):,} numbers"
    return f"{share}, all but {', '.join(left)}," if left else share


def fitting(network: nn.Module, source: nn.Module, last: bool) -> dict[str, Tensor]:
    """Tensors of `source` by the names that they have in `network`; with `last` layers are counted from the last."""
    theirs = {place: source.state_dict()[name] for name, place in places(source, last)}
    ours = network.state_dict()
    found = {name: theirs[place] for name, place in places(network, last) if place in theirs}
    return {name: tensor for name, tensor in found.items() if tensor.shape == ours[name].shape}


def places(network: nn.Module, last: bool) -> Iterator[tuple[str, str]]:
    """Each tensor's name and where it stands; with `last` numbers of layers are negative, as a list's."""
    for name in network.state_dict():
        part: Any = network
        parts = []
        for word in name.split("."):
            numbered = last and isinstance(part, NUMBERED) and word.isdigit()
            parts.append(str(int(word) - len(part)) if numbered else word)
            part = getattr(part, word, None)
        yield name, ".".join(parts)


def numbers(tensors: Mapping[str, Tensor]) -> int:
    return sum(tensor.numel() for tensor in tensors.values())


def parts_of(keys: Iterable[str]) -> list[str]:
    """The parts of a network that tensors belong to, as people count them: up to the first number, or one level."""
    words = (key.split(".") for key in keys)
    ends = ((parts, next((i for i, word in enumerate(parts) if word.isdigit()), 0)) for parts in words)
    return list(dict.fromkeys(".".join(parts[: end + 1]) for parts, end in ends))
