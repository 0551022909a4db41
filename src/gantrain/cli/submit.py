"""`gantrain submit --nodes 2 --gpus 4 --hours 12 experiment=X`: start a run on a SLURM cluster, by submitit.

It starts one process for each GPU, or --tasks processes on each node. A job that is preempted, or whose time is over,
enters the queue again and resumes its run. What can be checked here is checked before the job enters the queue.

Examples:
    gantrain submit --gpus 4 --hours 24 --partition long experiment=stylegan2_faces data.root=FOLDER
"""

import argparse
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gantrain.cli.options import Add
from gantrain.cli.resume import changed
from gantrain.config.compose import composed, near_keys
from gantrain.errors import UserError


def add_options(add: Add) -> None:
    add("words", nargs="+", metavar="key=value", help="what a run takes, or `resume RUN`")
    add("--nodes", type=int, default=1, metavar="N", help="machines (1)")
    add("--gpus", type=int, default=0, metavar="N", help="GPUs of each machine (0: none)")
    add("--tasks", type=int, metavar="N", help="processes on each machine (as many as GPUs, at least 1)")
    add("--cpus", type=int, default=4, metavar="N", help="cores of each process (4)")
    add("--memory", type=int, metavar="GB", help="of each machine")
    add("--hours", type=float, default=24.0, metavar="H", help="how long it may take (24)")
    add("--partition", metavar="NAME", help="of the cluster")
    add("--logs", type=Path, default=Path("slurm"), metavar="FOLDER", help="where the job's output goes (slurm)")
    add("--cluster", choices=("slurm", "local"), default="slurm", help="local: a process of this machine, to try it")


class Train:
    """What the job does: the program with these words. Its `checkpoint` lets it be queued again with the same ones."""

    def __init__(self, words: Sequence[str]):
        self.words = list(words)

    def __call__(self) -> int:
        from gantrain.cli.main import main

        return main(self.words)

    def checkpoint(self) -> Any:
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)


def check(words: Sequence[str]) -> None:
    """Raise UserError for a mistake that the job would find when it begins, which may be hours later.

    Data and GPUs are not looked for: the machines of the job may have others.
    """
    from gantrain.cli.main import VERBS, parsed

    if words[0] in VERBS:
        args = parsed(words[0], words[1:])
        if words[0] == "resume":
            changed(args)
        return
    config = composed(words, None)
    from gantrain.training.prepare import check_parts  # torch and Lightning, only once the config is sound

    with near_keys(words):
        check_parts(config)


def main(args: argparse.Namespace) -> int:
    for name in ("nodes", "cpus", "hours", "tasks", "memory"):
        if (value := getattr(args, name)) is not None and not 0 < value < math.inf:
            raise UserError(f"--{name} is {value}, it must be above 0")
    if args.gpus < 0:
        raise UserError(f"--gpus is {args.gpus}, it must be 0 or more")
    check(args.words)
    try:
        import submitit
    except ModuleNotFoundError as error:
        raise UserError("gantrain submit needs submitit: pip install 'gantrain[slurm]'") from error
    try:
        executor = submitit.AutoExecutor(folder=args.logs, cluster=args.cluster)
    except RuntimeError as error:  # there is no srun
        raise UserError(f"--cluster: {error}; submit from a machine of the cluster, or try --cluster local") from error
    except OSError as error:
        raise UserError(f"--logs: cannot write {args.logs} ({error.strerror or error}); name a folder") from error
    executor.update_parameters(
        name="gantrain",
        nodes=args.nodes,
        tasks_per_node=args.tasks or max(args.gpus, 1),
        gpus_per_node=args.gpus,
        cpus_per_task=args.cpus,
        timeout_min=round(args.hours * 60),
        **({"mem_gb": args.memory} if args.memory else {}),
        **({"slurm_partition": args.partition} if args.partition else {}),
    )
    job = executor.submit(Train(args.words))
    print(f"job      {job.job_id}\noutput   {job.paths.stdout}\nerrors   {job.paths.stderr}", flush=True)
    if args.cluster == "local":
        code = job.result()
        print(f"ended    exit code {code}", flush=True)
        return code
    return 0
