"""Files of styles and of directions."""

import json
import math
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import save_file

from gantrain.errors import UserError
from gantrain.inference.style_files import read_directions, read_styles, save_directions, save_styles

FAMILY = SimpleNamespace(layers=2, w_dim=3)


def test_styles_and_their_rows(tmp_path):
    w, file = torch.randn(3, 2, 3), tmp_path / "w.safetensors"
    save_styles(w, file, {"of": "a photo"})
    styles, rows, said = read_styles(str(file), FAMILY)
    assert torch.equal(styles, w)
    assert rows == [0, 1, 2]
    assert said == {"of": "a photo"}
    assert torch.equal(read_styles(f"{file}:2,0", FAMILY)[0], w[[2, 0]])


def test_directions_keep_their_names(tmp_path):
    directions, file = torch.randn(2, 2, 3), tmp_path / "d.safetensors"
    save_directions(directions, ["seven", "age"], file)
    chosen, names = read_directions(f"{file}:1", FAMILY)
    assert torch.equal(chosen, directions[1:])
    assert names == ["age"]


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (None, "direction 1"),
        ("[", "direction 1"),
        ('["a"]', "direction 1"),
        ("7", "direction 1"),
        ("[" * 100_000, "direction 1"),
        (json.dumps(["", f"a\n b{'c' * 99}"]), f"a b{'c' * 37}"),
    ],
)
def test_names_of_strangers(names, says, tmp_path):
    file = tmp_path / "d.safetensors"
    save_file({"directions": torch.zeros(2, 2, 3)}, file, metadata=None if names is None else {"names": names})
    assert read_directions(f"{file}:1", FAMILY)[1] == [says]


@pytest.mark.parametrize(
    ("w", "says"),
    [
        (torch.zeros(2, 3), "holds (2, 3) float32, not float32 (n, layers, numbers)"),
        (torch.zeros(0, 2, 3), "holds (0, 2, 3) float32, not"),
        (torch.zeros(1, 2, 3).double(), "holds (1, 2, 3) float64, not"),
        (torch.zeros(1, 4, 3), "it is of 4 layers of 3 numbers, and this run's generator has 2 of 3"),
        (torch.full((1, 2, 3), math.nan), "not finite; `gantrain project RUN PHOTO --out D` writes a good one"),
    ],
)
def test_styles_that_do_not_fit_are_refused(w, says, tmp_path):
    save_file({"w": w}, tmp_path / "w.safetensors")
    with pytest.raises(UserError) as caught:
        read_styles(str(tmp_path / "w.safetensors"), FAMILY)
    assert says in str(caught.value)
    with pytest.raises(UserError, match="holds w instead of directions alone"):
        read_directions(str(tmp_path / "w.safetensors"), FAMILY)
