"""How much the samples of a group vary, and how near they are to each other, by hand."""

import pytest
import torch

from gantrain.networks import (
    agecgan,
    anime,
    ccgan_uni,
    context_encoder,
    dcgan,
    mlp,
    patchgan,
    pggan_uni,
    r3gan,
    sagan_uni,
    sngan,
    srgan,
    stackgan,
)
from gantrain.networks.minibatch import MinibatchDeviation, MinibatchDiscrimination, minibatch_layers


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_the_deviation_of_each_group_becomes_a_channel(rank):
    """Groups of two are samples 0 and 2, 1 and 3: deviations 3 and 0, the same in every feature and place."""
    values = torch.tensor([0.0, 5.0, 6.0, 5.0]).view(4, *[1] * (rank + 1))
    x = values.expand(4, 3, *[2] * rank)
    y = MinibatchDeviation(2)(x)
    assert y.shape == (4, 4, *[2] * rank)
    assert torch.equal(y[:, :3], x)
    wanted = torch.tensor([3.0, 1e-4, 3.0, 1e-4]).view(4, *[1] * rank)
    assert torch.allclose(y[:, 3], wanted.expand(4, *[2] * rank))


def test_it_is_the_mean_over_features_and_places():
    """Deviations 1 and 3 of the two places of one feature, 0 and 4 of the other's."""
    x = torch.tensor([[[0.0, 0.0], [7.0, 0.0]], [[2.0, 6.0], [7.0, 8.0]]])
    assert MinibatchDeviation(2)(x)[:, 2] == pytest.approx(2.0, abs=1e-3)


@pytest.mark.parametrize(("n", "groups"), [(6, 2), (5, 1), (3, 1), (1, 1)])
def test_a_group_that_does_not_divide_the_batch_gets_smaller(n, groups):
    """Of 4 at most: 3 for a batch of 6, and all 3 of 3; 1 for one of 5, where nothing varies."""
    deviations = MinibatchDeviation(4)(torch.randn(n, 2, 3, generator=torch.Generator().manual_seed(0)))[:, 2, 0]
    assert len(deviations.unique()) == groups
    assert (deviations > 0.01).all() == (n in (6, 3))


def test_equal_samples_have_finite_gradients():
    x = torch.ones(4, 2, 3, requires_grad=True)
    MinibatchDeviation(4)(x).sum().backward()
    assert torch.isfinite(x.grad).all()


def test_a_group_of_one_is_refused():
    with pytest.raises(ValueError, match="group is 1"):
        MinibatchDeviation(1)


def test_nearness_is_summed_over_the_others():
    """One row of one number, its column of length 1: samples at 0, 1 and 3 on it."""
    layer = MinibatchDiscrimination(2, rows=1, size=1)
    with torch.no_grad():
        layer.projection.copy_(torch.tensor([[5.0], [0.0]]))  # its length is divided out
    x = torch.tensor([[0.0, 9.0], [1.0, -4.0], [3.0, 0.0]])
    y = layer(x)
    assert torch.equal(y[:, :2], x)
    e = [2.718281828**-d for d in (1, 2, 3)]
    assert y[:, 2].tolist() == pytest.approx([e[0] + e[2] - 1, e[0] + e[1] - 1, e[1] + e[2] - 1], abs=1e-5)
    with torch.no_grad():
        layer.scale.fill_(-100.0)  # all at one place
    assert layer(x)[:, 2].tolist() == pytest.approx([1.0] * 3)


def test_what_it_says_at_first_does_not_depend_on_the_number_of_features():
    """With weights of a fixed deviation it would be 9.8 for 128 features and 0.02 for 6,272."""
    generator = torch.Generator().manual_seed(0)
    said = []
    for features in (128, 1024, 6272):
        torch.manual_seed(0)
        x = torch.randn(64, features, generator=generator)
        said.append(MinibatchDiscrimination(features, rows=100, size=5)(x)[:, features:].mean().item() + 1)
    assert max(said) < 1.2 * min(said)
    assert said[0] > 0.5


def test_the_order_of_a_batch_means_nothing_and_one_alone_is_alone():
    torch.manual_seed(0)
    layer, x = MinibatchDiscrimination(4, rows=3, size=2), torch.randn(5, 4)
    order = torch.tensor([3, 0, 4, 2, 1])
    assert torch.allclose(layer(x)[order], layer(x[order]), atol=1e-6)
    assert torch.equal(layer(x[:1])[:, 4:], layer.bias[None])


def test_copies_are_seen():
    torch.manual_seed(0)
    layer, x = MinibatchDiscrimination(8), torch.randn(16, 8)
    assert (layer(x[:1].expand(16, -1))[:, 8:] > layer(x)[:, 8:]).all()


PICTURES = torch.randn(4, 3, 64, 64, generator=torch.Generator().manual_seed(1))
TEXTS = torch.randn(4, 5, generator=torch.Generator().manual_seed(2))
DISCRIMINATORS = {
    "dcgan": lambda **o: dcgan.Discriminator(width=4, size=32, channels=3, **o),
    "mlp": lambda **o: mlp.Discriminator(width=4, size=32, channels=3, **o),
    "anime": lambda **o: anime.Discriminator(width=4, size=32, channels=3, **o),
    "agecgan": lambda **o: agecgan.Discriminator(classes=2, width=4, size=32, channels=3, norm=False, **o),
    "patchgan": lambda **o: patchgan.Discriminator(width=4, channels=3, layers=2, norm="none", **o),
    "srgan": lambda **o: srgan.Discriminator(width=4, channels=3, size=32, norm="none", **o),
    "sngan": lambda **o: sngan.Discriminator(width=4, size=32, channels=3, **o),
    "sagan_uni": lambda **o: sagan_uni.Discriminator(width=4, size=32, channels=3, **o),
    "r3gan": lambda **o: r3gan.Discriminator(width=8, size=32, channels=3, **o),
    "pggan_uni": lambda **o: pggan_uni.Discriminator(width=4, size=32, channels=3, **o),
    "ccgan_uni": lambda **o: ccgan_uni.Discriminator(width=4, size=32, channels=3, auxiliary=2, **o),
    "context_encoder": lambda **o: context_encoder.Discriminator(width=4, channels=3, **o),
    "stackgan": lambda **o: stackgan.Discriminator(text=5, width=4, size=32, channels=3, **o),
}
OF_MAPS = ("patchgan", "srgan", "context_encoder", "stackgan")  # which have no vector of a sample
BESIDE = {"agecgan": torch.tensor([0, 1, 0, 1]), "stackgan": TEXTS.double()}  # what else they take


@pytest.mark.parametrize("kind", ["deviation", "discrimination"])
@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_every_discriminator_takes_it_and_then_sees_its_company(name, kind):
    if kind == "discrimination" and name in OF_MAPS:
        with pytest.raises(ValueError, match="has no vector of a sample"):
            DISCRIMINATORS[name](minibatch={"kind": kind})
        return
    beside = [BESIDE[name]] if name in BESIDE else []
    size = 64 if name == "context_encoder" else 32

    def alone_and_together(**options):
        torch.manual_seed(0)
        network = DISCRIMINATORS[name](**options).double().eval()  # batch norm would see the company as well
        pictures = PICTURES[..., :size, :size].double()
        pictures = pictures * (100 if name == "srgan" else 1)  # its narrow network makes little of them
        found = network(pictures[:2], *(value[:2] for value in beside)), network(pictures, *beside)
        alone, together = (getattr(one, "logits", one) for one in found)
        return alone, together[:2]

    assert torch.allclose(*alone_and_together(), atol=1e-9)
    assert not torch.allclose(*alone_and_together(minibatch={"kind": kind}), atol=1e-9)


def test_without_it_nothing_is_added():
    assert minibatch_layers(None, 7) == ([], 7)
    (layer,), features = minibatch_layers({"kind": "discrimination", "rows": 3, "size": 2}, 7)
    assert (layer.rows, features) == (3, 10)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"kind": "std"}, "minibatch.kind is 'std', it must be deviation"),
        ({"rows": 3}, "minibatch.kind is None"),
        ({"kind": "deviation", "rows": 3}, "minibatch.rows: kind deviation has no such option; it takes group"),
        ({"kind": "discrimination", "rows": 0}, "rows is 0"),
    ],
)
def test_other_words_are_refused(options, said):
    with pytest.raises(ValueError, match=said):
        minibatch_layers(options, 7)
