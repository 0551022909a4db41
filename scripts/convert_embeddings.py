"""Turn the pickled embeddings of the birds that StackGAN's authors published into a file that gantrain reads.

    python scripts/convert_embeddings.py FOLDER/train FOLDER/test --out birds.safetensors

Each folder holds char-CNN-RNN-embeddings.pickle, of arrays (captions, numbers), and filenames.pickle, their names such
as 001.Black_footed_Albatross/NAME. gantrain itself never reads a pickle, since a pickle can run any program. This
script reads one with an allowance for lists, texts and arrays of numbers alone; still, run it on files of a source that
you trust. Then: data.dataset.embeddings=birds.safetensors networks/text=given
"""

import argparse
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

FILES = ("char-CNN-RNN-embeddings.pickle", "filenames.pickle")
ALLOWED = {  # what arrays of numbers and texts are made of
    *((module, "_reconstruct") for module in ("numpy.core.multiarray", "numpy._core.multiarray")),
    *(("numpy", name) for name in ("ndarray", "dtype")),
    ("_codecs", "encode"),
}


class Careful(pickle.Unpickler):
    """Builds arrays and plain values, and refuses all else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which is no array of numbers")
        return super().find_class(module, name)


def read(file: Path) -> Any:
    """What a pickle of Python 2 or 3 holds."""
    with file.open("rb") as stream:
        return Careful(stream, encoding="latin1").load()


def converted(folder: Path) -> tuple[np.ndarray, list[str]]:
    """The embeddings (n, k, d) of a folder, and the paths of their pictures from the folder of CUB on."""
    embeddings, names = (read(folder / file) for file in FILES)
    values = np.stack([np.asarray(part, np.float32) for part in embeddings])
    if values.ndim != 3 or len(values) != len(names):
        raise ValueError(f"{folder}: embeddings {values.shape} do not belong to {len(names):,} names")
    return values, [f"images/{name}.jpg" for name in names]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER", help="as the authors' train and test")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="a .safetensors")
    args = parser.parse_args()
    values, paths = zip(*map(converted, args.folders), strict=True)
    names = [path for part in paths for path in part]
    save_file({"embeddings": np.concatenate(values)}, args.out, metadata={"paths": json.dumps(names)})
    print(f"{args.out}: {len(names):,} pictures")


if __name__ == "__main__":
    main()
