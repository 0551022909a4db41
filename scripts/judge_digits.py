"""Do the samples of a digits run look like digits? An independent classifier's opinion.

    python scripts/judge_digits.py RUN [RUN ...]

A support vector machine, SVC(kernel="rbf", gamma=0.001, C=10), is fitted on the real 8x8 digits and calibrated; 1,000
EMA samples are averaged down to 8x8 and shown to it. Reported for each way of calibrating: how many real digits and how
many samples it is over 0.9 sure of, how many classes it finds, the largest and the smallest class, and of a run with
classes how often it finds the one that was asked for. Isotonic calibration is the one that is sure of 97 to 98% of real
digits; the others show how much that choice matters. Then the same with a machine that was fitted on half of the real
digits, beside what it says of the other half, which it has not seen.
"""

import argparse
import sys
import warnings
from pathlib import Path

import numpy as np
import torch
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.svm import SVC

from gantrain.errors import UserError
from gantrain.training.loading import load_trained


def judges() -> dict[str, CalibratedClassifierCV | SVC]:
    """The same machine, calibrated in four ways; the first one decides."""

    def machine(**options: object) -> SVC:
        return SVC(kernel="rbf", gamma=0.001, C=10, **options)

    return {
        "isotonic": CalibratedClassifierCV(machine(), method="isotonic"),
        "temperature": CalibratedClassifierCV(machine(), method="temperature"),
        "sigmoid": CalibratedClassifierCV(machine(), method="sigmoid", ensemble=False),
        "pairwise": machine(probability=True, random_state=0),  # Platt per pair of classes, inside libsvm
    }


def samples(run: Path, count: int = 1000, seed: int = 0) -> tuple[np.ndarray, np.ndarray | None]:
    """EMA samples as the digits are stored, (count, 64) in 0..16, and the class of each where there are some."""
    module = load_trained(run).module
    images = module.generate(module.latents(count, torch.Generator().manual_seed(seed)))
    zoom = images.shape[-1] // 8
    small = torch.nn.functional.avg_pool2d(images, zoom)
    asked = np.arange(count) % module.classes if module.classes else None
    return (small.clamp(-1, 1) + 1).mul(8).flatten(1).double().numpy(), asked


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path)
    args = parser.parse_args()
    warnings.simplefilter("ignore", FutureWarning)
    real = load_digits()
    half, unseen, of_half, _ = train_test_split(
        real.data, real.target, test_size=0.5, random_state=0, stratify=real.target
    )
    fitted = [(name, judge.fit(real.data, real.target), real.data) for name, judge in judges().items()]
    fitted += [(f"{name}, half", judge.fit(half, of_half), unseen) for name, judge in judges().items()]
    good = True
    for run in args.runs:
        try:
            made, asked = samples(run)
        except UserError as error:
            print(error, file=sys.stderr)
            return 2
        print(run)
        for name, judge, digits in fitted:
            sure_of_real = np.mean(judge.predict_proba(digits).max(1) > 0.9)
            opinion = judge.predict_proba(made)
            sure = np.mean(opinion.max(1) > 0.9)
            share = np.bincount(opinion.argmax(1), minlength=10) / len(made)
            found = "" if asked is None else f", as asked for in {np.mean(opinion.argmax(1) == asked):.1%}"
            print(
                f"  {name:<17} sure of {sure:6.1%} of samples ({sure_of_real:.1%} of real digits), "
                f"{np.count_nonzero(share)} classes, largest {share.max():.1%}, smallest {share.min():.1%}{found}"
            )
            if name == "isotonic":
                good &= bool(sure >= 0.6 and share.min() > 0 and share.max() <= 0.25)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
