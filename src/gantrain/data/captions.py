"""Captions as numbers: letters by Reed's alphabet, or embeddings that somebody has computed; whose they are."""

from collections.abc import Sequence

import numpy as np

from gantrain.data.stream import hashed
from gantrain.errors import UserError, tell
from gantrain.rng import derive_seed

# 70 places, 69 different letters: Zhang et al. 2015 (arXiv 1509.01626) and Reed et al. 2016 have '-' twice.
ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789-,;.!?:'\"/\\|_@#$%^&*~`+-=<>()[]{} "
LENGTH = 201  # letters of a caption in Reed et al. 2016
PLACES = {letter: place for place, letter in enumerate(ALPHABET, 1)}
TRIES = 1000  # draws of a caption for a picture that it does not belong to


def tokens(texts: Sequence[str], length: int) -> np.ndarray:
    """Texts as places in the alphabet (n, length) uint8, 0 behind their end; an unknown letter is a blank."""
    found = np.zeros((len(texts), length), np.uint8)
    for row, text in zip(found, texts, strict=True):
        letters = plain(text, length)
        row[: len(letters)] = [PLACES[letter] for letter in letters]
    return found


def plain(text: str, length: int) -> str:
    """What of a text its tokens hold."""
    return "".join(letter if letter in PLACES else " " for letter in text.lower()[:length])


def words(row: Sequence[int]) -> str:
    """The text that tokens stand for, in lower case."""
    return "".join(ALPHABET[place - 1] for place in row if place)


def remarks(texts: Sequence[str], length: int) -> list[str]:
    """What of texts is lost as tokens, in sentences that name the first such text."""
    long = [text for text in texts if len(text) > length]
    odd = [text for text in texts if set(text.lower()) - PLACES.keys()]
    told, of = [], f"of {len(texts):,} texts have"
    if long:
        told.append(f"{len(long):,} {of} more than {length} letters and are cut, such as {long[0][:40]!r}...")
    if odd:
        lost = "".join(sorted(set(odd[0].lower()) - PLACES.keys())[:5])
        told.append(
            f"{len(odd):,} {of} letters that the alphabet lacks, which become blanks, such as {lost!r}; it has English "
            f"letters, digits and punctuation"
        )
    return told


class Captions:
    """The captions of pictures, as rows of `values`: tokens (m, length) uint8, or embeddings (m, d) float32.

    `own` (n, most) are each picture's rows, -1 beyond its `counts` (n,). Pictures of one of the `groups` (n,) may
    share what their captions say: no caption of one is a mismatch for another.
    """

    def __init__(self, values: np.ndarray, own: np.ndarray, groups: np.ndarray):
        self.values, self.own, self.groups = values, own, groups
        self.counts = (own >= 0).sum(1)

    @classmethod
    def of_texts(cls, texts: Sequence[Sequence[str]], groups: np.ndarray, length: int) -> "Captions":
        """The captions of each picture; equal ones are one row, so none is a mismatch for a picture that has it."""
        rows: dict[str, int] = {}
        own = np.full((len(texts), max(map(len, texts))), -1)
        for mine, captions in zip(own, texts, strict=True):
            numbers = dict.fromkeys(rows.setdefault(plain(text, length), len(rows)) for text in captions)
            mine[: len(numbers)] = list(numbers)
        return cls(tokens(list(rows), length), own, groups)

    @classmethod
    def of_embeddings(cls, embeddings: np.ndarray, groups: np.ndarray) -> "Captions":
        """The captions are embeddings (n, k, d), k of each picture."""
        n, k, d = embeddings.shape
        return cls(embeddings.reshape(n * k, d), np.arange(n * k).reshape(n, k), groups)

    def tell(self, texts: Sequence[Sequence[str]], length: int) -> None:
        for remark in remarks([text for captions in texts for text in captions], length):
            tell(remark)

    def drawn(self, pictures: np.ndarray, positions: np.ndarray, seed: int) -> np.ndarray:
        """The row of one caption of each of `pictures`, by its position."""
        return self.own[pictures, _below(self.counts[pictures], positions, seed)]

    def mismatched(self, pictures: np.ndarray, positions: np.ndarray, seed: int) -> np.ndarray:
        """The row of a caption that belongs to a picture of another group, by position. Raises UserError."""
        found = np.full(len(pictures), -1)
        for attempt in range(TRIES):
            open_ = np.flatnonzero(found < 0)
            if not len(open_):
                return found
            mine, at = pictures[open_], positions[open_]
            others = _below(np.full(len(at), len(self.own)), at, derive_seed(seed, "picture", attempt))
            rows = self.drawn(others, at, derive_seed(seed, "caption", attempt))
            fits = (self.groups[others] == self.groups[mine]) | (self.own[mine] == rows[:, None]).any(1)
            found[open_] = np.where(fits, -1, rows)
        raise UserError(
            "data: some pictures have no mismatch, a caption of another class (or picture) that is not theirs as well; "
            "the discriminator learns from mismatches what a text means, so captions must differ"
        )


def _below(high: np.ndarray, positions: np.ndarray, seed: int) -> np.ndarray:
    """A whole number below `high` (n,) for every position."""
    return (hashed(positions, seed) % high.astype(np.uint64)).astype(np.int64)
