"""Runs that a signal stops at a chosen moment."""

from gantrain.callbacks.checkpoints import Checkpoints


def stop_at(gantrain, words, monkeypatch, stage, iteration, run):
    """Train until a signal arrives in that iteration of that stage."""
    plain = Checkpoints.on_train_batch_end

    def signalled(self, trainer, module, *args):
        if (module.stage, module.iteration) == (stage, iteration):
            self.stop._receive(15, None)
        plain(self, trainer, module, *args)

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "on_train_batch_end", signalled)
        return gantrain(*words, f"hydra.run.dir={run}")
