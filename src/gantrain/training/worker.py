"""One of the other processes of a run on several devices: follows the run that rank 0 has made."""

import contextlib
import os
import socket
import sys
import threading
import time
from typing import Any

from gantrain.config.build import allow_plugins
from gantrain.config.stages import stages_of
from gantrain.errors import Diverged, UserError
from gantrain.run.folder import Run
from gantrain.signals import StopSignals
from gantrain.training.distributed import agree
from gantrain.training.fit import fit_stage
from gantrain.training.prepare import Ready, prepare
from gantrain.training.quiet import quiet_libraries


def main(folder: str, stage: str, plugins: str) -> int:
    """A process that rank 0 has started. Rank 0 has the same errors and tells them; a code would kill it first."""
    leave_with(os.getppid())
    quiet_libraries()
    run, config, part = ready_for(folder, stage, plugins)
    with contextlib.suppress(Diverged, UserError), StopSignals() as stop:
        fit_stage(part, run, config, run.newest(stage), stop)
    return 0


def take_part(folder: str, stage: str, plugins: str) -> None:
    """One stage of a process that a launcher has started; what hinders it is told to all."""
    quiet_libraries()
    try:
        run, config, part = ready_for(folder, stage, plugins)
    except UserError as error:
        with contextlib.suppress(UserError):
            agree(f"on {socket.gethostname()}: {error}")
        return
    with contextlib.suppress(Diverged, UserError), StopSignals() as stop:
        agree(None)
        fit_stage(part, run, config, run.newest(stage), stop)


def ready_for(folder: str, stage: str, plugins: str) -> tuple[Run, dict[str, Any], Ready]:
    """The run that rank 0 has made, and its stage."""
    allow_plugins([name for name in plugins.split(",") if name])
    run = Run.open(folder)
    config = run.config()
    return run, config, next(part for part in prepare(stages_of(config), run) if part.stage.name == stage)


def leave_with(parent: int) -> None:
    """End this process when rank 0 is gone, killed perhaps: it would wait for an answer for half an hour."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
