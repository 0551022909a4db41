"""The program from the outside: verbs and help."""

import subprocess
import sys
import time

import pytest


@pytest.mark.parametrize("words", [("list",), ("--help",), ("--version",)])
def test_list_and_help_answer_at_once(words):
    began = time.perf_counter()
    code = (
        "import sys; from gantrain.cli.main import main; code = main(sys.argv[1:]);"
        "sys.exit(code or any(m in sys.modules for m in ('torch', 'hydra', 'omegaconf')))"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout
    assert time.perf_counter() - began < 1.0
