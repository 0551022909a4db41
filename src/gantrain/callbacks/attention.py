"""Where self-attention looks, as a picture."""

from typing import Any

import pytorch_lightning as pl
import torch

from gantrain.callbacks.pictures import log_picture, write_png
from gantrain.callbacks.trainer import Trainer
from gantrain.checks import check_whole
from gantrain.drawing.attention import attention_sheet
from gantrain.drawing.pictures import to_pil
from gantrain.errors import UserError
from gantrain.models.base import GANModule
from gantrain.models.loop.eval_mode import undisturbed
from gantrain.networks.attention import attention_layers
from gantrain.rng import derive_seed
from gantrain.run.folder import ATTENTION_FILE, Run

PLACES = ((0.5, 0.5), (0.25, 0.5), (0.75, 0.5))  # of the map, down and across


class AttentionMaps(pl.Callback):
    """`samples/attention.png`: where three places of `count` fixed samples look, in a generator's last attention layer.

    It is drawn every `every` iterations and at the end; drawing never changes training. The report shows it.
    """

    def __init__(self, every: int = 1000, count: int = 4):
        check_whole(1, every=every, count=count)
        self.every, self.count = every, count

    def check(self, module: GANModule) -> None:
        """Raise UserError where nothing attends."""
        if not any(attention_layers(module.networks[name]) for name in module.networks_for_use()):
            raise UserError(
                "callbacks.attention: no network here has self-attention; leave it out with ~callbacks.attention, or "
                "choose networks=sagan"
            )

    def on_train_batch_end(self, trainer: Trainer, module: GANModule, *args: Any) -> None:
        if module.iteration % self.every == 0:
            self.draw(trainer, module)

    def on_train_end(self, trainer: Trainer, module: GANModule) -> None:
        if module.iteration % self.every:
            self.draw(trainer, module)

    def draw(self, trainer: Trainer, module: GANModule) -> None:
        if not trainer.is_global_zero:
            return
        network = next(n for n in map(module.averaged, module.networks_for_use()) if attention_layers(n))
        layer, seen = attention_layers(network)[-1], []
        batch = {k: v.to(module.device) for k, v in trainer.datamodule.previews(self.count).items()}
        generator = torch.Generator().manual_seed(derive_seed(module.seed, "preview"))
        hook = layer.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
        with undisturbed(module, module.device), hook:
            pictures = trainer.datamodule.pictures(module.preview(batch, generator))[: self.count]
            x = torch.cat(seen)[: self.count]
            height, width = x.shape[2:]
            places = [int(down * height) * width + int(across * width) for down, across in PLACES]
            maps = layer.maps(x, torch.tensor(places, device=x.device)).cpu()
        sheet = attention_sheet(pictures, maps, PLACES)
        file = Run(trainer.default_root_dir).samples(module.stage) / ATTENTION_FILE
        write_png(to_pil(sheet), file)
        log_picture(trainer, module, "attention", sheet)
