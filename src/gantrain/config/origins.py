"""Where each value of a composed config comes from: the last YAML that states it, or a word of the command line."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode
from omegaconf import OmegaConf

from gantrain.config.compose import arrange, searched
from gantrain.config.stages import STAGE_KEYS
from gantrain.folders import configs_folder

WORKED_OUT = "worked out"  # for values that no YAML states, such as a length that another has replaced


def origins(overrides: Sequence[str], config_dir: str | None) -> dict[str, str]:
    """The origin of each full key: `losses/content.yaml`, a user's own file by its path, or the word that was typed."""
    words = arrange(overrides)
    folders = [configs_folder(), *([Path(config_dir)] if config_dir else [])]
    found: dict[str, str] = {}
    with initialize_config_dir(str(configs_folder()), version_base="1.3"):
        loader = GlobalHydra.instance().config_loader()
        parts = loader.compute_defaults_list("train", [*words, *searched(config_dir)], RunMode.RUN).defaults
    for part in parts:
        name = f"{part.config_path}.yaml"
        file = next((folder / name for folder in folders if (folder / name).is_file()), None)
        if file is None:  # Hydra's own
            continue
        package = f"{part.package}." if part.package else ""
        stated: Any = OmegaConf.to_container(OmegaConf.load(file), resolve=False)
        said = name if file.is_relative_to(configs_folder()) else str(file)
        stated.pop("defaults", None)
        for key in leaves(stated, package) if stated else [part.package]:
            found[key] = said
    for word in words:
        key, equals, _ = word.partition("=")
        if equals and not word.startswith("-"):
            found[key.lstrip("+~")] = word.removeprefix("++")
    return found


def leaves(node: Any, prefix: str = "") -> Iterator[str]:
    """The full keys of a config that hold a value, a list or nothing."""
    for key, value in node.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def origin_of(key: str, found: Mapping[str, str]) -> str:
    """The origin of a key: its own, or that of the nearest node above; for a stage also that of the root's key."""
    parts = key.split(".")
    places = [parts[:length] for length in range(len(parts), 0, -1)]
    if parts[0] == "stages" and len(parts) > 2 and parts[2] in STAGE_KEYS:
        own = [place for place in places if len(place) > 2]
        places = own + [place[2:] for place in own]
    return next((found[name] for name in map(".".join, places) if name in found), WORKED_OUT)
