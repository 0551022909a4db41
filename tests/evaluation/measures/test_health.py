"""What health measures, on samples whose numbers are known by hand."""

import math

import pytest
import torch

from gantrain.evaluation.measures import health


def test_diversity_is_the_mean_distance_of_pairs():
    rows = torch.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 4.0]])  # 5, 4 and 3 apart
    assert health.diversity(rows).item() == pytest.approx(4)
    assert health.diversity(torch.ones(5, 2)) == 0
    assert health.diversity(torch.ones(1, 2)) == 0


def test_duplicates_are_those_with_another_one_nearby():
    rows = torch.tensor([[0.0], [0.5], [3.0], [7.0]])
    assert health.duplicates(rows, 0.5) == 0.5
    assert health.duplicates(rows, 0.4) == 0
    assert health.duplicates(torch.zeros(3, 2), 0.0) == 1


def test_separation_is_the_share_of_pairs_in_order():
    real, fake = torch.tensor([1.0, 2.0]), torch.tensor([0.0, 1.0, 3.0])
    # 1 > 0, 1 = 1, 2 > 0, 2 > 1: three and a half of six
    assert health.separation(real, fake).item() == pytest.approx(3.5 / 6)
    assert health.separation(fake + 10, real) == 1
    assert health.separation(real, real + 10) == 0


def test_saturated_numbers_lie_at_an_end_of_the_range():
    samples = torch.tensor([[-1.0, -0.9985], [0.9999, 0.5]])
    assert health.saturated(samples, -1, 1) == 0.75


def test_what_is_not_finite_is_counted():
    assert health.not_finite([torch.tensor([1.0, math.inf]), torch.tensor([math.nan, 0.0])]) == 0.5


def test_a_dead_channel_has_one_value_at_all_places_of_all_samples():
    outputs = torch.zeros(2, 3, 2, 2)
    outputs[:, 1] = 7.0
    outputs[0, 2, 1, 1] = 1.0
    channels = health.Channels()
    channels.see(0, outputs)
    assert channels.dead().item() == pytest.approx(2 / 3)
    channels.see(0, outputs + torch.tensor([1.0, 0.0, 0.0]).view(3, 1, 1))  # the first has another value in this pass
    assert channels.dead().item() == pytest.approx(1 / 3)
    assert health.Channels().dead() is None


def test_a_layer_at_two_places_may_have_other_channels_there():
    channels = health.Channels()
    for output in (torch.ones(2, 3, 4, 4), torch.rand(2, 5), torch.ones(2), (torch.ones(2, 2), None)):
        channels.see(0, output)
    assert channels.dead().item() == pytest.approx(3 / 8)


def test_the_size_of_a_step_is_its_share_of_the_weights():
    before, after = [torch.tensor([3.0, 0.0])], [torch.tensor([3.0, 4.0])]
    assert health.step_size(before, after).item() == pytest.approx(4 / 5)
    assert health.step_size(after, after) == 0
    assert health.step_size([torch.ones(2)], [torch.zeros(2)]) == 0


def test_how_many_lie_in_each_cell():
    found = health.in_cells(torch.tensor([[9.0], [11.0], [1.0]]), torch.tensor([[0.1], [10.2], [50.0]]))
    assert found.tolist() == [1, 2, 0]


def picture(value=-1.0, at=None, side=8):
    made = torch.full((1, 1, side, side), value)
    if at is not None:
        made[0, 0, at[0], at[1]] = 1.0
    return made


def test_traits_say_what_augmentations_change():
    dark = health.traits(picture(-1.0), -1, 1)[0]
    grey = health.traits(picture(0.0), -1, 1)[0]
    assert (dark[0], grey[0]) == (0, 0.5)  # brightness
    assert (dark[5], grey[5], grey[6]) == (0, 1, 1)  # how much is grey, and of the edge
    corner, middle = (health.traits(picture(-1.0, at), -1, 1)[0] for at in ((0, 7), (4, 4)))
    assert corner[3] > 0.2 > 0.1 > middle[3]
    flipped = health.traits(picture(-1.0, (0, 7)).flip(-1), -1, 1)[0]
    assert torch.allclose(flipped, corner, atol=1e-6)
    red = torch.tensor([1.0, -1.0, -1.0]).view(1, 3, 1, 1).expand(1, 3, 8, 8)
    assert health.traits(red, -1, 1)[0, 2] == 1
    assert dark[2] == 0


def test_a_leak_is_how_far_fakes_follow_what_is_shown():
    plain = torch.tensor([[-1.0, 0.0], [1.0, 0.0]]).repeat(100, 1)
    shown = plain + torch.tensor([4.0, 0.0])
    change, share = health.leaks(plain, shown, shown)
    assert change.item() == pytest.approx(4 - 3 * math.sqrt(2 / 200), abs=0.02)  # less what chance may do
    assert share.item() == pytest.approx(1)
    assert health.leaks(plain, shown, plain)[1].item() == pytest.approx(0, abs=1e-6)
    # half way: a half of the mean's change, a third of the deviation's
    assert 1 / 3 < health.leaks(plain, shown, plain + torch.tensor([2.0, 0.0]))[1].item() < 1 / 2
    change, share = health.leaks(plain, plain.flip(0), shown)  # nothing is augmented
    assert change == 0
    assert share is None
