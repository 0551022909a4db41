"""Noise to styles to samples: StyleGAN (Karras et al. 2019, 2020), whose style space people can explore."""

from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from gantrain.data.batch import Batch
from gantrain.errors import UserError
from gantrain.losses.penalties import PenaltyInputs
from gantrain.models.latent import LatentGAN
from gantrain.models.loop.eval_mode import outputs
from gantrain.parallel import average_scalars, world_size


@runtime_checkable
class Styled(Protocol):
    """A generator with a style for each of its `layers`, as that of StyleGAN2: also `mapping`, `synthesis`, `w_avg`."""

    def styles(self, z: Tensor, *cond: Tensor) -> Tensor: ...


class StyleGAN(LatentGAN):
    """The latent family with a generator that maps latents to a style w for each of its layers.

    The generator's penalties treat pictures as a function of styles, (n, layers, w_dim), with the fixed noise maps.
    """

    way_out = "choose networks=stylegan2, and interpolate its size and channels from data.size and data.channels"
    verbs = (*LatentGAN.verbs, "styles", "project", "edit")

    def __init__(self, **options: Any):
        super().__init__(**options)
        if not isinstance(self.networks["generator"], Styled):
            raise UserError("networks.generator has no styles; choose networks=stylegan2, or models=latent")

    @property
    def layers(self) -> int:
        """How many layers of the generator take a style."""
        return self.networks["generator"].layers

    @property
    def w_dim(self) -> int:
        """The length of a style."""
        return self.networks["generator"].w_avg.numel()

    # ---- the game ----------------------------------------------------------------------------------------------------

    def fakes(self, source: Batch) -> Tensor:
        samples, w_avg = super().fakes(source), self.networks["generator"].w_avg
        if (world := world_size()) > 1:  # each process has moved it by its own part of the batch
            w_avg.copy_(average_scalars(w_avg, world))
        return samples

    def penalised(self, name: str, batch: Batch, fakes: Tensor) -> dict[str, PenaltyInputs]:
        if name != "generator":
            return super().penalised(name, batch, fakes)
        generator, source = self.networks["generator"], self.generator_source(batch)
        mixing = {key: source[f"random.{key}"] for key in self.random_inputs if not key.startswith("noise")}
        ws = generator.styles(*self.conditioning.to_generator(source), **mixing)
        return {"": PenaltyInputs(generator.synthesis, ws, ws)}

    # ---- a trained run -----------------------------------------------------------------------------------------------

    def mapped(self, z: Tensor, cond: Tensor | None = None, raw: bool = False) -> Tensor:
        """The w (n, w_dim) of latents, on the CPU; in a conditional game of the classes `cond`, by default in turn."""
        return outputs(self.averaged("generator", raw).mapping, *self.inputs_for_use(z, cond), device=self.device)

    def styles(
        self,
        z: Tensor,
        cond: Tensor | None = None,
        raw: bool = False,
        psi: float = 1.0,
        cutoff: int | None = None,
    ) -> Tensor:
        """The styles (n, layers, w_dim) of latents, on the CPU, moved towards their mean: w_avg + psi (w - w_avg).

        With `cutoff` only those of so many layers move, from the coarsest on (Karras et al. 2019, appendix B).
        """
        w_avg = self.averaged("generator", raw).w_avg.cpu()
        styles = self.mapped(z, cond, raw)[:, None].repeat(1, self.layers, 1)
        styles[:, :cutoff] = torch.lerp(w_avg, styles[:, :cutoff], psi)
        return styles

    def generate_from(self, styles: Tensor, raw: bool = False, chunk: int = 250) -> Tensor:
        """Samples in the data's range, on the CPU, from styles (n, layers, w_dim)."""
        return outputs(self.averaged("generator", raw).synthesis, styles, device=self.device, chunk=chunk)
