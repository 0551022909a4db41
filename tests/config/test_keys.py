"""Keys that a person means."""

import pytest

from gantrain.config.keys import keys_of, meant, within

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
    ],
)
def test_short_for(typed, says):
    assert meant(typed, keys_of(CONFIG)) == says


def test_at_most_four_are_named():
    assert within("lr", [f"{name}.lr" for name in "abcde"]) == "; write a.lr= or b.lr= or c.lr= or d.lr=, ..."
