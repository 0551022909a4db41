"""Every script can be imported: a name that has moved away is found here, not by whoever runs it."""

import importlib.util
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[1] / "scripts"


@pytest.mark.parametrize("script", sorted(file.name for file in SCRIPTS.glob("*.py")))
def test_it_is_imported(script):
    spec = importlib.util.spec_from_file_location(f"script_{script.removesuffix('.py')}", SCRIPTS / script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.__doc__
