"""What a finished stage keeps once a later one has begun from it."""

import contextlib

import torch

from gantrain.errors import UserError
from gantrain.files import replacing
from gantrain.run.folder import Run, read


def drop_optimizers(run: Run, stage: str) -> None:
    """Take the optimizers out of the checkpoints of `stage`, which nothing trains any more, and leave the newest alone.

    Adam's moments are two thirds of what a player's networks take. A checkpoint that cannot be read stays as it is.
    """
    newest = run.checkpoint_files(stage)[:1]
    with contextlib.suppress(UserError):
        for file in (*newest, run.checkpoints(stage) / "best.ckpt"):
            if not file.is_file() or not (state := read(file))["optimizers"]:
                continue
            with replacing(file) as temporary, temporary.open("wb") as stream:
                torch.save({**state, "optimizers": {}}, stream)
        run.keep_newest(stage, 1)
