import os
import zipfile

import pytest
import torch
from safetensors.torch import save_file

from gantrain.errors import UserError
from gantrain.files import sha256
from gantrain.networks import weights
from gantrain.networks.weights import read_state

STATE = {"a": torch.arange(4.0), "b": torch.ones(2, dtype=torch.int64)}


def test_both_formats(tmp_path):
    torch.save(STATE, tmp_path / "w.pth")
    save_file(STATE, tmp_path / "w.safetensors")
    for file in tmp_path.iterdir():
        state = read_state(file, "key")
        assert state.keys() == STATE.keys()
        assert torch.equal(state["a"], STATE["a"])


class Bomb:
    def __reduce__(self):
        return (print, ("it ran",))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "w.pth"),
        (b"no weights at all", "other objects"),
        (b"junk\n", "other objects"),
        ({"a": Bomb()}, "other objects"),
        ({"a": 3}, "something else"),
        ([torch.ones(1)], "something else"),
        ({"a": torch.tensor([1.0, torch.nan])}, "not finite"),
    ],
)
def test_what_is_none(tmp_path, content, reason, capfd):
    file = tmp_path / "w.pth"
    if isinstance(content, bytes):
        file.write_bytes(content)
    else:
        torch.save(content, file)
    with pytest.raises(UserError, match=reason) as caught:
        read_state(file, "some.key")
    assert str(caught.value).startswith(f"some.key: {file}")
    assert "\n" not in str(caught.value)
    assert "it ran" not in capfd.readouterr().out


def test_cut_off_files(tmp_path):
    save_file(STATE, tmp_path / "w.safetensors")
    torch.save(STATE, tmp_path / "w.pth")
    for file in list(tmp_path.iterdir()):
        whole = file.read_bytes()
        for length in (8, len(whole) // 2, len(whole) - 1):
            file.write_bytes(whole[:length])
            with pytest.raises(UserError, match="damaged"):
                read_state(file, "key")


def test_large_files_are_not_read(tmp_path, monkeypatch):
    torch.save(STATE, tmp_path / "w.pth")
    monkeypatch.setattr(weights, "LARGEST", 100)
    with pytest.raises(UserError, match="GB"):
        read_state(tmp_path / "w.pth", "key")


def test_the_checksum_is_sha256(tmp_path):
    (tmp_path / "f").write_bytes(b"abc")
    assert sha256(tmp_path / "f").startswith("ba7816bf8f01cfea")


@pytest.mark.parametrize(
    "odd",
    [
        torch.eye(3).to_sparse(),
        torch.zeros(1).expand(1 << 40),
        torch.zeros(2, device="meta"),
    ],
)
def test_tensors_of_other_kinds(tmp_path, odd):
    for old in (False, True):
        try:
            torch.save({"a": odd}, tmp_path / "w.pth", _use_new_zipfile_serialization=not old)
        except NotImplementedError:
            continue
        with pytest.raises(UserError, match=r"another kind|larger than the file|other objects|damaged"):
            read_state(tmp_path / "w.pth", "key")


def test_a_pipe_and_packed_members_are_not_read(tmp_path):
    os.mkfifo(tmp_path / "w.pth")
    with pytest.raises(UserError, match="it is no file"):
        read_state(tmp_path / "w.pth", "key")
    with zipfile.ZipFile(tmp_path / "p.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("p/data.pkl", bytes(50 << 20))
    with pytest.raises(UserError, match="packed"):
        read_state(tmp_path / "p.pth", "key")


def test_what_torch_wrote_before_2020(tmp_path):
    torch.save(STATE, tmp_path / "w.pth", _use_new_zipfile_serialization=False)
    assert torch.equal(read_state(tmp_path / "w.pth", "key")["a"], STATE["a"])


def test_a_list_that_holds_itself_ends(tmp_path):
    endless = []
    endless.append(endless)
    torch.save(endless, tmp_path / "w.pth")
    with pytest.raises(UserError, match="something else"):
        read_state(tmp_path / "w.pth", "key")
