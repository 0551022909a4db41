"""Is gantrain right and quick on this GPU? `PYTHONPATH=src python scripts/check_gpu.py`: one table, some six minutes.

No network, no data, no installation beside gantrain's own needs. Every part is guarded: one that fails is a row of the
table and hides no other. The exit code is 1 where a row says FAILED.

- tiny: every experiment at debug=tiny in bfloat16, with all callbacks, in processes side by side; float16 likewise.
- resume: twelve iterations, and six that are resumed for six more, are the same bits, captured, deterministic.
- capture: fifty iterations, captured and eager, end with the same weights but for rounding.
- verbs: sample, evaluate, upscale, translate and inpaint take runs of this GPU.
- memory and syncs: how much a captured run holds more than an eager one, and how often the host waits in an iteration.
- speed: a whole run against the tutorial's loop, the tight loop and the tight loop as a graph (scripts/benchmark.py).

float16 and capture pass over experiments whose classes another one has. `--cpu` rehearses what a machine without a GPU
can run; `--only PART ...` and `--experiments NAME ...` choose.
"""

import argparse
import contextlib
import io
import multiprocessing
import os
import platform
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # before CUDA is asked for anything: it is deterministic so
QUIET = ("callbacks.samples=null", "callbacks.networks=null", "logger=none", "evaluation=none")
# Of a whole run: the least speed against the tutorial's loop, and the options that it is measured with.
SPEEDS = {
    "dcgan_mnist": (5.0, ()),
    "gan_mnist": (7.0, ()),
    "dcgan_folder": (
        4.0,
        (
            "data.size=64",
            "networks.generator.width=64",
            "networks.discriminator.width=64",
            "trainer.precision=bf16-mixed",
        ),
    ),
}
PICTURE = ("in.png", "--out", "out")
USES = {
    ("dcgan_digits", "sample"): ("-n", "4", "--out", "out"),
    ("dcgan_digits", "evaluate"): ("evaluation.samples=64",),
    ("srgan_photos", "upscale"): PICTURE,
    ("pix2pix_folder", "translate"): PICTURE,
    ("pix2pix_folder", "evaluate"): (),
    ("inpaint_folder", "inpaint"): ("--hole", "2,2,9,9", *PICTURE),
    ("cyclegan_small", "translate"): PICTURE,
}
OF_GRAPH = 0.7  # the least speed of a whole run against the bare captured loop
MOST_MEMORY = 1.3  # of a captured run, against an eager one
PLAYED = ("networks", "losses", "models")
FAILURES = (Exception, SystemExit)  # each is a row of the table, which goes on; Ctrl-C ends it
ROUNDING = 1e-2  # the largest difference of a weight, in units of the largest weight of its tensor


class Row(NamedTuple):
    """One line of the table."""

    part: str
    name: str
    value: str
    good: bool = True


def program(words: Sequence[str]) -> tuple[int, str]:
    """Run gantrain in this process: its exit code, and what it printed where that is not 0."""
    from gantrain.cli.main import main

    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            code = main(list(words))
        except FAILURES:
            code = -1
            printed.write(traceback.format_exc())
    return code, "" if code == 0 else " ".join(printed.getvalue().split())[-400:]


@contextlib.contextmanager
def elsewhere() -> Iterator[Path]:
    """A folder of its own, which is the working directory meanwhile."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ["GANTRAIN_CACHE"] = str(Path(folder, "cache"))
        os.chdir(folder)
        try:
            yield Path(folder)
        finally:
            os.chdir(before)


@contextlib.contextmanager
def without_reports() -> Iterator[None]:
    """No report.html meanwhile: to draw one takes longer than a tiny training."""
    from gantrain.training import fit

    drawn, fit.report = fit.report, lambda run, config: None
    try:
        yield
    finally:
        fit.report = drawn


def tiny(experiment: str, *words: str, iterations: int | None = None, run: str = "run") -> list[str]:
    from gantrain.config.compose import composed
    from gantrain.config.stages import stages_of

    stated = [f"experiment={experiment}", "debug=tiny", *words]
    lengths = []
    if iterations is not None:
        lengths = [f"{stage.key('iterations')}={iterations}" for stage in stages_of(composed(stated, None))]
    return [*stated, *lengths, f"hydra.run.dir={run}"]


def weights(run: str) -> dict[str, Any]:
    """Every tensor of the networks and the EMA in a run's last checkpoint."""
    from gantrain.config.stages import stages_of
    from gantrain.run.folder import Run

    opened = Run.open(run)
    state = opened.newest(stages_of(opened.config())[-1].name)
    parts = {**state["networks"], **{f"ema of {name}": part for name, part in state["ema"].items()}}
    return {f"{name}.{key}": value for name, part in parts.items() for key, value in part.items()}


# ---- parts that run in processes side by side: each gives what is wrong, or nothing ----------------------------------


def trains(experiment: str, precision: str, accelerator: str) -> str:
    with elsewhere(), contextlib.nullcontext() if precision == "bf16-mixed" else without_reports():
        return program(tiny(experiment, f"trainer.precision={precision}", f"trainer.accelerator={accelerator}"))[1]


def resumes(experiment: str, accelerator: str) -> str:
    import torch

    same = (*QUIET, "trainer.deterministic=true", f"trainer.accelerator={accelerator}")
    # Of several stages the last alone is longer: those before it are the same in both runs.
    longer = [word for word in tiny(experiment, iterations=12) if "iterations=" in word][-1]
    with elsewhere(), without_reports():
        for words in (
            [*tiny(experiment, *same, iterations=6, run="straight"), longer],
            tiny(experiment, *same, iterations=6, run="stopped"),
            ["resume", "stopped", longer],
        ):
            code, said = program(words)
            if code:
                return said
        a, b = weights("straight"), weights("stopped")
        wrong = [key for key in a if not torch.equal(a[key], b[key])]
        return f"{len(wrong)} of {len(a)} tensors differ, first {wrong[0]}" if wrong else ""


def captures(experiment: str, accelerator: str) -> str:
    same = (*QUIET, "trainer.deterministic=true", "trainer.tf32=false", f"trainer.accelerator={accelerator}")
    with elsewhere(), without_reports():
        for capture in ("auto", "none"):
            code, said = program(tiny(experiment, *same, f"trainer.capture={capture}", iterations=50, run=capture))
            if code:
                return said
        far = distances("auto", "none")
        if max(far.values()) > ROUNDING:
            # A bias before a batch norm has a gradient of rounding errors alone, and some optimizers scale that up.
            words = tiny(
                experiment, *same, "trainer.capture=none", *nearly_the_same(experiment), iterations=50, run="by"
            )
            code, said = program(words)
            if code:
                return said
            by_rounding = distances("by", "none")
            far = {key: value for key, value in far.items() if by_rounding[key] <= ROUNDING}
        worst = max(far, key=far.get)
        if far[worst] <= ROUNDING:
            return ""
        told = f"{worst} differs by {far[worst]:.2g} of its size"
        return f"{told}; a change of the rate in its seventh digit moves it by {by_rounding[worst]:.2g}"


def distances(run: str, other: str) -> dict[str, float]:
    """The largest difference of each tensor of two runs' networks, in units of its largest value."""
    a, b = weights(run), weights(other)
    return {
        key: float((a[key].double() - b[key].double()).abs().max() / (b[key].double().abs().max() + 1e-6))
        for key in a
        if a[key].is_floating_point() and a[key].numel()
    }


def nearly_the_same(experiment: str) -> list[str]:
    """Words that change the rates of an experiment's players in their seventh digit."""
    from gantrain.config.compose import composed
    from gantrain.config.stages import stages_of

    return [
        f"{stage.key('models')}.players.{name}.optimizer.lr={player['optimizer']['lr'] * (1 + 1e-7)}"
        for stage in stages_of(composed([f"experiment={experiment}", "debug=tiny"], None))
        for name, player in stage.config["models"]["players"].items()
    ]


def uses(experiment: str, verb: str, accelerator: str) -> str:
    from PIL import Image

    with elsewhere():
        Image.effect_noise((40, 30), 90).convert("RGB").save("in.png")
        _, said = program(tiny(experiment, f"trainer.accelerator={accelerator}"))
        return said or program([verb, "run", *USES[experiment, verb]])[1]


# ---- parts that need the GPU for themselves --------------------------------------------------------------------------


def memory() -> Iterator[Row]:
    import torch

    peaks = {}
    for capture in ("none", "auto"):
        with elsewhere():
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
            words = ["experiment=dcgan_folder", "debug=tiny", "data.size=64", "data.batch_size=64", "iterations=30"]
            words += ["networks.generator.width=64", "networks.discriminator.width=64", "data.dataset.count=256"]
            code, said = program([*words, *QUIET, f"trainer.capture={capture}", "hydra.run.dir=run"])
            if code:
                yield Row("memory", f"capture={capture}", said, False)
                return
            peaks[capture] = torch.cuda.max_memory_reserved()
    ratio = peaks["auto"] / peaks["none"]
    told = f"{peaks['auto'] / 2**20:,.0f} MiB captured, {peaks['none'] / 2**20:,.0f} eager: {ratio:.2f} times"
    yield Row("memory", "dcgan_folder 64x64, batches of 64", told, ratio <= MOST_MEMORY)


def syncs() -> Iterator[Row]:
    import pytorch_lightning as pl
    import torch

    from gantrain.config.compose import composed
    from gantrain.config.finalise import make_absolute
    from gantrain.config.stages import stages_of
    from gantrain.run.folder import Run
    from gantrain.training.fit import fit
    from gantrain.training.prepare import prepare

    class Counted(pl.Callback):
        """Warnings of torch about calls that wait, in the iterations 11 to 30."""

        def __init__(self) -> None:
            self.found: list[warnings.WarningMessage] = []

        def on_train_batch_start(self, trainer: Any, module: Any, batch: Any, index: int) -> None:
            if module.iteration == 10:
                self.caught = warnings.catch_warnings(record=True)
                self.found = self.caught.__enter__()
                warnings.simplefilter("always")
                torch.cuda.set_sync_debug_mode("warn")

        def on_train_batch_end(self, trainer: Any, module: Any, *args: Any) -> None:
            if module.iteration == 30:
                torch.cuda.set_sync_debug_mode("default")
                self.caught.__exit__(None, None, None)

    for experiment in ("dcgan_mnist", "wgangp_mnist", "cyclegan_small"):
        for capture in ("auto", "none"):
            with elsewhere():
                words = tiny(
                    experiment, *QUIET, "callbacks.metrics.every=1000", f"trainer.capture={capture}", iterations=31
                )
                config = composed(words[:-1], None)
                make_absolute(config)
                counted = Counted()
                with contextlib.redirect_stdout(io.StringIO()):
                    ready = prepare(stages_of(config))
                    ready[0].callbacks.append(counted)
                    fit(ready, Run.create(Path("run"), config), config)
                waits = [w for w in counted.found if "synchroniz" in str(w.message)]
                places = sorted({f"{Path(w.filename).name}:{w.lineno}" for w in waits})
                told = f"{len(waits) / 20:.2f} an iteration {', '.join(places[:4])}"
                yield Row("syncs", f"{experiment}, capture={capture}", told, not waits)


def speed(rounds: int, iterations: int) -> Iterator[Row]:
    from benchmark import measured

    from gantrain.training.quiet import quiet_libraries

    quiet_libraries()
    for experiment, (least, words) in SPEEDS.items():
        with elsewhere(), contextlib.redirect_stdout(io.StringIO()):
            seconds, batch = measured(experiment, rounds, iterations, list(words))
        for name, value in seconds.items():
            yield Row("speed", f"{experiment}: {name}", f"{batch / value:,.0f} images/s")
        for name, bound in (("tutorial", least), ("tight", 1.0), ("graph", OF_GRAPH)):
            if name in seconds:
                ratio = seconds[name] / seconds["run"]
                yield Row(
                    "speed", f"{experiment}: run against {name}", f"{ratio:.2f}, at least {bound}", ratio >= bound
                )


# ---- the table -------------------------------------------------------------------------------------------------------


def guarded(part: str, rows: Callable[[], Iterator[Row]]) -> Iterator[Row]:
    """The rows of a part; an error is one more row."""
    try:
        yield from rows()
    except FAILURES as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        told = (
            f"{type(error).__name__}: {' '.join(str(error).split())[:300]} ({Path(last.filename).name}:{last.lineno})"
        )
        yield Row(part, "stopped", told, False)


def timed(job: Callable[..., str], *args: str) -> tuple[str, float]:
    began = time.monotonic()
    try:
        return job(*args), time.monotonic() - began
    except FAILURES as error:
        return f"{type(error).__name__}: {error}", time.monotonic() - began


def side_by_side(jobs: dict[tuple[str, str], tuple], workers: int, limit: float) -> Iterator[Row]:
    """The rows of jobs that run in processes of their own: (part, name) to a function and its arguments.

    One that is not done after `limit` seconds is a row that says so, and is ended.
    """
    late, taken = time.monotonic() + limit, []
    os.environ["OMP_NUM_THREADS"] = "1"  # the processes have the cores among them
    with multiprocessing.get_context("spawn").Pool(workers) as pool:  # which ends its processes when it is left
        started = {key: pool.apply_async(timed, job) for key, job in jobs.items()}
        for (part, name), result in started.items():
            try:
                said, seconds = result.get(timeout=max(0.0, late - time.monotonic()))
                taken.append((seconds, f"{part} {name}"))
            except multiprocessing.TimeoutError:
                said = f"not done after {limit:.0f} s"
            yield Row(part, name, said or "right", not said)
    longest = ", ".join(f"{name} {seconds:.0f} s" for seconds, name in sorted(taken, reverse=True)[:5])
    print(
        f"{len(taken)} jobs, {sum(seconds for seconds, _ in taken):,.0f} s in all; the longest: {longest}", flush=True
    )


def by_length(names: Sequence[str]) -> dict[str, set[str]]:
    """The classes that each experiment plays with, those with the most stages first: they take longest."""
    from gantrain.config.compose import composed
    from gantrain.config.stages import stages_of

    found = {name: stages_of(composed(tiny(name), None)) for name in names}
    ordered = sorted(found.items(), key=lambda item: -len(item[1]))
    return {name: classes([[stage.config[key] for key in PLAYED] for stage in stages]) for name, stages in ordered}


def classes(node: Any) -> set[str]:
    """The classes that a node of a config names."""
    if isinstance(node, dict):
        return set().union(*map(classes, node.values()), {node["_target_"]} if "_target_" in node else set())
    return set().union(*map(classes, node)) if isinstance(node, list) else set()


def without_alike(played: dict[str, set[str]]) -> list[str]:
    """Experiments of whose classes no other has all; of several that have the same ones the first."""
    names = list(played)
    return [
        name
        for i, name in enumerate(names)
        if not any(played[name] < played[o] or (played[name] == played[o] and j < i) for j, o in enumerate(names))
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cpu", action="store_true", help="rehearse what a machine without a GPU can run")
    parser.add_argument("--only", nargs="*", default=[], metavar="PART")
    parser.add_argument("--experiments", nargs="*", default=[], metavar="NAME")
    workers = min(15, os.cpu_count() or 1)
    parser.add_argument("--workers", type=int, default=workers, help=f"processes side by side ({workers})")
    parser.add_argument("--limit", type=float, default=300, help="seconds for what runs side by side (300)")
    parser.add_argument("--rounds", type=int, default=20, help="of the loops that are timed (20)")
    parser.add_argument("--iterations", type=int, default=100, help="of a round (100)")
    args = parser.parse_args()
    import torch

    from gantrain.folders import configs_folder

    if not args.cpu and not torch.cuda.is_available():
        print("check_gpu: PyTorch finds no GPU here; --cpu rehearses what can be run without one", file=sys.stderr)
        return 2
    accelerator = "cpu" if args.cpu else "gpu"
    played = by_length(args.experiments or sorted(f.stem for f in (configs_folder() / "experiment").glob("*.yaml")))
    distinct = without_alike(played)
    jobs: dict[tuple[str, str], tuple] = {
        **{("resume", name): (resumes, name, accelerator) for name in played},
        **{("capture", name): (captures, name, accelerator) for name in distinct},
        **{("verbs", " ".join(key)): (uses, *key, accelerator) for key in USES},
        **{("tiny", f"{name} bf16-mixed"): (trains, name, "bf16-mixed", accelerator) for name in played},
    }
    if not args.cpu:
        jobs |= {("tiny", f"{name} 16-mixed"): (trains, name, "16-mixed", accelerator) for name in distinct}
    jobs = {key: job for key, job in jobs.items() if not args.only or key[0] in args.only}
    alone: dict[str, Callable[[], Iterator[Row]]] = {}
    if not args.cpu:
        alone = {"memory": memory, "syncs": syncs, "speed": lambda: speed(args.rounds, args.iterations)}
    card = torch.cuda.get_device_name() if not args.cpu else platform.processor() or "cpu"
    print(f"{card}, torch {torch.__version__}, Python {platform.python_version()}, {os.cpu_count()} cores", flush=True)
    began, rows = time.monotonic(), []
    parts = [("side by side", lambda: side_by_side(jobs, args.workers, args.limit)), *alone.items()]
    for part, make in parts:
        if args.only and part not in (*args.only, "side by side"):
            continue
        for row in guarded(part, make):
            rows.append(row)
            if not row.good or row.part in alone:
                print(f"{'ok' if row.good else 'FAILED':<7} {row.part:<8} {row.name:<44} {row.value}", flush=True)
    for part in ("tiny", "resume", "capture", "verbs"):
        of_part = [row for row in rows if row.part == part]
        if of_part:
            print(f"{sum(row.good for row in of_part):>4} of {len(of_part):>3} {part}")
    failed = sum(not row.good for row in rows)
    print(f"{failed} failed of {len(rows)}, {time.monotonic() - began:.0f} s", flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
