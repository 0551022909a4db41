"""What is installed from a wheel trains from another directory, without the checkout."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_a_wheel_trains_elsewhere(tmp_path):
    def run(*command, **environment):
        result = subprocess.run(
            command, cwd=tmp_path, env={**os.environ, **environment}, capture_output=True, text=True, check=False
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "-q")
    run(*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", str(tmp_path / "wheels"), str(ROOT))
    (wheel,) = (tmp_path / "wheels").glob("gantrain-*.whl")
    target = tmp_path / "target"
    run(*pip, "install", "--no-deps", "--no-index", "--target", str(target), str(wheel))
    # The target comes before the editable install, so that the checkout is out of the way.
    where = run(sys.executable, "-c", "import gantrain; print(gantrain.__file__)", PYTHONPATH=str(target))
    assert where.startswith(str(target))
    run(sys.executable, "-m", "gantrain", "debug=tiny", "hydra.run.dir=run", PYTHONPATH=str(target))
    assert (tmp_path / "run" / "checkpoints" / "train" / "00000002.ckpt").is_file()
    listed = run(sys.executable, "-m", "gantrain", "list", PYTHONPATH=str(target))
    assert "dcgan_digits" in listed
