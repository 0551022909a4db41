"""What the samples of a latent game are conditioned on: nothing, classes of the data, or clusters that it finds itself.

This module alone knows where a sample's label, the number `cond` (n,), comes from and which networks get it.
"""

from typing import Any

import torch
from torch import Tensor

from gantrain.checks import check_whole
from gantrain.data.batch import Batch
from gantrain.data.module import GANDataModule
from gantrain.errors import UserError
from gantrain.losses.auxiliary import Auxiliary, Codes
from gantrain.models.clusters import Clusters
from gantrain.models.family import Family


def conditioning_of(classes: int | None, clusters: int | None, auxiliary: Auxiliary | None) -> "Conditioning":
    """Conditioning on classes if there are any, else on clusters, else on nothing."""
    check_whole(1, classes=classes)
    check_whole(2, clusters=clusters)
    if classes:
        return OnClasses(classes, guessed=auxiliary is not None and auxiliary.tells_classes)
    return OnClusters(clusters) if clusters else Conditioning()


class Conditioning:
    """On nothing: samples have no label. Subclasses override what differs."""

    option: str | None = None  # the config key that asks for labels
    count = 0  # how many different labels there are
    classes: int | None = None  # how many classes a user can ask the generator for
    codes: Codes | None = None  # the label as the last numbers of a latent, if the generator gets it that way
    way_out: str | None = None  # advice for a network that takes no labels, in the place of the family's

    def keep(self, game: Any) -> None:
        """Let checkpoints hold what `study` has learnt."""

    def study(self, data: GANDataModule, seed: int) -> None:
        """Look at all data before training, where labels need that. Raises UserError."""

    def check(self, batch: Batch, auxiliary: Auxiliary | None) -> None:
        """Raise UserError where the data have no labels, or the auxiliary loss does not fit them."""
        if auxiliary is not None and auxiliary.tells_classes and auxiliary.size != self.classes:
            raise UserError(
                f"losses.auxiliary.classes is {auxiliary.size}, but models.classes is {self.classes or 'null'}; choose "
                f"models=conditional and interpolate both from data.classes"
            )

    def of_real(self, real: Tensor) -> Batch:
        """`cond`, the labels of real samples, if the batch does not have them already."""
        return {}

    def of_fresh(self, game: Family, batch: Batch) -> Batch:
        """`cond_generator`, the labels of the new fakes in the generator's turn (`fresh_noise`)."""
        return {}

    def last(self, real: Tensor) -> Batch:
        """`cond` with the highest label for each sample: a network that accepts it accepts all labels."""
        return {"cond": torch.full((len(real),), self.count - 1, device=real.device)} if self.count else {}

    def to_generator(self, source: Batch) -> tuple[Tensor, ...]:
        """The generator's inputs: the latents `z` of `source`, and their labels if it gets them."""
        return (source["z"],)

    def to_discriminator(self, source: Batch) -> tuple[Tensor, ...]:
        """The discriminator's inputs after the samples."""
        return ()


class OnClasses(Conditioning):
    """On classes of the data (cGAN): both networks get them, except a discriminator by which they are `guessed`."""

    option = "models.classes"

    def __init__(self, classes: int, guessed: bool):
        self.count, self.classes, self.guessed = classes, classes, guessed

    def check(self, batch: Batch, auxiliary: Auxiliary | None) -> None:
        if "cond" not in batch:
            raise UserError(
                "models.classes: the data have no classes; set models.classes=null, or choose data that have some"
            )
        super().check(batch, auxiliary)

    def of_fresh(self, game: Family, batch: Batch) -> Batch:
        return {"cond_generator": game.integers(batch, self.count, key="cond_generator")}

    def to_generator(self, source: Batch) -> tuple[Tensor, ...]:
        return source["z"], source["cond"]

    def to_discriminator(self, source: Batch) -> tuple[Tensor, ...]:
        return () if self.guessed else (source["cond"],)


class OnClusters(Conditioning):
    """On clusters of the data (Self-Conditioned GANs, Liu et al. 2020): the discriminator gets them as classes.

    The generator gets latents only, whose last numbers are the one-hot of a cluster: in training the cluster of the
    real sample at the same place in the batch, in use any cluster with equal chance. So a trained run has no labels.
    """

    option = "models.clusters"

    def __init__(self, count: int):
        self.count, self.clusters, self.codes = count, Clusters(count), Codes(count)
        self.way_out = f"models.clusters needs networks.discriminator.classes={count}, as mnist_fast has it"

    def keep(self, game: Any) -> None:
        game.keep("clusters", self.clusters, shared=True)

    def study(self, data: GANDataModule, seed: int) -> None:
        self.clusters.fit(data, seed)

    def check(self, batch: Batch, auxiliary: Auxiliary | None) -> None:
        super().check(batch, auxiliary)
        if isinstance(auxiliary, Codes):
            raise UserError(
                "models.clusters and losses.auxiliary both make codes of the last numbers of a latent; leave one out"
            )

    def of_real(self, real: Tensor) -> Batch:
        return {"cond": self.clusters.of(real)}

    def of_fresh(self, game: Family, batch: Batch) -> Batch:
        return {"cond_generator": self.clusters.of(batch["real"])}

    def to_generator(self, source: Batch) -> tuple[Tensor, ...]:
        z, cond = source["z"], source["cond"]
        one_hot = z.new_zeros(len(z), self.count).scatter_(1, cond[:, None], 1)  # F.one_hot looks at all numbers first
        return (torch.cat([z[:, : -self.count], one_hot], 1),)

    def to_discriminator(self, source: Batch) -> tuple[Tensor, ...]:
        return (source["cond"],)
