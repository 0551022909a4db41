"""The style family: random inputs by key, the mean of w, path length, styles of a trained run."""

import pytest
import torch
from toys import Generator as Toy
from toys import game

from gantrain.errors import UserError
from gantrain.losses.path_length import PathLength
from gantrain.models import style
from gantrain.models.loop.penalties import drawn
from gantrain.models.style import StyleGAN
from gantrain.networks import stylegan1, stylegan_uni
from gantrain.networks.stylegan2 import Discriminator, Generator

SMALL = {"width": 2, "size": 8, "channels": 1, "top": 4, "mapping": 2}


class Alone:
    """What a family asks of its trainer to draw."""

    world_size, global_rank, precision_plugin = 1, 0, None


def styled(networks=None, **options):
    torch.manual_seed(0)
    classes = {"classes": options["classes"]} if options.get("classes") else {}
    networks = networks or {
        "generator": Generator(5, **SMALL, **classes),
        "discriminator": Discriminator(**SMALL, **classes),
    }
    module = game(family=StyleGAN, networks=networks, **options)
    module._trainer = Alone()
    return module


def batch(n=4):
    return {"real": torch.zeros(n, 1, 8, 8)}


def test_each_random_input_has_a_key_and_rows_of_its_samples():
    module = styled(fresh_noise=True)
    given = module.draw(batch())
    names = {"mix", "cut", "noise0", "noise1", "noise2"}
    keys = {"z", *(f"random.{name}" for name in names)}
    assert set(given) == keys | {f"{key}_generator" for key in keys}
    assert all(len(value) == 4 for value in given.values())
    assert given["random.noise2"].shape == (4, 1, 8, 8)
    assert given["random.cut"].min() >= 0
    assert given["random.cut"].max() < 1
    assert not torch.equal(given["random.noise1"], given["random.noise2"])
    assert not torch.equal(given["z"], given["random.mix"])
    assert not torch.equal(given["random.noise1"], given["random.noise1_generator"])
    halves = []
    for rank in (0, 1):
        module._trainer.world_size, module._trainer.global_rank = 2, rank
        halves.append(module.draw(batch(2)))
    module._trainer.world_size, module._trainer.global_rank = 1, 0
    for key, value in given.items():  # two processes with half the batch see the same
        assert torch.equal(torch.cat([half[key] for half in halves]), value), key


def test_a_generator_that_asks_for_nothing_gets_latents_alone():
    assert set(game().random_inputs) == set()


@pytest.mark.parametrize("fresh", [False, True])
def test_with_fresh_noise_the_generators_turn_has_random_inputs_of_its_own(fresh, monkeypatch):
    module, given, forward = styled(fresh_noise=fresh), [], Generator.forward

    def seen(self, z, **more):
        given.append((z, *more.values()))
        return forward(self, z, **more)

    monkeypatch.setattr(Generator, "forward", seen)
    everything = {**batch(), **module.draw(batch())}
    shared = module.shared(everything, ["discriminator", "generator"])
    module.losses("generator", everything, shared)
    assert len(given) == (2 if fresh else 1)
    assert not fresh or not any(torch.equal(a, b) for a, b in zip(*given, strict=True))


def test_path_length_trains_the_mapping_and_its_mean_is_shared_state():
    penalty = PathLength(every=1)
    module = styled(penalties={"path": penalty})
    assert module.kept_shared == {"penalties.path": penalty}
    assert not module.kept
    everything = {**batch(), **module.draw(batch()), **drawn(module, batch())}
    before = module.networks["generator"].w_avg.clone()
    shared = module.shared(everything, [])
    moved = module.networks["generator"].w_avg.clone()
    assert not torch.equal(before, moved)
    (term,) = penalties_of(module, everything, shared).values()
    assert torch.equal(module.networks["generator"].w_avg, moved)  # a pass of the penalty is none of training
    assert penalty.mean > 0
    term.backward()
    assert module.networks["generator"].mapping.layers[0].weight.grad.abs().max() > 0
    assert everything["mix.path"].shape == (4, 1, 8, 8)
    assert everything["mix.path"].min() < 0  # normal


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("kind", [Generator, stylegan1.Generator, stylegan_uni.Generator])
def test_path_length_looks_at_every_generator_with_styles(kind, precision):
    torch.manual_seed(0)
    options = {key: SMALL[key] for key in ("width", "size", "channels")}
    options |= {"w_dim": 5} if kind is stylegan_uni.Generator else {"top": 4, "mapping": 2}
    networks = {"generator": kind(5, **options), "discriminator": Discriminator(**SMALL)}
    module = styled(networks, penalties={"path": PathLength(2.0, every=1)})
    everything = batch() | module.draw(batch()) | drawn(module, batch())
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == torch.bfloat16):
        inputs = module.penalised("generator", everything, None)[""]
        value = module.penalties["path"].at(inputs, everything["mix.path"])
    value.backward()
    assert value.dtype == torch.float32
    assert any(weight.grad.abs().sum() > 0 for weight in networks["generator"].mapping.parameters())


def penalties_of(module, everything, shared):
    return {
        f"{key}{suffix}": penalty.at(inputs, everything[f"mix.{key}"])
        for suffix, inputs in module.penalised("generator", everything, shared).items()
        for key, penalty in module.penalties.items()
    }


def test_the_mean_of_w_is_of_all_processes(monkeypatch):
    module = styled()
    everything = {**batch(), **module.draw(batch())}
    monkeypatch.setattr(style, "world_size", lambda: 2)
    monkeypatch.setattr(style, "average_scalars", lambda value, world: value / world + 1)
    one = styled()
    one.fakes(everything)
    module.fakes(everything)
    monkeypatch.undo()
    alone = styled()
    alone.fakes(everything)
    assert torch.allclose(module.networks["generator"].w_avg, alone.networks["generator"].w_avg / 2 + 1)


def test_styles_make_the_pictures_of_their_latents():
    module = styled()
    module.fakes({**batch(), **module.draw(batch())})
    z = module.latents(5, torch.Generator().manual_seed(1))
    styles = module.styles(z)
    assert styles.shape == (5, module.layers, 5)
    assert torch.allclose(module.generate_from(styles), module.generate(z), atol=1e-6)
    assert torch.allclose(module.generate_from(styles, chunk=2), module.generate(z), atol=1e-5)


def test_psi_leads_to_the_mean():
    module = styled()
    module.fakes({**batch(), **module.draw(batch())})
    w_avg = module.networks["generator"].w_avg
    z = module.latents(3, torch.Generator().manual_seed(1))
    whole, half, none = (module.styles(z, psi=psi) for psi in (1.0, 0.5, 0.0))
    assert torch.allclose(half, (whole + w_avg) / 2, atol=1e-6)
    assert torch.equal(none, w_avg.expand(3, module.layers, 5))
    made = module.generate_from(none)
    assert torch.equal(made[0], made[1])
    assert torch.equal(made[0], made[2])


def test_psi_moves_the_coarse_layers_alone_where_it_is_cut_off():
    module = styled()
    module.fakes({**batch(), **module.draw(batch())})
    z = module.latents(3, torch.Generator().manual_seed(1))
    whole, moved, cut = (module.styles(z, psi=psi, cutoff=n) for psi, n in ((1.0, None), (0.5, None), (0.5, 3)))
    assert torch.equal(cut[:, :3], moved[:, :3])
    assert torch.equal(cut[:, 3:], whole[:, 3:])
    assert not torch.equal(cut[:, 2:3], whole[:, 2:3])


def test_styles_of_classes_in_turn_or_as_told():
    module = styled(classes=3)
    z = torch.randn(1, 5).expand(4, -1)
    in_turn, told = module.styles(z), module.styles(z, torch.tensor([1, 1, 1, 1]))
    assert torch.allclose(in_turn[1], told[0], atol=1e-6)
    assert torch.allclose(in_turn[3], in_turn[0], atol=1e-6)
    assert not torch.allclose(in_turn[0], in_turn[1])


def test_a_generator_without_styles_is_refused():
    networks = {"generator": Toy(), "discriminator": Discriminator(**SMALL)}
    with pytest.raises(UserError, match="no styles; choose networks=stylegan2"):
        styled(networks)
