"""What a discriminator says beside real or fake, by hand."""

import math

import pytest
import torch

from gantrain.losses.auxiliary import ClassLabels, Codes


def values(terms):
    return {key: value.item() for key, value in terms.items()}


def test_the_cross_entropy_of_classes():
    """Logits (log 3, 0) say the first class with 3/4."""
    said = torch.tensor([[math.log(3), 0.0], [math.log(3), 0.0]])
    labels = ClassLabels(2, weight=0.5)
    expected = 0.5 * (math.log(4 / 3) + math.log(4)) / 2
    assert values(labels.real(said, torch.tensor([0, 1]))) == {"class_real": pytest.approx(expected)}
    assert values(labels.fake(said, torch.zeros(2, 3), torch.tensor([0, 0]))) == {
        "class_fake": pytest.approx(0.5 * math.log(4 / 3))
    }


def test_the_codes_are_the_last_numbers_of_the_latents():
    """The categorical code is said with 3/4 and 1/4; the means miss the others by (1, 2) and (0, 0)."""
    said = torch.tensor([[math.log(3), 0.0, 0.5, -1.0], [math.log(3), 0.0, 0.25, 0.75]])
    z = torch.tensor([[9.0, 9.0, 1.0, 0.0, -0.5, 1.0], [9.0, 9.0, 0.0, 1.0, 0.25, 0.75]])
    codes = Codes(categorical=2, continuous=2, weight=2.0, continuous_weight=0.1)
    assert values(codes.fake(said, z, None)) == {
        "categorical": pytest.approx(2.0 * (math.log(4 / 3) + math.log(4)) / 2),
        "continuous": pytest.approx(0.1 * 0.5 * (1 + 4) / 2),
    }
    assert codes.real(said, None) == {}
    assert list(Codes(categorical=4).fake(said, z, None)) == ["categorical"]


def test_codes_are_drawn_from_normal_numbers():
    codes = Codes(categorical=5, continuous=2)
    drawn = codes.drawn(torch.randn(20_000, 7, generator=torch.Generator().manual_seed(0)))
    chosen, numbers = drawn[:, :5], drawn[:, 5:]
    assert torch.equal(chosen.sort(1).values, torch.eye(5)[-1].expand(20_000, -1))
    assert (chosen.mean(0) - 0.2).abs().max() < 0.01
    steps = torch.linspace(0.025, 0.975, 20)
    for number in numbers.T:  # uniform in [-1, 1]: its quantiles lie on a line
        assert torch.allclose(number.quantile(steps), 2 * steps - 1, atol=0.03)
    by_hand = codes.drawn(torch.tensor([[0.1, 0.9, -3.0, 0.0, 0.2, 0.0, 1.0]]))
    assert by_hand[0].tolist() == pytest.approx([0, 1, 0, 0, 0, 0, 0.6827], abs=1e-4)  # 68.27% lie within 1 deviation


def test_one_code_varies_and_the_rest_stays():
    codes = Codes(categorical=3, continuous=2)
    z = torch.arange(14.0).view(2, 7)  # 2 of noise, 3, 2
    rows = codes.varied(z, 0)
    assert rows.shape == (2, 3, 7)
    assert torch.equal(rows[1, :, 2:5], torch.eye(3))
    assert torch.equal(rows[1, :, [0, 1, 5, 6]], z[1, [0, 1, 5, 6]].expand(3, -1))
    rows = codes.varied(z, 2, columns=5)
    assert rows[0, :, 6].tolist() == [-2, -1, 0, 1, 2]
    assert torch.equal(rows[0, :, :6], z[0, :6].expand(5, -1))
    assert z[0, 6] == 6.0


@pytest.mark.parametrize(
    ("auxiliary", "option", "value"),
    [
        (Codes, "categorical", 1),
        (Codes, "categorical", 2.5),
        (Codes, "continuous", -1),
        (ClassLabels, "classes", 0),
    ],
)
def test_what_cannot_be_is_refused(auxiliary, option, value):
    sizes = {"categorical": 2} if auxiliary is Codes else {"classes": 2}
    with pytest.raises(ValueError, match=f"{option} is {value!r}"):
        auxiliary(**{**sizes, option: value})
