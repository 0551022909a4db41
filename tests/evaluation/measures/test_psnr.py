import pytest
import torch

from gantrain.evaluation.measures.psnr import psnr


def test_an_error_as_large_as_the_peak_is_0_db_and_a_tenth_of_it_20():
    assert psnr(torch.tensor([255.0**2, 25.5**2])).tolist() == pytest.approx([0, 20], abs=1e-5)


def test_no_error_is_a_finite_number():
    assert psnr(torch.tensor(0.0)).item() == pytest.approx(78.13, abs=0.01)
