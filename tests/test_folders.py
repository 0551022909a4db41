"""Where things lie follows the environment."""

from gantrain.folders import cache_folder


def test_the_place_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("GANTRAIN_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"
    monkeypatch.delenv("GANTRAIN_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "gantrain"
