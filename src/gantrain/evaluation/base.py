"""The interface of evaluations: what is measured when, and how the best checkpoint is chosen."""

from collections.abc import Sequence
from typing import Any, TypeVar

from gantrain.checks import LARGEST_SEED, check_whole
from gantrain.data.module import GANDataModule
from gantrain.errors import UserError, did_you_mean
from gantrain.evaluation.protocol import names_score
from gantrain.models.base import GANModule
from gantrain.run.scores import Result

Data = TypeVar("Data", bound=GANDataModule)


class Evaluation:
    """One kind of measurement; the config's `evaluation` node names a subclass.

    In training it is measured every `every` iterations (null: only at the end) of the stages in `stages` (null: all).
    `best` names the score, with or without its tag, by which the best checkpoint is chosen and which a multirun
    minimises; null is the first. `seed` is that of all random numbers.
    """

    split = "test"  # the real data to compare with: `test`, which training does not see, or `train`

    def __init__(
        self, *, every: int | None = None, best: str | None = None, stages: Sequence[str] | None = None, seed: int = 0
    ):
        check_whole(1, every=every)
        if stages is not None and not stages:
            raise ValueError("stages is [], it must be a list of stages, as [gan], or null for all")
        if not 0 <= seed <= LARGEST_SEED:
            raise ValueError(f"seed is {seed!r}, it must be a whole number from 0 to {LARGEST_SEED}")
        self.every, self.best, self.seed = every, best, seed
        self.stages = stages

    def applies(self, stage: str) -> bool:
        """Whether the stage is measured; `stage` is its tag, empty where there is only one."""
        return self.stages is None or not stage or stage in self.stages

    def check_stages(self, stages: Sequence[str]) -> None:
        """Raise UserError where `stages` of the config names one that the run, of several, does not have."""
        for stage in self.stages or ():
            if stage not in stages:
                raise UserError(f"evaluation.stages: there is no stage '{stage}'{did_you_mean(stage, stages)}")

    def check(self, module: GANModule, data: Any) -> None:
        """Raise UserError early where the family or the data do not fit, or something is missing."""

    def check_best(self, module: GANModule, data: Any) -> None:
        """Raise UserError where `best` is none of the scores that will be measured; `check` comes before."""
        names = self.names(module, data)
        if self.best is not None and not any(names_score(self.best, name) for name in names):
            raise UserError(f"evaluation.best: '{self.best}' is not measured; there are {', '.join(names)}")

    def reference(self, data: Data) -> Data:
        """The real data to compare with. Raises UserError where none are held out."""
        return data if self.split == "train" else data.held_out()

    def names(self, module: GANModule, data: Any) -> Sequence[str]:
        """The scores that `measure` will give, by their names there, known before training."""
        raise NotImplementedError

    def measure(self, module: GANModule, data: Any, raw: bool = False) -> Result:
        """The scores of the module's networks now, of EMA weights unless `raw`. The caller puts the module into eval
        mode and the global generators back. Raises UserError."""
        raise NotImplementedError
