"""Processes that torchrun or SLURM has started: two machines of one process each, played by two processes here."""

import os
import signal
import socket
import sys
import time
from pathlib import Path

import pytest
import torch
from compare import differences, newest
from forked import FORK

from gantrain.cli.main import main
from gantrain.errors import UserError
from gantrain.training.distributed import begun_before, launched, place

WORDS = ("experiment=gan_mnist_keras", "debug=tiny", "trainer.accelerator=cpu", "logger=none", "callbacks.samples=null")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def torchrun(rank, port, again=0, world=2):
    """What torchrun tells its processes."""
    return {
        "TORCHELASTIC_RUN_ID": "none",
        "RANK": str(rank),
        "WORLD_SIZE": str(world),
        "LOCAL_RANK": "0",
        "LOCAL_WORLD_SIZE": "1",
        "GROUP_RANK": str(rank),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": port,
        "TORCHELASTIC_RESTART_COUNT": str(again),
    }


def slurm(rank, port, again=0, world=2):
    """What srun tells its tasks."""
    return {
        "SLURM_JOB_ID": "4711",
        "SLURM_JOB_NAME": "train",
        "SLURM_NTASKS": str(world),
        "SLURM_PROCID": str(rank),
        "SLURM_LOCALID": "0",
        "SLURM_NODEID": str(rank),
        "SLURM_NNODES": str(world),
        "SLURM_NTASKS_PER_NODE": "1",
        "SLURM_NODELIST": "localhost",
        "MASTER_PORT": port,
        "SLURM_RESTART_COUNT": str(again),
    }


class Started:
    """The program on two machines, as a launcher starts it."""

    def __init__(self, launcher, *words, ranks=(0, 1), again=0):
        port = free_port()
        self.processes = [
            FORK.Process(target=self._do, args=(launcher(rank, port, again), words, f"{rank}.txt")) for rank in ranks
        ]
        for process in self.processes:
            process.start()

    def _do(self, variables, words, output):
        os.environ |= variables
        with Path(output).open("w", buffering=1) as stream:
            sys.stdout = sys.stderr = stream
            for descriptor in (1, 2):
                os.dup2(stream.fileno(), descriptor)
            code = main([str(word) for word in words])
            stream.flush()
            os._exit(code)

    def codes(self, seconds=60):
        for process in self.processes:
            process.join(seconds)
        assert not self.left(), said()
        return [process.exitcode for process in self.processes]

    def left(self):
        """Those that have not ended, which end now."""
        alive = [process for process in self.processes if process.is_alive()]
        for process in alive:
            process.kill()
        return alive

    def when(self, condition, seconds=60):
        """Wait until the condition holds, while all live."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end or not all(process.is_alive() for process in self.processes):
                self.left()
                pytest.fail(said())
            time.sleep(0.05)


def said():
    return "".join(f"--- {file}\n{file.read_text()}" for file in sorted(Path().glob("[0-9].txt")))


def test_two_machines_equal_one_process_with_the_double_batch_and_resume_exactly(gantrain):
    assert gantrain(*WORDS, "iterations=4", "data.batch_size=8", "hydra.run.dir=one").code == 0
    words = (*WORDS, "data.batch_size=4")
    assert Started(torchrun, *words, "iterations=4", "hydra.run.dir=two").codes() == [0, 0], said()
    for state, other in zip(*(newest(run)["networks"].values() for run in ("one", "two")), strict=True):
        for key, value in state.items():
            assert torch.allclose(value, other[key], atol=1e-6), key
    assert Started(slurm, *words, "iterations=2", "hydra.run.dir=cut").codes() == [0, 0], said()
    assert Started(torchrun, "resume", "cut", "iterations=4").codes() == [0, 0], said()
    assert not differences(newest("two"), newest("cut"))
    assert (newest("two")["images_seen"], len(newest("two")["rng"])) == (32, 2)


def test_a_refusal_ends_all_with_one_sentence():
    assert Started(torchrun, *WORDS, "losses=nope", "hydra.run.dir=run").codes() == [2, 2], said()
    assert Path("0.txt").read_text().count("\n") == 1
    assert Path("1.txt").read_text() == ""
    assert not Path("run").exists()


def test_what_hinders_another_machine_is_told_by_rank_0(monkeypatch):
    """Its data, say, are not there."""
    from gantrain.training import worker

    def missing(*_):
        raise UserError("data.root: there is no folder 'x'")

    monkeypatch.setattr(worker, "ready_for", missing)  # rank 0 does not ask it
    assert Started(torchrun, *WORDS, "hydra.run.dir=run").codes() == [2, 2], said()
    assert "process 1 of 2: on " in Path("0.txt").read_text()
    assert "data.root: there is no folder 'x'" in Path("0.txt").read_text()


def test_a_killed_process_ends_all_with_a_line():
    endless = (*WORDS, "iterations=1000000", "callbacks.checkpoint.every_seconds=0.2", "hydra.run.dir=run")
    started = Started(torchrun, *endless)
    started.when(lambda: list(Path("run").rglob("[0-9]*.ckpt")))
    os.kill(started.processes[1].pid, signal.SIGKILL)
    assert started.codes() == [2, -signal.SIGKILL]
    text = Path("0.txt").read_text()
    assert "another process of the run has ended; the last whole checkpoint is kept, resume the run" in text
    assert "Traceback" not in text


def test_a_stopped_job_that_is_started_again_resumes():
    words = (*WORDS, "iterations=1000000", "callbacks.checkpoint.every_seconds=0.2", "callbacks.progress.seconds=0")
    started = Started(slurm, *words)
    started.when(lambda: list(Path("runs").rglob("[0-9]*.ckpt")))
    for process in started.processes:  # as preemption does
        os.kill(process.pid, signal.SIGTERM)
    assert started.codes() == [143, 143], said()
    (run,) = Path("runs").glob("*/*")
    again = Started(slurm, *words, again=1)
    again.when(lambda: "/1,000,000" in Path("0.txt").read_text())
    assert f"resuming {run}" in Path("0.txt").read_text()
    for process in again.processes:
        os.kill(process.pid, signal.SIGTERM)
    assert again.codes() == [143, 143], said()
    assert list(Path("runs").glob("*/*")) == [run]


def test_a_job_of_one_process_that_is_started_again_resumes(gantrain, monkeypatch):
    for key, value in slurm(0, "1", world=1).items():
        monkeypatch.setenv(key, value)
    assert gantrain(*WORDS, "iterations=2").code == 0
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    assert "resuming runs/gan_mnist_keras/" in gantrain(*WORDS, "iterations=2").out
    monkeypatch.setenv("SLURM_JOB_ID", "4712")
    assert "resuming" not in gantrain(*WORDS, "iterations=2").out


def test_who_does_not_come_is_waited_for_and_then_named(monkeypatch):
    monkeypatch.setenv("GANTRAIN_ARRIVAL", "0.5")
    assert Started(torchrun, *WORDS, ranks=(0,)).codes() == [2], said()
    assert "torchrun has promised 2 processes" in Path("0.txt").read_text()


def test_who_is_alone_was_launched_by_nobody():
    assert launched({}) is None
    assert launched({"SLURM_JOB_ID": "1", "SLURM_NTASKS": "4"}) is None  # a batch script without srun
    assert launched({**slurm(0, "1"), "SLURM_JOB_NAME": "interactive"}) is None


def test_the_numbers_of_a_launcher_are_read():
    there = launched({**torchrun(5, "1"), "WORLD_SIZE": "8", "LOCAL_WORLD_SIZE": "4", "TORCHELASTIC_RUN_ID": "a"})
    assert (there.rank, there.processes, there.machines, there.on_machine, there.job) == (5, 8, 2, 4, "torchrun a")
    job = launched(slurm(1, "1", again=2))
    assert (job.launcher, job.rank, job.machines, job.job, job.restarted) == ("SLURM", 1, 2, "SLURM 4711", True)
    with pytest.raises(UserError, match="as many on each machine"):
        launched({**torchrun(0, "1", world=3), "LOCAL_WORLD_SIZE": "2"})


def test_several_machines_need_a_launcher(gantrain):
    refused = gantrain(*WORDS, "trainer.num_nodes=2")
    assert refused.code == 2
    assert "torchrun --nnodes 2" in refused.err
    trainer = {"devices": 1, "num_nodes": 1}
    place(trainer, ())
    assert trainer == {"devices": 1, "num_nodes": 1}
    assert begun_before(Path()) is None


@pytest.mark.parametrize(
    ("started", "variable", "value"),
    [
        (torchrun, "WORLD_SIZE", "abc"),
        (torchrun, "WORLD_SIZE", "0"),
        (torchrun, "RANK", "-1"),
        (torchrun, "LOCAL_WORLD_SIZE", "0"),
        (slurm, "SLURM_NTASKS", "0"),
        (slurm, "SLURM_NNODES", "0"),
        (slurm, "SLURM_PROCID", "x"),
    ],
)
def test_a_variable_that_no_launcher_sets_is_named(started, variable, value):
    environ = started(0, "29500")
    environ.pop("SLURM_NTASKS_PER_NODE", None)
    with pytest.raises(UserError, match=rf"\${variable} is '{value}'"):
        launched(environ | {variable: value})


def test_a_rank_beyond_the_last_is_refused():
    with pytest.raises(UserError, match="number 5 of 2"):
        launched(torchrun(5, "29500"))
