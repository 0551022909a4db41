"""The training loop: whose turn touches what, counters, conditions, microbatches, EMA, divergence, precision."""

import pytest
import torch
from pytorch_lightning.plugins.precision import MixedPrecision
from torch import nn
from toys import Discriminator, Generator, counts, game, penalties, play, player, weights

from gantrain.errors import Diverged, UserError
from gantrain.losses.adversarial import NonSaturating
from gantrain.losses.penalties import R1, GradientPenalty
from gantrain.models.latent import LatentGAN
from gantrain.models.loop.ema import EMA
from gantrain.models.loop.eval_mode import for_inference, undisturbed
from gantrain.models.players import ClipWeights, PlaysWhen
from gantrain.networks.critique import Critique
from gantrain.run.checkpoint import checkpoint_of


class Spy(LatentGAN):
    """Looks at the networks in the middle of each player's turn."""

    def accumulate_gradients(self, turn, *args):
        super().accumulate_gradients(turn, *args)
        name = turn.player
        other = {"discriminator": "generator", "generator": "discriminator"}[name]
        self.spied = getattr(self, "spied", [])
        self.spied.append(
            {
                "player": name,
                "mine": [p.grad is not None for p in self.networks[name].parameters()],
                "frozen": [not p.requires_grad for p in self.networks[other].parameters()],
                "other": [None if p.grad is None else p.grad.clone() for p in self.networks[other].parameters()],
                "weights": {n: weights_of(self.networks[n]) for n in self.networks},
            }
        )


def weights_of(network):
    return [p.detach().clone() for p in network.parameters()]


def test_a_discriminators_first_turn_leaves_the_generators_gradients_none():
    module = play(game(family=Spy), 1)
    turn = module.spied[0]
    assert turn["player"] == "discriminator"
    assert all(turn["mine"])
    assert all(turn["frozen"])
    assert turn["other"] == [None] * 4


def test_a_turn_changes_only_its_players_weights():
    module = play(game(family=Spy), 2)
    d0, g0, d1, _ = (turn["weights"] for turn in module.spied)
    same = torch.equal
    assert all(map(same, d0["generator"], g0["generator"]))  # the discriminator's step left the generator alone
    assert not any(map(same, d0["discriminator"], g0["discriminator"]))
    assert all(map(same, g0["discriminator"], d1["discriminator"]))  # and the other way round
    assert not any(map(same, g0["generator"], d1["generator"]))


def test_a_generators_turn_leaves_the_discriminators_gradients():
    module = play(game(family=Spy), 1)
    after = [p.grad for p in module.networks["discriminator"].parameters()]
    assert all(map(torch.equal, module.spied[1]["other"], after))


class Careful(LatentGAN):
    def losses(self, name, batch, shared):
        if self.iteration == 1 and name == "generator":
            raise ZeroDivisionError
        return super().losses(name, batch, shared)


def test_networks_are_restored_after_an_error_in_a_turn():
    module = game(family=Careful)
    with pytest.raises(ZeroDivisionError):
        play(module, 3)
    assert all(p.requires_grad for p in module.networks.parameters())


def test_at_rest_players_are_trainable_and_the_others_frozen_in_eval_mode():
    class Rest(LatentGAN):
        def draw(self, batch):
            self.modes = {
                n: (net.training, [p.requires_grad for p in net.parameters()]) for n, net in self.networks.items()
            }
            return super().draw(batch)

    fixed = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5)).requires_grad_(True)
    half = Discriminator()
    half.layers[0].weight.requires_grad_(False)  # a network may keep weights of its own fixed
    module = play(game(family=Rest, networks={"generator": Generator(), "discriminator": half, "face": fixed}), 2)
    assert module.modes["generator"] == (True, [True] * 4)
    assert module.modes["discriminator"] == (True, [False, True, True, True])
    assert module.modes["face"] == (False, [False, False])


def test_every_and_counters():
    module = play(game(generator=player("generator", every=3), family=Spy), 7)
    assert module.turns == {"discriminator": 7, "generator": 2}
    assert (module.iteration, module.images_seen) == (7, 56)
    assert [t["player"][0] for t in module.spied] == list("dddgdddgd")


def test_lazy_penalties_count_their_players_own_turns():
    class Count(LatentGAN):
        def begin(self, name):
            turn = super().begin(name)
            if name == "discriminator" and turn.plays:
                self.due = [*getattr(self, "due", []), bool(turn.due)]
            return turn

    module = game(family=Count, penalties={"r1": R1(1.0, every=2)}, discriminator=player("discriminator", every=2))
    play(module, 8)
    assert module.due == [True, False, True, False]


def test_penalties_between_samples_draw_anew_and_leave_the_global_generator():
    class Mixes(LatentGAN):
        def losses(self, name, batch, shared):
            if name == "discriminator":
                self.mixes = [*getattr(self, "mixes", []), batch["mix.gp"]]
            return super().losses(name, batch, shared)

    module = game(family=Mixes, penalties={"gp": GradientPenalty(1.0)})
    play(module, 2)
    state = torch.get_rng_state()
    play(game(penalties={"r1": R1(1.0)}), 2)
    assert torch.equal(torch.get_rng_state(), state)
    first, second = module.mixes
    assert first.shape == (8,)
    assert not torch.equal(first, second)


def test_plays_when_stops_and_restarts_a_player():
    told = [0.5, 0.9, 0.9, 0.5, 0.5]

    class Told(LatentGAN):
        def losses(self, name, batch, shared):
            terms, stats = super().losses(name, batch, shared)
            if name == "discriminator":
                stats["accuracy"] = torch.tensor(told[self.iteration])
                self.played = [*getattr(self, "played", []), torch.is_grad_enabled()]
            return terms, stats

    module = game(family=Told, discriminator=player("discriminator", plays_when=PlaysWhen("accuracy", 0.8)))
    play(module, 5)
    # the decision uses the value before: idle after the two 0.9, without gradient; back after the 0.5
    assert module.played == [True, True, False, False, True]
    assert module.turns == {"discriminator": 3, "generator": 5}
    assert module.statistics == {"discriminator": pytest.approx(0.5)}


def test_an_unknown_statistic_is_an_error_with_the_known_ones():
    with pytest.raises(UserError, match="accuracy, fake_logit, real_logit"):
        game(discriminator=player("discriminator", plays_when=PlaysWhen("acuracy", 0.8)))


def test_after_step_follows_the_step():
    module = play(game(discriminator=player("discriminator", lr=1.0, after_step=ClipWeights(0.01))), 3)
    assert max(p.abs().max() for p in module.networks["discriminator"].parameters()) <= 0.01
    assert max(p.abs().max() for p in module.networks["generator"].parameters()) > 0.01


def test_what_follows_a_step_sees_the_turn():
    seen = []
    options = {"after_step": seen.append, "optimizer": torch.optim.SGD, "lr": 0.5}
    module = play(game(generator=player("generator", **options)), 3)
    assert [turn.player for turn in seen] == ["generator"] * 3
    assert [turn.images_seen for turn in seen] == [0, 8, 16]
    assert seen[0].networks == [module.networks["generator"]]
    assert (list(seen[0].terms), list(seen[0].stats)) == (["adv"], [])
    assert torch.equal(seen[0].loss, seen[0].terms["adv"])
    gradient = torch.cat([weight.grad.flatten() for weight in seen[2].weights])
    assert torch.allclose(seen[2].norm, gradient.norm())
    norms = torch.stack([turn.norm for turn in seen])
    assert module.meters.pop()["generator/grad_norm"] == pytest.approx(norms.mean().item())


def test_a_penalty_of_the_generator_is_in_its_turn():
    linear = nn.Linear(3, 4)
    linear.z_dim = 3
    networks = {"generator": linear, "discriminator": Discriminator()}
    module = play(game(networks=networks, penalties={"r1": R1(2.0, every=2, of="generator")}), 3)
    assert counts(module)["generator/r1"] == 2  # in its turns 0 and 2
    assert "discriminator/r1" not in counts(module)
    terms = penalties(module, "generator", {"real": torch.randn(5, 4), "z": torch.randn(5, 3)})
    slope = linear.weight.mean(0)  # of what a sample is on average
    assert torch.allclose(terms["r1"], 2 * slope.square().sum())  # weight * every * 1/2


class Mean:
    """A running mean as path length regularisation keeps one."""

    def __init__(self):
        self.value = 0.0

    def state_dict(self):
        return {"value": self.value}

    def load_state_dict(self, state, device):
        self.value = state["value"]


def test_what_a_family_keeps_is_saved_for_each_process_or_for_all():
    module = play(game(), 1)
    module.keep("own", Mean()).value = 1.0
    module.keep("of_all", Mean(), shared=True).value = 2.0
    state = checkpoint_of(module, "")
    assert state["stateful"] == [{"own": {"value": 1.0}}]
    assert state["shared"] == {"of_all": {"value": 2.0}}
    again = game(seed=1)
    own, of_all = again.keep("own", Mean()), again.keep("of_all", Mean(), shared=True)
    again.resume_from = {**state, "stateful": []}  # as another process than the checkpoint knew
    play(again, 1)
    assert (own.value, of_all.value) == (0.0, 2.0)


@pytest.mark.parametrize("fresh", [False, True])
def test_microbatches_equal_the_large_batch(fresh):
    penalties = {"r1": R1(1.0), "gp": GradientPenalty(1.0)}
    one = play(game(fresh_noise=fresh, penalties=penalties), 3)
    four = play(game(fresh_noise=fresh, penalties=penalties, microbatches=4), 3)
    for a, b in zip(weights(one).values(), weights(four).values(), strict=True):
        assert torch.allclose(a, b, atol=1e-5)
    assert one.meters.pop() == pytest.approx(four.meters.pop(), abs=1e-4)


def test_one_generator_pass_serves_both_turns_unless_noise_is_fresh():
    for fresh, expected in ((False, 2), (True, 4)):
        module = game(fresh_noise=fresh)
        calls = []
        module.networks["generator"].register_forward_hook(
            lambda *a, calls=calls: calls.append(torch.is_grad_enabled())
        )
        play(module, 2)
        assert len(calls) == expected
    assert calls == [False, True, False, True]


def test_an_idle_generator_makes_its_pass_without_graph():
    module = game(generator=player("generator", every=2))
    calls = []
    module.networks["generator"].register_forward_hook(lambda *a: calls.append(torch.is_grad_enabled()))
    play(module, 4)
    assert calls == [False, True, False, True]


def test_looking_is_in_eval_mode_and_leaves_no_trace():
    module = game(networks={"generator": Generator(), "discriminator": Discriminator(norm=True)})
    norm = module.networks["discriminator"].layers[1]
    mean, state = norm.running_mean.clone(), torch.get_rng_state()
    with undisturbed(module, torch.device("cpu")):
        assert not norm.training
        module.networks["discriminator"](torch.randn(8, 4))
    assert norm.training
    assert torch.equal(norm.running_mean, mean)
    assert torch.equal(torch.get_rng_state(), state)


def test_inference_leaves_the_mode_of_every_part():
    network = Discriminator(norm=True).train()
    network.layers[1].eval()  # a norm that keeps its statistics
    with for_inference(network):
        assert not network.training
        assert not network(torch.randn(2, 4)).requires_grad
    assert network.training
    assert not network.layers[1].training


def test_a_critique_serves_as_well_as_logits():
    class Generous(Discriminator):
        def forward(self, x):
            return Critique(super().forward(x), features=(x,))

    torch.manual_seed(0)
    plain = play(game(), 2)
    generous = play(game(networks={"generator": Generator(), "discriminator": Generous()}), 2)
    assert set(plain.meters.pop()) == set(generous.meters.pop())


def test_ema_follows_and_serves():
    module = game(ema=EMA(["generator"], half_life_images=8))
    start = weights_of(module.networks["generator"])
    play(module, 1)
    now = weights_of(module.networks["generator"])
    average = weights_of(module.averaged("generator"))
    for a, b, c in zip(start, now, average, strict=True):
        assert torch.allclose(c, (a + b) / 2, atol=1e-6)  # one half-life
    assert module.averaged("generator", raw=True) is module.networks["generator"]
    assert module.averaged("discriminator") is module.networks["discriminator"]


class Broken(LatentGAN):
    def losses(self, name, batch, shared):
        terms, stats = super().losses(name, batch, shared)
        if self.iteration == 2 and name == "generator":
            terms["adv"] = terms["adv"] * float("nan")
        return terms, stats


def test_a_loss_that_is_not_finite_stops_training_before_the_step_and_the_ema():
    module = game(family=Broken, ema=EMA(["generator"], half_life_images=100))
    with pytest.raises(Diverged, match="loss of player 'generator' is not finite in iteration 3"):
        play(module, 5)
    assert all(torch.isfinite(p).all() for p in module.parameters())
    assert module.iteration == 2


def test_or_the_step_is_skipped():
    module = play(game(family=Broken, on_divergence="skip"), 5)
    assert module.iteration == 5
    assert all(torch.isfinite(p).all() for p in module.parameters())


def test_a_skipped_turn_takes_nothing_from_the_next_players():
    class First(LatentGAN):
        def losses(self, name, batch, shared):
            terms, stats = super().losses(name, batch, shared)
            if self.iteration == 1 and name == "discriminator":
                terms["adv"] = terms["adv"] * float("nan")
            return terms, stats

    stepped = []
    generator = player("generator", after_step=stepped.append)
    module = play(game(family=First, generator=generator, on_divergence="skip"), 3)
    assert len(stepped) == 3
    assert counts(module)["generator/adv"] == 3
    assert counts(module)["discriminator/adv"] == 2


def test_a_skipped_step_leaves_no_trace_in_buffers_ema_and_means():
    class Infinite(LatentGAN):
        def draw(self, batch):
            latents = super().draw(batch)
            if self.iteration == 1:
                latents["z"][0, 0] = float("inf")
            return latents

    networks = {
        "generator": nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Linear(8, 4)),
        "discriminator": Discriminator(),
    }
    networks["generator"].z_dim = 3
    module = game(family=Infinite, networks=networks, on_divergence="skip", ema=EMA(["generator"], 10))
    play(module, 4)
    assert all(torch.isfinite(t).all() for t in module.state_dict().values())
    assert all(value == value for value in module.meters.pop().values())


def test_gradients_that_are_never_finite_are_no_overflow():
    class Never(LatentGAN):
        def losses(self, name, batch, shared):
            terms, stats = super().losses(name, batch, shared)
            if name == "generator":
                zero = shared.sum() * 0
                terms["adv"] = terms["adv"] + zero.sqrt() * 0  # finite, with a gradient that is not
            return terms, stats

    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**4)
    with pytest.raises(Diverged, match="gradient of player 'generator'"):
        play(game(family=Never), 40, plugins=[MixedPrecision("16-mixed", "cpu", scaler)])


@pytest.mark.parametrize("allowed", [True, False])
def test_nothing_is_measured_in_tf32(allowed):
    kernels = (torch.backends.cuda.matmul, torch.backends.cudnn)
    before = [kernel.allow_tf32 for kernel in kernels]
    try:
        for kernel in kernels:
            kernel.allow_tf32 = allowed
        with undisturbed(nn.Linear(1, 1), torch.device("cpu")):
            assert not any(kernel.allow_tf32 for kernel in kernels)
        assert all(kernel.allow_tf32 == allowed for kernel in kernels)
    finally:
        for kernel, value in zip(kernels, before, strict=True):
            kernel.allow_tf32 = value


def test_gradients_are_clipped():
    module = game(generator=player("generator", clip_gradients=1e-3, optimizer=torch.optim.SGD, lr=1.0))
    before = weights_of(module.networks["generator"])
    play(module, 1)
    moved = torch.cat(
        [(a - b).flatten() for a, b in zip(weights_of(module.networks["generator"]), before, strict=True)]
    )
    assert moved.norm().item() == pytest.approx(1e-3, rel=1e-3)


def test_bf16_trains_every_network_with_its_losses_in_float32():
    class Dtypes(LatentGAN):
        def losses(self, name, batch, shared):
            terms, stats = super().losses(name, batch, shared)
            self.dtypes = {*getattr(self, "dtypes", set()), *(t.dtype for t in terms.values())}
            self.half = shared.dtype
            return terms, stats

    for options in ({}, {"fresh_noise": True}, {"microbatches": 2}):
        module = game(family=Dtypes, penalties={"r1": R1(1.0)}, **options)
        before = weights(module)
        play(module, 3, precision="bf16-mixed")
        assert module.dtypes == {torch.float32}
        assert module.half == torch.bfloat16
        for key, value in weights(module).items():
            assert not torch.equal(value, before[key]), (options, key)


class Multiplying(torch.optim.SGD):
    """An optimizer whose step is a product of matrices, as Adafactor's is."""

    def step(self):
        for weight in self.param_groups[0]["params"]:
            self.dtype = (weight.grad.view(1, -1) @ weight.grad.view(-1, 1)).dtype


def test_an_optimizer_steps_in_float32():
    module = game(discriminator=player("discriminator", optimizer=Multiplying))
    play(module, 1, precision="bf16-mixed")
    assert module.optimizer_of("discriminator").dtype == torch.float32


class Overflow(LatentGAN):
    def losses(self, name, batch, shared):
        terms, stats = super().losses(name, batch, shared)
        if self.iteration == 1:
            for p in self.networks[name].parameters():  # finite loss, gradient beyond fp16's scale
                terms["huge"] = (p * 1e38).sum() * 0 + p.sum() * 1e38
        return terms, stats


def test_an_fp16_overflow_is_a_skipped_step_not_divergence():
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**16)
    module = game(family=Overflow)
    play(module, 3, plugins=[MixedPrecision("16-mixed", "cpu", scaler)])
    assert module.iteration == 3
    assert all(torch.isfinite(p).all() for p in module.parameters())
    assert scaler.get_scale() < 2.0**16


def test_clipping_happens_after_unscaling():
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10)
    module = game(
        discriminator=player("discriminator", clip_gradients=1e-3, optimizer=torch.optim.SGD, lr=1.0),
    )
    before = weights_of(module.networks["discriminator"])
    play(module, 1, plugins=[MixedPrecision("16-mixed", "cpu", scaler)])
    after = weights_of(module.networks["discriminator"])
    moved = torch.cat([(a - b).flatten() for a, b in zip(after, before, strict=True)])
    assert moved.norm().item() == pytest.approx(1e-3, rel=1e-2)


@pytest.mark.parametrize(("optimizer", "options"), [(torch.optim.SGD, {}), (torch.optim.Adam, {"eps": 1.0})])
def test_a_fused_optimizer_clips_after_unscaling_too(optimizer, options):
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10)
    module = game(discriminator=player("discriminator", optimizer=optimizer, lr=1.0, clip_gradients=1e-3))
    module.players["discriminator"].optimizer = lambda weights: optimizer(weights, lr=1.0, fused=True, **options)
    before = weights_of(module.networks["discriminator"])
    play(module, 1, plugins=[MixedPrecision("16-mixed", "cpu", scaler)])
    after = weights_of(module.networks["discriminator"])
    moved = torch.cat([(a - b).flatten() for a, b in zip(after, before, strict=True)])
    assert moved.norm().item() == pytest.approx(1e-3, rel=1e-2)


@pytest.mark.parametrize("parts", [1, 2])
def test_twice_the_mean_is_one_step_on_the_sum_and_recorded_as_the_mean(parts):
    sgd = {"optimizer": torch.optim.SGD, "lr": 0.5}
    on_sum = play(game(discriminator=player("discriminator", **sgd), microbatches=parts), 1)
    twice = player("discriminator", loss_factor=2.0, **sgd)
    on_mean = play(game(discriminator=twice, adversarial=NonSaturating(combine="mean"), microbatches=parts), 1)
    for a, b in zip(weights(on_sum).values(), weights(on_mean).values(), strict=True):
        assert torch.allclose(a, b, atol=1e-7)
    recorded = on_mean.meters.pop()["discriminator/adv"]
    assert recorded == pytest.approx(on_sum.meters.pop()["discriminator/adv"] / 2)


def test_schedules_step_once_an_iteration():
    def schedule(optimizer):
        return torch.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.1)

    module = game(generator=player("generator", every=2, schedule=schedule))
    play(module, 4)
    assert module.optimizer_of("generator").param_groups[0]["lr"] == pytest.approx(0.01 * 0.1**2)


def test_names_that_lead_nowhere_are_errors():
    with pytest.raises(UserError, match="no network 'critic'"):
        game(discriminator=player("critic"))
    with pytest.raises(UserError, match=r"models\.ema\.networks: there is no network 'gnerator'"):
        game(ema=EMA(["gnerator"], 10))
    with pytest.raises(ValueError, match="microbatches is 0"):
        game(microbatches=0)


def test_penalties_refuse_batch_norm_with_the_reason():
    networks = {"generator": Generator(), "discriminator": Discriminator(norm=True)}
    with pytest.raises(UserError, match="batch norm ties the samples"):
        game(networks=networks, penalties={"r1": R1(1.0)})
