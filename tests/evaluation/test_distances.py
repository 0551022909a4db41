import pytest
import torch

from gantrain.errors import UserError
from gantrain.evaluation.distances import Distances

CPU = torch.device("cpu")


def pictures(shade, count=12):
    generator = torch.Generator().manual_seed(shade)
    return (shade + torch.randint(0, 40, (count, 3, 16, 16), generator=generator)).to(torch.uint8)


def test_nearer_sets_score_better_and_a_set_is_no_distance_from_itself():
    distances, real = Distances("random"), pictures(100)
    found = distances.measure(real, {"": real, "_near": pictures(105), "_far": pictures(180)}, 0, CPU)
    assert list(found) == distances.names(12, "", "_near", "_far")
    assert found["fd12_random"].value == pytest.approx(0, abs=1e-9)
    for score in ("fd", "kid"):
        assert found[f"{score}_near12_random"].value < found[f"{score}_far12_random"].value
    assert found["fd_far12_random"].error > 0


def test_one_seed_one_number():
    sets = {"": pictures(120)}
    first, second, other = (Distances("random").measure(pictures(100), sets, seed, CPU) for seed in (0, 0, 1))
    assert first == second
    assert first["kid12_random"] != other["kid12_random"]  # other blocks


def test_a_classifier_of_classes_is_refused():
    with pytest.raises(UserError, match=r"backbone=dataset knows classes"):
        Distances("dataset")
