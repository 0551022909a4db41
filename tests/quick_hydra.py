"""Hydra for tests, which compose the same configs thousands of times: what depends on our YAML files alone is kept.

The files are read once. What the chosen groups lead to is composed once; the values of the command line are set anew
each time. A config is not composed twice where no word asks for a mode.
"""

import functools
import pickle

import pytest
from hydra._internal import config_loader_impl
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_repository import ConfigRepository
from hydra._internal.defaults_list import Overrides
from hydra._internal.hydra import Hydra
from hydra.core.object_type import ObjectType

from gantrain.config import compose
from gantrain.folders import configs_folder

load_config, get_mode = ConfigRepository.load_config, Hydra.get_mode
list_defaults = config_loader_impl.create_defaults_list
compose_defaults = ConfigLoaderImpl._compose_config_from_defaults_list


def ours(source):
    return source.scheme() != "file" or source.path == str(configs_folder())


def quickly(patch: pytest.MonkeyPatch) -> None:
    files, defaults, configs = {}, {}, {}
    keys = functools.cache(compose._keys)

    def load_once(self, config_path):
        source = self._find_object_source(config_path, ObjectType.CONFIG)
        if source is None or not ours(source):
            return load_config(self, config_path)
        key = source.path, config_path
        if key not in files:
            files[key] = pickle.dumps(load_config(self, config_path))
        return pickle.loads(files[key])

    def list_once(repo, config_name, overrides_list, **options):
        if not all(map(ours, repo.get_sources())):
            return list_defaults(repo, config_name, overrides_list, **options)
        words = Overrides(repo, overrides_list)
        chosen = words.override_choices, words.append_group_defaults, words.deletions
        key = repr((config_name, options, chosen))
        if key not in defaults:
            defaults[key] = pickle.dumps(list_defaults(repo, config_name, overrides_list, **options))
        kept = pickle.loads(defaults[key])
        kept.config_overrides = words.config_overrides
        return kept

    def compose_once(self, defaults, repo):
        if not all(map(ours, repo.get_sources())):
            return compose_defaults(self, defaults, repo)
        key = repr(defaults)
        if key not in configs:
            configs[key] = pickle.dumps(compose_defaults(self, defaults, repo))
        return pickle.loads(configs[key])

    def get_mode_if_asked(self, config_name, overrides):
        return get_mode(self, config_name, overrides) if any("hydra.mode" in word for word in overrides) else None

    patch.setattr(ConfigRepository, "load_config", load_once)
    patch.setattr(config_loader_impl, "create_defaults_list", list_once)
    patch.setattr(ConfigLoaderImpl, "_compose_config_from_defaults_list", compose_once)
    patch.setattr(Hydra, "get_mode", get_mode_if_asked)
    patch.setattr(compose, "_keys", lambda words: keys(tuple(words)))
