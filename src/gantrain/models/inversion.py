"""Samples to latents of a trained class-conditional generator (Perarnau et al. 2016; Antipov et al. 2017)."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from gantrain.checks import check_whole
from gantrain.data.batch import Batch
from gantrain.errors import UserError
from gantrain.models.base import GANModule
from gantrain.models.checks import check_networks, z_dim_of
from gantrain.models.loop.batch import Scalars
from gantrain.models.loop.eval_mode import outputs
from gantrain.models.players import plays
from gantrain.models.prior import normal_latents
from gantrain.networks.frozen import Frozen

Distance = Callable[[Tensor, Tensor], Tensor]


class Inversion(GANModule):
    """An encoder E of samples, so that a generator G(z, cond) can make them again, in their own class or another.

    The given losses are summed. `latent` is the distance of E(G(z, c)) to z, for random latents of deviation `z_std`
    and random classes; `pixels` is the distance of G(E(x), cond) to the data x; `embedding` is the distance of their
    embeddings by the network `face`, through which gradients pass. Networks that the player does not train are frozen.
    """

    verbs = ("age", "sample", "interpolate", "arithmetic")
    usual_evaluation = "ageing"
    way_out = "interpolate its size and channels from data.size and data.channels; a generator must take class numbers"

    def __init__(
        self,
        *,
        classes: int,
        latent: Distance | None = None,
        pixels: Distance | None = None,
        embedding: Distance | None = None,
        z_std: float = 1.0,
        **base: Any,
    ):
        check_whole(1, classes=classes)
        super().__init__(**base)
        self.distances = {"latent": latent, "pixels": pixels, "embedding": embedding}
        self.distances = {key: distance for key, distance in self.distances.items() if distance is not None}
        if not self.distances:
            raise UserError("losses: the encoder has none; state latent, pixels or embedding")
        needed = ("encoder", "generator", *(["face"] if embedding is not None else []))
        check_networks(self.networks, needed, "the encoder's family")
        self.classes, self.z_std = classes, z_std

    def draw(self, batch: Batch) -> Batch:
        if "latent" not in self.distances:
            return {}
        return {
            "z": self.z_std * self.noise(batch, self.z_dim, key="z"),
            "cond_z": self.integers(batch, self.classes, key="cond_z"),
        }

    @plays
    def encoder(self, batch: Batch, shared: None) -> tuple[Scalars, Scalars]:
        encoder, generator = self.networks["encoder"], self.networks["generator"]
        terms = {}
        if distance := self.distances.get("latent"):
            terms["latent"] = distance(encoder(generator(batch["z"], batch["cond_z"])), batch["z"])
        if "pixels" in self.distances or "embedding" in self.distances:
            made = generator(encoder(batch["real"]), batch["cond"])
            if distance := self.distances.get("pixels"):
                terms["pixels"] = distance(made, batch["real"])
            if distance := self.distances.get("embedding"):
                terms["embedding"] = distance(self.networks["face"](made), self.face_of(batch["real"]))
        return terms, {}

    @property
    def z_dim(self) -> int:
        return z_dim_of(self.networks["generator"])

    @torch.no_grad()
    def face_of(self, images: Tensor) -> Tensor:
        """Embeddings (n, d) of pictures in the data's range, without gradient."""
        return self.networks["face"](images)

    def inputs_of(self, name: str, batch: Batch) -> tuple[Tensor, ...] | None:
        real = batch["real"]
        if name == "generator":
            return torch.zeros(len(real), self.z_dim, device=real.device), batch["cond"]
        uses_face = name == "face" and "embedding" in self.distances
        return (real,) if name == "encoder" or uses_face else None

    def target_of(self, name: str, batch: Batch) -> Tensor | None:
        if name == "encoder":
            return batch["real"].new_zeros(len(batch["real"]), self.z_dim)
        return batch["real"] if name == "generator" else None

    def check(self, batch: Batch) -> dict[str, Any]:
        if "cond" not in batch:
            raise UserError("models.classes: the data have no classes; choose data that have some")
        return super().check(batch)

    def from_files(self) -> Sequence[Frozen]:
        face = self.networks["face"] if "embedding" in self.distances else None
        return [face] if isinstance(face, Frozen) else []

    # ---- for people --------------------------------------------------------------------------------------------------

    def encode(self, images: Tensor, raw: bool = False) -> Tensor:
        """Latents (n, z_dim), on the CPU, of samples in the data's range; EMA weights unless `raw`."""
        return outputs(self.averaged("encoder", raw), images, device=self.device)

    def latents(self, n: int, generator: torch.Generator, truncation: float | None = None) -> Tensor:
        """`n` latents from a CPU generator, as LatentGAN draws them."""
        return self.z_std * normal_latents(n, self.z_dim, generator, truncation)

    def generate(self, z: Tensor, cond: Tensor | None = None, raw: bool = False) -> Tensor:
        """Samples in the data's range, on the CPU, of the classes `cond` (n,), by default 0, 1, 2, ... in turn."""
        cond = torch.arange(len(z)) % self.classes if cond is None else cond
        return outputs(self.averaged("generator", raw), z, cond, device=self.device)

    def in_all_classes(self, z: Tensor, raw: bool = False) -> Tensor:
        """Samples (n, classes, ...) of every latent in every class."""
        return self.generate(z.repeat_interleave(self.classes, 0), raw=raw).unflatten(0, (len(z), self.classes))

    def preview(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """Rows of a sample, its reconstruction in its own class, and in every class."""
        rows = max(1, len(batch["real"]) // (2 + self.classes))
        real, cond = batch["real"][:rows], batch["cond"][:rows].cpu()
        z = self.encode(real)
        made = [real.cpu()[:, None], self.generate(z, cond)[:, None], self.in_all_classes(z)]
        return torch.cat(made, 1).flatten(0, 1)

    @property
    def preview_columns(self) -> int:
        return 2 + self.classes

    def networks_for_use(self) -> Sequence[str]:
        return ("encoder", "generator")
