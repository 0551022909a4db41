"""What five minutes of training give: tutorials beside experiments, `python scripts/benchmark_quality.py DATA`.

DATA holds MNIST/raw, or with --name FashionMNIST that set's folder. The contenders train one after the other. Each has
the machine to itself for --seconds, its start included. Then a judge looks at 10,000 pictures of each: a small network
that is fitted here on the training pictures and is no part of gantrain. The number is the Frechet distance between the
judge's 128 features of made pictures and of all training pictures; lower is better. The first row shows what real
pictures get that nothing was trained on.

TensorFlow's tutorial joins where TensorFlow is installed. --seconds 20 tries whether all works.
"""

import argparse
import importlib.util
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gantrain.data.images import IdxImages
from gantrain.errors import UserError
from gantrain.evaluation.measures.frechet import frechet_distance, moments
from gantrain.training.loading import load_trained

TUTORIALS = {"keras": "TensorFlow's tutorial", "torch": "PyTorch's tutorial"}
EXPERIMENTS = {
    "dcgan_mnist": ["experiment=dcgan_mnist", "epochs=1000"],
    "cgan_mnist": ["experiment=cgan_mnist", "epochs=1000"],
    "mnist_fast": ["experiment=mnist_fast"],
    "mnist_fast, no classes": ["experiment=mnist_fast", "models=latent"],
}


class Judge(nn.Module):
    """Grey 28x28 pictures as uint8 to 128 features and the logits of classes."""

    def __init__(self, classes: int):
        super().__init__()
        self.features = nn.Sequential(
            *(nn.Conv2d(1, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(16, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Flatten(), nn.Dropout(0.3), nn.Linear(32 * 49, 128), nn.ReLU()),
        )
        self.classify = nn.Sequential(nn.Dropout(0.3), nn.Linear(128, classes))

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        features = self.features(pictures[:, None].float() / 255)
        return features, self.classify(features)


def fitted(pictures: Tensor, labels: Tensor, steps: int = 1500) -> Judge:
    torch.manual_seed(0)
    judge = Judge(int(labels.max()) + 1)
    optimizer = torch.optim.Adam(judge.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=3e-3, total_steps=steps)
    for _ in range(steps):
        rows = torch.randint(len(labels), (64,))
        _, logits = judge(pictures[rows])
        optimizer.zero_grad()
        F.cross_entropy(logits, labels[rows]).backward()
        optimizer.step()
        schedule.step()
    return judge.eval()


@torch.no_grad()
def seen(judge: Judge, pictures: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and covariance of the features of pictures (n, 28, 28)."""
    return moments(torch.cat([judge(part)[0] for part in pictures.split(500)]))


def by_tutorial(kind: str, pictures: Path, folder: Path, seconds: float, count: int) -> tuple[Tensor, str]:
    """Pictures that a tutorial's loop makes after `seconds`, and how far it came. Raises UserError where it fails."""
    out, until = folder / f"{kind}.npy", time.time() + seconds
    command = [sys.executable, str(Path(__file__).with_name("tutorials.py")), kind, pictures, out, until, count]
    ended = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, text=True, check=False)
    if ended.returncode:
        raise UserError(f"ended with exit code {ended.returncode}")
    return torch.from_numpy(np.load(out, allow_pickle=False)), ended.stdout.strip()


def by_run(words: list[str], folder: Path, seconds: float, count: int) -> tuple[Tensor, str]:
    """Pictures of a run that is told to stop after `seconds`, unless it ends by itself before; and how far it came.

    Raises UserError where it fails or has not begun by then.
    """
    began = time.time()
    with subprocess.Popen(
        [sys.executable, "-m", "gantrain", *words, f"hydra.run.dir={folder}"], stdout=subprocess.DEVNULL
    ) as run:
        try:
            run.wait(seconds)
        except subprocess.TimeoutExpired:
            run.send_signal(signal.SIGTERM)
    if run.returncode == -signal.SIGTERM:
        raise UserError(f"had not begun after {seconds:g} s; give --seconds more")
    if run.returncode not in (0, 128 + signal.SIGTERM):
        raise UserError(f"ended with exit code {run.returncode}")
    took, trained = time.time() - began, load_trained(folder)
    ending = "ended by itself" if run.returncode == 0 else "stopped"
    return samples(trained.module, count), f"{trained.iteration:,} iterations, {ending} after {took:.0f} s"


@torch.no_grad()
def samples(module: Any, count: int) -> Tensor:
    """Pictures (count, 28, 28) of a run's averaged generator, as bytes; classes are equally likely."""
    generator, made = torch.Generator().manual_seed(0), []
    for _ in range(-(-count // 500)):
        classes = (torch.randint(module.classes, (500,), generator=generator),) if module.classes else ()
        made.append(module.generate(module.latents(500, generator), *classes)[:, 0])
    return ((torch.cat(made)[:count] + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)


def contenders(only: list[str] | None) -> list[str]:
    """Those that are asked for, or all; TensorFlow's only where it is there."""
    wanted = only or [*TUTORIALS, *EXPERIMENTS]
    if "keras" in wanted and importlib.util.find_spec("tensorflow") is None:
        print("TensorFlow is not installed, so its tutorial is left out: pip install tensorflow", file=sys.stderr)
        wanted = [name for name in wanted if name != "keras"]
    return wanted


def table(args: argparse.Namespace) -> None:
    """Print a row for the test pictures, then one for each contender as soon as it is done. Raises UserError."""
    source, test = (IdxImages(args.name, split).open(args.data) for split in ("train", "test"))
    judge = fitted(torch.from_numpy(source.images.copy()), torch.from_numpy(source.labels))
    real = seen(judge, torch.from_numpy(source.images.copy()))

    def distance(pictures: Tensor) -> str:
        return f"{frechet_distance(*real, *seen(judge, pictures)):.1f}"

    data = [f"data.root={args.data.resolve()}", f"data.dataset.name={args.name}", f"seed={args.seed}"]
    print(f"{args.name}, {len(source.images):,} pictures, {args.seconds:g} s each, {os.cpu_count()} cores")
    print("\n| made by | Frechet distance | how far |\n| --- | --- | --- |")
    print(f"| the test pictures | {distance(torch.from_numpy(test.images.copy()))} | |", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        pictures = Path(folder, "real.npy")
        np.save(pictures, source.images)
        for number, name in enumerate(contenders(args.only)):
            try:
                if name in TUTORIALS:
                    made, far = by_tutorial(name, pictures, Path(folder), args.seconds, args.count)
                else:
                    words = [*EXPERIMENTS[name], *data]
                    made, far = by_run(words, Path(folder, f"run{number}"), args.seconds, args.count)
                row = f"{distance(made)} | {far}"
            except UserError as error:
                row = f"- | {error}"
            print(f"| {TUTORIALS.get(name, name)} | {row} |", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA")
    parser.add_argument("--name", default="MNIST", choices=("MNIST", "FashionMNIST"))
    parser.add_argument("--seconds", type=float, default=300.0, help="of each contender, its start included (300)")
    parser.add_argument("--count", type=int, default=10_000, help="made pictures that are judged (10,000)")
    parser.add_argument("--seed", type=int, default=0, help="of the runs; the tutorials set none (0)")
    parser.add_argument(
        "--only", action="append", choices=(*TUTORIALS, *EXPERIMENTS), help="this contender; may be given again"
    )
    try:
        table(parser.parse_args())
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
