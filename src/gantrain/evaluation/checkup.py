"""Measuring the health of a game: its fakes, its discriminators and the steps of its players."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

from gantrain.data import GANDataModule
from gantrain.data.batch import Batch
from gantrain.data.rows import cluster, small
from gantrain.data.stream import Batches
from gantrain.errors import UserError
from gantrain.evaluation.measures import health
from gantrain.evaluation.measures.neighbours import nearest
from gantrain.models.base import GANModule
from gantrain.models.loop.batch import split
from gantrain.models.loop.eval_mode import undisturbed
from gantrain.models.loop.turn import copy_buffers, restore_buffers
from gantrain.rng import derive_seed

Values = dict[str, float | list[int] | None]
MOST, CHUNKS = 128, 4  # the most samples of a look, and the most batches of training's size
BANK, READ = 1 << 24, 1 << 28  # values of training samples that are kept for comparison, and that are read to get them
FEW = 512  # real samples by which the usual distances are measured
CELLS, PER_CELL = 24, 20  # clusters of real samples, and the real samples per cluster that its share needs
NEAR = 0.25  # of the usual distance to the nearest other sample: nearer than this is a duplicate
OF_STEPS = 1 << 16  # values of each weight by which its steps are measured
ACTIVATIONS = tuple(
    getattr(nn, name) for name in ("ReLU", "ReLU6", "LeakyReLU", "PReLU", "ELU", "CELU", "SELU", "GELU", "SiLU", "Mish")
)


class Real:
    """The real samples with which the fakes of one key of the batch are compared."""

    def __init__(self, bank: Tensor, unseen: Tensor | None, seed: int):
        """`bank` are rows of training samples, `unseen` of held-out ones; without these training's are used."""
        few = bank[:FEW]
        alone = nearest(few, bank, torch.arange(len(few), device=bank.device))[0]
        if alone.median() == 0:  # samples occur several times, in the order or in the data
            bank = bank.unique(dim=0)
            few = bank[:FEW]
            alone = nearest(few, bank, torch.arange(len(few), device=bank.device))[0]
        self.bank, self.few = bank, few
        self.diversity = health.diversity(few)
        self.radius = NEAR * alone.median().float() if len(bank) > 1 else torch.zeros((), device=bank.device)
        self.usual = (alone if unseen is None else nearest(unseen, bank)[0]).median().float()
        cells = min(CELLS, len(bank) // PER_CELL)
        self.centres = self.shares = None
        if cells > 1:
            self.centres = cluster(bank, cells, torch.Generator().manual_seed(derive_seed(seed, "cells")))
            self.shares = (health.in_cells(bank, self.centres) / len(bank)).tolist()


class Checkup:
    """Measures a module and its data; what depends on the data alone is measured only once.

    Fakes are made and judged as in training: in train mode, and in batches of the same size. Modes, buffers and global
    generators are restored, and all random numbers come from generators of its own.
    """

    def __init__(self, module: GANModule, data: GANDataModule):
        self.module, self.data = module, data
        self.chunk = data.batch_size // module.microbatches
        count = self.chunk * max(1, min(CHUNKS, MOST // self.chunk))
        self.fixed = self.there(data.examples(count))
        self.unseen = self.held_out(count)
        generator = torch.Generator().manual_seed(0)
        untouched = generator.get_state()
        with undisturbed(module, module.device):
            self.keys = list(module.made(few(self.fixed, 1), generator))
        self.has_latents = not torch.equal(untouched, generator.get_state())  # else fakes are the same at every look
        self.real = self.compared()

    def there(self, batch: Batch) -> Batch:
        return {key: value.to(self.module.device) for key, value in batch.items()}

    def held_out(self, count: int) -> Batch | None:
        """Held-out samples; None without a split, or where its files are missing on this machine."""
        if not self.data.has_held_out:
            return None
        try:
            return self.there(self.data.held_out().examples(count))
        except UserError:
            return None

    def compared(self) -> dict[str, Real]:
        """For each key of which fakes are made, the real samples to compare with."""
        numbers = sum(self.fixed[key][0].numel() for key in self.keys)
        count = min(len(self.data), READ // max(1, numbers)) if self.keys else 0
        rows: dict[str, list[Tensor]] = {key: [] for key in self.keys}
        taken = 0
        loader = self.data.loader(Batches(min(256, max(1, count)), 0))
        while taken < count:
            batch = self.data.normalise(next(loader))
            for key in self.keys:
                made = small(batch[key])
                rows[key].append(made)
                count = min(count, BANK // made.shape[1])
            taken += len(made)
        found = {}
        for key, parts in rows.items():
            unseen = None if self.unseen is None else small(self.unseen[key])
            bank = torch.cat(parts)[:count].to(self.module.device)
            found[key] = Real(bank, unseen, self.module.seed)
        return found

    def missing(self) -> list[str]:
        """The measurements that are impossible for this game, each with the reason."""
        if not self.keys:
            return ["samples and discriminators, for the family does not say what it makes (`made`)"]
        told = []
        if self.module.adversarial is None:
            told.append("the discriminator, for there is none")
        elif self.module.adversarial.boundary is None:
            told.append("accuracy, for this loss has no logit of indecision; separation is")
        if self.unseen is None:
            told.append("unseen real samples, for none are held out; data.holdout=0.1 keeps some (of a new run)")
        if self.module.has_targets:
            told.append("modes, for every sample has a target of its own")
        elif not self.has_latents:
            told.append("modes, for fakes are made of the same samples at every look")
        elif all(real.centres is None for real in self.real.values()):
            told.append(f"modes, for there are fewer than {2 * PER_CELL} different samples")
        if any(self.fixed[key].dim() != 4 for key in self.keys):
            told.append("whether augmentation leaks, for these are no pictures")
        return told

    # ---- one look ----------------------------------------------------------------------------------------------------

    @contextmanager
    def as_trained(self) -> Iterator[None]:
        """While entered, the trained networks are in train mode; afterwards modes and buffers are restored."""
        trained = {name: self.module.networks[name] for name in self.module.trained_networks()}
        with undisturbed(self.module, self.module.device):
            buffers = copy_buffers(trained)
            for network in trained.values():
                network.train()
            try:
                yield
            finally:
                restore_buffers(trained, buffers)

    def made(self, chunks: Sequence[Batch]) -> Batch:
        """Fakes by key. Their latents are new at each look, so that counts over several looks can be added."""
        seed = derive_seed(self.module.seed, "health", self.module.iteration)
        generator = torch.Generator().manual_seed(seed)
        parts = [self.module.made(chunk, generator) for chunk in chunks]
        return {key: torch.cat([part[key].float() for part in parts]) for key in parts[0]}

    def judged(self, key: str, samples: Tensor, batch: Batch) -> Tensor | None:
        """The mean logit of each sample, or of each pack that the discriminator judges together."""
        parts = split(batch, len(samples) // self.chunk)
        logits = [self.module.judged(key, s, part) for s, part in zip(samples.split(self.chunk), parts, strict=True)]
        if logits[0] is None:
            return None
        return torch.cat([part.float().reshape(len(part), -1).mean(1) for part in logits])

    def look(self, shown: Batch, before: dict[str, list[Tensor]]) -> Values:
        """All measurements now. `shown` is training's last batch, `before` are the weights before its step."""
        values: dict[str, Any] = {**self.players(before)}
        if self.keys:
            chunks = split(self.fixed, len(next(iter(self.fixed.values()))) // self.chunk)
            with self.as_trained(), self.channels() as seen:
                fakes = self.made(chunks)
                for key in self.keys:
                    prefix = f"{key}/" if len(self.keys) > 1 else ""
                    one = {**self.of_fakes(key, fakes[key], shown), **self.of_discriminator(key, fakes[key])}
                    values |= {f"{prefix}{name}": value for name, value in one.items()}
            for name, channels in seen.items():
                values[f"{name}/dead"] = channels.dead()
            values |= self.norm_gap(fakes, chunks)
        return {name: plain(value) for name, value in values.items()}

    def players(self, before: dict[str, list[Tensor]]) -> dict[str, Tensor | float | None]:
        """The loss and gradient norm of each player, as means since the last metrics, and the size of its last step."""
        means = self.module.meters.means()
        values: dict[str, Any] = {}
        for name in self.module.players:
            tags = f"{self.module.prefix}{name}/"
            own = {tag.removeprefix(tags): mean for tag, mean in means.items() if tag.startswith(tags)}
            norm = own.pop("grad_norm", None)
            game = [v for key, v in own.items() if key.startswith("adv")]
            terms = game or list(own.values())
            values[f"{name}/loss"] = sum(terms) if terms else None
            loss = self.module.adversarial
            values[f"{name}/bounded"] = float(bool(game) and loss is not None and loss.boundary is not None)
            values[f"{name}/grad_norm"] = norm
            values[f"{name}/turns"] = float(self.module.turns[name])
            if name in before:
                values[f"{name}/step"] = health.step_size(before[name], steps_of(self.module.weights_of(name)))
        return values

    def of_fakes(self, key: str, fakes: Tensor, shown: Batch) -> dict[str, Tensor | list[int] | None]:
        real, (low, high) = self.real[key], self.data.range
        values: dict[str, Any] = {"not_finite": health.not_finite([fakes])}
        if values["not_finite"] > 0:
            return values
        rows, targets = small(fakes), self.fixed[key]
        values |= {
            "diversity": health.diversity(rows) / real.diversity,  # null of data without any
            "real_diversity": real.diversity,
            "duplicates": health.duplicates(rows, real.radius),
            "real_duplicates": health.duplicates(real.few[: len(rows)], real.radius) if len(real.few) > 1 else None,
            "saturated": health.saturated(fakes, low, high),
            "real_saturated": health.saturated(targets, low, high),
        }
        far = nearest(rows, real.bank)[0].median().float()
        values["nearest"] = far / real.usual if real.usual > 0 else None
        if self.module.has_targets:
            values["error"] = (rows - small(targets)).norm(dim=1).mean() / real.diversity
            if self.unseen is not None:
                aimed = {name: value[: self.chunk] for name, value in self.unseen.items()}
                off = small(self.made([aimed])[key]) - small(aimed[key])
                values["unseen_error"] = off.norm(dim=1).mean() / real.diversity
        elif self.has_latents and real.centres is not None:
            values["cells"] = health.in_cells(rows, real.centres).tolist()
            values["real_cells"] = real.shares
        if fakes.dim() == 4:
            seen, plain_ones, made = (
                health.traits(x, low, high) for x in (self.module.seen(key, shown), targets, fakes)
            )
            values["augmented"], values["leak"] = health.leaks(plain_ones, seen, made)
        return values

    def of_discriminator(self, key: str, fakes: Tensor) -> dict[str, Tensor]:
        sides = {"real": self.judged(key, self.fixed[key], self.fixed)}
        if sides["real"] is None:
            return {}
        sides["fake"] = self.judged(key, fakes, self.fixed)
        if self.unseen is not None:
            sides["unseen"] = self.judged(key, self.unseen[key], self.unseen)
        values = {f"{side}_logit": logits.mean() for side, logits in sides.items()}
        values["separation"] = health.separation(sides["real"], sides["fake"])
        if self.unseen is not None:
            values["unseen_separation"] = health.separation(sides["unseen"], sides["fake"])
        boundary = self.module.adversarial.boundary
        if boundary is not None:
            for side, logits in sides.items():
                right = logits < boundary if side == "fake" else logits > boundary
                values[f"{side}_accuracy"] = right.float().mean()
        return values

    def norm_gap(self, fakes: Batch, chunks: Sequence[Batch]) -> dict[str, Tensor]:
        """The distance between the samples of a latent in train and in eval mode, for networks with batch norm."""
        parts = [part for name in self.module.trained_networks() for part in self.module.networks[name].modules()]
        if not any(isinstance(part, _BatchNorm) for part in parts):
            return {}
        if any(isinstance(part, _DropoutNd) and part.p > 0 for part in self.makers()):
            return {}
        with undisturbed(self.module, self.module.device):
            used = self.made(chunks[:1])
        values = {}
        for key in self.keys:
            prefix = f"{key}/" if len(self.keys) > 1 else ""
            apart = small(used[key]) - small(fakes[key][: self.chunk])
            values[f"{prefix}norm_gap"] = apart.norm(dim=1).mean() / self.real[key].diversity
        return values

    def makers(self) -> Iterator[nn.Module]:
        """All layers of the networks for use, which make the fakes."""
        for name in self.module.networks_for_use():
            yield from self.module.networks[name].modules()

    @contextmanager
    def channels(self) -> Iterator[dict[str, health.Channels]]:
        """While entered, collects the ranges of the outputs of each trained network's activations."""
        seen = {name: health.Channels() for name in sorted(self.module.trained_networks())}
        hooks = []
        for name, channels in seen.items():
            for number, part in enumerate(self.module.networks[name].modules()):
                if isinstance(part, ACTIVATIONS):

                    def see(layer, inputs, output, channels=channels, number=number):
                        channels.see(number, output)

                    hooks.append(part.register_forward_hook(see))
        try:
            yield seen
        finally:
            for hook in hooks:
                hook.remove()


def few(batch: Batch, count: int) -> Batch:
    return {key: value[:count] for key, value in batch.items()}


def steps_of(weights: Sequence[nn.Parameter]) -> list[Tensor]:
    """A copy of the values of each weight by which steps are measured."""
    return [weight.detach().flatten()[:OF_STEPS].clone() for weight in weights]


def plain(value: Tensor | float | list | None) -> float | list | None:
    """A value as JSON has it: a number that is not finite is null."""
    if value is None or isinstance(value, list):
        return value
    value = float(value)
    return value if math.isfinite(value) else None
