"""What the page says of scores: those of the run's own protocol first, each with a sentence."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from gantrain.run.scores import Record

TAG = re.compile(r"\d+k?_\w+$")  # of a protocol, as in fid10k_tf
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
    "classes": "the share of the data's classes that occur among the samples",
    "sure": "the share of samples that a classifier is sure about",
    "kl": "how far the shares of the classes lie from what they should be; 0 is the same",
    "js": "how far the shares of the classes lie from the data's, from 0, the same, to 1",
    "intra": "the Frechet distance within each class, on average",
    "class_accuracy": "the share of samples that a classifier takes for the class they were asked to be",
    "modes": "how many of the 1,000 combinations of digits occur",
    "tenth": "how many of the 1,000 combinations occur at least a tenth as often as they should",
    "psnr": "the signal-to-noise ratio in decibels: how near the pixels are to the truth",
    "psnr_y": "the signal-to-noise ratio in decibels: how near the brightness is to the truth",
    "ssim": "the structural similarity to the truth: 1 is the same",
    "ssim_y": "the structural similarity of the brightness to the truth: 1 is the same",
    "l1": "the mean absolute difference from the truth, of 0 to 255",
    "content": "the difference from the truth as the content loss's network sees it",
    "coverage_iou": "the share of real volumes that are nearest to some generated one",
    "mmd_iou": "how far real volumes are from the nearest generated one, on average",
    "occupancy": "the share of full voxels over that of real volumes",
    "fill": "how full the box around an object is, over that of real ones",
    "alike": "how alike volumes are among each other, over how alike real ones are",
    "identity": "the share of faces that are recognised in their reconstruction",
    "aged_identity": "the share of faces that are recognised in other ages",
    "age_accuracy": "the share of faces that a classifier takes for the age they were made in",
    "spread": "how different reconstructions are from each other, over how different the photos are",
}
COMPARED = {  # answers that take no training, and other twins of a score
    "_bicubic": "of bicubic enlargement, to compare with",
    "_mean": "of the mean as the answer, to compare with",
    "_input": "of the input as the answer, to compare with",
    "_smooth": "of a smooth filling, to compare with",
    "_shuffled": "of another person's face, to compare with",
    "_gain": "less what another person's face gives",
    "_ratio": "",
}


def meaning(name: str) -> str:
    """A sentence for a score by its name with its tag, or nothing of one that is not known here."""
    if (key := TAG.sub("", name)) in MEANINGS:
        return MEANINGS[key]
    for suffix, said in COMPARED.items():
        if name.endswith(suffix) and (base := MEANINGS.get(name.removesuffix(suffix))):
            return f"{base}; {said}" if said else base
    return MEANINGS.get(name, "")


def own_first(records: Sequence[Record], evaluation: Mapping[str, Any] | None) -> list[Record]:
    """The records with those first that were measured as the run's own config says."""
    stated = {key: value for key, value in (evaluation or {}).items() if value is not None}

    def others(record: Record) -> int:
        protocol = record.result.protocol
        return sum(key in protocol and protocol[key] != value for key, value in stated.items())

    return sorted(records, key=others)
