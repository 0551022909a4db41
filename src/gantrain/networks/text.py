"""Texts to embeddings, and pictures to embeddings of the same kind (Reed et al. 2016, arXiv 1605.05396)."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gantrain.checks import check_whole
from gantrain.networks.dcgan import doublings

LETTERS = 70  # places in the alphabet; 0 is none
SHORTEST = 66  # letters, of which three convolutions with pooling leave one step


class CharCNNRNN(nn.Module):
    """Letters (n, length) int64 to embeddings (n, features): convolutions, then a recurrent layer (char-CNN-RNN).

    `width` are the channels of the first convolution: 384 as published, 96 for a quarter of that. The others follow in
    its proportions. Weights begin uniform within `spread`, .08 as published, or with null as torch begins them.
    """

    def __init__(self, width: int, features: int, spread: float | None = None):
        super().__init__()
        check_whole(1, width=width, features=features)
        b, c = round(width * 4 / 3), round(width * 2 / 3)
        self.features = features
        self.convolutions = nn.Sequential(
            *(nn.Conv1d(LETTERS, width, 4), nn.ReLU(), nn.MaxPool1d(3)),
            *(nn.Conv1d(width, b, 4), nn.ReLU(), nn.MaxPool1d(3)),
            *(nn.Conv1d(b, c, 4), nn.ReLU(), nn.MaxPool1d(3, 2)),
        )
        self.recurrent = nn.RNNCell(c, c, nonlinearity="relu")  # a step at a time: eight are all there are
        self.embed = nn.Linear(c, features)
        for weight in self.parameters() if spread is not None else ():
            nn.init.uniform_(weight, -spread, spread)

    def forward(self, text: Tensor) -> Tensor:
        if text.is_floating_point():
            raise TypeError("it reads letters and gets embeddings; networks/text=given takes these as they are")
        if text.shape[1] < SHORTEST:
            raise ValueError(f"texts of {text.shape[1]} letters are too short for it; data.length={SHORTEST} or more")
        # An embedding of letters would be the same numbers; so the first layer's weights are the published ones.
        one_hot = text.new_zeros((*text.shape, LETTERS + 1), dtype=self.embed.weight.dtype)
        one_hot = one_hot.scatter_(2, text[:, :, None], 1)[:, :, 1:].transpose(1, 2)
        states, state = [], None
        for step in self.convolutions(one_hot).unbind(2):
            state = self.recurrent(step, state)
            states.append(state)
        return self.embed(torch.stack(states).mean(0))


class Given(nn.Module):
    """Embeddings (n, features) that somebody has computed, as they are: a text encoder that has been at work before.

    A subclass of a user's own that knows the encoder gives `embed`, so that a run takes new texts.
    """

    def __init__(self, features: int):
        super().__init__()
        check_whole(1, features=features)
        self.features = features

    def embed(self, texts: Sequence[str]) -> Tensor:
        """Embeddings (n, features) of texts. Raises NotImplementedError where nobody said how."""
        raise NotImplementedError

    def forward(self, text: Tensor) -> Tensor:
        if not text.is_floating_point():
            raise TypeError(
                "it takes embeddings and gets letters; name a file with data.dataset.embeddings=FILE, or take "
                "networks/text=characters"
            )
        if text.shape[1] != self.features:
            raise ValueError(f"embeddings have {text.shape[1]} numbers, set networks.text.features={text.shape[1]}")
        return text


class Eye(nn.Module):
    """Pictures (n, channels, any size) to embeddings (n, features), whose length is learned.

    Larger pictures are made `size` pixels wide first. Where the loss takes texts of length 1, the length of what it
    says of pictures is one over the temperature (InfoNCE). With `unit: false` it is free (Reed's hinge).
    """

    def __init__(self, width: int, size: int, channels: int, features: int, unit: bool = True):
        super().__init__()
        check_whole(1, width=width, features=features)
        self.size = size
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 4, 2, 1), nn.LeakyReLU(0.2)]
        for _ in range(doublings(size) - 1):
            layers += [nn.Conv2d(width, 2 * width, 4, 2, 1), nn.BatchNorm2d(2 * width), nn.LeakyReLU(0.2)]
            width *= 2
        side = size >> doublings(size)
        self.look = nn.Sequential(*layers, nn.Flatten(), nn.Linear(width * side * side, features))
        self.log_length = nn.Parameter(torch.tensor(10.0).log()) if unit else None

    def forward(self, pictures: Tensor) -> Tensor:
        if pictures.shape[-1] != self.size:
            pictures = F.interpolate(pictures, (self.size, self.size), mode="area")
        found = self.look(pictures)
        return found if self.log_length is None else self.log_length.exp() * F.normalize(found, dim=1)
