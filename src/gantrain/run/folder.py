"""A run's directory: its layout, its checkpoints, what was recorded, its networks for use."""

import json
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import yaml

from gantrain.config.checks import check
from gantrain.config.stages import ONLY_STAGE
from gantrain.errors import UserError, first_line, one_line
from gantrain.files import replacing
from gantrain.run.checkpoint import UNREADABLE, read_checkpoint
from gantrain.run.lines import write_lines
from gantrain.run.metrics import read_records
from gantrain.run.scores import read_scores, scores_file

TURNING_FILE = "turning.gif"


class Taken(UserError):
    """The directory of a new run is in use."""


class Run:
    """`folder` holds `.hydra/config.yaml`, `checkpoints/`, `samples/`, `tensorboard/`, `networks/`, `metrics.jsonl`."""

    def __init__(self, folder: Path | str):
        self.folder = Path(folder)
        self.quoted = shlex.quote(str(self.folder))  # as a shell takes it
        self.config_file = self.folder / ".hydra" / "config.yaml"
        self.metrics_file = self.folder / "metrics.jsonl"
        self.networks = self.folder / "networks"
        self.changes_file = self.folder / "changes.txt"

    # ---- the directory -----------------------------------------------------------------------------------------------

    def samples(self, tag: str) -> Path:
        return self.folder / "samples" / tag

    def checkpoints(self, stage: str) -> Path:
        return self.folder / "checkpoints" / (stage or ONLY_STAGE)

    @classmethod
    def create(cls, folder: Path, config: Mapping[str, Any], numbered: bool = False) -> "Run":
        """Make the directory of a new run. Raises UserError where it holds a run already or cannot be written.

        If `numbered`, a taken one is left alone and the next free of `folder`_2, `folder`_3, ... made.
        """
        run, number = cls(folder), 1
        while True:
            try:
                run._claim()
                run.write_config(config)
                return run
            except Taken:
                if not numbered:
                    raise
                number += 1
                run = cls(folder.with_name(f"{folder.name}_{number}"))
            except OSError as error:
                raise UserError(
                    f"hydra.run.dir: cannot write {folder} ({error.strerror}); name another with hydra.run.dir="
                ) from error

    def _claim(self) -> None:
        """Make the directory for this process alone, also among several that begin at once. Raises Taken, OSError."""
        self.refuse_if_taken()
        self.config_file.parent.mkdir(parents=True, exist_ok=True)
        try:
            self.config_file.touch(exist_ok=False)
        except FileExistsError:
            self.refuse_if_taken()

    def refuse_if_taken(self) -> None:
        if self.config_file.exists() or (self.folder / "checkpoints").exists():
            raise Taken(
                f"hydra.run.dir: {self.folder} already holds a run; `gantrain resume {self.quoted}` continues it, "
                f"or name another directory"
            )
        # Of another program: a run would add to them, or delete what is in its way.
        for name in ("samples", "networks", "metrics.jsonl", "scores.jsonl"):
            if (self.folder / name).exists():
                raise Taken(f"hydra.run.dir: {self.folder} already holds {name}; name a directory of the run's own")

    @classmethod
    def open(cls, folder: Path | str) -> "Run":
        """An existing run. Raises UserError where `folder` is none."""
        run = cls(folder)
        if not run.config_file.is_file():
            raise UserError(
                f"{folder} is no run: it has no .hydra/config.yaml; name a directory like runs/<experiment>/<date>"
            )
        return run

    def write_config(self, config: Mapping[str, Any]) -> None:
        with replacing(self.config_file) as temporary:
            temporary.write_text(yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True))

    def config(self) -> dict[str, Any]:
        """What ran, resolved."""
        try:
            config = yaml.safe_load(self.config_file.read_text())
            check(config)
        except (OSError, yaml.YAMLError, TypeError, KeyError, AttributeError, ValueError, UserError) as error:
            raise UserError(
                f"{self.config_file} is damaged ({one_line(error)}); put back the one the run wrote"
            ) from error
        return config

    # ---- checkpoints -------------------------------------------------------------------------------------------------

    def save_checkpoint(self, stage: str, state: Mapping[str, Any], keep: int) -> Path:
        """Write `<iteration>.ckpt` so that a crash or a full disk leaves the older ones whole; keep the newest."""
        folder = self.checkpoints(stage)
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{state['iteration']:08d}.ckpt"
        # Through a stream of ours, so that a full disk is an OSError: torch's own writer hides it.
        with replacing(file) as temporary, temporary.open("wb") as stream:
            torch.save(dict(state), stream)
        for old in self.checkpoint_files(stage)[keep:]:
            old.unlink(missing_ok=True)
        return file

    def mark_best(self, stage: str, iteration: int) -> None:
        """Copy a checkpoint to `best.ckpt`, which stays when the numbered ones go."""
        folder = self.checkpoints(stage)
        with replacing(folder / "best.ckpt") as temporary:
            shutil.copyfile(folder / f"{iteration:08d}.ckpt", temporary)

    def checkpoint_files(self, stage: str) -> list[Path]:
        """The numbered checkpoints, newest first."""
        files = self.checkpoints(stage).glob("*.ckpt")
        return sorted((f for f in files if f.stem.isdigit()), key=lambda f: int(f.stem), reverse=True)

    def reached(self, stage: str) -> int:
        """The iteration of the newest checkpoint, by its name: reading it would take long and tell no more."""
        return max((int(file.stem) for file in self.checkpoint_files(stage)), default=0)

    def newest(self, stage: str) -> dict[str, Any] | None:
        """The newest checkpoint that can be read, or None where there is none at all.

        Unreadable ones are passed over with a warning. Raises UserError where none of several can be read: to begin
        anew would overwrite what the run has.
        """
        files = self.checkpoint_files(stage)
        for file in files:
            try:
                return read_checkpoint(file)
            except UNREADABLE as error:
                print(f"warning: {file} cannot be read ({first_line(error)}); trying the one before", file=sys.stderr)
        if files:
            raise UserError(
                f"{self.checkpoints(stage)}: none of its checkpoints can be read; put back a whole one, or start a new "
                f"run (its networks/ may still serve)"
            )
        return None

    def best(self, stage: str) -> dict[str, Any] | None:
        """The checkpoint with the best score, or None. Raises UserError where it cannot be read."""
        file = self.checkpoints(stage) / "best.ckpt"
        if not file.is_file():
            return None
        try:
            return read_checkpoint(file)
        except UNREADABLE as error:
            raise UserError(f"{file} cannot be read ({first_line(error)}); leave --best out") from error

    def finished(self, stage: str) -> int | None:
        """The length at which the stage ended, or None."""
        try:
            ended = json.loads((self.checkpoints(stage) / "finished.json").read_text())["iterations"]
        except (OSError, ValueError, KeyError, TypeError):
            return None  # damaged, it is as good as none: the checkpoints say how far the stage is
        return ended if type(ended) is int else None

    def mark_finished(self, stage: str, iterations: int) -> None:
        with replacing(self.checkpoints(stage) / "finished.json") as temporary:
            temporary.write_text(json.dumps({"iterations": iterations}))

    # ---- going on ----------------------------------------------------------------------------------------------------

    def rewind(self, stage: str, iteration: int, earlier: Sequence[str]) -> None:
        """Take back what came after `iteration` of `stage`: training writes, records and measures it anew.

        Of the stages in `earlier` all stays. Raises UserError where scores.jsonl is damaged.
        """
        (self.checkpoints(stage) / "finished.json").unlink(missing_ok=True)
        for file in self.checkpoints(stage).glob(".*.ckpt.*"):  # of a kill in the middle of a save: large, never read
            file.unlink(missing_ok=True)
        for file in self.checkpoint_files(stage):
            if int(file.stem) > iteration:  # it could not be read
                file.rename(file.with_suffix(".ckpt.broken"))
        scores = [record.plain() for record in read_scores(self.folder)]
        for file, records in ((self.metrics_file, read_records(self.metrics_file)), (scores_file(self.folder), scores)):
            ours = [r for r in records if r["stage"] == stage and r["iteration"] <= iteration]
            if file.is_file():
                write_lines(file, [*(r for r in records if r["stage"] in earlier), *ours])

    def seconds(self, stage: str) -> float:
        """How long a stage had trained at its last record."""
        records = read_records(self.metrics_file)
        return max((r["seconds"] for r in records if r["stage"] == (stage or ONLY_STAGE)), default=0.0)


def frames(folder: Path) -> list[Path]:
    """The grids in `folder`, oldest first."""
    return sorted((f for f in folder.glob("*.png") if f.stem.isdigit()), key=lambda f: int(f.stem))
