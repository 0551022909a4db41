"""How an srgan run did on its held-out photos, stage by stage: `python scripts/judge_photos.py RUN`.

Each stage's last generator against bicubic: PSNR of Y on whole photos; and on the centred 256x256 the distance to the
truth in the features of the network that the adversarial stage's content loss looks through, at several layers.
"""

import sys
from pathlib import Path

import torch

from gantrain.config.build import build
from gantrain.config.stages import stages_of
from gantrain.data.low_high import larger, smaller
from gantrain.evaluation.super_resolution import SuperResolutionScores, centred, whole_multiple
from gantrain.run.checkpoint import load_networks
from gantrain.run.folder import Run
from gantrain.training.assemble import build_data, build_networks, build_stage

LAYERS = ("relu2_2", "relu3_3", "relu4_3", "relu5_3")


def main(folder: Path) -> None:
    run = Run.open(folder)
    stages = stages_of(run.config())
    torch.set_num_threads(1)
    data = build_data(stages[0]).open()
    scores = SuperResolutionScores()
    content = stages[-1].config["losses"]["content"]
    losses = {layer: build({**content, "layer": layer, "divide": 1.0}, "losses.content") for layer in LAYERS}
    made = {}
    truths, lows = [], []
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
    for title, pictures in made.items():
        values = [psnr(picture, truth) for picture, truth in zip(pictures, truths, strict=True)]
        print(f"{title:<20} PSNR-Y {sum(values) / len(values):.3f}  ({', '.join(f'{v:.2f}' for v in values)})")
    with torch.no_grad():
        for title, pictures in made.items():
            told = []
            for layer, loss in losses.items():
                pairs = [(centred(a, 256), centred(b, 256)) for a, b in zip(pictures, truths, strict=True)]
                values = [float(loss(data.to_range(a), data.to_range(b))) for a, b in pairs]
                told.append(f"{layer} {sum(values) / len(values):.4g}")
            print(f"{title:<20} {'  '.join(told)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
