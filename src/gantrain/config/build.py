"""Building objects from config nodes: `_target_` names a class of a trusted package, the other keys its options."""

import functools
import importlib
import inspect
import math
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from gantrain.config.keys import keys_of, leaf, within
from gantrain.errors import UnknownKey, UserError, did_you_mean, one_line, unknown_key

# A config may come from a stranger's run directory, so it names classes of these packages only, never functions:
# torch.hub.load, for one, would fetch and run code, and so would some datasets of torchvision.
TRUSTED = (
    *("gantrain.", "torch.nn.", "torch.optim.", "torchvision.models.", "torchvision.ops.", "torchvision.transforms."),
    *("pytorch_lightning.callbacks.", "pytorch_lightning.loggers."),
)
_plugins: set[str] = set()

Derive = Callable[[type], type]  # replaces a class that a config names, by a subclass for example

_WORDS = {  # the words for one value of a type, and for several
    bool: ("true or false", "true or false"),
    int: ("a whole number", "whole numbers"),
    float: ("a number", "numbers"),
    str: ("a text", "texts"),
    NoneType: ("null", "null"),
}


def allow_plugins(modules: Sequence[str]) -> None:
    """Import the modules that the user lists under `plugins`, and accept their classes. This runs their code."""
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
    if not inspect.isclass(found):
        own = f"{module_name}."  # classes of a package's modules count, imports from elsewhere do not
        public = {n: v for n, v in vars(module).items() if inspect.isclass(v) and not n.startswith("_")}
        classes = [n for n, v in public.items() if f"{v.__module__}.".startswith(own)]
        raise UserError(f"{key}._target_: '{module_name}' has no class '{name}'{did_you_mean(name, classes)}")
    if not f"{found.__module__}.".startswith((*TRUSTED, *_plugins)):
        raise UserError(f"{key}._target_: '{target}' is a class of {found.__module__}, which is not trusted")
    return found


def as_named(cls: type) -> type:
    return cls


def build(node: Mapping[str, Any], key: str, expect: type = object, derive: Derive = as_named, **extra: Any) -> Any:
    """Build the object that `node` describes; nested nodes with `_target_` are built first, `extra` are more arguments.

    With `_partial_: true` the result is a callable that takes the remaining arguments. `key` is the node's place in the
    config. `derive` may replace the named class by a subclass. Raises UserError for a missing or foreign class, an
    unknown option or a refused value.
    """
    if not isinstance(node, Mapping) or "_target_" not in node:
        named = f"options ({', '.join(node)}) without a class" if isinstance(node, Mapping) and node else repr(node)
        raise UnknownKey(f"{key}: expected a node with _target_, found {named}", leaf(node, key))
    cls = locate(node["_target_"], key)
    if not issubclass(cls, expect):
        raise UserError(f"{key}._target_: '{node['_target_']}' is no {expect.__name__}")
    options = {k: v for k, v in node.items() if k not in ("_target_", "_partial_")}
    partial = bool(node.get("_partial_", False))
    _check_options(cls, options, extra, key, partial)
    options = {k: _nested(v, f"{key}.{k}") for k, v in options.items()}
    if partial:
        return functools.partial(derive(cls), **options, **extra)
    try:
        return derive(cls)(**options, **extra)
    except (ValueError, TypeError, ArithmeticError, RuntimeError, LookupError, MemoryError) as error:
        reason = one_line(error)
        if isinstance(error, MemoryError) or re.search(r"alloc_cpu|out of memory", reason):  # torch's are RuntimeErrors
            raise UserError(f"{key}: not enough memory for this {cls.__name__}; make its sizes smaller") from error
        raise UserError(f"{key}: {cls.__name__} refuses its options ({reason})") from error


def check_options(node: Any, key: str) -> None:
    """Raise UserError for unknown options in a config, or values of the wrong type; nothing is built."""
    if not isinstance(node, Mapping):
        return
    inside = {name: value for name, value in node.items() if name not in ("_target_", "_partial_")}
    if "_target_" in node:
        _check_options(locate(node["_target_"], key), inside, {}, key, partial=True)
    for name, value in inside.items():
        check_options(value, f"{key}.{name}".lstrip("."))


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
    foreign = [] if open_ended else [f"{key}.{option}" for option in options if option not in known]
    if len(foreign) > 1:
        names = ", ".join(foreign)
        raise UserError(f"{names}: {cls.__name__} has no such options; leave them out with ~{' ~'.join(foreign)}")
    for option, value in options.items():
        if option not in known and not open_ended:
            others = keys_of({k: v for k, v in options.items() if k != option}, f"{key}.")
            text = f"{key}.{option}: {cls.__name__} has no such option"
            if way_out := within(f"{key}.{option}", others):
                raise UserError(f"{text}{way_out}")
            raise unknown_key(text, leaf(value, f"{key}.{option}"), known)
        expect(value, known.get(option, Any), f"{key}.{option}")
    if not partial:
        try:
            inspect.signature(cls).bind(**options, **extra)
        except TypeError as error:
            raise UserError(f"{key}: {cls.__name__}: {error}") from error


def _options_of(cls: type) -> tuple[dict[str, Any], bool]:
    """The options that a class takes, with their annotations, and whether it takes any others as well.

    Annotations of classes that are not ours or a plugin's are ignored: often they are narrower than what is accepted.
    """
    known: dict[str, Any] = {}
    open_ended = False
    for owner in cls.__mro__:
        if "__init__" not in vars(owner) or owner is object:
            continue
        ours = f"{owner.__module__}.".startswith(("gantrain.", *_plugins))
        parameters = list(inspect.signature(vars(owner)["__init__"]).parameters.values())[1:]
        named = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
        known = {p.name: p.annotation if ours else Any for p in named} | known
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            return known, False  # a class with **kwargs passes them to its parent, so its options count too
        open_ended = True
    return known, open_ended


def expect(value: Any, kind: Any, key: str) -> None:
    """Raise UserError if the value of `key` does not fit the annotation `kind`."""
    if not _is(value, kind):
        raise UserError(f"{key} is {value!r}, it must be {_words(kind)}")


def _is(value: Any, kind: Any) -> bool:
    """Whether a value fits an annotation; annotations that are not in `_WORDS` accept anything."""
    parts, origin = get_args(kind), get_origin(kind)
    if origin in (Union, UnionType):
        if float in parts and not isinstance(value, Mapping):  # only a node can become an object of our classes
            parts = tuple(part for part in parts if not _ours(part))
        return any(_is(value, part) for part in parts)
    if origin is Literal:
        return any(type(value) is type(part) and value == part for part in parts)
    if origin in (dict, Mapping):
        return isinstance(value, Mapping) and all(_is(item, parts[1]) for item in value.values())
    if origin in (list, tuple, Sequence):
        kinds = parts if origin is tuple else parts * len(value) if isinstance(value, (list, tuple)) else ()
        return isinstance(value, (list, tuple)) and len(value) == len(kinds) and all(map(_is, value, kinds))
    if kind is float:
        return type(value) in (int, float) and math.isfinite(value)
    return kind not in _WORDS or type(value) is kind


def _ours(kind: Any) -> bool:
    return inspect.isclass(kind) and kind.__module__.startswith("gantrain.")


def _words(kind: Any) -> str:
    parts, origin = get_args(kind), get_origin(kind)
    if origin in (Union, UnionType):
        return " or ".join(map(_words, parts))
    if origin is Literal:
        return ("one of " if len(parts) > 1 else "") + ", ".join(map(str, parts))
    if origin in (dict, Mapping):
        return "keys" if parts[1] is Any else f"keys, each with {_words(parts[1])}"
    if origin in (list, tuple, Sequence):
        count = f"{len(parts)} " if origin is tuple else ""
        return f"a list of {count}{_WORDS.get(parts[0], ('', 'lists'))[1]}"
    if _ours(kind):
        return f"a node with the _target_ of a {kind.__name__}"
    return _WORDS[kind][0]
