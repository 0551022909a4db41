"""The encoder's family: its two kinds of losses, and what is frozen while it learns."""

import pytest
import torch
from torch import nn
from toys import play, player

from gantrain.errors import UserError
from gantrain.losses.euclidean import Euclidean
from gantrain.models.inversion import Inversion
from gantrain.training.fitted import fitted

CLASSES = 3


class Generator(nn.Module):
    """Latents of 2 and a class to samples of 4."""

    def __init__(self):
        super().__init__()
        self.z_dim = 2
        self.layers = nn.Sequential(nn.Linear(2 + CLASSES, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 4))

    def forward(self, z, cond):
        return self.layers(torch.cat([z, nn.functional.one_hot(cond, CLASSES).float()], 1))


class Labelled(Inversion):
    """The toys' batches have no classes; all are of class 1."""

    def draw(self, batch):
        return {"cond": torch.ones(len(batch["real"]), dtype=torch.int64), **super().draw(batch)}


def inversion(family=Labelled, trains=("encoder",), networks=None, **options):
    torch.manual_seed(0)
    norm, drop = nn.BatchNorm1d(3), nn.Dropout(0.5)
    networks = networks or {
        "encoder": nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 2)),
        "generator": Generator(),
        "face": nn.Sequential(nn.Linear(4, 3), norm, drop),
    }
    options = options or {"latent": Euclidean()}
    return fitted(family)(networks=networks, players={"encoder": player(*trains)}, classes=CLASSES, **options)


def batch(n=6):
    generator = torch.Generator().manual_seed(1)
    return {"real": torch.randn(n, 4, generator=generator), "cond": torch.arange(n) % CLASSES}


def test_the_latent_distance_is_that_of_generated_pairs():
    module = inversion()
    module.begin_stage()
    module.networks["encoder"].eval()
    drawn = {"z": torch.randn(5, 2), "cond_z": torch.tensor([0, 1, 2, 0, 1])}
    terms, _ = module.losses("encoder", {**batch(5), **drawn}, None)
    again = module.networks["encoder"](module.networks["generator"](drawn["z"], drawn["cond_z"]))
    assert list(terms) == ["latent"]
    assert terms["latent"].item() == pytest.approx((again - drawn["z"]).norm(dim=1).mean().item(), rel=1e-6)


def test_real_samples_are_made_again_in_their_own_class():
    module = inversion(embedding=Euclidean(), pixels=Euclidean(weight=0.5), trains=("encoder", "generator"))
    module.eval()
    data = batch()
    terms, _ = module.losses("encoder", data, None)
    made = module.networks["generator"](module.networks["encoder"](data["real"]), data["cond"])
    face = module.networks["face"]
    wanted = (face(made) - face(data["real"])).norm(dim=1).mean().item()
    assert terms["embedding"].item() == pytest.approx(wanted, rel=1e-6)
    assert terms["pixels"].item() == pytest.approx(0.5 * (made - data["real"]).norm(dim=1).mean().item(), rel=1e-6)


def spied(*trains, **losses):
    class Spy(Labelled):
        def losses(self, *args):
            self.modes = {n: {part.training for part in net.modules()} for n, net in self.networks.items()}
            return super().losses(*args)

    return play(inversion(Spy, trains, **losses), 3)


def test_frozen_networks_keep_weights_statistics_and_eval_mode():
    before = inversion().networks.state_dict()
    module = spied("encoder", latent=Euclidean())
    assert module.modes == {"encoder": {True}, "generator": {False}, "face": {False}}
    after = module.networks.state_dict()
    changed = {key.split(".")[0] for key in before if not torch.equal(before[key], after[key])}
    assert changed == {"encoder"}
    module = spied("encoder", "generator", embedding=Euclidean())
    assert module.modes == {"encoder": {True}, "generator": {True}, "face": {False}}
    after = module.networks.state_dict()
    changed = {key.split(".")[0] for key in before if not torch.equal(before[key], after[key])}
    assert changed == {"encoder", "generator"}


def test_gradients_reach_the_players_through_the_frozen_recogniser():
    module = spied("encoder", "generator", embedding=Euclidean())
    for name in ("encoder", "generator"):
        assert all(p.grad is not None for p in module.networks[name].parameters())
    assert all(p.grad is None for p in module.networks["face"].parameters())


def test_latents_and_classes_are_drawn_anew_each_iteration():
    drawn = []

    class Draws(Labelled):
        def draw(self, batch):
            got = super().draw(batch)
            drawn.append(got)
            return got

    play(inversion(Draws), 200)
    assert not torch.equal(drawn[0]["z"], drawn[1]["z"])
    counts = torch.bincount(torch.cat([d["cond_z"] for d in drawn]))
    assert len(counts) == CLASSES
    assert counts.min() > 0.8 * 1600 / CLASSES


def test_pictures_for_people():
    module = inversion()
    data = batch(12)
    z = module.encode(data["real"])
    made = module.in_all_classes(z)
    assert made.shape == (12, CLASSES, 4)
    assert torch.allclose(made[torch.arange(12), data["cond"]], module.generate(z, data["cond"]), atol=1e-6)
    shown = module.preview(data, torch.Generator()).unflatten(0, (-1, module.preview_columns))
    assert shown.shape == (2, 2 + CLASSES, 4)
    assert torch.equal(shown[:, 0], data["real"][:2])
    assert torch.allclose(shown[:, 1], module.generate(z, data["cond"])[:2], atol=1e-6)
    assert torch.allclose(shown[:, 2:], made[:2], atol=1e-6)
    assert module.networks["encoder"].training


def test_losses_networks_and_data_that_do_not_fit_are_refused():
    networks = dict(inversion().networks)
    with pytest.raises(UserError, match="the encoder has none; state latent, pixels or embedding"):
        inversion(latent=None)
    with pytest.raises(UserError, match=r"networks\.face is missing"):
        inversion(networks={k: v for k, v in networks.items() if k != "face"}, embedding=Euclidean())
    with pytest.raises(UserError, match="have no classes"):
        inversion().check({"real": torch.zeros(2, 4)})
    with pytest.raises(UserError, match=r"networks\.encoder makes \(5,\) of \(4,\), but this game needs \(2,\)"):
        inversion(networks={**networks, "encoder": nn.Linear(4, 5)}).check(batch())
    with pytest.raises(UserError, match=r"makes \(4,\) of \(2,\) with class numbers, but this game needs \(6,\)"):
        inversion(networks={**networks, "encoder": nn.Linear(6, 2)}).check(
            {"real": torch.zeros(2, 6), "cond": torch.zeros(2).long()}
        )
    inversion().check(batch())
