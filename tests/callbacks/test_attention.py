"""Pictures of where attention looks."""

from compare import differences, newest
from PIL import Image

from gantrain.run.folder import ATTENTION_FILE

SAGAN = ("experiment=sagan_sprites", "debug=tiny", "logger=none", "callbacks.networks=null", "callbacks.samples=null")


def test_maps_are_drawn_and_the_report_shows_them(gantrain, tmp_path):
    assert gantrain(*SAGAN, "hydra.run.dir=run", "callbacks.attention.count=2").code == 0
    with Image.open(tmp_path / "run" / "samples" / ATTENTION_FILE) as sheet:
        assert sheet.mode == "RGB"
        assert sheet.width == 4 * 96 + 5 * 2  # the sample and three places
    assert gantrain("report", "run").code == 0
    assert "<h2>Self-attention</h2>" in (tmp_path / "run" / "report.html").read_text()


def test_looking_changes_nothing(gantrain):
    assert gantrain(*SAGAN, "hydra.run.dir=seen", "callbacks.attention.every=1").code == 0
    assert gantrain(*SAGAN, "hydra.run.dir=unseen", "~callbacks.attention").code == 0
    assert differences(newest("seen", "train"), newest("unseen", "train")) == []


def test_networks_without_attention_are_refused_before_anything_is_written(gantrain, tmp_path):
    refused = gantrain(
        "debug=tiny", "+callbacks.attention._target_=gantrain.callbacks.attention.AttentionMaps", "hydra.run.dir=run"
    )
    assert refused.code == 2
    assert "callbacks.attention: no network here has self-attention" in refused.err
    assert not (tmp_path / "run").exists()
