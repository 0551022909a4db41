"""The endless order of samples."""

import itertools

import numpy as np

from gantrain.data.stream import Batches, IndexStream, balanced, coin


def take(batches, n):
    return list(itertools.islice(iter(batches), n))


def test_each_epoch_visits_every_sample_once():
    order = IndexStream(10, seed=3)
    for epoch in range(4):
        assert sorted(order(np.arange(10 * epoch, 10 * epoch + 10))) == list(range(10))


def test_epochs_differ_and_seeds_differ():
    order = IndexStream(100, seed=3)
    assert list(order(np.arange(100))) != list(order(np.arange(100, 200)))
    assert list(order(np.arange(100))) != list(IndexStream(100, seed=4)(np.arange(100)))


def test_a_batch_may_straddle_epochs_and_nothing_is_dropped():
    order = IndexStream(10, seed=0)
    seen = np.concatenate([order(b) for b in take(Batches(4, 0), 5)])
    assert sorted(seen[:10]) == list(range(10))
    assert sorted(seen[10:]) == list(range(10))


def test_it_is_stateless():
    a, b = IndexStream(10, seed=0), IndexStream(10, seed=0)
    b(np.arange(500))
    assert list(a(np.arange(35, 45))) == list(b(np.arange(35, 45)))
    assert take(Batches(4, 0), 5)[3].tolist() == take(Batches(4, 12), 1)[0].tolist()


def test_two_processes_see_what_one_with_the_double_batch_sees():
    one = take(Batches(8, 16), 3)
    left, right = take(Batches(4, 16, rank=0, world=2), 3), take(Batches(4, 16, rank=1, world=2), 3)
    for whole, a, b in zip(one, left, right, strict=True):
        assert whole.tolist() == [*a, *b]


def test_the_coin_is_fair_per_position_and_stateless():
    positions = np.arange(100_000)
    tosses = coin(positions, seed=5)
    assert abs(tosses.mean() - 0.5) < 0.01
    assert abs((tosses[1:] == tosses[:-1]).mean() - 0.5) < 0.01
    assert (coin(positions[500:600], seed=5) == tosses[500:600]).all()
    assert (coin(positions, seed=6) != tosses).any()


def test_shares_of_classes_by_hand():
    labels = np.array([0, 0, 0, 0, 0, 0, 0, 0, 0, 1])
    assert balanced(labels, 0).tolist() == [0.1] * 10
    whole = balanced(labels, 1)
    assert np.allclose(whole, [1 / 18] * 9 + [1 / 2])
    assert np.allclose(balanced(labels, 0.5), [1 / 12] * 9 + [1 / 4])  # 9 and 1 under the root are 3 and 1


def test_samples_come_as_often_as_their_shares_in_every_epoch():
    shares = np.array([0.5, 0.25, 0.15, 0.1, 0.0])
    order = IndexStream(10, seed=3, shares=shares / shares.sum())
    counts = np.array([np.bincount(order(np.arange(10 * e, 10 * e + 10)), minlength=5) for e in range(400)])
    assert np.abs(counts - 10 * shares).max() < 1  # rounded up or down, no more
    assert np.abs(counts.mean(0) - 10 * shares).max() < 0.1
    assert list(order(np.arange(10))) != list(order(np.arange(10, 20)))
    again = IndexStream(10, seed=3, shares=shares)
    assert list(again(np.arange(35, 45))) == list(order(np.arange(35, 45)))
