"""Files of latents."""

import math
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import save_file

from gantrain.errors import UserError
from gantrain.inference.latents import latent_family, read_latents, save_latents
from gantrain.models.family import Family


def test_files_and_their_rows(tmp_path):
    z, file = torch.randn(6, 4), tmp_path / "a:b" / "z.safetensors"
    file.parent.mkdir()
    save_latents(z, file)
    assert torch.equal(read_latents(str(file), 4)[0], z)
    some, rows = read_latents(f"{file}:5,0,5", 4)
    assert torch.equal(some, z[[5, 0, 5]])
    assert rows == [5, 0, 5]


def test_bad_files(tmp_path, monkeypatch):
    file = tmp_path / "z.safetensors"

    def refused(says, word=None):
        with pytest.raises(UserError) as caught:
            read_latents(str(word or file), 4)
        assert says in str(caught.value)
        assert "\n" not in str(caught.value)

    refused("there is no file")
    refused("there is no file", tmp_path)
    for damage in (b"", b"PK\3\4" * 10, b"\xff" * 100):
        file.write_bytes(damage)
        refused("damaged")
    save_latents(torch.randn(3, 4), file)
    refused("has rows up to 2; they are counted from 0", f"{file}:0,3")
    refused("'x' names no rows", f"{file}:x")
    whole = file.read_bytes()
    file.write_bytes(whole[:-5])
    refused("damaged")
    save_latents(torch.randn(3, 5), file)
    refused("have 5 numbers, this run's generator takes 4")
    for bad in (math.nan, math.inf):
        save_latents(torch.tensor([[0.0, 1.0, 2.0, bad]]), file)
        refused("not finite")
    stated = {"z_dim": "4"}
    for z in (torch.zeros(3, 4, dtype=torch.float64), torch.zeros(4), torch.zeros(0, 4), torch.zeros(3, 5)):
        save_file({"z": z}, file, metadata=stated)
        refused("not float32 latents")
    save_file({"z": torch.zeros(3, 4)}, file)
    refused("z_dim None")
    save_file({"w": torch.zeros(3, 4)}, file, metadata=stated)
    refused("holds w instead of z alone")
    save_file({"a\n\x1b[31m": torch.zeros(1)}, file)
    refused(r"holds 'a\n\x1b[31m' instead of z alone")
    monkeypatch.setattr("gantrain.inference.saved.LARGEST", 100)
    save_file({"z": torch.zeros(30, 4)}, file, metadata=stated)
    refused("at most 0 are read")
    with pytest.raises(UserError, match="save fewer"):
        save_latents(torch.zeros(30, 4), file)


def test_a_family_that_makes_samples_says_how(monkeypatch):
    module = Family()
    trained = SimpleNamespace(verbs={"sample"}, module=module, data=None)
    monkeypatch.setattr("gantrain.inference.latents.load_trained", lambda *words: trained)
    for name in ("latents", "generate"):
        with pytest.raises(UserError, match=f"Family has no {name}, as LatentGAN has"):
            latent_family("run")
        setattr(module, name, lambda *inputs: inputs)
    assert latent_family("run") == (module, None)
