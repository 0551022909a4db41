"""How a discriminator judges several samples together: PacGAN (Lin et al. 2018, arXiv 1712.04086, section 2)."""

from torch import Tensor


def packed(x: Tensor, pack: int) -> Tensor:
    """Samples (n, c, ...) as packs (n / pack, pack * c, ...): the channels of neighbours stand one after the other.

    All of a pack are real or all are fake, so samples that are too much alike give fakes away. Raises ValueError where
    the packs do not come out even.
    """
    if pack == 1:
        return x
    n, channels, *sides = x.shape
    if n % pack:
        raise ValueError(f"{n} samples do not divide into packs of {pack}")
    return x.reshape(n // pack, pack * channels, *sides)
