"""What is installed from a wheel trains from another directory, without the checkout, and its libraries say nothing.

All in one test: a process of its own takes seconds to import everything anew.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_a_wheel_trains_elsewhere_and_says_nothing_of_its_libraries(tmp_path, gantrain):
    def run(*command, **environment):
        result = subprocess.run(
            command, cwd=tmp_path, env={**os.environ, **environment}, capture_output=True, text=True, check=False
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return result

    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "-q")
    run(*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", str(tmp_path / "wheels"), str(ROOT))
    (wheel,) = (tmp_path / "wheels").glob("gantrain-*.whl")
    target = tmp_path / "target"
    run(*pip, "install", "--no-deps", "--no-index", "--target", str(target), str(wheel))
    # The target comes before the editable install, so that the checkout is out of the way.
    where = run(sys.executable, "-c", "import gantrain; print(gantrain.__file__)", PYTHONPATH=str(target)).stdout
    assert where.startswith(str(target))
    # Where names of files are no UTF-8 either.
    variables = {"PYTHONPATH": str(target), "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"}
    words = ("debug=tiny", "logger=csv", "hydra.run.dir=\u72ac", "trainer.threads=1")
    assert run(sys.executable, "-m", "gantrain", *words, **variables).stderr == ""
    assert (tmp_path / "\u72ac" / "checkpoints" / "train" / "00000002.ckpt").is_file()
    assert gantrain("resume", "\u72ac", "iterations=3").code == 0
    listed = run(sys.executable, "-m", "gantrain", "list", **variables).stdout
    assert "dcgan_digits" in listed
