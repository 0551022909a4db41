"""The DataModule: batches, ranges, flips."""

import pytest
import torch
from pictures_on_disk import make_pictures, write_picture

from gantrain.data import GANDataModule
from gantrain.data.folder import ImageFolder
from gantrain.data.stream import Batches
from gantrain.data.synthetic import Synthetic
from gantrain.errors import UserError


def module(**options):
    options = {"dataset": Synthetic(20, classes=4), "size": 8, "channels": 1, "batch_size": 6, **options}
    return GANDataModule(**options).open()


def test_examples_are_in_range_with_their_classes():
    batch = module().examples(5)
    assert batch["real"].shape == (5, 1, 8, 8)
    assert batch["real"].min() >= -1
    assert batch["real"].max() <= 1
    assert batch["cond"].dtype == torch.int64


def test_the_ends_of_the_range_are_black_and_white():
    data = module(range=[0, 1])
    batch = data.normalise({"real": torch.tensor([0, 255], dtype=torch.uint8).view(2, 1, 1, 1)})
    assert batch["real"].flatten().tolist() == [0.0, 1.0]
    batch = module().normalise({"real": torch.tensor([0, 255], dtype=torch.uint8).view(2, 1, 1, 1)})
    assert batch["real"].flatten().tolist() == [-1.0, 1.0]


def test_flips_are_drawn_per_sample():
    plain, flipped = module(), module(augment={"flip": True})
    a, b = plain.examples(20)["real"], flipped.examples(20)["real"]
    same = [torch.equal(x, y) for x, y in zip(a, b, strict=True)]
    mirrored = [torch.equal(x.flip(-1), y) for x, y in zip(a, b, strict=True)]
    assert all(s or m for s, m in zip(same, mirrored, strict=True))
    assert 4 < sum(mirrored) < 16


def test_a_resumed_stream_flips_the_same_samples():
    data = module(augment={"flip": True})
    batches = iter(data.loader(Batches(6, 0)))
    next(batches)
    straight = next(batches)
    resumed = next(iter(data.loader(Batches(6, 6))))
    assert torch.equal(straight["flip"], resumed["flip"])
    assert torch.equal(straight["real"], resumed["real"])


def test_more_classes_than_said_is_an_error():
    with pytest.raises(UserError, match=r"data\.classes is 3 but the data have 4"):
        module(classes=3)
    with pytest.raises(UserError, match="no classes"):
        module(dataset=Synthetic(20), classes=3)


@pytest.mark.parametrize(
    "options", [{"range": [1, -1]}, {"range": [1, 1]}, {"augment": {"flop": True}}, {"holdout": 1.5}, {"balance": 2}]
)
def test_impossible_options_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        module(**options)


def folder(root, **options):
    return module(dataset=ImageFolder(), root=str(root), channels=3, **options)


def test_a_folder_gives_pictures_and_classes(tmp_path):
    for name in ("a", "b"):
        make_pictures(tmp_path / name, 4)
    batch = folder(tmp_path).examples(8)
    assert batch["real"].shape == (8, 3, 8, 8)
    assert sorted(batch["cond"].tolist()) == [0] * 4 + [1] * 4


def test_small_pictures_are_an_error_unless_they_may_be_enlarged(tmp_path):
    make_pictures(tmp_path, 4, size=(40, 40))
    for i in range(5):
        write_picture(tmp_path / f"small {i}.png", i, (30 - i, 50))
    with pytest.raises(UserError, match=r"data\.size is 32, but 5 of 9 .*'small 0\.png' \(30x50\)") as raised:
        folder(tmp_path, size=32)
    for words in ("and 2 more", "data.upsize=true", "data.size=26 or less"):
        assert words in str(raised.value)
    assert len(folder(tmp_path, size=32, upsize=True)) == 9
    assert len(folder(tmp_path, size=26)) == 9


def test_arrays_are_enlarged_freely():
    assert module(dataset=Synthetic(20, side=8), size=32).examples(1)["real"].shape == (1, 1, 32, 32)


def spoil(root, count):
    for i in range(count):
        (root / f"bad\n{i}.jpg").write_text("hello")


def test_a_few_unreadable_pictures_are_left_out_with_a_warning(tmp_path, capsys):
    spoil(make_pictures(tmp_path, 200), 2)
    data = folder(tmp_path)
    assert len(data) == 200
    err = capsys.readouterr().err
    assert err.startswith("gantrain: 2 of 202 pictures cannot be read and are left out: 'bad\\n0.jpg' (no PNG")
    assert len(err.splitlines()) == 1


def test_many_unreadable_pictures_are_an_error_unless_told_to_skip(tmp_path, capsys):
    for name in ("a", "b"):
        make_pictures(tmp_path / name, 6)
        spoil(tmp_path / name, 4)
    with pytest.raises(UserError, match=r"data\.on_error: 8 of 20 .*'a/bad\\n0\.jpg'.*and 5 more.*data\.on_error=skip"):
        folder(tmp_path)
    data = folder(tmp_path, on_error="skip")
    assert sorted(data.cached.labels.tolist()) == [0] * 6 + [1] * 6
    assert "8 of 20 pictures cannot be read" in capsys.readouterr().err


def test_nothing_readable_is_an_error_even_when_told_to_skip(tmp_path):
    spoil(tmp_path, 3)
    with pytest.raises(UserError, match=r"data\.root: 3 of 3 .*nothing is left"):
        folder(tmp_path, on_error="skip")


def test_a_source_that_changes_during_training(tmp_path):
    data = folder(make_pictures(tmp_path, 12))
    batches = iter(data.loader(Batches(6, 0)))
    before = next(batches)["real"].clone()
    for file in tmp_path.glob("*.png"):
        file.unlink()
    next(batches)
    assert torch.equal(next(iter(data.loader(Batches(6, 0))))["real"], before)
