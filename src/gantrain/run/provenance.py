"""What made a run: provenance.jsonl, a line each time that its training began, and one for each stage that it trained.

The first kind says with what: date, command, overrides, versions, commit, host, device. The second says what it cost.
"""

import json
import platform
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import torch

from gantrain import __version__
from gantrain.folders import configs_folder
from gantrain.run.lines import read_lines
from gantrain.run.metrics import is_number

NAME = "provenance.jsonl"
TEXT = ("date", "command", "gantrain", "commit", "python", "torch", "host", "device")


def note_start(folder: Path, overrides: Sequence[str], device: str) -> None:
    """Write down what begins to train now; `overrides` are the `key=value` words, `device` says where."""
    program, words = Path(sys.argv[0]), sys.argv[1:]
    start = {
        "date": datetime.now().astimezone().isoformat(timespec="seconds"),
        "command": shlex.join([program.name.replace("__main__.py", "gantrain"), *plain(words)]),
        "overrides": plain(overrides),
        "gantrain": __version__,
        "commit": commit(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "host": platform.node(),
        "device": device,
    }
    _append(folder, start)


def note_stage(folder: Path, stage: str, iterations: int, seconds: Mapping[str, float], memory: Mapping) -> None:
    """Write down what the `iterations` of a stage cost: seconds by part, and the most memory in MB by kind."""
    rounded = {part: round(value, 2) for part, value in seconds.items()}
    _append(folder, {"stage": stage, "iterations": iterations, "seconds": rounded, "memory": dict(memory)})


def _append(folder: Path, record: Mapping[str, Any]) -> None:
    with (folder / NAME).open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(record) + "\n")


def plain(words: Sequence[str]) -> list[str]:
    """The words as they are typed: config/compose.py puts a `++` before some."""
    return [word.removeprefix("++") for word in words]


def commit() -> str | None:
    """The commit of the checkout that the program runs from, with `-dirty` where files have changed, or None."""
    checkout = configs_folder().parent
    if not (checkout / ".git").exists():  # installed: a repository around it would be another's
        return None
    words = ["git", "-C", str(checkout), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None


def read_starts(folder: Path) -> list[dict[str, Any]]:
    """What began, oldest first; none of a run of an earlier version. What is no whole record is left out."""
    found = []
    for line in read_lines(folder / NAME):
        if isinstance(line, dict) and isinstance(line.get("date"), str):
            overrides = line.get("overrides") if isinstance(line.get("overrides"), list) else []
            texts = {key: str(line.get(key) or "") for key in TEXT}
            found.append({**texts, "overrides": [str(word) for word in overrides]})
    return found


def read_costs(folder: Path, stage: str) -> dict[str, dict[str, float]]:
    """What a stage cost in all: `seconds` by part and the most `memory` in MB by kind; empty where nothing is known."""
    seconds: dict[str, float] = {}
    memory: dict[str, float] = {}
    for line in read_lines(folder / NAME):
        if isinstance(line, dict) and line.get("stage") == stage:
            for part, value in numbers(line.get("seconds")).items():
                seconds[part] = seconds.get(part, 0.0) + value
            for kind, value in numbers(line.get("memory")).items():
                memory[kind] = max(memory.get(kind, 0.0), value)
    return {"seconds": seconds, "memory": memory}


def numbers(value: Any) -> dict[str, float]:
    """The numbers by name in what a stranger's file may hold."""
    return {k: float(v) for k, v in value.items() if is_number(v)} if isinstance(value, dict) else {}
