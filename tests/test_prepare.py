"""A run's parts from its config."""

from gantrain.config import Stage
from gantrain.prepare import length_of


class Stopped:
    """A run whose newest checkpoint is of iteration 40, after 320 images."""

    def newest(self, stage):
        return {"iteration": 40, "images_seen": 320}


def test_epochs_count_images_in_batches_of_any_size():
    ten = Stage("train", "", {"epochs": 10, "iterations": None})
    assert length_of(ten, images=64, batch=8, run=None) == 80
    assert length_of(ten, images=63, batch=8, run=None) == 79  # 630 images: the last batch begins a new epoch
    assert length_of(ten, images=64, batch=8, run=Stopped()) == 80
    assert length_of(ten, images=64, batch=16, run=Stopped()) == 60  # the other 320 images in half as many
    five = Stage("train", "", {"epochs": 5, "iterations": None})
    assert length_of(five, images=64, batch=16, run=Stopped()) == 40
    assert length_of(Stage("train", "", {"iterations": 7}), images=64, batch=16, run=Stopped()) == 7
