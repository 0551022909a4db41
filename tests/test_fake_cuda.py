"""Devices without a GPU: fake tensors that say they are on CUDA refuse one of the CPU beside them, and any host sync.

They have no values, so that losses, previews and checks of every kind of experiment run at no cost, on any machine. A
backward pass wants a real GPU: `make test-gpu` and `scripts/check_gpu.py`.
"""

from types import SimpleNamespace

import pytest
import torch
from test_experiments import DISTINCT, SMALLER
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode

from gantrain import rng
from gantrain.config.compose import composed
from gantrain.config.finalise import make_absolute
from gantrain.config.stages import stages_of
from gantrain.data.rows import small
from gantrain.evaluation.measures import health
from gantrain.models.loop import penalties
from gantrain.training.prepare import prepare

CUDA = torch.device("cuda")


def moved(part):
    """Module.to would swap tensors that cannot be swapped here."""
    for module in part.modules():
        for name, weight in module._parameters.items():
            if weight is not None:
                module._parameters[name] = nn.Parameter(weight.to(CUDA), weight.requires_grad)
        for name, buffer in module._buffers.items():
            if buffer is not None:
                module._buffers[name] = buffer.to(CUDA)
    return part


@pytest.fixture
def drawn(monkeypatch):
    """There is no generator on a device that is not there."""
    monkeypatch.setattr(rng, "normal", lambda n, *shape, **_: torch.randn(n, *shape, device=CUDA))
    monkeypatch.setattr(rng, "uniform", lambda n, *shape, **_: torch.rand(n, *shape, device=CUDA))
    monkeypatch.setattr(rng, "integers", lambda n, high, **_: torch.randint(high, (n,), device=CUDA))


TECHNIQUES = (
    *("models/augment=adaptive", "+models.augment.diff={_target_: gantrain.models.augment.diffaugment.DiffAugment}"),
    "+models.augment.noise={_target_: gantrain.models.augment.noise.InstanceNoise}",
    *("models.top_k._target_=gantrain.models.adversary.TopK", "models.consistency=1.0", "models.z_kind=uniform"),
    *("networks.discriminator.minibatch.kind=discrimination", "losses.adversarial.flip=0.1"),
)


@pytest.mark.parametrize("experiment", DISTINCT)
def test_losses_previews_and_health_stay_on_the_device(experiment, drawn, monkeypatch):
    on_the_device([f"experiment={experiment}", *SMALLER.get(experiment, ())], monkeypatch)


def test_techniques_stay_on_the_device(drawn, monkeypatch):
    on_the_device(TECHNIQUES, monkeypatch)


def test_clusters_stay_on_the_device(drawn, monkeypatch):
    on_the_device(["experiment=mnist_fast", "models=latent", "trainer.threads=1"], monkeypatch)


def on_the_device(words, monkeypatch):
    config = composed([*words, "debug=tiny", "evaluation=none"], None)
    make_absolute(config)
    for part in prepare(stages_of(config)):
        module, n = part.module, min(8, part.data.variety)
        stored = {key: value.clone() for key, value in part.data.examples(n).items()}
        with monkeypatch.context() as patch, FakeTensorMode(allow_non_fake_inputs=True):
            patch.setattr(type(module), "device", CUDA, raising=False)
            patch.setattr(type(module), "trainer", SimpleNamespace(global_rank=0, world_size=1), raising=False)
            for network in module.networks.values():
                moved(network.train())
            batch = {key: value.to(CUDA) for key, value in stored.items()}
            batch |= module.draw(batch) | penalties.drawn(module, batch)
            shared = module.shared(batch, list(module.players))
            for player in module.players:
                terms, stats = module.losses(player, batch, shared)
                assert {value.device.type for value in (*terms.values(), *stats.values())} == {"cuda"}, player
            for name, network in module.networks.items():
                inputs = module.inputs_of(name, batch)
                if inputs is not None:
                    assert {value.device.type for value in inputs} == {"cuda"}
                    network(*inputs)
            assert module.preview(batch, torch.Generator()).device.type == "cpu"
            for key, fakes in module.made(batch, torch.Generator()).items():
                logits = module.judged(key, fakes, batch)
                rows, seen = small(fakes), module.seen(key, batch)
                numbers = [
                    health.diversity(rows),
                    health.duplicates(rows, 0.1),
                    health.saturated(seen, *part.data.range),
                ]
                assert {value.device.type for value in (fakes, seen, *numbers)} == {"cuda"}
                assert logits is None or health.separation(logits, logits).device.type == "cuda"


def test_the_mistakes_that_it_is_for_are_noticed():
    with FakeTensorMode(allow_non_fake_inputs=True):
        layer = moved(nn.Linear(3, 2))
        with pytest.raises(Exception, match=r"same device|different from other tensors|Unhandled FakeTensor Device"):
            layer(torch.zeros(4, 3))
        with pytest.raises(Exception, match=r"_local_scalar_dense|data-dependent|Data"):
            layer(torch.zeros(4, 3, device=CUDA)).sum().item()
