"""The page on its address, with bounds for what visitors send."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse

from gantrain.cli.page.blocks import LOOK, STYLE
from gantrain.cli.page.desk import LARGEST_UPLOAD

MOST_FILES = 400  # of all visitors at a time: after an hour they go
FORM = 4096  # bytes around a file in a request

Asgi = Callable[[Any, Any, Any], Awaitable[None]]


class FewUploads:
    """Refuses a request with more bytes than one photo has, and every upload while too many files are kept."""

    def __init__(self, app: Asgi):
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["method"] == "POST":
            length = dict(scope["headers"]).get(b"content-length", b"")
            if not length.isdigit() or int(length) > LARGEST_UPLOAD + FORM:
                refused = f"a request may have {LARGEST_UPLOAD // 2**20} MiB, and must say how many bytes it has"
                return await PlainTextResponse(refused, 413)(scope, receive, send)
            if scope["path"].rstrip("/").endswith("/upload") and crowded(Path(get_upload_folder())):
                return await PlainTextResponse("too many files are kept; try again later", 507)(scope, receive, send)
        return await self.app(scope, receive, send)


def crowded(folder: Path) -> bool:
    return sum(1 for file in folder.glob("*/*") if file.is_file()) >= MOST_FILES


def serve(blocks: gr.Blocks, host: str, port: int) -> str:
    """Serve the page until its process ends or `blocks.close()`; its address."""
    _, address, _ = blocks.launch(
        server_name=host,
        server_port=port,
        share=False,
        inbrowser=False,
        prevent_thread_lock=True,
        quiet=True,
        show_error=False,
        max_file_size=LARGEST_UPLOAD,
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        mcp_server=False,
        ssr_mode=False,
        pwa=False,
        theme=LOOK,
        css=STYLE,
        app_kwargs={"middleware": [Middleware(FewUploads)], "docs_url": None, "redoc_url": None, "openapi_url": None},
    )
    return address
