"""A search for good values of some keys: Optuna proposes, each trial is a run, its best score is what is minimised.

Any number of processes may take part in one search, on any number of machines: they share its storage.
"""

import json
import math
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from filelock import FileLock
from optuna.exceptions import OptunaError
from optuna.trial import FrozenTrial, Trial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from gantrain.callbacks.pruning import Pruning
from gantrain.config.compose import composed, near_keys
from gantrain.config.space import Space, ends
from gantrain.errors import Diverged, UserError, first_line
from gantrain.evaluation.best import best_of
from gantrain.evaluation.protocol import names_score
from gantrain.loggers import write_hparams
from gantrain.run.folder import Run
from gantrain.run.scores import read_scores
from gantrain.training.fit import resume, run
from gantrain.training.outcome import Outcome
from gantrain.training.prepare import check_parts

ENDED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)
UNPRUNED = 4  # trials that come to their end before any is pruned
# Seconds to wait while another process writes an SQLite study: Python's 5 are too few on a slow disk.
PATIENCE = 60.0


@dataclass
class Search:
    """`words` are those of a run of the experiment `name`, `space` says what to try.

    `folder` holds the runs, each in a folder of its own, and the study where no `storage` is named.
    """

    name: str
    folder: Path
    words: Sequence[str]
    space: Space
    trials: int
    storage: str | None = None
    seed: int = 0
    prune: bool = True
    config_dir: str | None = None

    def open(self) -> optuna.Study:
        """The study, begun or gone on with. Raises UserError where it was begun with other words."""
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"--out: cannot write {self.folder} ({error.strerror}); name a folder") from error
        with self.locked():
            return self._opened()

    def locked(self) -> FileLock:
        """While entered, no other process of the search begins one, or takes a trial."""
        return FileLock(self.folder / "lock")

    def _opened(self) -> optuna.Study:
        pruner = optuna.pruners.MedianPruner(n_startup_trials=UNPRUNED) if self.prune else optuna.pruners.NopPruner()
        try:
            study = optuna.create_study(
                storage=storage_at(self.storage or f"sqlite:///{(self.folder / 'study.db').absolute()}"),
                study_name=self.folder.name,
                pruner=pruner,
                load_if_exists=True,
            )
        except (SQLAlchemyError, OptunaError, ImportError, ValueError) as error:  # ImportError: a driver is missing
            if self.storage is None:
                raise UserError(f"--out: cannot open {self.folder} ({first_line(error)}); name another") from error
            raise UserError(
                f"--storage: cannot open {self.storage} ({first_line(error)}); write a URL such as "
                f"sqlite:///search.db, and install the driver of another data base"
            ) from error
        asked = {"words": json.dumps(list(self.words)), "space": json.dumps(self.space)}
        for name, text in asked.items():
            if study.user_attrs.setdefault(name, text) != text:
                what = (
                    "another --space"
                    if name == "space"
                    else f"other words: {' '.join(json.loads(study.user_attrs[name]))}"
                )
                raise UserError(f"--out: the search in {self.folder} was begun with {what}; name another folder")
            study.set_user_attr(name, text)
        return study

    def check(self) -> dict[str, Any]:
        """Look at a config for each end of the space, before any trial; returns the first. Raises UserError."""
        firsts = {key: values[0] for key, values in ends(self.space).items()}
        first = self.checked(firsts)
        if not first.get("evaluation"):
            raise UserError(
                "evaluation: a search needs a score; add evaluation=dataset, or another one that fits the data"
            )
        if first["trainer"]["devices"] > 1:
            raise UserError("trainer.devices: a trial runs in one process; start the search once for each GPU")
        for key, values in ends(self.space).items():
            for value in values[1:]:
                self.checked({**firsts, key: value})
        return first

    def checked(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """A trial's config, whose parts can be built. Raises UserError."""
        config = self.config(params)
        with near_keys([*self.words, *(f"{key}=" for key in params)]):
            check_parts(config)
        return config

    def config(self, params: Mapping[str, Any]) -> dict[str, Any]:
        words = [*self.words, *(f"{key}={json.dumps(value)}" for key, value in params.items())]
        return {"name": self.name, **composed(words, self.config_dir)}

    def work(self, study: optuna.Study) -> int:
        """Run trials until as many have begun as are asked for; the exit code: above 128 where a signal stopped it."""
        while (trial := self.taken(study)) is not None:
            if code := self.try_out(study, trial):
                return code
        return 0

    def taken(self, study: optuna.Study) -> Trial | None:
        """A trial for this process alone: what another has left, or a new one; None where enough have begun."""
        with self.locked():
            trials = study.get_trials(deepcopy=False)
            left = [
                one for one in trials if one.state is TrialState.RUNNING and is_gone(one.user_attrs.get("worker", ""))
            ]
            if not left and len(trials) >= self.trials:
                return None
            # A sampler seeded anew for each trial: a continued search does not propose the same values again.
            study.sampler = optuna.samplers.TPESampler(seed=self.seed + 7919 * len(trials), constant_liar=True)
            trial = Trial(study, left[0]._trial_id) if left else study.ask()
            trial.set_user_attr("worker", worker())
            return trial

    def try_out(self, study: optuna.Study, trial: Trial) -> int:
        """One trial from proposal to score. Raises UserError where no trial has come to an end yet."""
        params = {key: suggest(trial, key, values) for key, values in self.space.items()}
        config = self.config(params)
        best = config["evaluation"].get("best")
        print(f"\ntrial {trial.number} of {self.trials}: {in_words(params)}", flush=True)
        folder = self.folder / "trials" / f"{trial.number:04}"
        trial.set_user_attr("folder", str(folder))

        def hopeless(iteration: int, cost: float) -> bool:
            trial.report(cost if math.isfinite(cost) else 1e9, iteration)
            return self.prune and trial.should_prune()

        watching = Pruning(hopeless, config["evaluation"].get("every"), best)
        try:
            begun = Run(folder)
            outcome = (
                resume(folder, begun.config(), watching=watching)
                if begun.is_run
                else run(config, folder, watching=watching, overrides=[f"{k}={v}" for k, v in params.items()])
            )
        except (UserError, Diverged) as error:
            trial.set_user_attr("error", str(error))
            study.tell(trial, state=TrialState.FAIL)
            if isinstance(error, UserError) and not any(t.state is not TrialState.FAIL for t in ended(study)):
                raise
            print(f"gantrain: trial {trial.number}: {error}", flush=True)
            return 0
        if outcome.signum:
            return outcome.exit_code  # the trial continues when the search is started again
        note(trial, outcome, params, best)
        close(study, trial, outcome.objective, watching.pruned)
        return 0


def storage_at(url: str) -> str | optuna.storages.RDBStorage:
    """The storage at a URL; an SQLite file is shared by processes that may have to wait for each other."""
    if not url.startswith("sqlite"):
        return url
    return optuna.storages.RDBStorage(url, engine_kwargs={"connect_args": {"timeout": PATIENCE}})


def in_words(params: Mapping[str, Any]) -> str:
    """The values of a trial, each by the last part of its key."""
    short = {key: f"{value:.4g}" if isinstance(value, float) else value for key, value in params.items()}
    return "  ".join(f"{key.rpartition('.')[2]} {value}" for key, value in short.items())


def close(study: optuna.Study, trial: Trial, objective: float, pruned: bool) -> None:
    """Tell the study how a trial has ended: pruned, with a score, or with none that is a number."""
    if pruned:
        print(f"trial {trial.number}: pruned, its score is worse than the median of the others'", flush=True)
        study.tell(trial, state=TrialState.PRUNED)
    elif math.isfinite(objective):
        study.tell(trial, objective)
    else:
        study.tell(trial, state=TrialState.FAIL)


def suggest(trial: Trial, key: str, values: Any) -> Any:
    """What the trial is to take for a key."""
    if isinstance(values, list):
        return trial.suggest_categorical(key, values)
    low, high, log, step = values["low"], values["high"], bool(values.get("log")), values.get("step")
    if isinstance(low, int) and isinstance(high, int):
        return trial.suggest_int(key, low, high, log=log, step=step or 1)
    return trial.suggest_float(key, low, high, log=log, step=step)


def note(trial: Trial, outcome: Outcome, params: Mapping[str, Any], best: str | None) -> None:
    """Keep with the trial, and for TensorBoard, what the table of trials shows: its best scores, length and time."""
    records = read_scores(outcome.run.folder)
    scores = best_of(records, records[-1], best).result.scores if records else {}
    trial.set_user_attr("scores", {name: score.value for name, score in scores.items()})
    write_hparams(outcome.run.folder, params, trial.user_attrs["scores"])
    trial.set_user_attr("iterations", outcome.run.reached(outcome.last.name))
    trial.set_user_attr("seconds", round(outcome.seconds, 1))


def worker() -> str:
    return f"{socket.gethostname()} {os.getpid()}"


def is_gone(who: str) -> bool:
    """Whether a process of this machine has ended; of another machine nobody knows."""
    host, _, pid = who.rpartition(" ")
    if host != socket.gethostname() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return int(pid) == os.getpid()


def ended(study: optuna.Study) -> list[FrozenTrial]:
    return study.get_trials(deepcopy=False, states=ENDED)


def name_of_score(study: optuna.Study, best: str | None) -> str | None:
    """The name of the score that is searched for, where a trial has measured it."""
    for trial in ended(study):
        for name in trial.user_attrs.get("scores", {}):
            if best is None or names_score(best, name):
                return name
    return None


def rows(study: optuna.Study, best: str | None) -> list[dict[str, Any]]:
    """A row for each trial that has ended: those that were trained to their end, the best first, then the others."""
    name = name_of_score(study, best)

    def order(trial: FrozenTrial) -> tuple:
        cost = trial.value if trial.value is not None else math.inf
        return ENDED.index(trial.state), cost, trial.number

    return [
        {
            "trial": str(trial.number),
            "score": trial.user_attrs.get("scores", {}).get(name),
            **trial.params,
            "outcome": {TrialState.COMPLETE: "done", TrialState.PRUNED: "pruned"}.get(trial.state, "failed"),
            "iterations": trial.user_attrs.get("iterations"),
            "seconds": trial.user_attrs.get("seconds"),
            "folder": trial.user_attrs.get("folder", ""),
            "error": trial.user_attrs.get("error", ""),
        }
        for trial in sorted(ended(study), key=order)
    ]
