"""Trained networks as files for other programs, each held against the network that it was made from."""

import importlib.util
import inspect
import json
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from gantrain import __version__
from gantrain.data.holes import pasted
from gantrain.errors import UserError, one_line
from gantrain.files import replacing
from gantrain.networks.extent import AnySize, Local
from gantrain.networks.text import LETTERS
from gantrain.run.exports import load_exported, untrained, write_weights
from gantrain.training.loading import Trained

TRACED = 2  # samples that a network is traced with: of one, an exporter may take the batch for fixed
CHECKED = (1, 3)  # samples that it is held against its file with
TOLERANCE = 1e-3  # of the largest value; float32 in another order differs by some millionths of that
FACTS = "export.json"
SIDES = {0: "batch", 2: "height", 3: "width"}  # which may have any length, by their place in a shape

Inputs = dict[str, Tensor]  # by the names of the parameters of `forward`
Lengths = dict[str, dict[int, Any]]  # of each input the sides of any length, as torch.export takes them


class Format(NamedTuple):
    """`write(network, inputs, lengths, file)` gives facts of the file, `read(file)` a function of inputs."""

    file: str
    write: Callable[[nn.Module, Inputs, Lengths, Path], dict[str, Any]]
    read: Callable[[Path], Callable[[Inputs], Tensor]]
    needs: tuple[str, ...] = ()  # packages of the extra `onnx`


class Filling(nn.Module):
    """A network that fills holes, with what is known around them left as it is."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, cond: Tensor) -> Tensor:
        return pasted(self.network(cond), cond)


def export_network(trained: Trained, name: str, raw: bool, kind: str, folder: Path) -> dict[str, Any]:
    """Write network `name` into `folder` as one of `FORMATS`, and what is to be known of it as `export.json`.

    It is in eval mode, with averaged weights where there are some, unless `raw`. A batch may have any size, and so may
    pictures where the network takes any. Raises UserError where it cannot be written, and where the file gives other
    values than the network; then neither is left. Returns what is in `export.json`.
    """
    how = FORMATS[kind]
    refuse_missing(kind, how.needs)
    network = trained.module.averaged(name, raw).cpu().eval().requires_grad_(False)
    drawn = Drawn(trained, name, network)
    fills = "inpaint" in trained.data.verbs and kind != "safetensors"
    network = Filling(network) if fills else network
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "config.json", trained.stage.config["networks"][name])
    with replacing(folder / how.file) as temporary, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # exporters warn of themselves
        facts = written(how, network, drawn, temporary, f"networks.{name} as {kind}")
        facts |= parity(network, how.read(temporary), drawn, f"networks.{name} as {kind}")
    averaged = trained.module.averaged(name) is not trained.module.averaged(name, raw=True) and not raw
    facts = {
        "format": kind,
        "file": how.file,
        "network": name,
        "weights": "averaged" if averaged else "last",
        **facts,
        "dynamic": [SIDES[place] for place in drawn.free],
        **drawn.told(),
        "range": list(trained.data.range),
        "classes": trained.data.class_names or trained.module.classes,
        "iteration": trained.iteration,
        "made_with": {"gantrain": __version__, "torch": torch.__version__},
    }
    write_json(folder / FACTS, facts)
    return facts


def write_json(file: Path, value: Any) -> None:
    with replacing(file) as temporary:
        temporary.write_text(json.dumps(value, indent=2), encoding="utf-8")


def refuse_missing(kind: str, packages: tuple[str, ...]) -> None:
    missing = [package for package in packages if importlib.util.find_spec(package) is None]
    if missing:
        raise UserError(f"--format {kind} needs {' and '.join(missing)}: `pip install 'gantrain[onnx]'`")


# ---- what it takes ---------------------------------------------------------------------------------------------------


class Drawn:
    """Inputs that a network takes in use, drawn at random; of pictures, `free` sides may have any length."""

    def __init__(self, trained: Trained, name: str, network: nn.Module):
        self.module, self.range = trained.module, trained.data.range
        inputs = trained.module.inputs_of(name, trained.data.blank(TRACED))
        if inputs is None:
            raise UserError(f"networks.{name}: the run's family does not say what it takes, in `inputs_of`")
        names = list(inspect.signature(network.forward).parameters)
        self.shapes = dict(zip(names, ((value.dtype, value.shape[1:]) for value in inputs), strict=False))
        step = network.multiple if isinstance(network, AnySize) else 1 if isinstance(network, Local) else None
        self.free = {0: 1, **({2: step, 3: step} if step and len(inputs[0].shape) == 4 else {})}

    def batch(self, n: int, seed: int = 0, larger: int = 0) -> Inputs:
        """`n` of each; `larger` adds so many steps to the free sides of pictures."""
        generator = torch.Generator().manual_seed(seed)
        return {name: self.of(dtype, n, shape, generator, larger) for name, (dtype, shape) in self.shapes.items()}

    def of(self, dtype: torch.dtype, n: int, shape: torch.Size, generator: torch.Generator, larger: int) -> Tensor:
        if not dtype.is_floating_point:
            high = LETTERS + 1 if shape else self.module.classes or 1  # a row of them is a text
            return torch.randint(high, (n, *shape), generator=generator)
        if len(shape) == 1 and self.module.takes_texts:  # parts of latents, and embeddings
            return torch.randn(n, *shape, generator=generator)
        if len(shape) == 1 and "sample" in self.module.verbs:
            return self.module.latents(n, generator)
        low, high = self.range
        sides = [side + larger * place * self.free.get(place, 0) for place, side in enumerate(shape, 1)]
        return low + (high - low) * torch.rand(n, *sides, generator=generator)

    def lengths(self) -> Lengths:
        """The free sides of each input."""
        dims = {place: torch.export.Dim(SIDES[place]) for place in self.free}
        dims = {place: dim if self.free[place] == 1 else self.free[place] * dim for place, dim in dims.items()}
        return {name: {p: dim for p, dim in dims.items() if p <= len(s)} for name, (_, s) in self.shapes.items()}

    def told(self) -> dict[str, Any]:
        def side(place: int, length: int) -> int | str:
            step = self.free.get(place)
            return length if step is None else SIDES[place] if step == 1 else f"{step} * {SIDES[place]}"

        return {
            "inputs": [
                {
                    "name": name,
                    "type": str(dtype).removeprefix("torch."),
                    "shape": ["batch", *(side(place, length) for place, length in enumerate(shape, 1))],
                }
                for name, (dtype, shape) in self.shapes.items()
            ]
        }


# ---- writing and checking --------------------------------------------------------------------------------------------


def written(how: Format, network: nn.Module, drawn: Drawn, file: Path, what: str) -> dict[str, Any]:
    """Write the file; returns what its format tells of it. Raises UserError."""
    from torch._dynamo.exc import TorchDynamoException
    from torch.onnx import OnnxExporterError

    try:
        with torch.no_grad():
            return how.write(network, drawn.batch(TRACED), drawn.lengths(), file)
    except (RuntimeError, TypeError, ValueError, TorchDynamoException, OnnxExporterError) as error:
        reason = one_line(error)[:300]
        raise UserError(f"{what}: it cannot be written ({reason}); --format safetensors takes any") from error


def parity(network: nn.Module, run: Callable[[Inputs], Tensor], drawn: Drawn, what: str) -> dict[str, Any]:
    """How far the file's values lie from the network's, for other batches than it was traced with. Raises UserError."""
    worst = largest = 0.0
    for n in CHECKED:
        inputs = drawn.batch(n, seed=n, larger=n - 1)
        with torch.no_grad():
            expected = network(*inputs.values())
        try:
            made = run(inputs)
        except (RuntimeError, ValueError, TypeError, AssertionError) as error:
            reason = one_line(error)[:300]
            raise UserError(f"{what}: the file does not take {n} samples ({reason}); nothing is kept") from error
        if made.shape != expected.shape:
            shapes = [tuple(values.shape) for values in (made, expected)]
            raise UserError(f"{what}: of {n} samples the file makes {shapes[0]}, not {shapes[1]}; nothing is kept")
        difference, scale = (made - expected).abs().max().item(), expected.abs().max().item()
        if not difference <= TOLERANCE * scale:  # nor where one of them is no number
            size = f"{difference:.3g} in values up to {scale:.3g}"
            raise UserError(f"{what}: the file differs by {size}; nothing is kept")
        worst, largest = max(worst, difference), max(largest, scale)
    return {"largest_difference": worst, "largest_value": largest, "checked_batches": list(CHECKED)}


def write_onnx(network: nn.Module, inputs: Inputs, lengths: Lengths, file: Path) -> dict[str, Any]:
    shapes = tuple(lengths.values())
    program = torch.onnx.export(
        network,
        tuple(inputs.values()),
        input_names=list(inputs),
        output_names=["output"],
        dynamic_shapes=shapes,
        dynamo=True,
        verbose=False,
    )
    program.save(file, external_data=False)
    return {"opset": program.model.opset_imports[""], "output": "output"}


def read_onnx(file: Path) -> Callable[[Inputs], Tensor]:
    import onnxruntime

    session = onnxruntime.InferenceSession(file.read_bytes(), providers=["CPUExecutionProvider"])

    def run(inputs: Inputs) -> Tensor:
        try:
            return torch.from_numpy(session.run(None, {name: value.numpy() for name, value in inputs.items()})[0])
        except Exception as error:  # its own have no other base
            raise RuntimeError(one_line(error)) from error

    return run


def write_exported(network: nn.Module, inputs: Inputs, lengths: Lengths, file: Path) -> dict[str, Any]:
    shapes = tuple(lengths.values())
    program = torch.export.export(network, tuple(inputs.values()), dynamic_shapes=shapes, strict=False)
    with file.open("wb") as stream:  # of a path, its suffix would matter
        torch.export.save(program, stream)
    return {}


def read_exported(file: Path) -> Callable[[Inputs], Tensor]:
    with file.open("rb") as stream:
        module = torch.export.load(stream).module()
    return lambda inputs: module(*inputs.values())


def write_torchscript(network: nn.Module, inputs: Inputs, lengths: Lengths, file: Path) -> dict[str, Any]:
    torch.jit.trace(network, tuple(inputs.values()), check_trace=False).save(str(file))
    return {}


def read_torchscript(file: Path) -> Callable[[Inputs], Tensor]:
    module = torch.jit.load(str(file))
    return lambda inputs: module(*inputs.values())


def write_safetensors(network: nn.Module, inputs: Inputs, lengths: Lengths, file: Path) -> dict[str, Any]:
    write_weights(network, file)
    return {}


def read_safetensors(file: Path) -> Callable[[Inputs], Tensor]:
    network = untrained(file.parent).eval()
    load_exported(network, file)
    return lambda inputs: network(*inputs.values())


FORMATS: Mapping[str, Format] = {
    "onnx": Format("model.onnx", write_onnx, read_onnx, ("onnxscript", "onnxruntime")),
    "torch.export": Format("model.pt2", write_exported, read_exported),
    "torchscript": Format("model.ts", write_torchscript, read_torchscript),
    "safetensors": Format("weights.safetensors", write_safetensors, read_safetensors),
}
