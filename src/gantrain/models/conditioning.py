"""What the samples of a latent game are conditioned on: nothing, classes of the data, or clusters that it makes itself.

Where a sample's label, the number `cond` (n,), comes from, and which network is told it, stands here alone.
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
    """On classes where there are some, else on clusters, else on nothing."""
    check_whole(1, classes=classes)
    check_whole(2, clusters=clusters)
    if classes:
        return OnClasses(classes, guessed=auxiliary is not None and auxiliary.tells_classes)
    return OnClusters(clusters) if clusters else Conditioning()


class Conditioning:
    """On nothing: samples have no label. The other kinds say what differs."""

    option: str | None = None  # that asks for labels
    count = 0  # of labels
    classes: int | None = None  # that people ask the generator for, where labels are classes
    codes: Codes | None = None  # that latents end with, where the label is one
    way_out: str | None = None  # for a network that does not take labels, where the family's does not help

    def keep(self, game: Any) -> None:
        """Save what is learnt of the data with the game."""

    def study(self, data: GANDataModule, seed: int) -> None:
        """Learn of all data what labels need. Raises UserError."""

    def check(self, batch: Batch, auxiliary: Auxiliary | None) -> None:
        """Raise UserError where the data lack labels, or the discriminator is to say what does not go with them."""
        if auxiliary is not None and auxiliary.tells_classes and auxiliary.size != self.classes:
            raise UserError(
                f"losses.auxiliary.classes is {auxiliary.size}, but models.classes is {self.classes or 'null'}; choose "
                f"models=conditional and interpolate both from data.classes"
            )

    def of_real(self, real: Tensor) -> Batch:
        """`cond`, the labels of real samples, where they do not come with the data."""
        return {}

    def of_fresh(self, game: Family, batch: Batch) -> Batch:
        """`cond_generator`, the labels of fakes that the generator's turn makes anew."""
        return {}

    def last(self, real: Tensor) -> Batch:
        """`cond`, the last label for each sample: a network that takes it takes all."""
        return {"cond": torch.full((len(real),), self.count - 1, device=real.device)} if self.count else {}

    def to_generator(self, source: Batch) -> tuple[Tensor, ...]:
        """What the generator takes: the latents `z` of `source`, and their labels where it is told them."""
        return (source["z"],)

    def to_discriminator(self, source: Batch) -> tuple[Tensor, ...]:
        """What the discriminator takes after the samples."""
        return ()


class OnClasses(Conditioning):
    """On classes of the data (cGAN): both networks take them, but for a discriminator by which they are `guessed`."""

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
    """On clusters of the data (Self-Conditioned GANs, Liu et al. 2020): the discriminator takes them as classes.

    The generator takes latents alone, which end with the one-hot of their cluster: in training that of the real sample
    in the same place of the batch, in use one of all, equally likely. So a trained run is one without labels.
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
