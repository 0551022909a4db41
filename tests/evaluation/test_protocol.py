import pytest
from toys import game

from gantrain.evaluation.protocol import Protocol, ema_or_raw, short, tagged, unlike, untagged
from gantrain.models.loop.ema import EMA

ONE = Protocol(
    "tf", "abc", "tf1", 2048, "data", "train", 50_000, 10_000, "uint8", "ema", None, 0, "3 and 5 among 10000"
)


def test_tags_are_short():
    assert tagged("fid", ONE.samples, ONE.backbone) == "fid10k_tf"
    assert [short(n) for n in (1, 500, 1000, 1797, 50_000)] == ["1", "500", "1k", "1797", "50k"]


@pytest.mark.parametrize("name", ["fid10k_tf", "fid1797_resnet50", "fid1k_my_net_2"])
def test_tags_come_off(name):
    assert untagged(name) == "fid"


def test_names_without_a_tag_stay():
    assert untagged("psnr_y") == "psnr_y"


def test_what_keeps_numbers_apart():
    plain = ONE.plain()
    for key, other in (("resize", "clean"), ("samples", 500), ("split", "test"), ("weights", "x"), ("data", "y")):
        assert unlike(plain, {**plain, key: other}) == [key]
    assert unlike(plain, {**plain, "networks": "raw", "seed": 5, "truncation": 0.7}) == []
    assert unlike({"border": 4}, {"metric": "psnr"}) == ["border", "metric"]


def test_a_network_is_averaged_where_it_has_an_average_itself():
    ema = EMA(["discriminator"], 10)
    module = game(ema=ema)
    ema.start(module.networks)
    assert ema_or_raw(module, "discriminator", False) == "ema"
    assert ema_or_raw(module, "discriminator", True) == ema_or_raw(module, "generator", False) == "raw"
