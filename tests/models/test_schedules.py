import pytest
import torch

from gantrain.models.schedules import LinearDecay, ends


def optimizer():
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5)


def rates(schedule, count):
    found = []
    for _ in range(count):
        found.append(schedule.optimizer.param_groups[0]["lr"])
        schedule.optimizer.step()
        schedule.step()
    return found


def test_the_full_rate_and_then_a_line_to_nothing():
    assert rates(LinearDecay(optimizer(), 2, 6), 8) == pytest.approx([0.5, 0.5, 0.5, 0.375, 0.25, 0.125, 0, 0])


def test_it_goes_on_where_it_was():
    first = LinearDecay(optimizer(), 2, 6)
    rates(first, 4)
    second = LinearDecay(optimizer(), 2, 6)
    second.optimizer.load_state_dict(first.optimizer.state_dict())
    second.load_state_dict(first.state_dict())
    assert rates(second, 3) == pytest.approx([0.25, 0.125, 0])


def test_it_must_fall():
    with pytest.raises(ValueError, match="6 and 6 do not"):
        LinearDecay(optimizer(), 6, 6)


def test_the_ends_of_a_games_players():
    players = {"a": {"schedule": {"start": 1, "end": 6}}, "b": {"schedule": None}, "c": {"schedule": {"step_size": 2}}}
    assert ends({"players": players}) == {"a": 6}
    assert ends({"players": None}) == {}
