"""A run whose processes are started by a launcher, torchrun or SLURM's srun, on one machine or several.

Every process runs the same command. Rank 0 reads it, and tells the others which stage of which run to train; they wait
for its orders until it dismisses them. Lightning's cluster environments say where the processes meet.
"""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gantrain.errors import UserError, one_line

if TYPE_CHECKING:
    from lightning_fabric.plugins.environments import ClusterEnvironment

    from gantrain.run.folder import Run

ARRIVAL = 300.0
"""Seconds that processes wait for each other when they start; `$GANTRAIN_ARRIVAL` is another number."""
PATIENCE = timedelta(days=7)
"""How long a process waits for the next order: rank 0 may fill a cache for hours. A lost process is noticed at once."""
LOST = ("gloo", "NCCL", "onnection reset", "onnection closed", "roken pipe", "recvValue failed")

MARK = ".hydra/job"
"""In a run's folder: the job of a cluster that began it."""

_joined: "Launch | None" = None
_started: "Launch | None" = None


@dataclass(frozen=True)
class Launch:
    """This process, number `rank`, and the `processes` that a launcher has started together.

    `job` names the launcher's job; `restarted` says whether it was preempted and started again.
    """

    launcher: str
    rank: int
    processes: int
    on_machine: int  # processes of this machine
    job: str | None
    restarted: bool

    @property
    def machines(self) -> int:
        return self.processes // self.on_machine

    def environment(self) -> "ClusterEnvironment":
        from lightning_fabric.plugins.environments import SLURMEnvironment, TorchElasticEnvironment

        return TorchElasticEnvironment() if self.launcher == "torchrun" else SLURMEnvironment(auto_requeue=False)


def launched(environ: Mapping[str, str]) -> Launch | None:
    """The launch that the variables of torchrun or srun describe; None where no launcher has started this process.

    Raises UserError for values that no launcher sets, and for machines with different numbers of processes.
    """
    if "TORCHELASTIC_RUN_ID" in environ and {"RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR"} <= set(environ):
        launch = _by_torchrun(environ)
    elif "SLURM_PROCID" in environ and environ.get("SLURM_JOB_NAME") not in ("bash", "interactive"):
        launch = _by_srun(environ)
    else:
        return None
    if launch.rank >= launch.processes:
        raise UserError(
            f"{launch.launcher} calls this process number {launch.rank} of {launch.processes}, counted from 0; start "
            f"the same command everywhere"
        )
    if launch.processes % launch.on_machine:
        raise UserError(
            f"{launch.launcher} has started {launch.processes} processes, {launch.on_machine} on this machine; "
            f"start as many on each machine"
        )
    return launch


def _by_torchrun(environ: Mapping[str, str]) -> Launch:
    name = environ["TORCHELASTIC_RUN_ID"]
    return Launch(
        launcher="torchrun",
        rank=_number(environ, "RANK", 0, 0),
        processes=_number(environ, "WORLD_SIZE"),
        on_machine=_number(environ, "LOCAL_WORLD_SIZE"),
        job=None if name == "none" else f"torchrun {name}",
        restarted=_number(environ, "TORCHELASTIC_RESTART_COUNT", 0, 0) > 0,
    )


def _by_srun(environ: Mapping[str, str]) -> Launch:
    tasks = _number(environ, "SLURM_NTASKS")
    on_each = max(tasks // _number(environ, "SLURM_NNODES"), 1)
    return Launch(
        launcher="SLURM",
        rank=_number(environ, "SLURM_PROCID", 0, 0),
        processes=tasks,
        on_machine=_number(environ, "SLURM_NTASKS_PER_NODE", on_each),
        job=f"SLURM {environ['SLURM_JOB_ID']}" if "SLURM_JOB_ID" in environ else None,
        restarted=_number(environ, "SLURM_RESTART_COUNT", 0, 0) > 0,
    )


def _number(environ: Mapping[str, str], name: str, default: int = 1, least: int = 1) -> int:
    text = environ.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and least <= int(text[:10])):
        raise UserError(
            f"${name} is {text!r}, and a launcher sets a whole number of {least} or more; start with torchrun or "
            f"srun, or unset it"
        )
    return int(text[:10])


def joined() -> Launch | None:
    """The launch that this process takes part in, or None."""
    return _joined


def lead(launch: Launch, work: Callable[[], int]) -> int:
    """Run `work` on rank 0 while the others follow; all end with its exit code. Raises UserError if one is missing."""
    _join(launch)
    code = 1
    try:
        code = work()
        return code
    except UserError as error:
        code = error.exit_code
        raise
    except RuntimeError as error:
        if not lost(error):
            raise
        code = UserError.exit_code
        raise UserError("another process of the run has ended before training began") from error
    finally:
        with contextlib.suppress(RuntimeError):  # they may be gone
            _say({"leave": code})
        _part()


def follow(launch: Launch) -> int:
    """Take part in all stages that rank 0 trains; returns the exit code."""
    from gantrain.training.worker import take_part

    try:
        _join(launch)
        while "leave" not in (order := _hear()):
            take_part(order["folder"], order["stage"], order["plugins"])
        return int(order["leave"])
    except RuntimeError as error:
        if not lost(error):
            raise
        print(f"gantrain: process {launch.rank}: another process of the run has ended", file=sys.stderr, flush=True)
        return 1
    finally:
        _part()


def call(folder: str, stage: str, plugins: str) -> None:
    """On rank 0: let the others begin a stage. Raises UserError with the reason if one of them cannot."""
    _say({"folder": folder, "stage": stage, "plugins": plugins})
    agree(None)


def agree(trouble: str | None) -> None:
    """Every process tells its `trouble`, if any. If there is some, all of them raise UserError."""
    import torch.distributed as dist

    told: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(told, trouble)
    for rank, sentence in enumerate(told):
        if sentence is not None:
            raise UserError(f"process {rank} of {len(told)}: {sentence}")


def lost(error: BaseException) -> bool:
    """Whether the error means that another process is gone."""
    return isinstance(error, RuntimeError) and any(word in str(error) for word in LOST)


def place(trainer: dict[str, Any], named: Collection[str]) -> None:
    """Set a config's `devices` and `num_nodes` to what the launcher has started.

    Raises UserError where the user has `named` other numbers, or where no launcher starts the other machines.
    """
    nodes = trainer.get("num_nodes", 1)
    if _joined is None and nodes > 1:
        raise UserError(
            f"trainer.num_nodes={nodes}: nothing has started the other machines; start the command on each of them, by "
            f"`torchrun --nnodes {nodes} --nproc-per-node N -m gantrain ...` or by srun, or set trainer.num_nodes=1"
        )
    if _joined is not None:
        for key, count in (("devices", _joined.on_machine), ("num_nodes", _joined.machines)):
            if f"trainer.{key}" in named and trainer[key] != count:
                what = "processes on each machine" if key == "devices" else "machines"
                raise UserError(
                    f"trainer.{key}={trainer[key]}: {_joined.launcher} has started {count} {what}; leave the key out"
                )
            trainer[key] = count


def remember(launch: Launch | None) -> None:
    """Note the launch of this process, also if it is the only process."""
    global _started
    _started = launch


def mark(run: "Run") -> None:
    """Write the job into the run's folder, by which `begun_before` finds the run."""
    if _started is not None and _started.job is not None:
        (run.folder / MARK).write_text(_started.job, encoding="utf-8")


def begun_before(folder: Path) -> "Run | None":
    """The run that this job began before it was preempted and restarted, in `folder` or beside it; None without one."""
    if _started is None or not _started.restarted:
        return None
    from gantrain.run.folder import Run

    mark = folder / MARK  # of another job where two began in one second
    if (folder / ".hydra" / "config.yaml").is_file() and (
        not mark.is_file() or mark.read_text(encoding="utf-8") == _started.job
    ):
        return Run.open(folder)
    marks = [mark for mark in folder.parent.glob(f"*/{MARK}") if mark.read_text(encoding="utf-8") == _started.job]
    newest = max(marks, key=lambda mark: mark.stat().st_mtime, default=None)
    return None if newest is None else Run.open(newest.parents[1])


def _join(launch: Launch) -> None:
    """Meet all others. While this waits, Ctrl-C ends the process at once: torch's waiting runs no Python handler."""
    global _joined
    import torch
    import torch.distributed as dist

    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    address = _set_address(launch)
    seconds = float(os.environ.get("GANTRAIN_ARRIVAL", ARRIVAL))
    missing = UserError(
        f"{launch.launcher} has promised {launch.processes} processes, but not all of them came to "
        f"{address} within {seconds:.0f} s; start the same command everywhere"
    )
    try:
        store, *_ = next(dist.rendezvous("env://", timeout=timedelta(seconds=seconds)))
        _wait_for_all(store, launch, seconds, missing)
    except dist.DistError as error:
        raise missing from error
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() and dist.is_nccl_available() else "gloo"
    dist.init_process_group(backend, store=store, rank=launch.rank, world_size=launch.processes, timeout=PATIENCE)
    _joined = launch
    if launch.rank == 0:
        signal.signal(signal.SIGINT, before)


def _set_address(launch: Launch) -> str:
    """Tell torch in `os.environ` where the processes meet and which one this is; the address. Raises UserError."""
    try:
        environment = launch.environment()
        host, port = environment.main_address, environment.main_port
        if not 0 < port < 1 << 16:
            raise ValueError(f"there is no port {port}")
    except (RuntimeError, ValueError) as error:  # Lightning's, of $MASTER_PORT or of --ntasks without --ntasks-per-node
        raise UserError(
            f"{launch.launcher} has set what cannot be used ({one_line(error)[:200]}); look at $MASTER_PORT, and at "
            f"--ntasks-per-node of SLURM"
        ) from error
    os.environ |= {"MASTER_ADDR": host, "MASTER_PORT": str(port)}
    os.environ |= {"RANK": str(launch.rank), "WORLD_SIZE": str(launch.processes)}
    return f"{host}:{port}"


def _wait_for_all(store: Any, launch: Launch, seconds: float, missing: UserError) -> None:
    began, told = time.monotonic(), False
    store.add("gantrain/arrived", 1)
    while (count := store.add("gantrain/arrived", 0)) < launch.processes:
        waited = time.monotonic() - began
        if waited > seconds:
            raise missing
        if waited > 5 and launch.rank == 0 and not told:
            print(f"gantrain: {count} of {launch.processes} processes are here; waiting", file=sys.stderr, flush=True)
            told = True
        time.sleep(0.1)


def _part() -> None:
    global _joined
    import torch.distributed as dist

    if dist.is_initialized():
        dist.destroy_process_group()
    _joined = None


def _say(order: dict[str, Any]) -> None:
    import torch
    import torch.distributed as dist

    dist.broadcast_object_list([order], src=0, device=torch.device("cpu"))


def _hear() -> dict[str, Any]:
    import torch
    import torch.distributed as dist

    orders: list[Any] = [None]
    dist.broadcast_object_list(orders, src=0, device=torch.device("cpu"))
    return orders[0]
