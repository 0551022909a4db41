"""Training from the command line: Hydra composes the config; we check it, and run it or refuse it in one sentence."""

import contextlib
import os
import re
import signal
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hydra
from hydra.conf import HydraConf
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from gantrain.cli.sweep import Job, Sweep, check_jobs
from gantrain.config.compose import NOT_COMPOSED, arrange, near_keys, sentence
from gantrain.config.finalise import finalise
from gantrain.config.overrides import value_of
from gantrain.config.words import parted
from gantrain.errors import Diverged, UserError, one_line
from gantrain.folders import configs_folder
from gantrain.training.distributed import begun_before, joined, place
from gantrain.training.quiet import quiet_libraries

if TYPE_CHECKING:  # it imports torch
    from gantrain.training.outcome import Outcome


def train(words: Sequence[str]) -> int:
    """Compose the config that `words` ask for and train it, or each of several with --multirun; the exit code."""
    words = arrange(words)
    multirun = bool({"-m", "--multirun"} & set(words))
    if multirun and not {"--cfg", "-c", "--info", "-i"} & set(words):
        check_jobs(words)
    jobs, present = _Jobs(), _folders_before(words)
    main = hydra.main(version_base="1.3", config_path=str(configs_folder()), config_name="train")(jobs.run)
    try:
        with _read_by_hydra(words):
            main()
    except NOT_COMPOSED as error:
        raise UserError(sentence(error, words)) from error
    except OSError as error:
        raise UserError(
            f"hydra.run.dir: cannot write {error.filename} ({error.strerror}); name another folder"
        ) from error
    except _Stopped:
        pass
    finally:
        if multirun and not jobs.sweep.jobs:  # a launcher may run them in other processes
            for folder in _sweep_folders(words):
                jobs.sweep.gather(folder)
            jobs.codes.extend(job.code for job in jobs.sweep.jobs)
            jobs.folders.extend(job.folder for job in jobs.sweep.jobs)
        for folder in jobs.folders:
            _remove_if_empty(folder, present)
        if jobs.sweep.jobs:
            jobs.sweep.finish()
        elif multirun:
            _remove_rejected_sweep(words, present)
    if jobs.failure is not None:
        with near_keys(words):
            raise jobs.failure
    return max(jobs.codes, default=0)


class _Jobs:
    """The one run that Hydra starts, or all of a sweep, and what came of them."""

    def __init__(self) -> None:
        self.sweep = Sweep()
        self.folders: list[Path] = []
        self.codes: list[int] = []
        self.failure: Exception | None = None
        """Of the one run. `train` raises it: Hydra would add noise of its own to an error inside a job."""

    def run(self, composed: DictConfig) -> float:
        """One run; its value is what a sweep minimises."""
        settings = HydraConfig.get()
        folder = _as_typed(Path(settings.runtime.output_dir))
        self.folders.append(folder)
        if settings.mode == RunMode.MULTIRUN:
            self.sweep.folder = _as_typed(Path(settings.sweep.dir).absolute())
            code, objective = _run_in_sweep(self.sweep, composed, settings, folder)
            self.codes.append(code)
            if code > 128:
                raise _Stopped
            return FAILED if code else objective
        try:
            self.codes.append(_run(composed, settings, folder).exit_code)
        except OSError as error:  # such as a name that is too long
            self.failure = UserError(f"{error.filename or folder}: {error.strerror or error}; name another place")
        except Exception as error:
            self.failure = error
        return 0.0


@contextlib.contextmanager
def _read_by_hydra(words: Sequence[str]) -> Iterator[None]:
    """Hydra takes its words from `sys.argv`; without the variable it prints its errors by itself and exits with 1."""
    argv, full_error = sys.argv, os.environ.get("HYDRA_FULL_ERROR")
    sys.argv, os.environ["HYDRA_FULL_ERROR"] = ["gantrain", *words], "1"
    try:
        yield
    finally:
        sys.argv = argv
        del os.environ["HYDRA_FULL_ERROR"]
        if full_error is not None:
            os.environ["HYDRA_FULL_ERROR"] = full_error


class _Stopped(BaseException):
    """A signal ends the sweep, not one job of it; Hydra would keep an Exception for later and start the next job."""


FAILED = 1e9  # a sweeper must be able to rank a failed job: large, and finite


def _run(composed: DictConfig, settings: HydraConf, folder: Path) -> "Outcome":
    overrides: Any = OmegaConf.to_container(settings.overrides.task, resolve=False)
    try:
        config = {"name": settings.runtime.choices["experiment"], **finalise(composed, overrides)}
    except OmegaConfBaseException as error:
        raise UserError(sentence(error)) from error
    place(config["trainer"], [word.partition("=")[0].lstrip("+") for word in overrides])
    if settings.mode == RunMode.MULTIRUN and (joined() is not None or config["trainer"]["devices"] > 1):
        raise UserError(
            "trainer.devices: a sweep runs its jobs in one process; start each job by itself, or use devices=1"
        )
    from gantrain.training.machine import check_machine  # torch, only once the config is sound

    check_machine(config["trainer"])
    from gantrain.training.console import print_end  # Lightning, only once the machine has what is asked for
    from gantrain.training.fit import resume, run

    quiet_libraries()
    if (begun := begun_before(folder)) is not None:
        print(f"gantrain: this job was started before; resuming {begun.folder}", flush=True)
        outcome = resume(begun.folder, begun.config())
        print_end(outcome)
        return outcome
    named = any(word.startswith("hydra.run.dir=") for word in settings.overrides.hydra)
    # Two runs may begin in the second that names both their folders.
    outcome = run(config, folder, numbered=not named and settings.mode == RunMode.RUN, overrides=overrides)
    print_end(outcome)
    return outcome


def _run_in_sweep(sweep: Sweep, composed: DictConfig, settings: HydraConf, folder: Path) -> tuple[int, float]:
    """One job of a sweep, noted there; its exit code and objective. Its errors are told and stay its own."""
    words: Any = OmegaConf.to_container(settings.overrides.task, resolve=False)
    overrides = {key: value for _, key, value in map(parted, words) if value is not None}
    began, speed, objective, error_text = time.monotonic(), None, FAILED, ""
    try:
        outcome = _run(composed, settings, folder)
        code, speed = outcome.exit_code, round(outcome.images / max(outcome.seconds, 1e-9), 1)
        objective = min(outcome.objective, FAILED)
        ended = "unhealthy" if outcome.unhealthy else "stopped" if code else "done"
    except KeyboardInterrupt:  # before its training began
        code, ended = 128 + signal.SIGINT, "stopped"
    except (UserError, Diverged) as error:
        code, ended, error_text = 1, "diverged" if isinstance(error, Diverged) else "failed", str(error)
    except Exception as error:  # a bug, or no memory left: the other jobs may still do
        traceback.print_exception(error)
        code, ended, error_text = 1, "failed", f"{type(error).__name__}: {one_line(error)}"
    if error_text:
        print(f"gantrain: job {settings.job.num}: {error_text}", file=sys.stderr)
    seconds = time.monotonic() - began
    sweep.add(Job(settings.job.num, folder, overrides, ended, seconds, speed, error_text, code))
    return code, objective


def _as_typed(folder: Path) -> Path:
    """Relative to where the user stands, where that is possible: Hydra makes it absolute."""
    return folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder


def _folders_before(words: Sequence[str]) -> set[Path]:
    """The folders around the run's directory that are there before Hydra makes any."""
    named = [str(value_of(word)) for word in words if re.match(r"hydra\.(run|sweep)\.dir=", word)]
    runs = Path("runs").absolute()
    places = [Path(name).absolute() for name in named] or [runs, *runs.glob("*"), *runs.glob("*/*")]
    return {folder for place in places for folder in (place, *place.parents) if folder.exists()}


def _remove_if_empty(folder: Path, present: set[Path]) -> None:
    """Take back the directories that Hydra made for a run that was refused."""
    for empty in (folder.absolute(), *folder.absolute().parents):
        if empty in present:
            return
        try:
            empty.rmdir()
        except OSError:
            return


def _sweep_folders(words: Sequence[str]) -> list[Path]:
    """Where a sweep may have been written: Hydra tells only its jobs."""
    named = [Path(str(value_of(word))) for word in words if word.startswith("hydra.sweep.dir=")]
    return named or sorted(Path("runs/sweep").glob("*"))


def _remove_rejected_sweep(words: Sequence[str], present: set[Path]) -> None:
    """Take back what Hydra writes for a sweep before it has looked at any of its jobs."""
    for folder in _sweep_folders(words):
        if folder.absolute() not in present and [file.name for file in folder.glob("*")] == ["multirun.yaml"]:
            (folder / "multirun.yaml").unlink()
            _remove_if_empty(folder, present)
