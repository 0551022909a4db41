"""Running means."""

import torch

from gantrain.models.loop.meters import Meters


def test_means_since_the_last_time():
    meters = Meters()
    meters.add({"a": torch.tensor(1.0), "b": torch.tensor(5.0, requires_grad=True)})
    meters.add({"a": torch.tensor(3.0)})
    assert meters.pop() == {"a": 2.0, "b": 5.0}
    assert meters.pop() == {}
    meters.add({"a": torch.tensor(7.0)})
    assert meters.pop() == {"a": 7.0}


def test_state():
    meters, other = Meters(), Meters()
    meters.add({"a": torch.tensor(1.0)})
    other.load_state_dict(meters.state_dict(), torch.device("cpu"))
    other.add({"a": torch.tensor(2.0)})
    assert other.pop() == {"a": 1.5}
