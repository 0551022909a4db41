"""The experiments and their data."""

from idx import make_mnist


def test_list_names_experiments_and_their_data(gantrain, tmp_path, monkeypatch):
    listed = gantrain("list").out
    assert "dcgan_digits" in listed
    assert "(built in)" in listed
    assert "(not found)" in listed
    make_mnist(tmp_path / "sets")
    monkeypatch.setenv("GANTRAIN_DATA", str(tmp_path / "sets"))
    assert "(found)" in gantrain("list").out
    words = ("experiment=gan_mnist", "iterations=1", "data.batch_size=8", "hydra.run.dir=run")
    assert gantrain(*words).code == 0  # and training finds it there as well
