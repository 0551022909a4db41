"""Looking at training does not change it."""

from pathlib import Path

import pytest
from compare import differences, newest
from PIL import Image

from gantrain.drawing import video

WORDS = ("experiment=dcgan_mnist", "debug=tiny", "iterations=4", "callbacks.samples.count=4")


def test_sampling_never_changes_training(gantrain):
    assert gantrain(*WORDS, "callbacks.samples.every=1", "hydra.run.dir=often").code == 0
    assert gantrain(*WORDS, "callbacks.samples=null", "hydra.run.dir=never").code == 0
    assert differences(newest("often"), newest("never")) == []


def test_pictures_of_iterations_that_are_made_anew_go(gantrain, tmp_path):
    assert gantrain(*WORDS, "callbacks.samples.every=1", "hydra.run.dir=run").code == 0
    stale = tmp_path / "run/samples/00000099.png"
    stale.write_bytes((tmp_path / "run/samples/00000004.png").read_bytes())
    assert gantrain("resume", "run", "iterations=5").code == 0
    assert not stale.exists()
    assert (tmp_path / "run/samples/00000005.png").is_file()


@pytest.mark.whole
def test_volumes_turn_in_the_report(gantrain, tmp_path):
    words = ("experiment=gan3d_furniture", "debug=tiny", "data.size=8", "callbacks.samples.count=2", "evaluation=none")
    assert gantrain(*words, "hydra.run.dir=run").code == 0
    with Image.open(tmp_path / "run/samples/turning.gif") as animation:
        assert animation.n_frames == 12
        first = animation.convert("RGB").tobytes()
        animation.seek(3)
        assert animation.convert("RGB").tobytes() != first
    page = (tmp_path / "run/report.html").read_text()
    assert "the last samples turning" in page
    assert "Synthetic, 8x8x8, batches of 8" in page


@pytest.mark.whole
def test_a_finished_run_has_a_film_and_its_nearest_training_pictures(gantrain):
    assert gantrain("debug=tiny", "callbacks.samples.count=4", "hydra.run.dir=run").code == 0
    found = {file.name for file in Path("run/samples").iterdir()}
    assert found >= {"real.png", "nearest.png", *(["progress.mp4"] if video.installed() else [])}
    page = Path("run/report.html").read_text()
    for said in ("Real pictures, as training sees them", "Nearest training pictures", "What made it", "debug=tiny"):
        assert said in page
    assert "Where the time went: " in page
