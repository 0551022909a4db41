"""`gantrain app`: what is refused before a page is made."""

import importlib.util
import re
import shutil
import socket
from pathlib import Path

import pytest

from gantrain.cli import app


def test_without_gradio_one_sentence_names_the_extra(run, gantrain, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "gradio" else find(name))
    result = gantrain("app", "run")
    assert (result.code, result.out) == (2, "")
    assert result.err == "gantrain: app: the page needs Gradio; `pip install 'gantrain[app]'`\n"


def test_a_run_and_a_port_are_asked_for(gantrain, monkeypatch, run):
    assert gantrain("app", "nowhere").err.startswith("gantrain: nowhere is no run")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    result = gantrain("app", "run", "--port", "70000")
    assert (result.code, result.err) == (2, "gantrain: --port is 70000, it must be from 1 to 65535\n")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert gantrain("app", "run", "--port", port).err == f"gantrain: --port: {port} is taken; name another\n"
    assert gantrain("app", "run", "--host", "192.0.2.1").err.startswith("gantrain: --host 192.0.2.1, --port 7860: ")


def test_the_app_file_of_a_space_starts_the_page_of_a_run_without_checkpoints(run, monkeypatch):
    shutil.rmtree("run/checkpoints")
    served = []
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(app, "free_port", lambda host, port: port)
    monkeypatch.setattr(app, "show", lambda trained, args: served.append((trained.iteration, args.host, args.port)))
    text = (Path(__file__).parents[2] / "docs" / "app.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    with pytest.raises(SystemExit, match="0"):
        exec(code)
    assert served == [(2, "0.0.0.0", 7860)]
