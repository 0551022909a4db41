"""Every experiment's iterations can be recorded: what is replayed is what would have been played, bit for bit."""

import pytest
from compare import differences, newest
from recorder import Recorder
from test_experiments import EXPERIMENTS

from gantrain.config.compose import composed
from gantrain.config.stages import stages_of
from gantrain.models.loop.capture import WARM_UP
from gantrain.training import fit

EAGER = {"wgan_mnist"}  # RMSprop can be recorded on a GPU alone
SMALLER = {"cyclegan_folders": ("data.size=64", "data.load_size=68"), "srgan_celeba": ("data.size=64",)}
QUICK = ("callbacks.samples=null", "callbacks.networks=null", "logger=none", "evaluation=none")


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_replayed_is_played(experiment, gantrain, monkeypatch):
    words = (f"experiment={experiment}", "debug=tiny")
    stages = stages_of(composed(words, None))
    words += (*QUICK, *SMALLER.get(experiment, ()), *(f"{stage.key('iterations')}={WARM_UP + 2}" for stage in stages))
    if stages[0].config["data"]["batch_size"] > 2 and len(stages) == 1:
        words += ("data.batch_size=2",)
    recorders = {}
    for run, never in (("replayed", False), ("played", True)):
        recorders[run] = Recorder(never)
        monkeypatch.setattr(fit, "recorder_for", lambda trainer, run=run: lambda: recorders[run])
        done = gantrain(*words, f"hydra.run.dir={run}")
        assert done.code == 0, done
    if experiment not in EAGER:
        assert len(recorders["replayed"].recordings) >= len(stages)
    for stage in stages:
        assert differences(newest("played", stage.name), newest("replayed", stage.name)) == []
