import pytest
import torch

from gantrain.losses.reconstruction import PixelL1, PixelMSE


def test_squares_and_absolute_values_by_hand():
    made, real = torch.tensor([[0.0, 3.0]]), torch.tensor([[1.0, 1.0]])
    assert PixelMSE(2.0)(made, real).item() == 2 * (1 + 4) / 2
    assert PixelL1(2.0)(made, real).item() == 2 * (1 + 2) / 2


@pytest.mark.parametrize("loss", [PixelMSE(), PixelL1()])
def test_half_precision_is_summed_in_float(loss):
    assert loss(torch.zeros(8, dtype=torch.bfloat16), torch.ones(8, dtype=torch.bfloat16)).dtype == torch.float32
