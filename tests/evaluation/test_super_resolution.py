import math
import os

import pytest
import torch
from pictures_on_disk import write_picture
from toys import game, player

from gantrain.data.folder import ImageFolder
from gantrain.data.low_high import LowHigh
from gantrain.data.photos import PhotoCrops
from gantrain.data.synthetic import Synthetic
from gantrain.drawing import progress
from gantrain.errors import UserError
from gantrain.evaluation.super_resolution import SuperResolutionScores, centred, luma, whole_multiple
from gantrain.losses.reconstruction import PixelL1
from gantrain.models.paired import PairedGAN
from gantrain.networks.srgan import Generator


def module(channels=3, **options):
    torch.manual_seed(0)
    options = {"norm": "none", "skip": True, **options}
    networks = {"generator": Generator(4, channels, 4, 1, **options)}
    return PairedGAN(networks=networks, players={"generator": player("generator")}, content=PixelL1())


@pytest.fixture
def photos(tmp_path):
    for i in range(4):
        write_picture(tmp_path / f"{i}.png", i, (37, 45))
    return tmp_path


def data(root, **options):
    options = {
        "dataset": ImageFolder(),
        "size": 32,
        "scale": 4,
        "channels": 3,
        "batch_size": 2,
        "holdout": 2,
        **options,
    }
    return PhotoCrops(root=str(root), **options).open()


@pytest.fixture
def scores(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    return SuperResolutionScores()


def test_the_bicubic_enlargement_scores_as_bicubic(scores, photos):
    result = scores.measure(module(), data(photos))
    assert (
        list(result.scores)
        == scores.names(module(), data(photos))
        == [
            f"{name}{of}"
            for name in ("psnr_y", "ssim_y", "psnr_rgb", "ssim_rgb", "checker", "content")
            for of in ("", "_bicubic")
        ]
    )
    for name in ("psnr_y", "ssim_y", "psnr_rgb", "ssim_rgb", "checker", "content"):
        assert result.scores[name].value == pytest.approx(result.scores[f"{name}_bicubic"].value, rel=1e-4)
        assert result.scores[name].better == ("lower" if name in ("checker", "content") else "higher")
    assert [row["picture"] for row in result.tables["pictures"]] == [
        name for name, _ in data(photos).held_out().wholes()
    ]
    assert result.protocol["border"] == 4
    assert result.protocol["pictures"] == 2


def test_psnr_and_luma_by_hand(scores, photos):
    measures = scores.measures(module(), data(photos))
    truth = torch.full((1, 3, 20, 20), 100, dtype=torch.uint8)
    made = truth.clone()
    made[:, :, :4] = 0  # the border does not count
    assert measures["psnr_rgb"](made, truth) == math.inf
    made[:, 0, 4:16] += 10
    assert measures["psnr_rgb"](made, truth) == pytest.approx(10 * math.log10(255**2 / (100 / 3)), abs=1e-4)
    assert measures["psnr_y"](made, truth) == pytest.approx(20 * math.log10(255 / (10 * 65.481 / 255)), abs=1e-3)
    assert luma(torch.tensor([255, 255, 255], dtype=torch.uint8).view(1, 3, 1, 1)).item() == pytest.approx(235)
    assert luma(torch.tensor([0], dtype=torch.uint8).view(1, 1, 1, 1)).item() == 16


def test_ssim_is_scikit_images(scores, photos):
    from skimage.metrics import structural_similarity

    generator = torch.Generator().manual_seed(0)
    truth, made = (torch.randint(0, 256, (1, 3, 40, 40), dtype=torch.uint8, generator=generator) for _ in range(2))
    made = ((made.int() + 3 * truth.int()) // 4).byte()
    theirs = structural_similarity(
        *(p[0, :, 4:-4, 4:-4].permute(1, 2, 0).numpy() for p in (made, truth)),
        channel_axis=2,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=255,
    )
    assert scores.measures(module(), data(photos))["ssim_rgb"](made, truth) == pytest.approx(theirs, abs=2e-3)


def test_the_scores_are_means_over_whole_held_out_pictures(scores, photos):
    result = scores.measure(module(skip=False), data(photos))
    for name, score in result.scores.items():
        a, b = (row[name] for row in result.tables["pictures"])
        assert score.value == pytest.approx((a + b) / 2)
        assert score.error == pytest.approx(abs(a - b) / 2)
    assert SuperResolutionScores(pictures=1).measure(module(), data(photos)).protocol["pictures"] == 1


def test_the_held_out_photos_are_opened_once_and_known_by_what_they_show(scores, photos):
    found = data(photos)
    opened, opening = [], found.dataset.open
    found.dataset.open = lambda root: opened.append(1) or opening(root)
    scores.check(module(), found)
    result = scores.measure(module(), found)
    scores.measure(module(), found)
    assert len(opened) == 1
    elsewhere = photos / "copies"
    elsewhere.mkdir()
    for i in range(4):
        write_picture(elsewhere / f"{i}.png", i, (37, 45))
        os.utime(elsewhere / f"{i}.png", (0, 0))
    assert SuperResolutionScores().measure(module(), data(elsewhere)).protocol == result.protocol


def test_tiles_change_nothing(photos):
    torch.manual_seed(1)
    network, found = module(skip=False), data(photos)
    whole, tiled = (SuperResolutionScores(tile=tile).measure(network, found).scores for tile in (256, 3))
    for name in whole:
        assert tiled[name].value == pytest.approx(whole[name].value, rel=1e-3)


def test_squares_and_grey_pictures_are_measured_too(scores):
    found = LowHigh(dataset=Synthetic(9), size=32, scale=4, channels=1, batch_size=2, holdout=3).open()
    result = scores.measure(module(channels=1), found)
    assert result.scores["psnr_y"].value > 15
    assert "psnr_rgb" not in result.scores


def test_pictures_are_cut_to_whole_pixels_of_the_low_one():
    assert whole_multiple(torch.zeros(3, 43, 40), 8).shape == (3, 40, 40)
    assert centred(torch.zeros(1, 3, 43, 20), 30).shape == (1, 3, 20, 20)
    assert centred(torch.arange(5).view(1, 1, 1, 5), 3).flatten().tolist() == [2]


def test_what_cannot_be_measured_is_refused(scores, photos):
    with pytest.raises(UserError, match="evaluation: super_resolution measures runs that enlarge pictures"):
        scores.check(game(), data(photos))
    with pytest.raises(UserError, match=r"data\.size=16 are too small"):
        scores.check(module(), data(photos, size=16))
    with pytest.raises(UserError, match=r"data\.holdout"):
        scores.check(module(), data(photos, holdout=0))
    for options in ({"pictures": 0}, {"pictures": 1.5}, {"tile": 0}, {"tile": 2.5}):
        with pytest.raises(ValueError, match=next(iter(options))):
            SuperResolutionScores(**options)


def test_it_is_measured_in_training_and_by_evaluate(gantrain, tmp_path):
    for i in range(5):
        write_picture(tmp_path / "photos" / f"{i}.png", i, (48, 40))
    words = ("experiment=srresnet_photos", "data.root=photos", "data.size=32", "data.batch_size=2", "iterations=2")
    narrow = ("networks.generator.width=4", "networks.generator.blocks=1", "callbacks.networks=null")
    trained = gantrain(*words, *narrow, "evaluation.every=1", "data.holdout=2", "hydra.run.dir=run")
    assert trained.code == 0, trained
    lines = (tmp_path / "run" / "scores.jsonl").read_text().splitlines()
    assert len(lines) == 2
    (tmp_path / "photos").rename(tmp_path / "moved")
    evaluated = gantrain("evaluate", "run", "data.root=moved")
    assert evaluated.code == 0, evaluated
    for word in ("psnr_y", "psnr_y_bicubic", "ssim_rgb", "content pixel mse", "y BT.601, 16 to 235"):
        assert word in evaluated.out


def test_progress_is_told(scores, photos, monkeypatch, capsys):
    monkeypatch.setattr(progress, "SECONDS", 0)
    scores.measure(module(), data(photos))
    assert "1 of 2 pictures, 0:00 left" in capsys.readouterr().err
