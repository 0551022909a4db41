"""Spectral normalisation of a whole network (Miyato et al. 2018, arXiv 1802.05957)."""

from torch import nn
from torch.nn.utils.parametrizations import spectral_norm


def bound_spectral_norms(network: nn.Module) -> None:
    """Divide the weight of every linear and convolutional layer by its largest singular value, in place.

    Call it last: `initialise` needs the plain weights. Each pass in train mode moves the estimate by one step of power
    iteration, in buffers that are saved; a pass in eval mode leaves it.
    """
    for layer in list(network.modules()):
        if isinstance(layer, (nn.Linear, nn.modules.conv._ConvNd)):
            spectral_norm(layer)
