"""Clusters of the samples, of about one size."""

import pytest
import torch
from compare import differences
from toys import data_of

from gantrain.models.clusters import Clusters


def crowds():
    """900 points in the plane, in three crowds of 700, 150 and 50."""
    generator = torch.Generator().manual_seed(0)
    middles = torch.tensor([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]]).repeat_interleave(torch.tensor([700, 150, 50]), 0)
    return middles + torch.randn(900, 2, generator=generator)


def fitted(samples, count, seed=0, **options):
    clusters = Clusters(count)
    clusters.fit(data_of(samples, **options), seed)
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


def test_a_bfloat16_run_sorts_samples_as_they_were_sorted_when_the_clusters_were_found():
    points = torch.rand(900, 2, generator=torch.Generator().manual_seed(0))
    found = fitted(points, 9)
    with torch.autocast("cpu", torch.bfloat16):
        numbers = found.of(points)
    assert torch.equal(numbers, found.of(points))
