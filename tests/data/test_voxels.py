"""The voxels' DataModule: bits and back, padding, enlarging, bad files."""

import numpy as np
import pytest
import torch
from volumes_on_disk import box, make_shapenet, write_volume

from gantrain.data.shapenet import ShapeNet
from gantrain.data.stream import Batches
from gantrain.data.synthetic import Synthetic
from gantrain.data.voxels import VoxelDataModule, unpack
from gantrain.errors import UserError


def module(root=None, dataset=None, size=8, **options):
    root = None if root is None else str(root)
    return VoxelDataModule(dataset=dataset or ShapeNet(), size=size, batch_size=4, root=root, **options).open()


def test_bits_hold_every_voxel():
    volumes = np.random.default_rng(0).random((5, 7, 7, 7)) < 0.3  # 343 voxels fill no whole number of bytes
    bits = np.stack([np.packbits(volume) for volume in volumes])
    assert bits.shape == (5, 43)
    assert np.array_equal(unpack(torch.from_numpy(bits), 7).numpy(), volumes)


def test_padded_by_one_and_doubled(tmp_path):
    make_shapenet(tmp_path, ("chair",))
    names = [module(tmp_path).name(i) for i in range(8)]
    original = torch.from_numpy(ShapeNet().open(tmp_path).volume(3)).float()
    small = module(tmp_path).take(np.array([3]))["real"]
    assert names[3] == "chair/30/train/chair_000000001_2.mat"
    assert small.shape == (1, 1, 8, 8, 8)
    assert torch.equal(small[0, 0, 1:-1, 1:-1, 1:-1], original)
    assert small.sum() == original.sum()
    large = module(tmp_path, size=16).take(np.array([3]))["real"]
    doubled = torch.nn.functional.interpolate(small, scale_factor=2, mode="nearest")
    assert torch.equal(large, doubled)


def test_range_and_classes(tmp_path):
    data = module(make_shapenet(tmp_path), range=[-1, 1])
    batch = data.examples(16)
    assert sorted(batch["real"].unique().tolist()) == [-1, 1]
    assert sorted(batch["cond"].tolist()) == [0] * 8 + [1] * 8
    assert torch.equal(data.solid(batch["real"]), batch["real"][:, 0] > 0)
    assert data.shape == (1, 8, 8, 8)


def test_flips_mirror_the_first_axis(tmp_path):
    make_shapenet(tmp_path)
    plain, flipped = (module(tmp_path, augment={"flip": flip}).examples(16)["real"] for flip in (False, True))
    mirrored = [torch.equal(a.flip(1), b) for a, b in zip(plain, flipped, strict=True)]
    same = [torch.equal(a, b) for a, b in zip(plain, flipped, strict=True)]
    assert all(m or s for m, s in zip(mirrored, same, strict=True))
    assert 0 < sum(same) < 16


def test_only_the_largest_part_is_shown(tmp_path):
    make_shapenet(tmp_path)
    sample = torch.zeros(1, 1, 16, 16, 16)
    sample[..., :4, :4, :4] = 1
    sample[..., 15, 15, 15] = 1
    shown = [module(tmp_path, parts=parts).solid(sample).sum().item() for parts in ("all", "largest")]
    assert shown == [65, 64]


def test_options_of_pictures_are_refused(tmp_path):
    with pytest.raises(ValueError, match="upsize is an option of pictures, leave it out"):
        module(tmp_path, upsize=True)


def test_a_resumed_stream_is_the_same(tmp_path):
    data = module(make_shapenet(tmp_path), augment={"flip": True})
    batches = iter(data.loader(Batches(5, 0)))
    next(batches)
    straight, resumed = next(batches), next(iter(data.loader(Batches(5, 5))))
    assert all(torch.equal(straight[key], resumed[key]) for key in ("real", "cond", "flip"))


def test_held_out_volumes(tmp_path):
    make_shapenet(tmp_path)
    assert len(module(tmp_path).held_out()) == 8
    data = module(tmp_path, holdout=0.25)
    assert (len(data), len(data.held_out())) == (12, 4)


def test_mixed_sides_are_refused(tmp_path):
    make_shapenet(tmp_path, ("chair",))
    write_volume(tmp_path / "chair" / "30" / "train" / "z.npy", box(7))
    with pytest.raises(UserError, match=r"'chair/30/train/chair_000000000_1\.mat' has the side 6 .*z\.npy' the side 7"):
        module(tmp_path)


def test_a_bad_file_is_an_error_unless_told_to_skip(tmp_path, capsys):
    make_shapenet(tmp_path, ("chair",))
    file = tmp_path / "chair" / "30" / "train" / "chair_000000001_1.mat"
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(UserError, match=r"data\.root: 'chair/30/train/chair_000000001_1\.mat': cut off.*on_error=skip"):
        module(tmp_path)
    data = module(tmp_path, on_error="skip")
    assert len(data) == 7
    assert data.name(2) == "chair/30/train/chair_000000001_2.mat"
    assert "1 of 8 volumes cannot be read" in capsys.readouterr().err
    for other in file.parent.iterdir():
        other.write_bytes(b"hello")
    with pytest.raises(UserError, match=r"8 of 8 .*nothing is left"):
        module(tmp_path, on_error="skip")


def test_a_size_below_the_volumes_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"data\.size is 4, but the volumes are 6x6x6; use 8 or more"):
        module(make_shapenet(tmp_path), size=4)


def test_too_few_classes(tmp_path):
    with pytest.raises(UserError, match=r"data\.classes is 1 but the data have 2 classes"):
        module(make_shapenet(tmp_path), classes=1)


def test_synthetic_volumes():
    data = module(dataset=Synthetic(6), size=32)
    volumes = data.examples(6)["real"]
    assert volumes.shape == (6, 1, 32, 32, 32)
    assert 0 < volumes.mean() < 0.7
    assert data.content != data.held_out().content


def test_content_is_of_the_volumes_alone(tmp_path):
    a, b = module(make_shapenet(tmp_path / "a")), module(make_shapenet(tmp_path / "b", suffix=".npy"))
    assert a.content == b.content
    write_volume(tmp_path / "b" / "chair" / "30" / "train" / "chair_000000000_1.npy", box(6, 1))
    assert module(tmp_path / "b").content != a.content


@pytest.mark.parametrize("suffix", ["npy", "mat"])
def test_saved_arrays_can_be_trained_on_again(tmp_path, suffix):
    data = module(make_shapenet(tmp_path / "a"))
    batch = data.take(np.arange(2))["real"]
    for i, sample in enumerate(batch):
        folder = tmp_path / "b" / "made" / "train"
        folder.mkdir(parents=True, exist_ok=True)
        data.save(sample, folder / f"{i}.{suffix}")
    assert torch.equal(module(tmp_path / "b").take(np.arange(2))["real"], batch)
