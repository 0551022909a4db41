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


def test_sums_go_on_from_a_loaded_state():
    meters, other = Meters(), Meters()
    meters.add({"a": torch.tensor(1.0)})
    other.load_state_dict(meters.state_dict(), torch.device("cpu"))
    other.add({"a": torch.tensor(2.0)})
    assert other.pop() == {"a": 1.5}


def test_a_state_is_no_view_of_what_is_emptied():
    meters = Meters()
    meters.add({"a": torch.tensor(3.0)})
    window = meters.state_dict()
    meters.pop()
    meters.load_state_dict(window, torch.device("cpu"))
    assert meters.means() == {"a": 3.0}


def test_what_is_bad_does_not_count():
    meters = Meters()
    for value, bad in ((1.0, False), (float("nan"), True), (3.0, False)):
        meters.add({"a": torch.tensor(value)}, torch.tensor(bad))
    assert meters.pop() == {"a": 2.0}


def test_tags_keep_their_order_and_are_one_in_all_their_groups():
    meters = Meters()
    meters.add({"a": torch.tensor(1.0), "r1": torch.tensor(9.0)})
    meters.add({"b": torch.tensor(5.0)})
    meters.add({"a": torch.tensor(3.0)})
    assert list(meters.means().items()) == [("a", 2.0), ("r1", 9.0), ("b", 5.0)]
    meters.pop()
    meters.add({"b": torch.tensor(6.0)})
    meters.add({"a": torch.tensor(4.0)})
    assert list(meters.pop().items()) == [("a", 4.0), ("b", 6.0)]


def test_the_state_of_a_version_that_kept_each_tag_by_itself():
    meters = Meters()
    state = {"sums": {"a": torch.tensor(4.0), "b": torch.tensor(6.0)}, "counts": {"a": 2, "b": 3}}
    meters.load_state_dict(state, torch.device("cpu"))
    meters.add({"a": torch.tensor(2.0), "b": torch.tensor(2.0)})
    assert meters.pop() == {"a": 2.0, "b": 2.0}
