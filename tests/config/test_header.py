"""Headers of experiments."""

import pytest

from gantrain.config.header import FACTS, read_header
from gantrain.folders import configs_folder


def test_lines_that_go_on_are_joined(tmp_path):
    (tmp_path / "a.yaml").write_text(
        "# @package _global_\n# Digits.\n#\n# paper:    One 2014,\n#           Two 2015\n# cost:     little\n"
        "\n# cost: no\na: 1\n"
    )
    header = read_header(tmp_path / "a.yaml")
    assert header.description == "Digits."
    assert header.facts == {"paper": "One 2014, Two 2015", "cost": "little"}


def test_a_file_without_a_header_says_so(tmp_path):
    (tmp_path / "a.yaml").write_text("a: 1\n")
    assert read_header(tmp_path / "a.yaml").description == "(no description)"


@pytest.mark.parametrize("file", sorted((configs_folder() / "experiment").glob("*.yaml")), ids=lambda file: file.stem)
def test_ours_have_one_form(file):
    lines = file.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "# @package _global_"
    assert lines[1].startswith("# ")
    assert lines[1].endswith(".")
    header = read_header(file)
    assert list(header.facts) == sorted(header.facts, key=FACTS.index)  # a ValueError names a fact that there is not
    assert {"paper", "data", "command", "cost", "measured"} <= set(header.facts)
    measured = header.facts["measured"]
    assert measured.startswith(("Trained ", "Not at full length. Trained ", "We have not trained it"))
    assert "seed" in measured or measured.startswith("We have not trained it")
    assert f"experiment={file.stem}" in header.facts["command"] or file.stem == "cgan_digits"
