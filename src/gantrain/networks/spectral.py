"""Spectral normalisation of a whole network (Miyato et al. 2018, arXiv 1802.05957)."""

from torch import nn
from torch.nn.utils.parametrizations import _SpectralNorm, spectral_norm
from torch.nn.utils.spectral_norm import SpectralNorm

BOUNDED = (nn.Linear, nn.modules.conv._ConvNd, nn.Embedding)


def bound_spectral_norms(network: nn.Module) -> None:
    """Divide the weight of every linear, convolutional and embedding layer by its largest singular value, in place.

    Call it last: `initialise` needs the plain weights. Each pass in train mode moves the estimate by one step of power
    iteration, in buffers that are saved; a pass in eval mode leaves it. The passes of a turn of the latent family
    share one step.
    """
    for layer in list(network.modules()):
        if isinstance(layer, BOUNDED):
            spectral_norm(layer)


def is_bounded(network: nn.Module) -> bool:
    """Whether every matrix that is learnt has spectral norm, in torch's new way or its old one.

    Also those of other layers than `BOUNDED`, as minibatch discrimination's or those of an equalised rate.
    """
    return all(
        any(isinstance(part, _SpectralNorm) for part in layer.children())
        or any(isinstance(hook, SpectralNorm) for hook in layer._forward_pre_hooks.values())
        for layer in network.modules()
        if any(weight.dim() > 1 for weight in layer.parameters(recurse=False))
    )
