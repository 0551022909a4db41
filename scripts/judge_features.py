"""The test of Wu et al. 2016, section 4.2: a linear SVM on a discriminator's features of labelled volumes.

    gantrain features RUN DATA --out F.npz
    gantrain features RUN DATA --layers 1,2,3 --out G.npz
    python scripts/judge_features.py F.npz G.npz DATA

It is fitted on the train split and scored on the test split; its C comes from cross-validation by objects, and so does
the choice where there are several files, so that the test split chooses nothing. The same SVM on the volumes
themselves, averaged down to 8x8x8, shows what the features are worth.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from sklearn.metrics import balanced_accuracy_score, confusion_matrix
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from gantrain.data.formats.volume_files import read_volume
from gantrain.data.shapenet import object_of

RAW_SIDE = 8
STRENGTHS = [1e-5, 1e-4, 1e-3, 1e-2, 1e-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("features", type=Path, nargs="+", help="what `gantrain features` made of one DATA: .npz files")
    parser.add_argument("data", type=Path, help="the folder they were made of")
    parser.add_argument("--key", default="instance", help="the variable in a .mat or .npz (instance)")
    args = parser.parse_args()
    with np.load(args.features[0], allow_pickle=False) as found:
        labels, names, splits, classes = (found[key] for key in ("labels", "names", "splits", "class_names"))
    train = splits == "train"
    kinds = {str(file): loaded(file, names) for file in args.features}
    raw = np.stack([averaged(read_volume(args.data / name, args.key)) for name in names])
    judge(kinds, labels, names, train, classes)
    judge({f"voxels averaged to {RAW_SIDE}^3": raw}, labels, names, train, classes)


def loaded(file: Path, names: np.ndarray) -> np.ndarray:
    with np.load(file, allow_pickle=False) as found:
        if not np.array_equal(found["names"], names):
            raise SystemExit(f"{file} has other samples than the first file; make all of them of one DATA")
        return found["features"]


def averaged(volume: np.ndarray) -> np.ndarray:
    """A volume padded evenly to a multiple of `RAW_SIDE` and averaged down, flat."""
    space = -len(volume) % RAW_SIDE
    padded = np.pad(volume, [(space // 2, space - space // 2)] * 3).astype(np.float32)
    k = len(padded) // RAW_SIDE
    return padded.reshape(RAW_SIDE, k, RAW_SIDE, k, RAW_SIDE, k).mean((1, 3, 5)).ravel()


def judge(
    kinds: Mapping[str, np.ndarray], labels: np.ndarray, names: np.ndarray, train: np.ndarray, classes: np.ndarray
) -> None:
    """Cross-validate each kind of features, and score the best of them on the test split."""
    groups = np.array([object_of(name) for name in names])
    searches = {}
    for what, x in kinds.items():
        machine = make_pipeline(StandardScaler(), LinearSVC(class_weight="balanced", random_state=0))
        search = GridSearchCV(machine, {"linearsvc__C": STRENGTHS}, cv=GroupKFold(5), scoring="balanced_accuracy")
        searches[what] = search.fit(x[train], labels[train], groups=groups[train])
        best = (
            f"C {search.best_params_['linearsvc__C']:g}, cross-validated {search.best_score_:.1%} (mean over classes)"
        )
        print(f"{what}: {x.shape[1]:,} numbers, {best}")
    what = max(searches, key=lambda what: searches[what].best_score_)
    guessed, truth = searches[what].predict(kinds[what][~train]), labels[~train]
    correct, mean = (guessed == truth).mean(), balanced_accuracy_score(truth, guessed)
    print(f"  test split{f' by {what}' if len(kinds) > 1 else ''}: {correct:.1%}, mean over classes {mean:.1%}")
    for name, row in zip(classes, confusion_matrix(truth, guessed), strict=True):
        print(f"    {name:<12} {' '.join(f'{count:>5}' for count in row)}")


if __name__ == "__main__":
    main()
