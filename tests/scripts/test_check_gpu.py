import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "check_gpu.py"
spec = importlib.util.spec_from_file_location("check_gpu", SCRIPT)
check_gpu = importlib.util.module_from_spec(spec)
spec.loader.exec_module(check_gpu)


def raising(error):
    def rows():
        yield check_gpu.Row("part", "before", "right")
        raise error

    return rows


@pytest.mark.parametrize("error", [ValueError("no such layer"), SystemExit(2)])
def test_a_part_that_fails_is_a_row_that_says_so(error):
    before, stopped = check_gpu.guarded("part", raising(error))
    assert before.good
    assert not stopped.good
    assert type(error).__name__ in stopped.value


def test_ctrl_c_ends_the_table():
    with pytest.raises(KeyboardInterrupt):
        list(check_gpu.guarded("part", raising(KeyboardInterrupt())))


def test_ctrl_c_in_a_program_ends_the_table(monkeypatch):
    def main(words):
        raise KeyboardInterrupt

    monkeypatch.setattr("gantrain.cli.main.main", main)
    with pytest.raises(KeyboardInterrupt):
        check_gpu.program(["list"])
