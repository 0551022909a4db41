"""`gantrain nearest`: the copy of a photo comes first, the sheet, what is refused."""

import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from idx import make_mnist
from pictures_on_disk import make_pictures, write_picture
from PIL import Image

from gantrain.cli.work.nearest import judge_of
from gantrain.errors import UserError
from gantrain.networks import patchgan


def names(line):
    return re.findall(r"'([^']*)'", line)


def test_a_copy_is_nearest_by_both_and_the_photo_itself_is_left_out(gantrain, run, tmp_path):
    make_pictures(tmp_path / "in", 5, size=(20, 16))
    shutil.copy("in/003.png", "in/zz.png")
    done = gantrain("nearest", run, "in/003.png", "in", "-n", 3)
    assert done.code == 0, done
    seen, pixels, out = done.out.splitlines()
    assert seen.startswith("by what the discriminator sees: 'zz.png' 0.00, ")
    assert pixels.startswith("by pixels: 'zz.png' 0.00, ")
    assert len(names(seen)) == len(names(pixels)) == 3
    assert "003.png" not in seen + pixels
    sheet = Image.open(out)
    assert (out, sheet.mode) == (f"{run}/nearest.png", "RGB")
    assert sheet.width > 3 * 96
    assert sheet.height > 3 * 96


def test_data_of_the_runs_own_kind(gantrain, tmp_path):
    make_mnist(tmp_path / "mnist", 32)
    narrow = ("networks.generator.width=4", "networks.discriminator.width=4", "data.batch_size=8")
    words = ("experiment=dcgan_mnist", "data.root=mnist", "iterations=1", "logger=none", *narrow)
    assert gantrain(*words, "callbacks.samples=null", "callbacks.networks=null", "hydra.run.dir=digits").code == 0
    photo = write_picture(tmp_path / "a.png", 1, (28, 28), "L")
    done = gantrain("nearest", "digits", photo, "mnist", "--out", "sheet.png")
    assert done.code == 0, done
    assert len(names(done.out.splitlines()[0])) == 8


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("a.png", "in", "-n", 0), "-n is 0, it must be from 1 to 100"),
        (("a.png", "in", "--out", "sheet.jpg"), "must end in .png"),
        (("gone.png", "in"), "gone.png: cannot be used as a photo"),
        (("a.png", "gone"), "FOLDER: gone is not there"),
        (("in/000.png", "in"), "holds no picture but in/000.png"),
    ],
)
def test_mistakes_get_one_sentence(gantrain, run, tmp_path, words, sentence):
    write_picture(tmp_path / "a.png")
    make_pictures(tmp_path / "in", 1)
    refused = gantrain("nearest", run, *words)
    assert (refused.code, len(refused.err.splitlines())) == (2, 1), refused
    assert sentence in refused.err


def test_of_a_run_with_classes_all_pictures_are_judged_as_of_one(gantrain, styled, tmp_path):
    make_pictures(tmp_path / "in", 5, size=(20, 16))
    shutil.copy("in/003.png", "in/zz.png")
    done = gantrain("nearest", styled, "in/003.png", "in")
    assert done.code == 0, done
    assert names(done.out.splitlines()[0])[0] == "zz.png"


def test_what_judges_pairs_is_refused():
    network = patchgan.Discriminator(width=4, channels=2)
    module = SimpleNamespace(verbs=("features",), classes=None, conditional=True)
    pairs = SimpleNamespace(
        module=module,
        data=SimpleNamespace(formats=("png",)),
        names=["discriminator"],
        network=lambda name, raw: network,
    )
    with pytest.raises(UserError, match="judges pictures by a condition"):
        judge_of(pairs, Path("run"), raw=False)


def test_a_run_between_two_folders_is_refused(gantrain, scheduled, tmp_path):
    photo = write_picture(tmp_path / "a.png")
    assert "no one discriminator" in gantrain("nearest", "run", photo, tmp_path).err
