"""Keys that a person means."""

import pytest

from gantrain.config.keys import keys_of, leaf, meant, within

CONFIG = {
    "epochs": 3,
    "data": {"batch_size": 4, "size": 8, "dataset": {"name": "x"}},
    "networks": {"g": {"size": 8, "width": 3}},
    "models": {"players": {"d": {"optimizer": {"lr": 1}}, "g": {"optimizer": {"lr": 1}}}},
}


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("lr", "; write models.players.d.optimizer.lr= or models.players.g.optimizer.lr="),
        ("g.lr", "; write models.players.g.optimizer.lr="),
        ("models.lr", "; write models.players.d.optimizer.lr= or models.players.g.optimizer.lr="),
        ("learning-rate", "; write models.players.d.optimizer.lr= or models.players.g.optimizer.lr="),
        ("size", "; write data.size= or networks.g.size="),
        ("epochs", "; write epochs="),
        ("trainer.max_epochs", "; write epochs="),
        ("name", "; write data.dataset.name="),
        ("outdir", "; write hydra.run.dir="),
        ("nothing", ""),
        ("lr.nothing", ""),
        ("networks.width", "; write networks.g.width="),
        ("widht", "; write networks.g.width="),
        ("networks.x.widht", "; write networks.g.width="),
        ("models.players.d.kind.widht", ""),
        ("models.players.d.lrr", "; write models.players.d.optimizer.lr="),
        ("models.epochs", "; write epochs="),
        ("trainer.batchsize", "; write data.batch_size="),
        ("data.dataset.width", ""),
        ("models.optimizer", "; write models.players.d.optimizer= or models.players.g.optimizer="),
    ],
)
def test_a_wrong_key_is_answered_with_those_that_it_may_mean(typed, says):
    assert meant(typed, keys_of(CONFIG)) == says


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("lr_d", "discriminator.lr"),
        ("g_lr", "generator.lr"),
        ("lrD", "discriminator.lr"),
        ("models.G.lr", "generator.lr"),
        ("critic_learning_rate", "discriminator.lr"),
        ("n_critic", "generator.every"),
        ("networks.d.lr", "discriminator.lr"),
        ("d_nothing", None),
    ],
)
def test_other_programs_names_of_the_networks(typed, says):
    keys = ["generator.lr", "discriminator.lr", "generator.every", "discriminator.every"]
    assert meant(typed, keys) == (f"; write {says}=" if says else "")


def test_the_first_key_of_a_guess():
    assert leaf({"optimizer": {"lr": 1}}, "models") == "models.optimizer.lr"
    assert leaf(3, "models.lr") == "models.lr"


def test_at_most_four_are_named():
    assert within("lr", [f"{name}.lr" for name in "abcde"]) == "; write a.lr= or b.lr= or c.lr= or d.lr=, ..."
