"""Data sets of the Hub and files of arrow and parquet: splits, columns, classes, and nothing outside of them."""

import io
import pickle
import shutil
import sys
from pathlib import Path

import datasets
import huggingface_hub
import pyarrow
import pytest
from datasets import ClassLabel, Dataset, DatasetDict, Features, Image, Value, concatenate_datasets
from PIL import Image as Pictures
from refusals import refused

from gantrain.data import hub_images
from gantrain.data.hub_images import HubImages, split_of
from gantrain.errors import UserError

datasets.disable_progress_bars()


def packed(shade, side=16):
    stream = io.BytesIO()
    Pictures.new("RGB", (side, side), (shade, 0, 0)).save(stream, "PNG")
    return {"bytes": stream.getvalue(), "path": None}


def rows(count, first=0):
    """Rows of pictures of the shades `first`, `first` + 1, ..., whose classes are in turn a and b."""
    values = {"image": [packed(first + i) for i in range(count)], "label": [i % 2 for i in range(count)]}
    return Dataset.from_dict(values, features=Features({"image": Image(), "label": ClassLabel(names=["a", "b"])}))


def shades(source):
    return [source.read(i).convert("RGB").getpixel((0, 0))[0] for i in range(len(source))]


@pytest.fixture
def folder():
    DatasetDict({"train": rows(6), "test": rows(4, 100)}).save_to_disk("pictures")
    return Path("pictures")


def refusal(words, root=None, **options):
    with pytest.raises(UserError, match=words):
        HubImages(**options).open(root)


def test_files_of_arrow(folder):
    data = HubImages()
    source = data.open(folder)
    assert shades(source) == [0, 1, 2, 3, 4, 5]
    assert (source.labels.tolist(), source.class_names) == ([0, 1, 0, 1, 0, 1], ["a", "b"])
    assert source.names[1] == "train 1"
    assert data.has_held_out
    assert shades(data.held_out().open(folder)) == [100, 101, 102, 103]
    assert shades(pickle.loads(pickle.dumps(source))) == shades(source)  # to the processes that decode
    assert HubImages().open(folder).fingerprint == source.fingerprint
    shutil.rmtree(folder / "train")
    rows(6, 50).save_to_disk(folder / "train")
    assert HubImages().open(folder).fingerprint != source.fingerprint


def test_files_of_parquet_and_their_splits(tmp_path):
    made_as = {"train-0": rows(2), "train-1": rows(2, 10), "validation-0": rows(1, 20), "test-0": rows(1)}
    for name, made in made_as.items():
        made.to_parquet(tmp_path / f"{name}.parquet")
    data = HubImages()
    assert shades(data.open(tmp_path)) == [0, 1, 10, 11]
    assert shades(data.held_out().open(tmp_path)) == [20]
    assert shades(HubImages(split="validation").open(tmp_path)) == [20]
    refusal("data.dataset.split: there is no 'tets'; did you mean 'test'?", tmp_path, split="tets")
    names = ("a.parquet", "testing/train-1.arrow", "data/test.arrow", "dev/x.arrow", "latest.arrow", "VAL_0.parquet")
    assert list(map(split_of, names)) == ["train", "train", "test", "validation", "train", "validation"]


def test_columns_are_found_or_named(tmp_path):
    made = rows(3).rename_columns({"image": "photo", "label": "kind"})
    other = rows(3).remove_columns("label").rename_column("image", "other")
    two = concatenate_datasets([made, other], axis=1).add_column("year", [1, 0, 1])
    made.save_to_disk("one")
    two.save_to_disk("two")
    assert HubImages().open(Path("one")).class_names == ["a", "b"]
    refusal("data.dataset.image: the columns photo, other hold pictures; name one", Path("two"))
    assert shades(HubImages(image="other", label="none").open(Path("two"))) == [0, 1, 2]
    assert HubImages(image="photo", label="none").open(Path("two")).labels is None
    numbers = HubImages(image="photo", label="year").open(Path("two"))
    assert (numbers.labels.tolist(), numbers.class_names) == ([1, 0, 1], None)
    refusal("data.dataset.image: there is no column 'foto'; did you mean 'photo'?", Path("two"), image="foto")
    refusal("data.dataset.label: there is no column 'kid'; did you mean 'kind'?", Path("one"), label="kid")
    Dataset.from_dict({"text": ["a"]}).save_to_disk("text")
    refusal("data.dataset.image: none of text holds pictures", Path("text"))


def test_classes_by_their_names(tmp_path):
    def texts(*words):
        made = rows(len(words)).remove_columns("label")
        return made.add_column("label", list(words))

    DatasetDict({"train": texts("dog", "cat", "dog"), "test": texts("dog", "dog")}).save_to_disk("texts")
    data = HubImages()
    source = data.open(Path("texts"))
    assert (source.labels.tolist(), source.class_names) == ([1, 0, 1], ["cat", "dog"])
    assert data.held_out().open(Path("texts")).labels.tolist() == [1, 1]  # as in training
    texts("cow").save_to_disk("texts/test")
    with pytest.raises(UserError, match="'label' holds 'cow', which is no class of the training pictures"):
        data.held_out().open(Path("texts"))
    for value in (-1, 10_000, 0.5, None, [1]):
        shutil.rmtree("odd", ignore_errors=True)
        kind = Value("float32" if value == 0.5 else "int64") if value != [1] else None
        made = rows(1).remove_columns("label").add_column("label", [value], feature=kind)
        made.save_to_disk("odd")
        refusal("the column 'label' holds more than class numbers from 0 or texts", Path("odd"))
    assert HubImages(label="none").open(Path("odd")).labels is None


def test_no_rows_at_all(gantrain):
    Path("empty").mkdir()
    with pyarrow.OSFile("empty/train.arrow", "wb") as file, pyarrow.ipc.new_stream(file, rows(1).data.schema):
        pass
    refused(gantrain("data", "data=hf", "data.root=empty", "data.size=16"), "data.root: empty holds no row of train")


def test_a_row_names_no_file_of_this_machine(tmp_path, monkeypatch):
    Pictures.new("RGB", (4, 4)).save("secret.png")
    made = Dataset.from_dict(
        {"image": [{"bytes": None, "path": str(tmp_path / "secret.png")}, packed(7)]},
        features=Features({"image": {"bytes": Value("binary"), "path": Value("string")}}),
    )
    made.save_to_disk("named")
    source = HubImages().open(Path("named"))
    with pytest.raises(ValueError, match="the row holds no bytes of a picture"):
        source.read(0)
    assert source.read(1).size == (16, 16)
    monkeypatch.setattr(hub_images, "LARGEST", 10)
    with pytest.raises(ValueError, match="larger than"):
        source.read(1)


def test_what_is_not_there(tmp_path, monkeypatch):
    refusal("data.root: nothing is no folder; .*data.dataset.name=user/name")
    refusal(r"data.root: .* holds no .arrow or .parquet file", tmp_path)
    (tmp_path / "train.arrow").write_bytes(b"no arrow")
    refusal("data.root: .*train.arrow cannot be read", tmp_path)
    Path("there").mkdir()
    refusal("data.dataset.name: there is a folder here as well; to read it, write data.root=there", name="there")
    with pytest.raises(ValueError, match=r"it must be such as user/name; a folder of files is data.root=FOLDER"):
        HubImages("../pictures")
    outside = tmp_path / "outside"
    rows(1).save_to_disk(outside)
    Path("inside").mkdir()
    (Path("inside") / "link.arrow").symlink_to(next(outside.glob("*.arrow")))
    refusal("holds no .arrow or .parquet file", Path("inside"))
    monkeypatch.setitem(sys.modules, "datasets", None)
    refusal(r"data.dataset.name: datasets is missing; `pip install 'gantrain\[hf\]'`", name="me/pictures")


@pytest.fixture
def there(hub, monkeypatch):
    """The stand-in for the Hub, in the place that libraries have read when they were imported."""
    monkeypatch.setattr(datasets.config, "HF_ENDPOINT", hub.url)
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", hub.url)
    url = f"{hub.url}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    monkeypatch.setattr(huggingface_hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", url)
    return hub.repositories


def test_a_data_set_of_the_hub(there):
    files = there["datasets/me/pictures"] = {}
    for name, made in (("train", rows(4)), ("test", rows(2, 50))):
        made.to_parquet("rows.parquet")
        files[f"data/{name}-00000-of-00001.parquet"] = Path("rows.parquet").read_bytes()
    data = HubImages("me/pictures")
    source = data.open(None)
    assert (shades(source), source.class_names) == ([0, 1, 2, 3], ["a", "b"])
    assert shades(data.held_out().open(None)) == [50, 51]
    assert HubImages("me/pictures").open(None).fingerprint == source.fingerprint
    refusal("data.dataset.name: me/nobody cannot be read", name="me/nobody")


def test_a_data_set_of_single_pictures(there):
    names = ("train/cat/0.png", "train/dog/1.png")
    there["datasets/me/folders"] = {name: packed(i + 30)["bytes"] for i, name in enumerate(names)}
    source = HubImages("me/folders").open(None)
    assert (shades(source), source.class_names) == ([30, 31], ["cat", "dog"])


def test_a_run_trains_on_rows_in_classes(gantrain, folder):
    words = ("experiment=cgan_mnist", "data=hf", "data.size=16", "data.classes=2", "data.batch_size=2", "iterations=1")
    few = ("evaluation=none", "logger=none", "callbacks.samples=null", "callbacks.networks=null")
    result = gantrain(*words, *few, f"data.root={folder}", "hydra.run.dir=made")
    assert result.code == 0, result
    assert "6 images, 3x16x16" in result.out
    assert gantrain("sample", "made", "--class", "b", "-n", 1, "--out", "b.png").code == 0
    refused(gantrain(*words, *few, "data.root=nowhere"), "data.root", "nowhere is no folder")
    refused(gantrain(*words, *few, "data.dataset.name=a/b/c"), "data.dataset: HubImages", "user/name")
