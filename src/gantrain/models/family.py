"""The interface of a family of games: what it gives the training loop, and what a trained run can be used for."""

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

    A family has one method for each of its players, marked with `@plays`, with the player's name:
    `generator(batch, shared)` returns the weighted terms that the player minimises, and the statistics of its turn.
    Such a method may depend only on the batch and the networks; random numbers come from `draw`.
    """

    networks: Any  # an nn.ModuleDict; a family calls more of a network than every module has
    trainer: Any  # Lightning's
    manual_backward: Callable[[Tensor], None]  # Lightning's
    seed: int
    iteration: int  # batches so far
    images_seen: int  # samples so far, of all processes
    stage: str  # its name among several; empty where it is the only one
    microbatches: int  # parts of a batch that a turn looks at one after the other
    verbs: Sequence[str] = ()  # what `gantrain VERB RUN` can do with a trained run, besides the verbs of its data
    usual_evaluation: str | None = None  # the one of configs/evaluation for runs without; the data's comes first
    capturable = True  # whether an iteration reads no Python value that changes, so that a GPU can replay it
    latents: Callable[..., Tensor] | None = None  # draws latents, as LatentGAN's; None: no samples from noise
    generate: Callable[..., Tensor] | None = None  # makes samples of latents; None likewise
    classes: int | None = None  # how many classes `generate` takes; None: it takes no class numbers
    codes: Codes | None = None  # what the last numbers of latents stand for; None: all are noise
    adversarial: AdversarialLoss | None = None  # the loss of the discriminator; None: there is none
    fade_images: int | None = None  # images of the stage over which growing networks fade to its size; None: no fading
    takes_texts = False  # whether samples are made from texts as well: `generate(latents, embeddings)`
    conditional = False  # whether the discriminator judges pairs of a sample and its condition
    has_targets = False  # whether each sample of `made` has one real sample as its target
    way_out = "interpolate its options from data, as configs/networks does"  # advice where a network misfits the data

    # ---- the game ----------------------------------------------------------------------------------------------------

    def draw(self, batch: Batch) -> Batch:
        """The random inputs of an iteration, one row per sample of `batch`; they are added to the batch by key."""
        return {}

    def shared(self, batch: Batch, playing: Sequence[str]) -> Any:
        """What several turns of an iteration read, such as one generator pass."""
        return None

    def losses(self, name: str, batch: Batch, shared: Any) -> tuple[Scalars, Scalars]:
        """The weighted terms that player `name` minimises, and the statistics of its turn, from its method."""
        return getattr(self, name)(batch, shared)

    def penalised(self, name: str, batch: Batch, shared: Any) -> Mapping[str, PenaltyInputs]:
        """What the penalties of player `name` look at, by the suffix of their terms."""
        return {}

    def inputs_of(self, name: str, batch: Batch) -> tuple[Tensor, ...] | None:
        """The inputs of network `name` for a batch of the data, with zeros as latents; None if the stage does not use
        it."""
        return None

    def target_of(self, name: str, batch: Batch) -> Tensor | None:
        """A tensor of the shape that network `name` must make of `inputs_of(name, batch)`; None where any will do."""
        return None

    def check(self, batch: Batch) -> dict[str, Any]:
        """Raise UserError where the networks do not fit the first batch; returns the output of each for one sample."""
        return outputs_for(self, batch)

    def study(self, data: GANDataModule) -> None:
        """Look at all data before training, where the game needs that. Raises UserError."""

    # ---- what health looks at ----------------------------------------------------------------------------------------

    def made(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Fakes of the networks in their present mode, under the keys of the samples in `batch` that they imitate;
        latents come from `generator`, which is on the CPU."""
        return {}

    def judged(self, key: str, samples: Tensor, batch: Batch) -> Tensor | None:
        """A discriminator's logits for `samples`, which take the place of `batch[key]`; None where none judges them."""
        return None

    def seen(self, key: str, batch: Batch) -> Tensor:
        """The real samples `batch[key]` as a discriminator is shown them, augmented where the game does that."""
        return batch[key]

    # ---- a trained run -----------------------------------------------------------------------------------------------

    def preview(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """Samples in the data's range by the networks for use, one for each sample of `batch` or a few less."""
        raise NotImplementedError

    @property
    def preview_columns(self) -> int | None:
        """How many pictures of the preview form a row; None where any number will do."""
        return None

    def networks_for_use(self) -> Sequence[str]:
        """The networks that a user of the finished run needs."""
        raise NotImplementedError

    def generator_to(self, side: str | None) -> str:
        """The name of the network that translates a user's pictures. Raises UserError for a `side`."""
        if side is not None:
            raise UserError("--to: this run goes one way only; leave it out")
        return self.networks_for_use()[0]

    def from_files(self) -> Iterable[Frozen]:
        """The frozen networks in its losses whose weights come from files."""
        return ()

    @property
    def prefix(self) -> str:
        """The beginning of the tags of its curves and pictures."""
        return f"{self.stage}/" if self.stage else ""

    @property
    def device(self) -> torch.device:
        weight = next(self.networks.parameters(), None)
        return torch.device("cpu") if weight is None else weight.device

    # ---- random numbers of an iteration ------------------------------------------------------------------------------

    def noise(self, batch: Batch, *shape: int, key: str) -> Tensor:
        """Standard normal noise, a row for each sample of `batch`; it does not depend on the number of processes."""
        return rng.normal(batch_size(batch), *shape, **self._drawing(key))

    def uniform(self, batch: Batch, *shape: int, key: str) -> Tensor:
        """Numbers in [0, 1) for each sample of `batch`, a single one if no shape is given; drawn as `noise` is."""
        return rng.uniform(batch_size(batch), *shape, **self._drawing(key))

    def integers(self, batch: Batch, high: int, key: str) -> Tensor:
        """A uniform whole number below `high` for each sample of `batch`; drawn as `noise` is."""
        return rng.integers(batch_size(batch), high, **self._drawing(key))

    def _drawing(self, key: str) -> dict[str, Any]:
        """The seed of a draw in this iteration, and this process' share of it."""
        trainer, seed = self.trainer, (self.seed, self.stage, self.iteration, key)
        return {"seed": seed, "rank": trainer.global_rank, "world": trainer.world_size, "device": self.device}
