import pytest
import torch
from pictures_on_disk import make_pictures, write_picture
from safetensors.torch import save_file
from toys import game, play

from gantrain.config.compose import composed
from gantrain.errors import UserError
from gantrain.losses.perceptual import Perceptual, convolutions, depth_of
from gantrain.models.latent import LatentGAN

WIDTH = 2


def vgg(network="vgg16", layer="relu2_1", **options):
    return Perceptual(network, layer, range=(-1, 1), width=WIDTH, **options)


@pytest.fixture
def weights(tmp_path):
    """A narrow VGG16 and its file, as the state dict of `features`."""
    torch.manual_seed(3)
    layers = convolutions("vgg16", WIDTH)
    file = tmp_path / "vgg16.safetensors"
    save_file(layers.state_dict(), file)
    return layers, file


def test_layers_are_numbered_as_torchvisions_are():
    from torchvision.models import vgg

    for network, letter in (("vgg16", "D"), ("vgg19", "E")):
        with torch.device("meta"):
            theirs, ours = vgg.make_layers(vgg.cfgs[letter]), convolutions(network)
        assert [type(a) for a in theirs] == [type(a) for a in ours]
        assert {k: v.shape for k, v in theirs.state_dict().items()} == {
            k: v.shape for k, v in ours.state_dict().items()
        }


@pytest.mark.parametrize(
    ("network", "layer", "depth"),
    [
        ("vgg19", "conv1_1", 1),
        ("vgg19", "relu1_1", 2),
        ("vgg19", "relu2_1", 7),
        ("vgg19", "block3_conv3", 16),
        ("vgg19", "relu3_3", 16),
        ("vgg19", "relu5_4", 36),
        ("vgg16", "relu5_3", 30),
    ],
)
def test_layers_have_the_names_of_two_frameworks(network, layer, depth):
    assert depth_of(network, layer) == depth


@pytest.mark.parametrize("layer", ["relu5_4", "relu6_1", "relu0_1", "block3_relu3", "pool1", "relu3_33"])
def test_a_layer_that_is_not_there(layer):
    with pytest.raises(ValueError, match=r"is none of vgg16.*relu5_3"):
        depth_of("vgg16", layer)


def test_imagenets_normalisation_by_hand(weights):
    layers, file = weights
    loss = vgg(layer="conv1_1", weights=str(file))
    pictures = torch.rand(2, 3, 8, 8) * 2 - 1
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    seen = ((pictures + 1) / 2 - mean.view(3, 1, 1)) / deviation.view(3, 1, 1)
    assert torch.allclose(*loss.features_of(pictures), layers[0](seen), atol=1e-6)


def test_bgr_in_0_to_255_less_its_mean_by_hand(weights):
    layers, file = weights
    loss = vgg(layer="conv1_1", weights=str(file), normalise="bgr_mean", divide=4.0)
    pictures = torch.rand(2, 3, 8, 8) * 2 - 1
    seen = ((pictures + 1) * 127.5).flip(1) - torch.tensor([104.007, 116.669, 122.679]).view(3, 1, 1)
    assert torch.allclose(*loss.features_of(pictures), layers[0](seen) / 4, atol=1e-3)


@pytest.mark.parametrize(("precision", "dtype"), [("32-true", torch.float32), ("bf16-mixed", torch.bfloat16)])
def test_it_computes_in_the_trainers_precision(weights, precision, dtype):
    loss, dtypes = vgg(weights=str(weights[1])), set()
    loss.load()
    loss._held[0].register_forward_hook(lambda layer, inputs, made: dtypes.update(each.dtype for each in made))

    class Sees(LatentGAN):
        def losses(self, name, batch, shared):
            terms, stats = super().losses(name, batch, shared)
            pictures = (each.view(-1, 1, 2, 2).repeat(1, 1, 4, 4) for each in (shared, batch["real"]))
            return (terms if name == "discriminator" else {**terms, "content": loss(*pictures)}), stats

    module = play(game(family=Sees), 2, precision=precision)
    assert dtypes == {dtype}
    assert module.meters.pop()["generator/content"] > 0


def test_distance_by_hand_and_its_gradient(weights):
    loss = vgg(weights=str(weights[1]), divide=2.0, weight=3.0)
    made, real = (torch.rand(2, 3, 16, 16) * 2 - 1 for _ in range(2))
    made.requires_grad_(True)
    distance = loss(made, real)
    wanted = 3 * (loss.features_of(made)[0] - loss.features_of(real)[0]).square().mean()
    assert torch.allclose(distance, wanted)
    distance.backward()
    assert made.grad.abs().sum() > 0
    assert all(p.grad is None and not p.requires_grad for p in loss.parameters())


@pytest.mark.parametrize(("layer", "times"), [("relu1_1", 1.0), ("relu2_1", 1.0), ("relu2_1", 1000.0)])
def test_a_measured_scale_is_that_of_the_weights_and_of_the_layer(weights, tmp_path, layer, times):
    file = tmp_path / "larger.safetensors"
    state = weights[0].state_dict()
    last = depth_of("vgg16", layer) - 2
    save_file({k: v * times if k.startswith(f"{last}.") else v for k, v in state.items()}, file)
    made, real = (torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(i)) for i in range(2))
    fixed, measured = (vgg(layer=layer, weights=str(file), divide=divide) for divide in (1.0, None))
    expected = fixed(made, real) / fixed.features_of(real)[0].square().mean()
    assert torch.allclose(measured(made, real), expected)
    usual = vgg(layer=layer, weights=str(weights[1]), divide=None)
    assert torch.allclose(measured(made, real), usual(made, real), rtol=1e-4)  # 1,000 times the features, the same loss
    assert torch.isfinite(measured(made, real.fill_(0.0)))


@pytest.mark.parametrize("divide", [None, 2.0])
def test_distances_at_several_layers_are_added_up(weights, divide):
    names = ["relu3_1", "relu1_2", "conv2_1"]
    made, real = (torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(i)) for i in range(2))
    options = {"weights": str(weights[1]), "divide": divide, "weight": 3.0}
    each = [vgg(layer=name, **options)(made, real) for name in names]
    together = vgg(layer=names, **options)
    assert torch.allclose(together(made, real), sum(each))
    assert together.name == "vgg16 relu3_1+relu1_2+conv2_1"


def test_no_layer_at_all_is_refused():
    with pytest.raises(ValueError, match="layer is an empty list, name one layer or several"):
        vgg(layer=[])


def test_grey_pictures_are_seen_as_grey(weights):
    loss = vgg(weights=str(weights[1]))
    grey = torch.rand(1, 1, 16, 16)
    assert torch.equal(*loss.features_of(grey), *loss.features_of(grey.expand(-1, 3, -1, -1)))


@pytest.mark.parametrize("suffix", ["safetensors", "pth"])
@pytest.mark.parametrize("prefix", ["", "features."])
@pytest.mark.parametrize("half", [False, True])
def test_files_of_every_kind_give_the_same_features(weights, tmp_path, suffix, prefix, half):
    layers, file = weights
    state = {prefix + key: value.half() if half else value for key, value in layers.state_dict().items()}
    if prefix:
        state["classifier.0.weight"] = torch.zeros(3, 3)
    other = tmp_path / f"other.{suffix}"
    save_file(state, other) if suffix == "safetensors" else torch.save(state, other)
    pictures = torch.rand(1, 3, 16, 16)
    [a], [b] = (vgg(weights=str(f)).features_of(pictures) for f in (file, other))
    assert b.dtype == torch.float32
    assert torch.allclose(a, b, rtol=0.02, atol=0.02) if half else torch.equal(a, b)


def test_without_weights_it_stops_and_names_the_ways_out(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    pictures = torch.zeros(1, 3, 16, 16)
    for options in ({}, {"weights": str(tmp_path / "gone.pth")}):
        with pytest.raises(UserError, match=r"losses\.content\.weights=FILE .*losses/content=pixel"):
            vgg(**options)(pictures, pictures)


def test_the_users_random_numbers_are_left_alone(weights):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    vgg(weights="untrained").features_of(torch.zeros(1, 3, 16, 16))
    assert torch.equal(torch.rand(3), expected)


def test_a_file_of_another_network_is_refused(weights):
    with pytest.raises(UserError, match=r"does not hold the first layers of a vgg19 .*it is vgg16"):
        vgg("vgg19", "relu5_4", weights=str(weights[1])).features_of(torch.zeros(1, 3, 32, 32))


class Payload:
    def __reduce__(self):
        return print, ("run",)


@pytest.mark.parametrize("content", [b"hello", None, {"0.weight": torch.tensor([float("nan")])}, {"a": Payload()}, [1]])
def test_a_bad_file_is_refused_without_running_it(tmp_path, content, capsys):
    file = tmp_path / "bad.pth"
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content is None:
        file = file.with_suffix(".safetensors")
        file.write_bytes(b"\xff" * 64)
    else:
        torch.save(content, file)
    with pytest.raises(UserError, match=r"losses\.content\.weights"):
        vgg(weights=str(file)).features_of(torch.zeros(1, 3, 16, 16))
    assert "run" not in capsys.readouterr().out


@pytest.mark.parametrize("options", [{"divide": 0}])
def test_impossible_options_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        vgg(**options)


# ---- on the command line ---------------------------------------------------------------------------------------------


def test_content_is_chosen_by_one_word_for_the_stage_that_plays():
    def content(*words):
        stages = composed(["experiment=srgan_photos", *words], None)["stages"]
        return [stages[name]["losses"]["content"] for name in ("pretrain", "adversarial")]

    first, second = content("losses/content=pixel")
    assert first["_target_"] == second["_target_"] == "gantrain.losses.reconstruction.PixelMSE"
    first, second = content("losses/content=vgg16", "losses.content.weights=FILE", "losses.content.layer=relu4_3")
    assert first["_target_"] == "gantrain.losses.reconstruction.PixelMSE"
    assert (second["network"], second["weights"], second["layer"]) == ("vgg16", "FILE", "relu4_3")
    assert second["range"] == [-1, 1]


@pytest.fixture
def words(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    make_pictures(tmp_path / "photos", 4, size=(40, 36))
    return (
        *("experiment=srgan_photos", "data.root=photos", "data.size=32", "data.batch_size=2", "evaluation=none"),
        *("networks.generator.width=4", "networks.generator.blocks=1", "networks.discriminator.width=4"),
        *("stages.pretrain.iterations=1", "stages.adversarial.iterations=1", "callbacks.networks=null"),
        "hydra.run.dir=run",
    )


def test_a_run_without_weights_stops_before_it_begins(gantrain, words, tmp_path):
    refused = gantrain(*words)
    assert refused.code == 2
    assert "losses.content.weights=FILE" in refused.err
    assert "losses/content=pixel" in refused.err
    assert not (tmp_path / "run").exists()


def test_weights_named_from_here_are_found_from_elsewhere(gantrain, words, tmp_path, monkeypatch):
    torch.save(convolutions("vgg19", WIDTH).state_dict(), "vgg.pth")
    trained = gantrain(*words, "losses.content.weights=vgg.pth", f"losses.content.width={WIDTH}")
    assert trained.code == 0, trained
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    resumed = gantrain("resume", tmp_path / "run", "stages.adversarial.iterations=2")
    assert resumed.code == 0, resumed
    (tmp_path / "vgg.pth").unlink()
    write_picture(tmp_path / "in.png", 0, (8, 8))
    assert gantrain("upscale", tmp_path / "run", tmp_path / "in.png", "--out", "out").code == 0  # needs no VGG
