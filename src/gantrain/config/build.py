"""Objects from config nodes: `_target_` names a class of a trusted package, the other keys are its options."""

import functools
import importlib
import inspect
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gantrain.errors import UserError, did_you_mean

# A config may come from a stranger's run directory, so it names classes of these packages only, never functions:
# torch.hub.load, for one, would fetch and run code, and so would some datasets of torchvision.
TRUSTED = (
    *("gantrain.", "torch.nn.", "torch.optim.", "torchvision.models.", "torchvision.ops.", "torchvision.transforms."),
    *("pytorch_lightning.callbacks.", "pytorch_lightning.loggers."),
)
_plugins: set[str] = set()


def allow_plugins(modules: Sequence[str]) -> None:
    """Import the modules that the user lists under `plugins` and accept their classes. They are code: trust them."""
    for name in modules:
        if str(Path.cwd()) not in sys.path:
            sys.path.insert(0, str(Path.cwd()))  # the console script, unlike `python -m`, leaves it out
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise UserError(f"plugins: cannot import '{name}' ({error}); it must be importable from here") from error
        _plugins.add(name + ".")


def locate(target: str, key: str) -> type:
    """The class that `target` names; `key` is the config key that names it, for errors."""
    if not isinstance(target, str) or not target.startswith((*TRUSTED, *_plugins)):
        raise UserError(
            f"{key}._target_: '{target}' is outside gantrain, torch.nn, torch.optim, torchvision.models, ops and "
            f"transforms, and Lightning's callbacks and loggers; list its module under plugins= if you trust it"
        )
    module_name, _, name = target.rpartition(".")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise UserError(f"{key}._target_: there is no module '{module_name}' ({error})") from error
    found = getattr(module, name, None)
    home = getattr(found, "__module__", "")
    if inspect.isclass(found) and not f"{home}.".startswith((*TRUSTED, *_plugins)):
        raise UserError(f"{key}._target_: '{target}' is a class of {home}, which is not trusted")
    if not inspect.isclass(found):
        own = f"{module_name}."  # classes of a package's modules count, imports from elsewhere do not
        classes = [n for n, v in vars(module).items() if inspect.isclass(v) and f"{v.__module__}.".startswith(own)]
        raise UserError(f"{key}._target_: '{module_name}' has no class '{name}'{did_you_mean(name, classes)}")
    return found


def build(node: Mapping[str, Any], key: str, expect: type = object, **extra: Any) -> Any:
    """Build the object that `node` describes; nested nodes with `_target_` first, `extra` passed along.

    With `_partial_: true` the result is a callable that waits for the remaining arguments. `key` is where the node
    stands in the config. Raises UserError for a missing or foreign class, an unknown option or a refused value.
    """
    if not isinstance(node, Mapping) or "_target_" not in node:
        raise UserError(f"{key}: expected a node with _target_, found {node!r}")
    cls = locate(node["_target_"], key)
    if not issubclass(cls, expect):
        raise UserError(f"{key}._target_: '{node['_target_']}' is no {expect.__name__}")
    options = {k: v for k, v in node.items() if k not in ("_target_", "_partial_")}
    partial = bool(node.get("_partial_", False))
    _check_options(cls, options, extra, key, partial)
    options = {k: _nested(v, f"{key}.{k}") for k, v in options.items()}
    if partial:
        return functools.partial(cls, **options, **extra)
    try:
        return cls(**options, **extra)
    except (ValueError, TypeError, ArithmeticError, RuntimeError, LookupError, MemoryError) as error:
        reason = " ".join(str(error).split())
        if isinstance(error, MemoryError) or re.search(r"alloc_cpu|out of memory", reason):  # torch's are RuntimeErrors
            raise UserError(f"{key}: not enough memory for this {cls.__name__}; make its sizes smaller") from error
        raise UserError(f"{key}: {cls.__name__} refuses its options ({reason})") from error


def _nested(value: Any, key: str) -> Any:
    if isinstance(value, Mapping):
        if "_target_" in value:
            return build(value, key)
        return {k: _nested(v, f"{key}.{k}") for k, v in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_nested(v, f"{key}[{i}]") for i, v in enumerate(value)]
    return value


def _check_options(cls: type, options: dict, extra: dict, key: str, partial: bool) -> None:
    known, open_ended = _options_of(cls)
    for option in options:
        if option not in known and not open_ended:
            raise UserError(f"{key}.{option}: {cls.__name__} has no such option{did_you_mean(option, known)}")
    if not partial:
        try:
            inspect.signature(cls).bind(**options, **extra)
        except TypeError as error:
            raise UserError(f"{key}: {cls.__name__}: {error}") from error


def _options_of(cls: type) -> tuple[set[str], bool]:
    """The names that a class takes, and whether it takes any other as well."""
    known: set[str] = set()
    for owner in cls.__mro__:
        if "__init__" not in vars(owner) or owner is object:
            continue
        parameters = list(inspect.signature(owner.__init__).parameters.values())[1:]
        known |= {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            return known, False  # a class that takes **kwargs hands them to its parent
    return known, True
