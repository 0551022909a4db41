"""What the page says of scores: those of the run's own protocol first, each with a sentence."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from gantrain.run.scores import Record

TAG = re.compile(r"\d+k?_\w+$")  # of a protocol, as in fid10k_tf
SIDE = re.compile(r"_([ab])(?=_|$)")  # of a game without pairs, as in cycle_a
FRECHET = (
    "the Frechet distance: how far the mean and the spread of the samples' features lie from those of real pictures"
)
MEANINGS = {
    "fid": f"{FRECHET}, by Inception",
    "fd": f"{FRECHET}, by another network than FID's",
    "kid": "the kernel distance: how well a polynomial kernel tells samples from real pictures; 0 where it cannot",
    "precision": "the share of samples that lie near a real picture: how real they look",
    "recall": "the share of real pictures that lie near a sample: how much of the data is made",
    "density": "how many real pictures have a sample within the distance of their fifth neighbour, per sample",
    "coverage": "the share of real pictures with a sample nearer than their fifth neighbour",
    "copying": "the distance of samples from training pictures over that of other real ones; far below 1 is by heart",
    "is": "the inception score: samples of many classes, each of a clear one",
    "mode": "the inception score, less for classes in other shares than the data's",
    "classes": "how many of the data's classes occur among the samples",
    "sure": "the share of samples that a classifier is sure about",
    "kl": "how far the shares of the classes lie from what they should be; 0 is the same",
    "js": "how far the shares of the classes lie from the data's, from 0, the same, to 0.69",
    "intra": "the Frechet distance within each class, on average",
    "class_accuracy": "the share of samples that a classifier takes for the class they were asked to be",
    "modes": "how many of the 1,000 combinations of digits occur",
    "tenth": "how many of the 1,000 combinations occur at least a tenth as often as they should",
    "psnr": "the signal-to-noise ratio in decibels: how near the pixels are to the truth",
    "psnr_y": "the signal-to-noise ratio in decibels: how near the brightness is to the truth",
    "psnr_rgb": "the signal-to-noise ratio in decibels: how near the colours are to the truth",
    "ssim": "the structural similarity to the truth: 1 is the same",
    "ssim_y": "the structural similarity of the brightness to the truth: 1 is the same",
    "ssim_rgb": "the structural similarity of the colours to the truth: 1 is the same",
    "lpips": "the difference from the truth as AlexNet's features see it; 0 is the same",
    "checker": "the share of fine detail in flat parts that repeats every 2 or 4 pixels, as a checkerboard does",
    "l1": "the mean absolute difference from the truth, of 0 to 255",
    "content": "the difference from the truth as the content loss's network sees it",
    "coverage_iou": "the share of real volumes that are nearest to some generated one",
    "mmd_iou": "how far real volumes are from the nearest generated one, on average",
    "occupancy": "the share of full voxels over that of real volumes",
    "fill": "how full the box around an object is, over that of real ones",
    "alike": "how alike volumes are among each other, over how alike real ones are",
    "identity": "how alike a face and its reconstruction are to a face recogniser (cosine): 1 is the same face",
    "aged_identity": "how alike a face and the same face in other ages are to a face recogniser (cosine)",
    "age_accuracy": "the share of faces that a classifier takes for the age they were made in",
    "spread": "how different reconstructions are from each other, over how different the photos are",
    "cycle": "the mean absolute difference, of 0 to 255, of a picture that went there and back from itself",
    "kept": "how far a translated picture has the edges of its own picture, from 0 to 1",
    "agreement": "how well a picture agrees with its caption (cosine of embeddings)",
}
# Those without a tag: what a tag would say another thing of.
UNTAGGED = {"recall": "how often a picture's own caption agrees with it most, among captions of others"}
COMPARED = {  # answers that take no training, and other twins of a score
    "_bicubic": "of bicubic enlargement, to compare with",
    "_mean": "of the mean as the answer, to compare with",
    "_input": "of the input as the answer, to compare with",
    "_smooth": "of a smooth filling, to compare with",
    "_shuffled": "with another picture's, to compare with",
    "_gain": "less what another picture's gives",
    "_real": "of real pictures, to compare with",
    "_ratio": "",
}


def meaning(name: str) -> str:
    """A sentence for a score by its name with its tag, or nothing of one that is not known here."""
    return _sentence(name, MEANINGS | UNTAGGED) or _sentence(TAG.sub("", name), MEANINGS)


def _sentence(name: str, known: Mapping[str, str]) -> str:
    """The sentence for a name without a tag, with what its suffix and its side add."""
    side = SIDE.search(name)
    plain = SIDE.sub("", name)
    suffix = "" if plain in known else next(filter(plain.endswith, COMPARED), "")
    base = known.get(plain.removesuffix(suffix), "")
    return base and "; ".join(filter(None, [base, COMPARED.get(suffix), side and f"side {side[1]}"]))


def own_first(records: Sequence[Record], evaluation: Mapping[str, Any] | None) -> list[Record]:
    """The records with those first that were measured as the run's own config says."""
    stated = {key: value for key, value in (evaluation or {}).items() if value is not None}

    def others(record: Record) -> int:
        protocol = record.result.protocol
        return sum(key in protocol and protocol[key] != value for key, value in stated.items())

    return sorted(records, key=others)
