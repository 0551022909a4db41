"""The one training loop: players take turns on their networks, the family says only what each turn costs."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

import torch
from torch import nn

from gantrain import rng
from gantrain.checks import check_whole
from gantrain.data.batch import Batch
from gantrain.errors import Diverged
from gantrain.losses.penalties import Penalty
from gantrain.models.checks import check_ema, check_penalties, check_players, check_statistic
from gantrain.models.family import Family
from gantrain.models.loop.batch import batch_size, detach, mean, split, total
from gantrain.models.loop.capture import Capture, Iteration, Recorder, capture_of, played
from gantrain.models.loop.compiled import Compiled
from gantrain.models.loop.divergence import Divergence, not_finite
from gantrain.models.loop.ema import EMA
from gantrain.models.loop.meters import Meters
from gantrain.models.loop.optimizers import Rates, optimizer_for
from gantrain.models.loop.penalties import drawn, paid, with_state
from gantrain.models.loop.rounds import one
from gantrain.models.loop.turn import Turn, copy_buffers, frozen, put_at_rest, restore_buffers
from gantrain.models.players import Player, turns_of
from gantrain.parallel import average_gradients, average_scalars
from gantrain.run.checkpoint import Stateful, load_generators, load_state, scaler_of


class GANModule(Family, nn.Module):
    """Named networks, players that train them in order, EMA, counters of its own, and the hooks of Lightning's trainer.

    A family is a subclass that gives what `Family` lists: the losses of each player's turn, and what people use a
    trained run for. Between turns the networks of all players are trainable and in train mode; all other networks are
    frozen and in eval mode.

    `networks` are all networks by name, including those that this stage uses without training them. `measures` are the
    names of each player's statistics, for `plays_when`. `microbatches` splits the batch of each turn and accumulates
    gradients; this is exact except for what looks at a whole batch (batch norm, feature matching, relativistic
    averages). `on_divergence`: `stop` raises `Diverged` at the first loss or gradient that is not finite, `skip` leaves
    out that step.
    """

    def __init__(
        self,
        networks: Mapping[str, nn.Module],
        players: Mapping[str, Player],
        *,
        measures: Mapping[str, Sequence[str]] | None = None,
        penalties: Mapping[str, Penalty] | None = None,
        ema: EMA | None = None,
        microbatches: int = 1,
        on_divergence: Literal["stop", "skip"] = "stop",
        seed: int = 0,
        stage: str = "",
    ):
        super().__init__()
        self.automatic_optimization = False  # Lightning's; `take` makes the optimizer steps itself
        check_players(players, networks, turns_of(type(self)), measures or {})
        check_penalties(penalties or {}, networks, players)
        check_ema(ema, networks)
        check_whole(1, microbatches=microbatches)
        self.networks = nn.ModuleDict(networks)
        self.players, self.penalties = dict(players), dict(penalties or {})
        self.ema = ema
        self.microbatches, self.on_divergence = microbatches, on_divergence
        self.seed, self.stage = seed, stage
        self.length = 0  # iterations at which this stage ends
        self.iteration = 0  # batches so far
        self.images_seen = 0  # samples so far, of all processes
        self.turns = dict.fromkeys(players, 0)
        self.statistics: dict[str, float] = {}  # each player's last measurement, by which `plays_when` decides
        self.meters = Meters()
        self.schedules: dict[str, Rates] = {}
        self.kept: dict[str, Any] = {}
        self.kept_shared: dict[str, Stateful] = with_state(self.penalties)
        self.resume_from: Mapping[str, Any] | None = None  # the checkpoint that training continues
        self.recorder: Callable[[], Recorder] | None = None  # if set, iterations are recorded and replayed
        self.capture: Capture | None = None
        self.round: Callable[[int, int], Iterable[int]] = one
        self.divergence: Divergence | None = None  # on a GPU, where the host does not read every value
        self.compiled = Compiled()
        # The parameters that a network leaves trainable (FreezeD freezes some); turns and stages switch only these.
        self._trainable = {n: [p for p in net.parameters() if p.requires_grad] for n, net in networks.items()}

    def keep(self, name: str, state: Stateful, shared: bool = False) -> Any:
        """Save `state` in checkpoints: for each process its own, or if `shared` that of rank 0. Returns `state`."""
        (self.kept_shared if shared else self.kept)[name] = state
        return state

    # ---- the loop ----------------------------------------------------------------------------------------------------

    def training_step(self, dataloader_iter: Iterator[tuple[Batch, int, int]]) -> None:
        """Play a round: the iterations up to the next one after which a callback has something to do."""
        for _ in self.round(self.iteration, self.length):
            self.iterate(next(dataloader_iter)[0])

    def iterate(self, batch: Batch) -> None:
        """One iteration: draw its random inputs, decide who plays, play, count."""
        batch = {**batch, **self.draw(batch), **drawn(self, batch)}
        turns: Sequence[Turn] = [self.begin(name) for name in self.players]
        images = batch_size(batch) * self.trainer.world_size
        decay = self.ema.decay(images, self.images_seen) if self.ema is not None else 0.0
        run = self.capture.run if self.capture is not None else played
        with self.compiled.used():
            turns = run(self.play, Iteration(turns, batch, decay))
        self.end(turns, images)

    def begin(self, name: str) -> Turn:
        """Decide a player's turn, the same on every process: whether it plays, and which penalties are due."""
        player, optimizer = self.players[name], self.optimizer_of(name)
        player.move(optimizer, self.images_seen)
        plays = (self.iteration + 1) % player.every == 0
        if player.plays_when is not None:
            plays = plays and player.plays_when(self.statistics.get(name))
        due = {key: p for key, p in self.penalties.items() if p.is_of(name) and p.due(self.turns[name])}
        networks = [self.networks[n] for n in player.networks]
        return Turn(name, networks, self.weights_of(name), optimizer, self.images_seen, plays, due)

    def play(self, iteration: Iteration) -> None:
        """Play the turns of one iteration, whose random inputs are all drawn already.

        It reads no Python value that changes between iterations, so that it can be recorded and replayed. Raises
        Diverged.
        """
        turns, batch = iteration.turns, iteration.batch
        trained = {name: self.networks[name] for name in self.trained_networks()}
        buffers = copy_buffers(trained) if self.on_divergence == "skip" else {}
        shared = self.shared(batch, [t.player for t in turns if t.plays]) if self.microbatches == 1 else None
        for turn in turns:
            player = self.players[turn.player]
            if turn.plays:
                self.take(turn, player, batch, shared)
            elif player.plays_when is not None:  # measured while idle, so that the player can start again
                with torch.no_grad():
                    shown = shared if self.microbatches == 1 else self.shared(batch, [])
                    _, turn.stats = self.losses(turn.player, batch, shown)
        failed, decay = any(turn.failed for turn in turns), iteration.decay
        if self.divergence is not None:
            bad = self.divergence.note(turns)
            decay = torch.where(bad, 1.0, decay)
            if buffers:
                restore_buffers(trained, buffers, where=bad)
        if failed:
            restore_buffers(trained, buffers)  # batch norm may have averaged values that are not finite
        elif self.ema is not None:
            self.ema.update(self.networks, decay)
        for turn in turns:
            if turn.failed is None:
                self.meters.add(turn.scalars(self.prefix), turn.bad)

    def take(self, turn: Turn, player: Player, batch: Batch, shared: Any) -> None:
        """Play a turn: backward through its losses while all other networks are frozen, then its optimizer's step."""
        others = self.trained_networks() - set(player.networks)
        with frozen(weight for network in others for weight in self._trainable[network]):
            turn.optimizer.zero_grad(set_to_none=True)
            self.accumulate_gradients(turn, player.loss_factor, batch, shared)
            turn.loss = average_gradients(turn.weights, total(turn.terms), self.trainer.world_size)
            with torch.autocast(self.device.type, enabled=False):  # there are optimizers that multiply matrices
                turn.step(player.clip_gradients, scaler_of(self), on_device=self.divergence is not None)
        if turn.failed is None and player.after_step is not None:
            player.after_step(turn)
        if turn.failed and self.on_divergence == "stop":
            raise Diverged(not_finite(turn.failed, turn.player, self.iteration + 1))

    def accumulate_gradients(self, turn: Turn, factor: float, batch: Batch, shared: Any) -> None:
        """Backward through the losses and due penalties of a turn; with microbatches one part after the other."""
        parts: Iterable[tuple[Batch, Any]] = [(batch, shared)]
        if self.microbatches > 1:
            # Each turn makes the shared passes again: keeping the graphs of all parts for the next turn would use the
            # memory that microbatches save.
            parts = ((part, self.shared(part, [turn.player])) for part in split(batch, self.microbatches))
        costs = []
        for part, passes in parts:
            terms, stats = self.losses(turn.player, part, passes)
            if turn.due:
                with self.compiled.left_out():
                    terms = {**terms, **paid(turn, self.penalised(turn.player, part, passes), part)}
            cost, scale = total(terms), factor / self.microbatches
            self.manual_backward(cost if scale == 1 else scale * cost)
            costs.append((detach(terms), detach(stats)))
        turn.terms, turn.stats = (mean(values) for values in zip(*costs, strict=True))

    def end(self, turns: Sequence[Turn], images: int) -> None:
        """Count the iteration, and keep the statistics by which `plays_when` decides; a failed turn has none."""
        for turn in turns:
            self.turns[turn.player] += turn.plays
            condition = self.players[turn.player].plays_when
            if condition is not None and turn.failed is None:
                check_statistic(turn.player, condition.statistic, list(turn.stats))
                value = average_scalars(turn.stats[condition.statistic], self.trainer.world_size)
                self.statistics[turn.player] = value.item()
        self.images_seen += images
        self.iteration += 1
        for schedule in self.schedules.values():
            schedule.step()
        if self.iteration >= self.length:
            self.trainer.should_stop = True

    # ---- for families and callbacks ----------------------------------------------------------------------------------

    def averaged(self, name: str, raw: bool = False) -> Any:
        """The network for use: its EMA where there is one and not `raw`, else the network itself."""
        kept: Any = {} if self.ema is None or raw else self.ema.copies
        return kept[name] if name in kept else self.networks[name]

    def trained_networks(self) -> set[str]:
        return {network for player in self.players.values() for network in player.networks}

    def weights_of(self, name: str) -> list[nn.Parameter]:
        return [p for network in self.players[name].networks for p in self._trainable[network]]

    def optimizer_of(self, name: str) -> torch.optim.Optimizer:
        """The plain optimizer: with a fused one Lightning's wrapper would clip gradients before they are unscaled."""
        return self.trainer.optimizers[list(self.players).index(name)]

    # ---- Lightning's hooks -------------------------------------------------------------------------------------------

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        captured = self.recorder is not None
        optimizers = {n: optimizer_for(p.optimizer, self.weights_of(n), captured) for n, p in self.players.items()}
        self.schedules = {n: Rates(p, optimizers[n]) for n, p in self.players.items() if p.schedule is not None}
        return list(optimizers.values())

    def on_fit_start(self) -> None:
        self.begin_stage()
        if self.resume_from is not None:
            load_state(self, self.resume_from)

    def on_train_start(self) -> None:
        """Set the random generators last, since loading and other callbacks may have drawn from them."""
        rank = self.trainer.global_rank
        if self.resume_from is None or not load_generators(self.resume_from, rank, self.device):
            # A new stage, or more processes than wrote the checkpoint.
            rng.seed_everything(self.seed, self.stage, "train", rank, self.iteration)
        self.resume_from = None
        if scaler_of(self) is None and (self.device.type != "cpu" or self.recorder is not None):
            self.divergence = Divergence(list(self.players), self.iteration, self.device)
            self.capture = capture_of(self)

    def begin_stage(self) -> None:
        """Put the networks into the state between turns, and start the EMA from their present weights."""
        put_at_rest(self.networks, self._trainable, self.trained_networks())
        if self.ema is not None:
            self.ema.start(self.networks)
