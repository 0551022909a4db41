"""Volumes as files: closed, smooth, the right way out, of the right size."""

import numpy as np
import pytest
import trimesh
from scipy.io import loadmat

from gantrain.data.formats.volume_export import Empty, largest_part, save_volume, surface


def table(side=16):
    volume = np.zeros((side, side, side), bool)
    volume[1:15, 3:13, 10:12] = True
    for x in (1, 13):
        for y in (3, 11):
            volume[x : x + 2, y : y + 2, 1:10] = True
    return volume


@pytest.mark.parametrize("suffix", ["obj", "stl", "ply"])
def test_meshes_are_closed_and_keep_the_volume(tmp_path, suffix):
    save_volume(table(), tmp_path / f"t.{suffix}")
    mesh = trimesh.load(tmp_path / f"t.{suffix}", force="mesh")
    assert mesh.is_watertight
    assert mesh.is_winding_consistent
    assert mesh.body_count == 1
    assert mesh.volume == pytest.approx(table().sum(), rel=0.1)  # positive: the faces look outwards
    assert np.allclose(mesh.bounds, [[0.5, 2.5, 0.5], [14.5, 12.5, 11.5]], atol=0.3)  # voxel centres are whole numbers


def test_a_volume_that_fills_its_grid_is_closed_too(tmp_path):
    save_volume(np.ones((4, 4, 4), bool), tmp_path / "t.stl")
    assert trimesh.load(tmp_path / "t.stl", force="mesh").is_watertight


def test_steps_are_rounded():
    blocky = np.zeros((20, 20, 20), bool)
    x, y, z = np.indices(blocky.shape) - 9.5
    blocky[x**2 + y**2 + z**2 < 49] = True
    vertices, faces = surface(blocky)
    radii = np.linalg.norm(vertices - 9.5, axis=1)
    assert radii.std() < 0.3
    mesh = trimesh.Trimesh(vertices, faces)
    assert mesh.area == pytest.approx(4 * np.pi * 49, rel=0.1)  # of the cubes' faces it would be half as much again


def test_what_floats_beside_the_largest_part_goes():
    volume = np.zeros((16, 16, 16), bool)
    volume[2:6, 2:6, 2:6] = True
    volume[6, 5, 5] = True  # it shares a face
    whole = volume.copy()
    volume[6, 6, 6] = True  # a corner alone
    volume[12:14, 12:14, 12:14] = True
    volume[0, 15, 0] = True
    assert np.array_equal(largest_part(volume), whole)
    assert np.array_equal(largest_part(whole), whole)
    assert not largest_part(np.zeros((4, 4, 4), bool)).any()


def test_rods_of_one_voxel_survive():
    rod = np.zeros((9, 9, 9), bool)
    rod[4, 4, 1:8] = True
    assert trimesh.Trimesh(*surface(rod)).is_watertight


def test_an_empty_volume_has_no_mesh(tmp_path):
    with pytest.raises(Empty):
        save_volume(np.zeros((4, 4, 4), bool), tmp_path / "t.stl")
    assert not (tmp_path / "t.stl").exists()
    save_volume(np.zeros((4, 4, 4), bool), tmp_path / "t.npy")
    assert np.load(tmp_path / "t.npy").sum() == 0


def test_arrays_are_written_as_they_are(tmp_path):
    save_volume(table(), tmp_path / "t.npy")
    save_volume(table(), tmp_path / "t.mat")
    for found in (np.load(tmp_path / "t.npy"), loadmat(tmp_path / "t.mat")["instance"]):
        assert found.dtype == np.uint8
        assert np.array_equal(found, table())
