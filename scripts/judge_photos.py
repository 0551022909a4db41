"""How a run of srgan_photos did on its held-out photos, stage by stage: `python scripts/judge_photos.py RUN`.

Each stage's last generator against bicubic: PSNR of Y and the checkered pattern on whole photos. On the centred 256x256
the distance to the truth at several layers of the network that the adversarial stage's content loss looks through, so
the judge is the network that was minimised: the mean over photos of the share of bicubic's distance.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from operator import truediv
from pathlib import Path
from statistics import fmean

import torch
from torch import Tensor

from gantrain.config.build import build
from gantrain.config.stages import stages_of
from gantrain.data.low_high import larger, smaller
from gantrain.data.photos import PhotoCrops
from gantrain.errors import UserError
from gantrain.evaluation.measures.checker import checker
from gantrain.evaluation.super_resolution import SuperResolutionScores, centred, luma, whole_multiple
from gantrain.losses.perceptual import Perceptual
from gantrain.run.checkpoint import load_networks
from gantrain.run.folder import Run
from gantrain.training.assemble import build_data, build_networks, build_stage

LAYERS = ("relu2_2", "relu3_3", "relu4_3", "relu5_3")


def judge(folder: Path) -> None:
    """Print two lines for bicubic and for each stage. Raises UserError for a run that makes no photos larger."""
    run = Run.open(folder)
    stages = stages_of(run.config())
    content = (stages[-1].config.get("losses") or {}).get("content")
    data = build_data(stages[0]).open()
    if content is None or not isinstance(data, PhotoCrops):
        raise UserError(f"{folder}: this is no run of srgan_photos; choose one, or measure it with gantrain evaluate")
    if all(run.newest(stage.name) is None for stage in stages):
        raise UserError(f"{folder}: nothing is trained yet")
    torch.set_num_threads(1)
    scores = SuperResolutionScores()
    losses = {layer: build({**content, "layer": layer, "divide": 1.0}, "losses.content") for layer in LAYERS}
    made = {}
    truths: list[Tensor] = []
    lows: list[Tensor] = []
    for name, photo in data.held_out().wholes():
        truths.append(whole_multiple(photo, data.scale)[None])
        lows.append(smaller(truths[-1], data.scale))
        print(name, tuple(truths[-1].shape[2:]))
    made["bicubic"] = [larger(low, data.scale) for low in lows]
    networks = build_networks(stages)
    for stage in stages:
        state = run.newest(stage.name)
        if state is None:
            continue
        module = build_stage(stage, networks)
        load_networks(module, state)
        module.eval()
        made[f"{stage.name} {state['iteration']:,}"] = [
            scores.enlarge(module.averaged("generator"), data, low, module.device) for low in lows
        ]
        psnr = scores.measures(module, data)["psnr_y"]
    with torch.no_grad():
        far = {title: distances(losses, data, pictures, truths) for title, pictures in made.items()}
    for title, pictures in made.items():
        pairs = list(zip(pictures, truths, strict=True))
        values = [psnr(*pair) for pair in pairs]
        pattern = fmean(float(checker(luma(picture), luma(truth))) for picture, truth in pairs)
        each = ", ".join(f"{value:.2f}" for value in values)
        print(f"{title:<20} PSNR-Y {fmean(values):.3f} ({each})  checker {pattern:.3f}")
        shares = (fmean(map(truediv, far[title][layer], far["bicubic"][layer])) for layer in LAYERS)
        told = "  ".join(f"{layer} {share:.3f}" for layer, share in zip(LAYERS, shares, strict=True))
        print(f"{'':<20} of bicubic's distance: {told}")


def distances(
    losses: Mapping[str, Perceptual], data: PhotoCrops, pictures: Sequence[Tensor], truths: Sequence[Tensor]
) -> dict[str, list[float]]:
    """How far each picture lies from its truth at each layer, in the centred square of 256."""
    pairs = [[data.to_range(centred(each, 256)) for each in pair] for pair in zip(pictures, truths, strict=True)]
    return {layer: [float(loss(*pair)) for pair in pairs] for layer, loss in losses.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, metavar="RUN", help="a run of srgan_photos")
    try:
        judge(parser.parse_args().run)
    except UserError as error:
        print(f"judge_photos: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
