"""Names of folders, files and configs on the command line: text, which Hydra's grammar would often misread."""

import os
from pathlib import Path
from types import NoneType
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Quote, QuotedString
from hydra.errors import HydraException

from gantrain.config.paths import place_of
from gantrain.config.words import parted
from gantrain.errors import UserError
from gantrain.folders import configs_folder


def as_text(word: str, sweeping: bool = False) -> str:
    """`key=value`, in quotes where it names a folder, file or config and the grammar would take its value for another.

    `~/d` is the user's; a folder may be called `2024_01`, which is a number, `it's` or `a, b (2)`. Between commas are
    several values where a sweep is asked for. Raises UserError for a folder or file without a name.
    """
    sign, name, text = parted(word)
    place, group = place_of(name), name.partition("@")[0] in groups()
    if text is None or not (place or group):
        return word
    sweeping = sweeping and not name.startswith("hydra.")  # the sweep's own settings have one value
    if place and text.startswith("~"):
        text = ",".join(map(os.path.expanduser, text.split(",") if sweeping else [text]))
        word = f"{sign}{name}={text}"
    try:
        override = OverridesParser.create().parse_override(word)
    except HydraException:
        values = text.split(",") if sweeping else [text]
    else:
        if place and override.value() == "":
            raise UserError(f"{name}: empty; name a {'folder' if place.kind == 'folder' else 'file'}")
        # `null` is no name of a config, and the default for a place.
        meant = (str, list) if group else (str, list, dict, NoneType)
        if (sweeping or group) if override.is_sweep_override() else isinstance(override.value(), meant):
            return word
        values = [text]
    return f"{sign}{name}=" + ",".join(QuotedString(value, Quote.single).with_quotes() for value in values)


def value_of(word: str) -> Any:
    """What Hydra reads in the value of `key=value`; the text itself where it cannot."""
    try:
        return OverridesParser.create().parse_override(word).value()
    except HydraException:
        return parted(word).value or ""


def groups() -> set[str]:
    """The groups of configs, as `losses` and `losses/content`."""
    top = configs_folder()
    return {Path(folder).relative_to(top).as_posix() for folder, _, _ in os.walk(top)} - {"."}
