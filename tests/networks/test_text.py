"""Letters to embeddings; embeddings that are given; what the eye says of pictures of any size."""

import pytest
import torch

from gantrain.data.captions import tokens
from gantrain.networks.text import CharCNNRNN, Eye, Given


def letters(*texts, length=96):
    return torch.from_numpy(tokens(texts, length)).long()


def test_sizes_as_published_and_a_quarter_of_them():
    assert sum(weight.numel() for weight in CharCNNRNN(384, 1024).parameters()) == 1_814_144
    assert sum(weight.numel() for weight in CharCNNRNN(96, 256).parameters()) == 134_048


def test_steps_as_published():
    steps = CharCNNRNN(384, 1024).convolutions(torch.zeros(1, 70, 201)).shape
    assert steps == (1, 256, 8)


def test_the_recurrent_layer_is_torchs():
    encoder = CharCNNRNN(6, 4)
    recurrent = torch.nn.RNN(4, 4, nonlinearity="relu", batch_first=True)
    recurrent.load_state_dict({f"{name}_l0": value for name, value in encoder.recurrent.state_dict().items()})
    text = letters("a small red square", "blue")
    one_hot = torch.nn.functional.one_hot(text, 71)[:, :, 1:].float().transpose(1, 2)
    wanted = encoder.embed(recurrent(encoder.convolutions(one_hot).transpose(1, 2))[0].mean(1))
    assert torch.allclose(encoder(text), wanted, atol=1e-6)


def test_what_a_text_network_cannot_take_is_said():
    with pytest.raises(TypeError, match="networks/text=given"):
        CharCNNRNN(6, 4)(torch.zeros(1, 4))
    with pytest.raises(ValueError, match=r"data\.length=66"):
        CharCNNRNN(6, 4)(letters("a", length=65))
    with pytest.raises(TypeError, match="networks/text=characters"):
        Given(4)(letters("a"))
    with pytest.raises(ValueError, match=r"networks\.text\.features=5"):
        Given(4)(torch.zeros(1, 5))
    given = torch.randn(2, 4)
    assert Given(4)(given) is given


def test_the_eye_takes_any_size_and_its_length_is_one():
    eye = Eye(2, 8, 3, 5).eval()
    pictures = torch.randn(2, 3, 32, 32)
    smaller = torch.nn.functional.avg_pool2d(pictures, 4)
    assert torch.allclose(eye(pictures), eye(smaller), atol=1e-5)
    assert torch.allclose(eye(pictures).norm(dim=1), torch.full((2,), 10.0))
    assert Eye(2, 8, 3, 5, unit=False).log_length is None
