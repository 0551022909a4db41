"""Verdicts on a game from its history of measurements: in words, with the evidence and a first remedy.

Nothing is measured here: `judge` is a pure function of what `evaluation/checkup.py` has measured.
"""

import math
import re
import statistics
from collections.abc import Callable, Sequence
from typing import Any

from gantrain.run.health import YOUNG, Finding

Values = dict[str, Any]

LOOKS = 3  # looks whose median is judged; with fewer looks only certain verdicts are given
SETTLED = 5  # looks after which running means have settled and fakes are no longer plain grey
MATURE = 16  # looks before which a slow game may still make few kinds of samples
PATIENCE = 8  # looks before which a game need not be good, and over which a game that learns must have changed
# The thresholds of all rules below. They apply to medians over the last looks, unless they say otherwise.
LIMITS = {
    "better": 1.03,  # factor over `PATIENCE` looks by which fakes get nearer or more diverse while a game learns
    # diverging
    "loss": 1e3,  # a loss or a mean logit beyond it, where the loss has a logit of indecision: usual are 0.1 to 10
    "step": 0.5,  # of a weight's length in one step: usual are 0.001 to 0.05
    # not learning
    "still step": 1e-7,
    "still loss": 1e-5,  # the range of the loss over `PATIENCE` looks, as a share of it
    "inverted": 0.1,  # separation below it: the discriminator takes fakes for the real ones
    "undecided": 0.05,  # separation as near to 0.5 as this
    "norm gap": 0.45,  # between a sample in training and in use, in distances of two real ones
    # generator collapsed
    "diversity": 0.25,  # of the real samples'
    "duplicates": 0.5,  # of the fakes, more than of the real ones
    "one sample": 1e-3,  # diversity below it: latents make no difference
    "dead": 0.5,  # of the generator's channels; told as well
    "saturated": 0.15,  # of the fakes' numbers at an end of the range, more than of the real ones'; told as well
    "growing": 1.2,  # times: a young generator whose diversity grows like this is still on its way
    # memorising
    "nearest": 0.6,  # of the usual distance to the nearest training sample
    "overfit": 0.3,  # accuracy, or separation, on training's real samples above that on unseen ones
    "copied error": 2.0,  # error on unseen inputs over that on training's
    # discriminator winning
    "separation": 0.99,
    "far": 1.25,  # of the usual distance to the nearest training sample: fakes beyond it do not look real
    "very far": 2.0,  # the same, where logits have no scale by which to tell
    "gap": 8.0,  # of the mean logits on real and fake samples: e^8 to 1
    # augmentation leaking
    "augmented": 0.5,  # standard deviations by which what is shown differs from the data
    "leak": 0.5,  # of that difference, in the fakes
    # some modes missing
    "lack": 0.2,  # of the samples, that are not where the data are, more than chance alone makes (total variation)
    "fewer": 0.9,  # times what was lacking `PATIENCE` looks ago: the game still learns to make more kinds
    "few": 0.5,  # of a cluster's share; told as well
    "fakes": 300,  # that must be counted for that
}


class History:
    """The looks of a stage, oldest first; `prefix` selects the measures of one player or one side of the game."""

    def __init__(self, looks: Sequence[Values], prefix: str = ""):
        self.looks, self.prefix, self.name = looks, prefix, prefix.rstrip("/")

    def of(self, name: str, last: int = LOOKS) -> list[float]:
        """The values of a measure in the last looks; an empty list if one of them does not have it."""
        found = [look.get(f"{self.prefix}{name}") for look in self.looks[-last:]]
        return found if len(found) == last and all(isinstance(value, float) for value in found) else []

    def median(self, name: str, last: int = LOOKS) -> float | None:
        values = self.of(name, last)
        return statistics.median(values) if values else None

    def above(self, name: str, limit: str) -> bool:
        value = self.median(name)
        return value is not None and value > LIMITS[limit]

    def below(self, name: str, limit: str) -> bool:
        value = self.median(name)
        return value is not None and value < LIMITS[limit]

    def number(self, name: str) -> str:
        return f"{self.median(name):.2g}"


def judge(looks: Sequence[Values]) -> Finding:
    """The verdict after the last look, given all earlier ones: that of the first of `RULES` that finds something."""
    players, sides = subjects(looks, "turns"), subjects(looks, "not_finite")
    for rule, of_players in RULES:
        for subject in players if of_players else sides:
            if finding := rule(subject):
                where = f"side {subject.name}: " if subject.name and not of_players else ""
                remedy = finding.remedy
                for player in players:  # of two generators that are one player
                    remedy = remedy.replace(f"players.{player.name.removesuffix('s')}.", f"players.{player.name}.")
                return Finding(finding.verdict, [f"{where}{line}" for line in finding.evidence], remedy)
    return Finding("healthy", [speaks_for(side) for side in sides]) if len(looks) >= LOOKS else Finding(YOUNG)


def subjects(looks: Sequence[Values], known_by: str) -> list[History]:
    """The players, or the sides of a game: one for each prefix under which the measure `known_by` occurs."""
    return [History(looks, key.removesuffix(known_by)) for key in sorted(looks[-1]) if key.endswith(known_by)]


def diverged(what: str) -> Finding:
    """The finding for training that ended with a value that is not finite."""
    player = re.search(r"of player '([\w-]+)'", what)
    return Finding("diverging", [what], LOWER.replace("<player>", player[1]) if player else LOWER)


GENTLER = "lower models.players.generator.optimizer.lr"
BOUND = (
    "bound the discriminator: +losses.penalties.r1='{_target_: gantrain.losses.penalties.R1, weight: 1.0, every: 8}', "
    "which needs one without batch norm"
)
LOWER = (
    "lower models.players.<player>.optimizer.lr, by a factor of ten; then look whether the data lie in data.range, and "
    "take bf16-mixed for trainer.precision=16-mixed"
)


# ---- rules of players: each sees one player's measures ---------------------------------------------------------------


def explodes(player: History) -> Finding | None:
    said, name = [], player.name
    losses = player.of("loss", 2)
    if player.looks[-1].get(f"{player.prefix}bounded") and losses and min(map(abs, losses)) > LIMITS["loss"]:
        said.append(f"the loss of the {name} is {losses[-1]:.3g}")
    steps, unmeasured = player.of("step", 2), [look.get(f"{player.prefix}loss") is None for look in player.looks[-2:]]
    if steps and max(steps) == 0 and all(unmeasured):  # models.on_divergence=skip
        said.append(f"no step of the {name} is made, for its losses or gradients are not finite")
    if player.above("step", "step"):
        said.append(f"one step moves the {name} by {player.median('step'):.0%} of its weights")
    if said:
        return Finding("diverging", said, f"lower models.players.{name}.optimizer.lr, by a factor of ten at least")
    return None


def stands_still(player: History) -> Finding | None:
    name, turns = player.name, player.of("turns", PATIENCE)
    steps = player.of("step", 2)
    if turns and turns[0] == turns[-1]:
        return Finding(
            "not learning",
            [f"the {name} has not played since {PATIENCE - 1} looks"],
            f"look at models.players.{name}.every and plays_when",
        )
    if steps and max(steps) < LIMITS["still step"] and player.median("grad_norm", 2) != 0:
        return Finding(
            "not learning",
            [f"the weights of the {name} do not move: a step is {max(steps):.1g} of their length"],
            f"raise models.players.{name}.optimizer.lr, and look whether a schedule has taken it to 0",
        )
    return None


def gets_no_gradient(player: History) -> Finding | None:
    name, gradients, losses = player.name, player.of("grad_norm"), player.of("loss", PATIENCE)
    if gradients and max(gradients) == 0:
        return Finding(
            "not learning",
            [f"no gradient reaches the {name}"],
            f"look at networks.{name}: its layers are saturated or dead, or its inputs are 0; a lower "
            f"models.players.{name}.optimizer.lr keeps a network from getting there",
        )
    if losses and max(losses) - min(losses) <= LIMITS["still loss"] * max(map(abs, losses)):
        return Finding(
            "not learning",
            [f"the loss of the {name} stands still at {losses[-1]:.4g} over {PATIENCE} looks"],
            f"change models.players.{name}.optimizer.lr: lower it where it saturated the networks, else raise it",
        )
    return None


# ---- rules of sides: each sees what is made on one side of the game, and how it is judged ----------------------------


def explodes_in_logits(side: History) -> Finding | None:
    if share := side.looks[-1].get(f"{side.prefix}not_finite"):
        return Finding("diverging", [f"{share:.0%} of the fakes' numbers are not finite"], LOWER)
    logits = [side.of(f"{kind}_logit", 2) for kind in ("real", "fake")]
    bounded = all(logits) and side.of("real_accuracy", 1)
    largest = max((min(map(abs, values)) for values in logits), default=0) if bounded else 0
    if largest > LIMITS["loss"]:
        remedy = "lower models.players.discriminator.optimizer.lr, by a factor of ten at least"
        return Finding("diverging", [f"the discriminator's logits have grown to {largest:.3g}"], remedy)
    return None


def labels_inverted(side: History) -> Finding | None:
    if side.below("separation", "inverted") and not side.below("nearest", "far"):
        return Finding(
            "not learning",
            [
                f"the discriminator takes fakes for the real samples (it prefers the real one of "
                f"{side.median('separation'):.0%} of pairs)",
                *far_away(side),
            ],
            "look at losses.adversarial.real, .fake and .generator: fakes must be pulled to where the real samples are",
        )
    return None


def data_alike(side: History) -> Finding | None:
    if side.median("real_diversity", 1) == 0:
        return Finding(
            "memorising",
            ["all real samples are the same: there is nothing to learn but that one"],
            "look at the pictures under data.root (`gantrain data` shows them)",
        )
    return None


def copies(side: History) -> Finding | None:
    said = []
    if side.below("nearest", "nearest"):
        said.append(f"fakes lie {side.number('nearest')} of the usual distance from their nearest training sample")
    for name, what in (("accuracy", "accuracy"), ("separation", "separation from fakes")):
        seen, unseen = side.median(f"real_{name}" if name == "accuracy" else name), side.median(f"unseen_{name}")
        if seen is not None and unseen is not None and seen - unseen > LIMITS["overfit"]:
            said.append(f"the discriminator's {what} is {seen:.2g} on training's samples, {unseen:.2g} on unseen ones")
    error, unseen = side.median("error"), side.median("unseen_error")
    if error and unseen and unseen > LIMITS["copied error"] * error:
        said.append(f"the error is {error:.2g} on training's inputs, {unseen:.2g} on unseen ones")
    if said:
        return Finding("memorising", said, "more samples under data.root, data.augment.flip=true, or fewer iterations")
    return None


def one_for_all(side: History) -> Finding | None:
    said, apart = [], side.median("diversity")
    repeats, usual = side.median("duplicates"), side.median("real_duplicates") or 0.0
    if repeats is not None and repeats - usual > LIMITS["duplicates"]:
        said.append(f"{repeats:.0%} of the fakes are near-duplicates of another, of the real samples {usual:.0%}")
    if apart is not None and apart < LIMITS["one sample"]:
        said.append("every latent gives the same sample")
        return collapsed(
            side, said, "look at models.z_std, networks.generator.z_dim and what the generator does with z"
        )
    return collapsed(side, said) if said and not is_growing(side) else None


def little_diversity(side: History) -> Finding | None:
    if side.below("diversity", "diversity") and is_mature(side):
        return collapsed(side, [f"two fakes lie {side.number('diversity')} times as far apart as two real samples"])
    return None


def is_mature(side: History) -> bool:
    """Whether a game has had enough looks, and its fakes get neither nearer to the data nor more diverse."""
    apart, half = side.of("diversity", PATIENCE), PATIENCE // 2
    grows = bool(apart) and statistics.median(apart[half:]) > LIMITS["better"] * statistics.median(apart[:half])
    return len(side.looks) >= MATURE and not grows and not comes_nearer(side)


def is_growing(side: History) -> bool:
    """Whether the diversity of a young generator is still growing."""
    apart = side.of("diversity")
    return bool(apart) and len(side.looks) < PATIENCE and apart[-1] > LIMITS["growing"] * apart[0]


def collapsed(side: History, said: list[str], remedy: str = f"{GENTLER}, or {BOUND}") -> Finding:
    """The finding of a collapse, with further evidence."""
    dead = max((v for name, v in side.looks[-1].items() if re.fullmatch(r"gen\w*/dead", name) and v), default=0)
    if dead > LIMITS["dead"]:
        said.append(f"{dead:.0%} of the generator's channels have one value everywhere")
    ends, usual = side.median("saturated"), side.median("real_saturated")
    if None not in (ends, usual) and ends > usual + LIMITS["saturated"]:
        said.append(f"{ends:.0%} of their numbers lie at an end of the range, of the real samples' {usual:.0%}")
    return Finding("generator collapsed", said, remedy)


def augmentation_leaks(side: History) -> Finding | None:
    if len(side.looks) >= SETTLED and side.above("augmented", "augmented") and side.above("leak", "leak"):
        return Finding(
            "augmentation leaking",
            [
                f"fakes show {side.median('leak'):.0%} of what tells augmented pictures from the data "
                f"({side.number('augmented')} standard deviations)"
            ],
            "augment fakes as well as real pictures, and less strongly (models.augment)",
        )
    return None


def far_away(side: History) -> list[str]:
    if side.above("nearest", "far"):
        return [f"fakes lie {side.number('nearest')} times the usual distance from their nearest training sample"]
    return []


def discriminator_wins(side: History) -> Finding | None:
    if not (side.above("separation", "separation") and far_away(side)):
        return None
    said = [f"the discriminator tells {side.median('separation'):.1%} of pairs apart"]
    real, fake = side.median("real_logit"), side.median("fake_logit")
    if side.median("real_accuracy") is not None:
        if real - fake < LIMITS["gap"]:
            return None
        said.append(f"its logits lie {real - fake:.3g} apart")
    elif not (is_mature(side) and side.above("nearest", "very far")):
        return None  # a good Wasserstein critic is no fault: its gradient gets better with it
    return Finding(
        "discriminator winning",
        [*said, *far_away(side)],
        f"lower models.players.discriminator.optimizer.lr, or {BOUND}",
    )


def comes_nearer(side: History) -> bool:
    """Whether fakes have come nearer to the data over the last looks."""
    distances, half = side.of("nearest", PATIENCE), PATIENCE // 2
    return bool(distances) and statistics.median(distances[:half]) > LIMITS["better"] * statistics.median(
        distances[half:]
    )


def modes_missing(side: History) -> Finding | None:
    counts = counted(side)
    if not is_mature(side) or sum(counts) < LIMITS["fakes"]:
        return None
    shares, total = side.looks[-1][f"{side.prefix}real_cells"], sum(counts)
    lack, chance = lacking(counts, shares)
    if lack - chance < LIMITS["lack"]:
        return None
    before = counted(History(side.looks[:-PATIENCE], side.prefix))
    if before and lack < LIMITS["fewer"] * lacking(before, shares)[0]:
        return None
    few = [share for share, count in zip(shares, counts, strict=True) if count < LIMITS["few"] * share * total]
    return Finding(
        "some modes missing",
        [
            f"{lack:.0%} of the samples that should be in some clusters of the data are in others (by chance "
            f"{chance:.0%})",
            f"{len(few)} of {len(shares)} clusters, {sum(few):.0%} of the data, have less than half of their share",
        ],
        f"a larger data.batch_size, {GENTLER.removeprefix('lower ')} lower, or losses=wasserstein_gp",
    )


def lacking(counts: Sequence[int], shares: Sequence[float]) -> tuple[float, float]:
    """The share of fakes that are in other clusters than real samples would be, and what chance alone gives for it."""
    total = sum(counts)
    lack = sum(max(0.0, share - count / total) for share, count in zip(shares, counts, strict=True))
    return lack, sum(math.sqrt(share / (2 * math.pi * total)) for share in shares)


def counted(side: History) -> list[int]:
    """The number of fakes in each cluster, over as many of the last looks as it takes to count enough fakes."""
    counts: list[int] = []
    for number, look in enumerate(reversed(side.looks)):
        cells = look.get(f"{side.prefix}cells")
        if not cells or (number >= SETTLED and sum(counts) >= LIMITS["fakes"]):
            break
        counts = [sum(pair) for pair in zip(counts, cells, strict=True)] if counts else cells
    return counts


def norm_differs(side: History) -> Finding | None:
    if len(side.looks) < SETTLED or not side.above("norm_gap", "norm gap"):
        return None
    return Finding(
        "not learning",
        [
            f"a sample in use lies {side.number('norm_gap')} as far from the same one in training as two real samples "
            f"from each other: batch norm sees too few samples at a time, or its running means lag behind"
        ],
        "raise data.batch_size (or lower models.microbatches), or take a generator without batch norm",
    )


def learns_nothing(side: History) -> Finding | None:
    if len(side.looks) < PATIENCE or not far_away(side):
        return None
    apart = side.median("separation", PATIENCE)
    if apart is not None and abs(apart - 0.5) < LIMITS["undecided"]:
        return Finding(
            "not learning",
            [f"the discriminator prefers the real one of {apart:.0%} of pairs, as by chance", *far_away(side)],
            "raise models.players.discriminator.optimizer.lr, or give it more width",
        )
    return None


def speaks_for(side: History) -> str:
    """A few numbers as evidence for a healthy game."""
    words = {"separation": "separation", "diversity": "diversity", "nearest": "distance to training's"}
    return ", ".join(f"{what} {side.number(name)}" for name, what in words.items() if side.median(name) is not None)


# From the most to the least urgent, and whether a rule is about players or about sides of the game.
RULES: Sequence[tuple[Callable[[History], Finding | None], bool]] = (
    *((explodes, True), (explodes_in_logits, False), (stands_still, True)),
    *((labels_inverted, False), (data_alike, False), (one_for_all, False), (gets_no_gradient, True)),
    *((augmentation_leaks, False), (copies, False), (norm_differs, False), (discriminator_wins, False)),
    *((little_diversity, False), (learns_nothing, False), (modes_missing, False)),
)
