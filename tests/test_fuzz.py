"""Readers of files that may be a stranger's, given damaged ones: each ends in a result or in one sentence.

A table of readers, each with a small sound file; one seeded generator damages them all. Every reader has 80 cases in
the suite, and as many as `FUZZ_CASES` says with `make fuzz`; `FUZZ_SEED` draws others.
"""

import copy
import functools
import io
import json
import os
import random
import resource
import shutil
import signal
import struct
import sys
import traceback
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import datasets
import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from scipy.io import savemat
from toys import game, play, player
from volumes_on_disk import box, write_volume
from wiki import person, write_mat

from gantrain.cli.page.desk import checked
from gantrain.cli.sweep import Job
from gantrain.config.finalise import make_absolute
from gantrain.config.stages import stages_of
from gantrain.data.aged_faces import read_csv, read_mat
from gantrain.data.birds import boxes_of
from gantrain.data.captioned_folder import lines_of, read_table
from gantrain.data.folder import ImageFolder
from gantrain.data.formats import decode as decoding
from gantrain.data.formats.decode import Framing, Unreadable, guarded, lost_of, open_picture, to_array
from gantrain.data.formats.embeddings import read_embeddings
from gantrain.data.formats.mat import inflated
from gantrain.data.formats.volume_files import read_volume
from gantrain.data.hub_images import HubImages
from gantrain.data.images import read_idx
from gantrain.data.zipped import ZippedPictures
from gantrain.errors import UserError, first_line
from gantrain.inference.enlarger import Enlarger
from gantrain.inference.filler import Filler
from gantrain.inference.latents import read_latents
from gantrain.inference.style_files import read_directions, read_styles, save_directions, save_styles
from gantrain.inference.translator import Translator
from gantrain.models.base import GANModule
from gantrain.models.loop.ema import EMA
from gantrain.networks.weights import DAMAGED, read_state
from gantrain.report.curves import draw_charts
from gantrain.report.page import described_costs
from gantrain.run.checkpoint import checkpoint_of, load_generators, load_state, read_checkpoint
from gantrain.run.exports import load_exported, load_network
from gantrain.run.folder import Run
from gantrain.run.metrics import read_records
from gantrain.run.provenance import read_costs, read_starts
from gantrain.run.scores import newest_scores, read_scores
from gantrain.run.uses import uses_of
from gantrain.training.confine import confine
from gantrain.training.loading import load_trained, trust
from gantrain.training.prepare import prepare

CASES = int(os.environ.get("FUZZ_CASES", 80))
SEED = int(os.environ.get("FUZZ_SEED", 0))
SECONDS = 10  # for one case, on a busy machine
DRAWN = 0.02  # the share of cases of which curves are drawn, which takes long
MEMORY = 512 << 20  # bytes that a reader may take beyond what the process has

NUMBERS = [0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**40, 2**63 - 1, 2**64 - 1]
WORDS = [
    *("null", "true", "-1", "0", "1e999", "NaN", "Infinity", "9" * 400, "9" * 5000, "[]", "{}", "[[]]", '""', "''"),
    *("[" * 3000, "{a: " * 300, "&a [*a]", "!!python/object:os.system x", "!!binary aGk=", "2024-01-01", "~", "\x00"),
    *(
        "é\u2028\U0001f600",
        "../../x",
        "/etc/passwd",
        "1_000",
        "0x10",
        "<<: x",
        "? ",
        "- ",
        '"\\ud800"',
        "x: x: x",
        "%YAML",
    ),
]


# ---- damage ----------------------------------------------------------------------------------------------------------


def damaged(data: bytes, drawn: random.Random) -> bytes:
    """A sound file's bytes with one to four kinds of damage."""
    for _ in range(drawn.choice((1, 1, 1, 2, 4))):
        data = drawn.choice(DAMAGES)(bytearray(data), drawn)
    return bytes(data)


def flipped(data: bytearray, drawn: random.Random) -> bytearray:
    for _ in range(drawn.choice((1, 1, 2, 8))):
        if data:
            data[drawn.randrange(len(data))] = drawn.randrange(256)
    return data


def cut(data: bytearray, drawn: random.Random) -> bytearray:
    return data[: drawn.randrange(len(data) + 1)]


def without(data: bytearray, drawn: random.Random) -> bytearray:
    start = drawn.randrange(len(data) + 1)
    del data[start : start + drawn.choice((1, 4, 8, 100))]
    return data


def spliced(data: bytearray, drawn: random.Random) -> bytearray:
    """A part of it again at another place, perhaps many times."""
    start, place = (drawn.randrange(len(data) + 1) for _ in range(2))
    part = data[start : start + drawn.choice((1, 8, 64, 512))] * drawn.choice((1, 1, 2, 100))
    data[place:place] = part
    return data


def huge(data: bytearray, drawn: random.Random) -> bytearray:
    """Another number in the place of what may be a length, an offset or a kind."""
    size = drawn.choice((1, 2, 4, 8))
    number = drawn.choice(NUMBERS) & (1 << 8 * size) - 1
    place = drawn.randrange(max(1, len(data) - size))
    data[place : place + size] = number.to_bytes(size, drawn.choice(("little", "big")))
    return data


DAMAGES = [flipped, flipped, cut, without, spliced, huge, huge]


def reworded(data: bytes, drawn: random.Random) -> bytes:
    """A text with other words in the place of some, or damaged as any file."""
    if drawn.random() < 0.3:
        return damaged(data, drawn)
    text = data.decode()
    for _ in range(drawn.choice((1, 1, 2, 5))):
        text = f" {text} x"
        starts = [i for i in range(1, len(text)) if text[i].isalnum() != text[i - 1].isalnum()]
        start, end = (
            sorted(drawn.choice(starts) for _ in range(2)) if drawn.random() < 0.2 else (drawn.choice(starts),) * 2
        )
        if start == end:
            end = next((i for i in starts if i > start), len(text))
        text = text[:start] + drawn.choice(WORDS) + text[end:]
    return text.encode("utf-8", "surrogatepass")


def of_members(data: bytes, drawn: random.Random) -> bytes:
    """A ZIP file of which a member is damaged but its checksum right, or that is damaged itself."""
    if drawn.random() < 0.4:
        return damaged(data, drawn)
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(made, "w") as new:
        members = old.infolist()
        chosen = drawn.choice(members)
        for member in members:
            content = old.read(member)
            new.writestr(member, damaged(content, drawn) if member is chosen else content, member.compress_type)
    return made.getvalue()


def of_chunks(data: bytes, drawn: random.Random) -> bytes:
    """A PNG of which a chunk is damaged but its checksum right, or that is damaged itself."""
    if drawn.random() < 0.4:
        return damaged(data, drawn)
    chunks, at = [], 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    chosen = drawn.randrange(len(chunks))
    parts = [data[:8]]
    for number, (kind, content) in enumerate(chunks):
        if number == chosen and kind == b"IDAT":
            content = zlib.compress(damaged(zlib.decompress(content), drawn))
        elif number == chosen:
            content = damaged(content, drawn)
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        parts += [struct.pack(">I", len(content)), kind, content, checksum] * (2 if drawn.random() < 0.05 else 1)
    return b"".join(parts)


@functools.cache
def loaded(data: bytes) -> dict:
    return torch.load(io.BytesIO(data), weights_only=True)


def of_values(data: bytes, drawn: random.Random) -> bytes:
    """A checkpoint some of whose values are of another kind or shape, or that is damaged as any ZIP file."""
    if drawn.random() < 0.4:
        return of_members(data, drawn)
    state = copy.deepcopy(loaded(data))
    for _ in range(drawn.choice((1, 1, 3))):
        node = state
        while True:
            keys = list(node) if isinstance(node, dict) else list(range(len(node)))
            if not keys:
                break
            key = drawn.choice(keys)
            if isinstance(node[key], (dict, list)) and drawn.random() < 0.9:
                node = node[key]
                continue
            if isinstance(node, dict) and drawn.random() < 0.2:
                del node[key]
            else:
                node[key] = drawn.choice(VALUES)(node[key])
            break
    made = io.BytesIO()
    torch.save(state, made)
    return made.getvalue()


VALUES = [
    *(
        lambda _, value=value: value
        for value in (None, True, -1, 2**70, 1e400, "x", b"x", [], {}, (), [[None]], {1: 2})
    ),
    *(
        lambda _, made=made: made()
        for made in (lambda: torch.zeros(3), lambda: torch.zeros(()), lambda: torch.ones(2, 2))
    ),
    lambda _: torch.eye(3).to_sparse(),
    lambda _: torch.zeros(1).expand(1 << 40),
    lambda _: torch.zeros(2, dtype=torch.complex64),
    lambda _: torch.zeros(2, device="meta"),
    lambda value: [value],
    lambda value: value.double() if torch.is_tensor(value) else value,
    lambda value: value[:1] if torch.is_tensor(value) and value.layout == torch.strided and value.dim() else value,
]


# ---- readers ---------------------------------------------------------------------------------------------------------


@dataclass
class Reader:
    """`read` takes the damaged file, which `make` makes sound in an empty folder, from a small trained `run` or not."""

    make: Callable[[Path, Path], Path]
    read: Callable[[Path], object]
    damage: Callable[[bytes, random.Random], bytes] = damaged


def of_run(name: str) -> Callable[[Path, Path], Path]:
    def make(folder: Path, run: Path) -> Path:
        shutil.copytree(run, folder / "run")
        return next((folder / "run").glob(name))

    return make


def written(name: str, write: Callable[[Path], object]) -> Callable[[Path, Path], Path]:
    def make(folder: Path, run: Path) -> Path:
        write(folder / name)
        return folder / name

    return make


def picture(file: Path, mode: str = "RGB", **options) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (12, 17, 3), dtype=np.uint8)
    image = Image.fromarray(noise).convert(mode)
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(file, exif=exif.tobytes(), **options) if file.suffix in (".png", ".jpg", ".webp") else image.save(file)


def frames(file: Path) -> None:
    shades = [Image.new("P", (9, 7), number) for number in range(3)]
    shades[0].save(file, save_all=True, append_images=shades[1:], transparency=0)


def deep(file: Path) -> None:
    Image.fromarray(np.arange(64, dtype=np.uint16).reshape(8, 8) * 1000).save(file)


def decoded(read: Callable[[], Image.Image], framing: Framing) -> None:
    with guarded(), read() as picture:
        to_array(picture, 8, 3, framing)


def first_pixel(picture: Image.Image) -> np.ndarray:
    hole = np.zeros(picture.size[::-1], bool)
    hole[0, 0] = True
    return hole


def read_picture(file: Path) -> None:
    """As training, `upscale`, `translate`, `inpaint`, `age` and the page of `app` do."""
    outcomes = 0
    enlarger = Enlarger(Twice(), 2, 3, (-1, 1), 64, 2)
    same = Translator(torch.nn.Conv2d(3, 3, 1), lambda picture: torch.zeros(3, *picture.size[::-1]), (-1, 1), 16, 64)
    filler = Filler(torch.nn.Conv2d(4, 3, 1), 3, (-1, 1), 8, 4, first_pixel)
    for use in (
        lambda: decoded(lambda: open_picture(file), Framing()),
        lambda: enlarger.open(file),
        lambda: same.open(file),
        lambda: filler.open(file),
        lambda: checked(file),
    ):
        try:
            use()
            outcomes += 1
        except (Unreadable, UserError) as error:
            one_sentence(str(error))
    lost_of(file)
    if not outcomes:
        raise UserError("in none of the ways")


class Twice(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(1))

    def forward(self, pictures):
        return torch.nn.functional.interpolate(pictures, scale_factor=2) * self.scale


def read_folder(file: Path) -> None:
    source = ImageFolder().open(file.parent)
    source.read(0)


def sentence_of(read: Callable[[Path], object]) -> Callable[[Path], object]:
    """What says Unreadable has a caller that names the file."""

    def of(file: Path) -> None:
        try:
            read(file)
        except Unreadable as error:
            raise UserError(str(error)) from error

    return of


def zipped(file: Path) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        for number, method in enumerate((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_DEFLATED)):
            content = io.BytesIO()
            Image.new("RGB", (6, 6), (number, 0, 0)).save(content, "png")
            archive.writestr(f"a/{number}.png", content.getvalue(), method)


def read_zip(file: Path) -> None:
    source = ZippedPictures(file, Framing())
    for number in range(len(source)):
        try:
            decoded(lambda number=number: source.read(number), source.framing)
        except Unreadable as error:
            one_sentence(str(error))


def rows(file: Path) -> None:
    kinds = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=["a", "b"])})
    content = io.BytesIO()
    Image.new("RGB", (6, 6), (9, 0, 0)).save(content, "png")
    values = {"image": [{"bytes": content.getvalue(), "path": None}] * 3, "label": [0, 1, 1]}
    made = datasets.Dataset.from_dict(values, features=kinds)
    if file.suffix == ".parquet":
        made.to_parquet(file)
    else:
        made.save_to_disk(file.parent / "saved")
        next((file.parent / "saved").glob("*.arrow")).rename(file)
        shutil.rmtree(file.parent / "saved")


def read_rows(file: Path) -> None:
    source = HubImages().open(file.parent)
    for number in range(min(len(source), 8)):
        try:
            decoded(lambda number=number: source.read(number), source.framing)
        except Unreadable as error:
            one_sentence(str(error))


def unpacked(file: Path) -> None:
    write_mat(file, [person("a/b.jpg"), person("c.jpg")])
    file.write_bytes(inflated(file.read_bytes(), 1 << 20))


def idx(file: Path) -> None:
    file.write_bytes(struct.pack(">4B3I", 0, 0, 8, 3, 4, 5, 5) + bytes(range(100)))


def table(file: Path) -> None:
    file.write_text('path,age\na.png,12\n"b, c.png",40.5\n"d ""e"".png",\n', encoding="utf-8")


def read_config(file: Path) -> None:
    config = Run.open(file.parents[1]).config()
    uses_of(stages_of(config)[-1])
    load_trained(file.parents[1]).data  # noqa: B018


def read_resumed(file: Path) -> None:
    run = Run.open(file.parents[1])
    config = run.config()
    trust(config, [])
    confine(run, config, ())
    make_absolute(config)
    prepare(stages_of(config), run)


def read_metrics(file: Path) -> None:
    records = read_records(file)
    Job(0, file.parent, {}, "done", 1.0).values  # noqa: B018
    Run(file.parent).seconds("")
    if random.random() < DRAWN:
        draw_charts(records[:2], "")


def read_measured(file: Path) -> None:
    from gantrain.cli.compare import alike, table

    measured = newest_scores(read_scores(file.parent))
    Job(0, file.parent, {}, "done", 1.0).scores  # noqa: B018
    for group in alike({"a": measured, "b": measured}) if measured else ():
        table(group)


def scores(folder: Path, run: Path) -> Path:
    score = {"value": 1.5, "better": "lower", "error": 0.25}
    line = {
        "stage": "main",
        "iteration": 2,
        "images_seen": 8,
        "seconds": 0.5,
        "scores": {"fd": score, "kid": score},
        "protocol": {"backbone": "random", "samples": 10, "truncation": None},
        "tables": {"t": [{"a": 1}]},
    }
    file = folder / "scores.jsonl"
    file.write_text(f"{json.dumps(line)}\n" * 2, encoding="utf-8")
    return file


def schedule(optimizer):
    return torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.1, 10)


def scheduled() -> GANModule:
    players = {name: player(name, schedule=schedule) for name in ("generator", "discriminator")}
    return play(game(ema=EMA(["generator"], 10), **players), 2)


def checkpoint(file: Path) -> None:
    torch.save(checkpoint_of(scheduled(), ""), file)


class Resumed:
    """A game goes on from a checkpoint, by a step of every player."""

    def __init__(self):
        self.game = None

    def __call__(self, file: Path) -> None:
        self.game = self.game or scheduled()
        try:
            state = read_checkpoint(file)
        except DAMAGED as error:
            raise UserError(first_line(error)) from error
        load_state(self.game, state)
        load_generators(state, 0, torch.device("cpu"))
        for name in self.game.players:
            for weight in self.game.weights_of(name):
                weight.grad = torch.zeros_like(weight)
            self.game.optimizer_of(name).step()
            self.game.schedules[name].step()


def captions(file: Path) -> None:
    file.write_text('path,caption\na.jpg,red\n"a.jpg","a ""red"" bird"\nb/c.jpg,blue\n', encoding="utf-8")


def birds(file: Path) -> None:
    file.write_text("1 a/b.jpg\n2 a/c.jpg\n", encoding="utf-8")
    (file.parent / "bounding_boxes.txt").write_text("1 10.0 5.0 30.0 20.0\n2 1.0 2.0 3.0 4.0\n", encoding="utf-8")


def embeddings(file: Path) -> None:
    values = np.arange(12, dtype=np.float32).reshape(2, 3, 2)
    if file.suffix == ".npy":
        np.save(file, values)
    elif file.suffix == ".npz":
        np.savez_compressed(file, embeddings=values, paths=np.array(["a.jpg", "b.jpg"]))
    else:
        save_file({"embeddings": torch.from_numpy(values)}, file, metadata={"paths": '["a.jpg", "b.jpg"]'})


def exported(file: Path) -> None:
    load_exported(torch.nn.Linear(3, 2), file)


def exported_state(file: Path) -> None:
    save_file(torch.nn.Linear(3, 2).state_dict(), file)


def latents(file: Path) -> None:
    save_file({"z": torch.zeros(3, 4)}, file, metadata={"z_dim": "4"})


class StyleSpace:
    layers, w_dim = 2, 3


def styles(file: Path) -> None:
    save_styles(torch.zeros(3, 2, 3), file, {"of": "a photo"})


def directions(file: Path) -> None:
    save_directions(torch.zeros(3, 2, 3), ["a", "b", "c"], file)


def old_weights(file: Path) -> None:
    torch.save(torch.nn.Linear(3, 2).state_dict(), file, _use_new_zipfile_serialization=False)


def read_weights(file: Path) -> None:
    read_state(file, "networks.x.path")


def read_provenance(file: Path) -> None:
    described_costs(read_costs(file.parent, "train"))
    assert all(isinstance(value, (str, list)) for start in read_starts(file.parent) for value in start.values())


READERS = {
    "config.yaml": Reader(of_run(".hydra/config.yaml"), read_config, reworded),
    "config.yaml of a run that goes on": Reader(of_run(".hydra/config.yaml"), read_resumed, reworded),
    "metrics.jsonl": Reader(of_run("metrics.jsonl"), read_metrics, reworded),
    "provenance.jsonl": Reader(of_run("provenance.jsonl"), read_provenance, reworded),
    "scores.jsonl": Reader(scores, read_measured, reworded),
    "checkpoint": Reader(written("00000002.ckpt", checkpoint), Resumed(), of_values),
    "finished.json": Reader(
        of_run("checkpoints/*/finished.json"), lambda file: Run(file.parents[2]).finished(file.parent.name), reworded
    ),
    "exported config.json": Reader(
        of_run("networks/generator/config.json"), lambda file: load_network(file.parent), reworded
    ),
    "exported weights": Reader(written("weights.safetensors", exported_state), exported),
    "weights.safetensors": Reader(written("w.safetensors", exported_state), read_weights),
    "weights.pt": Reader(
        written("w.pth", lambda file: torch.save(torch.nn.Linear(3, 2).state_dict(), file)), read_weights, of_values
    ),
    "weights.pt of before 2020": Reader(written("w.pth", old_weights), read_weights),
    "latents": Reader(written("z.safetensors", latents), lambda file: read_latents(str(file), 4)),
    "styles": Reader(written("w.safetensors", styles), lambda file: read_styles(str(file), StyleSpace)),
    "directions": Reader(written("d.safetensors", directions), lambda file: read_directions(str(file), StyleSpace)),
    "wiki.mat": Reader(written("wiki.mat", unpacked), lambda file: list(read_mat(file))),
    "packed wiki.mat": Reader(
        written("wiki.mat", lambda file: write_mat(file, [person("a.jpg")] * 4)), lambda file: list(read_mat(file))
    ),
    "ages.csv": Reader(written("a.csv", table), lambda file: list(read_csv(file)), reworded),
    "captions.csv": Reader(written("c.csv", captions), lambda file: list(read_table(file)), reworded),
    "captions.txt": Reader(
        written("c.txt", lambda file: file.write_text("a bird\n\nred\n", encoding="utf-8")),
        lambda file: lines_of(file, file.parent),
        reworded,
    ),
    "bounding_boxes.txt": Reader(written("images.txt", birds), lambda file: boxes_of(file.parent), reworded),
    "embeddings.npy": Reader(written("e.npy", embeddings), lambda file: read_embeddings(file, "--embedding")),
    "embeddings.npz": Reader(
        written("e.npz", embeddings), lambda file: read_embeddings(file, "--embedding"), of_members
    ),
    "embeddings.safetensors": Reader(
        written("e.safetensors", embeddings), lambda file: read_embeddings(file, "--embedding")
    ),
    "volume.mat": Reader(
        written("v.mat", lambda file: savemat(file, {"instance": box(4)})),
        sentence_of(lambda file: read_volume(file, "instance")),
    ),
    "packed volume.mat": Reader(
        written("v.mat", lambda file: write_volume(file, box(4))),
        sentence_of(lambda file: read_volume(file, "instance")),
    ),
    "volume.npy": Reader(
        written("v.npy", lambda file: write_volume(file, box(4))),
        sentence_of(lambda file: read_volume(file, "instance")),
    ),
    "volume.npz": Reader(
        written("v.npz", lambda file: write_volume(file, box(4))),
        sentence_of(lambda file: read_volume(file, "instance")),
        of_members,
    ),
    "rows.arrow": Reader(written("rows/train.arrow", rows), read_rows),
    "rows.parquet": Reader(written("rows/train.parquet", rows), read_rows),
    "pictures.zip": Reader(written("p.zip", zipped), read_zip, of_members),
    "idx": Reader(written("images", idx), lambda file: read_idx(file, 3)),
    "picture.png": Reader(written("p.png", picture), read_picture, of_chunks),
    "palette.png": Reader(written("p.png", lambda file: picture(file, "P")), read_picture, of_chunks),
    "16 bits.png": Reader(written("p.png", deep), read_picture, of_chunks),
    "picture.jpg": Reader(written("p.jpg", picture), read_picture),
    "cmyk.jpg": Reader(written("p.jpg", lambda file: picture(file, "CMYK")), read_picture),
    "picture.gif": Reader(written("p.gif", frames), read_picture),
    "picture.bmp": Reader(written("p.bmp", picture), read_picture),
    "picture.webp": Reader(written("p.webp", picture), read_picture),
}


# ---- the cases -------------------------------------------------------------------------------------------------------


def one_sentence(text: str) -> None:
    assert text, "an error without a word"
    assert "\n" not in text, f"lines: {text!r}"
    assert len(text) < 1500, f"{len(text)} letters"


def cases(reader: Reader, file: Path, name: str, told: int) -> None:
    """Read every damaged file; the number of each goes to `told` before it, and what is wrong with it after."""
    sound = file.read_bytes()
    reader.read(file)  # else nothing is tried but that a sound file is refused
    for number in range(CASES):
        os.write(told, b"%d\n" % number)
        random.seed(number)
        file.write_bytes(reader.damage(sound, random.Random(f"{SEED} {name} {number}")))
        signal.alarm(SECONDS)
        try:
            reader.read(file)
        except UserError as error:
            one_sentence(str(error))
        except Exception:
            lines = traceback.format_exc(limit=-6).strip().splitlines()
            os.write(told, f"wrong {number}: {' | '.join(line.strip() for line in lines)[-600:]}\n".encode())
        signal.alarm(0)


def in_a_process(reader: Reader, file: Path, name: str) -> list[str]:
    """What is wrong with the cases: in a process of its own, since some would end it."""
    mine, told = os.pipe()
    process = os.fork()
    if not process:
        os.close(mine)
        decoding.MOST_PIXELS = 1 << 20  # what is nearly as large as is allowed takes its time
        signal.signal(signal.SIGALRM, signal.SIG_DFL)  # the case that takes too long is the last that was told of
        try:
            sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
            cases(reader, file, name, told)
        except BaseException as error:
            os.write(told, f"wrong: {type(error).__name__}: {error}\n".encode())
        finally:
            os._exit(0)
    os.close(told)
    with open(mine, encoding="utf-8", errors="replace") as stream:  # noqa: PTH123
        lines = stream.read().splitlines()
    _, status, used = os.wait4(process, 0)
    wrong = [line for line in lines if line.startswith("wrong")]
    if os.WIFSIGNALED(status):
        wrong.append(f"{lines[-1]}: ended by {signal.Signals(os.WTERMSIG(status)).name}")
    more = (used.ru_maxrss << 10) - (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10)
    if more > MEMORY:
        wrong.append(f"{more >> 20} MB")
    return wrong


@pytest.mark.parametrize("name", READERS)
def test_a_damaged_file_ends_in_a_result_or_in_one_sentence(name, tmp_path, _trained):  # noqa: PT019
    reader = READERS[name]
    file = reader.make(tmp_path, _trained)
    assert in_a_process(reader, file, name) == []
