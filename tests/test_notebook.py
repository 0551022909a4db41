"""The notebook runs from its first to its last cell; lengths are cut, and `!gantrain` runs here, not in a shell."""

import json
import re
import shlex
import sys
import types
from pathlib import Path

NOTEBOOK = Path(__file__).parents[1] / "docs" / "notebooks" / "start.ipynb"
NARROW = ("networks.generator.width=4", "networks.discriminator.width=4")


def test_the_notebook_runs(gantrain, monkeypatch):
    display = types.ModuleType("IPython.display")
    display.Image, display.display = Path, lambda file: shown.append(file.stat().st_size)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    shown, space = [], {}
    for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] != "code":
            continue
        plain = []
        for line in "".join(cell["source"]).splitlines():
            if line.startswith("!gantrain"):
                words = [
                    re.sub(r"iterations=(\d+)", lambda n: f"iterations={int(n[1]) // 100}", w)
                    for w in shlex.split(line)
                ]
                trains = "=" in words[1]
                exec("\n".join(plain), space)
                plain = []
                ended = gantrain(
                    *words[1:], *(NARROW if trains else ()), *(("callbacks.health.every=3",) if trains else ())
                )
                assert ended.code == 0, (line, ended)
            elif not line.startswith("!pip"):
                plain.append(line)
        exec("\n".join(plain), space)
    assert len(shown) == 2
    assert min(shown) > 500
    assert space["images"].shape == (16, 1, 16, 16)
