"""`gantrain push`: a run and its card onto the Hub."""

from refusals import refused


def test_a_run_is_pushed_with_its_card(gantrain, hub, run):
    result = gantrain("push", "run", "me/digits", "--license", "mit")
    assert (result.code, result.out.strip()) == (0, f"{hub.url}/me/digits"), result
    card = hub.repositories["me/digits"]["README.md"].decode()
    assert card.startswith("---\nlibrary_name: gantrain\nlicense: mit\n")
    assert 'gantrain.load("hf://me/digits")' in card
    assert not any(name.endswith(".ckpt") for name in hub.repositories["me/digits"])


def test_what_cannot_be_pushed(gantrain, hub, run, monkeypatch):
    refused(gantrain("push", "nowhere", "me/digits"), "nowhere is no run")
    refused(gantrain("push", "run", "digits"), "'digits' is no name of a repository", "user/name")
    refused(gantrain("push", "run", "me/a/b"), "'me/a/b'")
    refused(gantrain("push", "run", "me/digits", "--license", "do what\nyou"), "--license is 'do what\\nyou'")
    (run / "checkpoints/train/00000002.ckpt").unlink()
    refused(gantrain("push", "run", "me/digits", "--checkpoints"), "--checkpoints", "leave the option out")
    assert hub.repositories == {}
    hub.server_close()
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda seconds: None)
    refused(gantrain("push", "run", "me/digits"), "hf://me/digits: the Hub does not give it")
