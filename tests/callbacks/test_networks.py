"""TensorBoard tells what the networks are; looking at them does not change training."""

import pytest
import torch
from compare import differences, newest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import nn
from torch.utils.tensorboard import SummaryWriter

from gantrain.callbacks.networks import describe, table, tensors
from gantrain.networks.critique import Critique

pytestmark = pytest.mark.whole
TINY = ("debug=tiny", "callbacks.samples.count=4")


def read(folder):
    """The texts by tag, and the nodes of the graph."""
    events = EventAccumulator(str(folder)).Reload()
    tags = events.Tags()
    texts = {
        tag.removesuffix("/text_summary"): events.Tensors(tag)[0].tensor_proto.string_val[0].decode()
        for tag in tags["tensors"]
    }
    return texts, [node.name for node in events.Graph().node] if tags["graph"] else []


def described(folder, networks, inputs):
    writer = SummaryWriter(str(folder))
    describe(writer, networks, inputs, "")
    writer.close()
    return read(folder)


@pytest.mark.parametrize("experiment", ["dcgan_digits", "dcgan_mnist"])
def test_describing_never_changes_training(gantrain, experiment):
    words = (f"experiment={experiment}", *TINY, "iterations=3")
    assert gantrain(*words, "hydra.run.dir=with").code == 0
    assert gantrain(*words, "callbacks.networks=null", "hydra.run.dir=without").code == 0
    assert differences(newest("with"), newest("without")) == []


def test_every_network_has_a_text_and_a_place_in_the_graph(gantrain, tmp_path):
    result = gantrain(*TINY, "hydra.run.dir=run")
    assert result.code == 0
    assert result.err == ""
    texts, nodes = read(tmp_path / "run/tensorboard")
    assert list(texts) == ["networks/generator", "networks/discriminator"]
    generator = newest("run")["networks"]["generator"]
    weight = generator["layers.0.weight"]
    assert f"| layers.0 | Linear | [4, {weight.shape[0]}] | {weight.numel():,} |" in texts["networks/generator"]
    assert "| (all of it) | Discriminator | [4] |" in texts["networks/discriminator"]
    assert "No graph" not in "".join(texts.values())
    assert any("Generator[generator]" in node for node in nodes)
    assert any("Discriminator[discriminator]" in node for node in nodes)


def test_a_resumed_run_tells_nothing_twice(gantrain, run, tmp_path):
    assert gantrain("resume", "run", "iterations=3").code == 0
    events = EventAccumulator(str(tmp_path / "run/tensorboard")).Reload()
    assert len(events.Tensors("networks/generator/text_summary")) == 1


def test_without_tensorboard_nothing_listens(gantrain):
    assert gantrain(*TINY, "logger=none", "hydra.run.dir=run").code == 0


def test_real_pictures_stand_beside_the_samples(run, tmp_path):
    events = EventAccumulator(str(tmp_path / "run/tensorboard")).Reload()
    assert [event.step for event in events.Images("samples/real")] == [0]
    (real,), samples = events.Images("samples/real"), events.Images("samples")
    assert (real.width, real.height) == (102, 102)  # the first four of the data
    assert real.encoded_image_string != samples[0].encoded_image_string


class Branches(nn.Module):
    """What the tracer cannot follow."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 2)

    def forward(self, x):
        if torch.jit.is_tracing():
            raise RuntimeError("this network\nlooks at its values")
        return self.layer(x)


class Rich(nn.Module):
    """Two inputs, and an answer with parts."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 2)

    def forward(self, x, cond):
        return Critique(self.layer(x), features=(x, self.layer.weight[cond]))


def test_a_network_that_cannot_be_traced_says_why_and_the_others_have_their_graph(tmp_path, capsys):
    x = torch.zeros(4, 3)
    networks = {"branches": Branches(), "plain": nn.Linear(3, 2), "idle": nn.Linear(3, 2)}
    texts, nodes = described(tmp_path, networks, {"branches": (x,), "plain": (x,), "idle": None})
    assert "No graph: torch.jit.trace cannot follow it (this network looks at its values)" in texts["networks/branches"]
    assert "| layer | Linear | [4, 2] | 8 |" in texts["networks/branches"]
    assert "No graph: this stage's family states no inputs for it" in texts["networks/idle"]
    assert "8 parameters" in texts["networks/idle"]
    assert any("Linear[plain]" in node for node in nodes)
    assert not any("branches" in node for node in nodes)
    assert capsys.readouterr().out == ""


def test_several_inputs_and_an_answer_with_parts(tmp_path):
    inputs = {"plain": (torch.zeros(4, 3),), "rich": (torch.zeros(4, 3), torch.tensor([0, 1, 1, 0]))}
    texts, nodes = described(tmp_path, {"plain": nn.Linear(3, 2), "rich": Rich()}, inputs)
    assert "No graph" not in "".join(texts.values())
    assert any("Rich[rich]" in node for node in nodes)
    critique = Critique(torch.tensor(1), (torch.tensor(2), torch.tensor(3)))
    assert [int(tensor) for tensor in tensors(critique)] == [1, 2, 3]


def test_no_network_at_all_can_be_traced(tmp_path):
    texts, nodes = described(tmp_path, {"branches": Branches()}, {"branches": (torch.zeros(4, 3),)})
    assert "No graph" in texts["networks/branches"]
    assert nodes == []


def test_the_table_is_made_where_the_network_lies():
    """On a GPU the inputs must stay there. Tensors of `meta` say so anywhere: they cannot be copied to the CPU."""
    network = nn.Sequential(nn.Linear(2, 3, device="meta"), nn.ReLU())
    assert "| 0 | Linear | [4, 3] | 9 |" in table(network, (torch.empty(4, 2, device="meta"),))
