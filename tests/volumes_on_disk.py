"""Trees of volume files in 3D ShapeNets' layout, made by the tests."""

import numpy as np
from scipy.io import savemat


def box(side=6, size=3, at=0):
    """A box in a corner."""
    volume = np.zeros((side, side, side), np.uint8)
    volume[at : at + size, :size, :size] = 1
    return volume


def write_volume(file, volume, key="instance"):
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.suffix == ".mat":
        savemat(file, {key: volume}, do_compression=True)
    elif file.suffix == ".npy":
        np.save(file, volume)
    else:
        np.savez(file, **{key: volume})
    return file


def make_shapenet(root, categories=("chair", "table"), objects=4, turns=2, suffix=".mat", side=6):
    """`objects` in train and half as many in test, all different boxes."""
    for c, category in enumerate(categories):
        for i in range(objects + objects // 2):
            split = "train" if i < objects else "test"
            for turn in range(1, turns + 1):
                name = f"{category}_{i:09d}_{turn}{suffix}"
                volume = box(side, 2 + (i + c) % (side - 1), at=turn - 1)
                write_volume(root / category / "30" / split / name, volume)
    return root
