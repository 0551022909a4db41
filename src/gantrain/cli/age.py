"""`gantrain age RUN PHOTO...`: draw one row for each photo of a face: photo, reconstruction, the face in other ages.

Examples:
    gantrain age RUN anna.jpg ben.jpg --out FACES
    gantrain age RUN anna.jpg --out FACES --to 5 --single
"""

import argparse
from pathlib import Path

from gantrain.cli.options import Add, add_run


def add_options(add: Add) -> None:
    add_run(add, "the directory of a run of agecgan_wiki or its kin")
    add("photos", type=Path, nargs="+", metavar="PHOTO", help="pictures cut to a face, as in training")
    add("--out", type=Path, required=True, metavar="DIR", help="a folder; the rows go to DIR/ages.png")
    add("--to", default="all", metavar="AGE", help="one class of age, 0 to 5, or all (all)")
    add("--from", dest="own", metavar="AGE", help="the photos' own class (the one whose reconstruction is nearest)")
    add("--optimise", action="store_true", help="refine each face's latent by L-BFGS; some seconds each")
    add("--face", type=Path, metavar="FILE", help="the run's face recogniser, where it lies elsewhere now")
    add("--single", action="store_true", help="single files as well: DIR/<photo>_<what>.png")


def main(args: argparse.Namespace) -> None:
    from gantrain.cli.work.age import age  # torch, only once the words are sound

    age(args)
