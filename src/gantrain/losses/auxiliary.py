"""Auxiliary outputs of a discriminator and their losses: the class of a sample, or the codes that it was made from.

`size` is how many numbers the auxiliary output has for a sample. `real(said, cond)` and `fake(said, z, cond)` give
weighted terms of this output `said` (n, size): for real samples of the classes `cond` (n,), and for fakes made from the
latents `z` (n, z_dim) and classes. The discriminator minimises both, the generator only the second.
`tells_classes` says whether the output is the class; then the discriminator must not get the class as an input.
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
    """The lower bound on the mutual information of fakes and their codes (InfoGAN, Chen et al. 2016, equation 5).

    The codes are the last numbers of a latent: a one-hot of `categorical` equally likely values, then `continuous`
    numbers, uniform in [-1, 1]. The terms are the cross-entropy of the categorical code, and the negative
    log-likelihood of the continuous ones under a Gaussian of deviation 1, summed over them; both without constants. As
    in the paper continuous codes have a smaller weight, so that their term is of the scale of the adversarial loss.
    """

    def __init__(self, categorical: int, continuous: int = 0, weight: float = 1.0, continuous_weight: float = 0.1):
        check_whole(2, categorical=categorical)
        check_whole(0, continuous=continuous)
        self.categorical, self.continuous = categorical, continuous
        self.weight, self.continuous_weight = weight, continuous_weight
        self.size = categorical + continuous

    def drawn(self, normal: Tensor) -> Tensor:
        """Codes (n, size) from as many standard normal numbers: the largest of the first chooses the categorical code,
        and each other becomes uniform by its rank.

        So codes come from the same random stream as latents, and the same numbers give the same codes.
        """
        chosen, ranked = normal.split([self.categorical, self.continuous], 1)
        one_hot = F.one_hot(chosen.argmax(1), self.categorical).to(normal.dtype)
        return torch.cat([one_hot, torch.erf(ranked / 2**0.5)], 1)

    def varied(self, z: Tensor, code: int, columns: int = 10, limit: float = 2.0) -> Tensor:
        """Latents (n, columns, z_dim) in which one code takes all its values, while the rest of each `z` stays.

        Code 0 is the categorical one; it has as many columns as values. Codes from 1 on are continuous: they go from
        -limit to limit, beyond the range of training, as in the paper's figure 2.
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
