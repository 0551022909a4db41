"""A sweep: checks all jobs before one begins, and sums them up: tables of jobs, means over seeds, samples."""

import contextlib
import csv
import json
import math
import shlex
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from gantrain.config.compose import composed, sentence, split, sweeper_params
from gantrain.config.stages import stages_of
from gantrain.drawing.text import aligned
from gantrain.errors import UserError
from gantrain.files import replacing
from gantrain.run.health import is_look
from gantrain.run.lines import read_lines
from gantrain.run.metrics import is_number, read_records
from gantrain.run.scores import Score, read_scores

COLUMNS = 8  # samples of a row
SEED = "seed"
JOBS_FILE = "jobs.jsonl"


def check_jobs(words: Sequence[str]) -> None:
    """Raise UserError where a job of the sweep that `words` ask for has no sound config, before any begins.

    A sweeper of another library makes up its jobs as it goes.
    """
    from gantrain.training.prepare import check_parts  # torch, which the jobs need anyway

    options, overrides = split(words)
    if any(word.startswith("hydra/sweeper=") and word != "hydra/sweeper=basic" for word in overrides):
        return
    # What a launcher takes, only its own config knows; no job has it.
    overrides = [word for word in overrides if not word.lstrip("+").startswith(("hydra/", "hydra.launcher."))]
    config_dir = options.get("--config-dir", options.get("-cd"))
    try:
        parser = OverridesParser.create()
        parsed = parser.parse_overrides(overrides)
        fixed = [override.input_line for override in parsed if not override.is_sweep_override()]
        parsed = [*parser.parse_overrides(sweeper_params(fixed, config_dir)), *parsed]
    except HydraException as error:
        raise UserError(sentence(error, words)) from error
    (jobs,) = BasicSweeper.split_arguments(parsed, None)
    for number, job in enumerate(jobs):
        try:
            config = composed(job, config_dir)
            check_parts(config)
            for stage in stages_of(config):
                check_root(job, stage.config["data"])
        except UserError as error:
            raise UserError(f"job {number} of {len(jobs)}: {error}") from error


def check_root(job: Sequence[str], data: Mapping[str, Any]) -> None:
    """Raise UserError for data that a job names and that are not there: the others would fail by them as well."""
    named = any(word.startswith("data.root=") for word in job) and not any(word.startswith("debug=") for word in job)
    if named and not data["dataset"].get("download") and not Path(data["root"]).exists():
        raise UserError(f"data.root: there is nothing at {data['root']}; point it at the data")


@dataclass
class Job:
    """One run of a sweep: `overrides` by key, `outcome` and `error`, its sentence.

    An outcome is done, stopped, unhealthy, diverged or failed. `seconds` count all of the job, `images_per_second` its
    training alone.
    """

    number: int
    folder: Path
    overrides: Mapping[str, str]
    outcome: str
    seconds: float
    images_per_second: float | None = None
    error: str = ""
    code: int = 0  # as its exit code would be

    @property
    def iterations(self) -> int:
        """How many the newest checkpoints of all stages have together."""
        files = sorted(self.folder.glob("checkpoints/*/[0-9]*.ckpt"), key=lambda file: int(file.stem))
        return sum({file.parent: int(file.stem) for file in files}.values())

    @property
    def scores(self) -> dict[str, float]:
        """The values that were measured last, by name."""
        records = read_scores(self.folder)
        return {name: score.value for name, score in records[-1].result.scores.items()} if records else {}

    @property
    def cost(self) -> float:
        """The first of them, where less is better; infinite without scores."""
        records = read_scores(self.folder)
        return next(iter(records[-1].result.scores.values())).cost() if records else math.inf

    @property
    def values(self) -> dict[str, float]:
        """The losses and statistics of the last record."""
        records = [one for one in read_records(self.folder / "metrics.jsonl") if not is_look(one)]
        return {key: value for key, value in records[-1]["values"].items() if is_number(value)} if records else {}


@dataclass
class Sweep:
    """The jobs so far; `folder` holds theirs, sweep.csv and sweep.png.

    A launcher may run jobs in other processes, on other machines: each has a copy of the sweep, which notes its jobs in
    jobs.jsonl. `mark` tells them from those of another sweep in the same folder.
    """

    folder: Path = Path()
    jobs: list[Job] = field(default_factory=list)
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)

    def gather(self, folder: Path) -> None:
        """Take in the jobs that other processes have noted in `folder`, which is the sweep's where there are some."""
        known = {job.number for job in self.jobs}
        for line in read_lines(folder / JOBS_FILE):
            if isinstance(line, dict) and line.pop("sweep", None) == self.mark and line["number"] not in known:
                self.jobs.append(Job(**{**line, "folder": Path(line["folder"])}))
                self.folder = folder
        self.jobs.sort(key=lambda job: job.number)

    def add(self, job: Job) -> None:
        """Note a job that has ended; the table on the disk is whole after each, whatever ends the sweep."""
        self.jobs.append(job)
        with self._told(JOBS_FILE) as file, file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({"sweep": self.mark, **asdict(job), "folder": str(job.folder)}) + "\n")
        self.gather(self.folder)
        if job.scores:
            from gantrain.loggers import write_hparams

            write_hparams(job.folder, job.overrides, job.scores)
        self.write_table()

    def write_table(self) -> None:
        rows = self.table()
        columns = list(dict.fromkeys(key for row in rows for key in row))
        with (
            self._told("sweep.csv") as file,
            replacing(file) as temporary,
            temporary.open("w", newline="", encoding="utf-8", errors="replace") as stream,
        ):
            writer = csv.DictWriter(stream, columns)
            writer.writeheader()
            writer.writerows(rows)

    def finish(self) -> None:
        """Print the table, draw the picture, say how to go on."""
        self.write_table()
        print("\n" + "\n".join(aligned(self.short_table())))
        if means := self.means():
            print("\n" + "\n".join(aligned(means)) + f"\nmeans over {SEED}s, with their standard errors")
        print(f"table    {self.folder / 'sweep.csv'}")
        with self._told("sweep.png") as file:
            self.picture().save(file)
            print(f"picture  {file}")
        print(f"longer   gantrain resume {shlex.quote(str(self.folder / 'JOB'))} iterations=N", flush=True)

    def varying(self) -> list[str]:
        """The keys that differ between the jobs."""
        keys = dict.fromkeys(key for job in self.jobs for key in job.overrides)
        return [key for key in keys if len({job.overrides.get(key) for job in self.jobs}) > 1]

    def table(self) -> list[dict[str, Any]]:
        """All that is known of each job, by column."""
        varying = self.varying()
        return [
            {
                "job": job.number,
                **{key: job.overrides.get(key, "") for key in varying},
                "outcome": job.outcome,
                "iterations": job.iterations,
                "seconds": round(job.seconds, 1),
                "images_per_second": job.images_per_second,
                **job.scores,
                **{k: v for k, v in job.values.items() if k != "images_per_second"},
                "error": job.error,
            }
            for job in self.jobs
        ]

    def short_table(self) -> list[dict[str, str]]:
        """What fits on a console: short names, the adversarial losses alone; by the first score, the best marked."""
        varying = self.varying()
        names = dict(zip(varying, shortened(varying), strict=True))
        jobs = sorted(self.jobs, key=lambda job: job.cost)
        best = jobs[0] if len(jobs) > 1 and math.isfinite(jobs[0].cost) else None
        return [
            {
                "job": f"{job.number} *" if job is best else str(job.number),
                **{name: job.overrides.get(key, "") for key, name in names.items()},
                "outcome": job.outcome,
                "iterations": f"{job.iterations:,}",
                "seconds": f"{job.seconds:,.0f}",
                "images/s": "" if job.images_per_second is None else f"{job.images_per_second:,.0f}",
                **{name: f"{value:.4g}" for name, value in list(job.scores.items())[:1]},
                **{k.removesuffix("/adv"): f"{v:.3f}" for k, v in job.values.items() if k.endswith("/adv")},
            }
            for job in jobs
        ]

    def means(self) -> list[dict[str, str]]:
        """A row for each choice that several seeds share: its first score and its speed; none without such choices.

        The score is the mean of those jobs that have it, which are counted.
        """
        others = [key for key in self.varying() if key != SEED]
        if not others or SEED not in self.varying():
            return []
        groups: dict[tuple[str, ...], list[Job]] = {}
        for job in self.jobs:
            groups.setdefault(tuple(job.overrides.get(key, "") for key in others), []).append(job)
        names, rows = shortened(others), []
        for choice, jobs in groups.items():
            measured = [records[-1].result.scores for job in jobs if (records := read_scores(job.folder))]
            row = {**dict(zip(names, choice, strict=True)), f"{SEED}s": str(len(jobs))}
            name = next(iter(measured[0]), None) if measured else None
            found = [scores[name] for scores in measured if name in scores] if name else []
            if found:
                row[name] = str(Score.mean([score.value for score in found], found[0].better))
                row[f"{SEED}s"] = str(len(found))
            speeds = [job.images_per_second for job in jobs if job.images_per_second]
            rows.append({**row, "images/s": f"{sum(speeds) / len(speeds):,.0f}" if speeds else ""})
        return rows

    def picture(self) -> Any:
        """A row of samples per job from the same latents, labelled with what the job changes."""
        from gantrain.drawing.sheets import labelled_rows

        rows = []
        for job in self.jobs:
            lines = [f"job {job.number}" if job.outcome == "done" else f"job {job.number}: {job.outcome}"]
            lines += [f"{key}={job.overrides[key]}" for key in self.varying() if key in job.overrides]
            rows.append(("\n".join(lines), samples(job.folder) if job.iterations else None))
        return labelled_rows(rows)

    @contextlib.contextmanager
    def _told(self, name: str) -> Iterator[Path]:
        """The file that is written meanwhile; where that is impossible, it is said and stops nothing."""
        file = self.folder / name
        try:
            yield file
        except OSError as error:
            print(f"gantrain: cannot write {file} ({error.strerror or error})", file=sys.stderr)


def samples(folder: Path) -> Any:
    """A row of a run's samples, or None where its run can no longer be opened, which is said."""
    import torch  # a sweep whose jobs are all refused has no use for it

    from gantrain.drawing.pictures import grid, to_pil
    from gantrain.run.folder import Run
    from gantrain.training.loading import load_trained

    try:
        trained = load_trained(folder, Run.open(folder).config().get("plugins") or [])  # it has just run here
        # The run's own seed would choose other examples; families that start from pictures get the same ones as well.
        trained.stage.config["seed"] = 0
        data = trained.data.open()
        pictures = trained.module.preview(data.examples(COLUMNS), torch.Generator().manual_seed(0))
    except UserError as error:
        print(f"gantrain: no samples of {folder}: {error}", file=sys.stderr)
        return None
    return to_pil(grid(data.pictures(pictures), columns=COLUMNS)).convert("RGB")


def shortened(keys: Sequence[str]) -> list[str]:
    """Each key's last parts, as many as tell it from the others."""
    short = []
    for key in keys:
        parts = key.split(".")
        tails = [".".join(parts[-n:]) for n in range(1, len(parts) + 1)]
        short.append(next((t for t in tails if sum(f".{other}".endswith(f".{t}") for other in keys) == 1), key))
    return short
