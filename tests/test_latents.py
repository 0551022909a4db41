"""Spherical walks, against values worked out by hand, and files of latents."""

import math

import pytest
import torch
from safetensors.torch import save_file

from gantrain.errors import UserError
from gantrain.latents import read_latents, save_latents, slerp, walk

ENDS = torch.tensor([0.0, 0.5, 1.0])


def test_a_quarter_turn():
    a, b = torch.tensor([2.0, 0.0]), torch.tensor([0.0, 2.0])
    half = math.sqrt(2)
    torch.testing.assert_close(slerp(a, b, ENDS), torch.tensor([[2.0, 0.0], [half, half], [0.0, 2.0]]))
    third = slerp(a, b, torch.tensor([1 / 3]))[0]  # 30 degrees
    torch.testing.assert_close(third, torch.tensor([math.sqrt(3), 1.0]))


def test_whites_formula_for_vectors_of_equal_length():
    a, b = torch.randn(2, 100, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    b = b * a.norm() / b.norm()
    angle = torch.acos(a @ b / a.norm() ** 2)
    for t in (0.1, 0.7):
        expected = (torch.sin((1 - t) * angle) * a + torch.sin(t * angle) * b) / torch.sin(angle)
        torch.testing.assert_close(slerp(a, b, torch.tensor([t], dtype=torch.float64))[0], expected)


def test_lengths_go_linearly():
    a, b = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 3.0])
    torch.testing.assert_close(slerp(a, b, ENDS).norm(dim=1), torch.tensor([1.0, 2.0, 3.0]))


def test_parallel_vectors():
    a = torch.tensor([1.0, 2.0, 2.0])
    torch.testing.assert_close(slerp(a, a, ENDS), a.expand(3, 3))
    torch.testing.assert_close(slerp(a, 3 * a, ENDS), torch.stack([a, 2 * a, 3 * a]))
    nearly = a + torch.tensor([1e-7, 0.0, 0.0])
    torch.testing.assert_close(slerp(a, nearly, ENDS), a.expand(3, 3))


def test_opposite_vectors_go_around_and_not_through_zero():
    a = torch.tensor([3.0, 0.0, 4.0])
    path = slerp(a, -a, torch.linspace(0, 1, 9))
    torch.testing.assert_close(path.norm(dim=1), torch.full((9,), 5.0))
    torch.testing.assert_close(path[[0, -1]], torch.stack([a, -a]))
    assert abs(path[4] @ a) < 1e-5  # half-way at a right angle
    assert torch.equal(path, slerp(a, -a, torch.linspace(0, 1, 9)))


@pytest.mark.parametrize(("a", "b"), [([0.0, 0.0], [0.0, 2.0]), ([0.0, 0.0], [0.0, 0.0]), ([1.0], [-1.0])])
def test_where_there_is_no_angle_there_is_no_nan_either(a, b):
    a, b = torch.tensor(a), torch.tensor(b)
    path = slerp(a, b, ENDS)
    assert torch.isfinite(path).all()
    torch.testing.assert_close(path[[0, 2]], torch.stack([a, b]))


def test_walks():
    stops = torch.randn(3, 5, generator=torch.Generator().manual_seed(0))
    opened = walk(stops, 4)
    assert opened.shape == (2, 4, 5)
    torch.testing.assert_close(opened[:, 0], stops[:2])
    torch.testing.assert_close(opened[:, -1], stops[1:])
    closed = walk(stops, 4, closed=True)
    assert closed.shape == (3, 4, 5)
    torch.testing.assert_close(closed[:, 0], stops)
    back = slerp(stops[2], stops[0], torch.tensor([0.75]))[0]
    torch.testing.assert_close(closed[2, 3], back)  # the next frame would be the first


def test_files_and_their_rows(tmp_path):
    z, file = torch.randn(6, 4), tmp_path / "a:b" / "z.safetensors"
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
    refused("has 3 latents, the last is 2", f"{file}:0,3")
    refused("there is no file", f"{file}:x")
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
    monkeypatch.setattr("gantrain.latents.LARGEST", 100)
    save_file({"z": torch.zeros(30, 4)}, file, metadata=stated)
    refused("at most 0 are read")
    with pytest.raises(UserError, match="save fewer"):
        save_latents(torch.zeros(30, 4), file)
