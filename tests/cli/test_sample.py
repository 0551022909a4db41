"""`gantrain sample --save-latents`: the latents of the pictures."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from refusals import refused
from safetensors.torch import load_file

from gantrain.cli.work import sample
from gantrain.drawing.pictures import grid, to_pil
from gantrain.inference.latents import latent_family
from gantrain.models.latent import LatentGAN

TINY = ("debug=tiny", "callbacks.samples.count=4")


def test_saved_latents_are_those_of_the_pictures(gantrain, run):
    result = gantrain("sample", "run", "-n", 5, "--seed", 3, "--out", "a.png", "--save-latents", "new/z.safetensors")
    assert result.code == 0, result
    z = load_file("new/z.safetensors")["z"]
    assert z.shape == (5, 64)
    module, data = latent_family("run")
    assert torch.equal(z, module.latents(5, torch.Generator().manual_seed(3)))
    to_pil(grid(data.pictures(module.generate(z)), module.classes)).save("b.png")
    assert Image.open("a.png").tobytes() == Image.open("b.png").tobytes()


@pytest.mark.parametrize("words", [(), ("--truncation", 0.7), ("--seed", 5, "--raw")])
def test_a_picture_of_a_seed_is_one_whatever_their_number_is(gantrain, run, words):
    for n in (3, 21):
        assert gantrain("sample", "run", "-n", n, *words, "--out", f"of{n}").code == 0
    for i in range(3):
        few, many = (np.asarray(Image.open(file)).astype(int) for file in (f"of3/{i}.png", f"of21/{i:02d}.png"))
        assert abs(few - many).max() <= 1  # a batch of another size rounds otherwise


def test_where_latents_cannot_be_written(gantrain, run):
    Path("file").write_text("")
    result = gantrain("sample", "run", "--save-latents", "file/z.safetensors")
    assert result.code == 2
    assert "cannot write file/z.safetensors" in result.err
    assert not Path("run/samples.png").exists()


def test_refusals_before_anything_is_drawn(gantrain, run):
    for words, says in (
        (("-n", 10**8, "--out", "big.png"), "a grid of 100,000,000 is too large"),
        (("-n", 10**8, "--out", "big"), "at most 1,000,000"),
        (("--seed", 10**22), f"a whole number from 0 to {2**63 - 1}"),
        (("--seed", -1), "--seed is '-1'"),
        (("--seed", "x"), "--seed is 'x'"),
        (("--out", "g.jpg"), "'g.jpg' must end in .png for a grid"),
    ):
        result = gantrain("sample", "run", *words)
        assert result.code == 2, result
        assert says in result.err
        assert len(result.err.splitlines()) == 1
    assert sorted(path.name for path in Path().iterdir()) == ["run"]
    assert gantrain("sample", "run", "-n", 1, "--seed", 2**63 - 1, "--out", "g.v2").code == 0
    assert Path("g.v2/0.png").is_file()


def test_single_numbers_of_latents_are_shifted(gantrain, run):
    words = ("sample", "run", "-n", 3, "--out", "g.png", "--save-latents")
    assert gantrain(*words, "a.safetensors").code == 0
    assert gantrain(*words, "b.safetensors", "--shift", "2:1.5,0:-2").code == 0
    a, b = (load_file(f"{name}.safetensors")["z"] for name in "ab")
    wanted = a.clone()
    wanted[:, 2] += 1.5
    wanted[:, 0] -= 2
    assert torch.equal(b, wanted)
    refused(gantrain(*words, "a.txt"), "--save-latents is a.txt", "name it a.safetensors")
    for word in ("2", "2:x", "-1:2", "2:nan", "2:1e9"):
        refused(gantrain("sample", "run", f"--shift={word}"), f"--shift is '{word}'")
    refused(gantrain("sample", "run", "--shift", "64:1"), "numbers 0 to 63, not 64")


def test_a_folder_never_holds_samples_of_two_commands(gantrain, run):
    assert gantrain("sample", "run", "-n", 12, "--out", "of.two").code == 0
    held = {file.name: file.read_bytes() for file in Path("of.two").iterdir()}
    refused(gantrain("sample", "run", "-n", 2, "--seed", 1, "--out", "of.two"), "of.two holds files", "--force")
    assert {file.name: file.read_bytes() for file in Path("of.two").iterdir()} == held
    Path("of.two/notes.txt").write_text("mine")
    Path("of.two/mine.png").write_text("mine")
    assert gantrain("sample", "run", "-n", 2, "--seed", 1, "--out", "of.two", "--force").code == 0
    assert {file.name for file in Path("of.two").iterdir()} == {"0.png", "1.png", "mine.png", "notes.txt"}
    Path("other").mkdir()
    Path("other/a.jpg").write_text("another's")
    refused(gantrain("sample", "run", "-n", 2, "--out", "other"), "other holds files")
    Path("empty").mkdir()
    assert gantrain("sample", "run", "-n", 2, "--out", "empty").code == 0


def test_a_folder_of_many_is_written_part_by_part(gantrain, run, monkeypatch):
    assert gantrain("sample", "run", "-n", 5, "--out", "whole").code == 0
    held, generate = [], LatentGAN.generate
    monkeypatch.setattr(sample, "CHUNK", 2)
    monkeypatch.setattr(
        LatentGAN, "generate", lambda self, z, **options: held.append(len(z)) or generate(self, z, **options)
    )
    assert gantrain("sample", "run", "-n", 5, "--out", "parts").code == 0
    assert held == [2, 2, 1]
    for i in range(5):
        a, b = (np.asarray(Image.open(Path(folder, f"{i}.png"))).astype(int) for folder in ("whole", "parts"))
        assert abs(a - b).max() <= 1


def test_volumes_as_arrays_and_meshes(gantrain):
    words = ("experiment=gan3d_furniture", "debug=tiny", "data.size=8", "callbacks.samples.count=2", "logger=none")
    assert gantrain(*words, "hydra.run.dir=run").code == 0
    for kind in ("npy", "mat", "obj", "stl", "ply"):
        result = gantrain("sample", "run", "-n", 2, "--format", kind, "--out", f"files/v1.0.{kind}s")
        assert result.code == 0, result
        assert sorted(file.name for file in Path(f"files/v1.0.{kind}s").iterdir()) == [f"0.{kind}", f"1.{kind}"]
    assert gantrain("sample", "run", "-n", 2, "--format", "npy").code == 0
    assert len(list(Path("run/samples_npy").glob("*.npy"))) == 2
    refused = gantrain("sample", "run", "--format", "xyz")
    assert (refused.code, "can be png, npy, mat, obj, stl, ply" in refused.err) == (2, True)
    refused = gantrain("sample", "run", "--format", "stl", "--out", "a.png")
    assert (refused.code, "needs a folder" in refused.err) == (2, True)


def test_pictures_have_no_mesh(gantrain, run):
    refused = gantrain("sample", "run", "--format", "stl")
    assert (refused.code, "--format is 'stl'; samples of this run can be png" in refused.err) == (2, True)


def test_empty_volumes_have_no_mesh(gantrain, monkeypatch):
    import torch

    from gantrain.models.latent import LatentGAN

    words = ("experiment=gan3d_furniture", "debug=tiny", "data.size=8", "callbacks.samples.count=2", "logger=none")
    assert gantrain(*words, "hydra.run.dir=run").code == 0
    volumes = torch.zeros(3, 1, 8, 8, 8)
    monkeypatch.setattr(LatentGAN, "generate", lambda self, z, **options: volumes)
    refused = gantrain("sample", "run", "-n", 3, "--format", "stl", "--out", "files")
    assert (refused.code, "all samples are empty volumes" in refused.err) == (2, True)
    volumes[1, :, 2:6, 2:6, 2:6] = 1
    result = gantrain("sample", "run", "-n", 3, "--format", "stl", "--out", "files")
    assert (result.code, "empty volumes: 0, 2" in result.err) == (0, True)
    assert [file.name for file in Path("files").iterdir()] == ["1.stl"]


def test_a_grid_in_which_one_code_varies(gantrain):
    words = ("experiment=infogan_mnist", "debug=tiny", "callbacks.samples.count=2", "callbacks.networks=null")
    assert gantrain(*words, "hydra.run.dir=run").code == 0
    for code, columns in ((0, 10), (2, 10)):
        result = gantrain("sample", "run", "-n", 3, "--vary", code, "--out", "a.png", "--save-latents", "z.safetensors")
        assert result.code == 0, result
        assert Image.open("a.png").size == (columns * 58 + 2, 3 * 58 + 2)
        z = load_file("z.safetensors")["z"]
        assert z.shape == (30, 74)
    assert torch.equal(z[:10, 73], torch.linspace(-2, 2, 10))
    assert torch.equal(z[:10, :73], z[:1, :73].expand(10, -1))
    refused = gantrain("sample", "run", "--vary", 3)
    assert (refused.code, "--vary is 3, this run has the codes 0 (of 10 values) to 2" in refused.err) == (2, True)
    assert gantrain("debug=tiny", "callbacks.samples.count=4", "logger=none", "hydra.run.dir=plain").code == 0
    refused = gantrain("sample", "plain", "--vary", 0)
    assert (refused.code, "--vary: the latents of this run hold no codes" in refused.err) == (2, True)


def test_a_row_in_which_a_code_varies_is_of_one_class(gantrain, monkeypatch):
    codes = "+losses.auxiliary={_target_: gantrain.losses.auxiliary.Codes, categorical: 10, continuous: 2}"
    words = ("debug=tiny", codes, "networks.discriminator.auxiliary=12", "callbacks.samples.count=2", "logger=none")
    assert gantrain(*words, "hydra.run.dir=run").code == 0
    given = []
    from gantrain.models.latent import LatentGAN

    monkeypatch.setattr(
        LatentGAN, "generate", lambda self, z, cond, raw: given.extend(cond.tolist()) or torch.zeros(len(z), 1, 16, 16)
    )
    assert gantrain("sample", "run", "-n", 3, "--vary", 0).code == 0
    assert given == [row for row in range(3) for _ in range(10)]


def test_a_grid_of_a_conditional_run_has_a_column_per_class(gantrain):
    words = ("experiment=cgan_mnist", "debug=tiny", "callbacks.samples.count=2", "callbacks.networks=null")
    assert gantrain(*words, "hydra.run.dir=run").code == 0
    for options, size in (((), (10 * 58 + 2, 2 * 58 + 2)), (("--class", 3), (3 * 58 + 2, 4 * 58 + 2))):
        assert gantrain("sample", "run", "-n", 12, "--out", "a.png", *options).code == 0
        assert Image.open("a.png").size == size


def test_sample(gantrain):
    assert gantrain(*TINY, "models.ema.ramp_up=null", "hydra.run.dir=run").code == 0
    run = Path("run")
    assert gantrain("sample", "run").out.strip() == str(run / "samples.png")
    assert Image.open(run / "samples.png").size == (10 * 50 + 2, 6 * 50 + 2)  # whole rows
    for out, options in (("a.png", []), ("b.png", []), ("c.png", ["--seed", 1]), ("d.png", ["--raw"])):
        assert gantrain("sample", "run", "-n", 5, "--out", out, *options).code == 0
    a, b, c, d = (Path(f"{name}.png").read_bytes() for name in "abcd")
    assert a == b
    assert a != c
    assert a != d
    assert gantrain("sample", "run", "-n", 12, "--out", "folder/of/pictures").code == 0
    assert sorted(p.name for p in Path("folder/of/pictures").iterdir())[-1] == "11.png"
    assert Image.open("folder/of/pictures/00.png").size == (16, 16)
    refused(gantrain("sample", "run", "-n", 0), "-n is 0")


def test_texts_have_a_row_each(gantrain, told):
    texts = ("--text", "a small red square", "--text", "blue", "-n", 3)
    for out, options in (("a.png", ()), ("b.png", ()), ("c.png", ("--seed", 1)), ("d.png", ("--raw",))):
        assert gantrain("sample", told, *texts, *options, "--out", out).code == 0
    a, b, c, d = (Path(f"{name}.png").read_bytes() for name in "abcd")
    assert a == b
    assert c != a
    assert d != a
    assert gantrain("sample", told, *texts, "--out", "each").code == 0
    assert sorted(file.name for file in Path("each").iterdir()) == [f"{i}.png" for i in range(6)]
    assert gantrain("sample", told, "--text", "blue", "-n", 2, "--out", "blue").code == 0
    assert Path("blue/1.png").read_bytes() == Path("each/4.png").read_bytes()  # one seed, whatever is asked beside it


def test_a_run_of_texts_reads_them_wherever_it_lies(gantrain, told):
    assert gantrain("sample", told, "--text", "a red cross", "-n", 2, "--out", "a.png").code == 0
    shutil.move(told, "elsewhere")
    Path("t.txt").write_text("a red cross\n", encoding="utf-8")
    assert gantrain("sample", "elsewhere", "--text-file", "t.txt", "-n", 2, "--out", "b.png").code == 0
    assert Path("a.png").read_bytes() == Path("b.png").read_bytes()


@pytest.fixture
def run_of_digits(_trained):
    """It is only looked at."""
    return _trained


def test_texts_belong_to_runs_of_texts(gantrain, told, run_of_digits):
    refused(gantrain("sample", told), "give --text 'TEXT'")
    refused(gantrain("sample", told, "--text", "a", "--class", 1), "--class")
    refused(gantrain("sample", told, "--text", "a", "--vary", 0), "--vary")
    refused(gantrain("sample", run_of_digits, "--text", "a"), "--text: this run's samples are not made of texts")
    refused(gantrain("arithmetic", told, "--plus", "z"), "makes pictures of texts")
