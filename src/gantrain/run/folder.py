"""A run's directory: its layout, its checkpoints, what was recorded, its networks for use."""

import contextlib
import json
import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from filelock import FileLock, Timeout

from gantrain.config.checks import check
from gantrain.config.earlier import bring_up
from gantrain.config.stages import ONLY_STAGE
from gantrain.errors import UserError, first_line, one_line
from gantrain.files import replacing
from gantrain.run.lines import write_lines
from gantrain.run.metrics import read_records
from gantrain.run.plain import UNFIT, bounded_json, refuse_unbounded
from gantrain.run.scores import read_scores, scores_file

TURNING_FILE = "turning.gif"
ATTENTION_FILE = "attention.png"
REPORT_FILE = "report.html"
REAL_FILE = "real.png"
NEAREST_FILE = "nearest.png"
LARGEST_CONFIG = 256 << 10  # bytes; YAML is slow to read
TEMPORARY = re.compile(r"\..+\.(ckpt|png|gif|jsonl?|yaml|html|safetensors)\.\d+", re.ASCII)  # as `replacing` names it
NUMBERED = re.compile(r"\d{8,}", re.ASCII)  # a checkpoint or a grid, by its iteration


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

    def health(self, tag: str) -> Path:
        """Samples of the moments at which health's verdict changed."""
        return self.folder / "health" / tag

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
                run.refuse_if_taken()
                with run.locked():  # among several that begin at once
                    run.refuse_if_taken()
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

    @contextlib.contextmanager
    def locked(self, wait: float = 0) -> Iterator[None]:
        """While entered, no other process writes this run; the lock ends with its process. Raises Taken, OSError.

        It waits at most `wait` seconds for another process that writes the run.
        """
        file = self.config_file.with_name("lock")
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a+") as stream:
            stream.seek(0)
            owner = stream.read(20)  # before it is tried: some locks empty their file
        try:
            lock = FileLock(file).acquire(timeout=wait)
        except Timeout as error:
            who = f"process {owner}" if owner.isdecimal() else "another process"
            raise Taken(
                f"{self.folder}: {who} is training or writing this run; wait until it ends, or stop it"
            ) from error
        with lock:
            file.write_text(str(os.getpid()), encoding="utf-8")
            self._remove_temporaries()
            yield

    @property
    def is_run(self) -> bool:
        """Whether a run has begun here. Its config is complete, since it is written in one step."""
        return self.config_file.is_file() and self.config_file.stat().st_size > 0

    def refuse_if_taken(self) -> None:
        if self.is_run or (self.folder / "checkpoints").exists():
            raise Taken(
                f"hydra.run.dir: {self.folder} already holds a run; `gantrain resume {self.quoted}` continues it, "
                f"or name another directory"
            )
        # Files of another program: a run would append to them, or delete them.
        for name in ("samples", "health", "networks", "metrics.jsonl", "scores.jsonl"):
            if (self.folder / name).exists():
                raise Taken(f"hydra.run.dir: {self.folder} already holds {name}; name a directory of the run's own")

    @classmethod
    def open(cls, folder: Path | str) -> "Run":
        """An existing run. Raises UserError where `folder` is none."""
        run = cls(folder)
        if not run.is_run and str(folder).startswith("hf:"):
            raise UserError(f"{folder}: name a folder; `gantrain pull user/name FOLDER` brings a run from the Hub")
        if not run.is_run:
            raise UserError(
                f"{folder} is no run: it has no .hydra/config.yaml; name a directory like runs/<experiment>/<date>"
            )
        run._refuse_links()
        return run

    def _refuse_links(self) -> None:
        """Raise UserError for links out of the run, which may be a stranger's, and for pipes, which would block."""
        home = self.folder.resolve()
        for folder, folders, files in os.walk(self.folder):
            for place in (Path(folder, name) for name in (*folders, *files)):
                if place.is_symlink() and not place.resolve().is_relative_to(home):
                    raise UserError(f"{place} is a link that leads out of the run; put the real folder or file there")
                if place.exists() and not (place.is_file() or place.is_dir()):  # another process may have removed it
                    raise UserError(f"{place} is no file; remove it")

    def write_config(self, config: Mapping[str, Any]) -> None:
        with replacing(self.config_file) as temporary:
            text = yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True)
            temporary.write_text(text, encoding="utf-8")

    def config(self) -> dict[str, Any]:
        """What ran, resolved."""
        try:
            if self.config_file.stat().st_size > LARGEST_CONFIG:
                raise ValueError(f"more than {LARGEST_CONFIG >> 10} kB")
            config = yaml.safe_load(self.config_file.read_text(encoding="utf-8"))
            refuse_unbounded(config)
            bring_up(config)
            check(config)
        except OSError as error:
            raise UserError(f"{self.config_file} cannot be read ({error.strerror or error})") from error
        except (yaml.YAMLError, RecursionError, *UNFIT, UserError) as error:
            raise UserError(
                f"{self.config_file} is damaged ({one_line(error)}); put back the one the run wrote"
            ) from error
        return config

    # ---- checkpoints -------------------------------------------------------------------------------------------------

    def save_checkpoint(self, stage: str, state: Mapping[str, Any], keep: int, best: bool = False) -> Path:
        """Write `<iteration>.ckpt`, if `best` also `best.ckpt`; a crash or a full disk leaves the older ones whole."""
        import torch  # see `read`

        folder = self.checkpoints(stage)
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{state['iteration']:08d}.ckpt"
        with replacing(file) as temporary:
            # Through our own stream, so that a full disk raises OSError: torch's writer hides it.
            with temporary.open("wb") as stream:
                torch.save(dict(state), stream)
            if best:  # first, since a numbered checkpoint means that everything due at its iteration is done
                with replacing(folder / "best.ckpt") as copy:
                    shutil.copyfile(temporary, copy)
        self._begun(stage).touch()
        self.keep_newest(stage, keep)
        return file

    def keep_newest(self, stage: str, keep: int) -> None:
        for old in self.checkpoint_files(stage)[keep:]:
            old.unlink(missing_ok=True)

    def _begun(self, stage: str) -> Path:
        """A mark that the stage has had a checkpoint, kept outside of the checkpoints' folder."""
        return self.config_file.with_name(f"{stage or ONLY_STAGE}.begun")

    def checkpoint_files(self, stage: str) -> list[Path]:
        """The numbered checkpoints, newest first."""
        return numbered(self.checkpoints(stage), ".ckpt")[::-1]

    def reached(self, stage: str) -> int:
        """The iteration of the newest checkpoint, from its file name: reading the file would take long."""
        return max((int(file.stem) for file in self.checkpoint_files(stage)), default=0)

    def newest(self, stage: str) -> dict[str, Any] | None:
        """The newest readable checkpoint, or None where there is no checkpoint.

        Unreadable ones are skipped with a warning. Raises UserError where none of them can be read: starting again
        would overwrite the run.
        """
        files = self.checkpoint_files(stage)
        for file in files:
            try:
                return read(file)
            except UserError as error:
                print(f"warning: {error}; trying the one before", file=sys.stderr)
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
            return read(file)
        except UserError as error:
            raise UserError(f"{error}; leave --best out") from error

    def finished(self, stage: str) -> int | None:
        """The length at which the stage ended, or None."""
        try:
            told = (self.checkpoints(stage) / "finished.json").read_text(encoding="utf-8")
            ended = bounded_json(told)["iterations"]
        except (OSError, ValueError, KeyError, TypeError):
            return None  # a damaged file counts as none: the checkpoints say how far the stage is
        return ended if type(ended) is int else None

    def mark_finished(self, stage: str, iterations: int) -> None:
        with replacing(self.checkpoints(stage) / "finished.json") as temporary:
            temporary.write_text(json.dumps({"iterations": iterations}), encoding="utf-8")

    # ---- going on ----------------------------------------------------------------------------------------------------

    def _remove_temporaries(self) -> None:
        """Remove the temporary files of killed processes: they are large and never read."""
        own = (self.folder / name for name in ("checkpoints", "samples", "health", "networks"))
        inside = (file for place in own for file in place.rglob(".*"))
        for file in (*self.folder.glob(".*"), *self.config_file.parent.glob(".*"), *inside):
            if TEMPORARY.fullmatch(file.name):
                file.unlink(missing_ok=True)

    def refuse_lost(self, stages: Sequence[str]) -> None:
        """Raise UserError if a trained stage has lost its checkpoints: training it again would overwrite the run.

        If `best.ckpt` is left, it is copied to a numbered checkpoint instead.
        """
        for number, stage in enumerate(stages):
            if self.checkpoint_files(stage):
                continue
            folder, best = self.checkpoints(stage), None
            with contextlib.suppress(UserError):
                best = self.best(stage)
            if best is not None and (best["optimizers"] or best["iteration"] == self.finished(stage)):
                print(f"warning: {folder} has no other checkpoint than best.ckpt; going on from there", file=sys.stderr)
                with replacing(folder / f"{best['iteration']:08d}.ckpt") as temporary:
                    shutil.copyfile(folder / "best.ckpt", temporary)
                continue
            earlier_version = number == 0 and any(self.networks.glob("*/weights.safetensors"))
            later = any(self.checkpoints(other).exists() for other in stages[number + 1 :])
            if later or earlier_version or self._begun(stage).exists() or any(folder.glob("*")):
                raise UserError(
                    f"{folder}: its checkpoints are gone, and to train anew would replace what the run has; put them "
                    f"back, or start a new run with init_from={self.quoted}"
                )

    def rewind(self, stage: str, iteration: int, earlier: Sequence[str]) -> None:
        """Remove checkpoints, records and scores after `iteration` of `stage`, which training makes again.

        Those of the stages in `earlier` stay. Raises UserError where scores.jsonl is damaged.
        """
        (self.checkpoints(stage) / "finished.json").unlink(missing_ok=True)
        for file in self.checkpoint_files(stage):
            if int(file.stem) > iteration:  # it could not be read
                file.rename(file.with_suffix(".ckpt.broken"))
        scores = [record.plain() for record in read_scores(self.folder)]
        for file, records in ((self.metrics_file, read_records(self.metrics_file)), (scores_file(self.folder), scores)):
            ours = [r for r in records if r["stage"] == stage and r["iteration"] <= iteration]
            if file.is_file():
                write_lines(file, [*(r for r in records if r["stage"] in earlier), *ours])

    @property
    def has_events(self) -> bool:
        """Whether there is anything for TensorBoard."""
        return any(self.folder.rglob("events.out.tfevents.*"))

    def seconds(self, stage: str) -> float:
        """The training time of a stage at its last record."""
        records = read_records(self.metrics_file)
        return max((r["seconds"] for r in records if r["stage"] == (stage or ONLY_STAGE)), default=0.0)

    def recorded(self, stage: str) -> tuple[int, int]:
        """The last iteration in a stage's metrics and the images seen by then; 0 and 0 without metrics."""
        records = [r for r in read_records(self.metrics_file) if r["stage"] == (stage or ONLY_STAGE)]
        return max(((int(r["iteration"]), int(r["images_seen"])) for r in records), default=(0, 0))


def read(file: Path) -> dict[str, Any]:
    """A checkpoint, on the CPU. Raises UserError."""
    # Imported here, since torch takes a second and 500 MB, and reading a run's config and records needs no torch.
    from gantrain.networks.weights import DAMAGED
    from gantrain.run.checkpoint import read_checkpoint

    try:
        return read_checkpoint(file)
    except DAMAGED as error:
        raise UserError(f"{file} cannot be read ({first_line(error)})") from error


def frames(folder: Path) -> list[Path]:
    """The grids in `folder`, oldest first."""
    return numbered(folder, ".png")


def numbered(folder: Path, suffix: str) -> list[Path]:
    """The files in `folder` that a run has named by an iteration, in that order; other files are ignored."""
    files = (file for file in folder.glob(f"*{suffix}") if NUMBERED.fullmatch(file.stem) and file.is_file())
    return sorted(files, key=lambda file: int(file.stem))
