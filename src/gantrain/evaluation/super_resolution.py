"""How near enlarged pictures come to the truth, against bicubic interpolation: PSNR, SSIM, LPIPS, content, checker."""

from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import torch
import torchmetrics.functional.image as metrics
from torch import Tensor

from gantrain.checks import check_whole
from gantrain.data.low_high import LowHigh, larger, smaller
from gantrain.drawing.progress import track
from gantrain.errors import UserError
from gantrain.evaluation.base import Evaluation
from gantrain.evaluation.measures.checker import checker
from gantrain.evaluation.protocol import ema_or_raw
from gantrain.models.base import GANModule
from gantrain.models.paired import PairedGAN
from gantrain.networks.extent import Local
from gantrain.networks.tiles import tiled
from gantrain.run.scores import Result, Score

CONTENT_SIDE = 256  # a VGG over whole photos would take longer than all the rest
LEAST = 11  # SSIM's window
OVERLAP = 16  # pixels that tiles share where a network does not say how far it sees
LOWER = ("content", "lpips", "checker")  # the less, the better
ALEXNET = "alexnet-owt-7be5be79.pth"  # torchvision's, which LPIPS looks through


class SuperResolutionScores(Evaluation):
    """Scores of whole held-out pictures, at most `pictures` of them (null is all), and the same of bicubic.

    A picture is cut to a multiple of the scale, reduced, rounded to 8 bits, enlarged in tiles of `tile`, and compared
    in 8 bits without `scale` pixels of border: PSNR and SSIM of RGB and of Y (ITU-R BT.601, 16 to 235), as the
    literature has them; LPIPS (AlexNet) where its weights lie in torch's cache; `checker`, the share of the fine detail
    in flat parts that has periods of 4 or 2 pixels, of Y without a border cut off; and the stage's own content loss on
    the centred square. Values are means over pictures.
    """

    def __init__(self, *, pictures: int | None = 64, tile: int = 256, **base: Any):
        super().__init__(**base)
        check_whole(1, tile=tile, pictures=pictures)
        self.pictures, self.tile = pictures, tile

    def check(self, module: GANModule, data: Any) -> None:
        if not isinstance(module, PairedGAN) or not isinstance(data, LowHigh):
            raise UserError(
                "evaluation: super_resolution measures runs that enlarge pictures, which this is not; choose another, "
                "or evaluation=none"
            )
        if data.size - 2 * data.scale < LEAST:
            raise UserError(
                f"evaluation: SSIM needs {LEAST} pixels within a border of {data.scale}, pictures of data.size="
                f"{data.size} are too small; use a larger data.size or evaluation=none"
            )
        self.reference(data)

    def names(self, module: PairedGAN, data: LowHigh) -> list[str]:
        return [name for measure in self.measures(module, data) for name in (measure, f"{measure}_bicubic")]

    def measure(self, module: PairedGAN, data: LowHigh, raw: bool = False) -> Result:
        measures = self.measures(module, data)
        network, reference = module.averaged("generator", raw), self.reference(data)
        rows: list[dict[str, Any]] = []
        count = min(len(reference), self.pictures or len(reference))
        for name, truth in track(islice(reference.wholes(), count), count, "pictures"):
            truth = whole_multiple(truth, data.scale)[None]
            low = smaller(truth, data.scale)
            made = {"": self.enlarge(network, data, low, module.device), "_bicubic": larger(low, data.scale)}
            found = {f"{key}{of}": measure(made[of], truth) for key, measure in measures.items() for of in made}
            rows.append({"picture": name, **found})
        scores = {
            key: Score.mean([row[key] for row in rows], "lower" if key.startswith(LOWER) else "higher") for key in found
        }
        protocol = {
            "split": "held out",
            "pictures": len(rows),
            "scale": data.scale,
            "low": "bicubic, antialiased, rounded to 8 bits",
            "border": data.scale,
            "quantisation": "8 bits",
            "y": "BT.601, 16 to 235",
            "content": f"{module.content.name}, centred square of at most {CONTENT_SIDE}",
            "data": reference.content,
            "networks": ema_or_raw(module, "generator", raw),
        }
        return Result(scores, protocol, {"pictures": rows})

    def enlarge(self, network: Callable[[Tensor], Tensor], data: LowHigh, low: Tensor, device: torch.device) -> Tensor:
        """What the network makes of `low` (1, c, h, w) uint8, as uint8."""
        large = torch.empty(*low.shape[:2], *(data.scale * side for side in low.shape[2:]), dtype=torch.uint8)
        overlap = network.reach if isinstance(network, Local) else OVERLAP
        for (rows, columns), part in tiled(network, data.to_range(low.to(device)), data.scale, self.tile, overlap):
            large[..., rows, columns] = data.pictures(part).cpu()
        return large

    def measures(self, module: PairedGAN, data: LowHigh) -> dict[str, Callable[[Tensor, Tensor], float]]:
        """Functions of two pictures (1, c, h, w) uint8, the second of which is the truth, by the score's name."""

        def content(made: Tensor, truth: Tensor) -> float:
            pair = [data.to_range(centred(p, CONTENT_SIDE)).to(module.device) for p in (made, truth)]
            return float(module.content(*pair))

        def pattern(made: Tensor, truth: Tensor) -> float:
            return float(checker(luma(made), luma(truth)))

        def on(pixels: Callable[[Tensor], Tensor], score: Callable[..., Any]) -> Callable:
            inside = slice(data.scale, -data.scale)
            return lambda made, truth: float(score(*(pixels(p[..., inside, inside]) for p in (made, truth))))

        psnr = partial(metrics.peak_signal_noise_ratio, data_range=255.0)
        ssim = partial(metrics.structural_similarity_index_measure, data_range=255.0)
        found = {"psnr_y": on(luma, psnr), "ssim_y": on(luma, ssim)}
        if data.channels == 3:
            found |= {"psnr_rgb": on(Tensor.float, psnr), "ssim_rgb": on(Tensor.float, ssim)}
            if Path(torch.hub.get_dir(), "checkpoints", ALEXNET).is_file():
                lpips = partial(metrics.learned_perceptual_image_patch_similarity, net_type="alex")
                found["lpips"] = on(lambda pixels: pixels / 127.5 - 1, lpips)
        return {**found, "checker": pattern, "content": content}


def luma(pixels: Tensor) -> Tensor:
    """Y (n, 1, h, w) in 16..235 of pixels (n, 1 or 3, h, w) uint8 (ITU-R BT.601)."""
    weights = torch.tensor([65.481, 128.553, 24.966]).view(3, 1, 1) / 255
    return 16 + (pixels.float() * weights).sum(1, keepdim=True)


def whole_multiple(picture: Tensor, scale: int) -> Tensor:
    """The picture without the rows below and columns at the right that make no whole pixel of the low one."""
    height, width = (side // scale * scale for side in picture.shape[-2:])
    return picture[..., :height, :width]


def centred(pixels: Tensor, side: int) -> Tensor:
    """The centred square of at most `side` pixels."""
    height, width = pixels.shape[-2:]
    side = min(side, height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return pixels[..., top : top + side, left : left + side]
