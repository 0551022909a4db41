"""What the page's server refuses of visitors."""

import asyncio

import pytest

from gantrain.cli.page.desk import LARGEST_UPLOAD

gr = pytest.importorskip("gradio", reason="the extra app is not installed")
serve = pytest.importorskip("gantrain.cli.page.serve")
blocks = pytest.importorskip("gantrain.cli.page.blocks")


def status_of(path, length):
    """What comes of a request with so many bytes: 200 where it is let through."""
    sent = []

    async def through(scope, receive, send):
        await send({"type": "http.response.start", "status": 200})

    async def send(message):
        sent.append(message)

    headers = [] if length is None else [(b"content-length", str(length).encode())]
    scope = {"type": "http", "method": "POST", "path": path, "headers": headers}
    asyncio.run(serve.FewUploads(through)(scope, None, send))
    return sent[0]["status"]


def test_requests_have_a_length_and_no_more_than_a_photo_has():
    assert status_of("/gradio_api/queue/join", 300) == 200
    assert status_of("/gradio_api/upload", LARGEST_UPLOAD) == 200
    assert status_of("/gradio_api/upload", 2 * LARGEST_UPLOAD) == 413
    assert status_of("/gradio_api/upload", None) == 413


def test_few_files_are_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    monkeypatch.setattr(serve, "MOST_FILES", 2)
    for number in range(2):
        assert status_of("/gradio_api/upload/", 300) == 200
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "photo.png").touch()
    assert status_of("/gradio_api/upload/", 300) == 507
    assert status_of("/gradio_api/queue/join", 300) == 200


def test_a_photo_is_no_address_and_is_not_opened_by_gradio(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    (tmp_path / "photo.png").touch()
    taken = blocks.photo("a photo")

    def kept(path):
        payload = {"path": str(path), "meta": {"_type": "gradio.FileData"}}
        return asyncio.run(gr.processing_utils.async_move_files_to_cache(payload, taken, check_in_upload_folder=True))[
            "path"
        ]

    assert kept(tmp_path / "photo.png") == str(tmp_path / "photo.png")
    with pytest.raises(gr.Error, match="upload the photo itself, not its address"):
        kept("https://example.org/photo.png")
    assert taken.preprocess(taken.data_model(path="page.eps")) == "page.eps"  # which is not opened


def test_of_a_painting_the_layer_is_taken_and_nothing_is_kept(tmp_path):
    canvas = blocks.painting("paint")
    files = {name: {"path": f"{name}.eps", "meta": {"_type": "gradio.FileData"}} for name in ("layer", "background")}
    sent = canvas.data_model(background=files["background"], layers=[files["layer"]])
    assert canvas.preprocess(sent) == "layer.eps"  # which is not opened
    assert canvas.preprocess(canvas.data_model(background=files["background"])) is None
    assert canvas.preprocess(canvas.data_model(id="x")) is None
    canvas.accept_blobs({"data": {"type": "layer", "index": "999999999", "id": "x"}})
    assert not canvas.blob_storage
    with pytest.raises(gr.Error, match="not its address"):
        asyncio.run(canvas.async_move_resource_to_block_cache("https://example.org/photo.png"))
