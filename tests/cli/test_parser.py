"""Words that a verb's parser cannot read: whatever the verb and the option, one sentence that names it."""

import importlib
from pathlib import Path

import pytest
from refusals import refused

from gantrain.cli.main import VERBS
from gantrain.cli.parser import Parser

NEEDED = {  # what a verb refuses to do without, so that the option alone is wrong
    **dict.fromkeys(("upscale", "translate", "inpaint", "project", "age"), ("run", "a.png", "--out", "made")),
    **dict.fromkeys(("features", "nearest"), ("run", "folder", "--out", "made")),
    **dict.fromkeys(("push", "pull"), ("run", "user/name")),
    **dict.fromkeys(("list", "data", "doctor"), ()),
    "nearest": ("run", "a.png", "folder"),
    "augment": ("run", "folder", "--per-class", "2", "--out", "made"),
    "tune": ("--space", "space.yaml"),
}


def actions(verb):
    parser = Parser(f"gantrain {verb}")
    importlib.import_module(f"gantrain.cli.{verb}").add_options(parser.add_argument)
    return parser._actions[1:]  # without --help


@pytest.mark.parametrize("verb", VERBS)
def test_a_wrong_value_of_any_option_is_one_sentence(gantrain, verb):
    needed = NEEDED.get(verb, ("run",))
    for action in actions(verb):
        option = (action.option_strings or ("",))[-1]
        if option and action.nargs is None and action.type is not Path:
            numeric = action.type in (int, float) or action.choices
            result = gantrain(verb, *needed, option, "wrong") if numeric else gantrain(verb, *needed, option)
            refused(result, option, *(["wrong"] if numeric else []))
            assert "usage" not in result.err
        elif option and action.nargs == 0:
            refused(gantrain(verb, *needed, f"{option}=wrong"), option, "wrong")


@pytest.mark.parametrize("verb", VERBS)
def test_an_option_that_is_none_and_words_that_are_missing_are_one_sentence(gantrain, verb):
    refused(gantrain(verb, *NEEDED.get(verb, ("run",)), "--nonsense"), f"gantrain {verb}: there is no option")
    if any(action.required and action.nargs != "*" for action in actions(verb)):
        refused(gantrain(verb), f"gantrain {verb}: ", "missing", "--help")


def test_sentences_name_the_way_out(gantrain, run):
    def says(*words):
        return gantrain(*words).err.removeprefix("gantrain: ").strip()

    assert says("export", "run", "--format", "wrong") == (
        "--format is 'wrong', it must be one of 'onnx', 'torch.export', 'torchscript', 'safetensors'"
    )
    assert says("sample", "run", "-n", "many") == "-n is 'many', it must be a whole number"
    assert says("sample", "run", "--truncation", "x") == "--truncation is 'x', it must be a number"
    assert says("sample", "run", "--out") == "--out has no value; write one behind it"
    assert says("sample", "run", "--raww") == "gantrain sample: there is no option '--raww'; did you mean '--raw'?"
    assert says("sample", "run", "again") == "gantrain sample: 'again' is too much; leave it out"
    assert says("features", "run", "folder", "--out", "f.npz", "--layers", "1,x").startswith("--layers is '1,x'")


def test_a_value_that_is_empty_is_no_option_left_out(gantrain, styled):
    """As of a variable of the shell that is not set."""
    for words in (("edit", "run", "--direction", ""), ("edit", "run", "--styles="), ("sample", "run", "--out", "")):
        refused(gantrain(*words), f"{words[2].removesuffix('=')} has an empty value; write one, or leave")


def test_several_numbers_may_begin_with_a_minus(gantrain, styled):
    assert gantrain("sample", "run", "-n", 2, "--psi", "-1,.5", "--out", "both.png").code == 0
