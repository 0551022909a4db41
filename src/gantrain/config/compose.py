"""From the words of a command to a composed config: Hydra's grammar, and its errors as sentences."""

import contextlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.errors import ConfigCompositionException, HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from gantrain.config.finalise import finalise
from gantrain.config.keys import keys_of, meant
from gantrain.config.overrides import as_text, groups
from gantrain.config.words import parted
from gantrain.errors import UnknownKey, UserError, did_you_mean
from gantrain.folders import configs_folder

NOT_COMPOSED = (HydraException, OmegaConfBaseException, ValueError)  # the last for data.range.x=5: a list has no x
TOGETHER = ("models/augment",)  # groups of which several configs may be chosen: each has a key of its own
# Hydra's options, and whether each takes a value.
OPTIONS = {
    **dict.fromkeys(
        ("--multirun", "-m", "--run", "-r", "--resolve", "--hydra-help", "--shell-completion", "-sc"), False
    ),
    **dict.fromkeys(("--config-dir", "-cd", "--config-name", "-cn", "--config-path", "-cp"), True),
    **dict.fromkeys(("--cfg", "-c", "--package", "-p", "--info", "-i"), True),
}

# What the field calls a loss by, without dashes, and our name of it.
KNOWN_AS = {
    "wgan": "wasserstein",
    "wgangp": "wasserstein_gp",
    "wgandiv": "wasserstein_div",
    "lsgan": "least_squares",
    "mse": "least_squares",
    "rpgan": "relativistic",
    "r3gan": "relativistic",
}


def arrange(words: Sequence[str]) -> list[str]:
    """The words as Hydra's parser takes them: options first, wherever the user put them. Raises UserError.

    A word may set an option that no YAML states (Hydra's `++`): the class that takes it refuses unknown ones, and says
    which are near.
    """
    options, overrides = [], []
    rest, sweeping = list(words), bool({"-m", "--multirun"} & set(words))
    while rest:
        word = rest.pop(0)
        if not word.startswith("-"):
            _refuse_group_by_dots(word)
            word = as_text(word, sweeping)
            within = r"data|networks|losses|models|callbacks|evaluation|stages\.[\w-]+\.set"
            known = not re.match(rf"({within})\.[\w.]+=", word)
            overrides.append(word if known else f"++{word}")
            continue
        _, name, value = parted(word)
        if name not in OPTIONS:
            if value is None and rest and "=" not in rest[0]:
                value = rest[0]
            way_out = meant(name.lstrip("-"), _keys(words), value or "") or did_you_mean(name, OPTIONS)
            raise UserError(f"{name}: there is no such option{way_out}")
        options.append(word)
        if OPTIONS[name] and value is None:
            if not rest:
                raise UserError(f"{name} needs a value")
            options.append(value := rest.pop(0))
        if name in ("--config-dir", "-cd"):
            refuse_shadowed_experiments(value)
    _refuse_group_twice(overrides)
    return options + overrides


def _refuse_group_twice(words: Sequence[str]) -> None:
    """Raise UserError where the second of two members would silently take the first one's place."""
    chosen: dict[str, str | None] = {}
    for _, group, value in map(parted, words):
        if group in chosen:
            raise UserError(
                f"{group} is chosen twice, {chosen[group]} and {value}; for both, one after the other, write "
                f"{group}=[{chosen[group]},{value}]"
            )
        if group in TOGETHER:
            chosen[group] = value


def _refuse_group_by_dots(word: str) -> None:
    """Raise UserError for `models.augment=diffaugment`: a config is chosen by the folder that it lies in."""
    _, name, value = parted(word)
    group = name.replace(".", "/")
    if group != name and group in groups() and (configs_folder() / group / f"{value}.yaml").is_file():
        raise UserError(f"{word}: '{value}' is a config of its own; write {group}={value}")


def split(words: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """The options among the words that `arrange` gives, with their values, and the overrides."""
    options, overrides, rest = {}, [], list(words)
    while rest:
        word = rest.pop(0)
        _, name, value = parted(word)
        if not word.startswith("-"):
            overrides.append(word)
        elif OPTIONS[name]:
            options[name] = rest.pop(0) if value is None else value
        else:
            options[name] = ""
    return options, overrides


def composed(overrides: Sequence[str], config_dir: str | None) -> dict:
    """The config that training would have with these words. Raises UserError."""
    words = arrange(overrides)
    try:
        with near_keys(words):
            return finalise(_composed(words, config_dir), words)
    except NOT_COMPOSED as error:
        raise UserError(sentence(error, words)) from error


def sweeper_params(words: Sequence[str], config_dir: str | None) -> list[str]:
    """The `key=values` of `hydra.sweeper.params` that these arranged words, of one value each, lead to.

    Raises UserError.
    """
    try:
        params = _composed(words, config_dir, hydra=True).hydra.sweeper.get("params") or {}
        return [f"{key}={values}" for key, values in params.items()]
    except NOT_COMPOSED as error:
        raise UserError(sentence(error, words)) from error


def _composed(words: Sequence[str], config_dir: str | None, hydra: bool = False) -> DictConfig:
    """What Hydra composes of arranged words, with `hydra` its own settings as well."""
    if config_dir is not None:
        refuse_shadowed_experiments(config_dir)
    with initialize_config_dir(str(configs_folder()), version_base="1.3"):
        return compose("train", overrides=[*words, *searched(config_dir)], return_hydra_config=hydra)


def searched(config_dir: str | None) -> list[str]:
    """The word that has Hydra look into a user's folder of configs as well."""
    if config_dir is None:
        return []
    place = str(Path(config_dir).absolute()).replace("'", "\\'")
    return [f"hydra.searchpath=['file://{place}']"]


@contextlib.contextmanager
def near_keys(words: Sequence[str]) -> Iterator[None]:
    """A key that one of `words` guessed is answered with those that it may mean, wherever they are in the config."""
    try:
        yield
    except UnknownKey as error:
        keys = _keys(words)
        if error.key in keys:  # of a YAML: a part that was chosen has no place for what another states
            place = re.match(r"[\w.]*", error.text)[0]
            typed = {word.key: word.value for word in map(parted, words)}
            way_out = f"leave it out with ~{place}, since what you chose does not have what another part states"
            if place in typed:
                way_out = f"leave out {place}=null" if typed[place] == "null" else f"leave it out with {place}=null"
            raise UserError(f"{error.text}; {way_out}") from error
        if whole := _left_out(error.key, words):
            raise UserError(f"{error.text}; it is left out by what you chose, so write {whole}") from error
        if way_out := meant(error.key, keys):
            raise UserError(f"{error.text}{way_out}") from error
        raise


def refuse_shadowed_experiments(folder: str) -> None:
    """A user's experiment of the same name would silently take the place of ours, or ours of theirs."""
    if not Path(folder).is_dir():
        raise UserError(f"--config-dir: there is no folder '{folder}'")
    ours = {file.name for file in (configs_folder() / "experiment").rglob("*.yaml")}
    for file in sorted((Path(folder) / "experiment").glob("*.yaml")):
        if file.name in ours:
            raise UserError(f"--config-dir: {file} has the name of an experiment of gantrain's own; rename it")


def sentence(error: Exception, words: Sequence[str] = ()) -> str:
    """One sentence for an error of Hydra or OmegaConf, with the nearest names."""
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        group, _, name = str(error.missing_cfg_file).rpartition("/")
        options = list(error.options or [])
        if name == "null" and "none" in options:
            return f"{group}: there is no 'null'; write {group}=none"
        if (ours := KNOWN_AS.get(re.sub("[-_]", "", name.lower()))) in options:
            return f"{group}: there is no '{name}'; write {group}={ours}"
        return f"{group or 'config'}: there is no '{name}'{did_you_mean(name, options)}"
    text = str(error)
    if isinstance(error, OverrideParseException):
        typed = error.override.removeprefix("++")  # ours; see `arrange`
        if (configs_folder() / "experiment" / f"{typed}.yaml").is_file():
            return f"'{typed}' is an experiment; write experiment={typed}"
        return f"'{typed}' is no override; write key=value, with special characters key=\"'value'\""
    if isinstance(error, ConfigCompositionException):
        if found := re.search(r"Could not override '([^']+)'", text):
            keys = _keys(words)
            value = next((one.value or "" for one in map(parted, words) if one.key == found[1]), "")
            return f"{found[1]}: there is no such key{meant(found[1], keys, value) or did_you_mean(found[1], keys)}"
        if found := re.search(r"Could not override '[\w/]*/?(\w+)'|No match in the defaults list.*'(\w+)'", text):
            group = found[1] or found[2]
            return f"{group}: there is no such group of configs{did_you_mean(group, groups())}"
    if found := re.match(r"Ambiguous value for argument '(\+*)(.+?)' 1\.", " ".join(text.split())):
        word = found[2]
        return f"'{word}' has several values; add -m to train each of them, or write [a,b] where a key takes a list"
    if isinstance(error, ValueError) and not isinstance(error, OmegaConfBaseException):
        return f"{' '.join(word.removeprefix('++') for word in words)}: this does not fit the config ({text})"
    if isinstance(error, OmegaConfBaseException) and (found := re.search(r"full_key: (\S+)", text)):
        return f"{found[1]}: {text.splitlines()[0]}"
    return " ".join(line.strip() for line in text.splitlines() if line.strip())


def _left_out(key: str, words: Sequence[str]) -> str:
    """The word that states the whole node around `key`, if an experiment leaves out a node of its group; else ""."""
    place, _, last = key.rpartition(".")
    group, _, path = place.partition(".")
    chosen = [word for word in words if parted(word).key in groups() and "," not in word]
    try:
        config = _composed(chosen, None, hydra=True)
    except NOT_COMPOSED:
        return ""
    file = configs_folder() / group / f"{config.hydra.runtime.choices.get(group)}.yaml"
    if not path or not file.is_file() or OmegaConf.select(config, place) is not None:
        return ""
    node: Any = OmegaConf.to_container(OmegaConf.load(file), resolve=False)
    for part in path.split("."):
        node = node.get(part) if isinstance(node, dict) else None
    if not isinstance(node, dict) or last not in node or any(isinstance(value, dict | list) for value in node.values()):
        return ""
    typed = next((word.value for word in map(parted, words) if word.key == key), None)
    node |= {} if typed is None else {last: typed}
    return f"'{place}={{{', '.join(f'{name}: {value}' for name, value in node.items())}}}'"


def _keys(words: Sequence[str]) -> list[str]:
    """The keys that the config has without the words that change single values."""
    chosen = [word for word in words if parted(word).key in groups() and "," not in word]
    try:
        with initialize_config_dir(str(configs_folder()), version_base="1.3"):
            config = compose("train", overrides=chosen)
    except (HydraException, OmegaConfBaseException):
        return _keys(()) if chosen else []  # an experiment of the user's own, or one that there is not
    return list(keys_of(OmegaConf.to_container(config, resolve=False)))


def named_experiment(words: Sequence[str]) -> list[str]:
    """The words, of which the first may be an experiment's name without its key."""
    return [f"experiment={word}" if not i and re.fullmatch(r"[\w-]+", word) else word for i, word in enumerate(words)]
