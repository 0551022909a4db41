"""The judge of enlarged photos, asked for what it cannot judge."""

import importlib.util
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "scripts" / "judge_photos.py"
spec = importlib.util.spec_from_file_location("judge_photos", SCRIPT)
judging = importlib.util.module_from_spec(spec)
spec.loader.exec_module(judging)


def test_what_enlarges_no_photos_is_refused_in_a_sentence(run, tmp_path, monkeypatch, capsys):
    for folder, why in ((run, "this is no run of srgan_photos; choose one"), (tmp_path / "nothing", "is no run")):
        monkeypatch.setattr(sys, "argv", ["judge_photos.py", str(folder)])
        assert judging.main() == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("judge_photos: ")
        assert why in line
