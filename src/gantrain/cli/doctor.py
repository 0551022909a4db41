"""`gantrain doctor [experiment=X ...]`: check this machine, and estimate what an experiment takes on it.

With an experiment, it builds the run and makes some iterations in a folder that it throws away. From them it estimates
the time, memory and disk of the whole length. This leaves out the time of scores. It trains nothing that you keep.

Examples:
    gantrain doctor
    gantrain doctor dcgan_folder data.root=PHOTOS
"""

import argparse

from gantrain.cli.options import Add
from gantrain.config.compose import composed, named_experiment, near_keys
from gantrain.drawing.text import clock
from gantrain.training.quiet import quiet_libraries


def add_options(add: Add) -> None:
    add("overrides", nargs="*", metavar="key=value", help="as for training: experiment=, data.root=, ...")
    add("--config-dir", help="a folder with experiments of your own")


def main(args: argparse.Namespace) -> int:
    words = named_experiment(args.overrides)
    config = composed(words, args.config_dir) if words else None
    from gantrain.training.host import facts, troubles  # torch, only once the config is sound

    told(facts())
    wrong = troubles()
    if config is not None:
        print()
        with near_keys(words):
            wrong += experiment(config)
    for sentence in wrong:
        print(f"{'wrong':<10}  {sentence}")
    if not wrong:
        print("\nnothing is wrong")
    return 0


def experiment(config: dict) -> list[str]:
    """Print what a run of this config takes; what is wrong with that here comes back."""
    from gantrain.cli.data import describe  # torch and Lightning, as above
    from gantrain.training.dry_run import dry_run
    from gantrain.training.host import free_disk

    quiet_libraries()
    found, memory = dry_run(config)
    seen = []
    for part in found:
        stage = part.ready.stage
        if stage.tag:
            print(f"stage {stage.tag}")
        if part.ready.data not in seen:
            describe(part.ready.data)
            seen.append(part.ready.data)
        cpu = f", {1000 * part.cpu:,.1f} ms of the processor's"
        told(
            {
                "iteration": f"{1000 * part.iteration:,.1f} ms{cpu}, the mean of {part.timed}",
                "length": f"{part.length:,} iterations",
                "time": f"{clock(part.seconds)}" + (" and the scores" if config.get("evaluation") else ""),
                "checkpoint": f"{part.saved / 1e6:,.1f} MB",
                "disk": f"{part.disk / 1e6:,.0f} MB",
            }
        )
    seconds, disk = sum(part.seconds for part in found), sum(part.disk for part in found)
    told(
        {
            "memory": ", ".join(f"{megabytes:,} MB of the {kind}" for kind, megabytes in memory.items()),
            "in all": f"{clock(seconds)}, {disk / 1e6:,.0f} MB of disk",
        }
    )
    free = free_disk(".")
    return [f"the run needs {disk / 1e9:,.1f} GB of disk, {free / 1e9:,.1f} are free here"] if disk > free else []


def told(facts: dict[str, str]) -> None:
    for key, value in facts.items():
        print(f"{key:<10}  {value}", flush=True)
