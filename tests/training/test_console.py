"""What a run says at its end."""

import shlex


def test_its_commands_can_be_pasted_also_where_the_folder_has_spaces(gantrain):
    ended = gantrain("debug=tiny", "callbacks.samples.count=4", "hydra.run.dir=my run")
    assert ended.code == 0, ended
    lines = [line.split(maxsplit=1) for line in ended.out.splitlines() if line]
    commands = {line[0]: shlex.split(line[1]) for line in lines if line[0] in ("sample", "longer", "curves")}
    assert commands["sample"] == ["gantrain", "sample", "my run"]
    assert commands["longer"] == ["gantrain", "resume", "my run", "iterations=N"]
    assert commands["curves"] == ["tensorboard", "--logdir", "my run"]
