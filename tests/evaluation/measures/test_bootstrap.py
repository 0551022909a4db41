import pytest
import torch

from gantrain.evaluation.measures.bootstrap import standard_error
from gantrain.run.scores import Score


def test_agrees_with_the_formula_for_means():
    values = torch.randn(500, generator=torch.Generator().manual_seed(0)).double()
    formula = Score.mean(values.tolist(), "lower").error
    drawn = standard_error(lambda rows: values[rows].mean(), 500, 400, torch.Generator().manual_seed(1))
    assert drawn == pytest.approx(formula, rel=0.1)
    assert formula == pytest.approx(1 / 500**0.5, rel=0.1)


def test_a_constant_has_none_and_few_draws_none_at_all():
    three = torch.tensor(3.0)
    assert standard_error(lambda rows: three, 10, 5, torch.Generator()) == 0
    assert standard_error(lambda rows: three, 10, 1, torch.Generator()) is None
    assert Score.mean([2.0], "lower") == Score(2.0, "lower", None)
