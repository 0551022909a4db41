"""The frozen face recogniser: its file, its normalisation, gradients through it and none into it."""

import copy
import sys

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from gantrain.errors import UserError
from gantrain.networks.face import FaceEmbedder, resized
from gantrain.networks.torchscript import trust


class Net(nn.Module):
    """Mean, deviation and corner of each channel, six or nine numbers."""

    def __init__(self, scale: float = 2.0):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(scale))
        self.norm = nn.BatchNorm2d(3, affine=False)

    def forward(self, x):
        return torch.cat([self.scale * self.norm(x).mean((2, 3)), x.amax((2, 3))], 1)


class Answers(nn.Module):
    def __init__(self, kind: str):
        super().__init__()
        self.kind = kind

    def forward(self, x):
        flat = x.flatten(1)[:, :4]
        if self.kind == "nan":
            return flat / 0 * 0
        if self.kind == "map":
            return x
        if self.kind == "scalar":
            return flat.sum()
        if self.kind == "side":
            return flat * 0 + x.shape[3]
        if self.kind == "detached":
            return flat.detach()
        return x.view(2, 3, 5, 5).flatten(1)


def script(file, network):
    torch.jit.script(network).save(str(file))
    trust(file)
    return str(file)


@pytest.fixture
def path(tmp_path):
    return script(tmp_path / "face.pt", Net())


def test_gradients_pass_through_it_and_none_into_it(path):
    face = FaceEmbedder(path)
    images = torch.rand(3, 3, 16, 16, requires_grad=True)
    face(images).square().sum().backward()
    assert images.grad.abs().sum() > 0
    assert not any(p.requires_grad for p in face._held[0].parameters())
    assert all(p.grad is None for p in face._held[0].parameters())
    assert list(face.parameters()) == []


def test_a_script_follows_the_trainers_precision(tmp_path):
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4))
    face = FaceEmbedder(script(tmp_path / "face.pt", network), size=None)
    pictures = torch.rand(2, 3, 8, 8, requires_grad=True)
    exact = face(pictures)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = face(pictures)
    assert exact.dtype == rounded.dtype == torch.float32
    assert torch.allclose(rounded, exact, rtol=0.05, atol=0.05)
    assert torch.equal(rounded, rounded.bfloat16().float())
    assert not torch.equal(rounded, exact)
    rounded.sum().backward()
    assert pictures.grad.abs().sum() > 0


def test_it_stays_in_eval_mode(path):
    face = FaceEmbedder(path).train()
    images = torch.rand(3, 3, 16, 16)
    before = face(images)
    face.train()
    assert not any(part.training for part in face._held[0].modules())
    assert torch.equal(face(images), before)  # batch norm's statistics would have moved


def test_normalisation_and_size(path, tmp_path):
    grey = torch.full((1, 3, 8, 8), 0.5)
    unit = FaceEmbedder(path, size=None, range=(0, 1))  # TorchScript takes [-1, 1] unless told otherwise
    assert unit(grey)[0, 3:].tolist() == [0, 0, 0]
    assert unit(2 * grey)[0, 3:].tolist() == [1, 1, 1]
    own = FaceEmbedder(path, size=None, range=(-1, 1), mean=(0.75, 0.5, 0.25), deviation=(0.25, 0.5, 1))
    assert own(grey)[0, 3:].tolist() == [0, 0.5, 0.5]  # 0.5 in [-1, 1] is 0.75 in [0, 1]
    side = script(tmp_path / "side.pt", Answers("side"))
    assert FaceEmbedder(side, size=24)(torch.zeros(1, 1, 8, 8))[0, 0] == 24
    assert FaceEmbedder(side, size=None)(torch.zeros(1, 3, 8, 8))[0, 0] == 8


def test_checkpoints_hold_a_checksum_and_refuse_another_file(path, tmp_path):
    face = FaceEmbedder(path)
    face(torch.rand(1, 3, 8, 8))
    state = face.state_dict()
    assert {key: value.shape for key, value in state.items()} == {"checksum": (32,)}
    again = FaceEmbedder(path)
    again.load_state_dict(state)
    again(torch.rand(1, 3, 8, 8))
    other = FaceEmbedder(script(tmp_path / "other.pt", Net(3.0)))
    other.load_state_dict(state)
    with pytest.raises(UserError, match="not the file that the run was trained with"):
        other(torch.rand(1, 3, 8, 8))
    loaded = FaceEmbedder("untrained")
    loaded(torch.rand(1, 3, 8, 8))
    with pytest.raises(UserError, match="not the file that the run was trained with"):
        loaded.load_state_dict(state)


def test_it_is_loaded_when_it_is_needed():
    face = FaceEmbedder("nowhere.pt")
    assert face.state_dict()["checksum"].tolist() == [0] * 32
    with pytest.raises(UserError, match=r"there is no file nowhere\.pt; networks\.face\.path=FILE"):
        face(torch.rand(1, 3, 8, 8))
    with pytest.raises(UserError, match=r"none is named; networks\.face\.path=FILE .* networks\.face\.model="):
        FaceEmbedder()(torch.rand(1, 3, 8, 8))


def test_copies_and_moves_take_it_along(path):
    face = FaceEmbedder(path, size=None)
    images = torch.rand(2, 3, 8, 8)
    answer = face(images)
    assert torch.equal(copy.deepcopy(face)(images), answer)
    assert torch.equal(face.double()(images), answer)  # in float32 all the same


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("nan", "not finite"),
        ("map", r"with \(2, 3, 8, 8\), not with embeddings"),
        ("scalar", r"with \(\), not with embeddings"),
        ("detached", "no gradient passes"),
        ("view", r"does not take pictures \(n, 3, 8, 8\)"),
    ],
)
def test_networks_of_no_use(tmp_path, kind, says):
    face = FaceEmbedder(script(tmp_path / "face.pt", Answers(kind)), size=8)
    with pytest.raises(UserError, match=says) as refused:
        face(torch.rand(2, 3, 8, 8))
    assert "\n" not in str(refused.value)


def test_files_that_are_none(tmp_path):
    (tmp_path / "face.pt").write_bytes(b"no network")
    trust(tmp_path / "face.pt")
    with pytest.raises(UserError, match="no TorchScript file"):
        FaceEmbedder(str(tmp_path / "face.pt"))(torch.rand(1, 3, 8, 8))
    with pytest.raises(UserError, match="no file of weights"):
        FaceEmbedder(str(tmp_path / "face.pt"), model="torchvision/resnet18")(torch.rand(1, 3, 8, 8))
    save_file({"conv1.weight": torch.zeros(64, 3, 7, 7)}, tmp_path / "part.safetensors")
    with pytest.raises(UserError, match=r"lacks weights of torchvision/resnet18, such as bn1\.weight"):
        FaceEmbedder(str(tmp_path / "part.safetensors"), model="torchvision/resnet18")(torch.rand(1, 3, 8, 8))
    with pytest.raises(UserError, match="torchvision has no model 'resnet19'"):
        FaceEmbedder(str(tmp_path / "face.pt"), model="torchvision/resnet19")(torch.rand(1, 3, 8, 8))
    with pytest.raises(ValueError, match="must be torchvision/NAME or timm/NAME"):
        FaceEmbedder(model="resnet18")


def test_a_model_of_torchvision_without_its_head(tmp_path):
    from torchvision.models import squeezenet1_1

    torch.manual_seed(0)
    whole = squeezenet1_1(num_classes=1000).eval()
    save_file(whole.state_dict(), tmp_path / "weights.safetensors")
    face = FaceEmbedder(str(tmp_path / "weights.safetensors"), model="torchvision/squeezenet1_1", size=64)
    images = torch.rand(2, 3, 64, 64) * 2 - 1
    mean, deviation = (torch.tensor(v).view(3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    wanted = whole.features(((images + 1) / 2 - mean) / deviation).flatten(1)
    assert torch.allclose(face(images), wanted, atol=1e-5)


def test_timm_is_an_extra(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "timm", None)
    (tmp_path / "weights.pt").write_bytes(b"")
    with pytest.raises(UserError, match=r"pip install 'gantrain\[timm\]'"):
        FaceEmbedder(str(tmp_path / "weights.pt"), model="timm/inception_resnet_v2")(torch.rand(1, 3, 8, 8))


def test_the_stand_in_is_always_the_same_and_tells_pictures_apart():
    state = torch.get_rng_state()
    a, b = FaceEmbedder("untrained"), FaceEmbedder("untrained")
    images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    assert torch.equal(a(images), b(images))
    assert (a(images)[0] - a(images)[1]).norm() > 1e-3
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(("height", "width"), [(40, 24), (12, 60), (32, 32)])
def test_pictures_are_resized_as_torch_resizes_them(height, width):
    pixels = torch.rand(2, 3, height, width, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16):
        ours = resized(pixels, 32)
    theirs = torch.nn.functional.interpolate(pixels, (32, 32), mode="bilinear", antialias=True)
    assert torch.allclose(ours, theirs, atol=1e-6)
    weights = torch.rand(2, 3, 32, 32)
    (of_ours,), (of_theirs,) = (torch.autograd.grad((made * weights).sum(), pixels) for made in (ours, theirs))
    assert torch.allclose(of_ours, of_theirs, atol=1e-5)
