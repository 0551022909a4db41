"""What the config of a stranger's run may write to."""

import pytest
import yaml


def edit(run, **nodes):
    file = run / ".hydra/config.yaml"
    config = yaml.safe_load(file.read_text())
    for key, values in nodes.items():
        config[key] |= values
    file.write_text(yaml.safe_dump(config))


CSV = "pytorch_lightning.loggers.CSVLogger"


@pytest.mark.parametrize(
    ("key", "nodes"),
    [
        ("data.cache_dir", {"data": {"cache_dir": "OUT"}}),
        ("logger.csv.save_dir", {"logger": {"csv": {"_target_": CSV, "save_dir": "OUT"}}}),
        ("logger.csv.save_dir", {"logger": {"csv": {"_target_": CSV, "save_dir": "out"}}}),
        ("logger.x.name", {"logger": {"x": {"_target_": CSV, "name": "../out", "save_dir": "run/x"}}}),
        ("logger.x.version", {"logger": {"x": {"_target_": CSV, "version": "OUT", "save_dir": "run/x"}}}),
    ],
)
def test_a_place_outside_of_the_run_is_named_again(key, nodes, gantrain, run, tmp_path):
    out = tmp_path / "out"
    edit(run, **yaml.safe_load(yaml.safe_dump(nodes).replace("OUT", str(out))))
    result = gantrain("resume", "run", "iterations=3")
    assert (result.code, f"{key} is" in result.err) == (2, True), result
    assert "name it again" in result.err
    assert not out.exists()
    if key == "data.cache_dir":
        assert gantrain("resume", "run", "iterations=3", f"{key}={out}").code == 0


def test_a_resumed_run_downloads_nothing(gantrain, run, tmp_path):
    mnist = {"_target_": "gantrain.data.images.IdxImages", "name": "MNIST", "download": True}
    edit(run, data={"dataset": mnist, "root": str(tmp_path / "foreign")})
    assert gantrain("resume", "run", "iterations=3").code == 2
    assert not (tmp_path / "foreign").exists()
