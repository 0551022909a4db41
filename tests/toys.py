"""A small game on vectors, and a way to play it without files."""

import warnings
from types import SimpleNamespace

import pytorch_lightning as pl
import torch
from torch import nn

from gantrain.losses.adversarial import NonSaturating
from gantrain.models.latent import LatentGAN
from gantrain.models.loop.penalties import paid
from gantrain.models.loop.turn import Turn
from gantrain.models.players import Player
from gantrain.run.folder import Run
from gantrain.training.fitted import fitted


class Generator(nn.Module):
    def __init__(self, z_dim=3, features=4):
        super().__init__()
        self.z_dim = z_dim
        self.layers = nn.Sequential(nn.Linear(z_dim, 8), nn.Tanh(), nn.Linear(8, features))

    def forward(self, z):
        return self.layers(z)


class Discriminator(nn.Module):
    def __init__(self, features=4, norm=False):
        super().__init__()
        norms = [nn.BatchNorm1d(8)] if norm else []
        self.layers = nn.Sequential(nn.Linear(features, 8), *norms, nn.Tanh(), nn.Linear(8, 1))

    def forward(self, x):
        return self.layers(x).squeeze(1)


def player(*networks, optimizer=torch.optim.Adam, lr=0.01, **options):
    return Player(list(networks), lambda weights: optimizer(weights, lr=lr), **options)


def game(seed=0, discriminator=None, generator=None, family=LatentGAN, networks=None, adversarial=None, **options):
    torch.manual_seed(seed)
    networks = networks or {"generator": Generator(), "discriminator": Discriminator()}
    players = {
        "discriminator": discriminator or player("discriminator"),
        "generator": generator or player("generator"),
    }
    adversarial = adversarial or NonSaturating()
    return fitted(family)(networks=networks, players=players, adversarial=adversarial, seed=seed, **options)


def data_of(samples, flip=False):
    """What a game that studies its data asks of them: samples by their numbers."""
    take = lambda indices: {"real": samples[torch.as_tensor(indices)]}  # noqa: E731
    length = type("Data", (SimpleNamespace,), {"__len__": lambda self: len(samples)})
    return length(take=take, flip=flip)


class Endless(torch.utils.data.IterableDataset):
    def __init__(self, batch_size, dtype=torch.float32):
        self.batch_size, self.dtype = batch_size, dtype

    def __iter__(self):
        generator = torch.Generator().manual_seed(7)
        while True:
            yield {"real": torch.randn(self.batch_size, 4, generator=generator).to(self.dtype) + 2}


def play(module, iterations, batch_size=8, callbacks=(), **trainer):
    """Train the module on made-up vectors for so many iterations."""
    module.length = iterations
    options = {"accelerator": "cpu", "devices": 1, **trainer}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = pl.Trainer(
            **options,
            max_epochs=-1,
            logger=False,
            callbacks=list(callbacks),
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(module, torch.utils.data.DataLoader(Endless(batch_size), batch_size=None))
    return module


def penalties(module, player, batch):
    """The terms of all of a module's penalties in a turn of `player`."""
    turn = Turn(player, [], [], None, 0, due=module.penalties)
    return paid(turn, module.penalised(turn.player, batch, module.shared(batch, [])), batch)


def counts(module):
    """How often each scalar was recorded since the last time."""
    found = {}
    for tags, _, count in module.meters.state_dict()["groups"]:
        for tag in tags:
            found[tag] = found.get(tag, 0) + count
    return found


def weights(module):
    return {name: value.clone() for name, value in module.networks.state_dict().items()}


class Shades:
    """A conditional family and its data at once: samples that are as bright as their class, of five."""

    classes, z_dim, class_names = 5, 4, ("ant", "bee", "cow", "dog", "eel")
    takes_texts = False

    def stated_in(self, folder):
        """Write its classes into the config of a run: what words say is checked there first."""
        config = Run(folder).config()
        config["models"]["classes"], config["data"]["class_names"] = self.classes, list(self.class_names)
        Run(folder).write_config(config)

    def latents(self, n, generator, truncation=None):
        return torch.randn(n, self.z_dim, generator=generator)

    def generate(self, z, cond=None, raw=False):
        self.cond = torch.arange(len(z)) % self.classes if cond is None else cond
        return self.cond.view(-1, 1, 1, 1).expand(-1, 1, 16, 16)

    def opened(self):
        return self

    def pictures(self, samples):
        return (samples * 50).to(torch.uint8)
