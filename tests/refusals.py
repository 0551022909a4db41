"""How the program says no."""

from pathlib import Path


def refused(result, *words):
    """One sentence, exit 2, no traceback, no directory left behind."""
    assert result.code == 2, result
    assert result.err.startswith("gantrain: ")
    assert len(result.err.strip().splitlines()) == 1, result.err
    for word in words:
        assert word in result.err, result.err
    assert "Traceback" not in result.err
    assert not Path("runs").exists()
