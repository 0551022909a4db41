"""`gantrain app`: what is refused before a page is made."""

import importlib.util


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
