"""The first loss or gradient that was not finite, noted on the device, so that the host need not wait for it."""

from collections.abc import Sequence

import torch
from torch import Tensor

from gantrain.errors import Diverged
from gantrain.models.loop.turn import Turn

NEVER = -1


class Divergence:
    """Which iteration and player had the first loss or gradient that was not finite; `players` in their order."""

    def __init__(self, players: Sequence[str], iteration: int, device: torch.device):
        self.players = list(players)
        self.iteration = torch.tensor(iteration, device=device)  # a recorded iteration cannot read a Python counter
        self.first = torch.tensor(NEVER, device=device)

    def note(self, turns: Sequence[Turn]) -> Tensor:
        """Note the turns of an iteration; returns a flag on the device: whether one of them was bad."""
        self.iteration.add_(1)
        played = [turn for turn in turns if turn.bad is not None]
        for turn in played:
            place = 2 * self.players.index(turn.player)
            code = 2 * len(self.players) * self.iteration + place + (~turn.bad_loss).long()
            self.first.copy_(torch.where(turn.bad & (self.first == NEVER), code, self.first))
        flags = [turn.bad for turn in played] or [torch.zeros_like(self.first, dtype=torch.bool)]
        return torch.stack(flags).any()

    def refuse(self) -> None:
        """Raise Diverged where something was not finite; the host waits for the device."""
        if said := self.told():
            raise Diverged(said)

    def told(self) -> str | None:
        """The first value that was not finite, in words, or None."""
        code = int(self.first)
        if code == NEVER:
            return None
        iteration, place = divmod(code, 2 * len(self.players))
        what = "gradient" if place % 2 else "loss"
        return not_finite(what, self.players[place // 2], iteration)


def not_finite(what: str, player: str, iteration: int) -> str:
    return f"the {what} of player '{player}' is not finite in iteration {iteration}"
