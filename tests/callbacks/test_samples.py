"""Looking at training does not change it."""

from compare import differences, newest

WORDS = ("experiment=dcgan_mnist", "debug=tiny", "iterations=4", "callbacks.samples.count=4")


def test_sampling_never_changes_training(gantrain):
    assert gantrain(*WORDS, "callbacks.samples.every=1", "hydra.run.dir=often").code == 0
    assert gantrain(*WORDS, "callbacks.samples=null", "hydra.run.dir=never").code == 0
    assert differences(newest("often"), newest("never")) == []


def test_pictures_of_iterations_that_are_made_anew_go(gantrain, tmp_path):
    assert gantrain(*WORDS, "callbacks.samples.every=1", "hydra.run.dir=run").code == 0
    stale = tmp_path / "run/samples/00000099.png"
    stale.write_bytes((tmp_path / "run/samples/00000004.png").read_bytes())
    assert gantrain("resume", "run", "iterations=5").code == 0
    assert not stale.exists()
    assert (tmp_path / "run/samples/00000005.png").is_file()
