"""Clusters of the samples, in the place of classes."""

from types import SimpleNamespace

import pytest
import torch
from compare import differences, newest
from pictures_on_disk import write_picture
from stopping import stop_at
from torch import nn
from toys import Discriminator, Generator, game, play

from gantrain.errors import UserError
from gantrain.losses.auxiliary import Codes
from gantrain.losses.penalties import R1
from gantrain.models.clusters import Clusters
from gantrain.training.loading import load_trained

WORDS = ("experiment=mnist_fast", "models=latent", "debug=tiny", "trainer.threads=1")


def data(samples, flip=False):
    """What is asked of a data module: samples by their numbers."""
    take = lambda indices: {"real": samples[torch.as_tensor(indices)]}  # noqa: E731
    length = type("Data", (SimpleNamespace,), {"__len__": lambda self: len(samples)})
    return length(take=take, flip=flip)


def crowds():
    """900 points in the plane, in three crowds of 700, 150 and 50."""
    generator = torch.Generator().manual_seed(0)
    middles = torch.tensor([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]]).repeat_interleave(torch.tensor([700, 150, 50]), 0)
    return middles + torch.randn(900, 2, generator=generator)


def fitted(samples, count, seed=0, **options):
    clusters = Clusters(count)
    clusters.fit(data(samples, **options), seed)
    return clusters


def test_clusters_are_near_each_other_and_of_about_one_size():
    points = crowds()
    found = fitted(points, 9)
    numbers = found.of(points)
    sizes = torch.bincount(numbers, minlength=9)
    assert sizes.min() > 0.8 * 100
    assert sizes.max() < 1.25 * 100
    within = torch.stack([points[numbers == i].var(0).sum() for i in range(9)])
    assert within.max() < points.var(0).sum() / 2


def test_a_samples_cluster_is_its_own_whatever_lies_beside_it():
    points = crowds()
    found = fitted(points, 5)
    assert torch.equal(found.of(points)[:40], found.of(points[:40]))
    again, other = fitted(points, 5), fitted(points, 5, seed=1)
    assert differences(found.state_dict(), again.state_dict()) == []
    assert differences(found.state_dict(), other.state_dict()) != []


def test_mirrored_pictures_count_where_training_shows_them():
    left = torch.zeros(40, 1, 8, 8)
    left[:, :, :, 0] = 1
    left += 0.01 * torch.randn(left.shape, generator=torch.Generator().manual_seed(0))
    both = torch.cat([left, left.flip(-1)])
    one_sided, two_sided = (fitted(left, 2, flip=flip).of(both) for flip in (False, True))
    assert two_sided.tolist() in ([0] * 40 + [1] * 40, [1] * 40 + [0] * 40)
    assert one_sided[:40].sum() not in (0, 40)


def test_crowds_too_far_apart_to_be_of_one_size_leave_no_cluster_empty():
    points = crowds()
    points[700:] *= 100
    assert torch.bincount(fitted(points, 9).of(points), minlength=9).min() > 0


def test_samples_that_are_all_alike_end_nothing():
    assert fitted(torch.zeros(10, 3), 4).of(torch.zeros(2, 3)).tolist() == [0, 0]


def test_what_is_kept_must_be_these_clusters():
    found = fitted(crowds(), 5)
    state, cpu = found.state_dict(), torch.device("cpu")
    for wrong in (
        {key: value[1:] for key, value in state.items()},
        {**state, "prices": state["prices"] * torch.nan},
        {**state, "centres": state["centres"].long()},
    ):
        with pytest.raises(ValueError, match="clusters: "):
            found.load_state_dict(wrong, cpu)


# ---- in a game -------------------------------------------------------------------------------------------------------


class Told(Discriminator):
    """It takes the number of a cluster below 3, and notes it."""

    def __init__(self):
        super().__init__()
        self.table, self.seen = nn.Embedding(3, 4), []

    def forward(self, x, cond):
        self.seen.append(cond.tolist())
        return super().forward(x + self.table(cond))


def clustered(z_dim=8, judge=None, **options):
    networks = {"generator": Generator(z_dim), "discriminator": judge or Told()}
    return game(networks=networks, **{"clusters": 3, **options})


def studied(**options):
    module = clustered(**options)
    module.study(data(torch.randn(200, 4, generator=torch.Generator().manual_seed(1)) + 2))
    return module


@pytest.mark.parametrize("fresh", [False, True])
def test_fakes_are_judged_in_the_clusters_of_the_real_samples(fresh):
    module, drawn = studied(penalties={"r1": R1(1.0)}, fresh_noise=fresh), []
    draw = module.draw
    module.draw = lambda batch: drawn.append((batch["real"], draw(batch))) or drawn[-1][1]
    play(module, 1)
    [(real, batch)] = drawn
    cond = module.clusters.of(real)
    assert len(set(cond.tolist())) > 1
    assert module.networks["discriminator"].seen == [cond.tolist()] * 4  # real, fake, penalty; the generator's turn
    for key in ("z", "z_generator") if fresh else ("z",):
        assert torch.equal(batch[key][:, 5:], nn.functional.one_hot(cond, 3).float())
        assert batch[key][:, :5].std() > 0.5


def test_health_judges_fakes_as_training_does():
    module = studied()
    real = torch.randn(6, 4) + 2
    batch = {"real": real, "cond": torch.full((6,), 9)}  # of the data's own classes, which the game does not know
    fakes = module.made(batch, torch.Generator().manual_seed(0))["real"]
    module.judged("real", fakes, batch)
    assert module.networks["discriminator"].seen == [module.clusters.of(real).tolist()]


def test_a_user_gets_samples_of_all_clusters_and_no_classes():
    module = clustered()
    z = module.latents(3000, torch.Generator().manual_seed(0))
    assert torch.bincount(z[:, 5:].argmax(1)).min() > 900
    assert torch.equal(z[:, 5:].sum(1), torch.ones(3000))
    assert module.classes is None
    assert module.preview_columns is None
    shown = module.preview({"real": torch.zeros(8, 4)}, torch.Generator().manual_seed(0))
    assert torch.equal(shown, module.generate(z[:8]))


def test_with_classes_there_are_no_clusters():
    assert clustered(classes=3).clusters is None


def test_what_does_not_fit_is_refused():
    real = {"real": torch.zeros(2, 4)}
    clustered().check(real)
    with pytest.raises(ValueError, match="clusters is 1, it must be a whole number of 2 or more"):
        clustered(clusters=1)
    with pytest.raises(UserError, match=r"models\.clusters is 3, but there are only 2 samples to sort; take fewer"):
        clustered().study(data(torch.zeros(2, 4)))
    with pytest.raises(UserError, match=r"z_dim is 3, and models\.clusters takes 3"):
        clustered(z_dim=3).check(real)
    with pytest.raises(UserError, match=r"networks\.discriminator does not take .*networks\.discriminator\.classes=3"):
        clustered(judge=Discriminator()).check(real)
    with pytest.raises(UserError, match=r"networks\.discriminator does not take .*networks\.discriminator\.classes=4"):
        clustered(clusters=4).check(real)
    with pytest.raises(UserError, match=r"models\.clusters and losses\.auxiliary both make codes"):
        clustered(auxiliary=Codes(2)).check(real)


# ---- a run -----------------------------------------------------------------------------------------------------------


def test_a_run_resumes_exactly_and_is_sampled_without_classes(gantrain, monkeypatch):
    words = (*WORDS, "data.batch_size=4", "callbacks.samples.count=2")
    assert gantrain(*words, "iterations=4", "hydra.run.dir=straight").code == 0
    assert stop_at(gantrain, (*words, "iterations=4"), monkeypatch, "", 2, "stopped").code == 143
    assert gantrain("resume", "stopped").code == 0
    assert differences(newest("stopped"), newest("straight")) == []
    assert newest("straight")["shared"]["clusters"]["centres"].shape == (64, 14 * 14)
    assert gantrain("sample", "straight", "-n", 5, "--out", "five.png").code == 0
    refused = gantrain("sample", "straight", "--class", 3)
    assert (refused.code, refused.err) == (2, "gantrain: --class: this run's samples are of no class; leave it out\n")
    assert load_trained("straight").module.clusters.count == 64


def test_grey_pictures_in_a_folder_need_no_labels(gantrain, tmp_path):
    for i in range(12):
        write_picture(tmp_path / "photos" / f"{i}.png", i, size=(28, 28), mode="L")
    words = ("experiment=mnist_fast", "models=latent", "data=folder", "data.size=28", "data.channels=1")
    words += ("data.root=photos", "data.batch_size=4", "iterations=1", "trainer.threads=1", "hydra.run.dir=run")
    few = gantrain(*words)
    assert (few.code, "models.clusters is 64, but there are only 12 samples" in few.err) == (2, True)
    done = gantrain(*words, "models.clusters=5", "networks.generator.width=4", "networks.discriminator.width=4")
    assert done.code == 0, done
