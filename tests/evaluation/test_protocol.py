import pytest
from toys import game

from gantrain.evaluation.protocol import ema_or_raw, names_score, tagged, unlike
from gantrain.models.loop.ema import EMA

ONE = {"backbone": "tf", "weights": "abc", "resize": "tf1", "data": "data", "split": "train", "samples": 10_000}


def test_tags_are_short():
    assert tagged("fid", 10_000, "tf") == "fid10k_tf"
    counts = [tagged("", n, "") for n in (1, 500, 1000, 1797, 50_000)]
    assert counts == ["1_", "500_", "1k_", "1797_", "50k_"]


@pytest.mark.parametrize("name", ["fid10k_tf", "fid1797_resnet50", "fid1k_my_net_2"])
def test_a_score_is_named_with_its_tag_or_without(name):
    assert names_score("fid", name)
    assert names_score(name, name)
    assert not names_score("fid10k", name)


def test_names_without_a_tag_stay():
    assert names_score("psnr_y", "psnr_y")
    assert not names_score("psnr", "psnr_y")


def test_what_keeps_numbers_apart():
    for key, other in (("resize", "clean"), ("samples", 500), ("split", "test"), ("weights", "x"), ("data", "y")):
        assert unlike(ONE, {**ONE, key: other}) == [key]
    assert unlike(ONE, {**ONE, "networks": "raw", "seed": 5, "truncation": 0.7}) == []
    assert unlike({"border": 4}, {"metric": "psnr"}) == ["border", "metric"]


def test_a_network_is_averaged_where_it_has_an_average_itself():
    ema = EMA(["discriminator"], 10)
    module = game(ema=ema)
    ema.start(module.networks)
    assert ema_or_raw(module, "discriminator", False) == "ema"
    assert ema_or_raw(module, "discriminator", True) == ema_or_raw(module, "generator", False) == "raw"
