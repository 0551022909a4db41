"""The processes of a run on several devices: a command of ours starts them, and no wrapper is around the networks.

Lightning's `ddp` would wrap the whole module and wait for gradients of networks that do not play.
"""

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from pytorch_lightning.strategies import DDPStrategy
from pytorch_lightning.strategies.launchers.subprocess_script import _SubprocessScriptLauncher

from gantrain.errors import UserError
from gantrain.training.distributed import joined, lost


class TurnTaking(DDPStrategy):
    """Processes that start from rank 0's weights and average gradients only when a player's turn asks for it."""

    _launcher: Any

    def __init__(self, command: list[str], threads: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self._command, self._threads = command, threads

    def setup_environment(self) -> None:
        super().setup_environment()
        if self._threads is not None:  # again: Lightning's launcher has divided the cores among the processes
            torch.set_num_threads(self._threads)

    def _configure_launcher(self) -> None:
        self._launcher = _Workers(self.cluster_environment, self.num_processes, self.num_nodes)
        self._launcher.command = self._command

    def configure_ddp(self) -> None:
        for tensor in [*self.model.parameters(), *self.model.buffers()]:
            dist.broadcast(tensor.data, src=0)

    def on_exception(self, exception: BaseException) -> None:
        """The others may be waiting for an answer that never comes. Raises UserError where one of them was killed."""
        super().on_exception(exception)
        if joined() is not None:
            if lost(exception):
                raise UserError(
                    "another process of the run has ended; the last whole checkpoint is kept, resume the run"
                ) from exception
            return
        processes = list(self._launcher.procs)
        self._launcher.procs.clear()  # Lightning's observer looks at them, and would kill this process in turn
        gone = [process for process in processes if isinstance(exception, RuntimeError) and ended(process)]
        for process in processes:
            process.kill()
            process.wait()
        if gone:
            raise UserError(
                f"process {gone[0].pid} of the run was ended ({gone[0].returncode}), by the system perhaps for its "
                f"memory; the last whole checkpoint is kept, resume the run"
            ) from exception

    def teardown(self) -> None:
        super().teardown()
        if joined() is not None:
            return  # the next stage is trained by the same processes
        for process in self._launcher.procs:
            process.wait(timeout=60)
        if dist.is_initialized():
            dist.destroy_process_group()


def ended(process: subprocess.Popen) -> bool:
    """Whether it was killed or failed; its connections may be gone a moment before it is."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        return process.wait(timeout=1) != 0
    return False


class _Workers(_SubprocessScriptLauncher):
    """Starts the other processes with a command of ours.

    Lightning would repeat `sys.argv`, which under Hydra composes the config and makes the run directory again.
    """

    command: list[str]

    def _call_children_scripts(self) -> None:
        environment = self.cluster_environment
        for local_rank in range(1, self.num_processes):
            variables = {
                "MASTER_ADDR": environment.main_address,
                "MASTER_PORT": str(environment.main_port),
                "NODE_RANK": str(environment.node_rank()),
                "LOCAL_RANK": str(local_rank),
                "WORLD_SIZE": str(self.num_processes),
                "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *sys.path]),
            }
            # A session of its own: Ctrl-C reaches rank 0 alone, which tells the others.
            self.procs.append(subprocess.Popen(self.command, env=os.environ | variables, start_new_session=True))
