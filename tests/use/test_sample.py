"""`gantrain sample --save-latents`: the latents of the pictures."""

from pathlib import Path

import torch
from PIL import Image
from safetensors.torch import load_file

from gantrain.latents import latent_family
from gantrain.pictures import grid, to_pil


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
