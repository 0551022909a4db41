"""Networks for use are the ones of the last stage."""

import torch

from gantrain.run.exports import export, load_network


def test_the_averaged_weights_of_an_earlier_stage_are_not_taken_for_the_last_ones(tmp_path):
    def network(value):
        layer = torch.nn.Linear(1, 1)
        torch.nn.init.constant_(layer.weight, value)
        return {"generator": layer}

    nodes = {"generator": {"_target_": "torch.nn.Linear", "in_features": 1, "out_features": 1}}
    export(tmp_path, network(1), network(2), nodes)
    assert load_network(tmp_path / "generator").weight.item() == 2
    export(tmp_path, network(3), {}, nodes)
    assert load_network(tmp_path / "generator").weight.item() == 3


def test_exports_are_readable_for_others(run):
    assert (run / "networks/generator/weights.safetensors").stat().st_mode & 0o044 == 0o044
