"""Weight initialisation by the name a paper or a framework gives it."""

from typing import Literal

from torch import nn

Init = Literal["torch", "glorot", "dcgan"]


def initialise(network: nn.Module, scheme: Init) -> None:
    """Initialise every linear and convolutional layer of `network` in place.

    `torch` keeps PyTorch's own; `glorot` is Keras' default (Glorot uniform, zero bias); `dcgan` is N(0, 0.02)
    with batch-norm scales N(1, 0.02) (Radford et al. 2016, section 3). Raises ValueError for weights that are derived
    from others, as spectral norm's are: what is done to them would be lost.
    """
    if scheme == "torch":
        return
    for layer in network.modules():
        if isinstance(layer, (nn.Linear, nn.modules.conv._ConvNd)):
            if "weight" not in dict(layer.named_parameters(recurse=False)):
                raise ValueError(
                    f"init '{scheme}' comes too late for a {type(layer).__name__} with a norm of its weight"
                )
            if scheme == "glorot":
                nn.init.xavier_uniform_(layer.weight)
            else:
                nn.init.normal_(layer.weight, 0.0, 0.02)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.modules.batchnorm._BatchNorm) and scheme == "dcgan":
            nn.init.normal_(layer.weight, 1.0, 0.02)
