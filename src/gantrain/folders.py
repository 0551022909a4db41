"""Where our YAML files, the user's data and the caches are; imports nothing heavy."""

import os
from pathlib import Path


def configs_folder() -> Path:
    """In a checkout the folder beside `src`, else the copy inside the installed package.

    The checkout comes first: an editable install leaves a stale copy in the package.
    """
    package = Path(__file__).parent
    checkout = package.parents[1] / "configs"
    return checkout if (checkout / "train.yaml").is_file() else package / "configs"


def data_folder() -> Path:
    """Where data is looked for when `data.root` is not set: `$GANTRAIN_DATA`, else `data` in the working directory."""
    return Path(os.environ.get("GANTRAIN_DATA") or "data")


def cache_folder() -> Path:
    """`$GANTRAIN_CACHE`, else `gantrain` in the user's cache folder."""
    own, base = os.environ.get("GANTRAIN_CACHE"), os.environ.get("XDG_CACHE_HOME")
    return Path(own or Path(base or Path.home() / ".cache", "gantrain"))
