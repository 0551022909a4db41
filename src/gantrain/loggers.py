"""Where curves go besides metrics.jsonl: loggers that continue where a resumed run continues."""

import csv
import importlib
import io
import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image
from pytorch_lightning.loggers import CSVLogger, Logger, TensorBoardLogger, WandbLogger
from pytorch_lightning.loggers.logger import rank_zero_experiment
from pytorch_lightning.utilities import rank_zero_only

from gantrain.errors import UserError

# What `build_loggers` (training/watchers.py) offers a logger, which takes what it names: `save_dir`, a folder for one
# stage; `purge_step`, the first iteration that a resumed run makes anew; `run_dir`, the run's folder; `config`, the
# run's config.


class TensorBoard(TensorBoardLogger):
    """Event files in `save_dir`; points that a resumed run makes anew are hidden."""

    def __init__(self, save_dir: str, purge_step: int | None = None, **options: Any):
        super().__init__(save_dir, name="", version="", purge_step=purge_step, **options)


def write_hparams(run: Path, params: Mapping[str, Any], scores: Mapping[str, float]) -> None:
    """Let TensorBoard's HPARAMS page show what a run of a sweep or search tried, and its scores."""
    if not (run / "tensorboard").is_dir() or not scores:
        return
    from torch.utils.tensorboard import SummaryWriter
    from torch.utils.tensorboard.summary import hparams

    plain = {k: v if isinstance(v, (bool, int, float, str)) else str(v) for k, v in params.items()}
    with SummaryWriter(str(run / "tensorboard")) as writer:
        for summary in hparams(plain, dict(scores)):
            writer.file_writer.add_summary(summary)
        for name, value in scores.items():
            writer.add_scalar(name, value)


class CSV(CSVLogger):
    """`save_dir`/metrics.csv, a row per record; rows that a resumed run makes anew go."""

    def __init__(self, save_dir: str, purge_step: int | None = None, **options: Any):
        # It writes when the step after this one divides by the interval; ours never does, unless that is one.
        super().__init__(save_dir, name="", version="", flush_logs_every_n_steps=1, **options)
        self._purge_step = purge_step

    @property
    @rank_zero_experiment
    def experiment(self) -> Any:
        if self._experiment is None:
            kept = self._rows_to_keep()
            writer = super().experiment  # empties the folder
            writer.metrics = kept
            writer.save()
        return self._experiment

    def _rows_to_keep(self) -> list[dict[str, str]]:
        file = Path(self.log_dir) / "metrics.csv"
        if self._purge_step is None or not file.is_file():
            return []
        text = file.read_text(encoding="utf-8", errors="replace")
        whole = text[: text.rfind("\n") + 1]  # a kill may have cut the last line, also in the middle of its step
        rows = [{k: v for k, v in row.items() if v} for row in csv.DictReader(io.StringIO(whole)) if None not in row]
        return [row for row in rows if row.get("step", "").isdecimal() and int(row["step"]) < self._purge_step]


class WandB(WandbLogger):
    """One W&B run for all stages, in `run_dir`/wandb; its id stays there, so that a resumed run continues it.

    Points cannot be taken back: those after the checkpoint of a run that crashed stay beside the new ones.
    """

    def __init__(self, run_dir: str, config: Mapping[str, Any], name: str | None = None, **options: Any):
        need("wandb")
        self._id_file = Path(run_dir) / "wandb" / "id.txt"
        super().__init__(
            name=name or f"{config.get('name')} {Path(run_dir).name}",
            save_dir=run_dir,
            id=self._id_file.read_text(encoding="utf-8").strip() if self._id_file.is_file() else None,
            config=dict(config),
            settings={"silent": True, "console": "off"},
            **options,
        )
        del self._wandb_init["anonymous"]  # wandb warns that it means nothing any more

    @property
    @rank_zero_experiment
    def experiment(self) -> Any:
        if self._experiment is None:
            self._id_file.parent.mkdir(parents=True, exist_ok=True)
            self._id_file.write_text(super().experiment.id, encoding="utf-8")
        return self._experiment

    def finalize(self, status: str) -> None:
        super().finalize(status)
        if self._experiment is not None:  # the next job of a sweep would write into a run that is left open
            self._experiment.finish(exit_code=0 if status == "success" else 1)


class MLflow(Logger):
    """One MLflow run for all stages, in `run_dir`/mlflow/mlflow.db unless `tracking_uri` says otherwise.

    Not Lightning's: that one makes the database as soon as it is built, before the config is accepted. The run's id
    stays in `run_dir`, so that a resumed run continues it. Points cannot be taken back, as with W&B.
    """

    name = ""  # of the experiment
    version: str | None = None  # the run's id

    def __init__(
        self,
        run_dir: str,
        config: Mapping[str, Any],
        tracking_uri: str | None = None,
        experiment: str = "gantrain",
        run_name: str | None = None,
    ):
        super().__init__()
        need("mlflow")
        self.name, self.config, self.tracking_uri = experiment, config, tracking_uri
        self.run_name = run_name or f"{config.get('name')} {Path(run_dir).name}"
        self.folder = Path(run_dir).absolute() / "mlflow"
        self._client: Any = None

    @property
    @rank_zero_experiment
    def experiment(self) -> Any:
        """The MlflowClient; the run is begun or continued when it is first asked for."""
        if self._client is None:
            self._client = self._open()
        return self._client

    def _open(self) -> Any:
        from mlflow import MlflowClient
        from mlflow.entities import Param

        for library in ("mlflow", "alembic"):
            logging.getLogger(library).setLevel(logging.ERROR)
        self.folder.mkdir(parents=True, exist_ok=True)
        id_file = self.folder / "id.txt"
        client = MlflowClient(self.tracking_uri or f"sqlite:///{self.folder / 'mlflow.db'}")
        if id_file.is_file():
            self.version = id_file.read_text(encoding="utf-8").strip()
            client.update_run(self.version, status="RUNNING")
            return client
        known = client.get_experiment_by_name(self.name)
        place = None if self.tracking_uri else (self.folder / "artifacts").as_uri()
        number = known.experiment_id if known else client.create_experiment(self.name, place)
        self.version = client.create_run(number, run_name=self.run_name).info.run_id
        id_file.write_text(self.version, encoding="utf-8")
        params = [Param(key, str(value)[:500]) for key, value in flat(self.config).items()]
        for i in range(0, len(params), 100):  # a request takes no more
            client.log_batch(self.version, params=params[i : i + 100])
        return client

    def log_hyperparams(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: the run's config is logged when the run begins, and MLflow lets no parameter change."""

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        from mlflow.entities import Metric

        client, now = self.experiment, int(time.time() * 1000)
        points = [Metric(key, float(value), now, step or 0) for key, value in metrics.items()]
        client.log_batch(self.version, metrics=points)

    @rank_zero_only
    def log_image(self, key: str, images: Sequence[Image.Image], step: int | None = None) -> None:
        """Pictures of one iteration, as `WandbLogger.log_image` takes them."""
        client = self.experiment
        for image in images:
            client.log_image(self.version, image, key=key, step=step)

    def finalize(self, status: str) -> None:
        if self._client is not None:
            self._client.set_terminated(self.version, "FINISHED" if status == "success" else "FAILED")


def need(package: str) -> None:
    """Raise UserError where an optional package is missing."""
    try:
        importlib.import_module(package)
    except ImportError as error:
        raise UserError(
            f"logger={package} needs `pip install 'gantrain[{package}]'` ({error}); tensorboard and csv need nothing"
        ) from error


def flat(value: Any, name: str = "") -> dict[str, Any]:
    """Nested keys joined by dots."""
    if not isinstance(value, Mapping) or not value:
        return {name: value}
    inner = (flat(part, f"{name}.{key}" if name else key) for key, part in value.items())
    return {key: part for parts in inner for key, part in parts.items()}
