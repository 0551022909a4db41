"""Texts of a user for a trained run that makes pictures of texts."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gantrain.data.captions import remarks
from gantrain.data.formats.embeddings import read_embeddings
from gantrain.errors import UserError, tell
from gantrain.networks.text import Given

LARGEST = 1 << 20  # bytes of a file of texts
MOST = 1000  # texts of one command


class Asked(NamedTuple):
    """What pictures are asked of: a name for each, and embeddings (n, d)."""

    names: list[str]
    embeddings: Tensor


def asked_of(module: Any, data: Any, texts: Sequence[str], file: Path | None, given: Path | None, raw: bool) -> Asked:
    """What the options --text, --text-file and --embedding ask for, in this order. Raises UserError.

    Says what of a text is lost to the run's encoder.
    """
    texts = [*texts, *(read_texts(file) if file is not None else [])]
    if any(not text.strip() for text in texts):
        raise UserError("--text: a text is empty; say what is to be seen")
    embeddings = [] if given is None else [of_file(module, given)]
    if not texts and not embeddings:
        raise UserError("this run makes pictures of texts: give --text 'TEXT', --text-file FILE or --embedding FILE")
    if len(texts) > MOST:
        raise UserError(f"--text: {len(texts):,} texts are too many, at most {MOST:,} are taken at once")
    if texts:
        embeddings.insert(0, embedded(module, data, texts, raw))
    names = [*texts, *(f"{given.name} {row}" for part in embeddings[bool(texts) :] for row in range(len(part)))]
    return Asked(names, torch.cat(embeddings))


def read_texts(file: Path) -> list[str]:
    """The texts in a file, one a line; empty lines are left out. Raises UserError."""
    try:
        if file.stat().st_size > LARGEST:
            raise UserError(f"--text-file: {file} has more than {LARGEST >> 20} MB; it holds a text a line")
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"--text-file: cannot read {file} ({reason}); it must be text in UTF-8") from error
    texts = [line.strip() for line in lines if line.strip()]
    if not texts:
        raise UserError(f"--text-file: {file} holds no text, only empty lines; write one a line")
    return texts


def embedded(module: Any, data: Any, texts: Sequence[str], raw: bool) -> Tensor:
    """Embeddings (n, d) of texts by the run's encoder. Raises UserError where it has none."""
    encoder = module.averaged("text", raw)
    if isinstance(encoder, Given):
        try:
            found = torch.as_tensor(encoder.embed(list(texts))).float().cpu()
        except NotImplementedError as error:
            raise UserError(
                "--text: this run has learnt from embeddings that somebody computed, and knows no encoder; compute "
                "those of your texts in the same way and give --embedding FILE (.npy, .npz or .safetensors)"
            ) from error
        if found.shape != (len(texts), encoder.features):
            raise UserError(
                f"networks.text.embed gives {tuple(found.shape)} for {len(texts)} texts, it must give "
                f"{(len(texts), encoder.features)}"
            )
        return found
    for remark in remarks(texts, data.length):
        tell(f"--text: {remark}")
    return module.embedded(data.tokens(texts), raw)


def of_file(module: Any, file: Path) -> Tensor:
    """The embeddings (n, d) in a file. Raises UserError for those of another size than the run takes."""
    found = torch.from_numpy(read_embeddings(file, "--embedding").values).flatten(0, 1)
    features = module.networks["text"].features
    if found.shape[1] != features:
        raise UserError(f"--embedding: those in {file} have {found.shape[1]} numbers, this run takes {features}")
    if len(found) > MOST:
        raise UserError(f"--embedding: {file} has {len(found):,}, at most {MOST:,} are taken at once")
    return found
