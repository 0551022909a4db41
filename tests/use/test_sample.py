"""`gantrain sample --save-latents`: the latents of the pictures."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file

from gantrain.latents import latent_family
from gantrain.models.latent import LatentGAN
from gantrain.pictures import grid, to_pil
from gantrain.use import sample


def test_saved_latents_are_those_of_the_pictures(gantrain):
    assert gantrain("debug=tiny", "callbacks.samples.count=4", "hydra.run.dir=run").code == 0
    result = gantrain("sample", "run", "-n", 5, "--seed", 3, "--out", "a.png", "--save-latents", "new/z.safetensors")
    assert result.code == 0, result
    z = load_file("new/z.safetensors")["z"]
    assert z.shape == (5, 64)
    module, data = latent_family("run")
    assert torch.equal(z, module.latents(5, torch.Generator().manual_seed(3)))
    to_pil(grid(data.pictures(module.generate(z)))).save("b.png")
    assert Image.open("a.png").tobytes() == Image.open("b.png").tobytes()


def test_where_latents_cannot_be_written(gantrain):
    assert gantrain("debug=tiny", "callbacks.samples.count=4", "hydra.run.dir=run").code == 0
    Path("file").write_text("")
    result = gantrain("sample", "run", "--save-latents", "file/z.safetensors")
    assert result.code == 2
    assert "cannot write file/z.safetensors" in result.err
    assert not Path("run/samples.png").exists()


def test_a_folder_of_many_is_written_part_by_part(gantrain, monkeypatch):
    assert gantrain("debug=tiny", "callbacks.samples.count=4", "hydra.run.dir=run").code == 0
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
