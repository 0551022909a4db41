"""The one training loop: players take turns on their networks, the family says only what each turn costs."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from gantrain import rng
from gantrain.errors import Diverged
from gantrain.losses.penalties import Penalty
from gantrain.models.checks import check_options, check_penalties, check_players, check_statistic
from gantrain.models.loop.batch import Batch, Scalars, batch_size, detach, mean, split, total
from gantrain.models.loop.ema import EMA
from gantrain.models.loop.gradients import clip_or_refuse
from gantrain.models.loop.meters import Meters
from gantrain.models.loop.state import Stateful, copy_buffers, load_generators, load_state, restore_buffers, scaler_of
from gantrain.models.players import Player
from gantrain.networks.weights import FromFile
from gantrain.parallel import average_gradients, average_scalars


class GANModule(pl.LightningModule):
    """Named networks, players that train them in order, EMA, and counters of its own.

    A family subclasses this once and gives `losses`, and as needed `draw`, `shared`, `preview`, `networks_for_use`.
    Between turns the networks of all players are trainable and in train mode; all others are frozen, in eval mode.

    `networks` holds everything that is named, also what this stage only uses. `plays` are the players that a family
    knows, with the statistics of each; without it their mistakes are found when they play.
    `microbatches` splits each turn's batch and accumulates its gradients (exact but for what looks at a whole batch:
    batch norm, feature matching, relativistic averages).
    `on_divergence`: `stop` raises `Diverged` at the first loss or gradient that is not finite, `skip` omits the step.
    """

    classes: int | None = None  # of the class numbers that a family's `generate` takes, where it takes any
    penalised: Sequence[str] = ("discriminator",)  # the networks whose gradients the penalties look at

    def __init__(
        self,
        networks: Mapping[str, nn.Module],
        players: Mapping[str, Player],
        *,
        plays: Mapping[str, Sequence[str]] | None = None,
        penalties: Mapping[str, Penalty] | None = None,
        ema: EMA | None = None,
        microbatches: int = 1,
        on_divergence: str = "stop",
        seed: int = 0,
        stage: str = "",
    ):
        super().__init__()
        self.automatic_optimization = False
        check_players(players, networks, plays)
        check_penalties(penalties or {}, networks, players, self.penalised)
        check_options(networks, ema, microbatches, on_divergence)
        self.networks = nn.ModuleDict(networks)
        self.players = dict(players)
        self.penalties = dict(penalties or {})
        self.ema = ema
        self.microbatches, self.on_divergence = microbatches, on_divergence
        self.seed, self.stage = seed, stage
        self.length = 0  # iterations at which this stage ends
        self.iteration = 0  # batches so far
        self.images_seen = 0  # samples so far, of all processes
        self.turns = dict.fromkeys(players, 0)
        self.statistics: dict[str, float] = {}  # what plays_when decides by: each player's last measurement
        self.meters = Meters()
        self.schedules: dict[str, Any] = {}
        self.stateful: dict[str, Stateful] = {}  # what a family holds besides; each process saves its own
        self.resume_from: Mapping[str, Any] | None = None  # the checkpoint that training continues
        self._turn: tuple[str, Tensor] | None = None  # the player whose optimizer steps, and its loss
        self._skipped = False  # whether the present turn's step was omitted as not finite
        # What a network itself wants trained; turns and stages only ever switch these parameters.
        self._trainable = {n: [p for p in net.parameters() if p.requires_grad] for n, net in networks.items()}

    # ---- what a family gives -----------------------------------------------------------------------------------------

    def draw(self, batch: Batch) -> Batch:
        """The iteration's random inputs, one row per sample of `batch`; they join the batch."""
        return {}

    def shared(self, batch: Batch, playing: Sequence[str]) -> Any:
        """What several turns of an iteration read, such as one generator pass."""
        return None

    def losses(self, name: str, batch: Batch, shared: Any) -> tuple[Scalars, Scalars]:
        """The weighted terms that player `name` minimises, and statistics of its turn."""
        raise NotImplementedError

    def check(self, batch: Batch) -> None:
        """Raise UserError where the networks do not fit each other or the first batch."""

    def preview(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """Samples in the data's range, one for each of `batch` or a few less, from the networks a user would take."""
        raise NotImplementedError

    @property
    def preview_columns(self) -> int | None:
        """How many pictures of the preview belong side by side, if that matters."""
        return None

    def networks_for_use(self) -> Sequence[str]:
        """The networks that a user of the finished run needs."""
        raise NotImplementedError

    def from_files(self) -> Iterable[FromFile]:
        """The frozen networks that its losses call, where their weights lie in files."""
        return ()

    # ---- the loop ----------------------------------------------------------------------------------------------------

    def training_step(self, batch: Batch, batch_idx: int) -> None:
        batch = {**batch, **self.draw(batch), **self.draw_mixes(batch)}
        playing = [name for name in self.players if self.may_play(name)]
        buffers = copy_buffers(self) if self.on_divergence == "skip" else {}
        skipped = False
        shared = self.shared(batch, playing) if self.microbatches == 1 else None
        for name in self.players:
            if name not in playing:
                self.watch(name, batch, shared)
                continue
            self._skipped = False
            with self.turn(name) as optimizer:
                optimizer.zero_grad(set_to_none=True)
                terms, stats = self.accumulate_gradients(name, batch, shared)
                loss = average_gradients(self.weights_of(name), total(terms), self.trainer.world_size)
                self._turn = (name, loss)
                optimizer.step()  # divergence and clipping: on_before_optimizer_step, after AMP's unscaling
            self.after_turn(name, terms, stats)
            skipped = skipped or self._skipped
        if skipped:
            restore_buffers(self, buffers)  # batch norm's may have seen what was not finite
        elif self.ema is not None:
            self.ema.update(self.networks, self.global_batch(batch), self.images_seen)
        self.advance(batch)

    def may_play(self, name: str) -> bool:
        """Whether it is this player's iteration; the same answer on every process."""
        player = self.players[name]
        if (self.iteration + 1) % player.every:
            return False
        return player.plays_when is None or player.plays_when(self.statistics.get(name))

    def accumulate_gradients(self, name: str, batch: Batch, shared: Any) -> tuple[Scalars, Scalars]:
        """Backward through the player's losses; with microbatches one part after the other."""
        k, factor = self.microbatches, self.players[name].loss_factor
        if k == 1:
            terms, stats = self.losses(name, batch, shared)
            self.manual_backward(factor * total(terms))
            return terms, stats
        parts = []
        for part in split(batch, k):
            # Shared passes are made anew in each turn: keeping all parts' graphs until the next turn would take
            # the memory that microbatches are to save.
            terms, stats = self.losses(name, part, self.shared(part, [name]))
            self.manual_backward(factor * total(terms) / k)
            parts.append((detach(terms), detach(stats)))
        return mean([terms for terms, _ in parts]), mean([stats for _, stats in parts])

    @contextlib.contextmanager
    def turn(self, name: str) -> Iterator[Any]:
        """Freeze the other players' networks, give the player's optimizer, and restore on exit."""
        mine = self.players[name].networks
        frozen = [p for network in self.trained_networks() if network not in mine for p in self._trainable[network]]
        for parameter in frozen:
            parameter.requires_grad_(False)
        try:
            yield self.optimizer_of(name)
        finally:
            self._turn = None
            for parameter in frozen:
                parameter.requires_grad_(True)

    def watch(self, name: str, batch: Batch, shared: Any) -> None:
        """Keep the statistic of an idle player up to date, so that its condition can let it play again."""
        if self.players[name].plays_when is None:
            return
        with torch.no_grad():
            _, stats = self.losses(name, batch, shared if self.microbatches == 1 else self.shared(batch, []))
        self.measure(name, stats)
        self.record(name, {}, stats)

    def measure(self, name: str, stats: Scalars) -> None:
        condition = self.players[name].plays_when
        if condition is None:
            return
        check_statistic(name, condition.statistic, list(stats))
        self.statistics[name] = average_scalars(stats[condition.statistic], self.trainer.world_size).item()

    def after_turn(self, name: str, terms: Scalars, stats: Scalars) -> None:
        player = self.players[name]
        self.turns[name] += 1
        if self._skipped:
            return  # what was measured in it is not finite either
        if player.after_step is not None:
            player.after_step([self.networks[n] for n in player.networks])
        self.measure(name, stats)
        self.record(name, terms, stats)

    def advance(self, batch: Batch) -> None:
        self.images_seen += self.global_batch(batch)
        self.iteration += 1
        for schedule in self.schedules.values():
            schedule.step()
        if self.iteration >= self.length:
            self.trainer.should_stop = True

    def on_before_optimizer_step(self, optimizer: Any) -> None:
        """Refuse what is not finite, clip the rest; gradients are unscaled and averaged over processes here."""
        name, loss = self._turn
        weights = [weight for weight in self.weights_of(name) if weight.grad is not None]
        what = clip_or_refuse(weights, loss, self.players[name].clip_gradients, scaler_of(self))
        if what is None:
            return
        if self.on_divergence == "stop":
            raise Diverged(f"the {what} of player '{name}' is not finite in iteration {self.iteration + 1}")
        self._skipped = True
        for weight in weights:
            weight.grad = None  # an optimizer leaves weights without gradient alone

    # ---- for families and callbacks ----------------------------------------------------------------------------------

    def penalise(
        self, name: str, network_fn: Any, batch: Batch, real: Tensor, fake: Tensor, cond: Tensor | None = None
    ) -> Scalars:
        """The penalties that are due in this turn of player `name`; none where it is only watched."""
        if not torch.is_grad_enabled():
            return {}
        due = {key: penalty for key, penalty in self.penalties.items() if penalty.due(self.turns[name])}
        points = {key: penalty.points(real, fake, batch.get(f"mix.{key}")) for key, penalty in due.items()}
        return {key: penalty(network_fn, points[key], cond) for key, penalty in due.items()}

    def draw_mixes(self, batch: Batch) -> Batch:
        """The shares of real and fake for the penalties that look between them; parts of a batch keep their own."""
        keys = [key for key, penalty in self.penalties.items() if penalty.mixes]
        return {f"mix.{key}": self.uniform(batch, key=f"mix.{key}") for key in keys}

    def noise(self, batch: Batch, *shape: int, key: str) -> Tensor:
        """Standard normal noise for every sample of `batch`, the same however processes share it."""
        return rng.normal(batch_size(batch), *shape, **self._drawing(key))

    def uniform(self, batch: Batch, key: str) -> Tensor:
        """A number in [0, 1) for every sample of `batch`, as `noise` is drawn."""
        return rng.uniform(batch_size(batch), **self._drawing(key))

    def integers(self, batch: Batch, high: int, key: str) -> Tensor:
        """A whole number below `high` for every sample of `batch`, all equally likely, as `noise` is drawn."""
        return rng.integers(batch_size(batch), high, **self._drawing(key))

    def _drawing(self, key: str) -> dict[str, Any]:
        """What names a draw of this iteration, and the process' share in it."""
        return {
            "seed": (self.seed, self.stage, self.iteration, key),
            "rank": self.trainer.global_rank,
            "world": self.trainer.world_size,
            "device": self.device,
        }

    def best(self, name: str, raw: bool = False) -> nn.Module:
        """The network a user would take: its EMA where it has one, else, or with `raw`, itself."""
        averaged = self.ema is not None and name in self.ema.copies and not raw
        return self.ema.copies[name] if averaged else self.networks[name]

    def record(self, name: str, terms: Scalars, stats: Scalars) -> None:
        """Add a turn's scalars to the running means under `<stage>/<player>/<key>`."""
        prefix = f"{self.stage}/{name}" if self.stage else name
        self.meters.add({f"{prefix}/{key}": value for key, value in {**terms, **stats}.items()})

    def trained_networks(self) -> set[str]:
        return {network for player in self.players.values() for network in player.networks}

    def weights_of(self, name: str) -> list[nn.Parameter]:
        return [p for network in self.players[name].networks for p in self._trainable[network]]

    def optimizer_of(self, name: str) -> Any:
        """Lightning's wrapper, whose `step` knows precision and processes."""
        optimizers = self.optimizers()
        return (optimizers if isinstance(optimizers, list) else [optimizers])[list(self.players).index(name)]

    def raw_optimizer(self, name: str) -> torch.optim.Optimizer:
        """The optimizer itself: the wrapper's load_state_dict would fill the wrapper only."""
        return self.trainer.optimizers[list(self.players).index(name)]

    def global_batch(self, batch: Batch) -> int:
        return batch_size(batch) * self.trainer.world_size

    # ---- Lightning's hooks, state ------------------------------------------------------------------------------------

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        optimizers = {name: player.optimizer(self.weights_of(name)) for name, player in self.players.items()}
        self.schedules = {n: p.schedule(optimizers[n]) for n, p in self.players.items() if p.schedule is not None}
        return list(optimizers.values())

    def on_fit_start(self) -> None:
        self.begin_stage()
        if self.resume_from is not None:
            load_state(self, self.resume_from)

    def on_train_start(self) -> None:
        """Set the random generators last, after everything that may have drawn from them."""
        rank = self.trainer.global_rank
        if self.resume_from is None or not load_generators(self.resume_from, rank, self.device):
            # A new stage, or a process more than the checkpoint knew.
            rng.seed_everything(self.seed, self.stage, "train", rank, self.iteration)
        self.resume_from = None

    def begin_stage(self) -> None:
        """Put the networks into the state at rest and start the EMA from their present weights."""
        for name, network in self.networks.items():
            trained = name in self.trained_networks()
            network.train(trained)
            network.requires_grad_(False)
            for parameter in self._trainable[name] if trained else ():
                parameter.requires_grad_(True)
        if self.ema is not None:
            self.ema.start(self.networks)
