"""One of the other processes of a run on several devices: follows the run that rank 0 has made."""

import contextlib
import sys

from gantrain.errors import Diverged, UserError
from gantrain.quiet import quiet_libraries
from gantrain.runs import Run
from gantrain.train import fit_stage, prepare


def main(folder: str, stage: str) -> int:
    """Take part in one stage. Rank 0 has the same errors and tells them; an exit code would kill it first."""
    quiet_libraries()
    run = Run.open(folder)
    config = run.config()
    part = next(part for part in prepare(config) if part.stage.name == stage)
    with contextlib.suppress(Diverged, UserError):
        fit_stage(part, run, config, run.newest(stage))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
