"""`gantrain age`: rows of ages, single files, refinement, and mistakes; and a run without a face recogniser."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from pictures_on_disk import write_picture
from PIL import Image
from wiki import write_archive

from gantrain.cli.main import main
from gantrain.cli.work.age import nearest_class, refine
from gantrain.inference.users_pictures import read_photo
from gantrain.losses.euclidean import Euclidean
from gantrain.training.assemble import build_data
from gantrain.training.loading import load_trained

QUIET = ("callbacks.samples.count=1", "callbacks.networks=null", "evaluation=none")
WORDS = ("experiment=agecgan_wiki", "debug=tiny", "data.size=16", *QUIET)


def refused(result, *words):
    assert result.code == 2, result
    *before, sentence = result.err.strip().splitlines()
    assert not [line for line in before if "left out" not in line], result.err
    for word in words:
        assert word in sentence


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained") / "run"
    assert main([*WORDS, f"hydra.run.dir={folder}"]) == 0
    return folder


@pytest.fixture
def run(trained):
    shutil.copytree(trained, "run")
    for i, name in enumerate(("a.png", "b.jpg")):
        write_picture(Path(name), i, (40, 30))


def test_rows_single_files_and_mistakes(gantrain, run):
    result = gantrain("age", "run", "a.png", "b.jpg", "--out", "out/there", "--single")
    assert result.code == 0, result
    assert result.out.strip() == "out/there/ages.png"
    names = ["0-18", "19-29", "30-39", "40-49", "50-59", "60+"]
    kinds = ["photo", "reconstruction", *names]
    files = {file.name for file in Path("out/there").iterdir()}
    assert files == {"ages.png", *(f"{photo}_{kind}.png" for photo in "ab" for kind in kinds)}
    with Image.open("out/there/ages.png") as sheet:
        assert sheet.height > 2 * 128
        assert sheet.width > 8 * 128
        pixels = np.asarray(sheet.convert("RGB"))
    with Image.open("out/there/a_60+.png") as last:
        assert last.size == (16, 16)
        shown = np.asarray(last.resize((128, 128), Image.Resampling.NEAREST))
    top = next(y for y in range(20, 80) if np.array_equal(pixels[y : y + 128, -140:-12], shown))
    assert top < 60  # the first row ends with the oldest age of the first photo

    one = gantrain("age", "run", "a.png", "--out", "one", "--to", 5, "--single", "--from", 2)
    assert one.code == 0, one
    assert {f.name for f in Path("one").iterdir()} == {"ages.png", *(f"a_{k}.png" for k in (*kinds[:2], "60+"))}
    assert Path("one/a_60+.png").read_bytes() == Path("out/there/a_60+.png").read_bytes()
    module = load_trained("run").module
    data = build_data(load_trained("run").stage)
    real = read_photo(Path("a.png"), data)[None].float() / 127.5 - 1
    again = data.pictures(module.generate(module.encode(real), torch.tensor([2])))[0].permute(1, 2, 0)
    assert np.array_equal(np.asarray(Image.open("one/a_reconstruction.png")), again.numpy())

    copies = gantrain("age", "run", "a.png", "./a.png", "--out", "copies", "--single", "--to", "0")
    assert copies.code == 0, copies
    assert Path("copies/a_0_0-18.png").is_file()
    assert Path("copies/a_1_0-18.png").is_file()

    Path("torn.jpg").write_bytes(Path("b.jpg").read_bytes()[:70])
    refused(gantrain("age", "run", "torn.jpg", "--out", "x"), "torn.jpg", "cannot be used as a photo")
    refused(gantrain("age", "run", "none.jpg", "--out", "x"), "none.jpg", "No such file")
    refused(gantrain("age", "run", "a.png", "--out", "x", "--to", "6"), "--to is '6'", "0 to 5")
    refused(gantrain("age", "run", "a.png", "--out", "x", "--from", "young"), "--from is 'young'")
    refused(gantrain("age", "nowhere", "a.png", "--out", "x"), "nowhere is no run")
    refused(gantrain("age", "run", "a.png", "--out", "b.jpg"), "--out: cannot write b.jpg")
    assert not Path("x").exists()


def test_the_nearest_class_and_the_nearest_latent(gantrain, run):
    module = load_trained("run").module
    z = module.latents(4, torch.Generator().manual_seed(0))
    conds = torch.tensor([5, 0, 3, 1])
    photos = module.in_all_classes(z)[torch.arange(4), conds] + 1e-4
    assert nearest_class(module, z, photos, raw=False).tolist() == conds.tolist()
    real = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    z, cond = module.encode(real), torch.tensor([2])

    def distance(z):
        return Euclidean()(module.face_of(module.generate(z, cond)), module.face_of(real)).item()

    weights = {key: value.clone() for key, value in module.networks.state_dict().items()}
    refined = refine(module, z, real, cond)
    assert distance(refined) < 0.8 * distance(z)
    assert all(torch.equal(weights[key], value) for key, value in module.networks.state_dict().items())
    result = gantrain("age", "run", "a.png", "b.jpg", "--out", "out", "--optimise", "--single")
    assert result.code == 0, result
    assert gantrain("age", "run", "a.png", "b.jpg", "--out", "plain", "--single").code == 0
    assert Path("out/b_60+.png").read_bytes() != Path("plain/b_60+.png").read_bytes()
    refused(gantrain("age", "run", "a.png", "--out", "out", "--optimise", "--face", "no.pt"), "there is no file no.pt")


def test_other_runs_have_no_faces(gantrain):
    assert gantrain("debug=tiny", *QUIET, "hydra.run.dir=digits").code == 0
    refused(gantrain("age", "digits", "a.png", "--out", "x"), "no trained encoder of faces")


def test_real_faces_with_a_recogniser_of_their_own(gantrain, tmp_path, monkeypatch):
    """The whole of it without debug=tiny, and every way a recogniser or a stage can be wrong."""
    write_archive(tmp_path / "faces", [1990, 1975, 1965, 1955, 1945, 1930, 1985, 1800])
    face = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(4), torch.nn.Flatten(), torch.nn.Linear(48, 8))
    torch.jit.script(face).save("face.pt")
    lengths = [f"stages.{stage}.iterations=1" for stage in ("gan", "encoder", "identity")]
    narrow = [f"networks.{name}.width=2" for name in ("encoder", "generator", "discriminator")]
    words = ("experiment=agecgan_wiki", "data.root=faces", "data.size=16", "data.batch_size=4", "data.holdout=2")
    words = (*words, *narrow, *lengths, *QUIET, "hydra.run.dir=run")
    refused(gantrain(*words), "networks.face.path=FILE", "networks.face.model=timm/inception_resnet_v2")
    refused(gantrain(*words, "networks.face.path=none.pt"), "there is no file none.pt")
    refused(gantrain(*words, "networks.face.path=face.pt", "stages.identiti.iterations=3"), "stages.identiti")
    Path("faces/wiki.mat").rename("faces/wiki.txt")
    refused(gantrain(*words, "networks.face.path=face.pt"), "there is no wiki.mat")
    Path("faces/wiki.txt").rename("faces/wiki.mat")
    assert not Path("run").exists()
    result = gantrain(*words, "networks.face.path=face.pt")
    assert result.code == 0, result
    assert "1 files or rows are left out: age over 100" in result.err
    module = load_trained("run").module
    assert [key for key in module.networks.state_dict() if key.startswith("face")] == ["face.checksum"]
    write_picture(Path("a.png"), 3, (20, 20))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")  # the run remembers where its recogniser is
    assert gantrain("age", "../run", "../a.png", "--out", "out", "--optimise").code == 0
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GANTRAIN_CACHE", str(tmp_path / "another machine"))
    longer = ("resume", "run", "stages.identity.iterations=2")
    refused(gantrain(*longer), "networks.face.path", "face.pt is TorchScript, which is code", "plugins=[")
    result = gantrain(*longer, "plugins=[face.pt]")
    assert result.code == 0, result
    Path("face.pt").rename("moved.pt")
    refused(gantrain("age", "run", "a.png", "--out", "out", "--optimise"), "there is no file", "face.pt")
    assert gantrain("age", "run", "a.png", "--out", "out", "--optimise", "--face", "moved.pt").code == 0
    torch.jit.script(torch.nn.Sequential(*face, torch.nn.Tanh())).save("face.pt")
    refused(gantrain("age", "run", "a.png", "--out", "out", "--optimise"), "not the file that the run was trained with")
