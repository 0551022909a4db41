"""What a family of games gives the training loop, and what it says of itself to those who use a trained run."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from gantrain import rng
from gantrain.data.batch import Batch
from gantrain.data.module import GANDataModule
from gantrain.errors import UserError
from gantrain.losses.adversarial import AdversarialLoss
from gantrain.losses.auxiliary import Codes
from gantrain.losses.penalties import PenaltyInputs
from gantrain.models.checks import outputs_for
from gantrain.models.loop.batch import Scalars, batch_size
from gantrain.networks.frozen import Frozen


class Family:
    """The part of `GANModule` that a family overrides, and the random numbers that it draws.

    A family has one method for each of its players, marked with `@plays` and called as the player is:
    `generator(batch, shared)` gives the weighted terms that the player minimises and the statistics of its turn.
    It reads nothing that changes but the batch and the networks: what is random comes from `draw`.
    """

    networks: Any  # an nn.ModuleDict; a family calls more of a network than every module has
    trainer: Any  # Lightning's
    manual_backward: Callable[[Tensor], None]  # Lightning's
    seed: int
    iteration: int  # batches so far
    images_seen: int  # samples so far, of all processes
    stage: str  # its name among several; empty where it is the only one
    microbatches: int  # parts of a batch that a turn looks at one after the other
    verbs: Sequence[str] = ()  # what `gantrain VERB RUN` can do with a trained run, beside what its data say
    usual_evaluation: str | None = None  # that of configs/evaluation for a run without one, unless its data say
    capturable = True  # whether an iteration reads nothing of the host that changes: a GPU records and replays it
    latents: Callable[..., Tensor] | None = None  # from a generator, as LatentGAN's, where it makes samples from noise
    generate: Callable[..., Tensor] | None = None  # samples from latents, likewise
    classes: int | None = None  # of the class numbers that `generate` takes, where it takes any
    codes: Codes | None = None  # that the last numbers of latents are, where they are
    adversarial: AdversarialLoss | None = None  # the loss by which a discriminator judges, where there is one
    fade_images: int | None = None  # of the stage, over which networks that grow fade to its size, where they do
    takes_texts = False  # whether samples are made of texts as well: `generate(latents, embeddings)`
    conditional = False  # whether the discriminator judges pairs of a sample and its condition
    has_targets = False  # whether each sample that `made` gives has one real sample that it should be
    way_out = "interpolate its options from data, as configs/networks does"  # where a network does not fit the data

    # ---- the game ----------------------------------------------------------------------------------------------------

    def draw(self, batch: Batch) -> Batch:
        """The iteration's random inputs, one row per sample of `batch`; they join the batch, or take a place in it."""
        return {}

    def shared(self, batch: Batch, playing: Sequence[str]) -> Any:
        """What several turns of an iteration read, such as one generator pass."""
        return None

    def losses(self, name: str, batch: Batch, shared: Any) -> tuple[Scalars, Scalars]:
        """The weighted terms that player `name` minimises, and statistics of its turn: what its method gives."""
        return getattr(self, name)(batch, shared)

    def penalised(self, name: str, batch: Batch, shared: Any) -> Mapping[str, PenaltyInputs]:
        """What the penalties of player `name` look at, by the suffix of their terms."""
        return {}

    def inputs_of(self, name: str, batch: Batch) -> tuple[Tensor, ...] | None:
        """What network `name` gets for a batch of the data, with latents of zeros; None where the stage has no use."""
        return None

    def target_of(self, name: str, batch: Batch) -> Tensor | None:
        """What network `name` must make, in shape, of `inputs_of(name, batch)`; None where that is free."""
        return None

    def check(self, batch: Batch) -> dict[str, Any]:
        """Raise UserError where the networks do not fit the first batch; returns what each gave for a sample of it."""
        return outputs_for(self, batch)

    def study(self, data: GANDataModule) -> None:
        """Learn what it must know of all data; they are open, and nothing is trained yet. Raises UserError."""

    # ---- what health looks at ----------------------------------------------------------------------------------------

    def made(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Fakes by the networks as they are, under the keys of `batch` whose samples they imitate; latents, where there
        are any, come from the CPU generator."""
        return {}

    def judged(self, key: str, samples: Tensor, batch: Batch) -> Tensor | None:
        """The logits of samples in the place of `batch[key]`, as a discriminator sees them; None where none does."""
        return None

    def seen(self, key: str, batch: Batch) -> Tensor:
        """What a discriminator is shown in the place of the real samples `batch[key]`, where that is augmented."""
        return batch[key]

    # ---- a trained run -----------------------------------------------------------------------------------------------

    def preview(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """Samples in the data's range, one for each of `batch` or a few less, from the networks a user would take."""
        raise NotImplementedError

    @property
    def preview_columns(self) -> int | None:
        """How many pictures of the preview belong side by side, if that matters."""
        return None

    def networks_for_use(self) -> Sequence[str]:
        """The networks that a user of the finished run needs."""
        raise NotImplementedError

    def generator_to(self, side: str | None) -> str:
        """The network that makes others of a user's pictures. Raises UserError where a side is asked for."""
        if side is not None:
            raise UserError("--to: this run goes one way only; leave it out")
        return self.networks_for_use()[0]

    def from_files(self) -> Iterable[Frozen]:
        """The frozen networks that its losses call, where their weights lie in files."""
        return ()

    @property
    def prefix(self) -> str:
        """What the tags of its curves and pictures begin with."""
        return f"{self.stage}/" if self.stage else ""

    @property
    def device(self) -> torch.device:
        weight = next(self.networks.parameters(), None)
        return torch.device("cpu") if weight is None else weight.device

    # ---- random numbers of an iteration ------------------------------------------------------------------------------

    def noise(self, batch: Batch, *shape: int, key: str) -> Tensor:
        """Standard normal noise for every sample of `batch`, the same however processes share it."""
        return rng.normal(batch_size(batch), *shape, **self._drawing(key))

    def uniform(self, batch: Batch, *shape: int, key: str) -> Tensor:
        """Numbers in [0, 1) for every sample of `batch`, one where no shape is asked for, as `noise` is drawn."""
        return rng.uniform(batch_size(batch), *shape, **self._drawing(key))

    def integers(self, batch: Batch, high: int, key: str) -> Tensor:
        """A whole number below `high` for every sample of `batch`, all equally likely, as `noise` is drawn."""
        return rng.integers(batch_size(batch), high, **self._drawing(key))

    def _drawing(self, key: str) -> dict[str, Any]:
        """What names a draw of this iteration, and the process' share in it."""
        trainer, seed = self.trainer, (self.seed, self.stage, self.iteration, key)
        return {"seed": seed, "rank": trainer.global_rank, "world": trainer.world_size, "device": self.device}
