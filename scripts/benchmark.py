"""How fast a whole run is, against the loops that people write: `python scripts/benchmark.py [EXPERIMENT ...]`.

A run of gantrain with logger, samples and checkpoints is stopped every few iterations, and the other loops take their
turn: so all are measured in the same minutes. They train networks of the same config on data of the same shape: random
pictures, in memory. They are what people write: torch's own dropout in place of gantrain's, and on a CPU a process of
their own, since a run has the C library keep memory that was freed, which would serve every loop in its process.

- tutorial: as tutorials write it. Plain Adam, a backward pass for real and one for fake pictures, two `.item()` a step.
- tight: one generator pass for both turns, fused Adam, nothing read back. On a GPU the data lie there.
- graph: the tight step as one CUDA graph. On a GPU alone.

The ratios are medians over the rounds. `--check` ends with exit code 1 where one misses its target.
"""

import argparse
import contextlib
import functools
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
import torch.nn.functional as F
from torch import nn

from gantrain.config.compose import composed
from gantrain.config.stages import stages_of
from gantrain.networks.dropout import Dropout
from gantrain.run.folder import Run
from gantrain.training.assemble import build_networks
from gantrain.training.fit import fit, make_absolute
from gantrain.training.machine import accelerator
from gantrain.training.prepare import prepare
from gantrain.training.quiet import quiet_libraries

COUNT = 4096  # pictures
# On two cores of a CPU: the most time that a run may take of the tight loop's, and the least that the tutorial's takes
# of a run's.
TARGETS = {"dcgan_mnist": (1.05, 1.3), "gan_mnist": (1.15, 2.0)}


class Bare:
    """A loop over networks and optimizers that a config names; `kind` is tutorial, tight or graph."""

    def __init__(self, kind: str, config: dict[str, Any], device: str, bf16: bool = False):
        self.kind, self.device, self.bf16 = kind, device, bf16
        (stage,) = stages_of(config)
        networks = build_networks([stage])
        for layer in (layer for network in networks.values() for layer in network.modules()):
            if isinstance(layer, Dropout):
                layer.__class__ = nn.Dropout
        self.generator, self.discriminator = networks["generator"].to(device), networks["discriminator"].to(device)
        data, players = stage.config["data"], stage.config["models"]["players"]
        self.n, self.z_dim, self.range = data["batch_size"], self.generator.z_dim, data["range"]
        self.fresh = bool(stage.config["models"].get("fresh_noise"))
        self.tight = kind != "tutorial"
        if bf16 and device == "cuda":
            for network in networks.values():
                network.to(memory_format=torch.channels_last)
        options = {"fused": True, "capturable": kind == "graph"} if self.tight else {}
        self.of_generator, self.of_discriminator = (
            torch.optim.Adam(
                network.parameters(),
                lr=players[name]["optimizer"]["lr"],
                betas=players[name]["optimizer"].get("betas", (0.9, 0.999)),
                eps=players[name]["optimizer"].get("eps", 1e-8),
                **options,
            )
            for name, network in (("generator", self.generator), ("discriminator", self.discriminator))
        )
        channels = data["channels"]
        pictures = torch.randint(0, 256, (COUNT, channels, data["size"], data["size"]), dtype=torch.uint8)
        self.pictures = pictures.to(device) if self.tight else pictures
        self.one, self.zero = (torch.full((self.n,), value, device=device) for value in (1.0, 0.0))
        self.graph = self.captured() if kind == "graph" else None

    def real(self, pixels: torch.Tensor) -> torch.Tensor:
        low, high = self.range
        return pixels.float().mul_((high - low) / 255).add_(low)

    def noise(self) -> torch.Tensor:
        return torch.randn(self.n, self.z_dim, device=self.device)

    def step(self) -> None:
        rows = torch.randint(0, COUNT, (self.n,))
        if self.kind == "tutorial":
            self.tutorial(self.real(self.pictures[rows].to(self.device)))
        elif self.graph is None:
            self.tightly(self.pictures[rows.to(self.device, non_blocking=True)])
        else:
            self.static.copy_(self.pictures[rows.to(self.device, non_blocking=True)])
            self.graph.replay()

    def tutorial(self, real: torch.Tensor) -> None:
        judge, loss = self.discriminator, F.binary_cross_entropy_with_logits
        self.of_discriminator.zero_grad()
        with torch.autocast(self.device, torch.bfloat16, enabled=self.bf16):
            of_real = loss(judge(real), self.one)
        of_real.backward()
        with torch.autocast(self.device, torch.bfloat16, enabled=self.bf16):
            fake = self.generator(self.noise())
            of_fake = loss(judge(fake.detach()), self.zero)
        of_fake.backward()
        self.of_discriminator.step()
        self.of_generator.zero_grad()
        with torch.autocast(self.device, torch.bfloat16, enabled=self.bf16):
            cost = loss(judge(self.generator(self.noise()) if self.fresh else fake), self.one)
        cost.backward()
        self.of_generator.step()
        (of_real + of_fake).item(), cost.item()

    def tightly(self, pixels: torch.Tensor) -> None:
        judge, loss = self.discriminator, F.binary_cross_entropy_with_logits
        with torch.autocast(self.device, torch.bfloat16, enabled=self.bf16):
            with torch.set_grad_enabled(not self.fresh):
                fake = self.generator(self.noise())
            of_real, of_fake = judge(self.real(pixels)), judge(fake.detach())
        self.of_discriminator.zero_grad(set_to_none=True)
        (loss(of_real.float(), self.one) + loss(of_fake.float(), self.zero)).backward()
        self.of_discriminator.step()
        judge.requires_grad_(False)
        with torch.autocast(self.device, torch.bfloat16, enabled=self.bf16):
            logits = judge(self.generator(self.noise()) if self.fresh else fake)
        self.of_generator.zero_grad(set_to_none=True)
        loss(logits.float(), self.one).backward()
        self.of_generator.step()
        judge.requires_grad_(True)

    def captured(self) -> Any:
        self.static = torch.zeros(self.n, *self.pictures.shape[1:], dtype=torch.uint8, device=self.device)
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(4):
                self.tightly(self.static)
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.tightly(self.static)
        return graph


def timed(loop: Bare, iterations: int) -> float:
    """The seconds of so many iterations."""
    began = time.perf_counter()
    for _ in range(iterations):
        loop.step()
    if loop.device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - began


def apart(stack: contextlib.ExitStack, kind: str, config: dict[str, Any]) -> Callable[[int], float]:
    """`timed` of a loop on the CPU in a process of its own, which ends with `stack`."""
    spawn = multiprocessing.get_context("spawn")
    process = stack.enter_context(ProcessPoolExecutor(1, spawn, begin_apart, (kind, config)))
    return lambda iterations: process.submit(timed_apart, iterations).result()


def begin_apart(kind: str, config: dict[str, Any]) -> None:
    global alone
    if config["trainer"].get("threads"):
        torch.set_num_threads(config["trainer"]["threads"])
    alone = Bare(kind, config, "cpu", config["trainer"]["precision"] == "bf16-mixed")


def timed_apart(iterations: int) -> float:
    return timed(alone, iterations)


class Interleaved(pl.Callback):
    """Times so many iterations of the run, then as many of each other loop, round by round; the first is a warm-up."""

    def __init__(self, loops: dict[str, Callable[[int], float]], iterations: int, synchronise: Callable[[], None]):
        self.loops, self.iterations, self.synchronise = loops, iterations, synchronise
        self.every = iterations  # rounds of iterations on a GPU end there
        self.seconds: dict[str, list[float]] = {"run": [], **{name: [] for name in loops}}
        self._since = 0.0

    def on_train_start(self, trainer: pl.Trainer, module: Any) -> None:
        self._since = time.perf_counter()

    def on_train_batch_end(self, trainer: pl.Trainer, module: Any, *args: Any) -> None:
        if module.iteration % self.iterations:
            return
        self.synchronise()
        self.seconds["run"].append(time.perf_counter() - self._since)
        for name, loop in self.loops.items():
            self.seconds[name].append(loop(self.iterations))
        self._since = time.perf_counter()


def measured(experiment: str, rounds: int, iterations: int, words: list[str]) -> tuple[dict[str, float], int]:
    """The median seconds of an iteration of each loop, and the size of a batch."""
    config = composed([f"experiment={experiment}", f"iterations={(rounds + 1) * iterations}", *words], None)
    classes = config["data"].get("classes")
    config["data"]["dataset"] = {
        "_target_": "gantrain.data.synthetic.Synthetic", "count": COUNT, "classes": classes
    }  # fmt: skip
    device = accelerator(config["trainer"])
    bf16 = config["trainer"]["precision"] == "bf16-mixed"
    synchronise = torch.cuda.synchronize if device == "cuda" else (lambda: None)
    with contextlib.ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        if device == "cuda":
            kinds = ("tutorial", "tight", "graph")
            loops = {kind: functools.partial(timed, Bare(kind, config, device, bf16)) for kind in kinds}
        else:
            loops = {kind: apart(stack, kind, config) for kind in ("tutorial", "tight")}
        timing = Interleaved(loops, iterations, synchronise)
        make_absolute(config)
        ready = prepare(stages_of(config))
        ready[0].callbacks.append(timing)
        fit(ready, Run.create(Path(folder, "run"), config), config)
    seconds = {name: statistics.median(times[1:]) / iterations for name, times in timing.seconds.items()}
    return seconds, config["data"]["batch_size"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiments", nargs="*", default=list(TARGETS), metavar="EXPERIMENT")
    parser.add_argument("--rounds", type=int, default=15, help="of every loop (15)")
    parser.add_argument("--iterations", type=int, default=40, help="of a round (40)")
    parser.add_argument("--set", action="append", default=[], metavar="key=value", help="for the run, as in training")
    parser.add_argument("--check", action="store_true", help="exit with 1 where a target is missed")
    args = parser.parse_args()
    quiet_libraries()
    missed = False
    for experiment in args.experiments:
        seconds, batch = measured(experiment, args.rounds, args.iterations, args.set)
        print(f"\n{experiment}, batches of {batch}, torch {torch.__version__}, {torch.get_num_threads()} threads")
        for name, value in seconds.items():
            times = f"{value / seconds['run']:5.2f} times the run's time" if name != "run" else ""
            print(f"  {name:<9} {1000 * value:8.2f} ms an iteration {batch / value:10,.0f} images/s  {times}")
        most, least = TARGETS.get(experiment, (float("inf"), 0.0))
        missed |= seconds["run"] > most * seconds["tight"] or seconds["tutorial"] < least * seconds["run"]
    return int(missed and args.check)


if __name__ == "__main__":
    sys.exit(main())
