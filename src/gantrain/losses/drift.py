"""What keeps a critic's logits near 0 (Karras et al. 2018, arXiv 1710.10196, appendix A.1)."""

from torch import Tensor

from gantrain.checks import check_positive


class Drift:
    """`weight` times the mean squared logit of real samples, whose level a Wasserstein loss alone leaves free."""

    def __init__(self, weight: float = 1e-3):
        check_positive(weight=weight)
        self.weight = weight

    def __call__(self, real_logits: Tensor) -> Tensor:
        return self.weight * real_logits.float().square().mean()
