from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torchvision import models

from gantrain.errors import UserError
from gantrain.evaluation.backbones import named
from gantrain.files import sha256
from gantrain.networks.torchscript import trust
from gantrain.networks.weights import read_state


def pictures(n=3, channels=3, side=32):
    return torch.randint(
        0, 256, (n, channels, side, side), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )


def test_random_is_the_same_everywhere():
    one, other = named("random", None, None), named("random", None, None)
    assert one.weights == other.weights
    features, logits = one(pictures())
    assert torch.equal(features, other(pictures())[0])
    assert features.shape == (3, 32)
    assert logits is None
    assert features.std(0).mean() > 0


def test_grey_pictures_are_served_as_colour():
    grey = pictures(channels=1)
    backbone = named("random", None, None)
    assert torch.equal(backbone(grey)[0], backbone(grey.expand(-1, 3, -1, -1))[0])


class Script(nn.Module):
    def forward(self, x):
        return x.mean((2, 3))


class Classifying(nn.Module):
    def forward(self, x):
        return x.mean((2, 3)), x.amax((2, 3))


class Map(nn.Module):
    def forward(self, x):
        return x


def script(file, network):
    torch.jit.script(network).save(file)
    trust(Path(file))


def test_torchscript_sees_minus_one_to_one():
    script("my net-1.pt", Script())
    backbone = named("my net-1.pt", None, None)
    assert backbone.name == "my_net_1"
    assert torch.allclose(backbone(torch.full((2, 1, 4, 4), 255, dtype=torch.uint8))[0], torch.ones(2, 3))
    script("both.pt", Classifying())
    assert [part.shape for part in named("both.pt", None, None)(pictures())] == [(3, 3), (3, 3)]


@pytest.mark.parametrize(
    ("content", "match"), [(b"", "no TorchScript"), (b"no zip at all", "no TorchScript"), (None, "no file")]
)
def test_files_that_are_no_torchscript(tmp_path, content, match):
    if content is not None:
        (tmp_path / "net.pt").write_bytes(content)
        trust(tmp_path / "net.pt")
    with pytest.raises(UserError, match=match):
        named("net.pt", None, None)


def test_a_script_of_the_wrong_rank():
    script("map.pt", Map())
    with pytest.raises(UserError, match=r"features \(n, d\)"):
        named("map.pt", None, None)(pictures())


def test_torchvision_with_local_weights(tmp_path):
    torch.manual_seed(0)
    network = models.mobilenet_v3_small(weights=None).eval()
    save_file(network.state_dict(), tmp_path / "w.safetensors")
    torch.save(network.state_dict(), tmp_path / "w.pth")
    for file in ("w.safetensors", "w.pth"):
        backbone = named("mobilenet_v3_small", file, None)
        assert backbone.weights == sha256(tmp_path / file)
    features, logits = backbone(pictures())
    assert (features.shape, logits.shape) == ((3, 1024), (3, 1000))
    assert torch.allclose(logits, network.classifier[3](features), atol=1e-5)
    assert not torch.equal(named("mobilenet_v3_small", "w.pth", "clean")(pictures())[0], features)


def test_what_is_no_backbone():
    with pytest.raises(UserError, match="did you mean 'resnet50'"):
        named("resnet5O", None, None)
    with pytest.raises(UserError, match=r"no file nowhere\.pth"):
        named("resnet18", "nowhere.pth", None)
    with pytest.raises(UserError, match=r"evaluation\.weights: there is no file untrained; fetch torchvision's"):
        named("resnet18", "untrained", None)  # a score of random features would be none of resnet18's


def test_weights_of_another_network(tmp_path):
    torch.save(nn.Linear(2, 2).state_dict(), tmp_path / "w.pth")
    with pytest.raises(UserError, match=r"w\.pth does not fit mobilenet_v3_small"):
        named("mobilenet_v3_small", "w.pth", None)


def test_a_download_that_is_impossible(monkeypatch):
    from urllib.error import URLError

    def refuse(*args, **kwargs):
        raise URLError("no route")

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", refuse)
    with pytest.raises(UserError, match="weights=FILE"):
        named("mobilenet_v3_small", None, None)


class Bomb:
    def __reduce__(self):
        return (print, ("run",))


@pytest.mark.parametrize("content", [b"", b"garbage", b"PK\3\4 cut", "bomb", "no tensors"])
def test_hostile_weights(tmp_path, content, capsys):
    file = tmp_path / "w.pth"
    if content == "bomb":
        torch.save({"a": Bomb()}, file)
    elif content == "no tensors":
        torch.save({"a": 3}, file)
    else:
        file.write_bytes(content)
    with pytest.raises(UserError, match=r"w\.pth"):
        read_state(file, "evaluation.weights")
    assert "run" not in capsys.readouterr().out


@pytest.fixture(scope="module")
def inception(tmp_path_factory):
    """torch-fidelity's network with weights drawn here: the published ones cannot be had everywhere."""
    module = pytest.importorskip("torch_fidelity.feature_extractor_inceptionv3")
    file = tmp_path_factory.mktemp("inception") / "weights.pth"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "load_state_dict_from_url", lambda *args, **kwargs: None)
        patch.setattr(module.FeatureExtractorInceptionV3, "load_state_dict", lambda *args, **kwargs: None)
        torch.manual_seed(0)
        network = module.FeatureExtractorInceptionV3("inception", ["2048"])
    torch.save(network.state_dict(), file)
    return file


def test_inception_is_torch_fidelitys(inception):
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    theirs = FeatureExtractorInceptionV3("theirs", ["2048", "logits_unbiased"], str(inception))
    backbone = named("tf", str(inception), None)
    features, logits = backbone(pictures(2))
    expected, expected_logits = theirs(pictures(2))
    assert torch.equal(features, expected)
    assert torch.equal(logits, expected_logits)
    assert (backbone.name, backbone.filter, backbone.weights) == ("tf", "tf1", sha256(inception))
    clean = named("tf", str(inception), "clean")
    assert clean.rounded
    assert not torch.allclose(clean(pictures(2))[0], features)


def test_fid_and_inception_score_are_torch_fidelitys(inception):
    """On what the network says of the same pictures; its first 64 features show what all 2,048 would."""
    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
    from torch_fidelity.metric_isc import isc_features_to_metric

    from gantrain.evaluation.extraction import extract
    from gantrain.evaluation.measures.classes import inception_score
    from gantrain.evaluation.measures.frechet import frechet_distance, moments

    generator = torch.Generator().manual_seed(1)
    true = torch.randint(0, 256, (4, 3, 16, 16), dtype=torch.uint8, generator=generator)
    fake = torch.randint(0, 128, (4, 3, 16, 16), dtype=torch.uint8, generator=generator)
    backbone = named("tf", str(inception), None)
    ours = [extract(iter([(part, None)]), backbone, torch.device("cpu")) for part in (true, fake)]
    some = [found.features[:, :64] for found in ours]
    # A network of random weights says nearly the same of all pictures, so numbers that are spread are compared as well.
    spread, logits = torch.randn(2, 20, 64, generator=generator), 3 * torch.randn(4, 1008, generator=generator)
    for real, other in (some, spread):
        theirs = fid_statistics_to_metric(*map(fid_features_to_statistics, (real, other)), verbose=False)
        distance = frechet_distance(*moments(real), *moments(other))
        assert distance == pytest.approx(theirs["frechet_inception_distance"], rel=1e-4)
    score = isc_features_to_metric(logits, splits=1)["inception_score_mean"]
    assert inception_score(logits.double().softmax(1)) == pytest.approx(score, rel=1e-5)
    assert torch.allclose(ours[1].probabilities, backbone(fake)[1].softmax(1).to(ours[1].probabilities), atol=1e-6)
