"""What a discriminator says of a sample beside real or fake, and what that costs: of which class it is, or which codes
it was made from.

Each class has `size`, how many numbers the discriminator says of a sample, and `real(said, cond)` and
`fake(said, z, cond)`: weighted terms of what it said (n, size) of real samples of the classes `cond` (n,), and of fakes
made from the latents `z` (n, z_dim) and classes. The discriminator minimises both, the generator the second.
`tells_classes` says whether the discriminator guesses the class, and so must not be shown it.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from gantrain.checks import check_whole


class Auxiliary:
    size: int
    tells_classes = False

    def real(self, said: Tensor, cond: Tensor | None) -> dict[str, Tensor]:
        return {}

    def fake(self, said: Tensor, z: Tensor, cond: Tensor | None) -> dict[str, Tensor]:
        raise NotImplementedError


class ClassLabels(Auxiliary):
    """Cross-entropy of the class, for real and for fake samples (ACGAN, Odena et al. 2017, equation 3)."""

    tells_classes = True

    def __init__(self, classes: int, weight: float = 1.0):
        check_whole(1, classes=classes)
        self.size, self.weight = classes, weight

    def real(self, said: Tensor, cond: Tensor) -> dict[str, Tensor]:
        return {"class_real": self.weight * F.cross_entropy(said.float(), cond)}

    def fake(self, said: Tensor, z: Tensor, cond: Tensor) -> dict[str, Tensor]:
        return {"class_fake": self.weight * F.cross_entropy(said.float(), cond)}


class Codes(Auxiliary):
    """The lower bound on the information that fakes keep of their codes (InfoGAN, Chen et al. 2016, equation 5).

    The codes are the last numbers of a latent: a one-hot of `categorical` values, all equally likely, then `continuous`
    numbers, uniform in [-1, 1]. The terms are the one's cross-entropy and the others' negative log-likelihood, summed,
    under a Gaussian of deviation 1, both without constants. The paper takes a smaller weight for continuous codes, so
    that their differential entropy is of the game's scale.
    """

    def __init__(self, categorical: int, continuous: int = 0, weight: float = 1.0, continuous_weight: float = 0.1):
        check_whole(2, categorical=categorical)
        check_whole(0, continuous=continuous)
        self.categorical, self.continuous = categorical, continuous
        self.weight, self.continuous_weight = weight, continuous_weight
        self.size = categorical + continuous

    def drawn(self, normal: Tensor) -> Tensor:
        """Codes (n, size) from as many standard normal numbers: which is the largest, and where each one ranks.

        So they are drawn as latents are, from one stream, and the same numbers give the same codes.
        """
        chosen, ranked = normal.split([self.categorical, self.continuous], 1)
        one_hot = F.one_hot(chosen.argmax(1), self.categorical).to(normal.dtype)
        return torch.cat([one_hot, torch.erf(ranked / 2**0.5)], 1)

    def varied(self, z: Tensor, code: int, columns: int = 10, limit: float = 2.0) -> Tensor:
        """Latents (n, columns, z_dim) in which one code takes all its values, the rest of each `z` stays.

        Code 0 is the categorical one, of which there are as many columns as it has values. Those from 1 on are
        continuous: they go from -limit to limit, beyond what training saw, as in the paper's figure 2.
        """
        if code == 0:
            first, values = z.shape[1] - self.size, torch.eye(self.categorical)
        else:
            first, values = z.shape[1] - self.continuous + code - 1, torch.linspace(-limit, limit, columns)[:, None]
        copies = z[:, None].repeat(1, len(values), 1)
        copies[:, :, first : first + values.shape[1]] = values.to(z)
        return copies

    def fake(self, said: Tensor, z: Tensor, cond: Tensor | None) -> dict[str, Tensor]:
        sizes = [self.categorical, self.continuous]
        logits, means = said.float().split(sizes, 1)
        one_hot, numbers = z[:, -self.size :].float().split(sizes, 1)
        terms = {"categorical": self.weight * F.cross_entropy(logits, one_hot)}
        if self.continuous:
            terms["continuous"] = self.continuous_weight * 0.5 * (numbers - means).square().sum(1).mean()
        return terms
