"""Iterations recorded once and replayed: what the host would launch kernel by kernel is one CUDA graph.

Small networks are bound by the time that the host takes to launch kernels. An iteration is recorded per programme: who
plays, which penalties are due, the shapes of the batch. All that changes between iterations enters by tensors that stay
where they are; the parts of the loop that a graph could not repeat, drawing and counting, lie outside of it.
"""

import contextlib
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor

from gantrain.data.batch import Batch
from gantrain.models.loop.optimizers import why_not_captured
from gantrain.models.loop.turn import Turn

WARM_UP = 3  # eager iterations of a programme before it is recorded: caches are filled, kernels chosen
MOST = 16  # programmes; further ones, of games with many rhythms, stay eager


@dataclass
class Iteration:
    """What an iteration is a function of, besides networks and optimizers: the host's decisions, and tensors.

    `decay` is the EMA's; where the iteration is captured, it is a tensor.
    """

    turns: Sequence[Turn]
    batch: Batch
    decay: float | Tensor


class Recording(Protocol):
    """What has been recorded: a CUDA graph, or what stands for one in tests."""

    def replay(self) -> None: ...


class Recorder(Protocol):
    """Records what is launched within `record`, without running it. `waits` says where the last warm-up made the host
    wait, which cannot be recorded."""

    waits: str | None

    def warm(self) -> contextlib.AbstractContextManager[None]: ...

    def record(self) -> contextlib.AbstractContextManager[Recording]: ...


class CudaGraphs:
    """Records on a stream of its own. All graphs share one memory pool; none reads what another has left there."""

    def __init__(self) -> None:
        self.stream = torch.cuda.Stream()
        self.pool = torch.cuda.graph_pool_handle()
        self.waits: str | None = None

    @contextlib.contextmanager
    def warm(self) -> Iterator[None]:
        """Run eagerly on the recorder's stream, since gradient buffers belong to the stream that made them.

        A call that makes the host wait would make the recording fail, so such calls are detected here.
        """
        now = torch.cuda.current_stream()
        self.stream.wait_stream(now)
        torch.cuda.set_sync_debug_mode("warn")
        try:
            with warnings.catch_warnings(record=True) as caught, torch.cuda.stream(self.stream):
                warnings.simplefilter("always")
                yield
        finally:
            torch.cuda.set_sync_debug_mode("default")
        now.wait_stream(self.stream)
        waits = [w for w in caught if "synchronizing CUDA operation" in str(w.message)]
        self.waits = f"the host waits in {waits[0].filename}:{waits[0].lineno}" if waits else None

    @contextlib.contextmanager
    def record(self) -> Iterator[Recording]:
        graph, now = torch.cuda.CUDAGraph(), torch.cuda.current_stream()
        # `thread_local`: other threads, such as one that fetches data, may make calls that a recording forbids.
        try:
            with torch.cuda.graph(graph, pool=self.pool, stream=self.stream, capture_error_mode="thread_local"):
                yield graph
        finally:
            torch.cuda.set_stream(now)  # a failed recording may leave another stream current


@dataclass
class _Programme:
    """One kind of iteration: its static inputs, its recording, and the turns whose tensors a replay writes."""

    inputs: Batch
    decay: Tensor
    runs: int = 0
    waits: str | None = None  # where the host waited in its last warm-up; the first may compile and choose kernels
    recording: Recording | None = None
    turns: Sequence[Turn] = field(default_factory=list)


class Capture:
    """Runs iterations: the first of each programme eagerly, then by replaying it. `tell` is called where that fails."""

    def __init__(self, recorder: Recorder, device: torch.device, tell: Callable[[str], None]):
        self.recorder, self.device, self.tell = recorder, device, tell
        self.programmes: dict[Any, _Programme] = {}
        self.broken = False

    def run(self, play: Callable[[Iteration], None], iteration: Iteration) -> Sequence[Turn]:
        """Play an iteration; returns its turns, whose tensors the next iteration of the same programme writes anew."""
        programme = self._programme_of(iteration)
        if programme is None:
            return played(play, iteration)
        for name, value in iteration.batch.items():
            programme.inputs[name].copy_(value, non_blocking=True)
        programme.decay.fill_(iteration.decay)
        static = Iteration(iteration.turns, programme.inputs, programme.decay)
        programme.runs += 1
        if programme.recording is None and programme.runs > WARM_UP and not self.broken:
            self._record(programme, play, static)
        if programme.recording is not None:
            programme.recording.replay()
            return programme.turns
        with self.recorder.warm():
            turns = played(play, static)
        programme.waits = self.recorder.waits
        return turns

    def _record(self, programme: _Programme, play: Callable[[Iteration], None], static: Iteration) -> None:
        reason = programme.waits
        if reason is None:
            try:
                with self.recorder.record() as recording:
                    play(static)
            except Exception as error:  # a user's own layer or loss may fail in any way
                reason = " ".join(str(error).split())[:300] or type(error).__name__
            else:
                programme.recording, programme.turns = recording, static.turns
        if reason is not None:
            self.broken = True
            self.tell(reason)

    def _programme_of(self, iteration: Iteration) -> _Programme | None:
        key = (
            tuple((turn.player, turn.plays, tuple(turn.due)) for turn in iteration.turns),
            tuple((name, value.shape, value.dtype) for name, value in iteration.batch.items()),
        )
        if key not in self.programmes:
            if len(self.programmes) >= MOST:
                return None
            inputs = {name: value.clone() for name, value in iteration.batch.items()}
            self.programmes[key] = _Programme(inputs, torch.zeros((), device=self.device))
        return self.programmes[key]


def played(play: Callable[[Iteration], None], iteration: Iteration) -> Sequence[Turn]:
    """Run an iteration eagerly, as `Capture.run` does where it does not record."""
    play(iteration)
    return iteration.turns


def capture_of(game: Any) -> Capture | None:
    """The `Capture` of a `GANModule` where capturing is on and possible; else None, and a printed line says why."""
    if game.recorder is None:
        return None
    if reason := why_not(game):
        tell(reason)
        return None
    return Capture(game.recorder(), game.device, tell)


def why_not(game: Any) -> str | None:
    """The reason why the iterations of a `GANModule` cannot be recorded, or None."""
    if not game.capturable:
        return "its family says that it cannot be"
    if game.trainer.world_size > 1:
        return "several processes"
    for name, player in game.players.items():
        if player.after_step is not None and not getattr(player.after_step, "capturable", False):
            return f"models.players.{name}.after_step reads the host's numbers"
        if name in game.schedules and not game.schedules[name].only_rates:
            return f"models.players.{name}.schedule changes more than the rate (cycle_momentum)"
        if changing := [option for option in player.ramps if option != "lr"]:
            return f"models.players.{name}.optimizer.{changing[0]} changes, which the host must tell every step"
        if reason := why_not_captured(game.optimizer_of(name)):
            return f"models.players.{name}.optimizer: {reason}"
    return None


def tell(reason: str) -> None:
    print(f"iterations are not captured, which is slower: {reason}", flush=True)
