"""A run's directory: its layout, its checkpoints, what was recorded, its networks for use."""

import itertools
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
from gantrain.errors import UserError, first_line
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

    # ---- the directory -----------------------------------------------------------------------------------------------

    @property
    def word(self) -> str:
        """The folder as a shell takes it."""
        return shlex.quote(str(self.folder))

    @property
    def config_file(self) -> Path:
        return self.folder / ".hydra" / "config.yaml"

    @property
    def metrics_file(self) -> Path:
        return self.folder / "metrics.jsonl"

    @property
    def networks(self) -> Path:
        return self.folder / "networks"

    def samples(self, tag: str) -> Path:
        return self.folder / "samples" / tag

    def checkpoints(self, stage: str) -> Path:
        return self.folder / "checkpoints" / (stage or ONLY_STAGE)

    @classmethod
    def create(cls, folder: Path, config: Mapping[str, Any], numbered: bool = False) -> "Run":
        """Make the directory of a new run. Raises UserError where it holds a run already or cannot be written.

        If `numbered`, a taken one is left alone and the next free of `folder`_2, `folder`_3, ... made.
        """
        for number in itertools.count(1):
            run = cls(folder if number == 1 else folder.with_name(f"{folder.name}_{number}"))
            try:
                run._claim()
                run.write_config(config)
            except Taken:
                if not numbered:
                    raise
            except OSError as error:
                raise UserError(
                    f"hydra.run.dir: cannot write {folder} ({error.strerror}); name another with hydra.run.dir="
                ) from error
            else:
                return run
        raise AssertionError("numbers do not end")

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
                f"hydra.run.dir: {self.folder} already holds a run; `gantrain resume {self.word}` continues it, "
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
                f"{self.config_file} is damaged ({_one_line(error)}); put back the one the run wrote"
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

    def set_aside_after(self, stage: str, iteration: int) -> None:
        """Rename the checkpoints after `iteration`, which could not be read: training writes these numbers again."""
        for file in self.checkpoint_files(stage):
            if int(file.stem) > iteration:
                file.rename(file.with_suffix(".ckpt.broken"))

    def remove_cut_off(self, stage: str) -> None:
        """Remove what a kill in the middle of a save has left: files as large as a checkpoint that nothing reads."""
        for file in self.checkpoints(stage).glob(".*.ckpt.*"):
            file.unlink(missing_ok=True)

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

    def mark_unfinished(self, stage: str) -> None:
        """Take the marker back: the stage trains on."""
        (self.checkpoints(stage) / "finished.json").unlink(missing_ok=True)

    # ---- what was recorded -------------------------------------------------------------------------------------------

    def cut_records(self, earlier: Sequence[str], stage: str, iteration: int) -> None:
        """Drop what was recorded or measured after `iteration` of `stage`: a resumed run does it anew.

        Of the stages in `earlier` all stays. Raises UserError where scores.jsonl is damaged.
        """
        scores = [record.plain() for record in read_scores(self.folder)]
        for file, records in ((self.metrics_file, read_records(self.metrics_file)), (scores_file(self.folder), scores)):
            kept = [
                record
                for record in records
                if record["stage"] in earlier or (record["stage"] == stage and record["iteration"] <= iteration)
            ]
            if file.is_file():
                write_lines(file, kept)

    def seconds(self, stage: str) -> float:
        """How long a stage had trained at its last record."""
        records = read_records(self.metrics_file)
        return max((r["seconds"] for r in records if r["stage"] == (stage or ONLY_STAGE)), default=0.0)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def frames(folder: Path) -> list[Path]:
    """The grids in `folder`, oldest first."""
    return sorted((f for f in folder.glob("*.png") if f.stem.isdigit()), key=lambda f: int(f.stem))
