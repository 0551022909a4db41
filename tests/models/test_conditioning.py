"""Labels: where they come from, and which network is told them. Classes in a game are in test_latent.py."""

import pytest
import torch
from compare import differences, newest
from pictures_on_disk import write_picture
from stopping import stop_at
from torch import nn
from toys import Discriminator, Generator, data_of, game, play

from gantrain.errors import UserError
from gantrain.losses.auxiliary import ClassLabels, Codes
from gantrain.losses.penalties import R1
from gantrain.models.conditioning import Conditioning, OnClasses, OnClusters, conditioning_of
from gantrain.training.loading import load_trained

WORDS = ("experiment=mnist_fast", "models=latent", "debug=tiny", "trainer.threads=1")

Z, COND = torch.randn(3, 5), torch.tensor([1, 0, 1])
CODED = torch.cat([Z[:, :3], torch.tensor([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])], 1)


@pytest.mark.parametrize(
    ("options", "kind", "to_generator", "to_discriminator"),
    [
        ((None, None, None), Conditioning, [Z], []),
        ((None, None, Codes(2)), Conditioning, [Z], []),
        ((2, None, None), OnClasses, [Z, COND], [COND]),
        ((2, 3, Codes(2)), OnClasses, [Z, COND], [COND]),
        ((2, None, ClassLabels(2)), OnClasses, [Z, COND], []),
        ((None, 2, None), OnClusters, [CODED], [COND]),
    ],
)
def test_who_is_told_the_label(options, kind, to_generator, to_discriminator):
    conditioning, source = conditioning_of(*options), {"z": Z, "cond": COND}  # data may have classes in any game
    assert type(conditioning) is kind
    assert differences(list(conditioning.to_generator(source)), to_generator) == []
    assert differences(list(conditioning.to_discriminator(source)), to_discriminator) == []


def test_networks_are_tried_with_the_last_label():
    for options in ((4, None, None), (None, 4, None)):
        assert conditioning_of(*options).last(torch.zeros(2, 1, 8, 8))["cond"].tolist() == [3, 3]
    assert conditioning_of(None, None, None).last(torch.zeros(2, 4)) == {}


# ---- clusters in a game ----------------------------------------------------------------------------------------------


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
    module.study(data_of(torch.randn(200, 4, generator=torch.Generator().manual_seed(1)) + 2))
    return module


@pytest.mark.parametrize("fresh", [False, True])
def test_fakes_are_judged_in_the_clusters_of_the_real_samples(fresh):
    module, drawn, taken = studied(penalties={"r1": R1(1.0)}, fresh_noise=fresh), [], []
    draw = module.draw
    module.draw = lambda batch: drawn.append(batch["real"]) or draw(batch)
    module.networks["generator"].register_forward_pre_hook(lambda _, given: taken.append(given[0]))
    play(module, 1)
    [real] = drawn
    cond = module.conditioning.clusters.of(real)
    assert len(set(cond.tolist())) > 1
    assert module.networks["discriminator"].seen == [cond.tolist()] * 4  # real, fake, penalty; the generator's turn
    assert len(taken) == 1 + fresh  # one pass serves both turns
    for z in taken:
        assert torch.equal(z[:, 5:], nn.functional.one_hot(cond, 3).float())
        assert z[:, :5].std() > 0.5


def test_health_judges_fakes_as_training_does():
    module = studied()
    real = torch.randn(6, 4) + 2
    batch = {"real": real, "cond": torch.full((6,), 9)}  # of the data's own classes, which the game does not know
    fakes = module.made(batch, torch.Generator().manual_seed(0))["real"]
    module.judged("real", fakes, batch)
    assert module.networks["discriminator"].seen == [module.conditioning.clusters.of(real).tolist()]


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
    assert isinstance(clustered(classes=3).conditioning, OnClasses)


def test_what_does_not_fit_is_refused():
    real = {"real": torch.zeros(2, 4)}
    clustered().check(real)
    with pytest.raises(ValueError, match="clusters is 1, it must be a whole number of 2 or more"):
        clustered(clusters=1)
    with pytest.raises(UserError, match=r"models\.clusters is 3, but there are only 2 samples to sort; take fewer"):
        clustered().study(data_of(torch.zeros(2, 4)))
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
    assert load_trained("straight").module.conditioning.count == 64


def test_grey_pictures_in_a_folder_need_no_labels(gantrain, tmp_path):
    for i in range(12):
        write_picture(tmp_path / "photos" / f"{i}.png", i, size=(28, 28), mode="L")
    words = ("experiment=mnist_fast", "models=latent", "data=folder", "data.size=28", "data.channels=1")
    words += ("data.root=photos", "data.batch_size=4", "iterations=1", "trainer.threads=1", "hydra.run.dir=run")
    few = gantrain(*words)
    assert (few.code, "models.clusters is 64, but there are only 12 samples" in few.err) == (2, True)
    done = gantrain(*words, "models.clusters=5", "networks.generator.width=4", "networks.discriminator.width=4")
    assert done.code == 0, done
