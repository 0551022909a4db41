"""Names of folders and configs on the command line mean what they say."""

from pathlib import Path

import pytest

from gantrain.config.overrides import as_text, value_of
from gantrain.errors import UserError


@pytest.mark.parametrize(
    "name",
    [
        "My Pics (2)",
        "it's",
        "a=b",
        "a#b",
        "a,b",
        "x[1]",
        "ä/ü",
        "{a}",
        "a;b",
        "2024",
        "2024_01",
        "1e3",
        "true",
        "plain",
    ],
)
def test_folders_and_files_may_have_any_name(name):
    folders = ("data.root", "++data.cache_dir", "stages.gan.data.root", "hydra.run.dir", "init_from")
    for key in (*folders, "losses.content.weights", "networks.face.path", "evaluation.weights"):
        word = as_text(f"{key}={name}")
        assert word.startswith(f"{key}=")
        assert value_of(word) == name
        assert as_text(word) == word  # in quotes already


@pytest.mark.parametrize(
    "word", ["data.root=null", "data.root=${oc.env:HOME}", "data.size=5", "a=b=c", "x", "~data", "networks=a,b"]
)
def test_other_words_are_left_alone(word):
    assert as_text(word) == word


def test_a_file_has_a_name():
    with pytest.raises(UserError, match=r"^losses\.content\.weights: empty; name a file$"):
        as_text("losses.content.weights=")


def test_tilde_is_the_users_folder():
    assert as_text("data.root=~/pics") == f"data.root={Path.home()}/pics"
    assert value_of(as_text("hydra.run.dir=~/a (b)")) == f"{Path.home()}/a (b)"


def test_a_sweep_has_its_values_between_commas():
    assert as_text("data.root=a,b", sweeping=True) == "data.root=a,b"
    assert as_text("data.root=~/a,b's", sweeping=True) == f"data.root='{Path.home()}/a','b\\'s'"
    assert as_text("data.root='a,b'", sweeping=True) == "data.root='a,b'"
    assert as_text("hydra.sweep.dir=a,b", sweeping=True) == "hydra.sweep.dir='a,b'"


def test_names_of_configs_are_words():
    assert as_text("evaluation=5") == "evaluation='5'"
    assert as_text("losses/content=null") == "losses/content='null'"


@pytest.mark.parametrize("key", ["data.root", "data.cache_dir", "hydra.run.dir", "hydra.sweep.dir", "init_from"])
@pytest.mark.parametrize("value", ["", "''", '""'])
def test_a_folder_has_a_name(key, value):
    with pytest.raises(UserError, match=f"^{key}: empty; name a folder$"):
        as_text(f"{key}={value}")
