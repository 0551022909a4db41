"""Hydra for tests, which compose the same configs thousands of times: what depends on our YAML files alone is kept.

The files are read once. What the chosen groups lead to is composed once; the values of the command line are set anew
each time. A config is not composed twice where no word asks for a mode. Interpolations of the same config are resolved
once, and a whole config is copied by pickle, in less than half the time. Hydra's map for names with an interpolation is
made where there is such a name.
"""

import functools
import pickle

import pytest
from hydra._internal import config_loader_impl
from hydra._internal import defaults_list as lists
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_repository import ConfigRepository
from hydra._internal.defaults_list import Overrides
from hydra._internal.hydra import Hydra
from hydra.core.object_type import ObjectType
from omegaconf import DictConfig

from gantrain.config import compose, finalise
from gantrain.folders import configs_folder

load_config, get_mode = ConfigRepository.load_config, Hydra.get_mode
list_defaults = config_loader_impl.create_defaults_list
compose_defaults = ConfigLoaderImpl._compose_config_from_defaults_list
map_choices = lists._create_interpolation_map
resolve, copy_config = finalise._resolve, DictConfig.__deepcopy__


def ours(source):
    return source.scheme() != "file" or source.path == str(configs_folder())


def quickly(patch: pytest.MonkeyPatch) -> None:
    files, defaults, configs, resolved = {}, {}, {}, {}
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

    def map_if_needed(overrides, defaults, self_added):
        return map_choices(overrides, defaults, self_added) if any(d.is_interpolation() for d in defaults) else None

    def compose_once(self, defaults, repo):
        if not all(map(ours, repo.get_sources())):
            return compose_defaults(self, defaults, repo)
        key = repr(defaults)
        if key not in configs:
            configs[key] = pickle.dumps(compose_defaults(self, defaults, repo))
        return pickle.loads(configs[key])

    def get_mode_if_asked(self, config_name, overrides):
        return get_mode(self, config_name, overrides) if any("hydra.mode" in word for word in overrides) else None

    def resolve_once(node):
        key = repr(node)
        if "${oc." in key or "${now:" in key:  # the environment or the clock may be another the next time
            return resolve(node)
        if key not in resolved:
            resolved[key] = pickle.dumps(resolve(node))
        return pickle.loads(resolved[key])

    def copy_quickly(self, memo):
        return copy_config(self, memo) if self._get_parent() is not None else pickle.loads(pickle.dumps(self))

    patch.setattr(ConfigRepository, "load_config", load_once)
    patch.setattr(config_loader_impl, "create_defaults_list", list_once)
    patch.setattr(lists, "_create_interpolation_map", map_if_needed)
    patch.setattr(ConfigLoaderImpl, "_compose_config_from_defaults_list", compose_once)
    patch.setattr(finalise, "_resolve", resolve_once)
    patch.setattr(DictConfig, "__deepcopy__", copy_quickly)
    patch.setattr(Hydra, "get_mode", get_mode_if_asked)
    patch.setattr(compose, "_keys", lambda words: keys(tuple(words)))
