"""The site of docs/ builds strictly, and shows what stands elsewhere."""

import logging
from pathlib import Path

import pytest

mkdocs = pytest.importorskip("mkdocs")
ROOT = Path(__file__).parents[1]


def test_the_site_builds_strictly(tmp_path, monkeypatch):
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    monkeypatch.setenv("NO_MKDOCS_2_WARNING", "1")
    logging.getLogger("mkdocs").setLevel(logging.WARNING)
    build(load_config(str(ROOT / "mkdocs.yml"), site_dir=str(tmp_path / "site"), strict=True))
    page = (tmp_path / "site" / "systems" / "dcgan" / "index.html").read_text(encoding="utf-8")
    assert "5,500 iterations of 64" in page  # the header of dcgan_digits
    assert "<!-- experiment" not in page


def test_every_experiment_has_its_place_on_a_page_of_a_system():
    pages = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "docs" / "systems").glob("*.md"))
    experiments = {file.stem for file in (ROOT / "configs" / "experiment").glob("*.yaml")} - {"compare_mnist"}
    assert {name for name in experiments if f"<!-- experiment: {name} -->" not in pages} == set()
