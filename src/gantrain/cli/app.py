"""`gantrain app RUN`: open a page in the browser to use the run, with sliders, uploads and downloads.

Only this machine can open the page, unless --host says otherwise. Whoever can reach it can use the run. Ctrl-C ends it.

Examples:
    gantrain app RUN
    gantrain app RUN --port 8000
"""

import argparse
import errno
import importlib.util
import os
import signal
import socket
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from gantrain.cli.options import Add, add_run
from gantrain.errors import UserError

if TYPE_CHECKING:  # without Gradio the refusal comes before torch
    from gantrain.training.loading import Trained


PORTS = range(7860, 7960)


def add_options(add: Add) -> None:
    add_run(add)
    add("--host", default="127.0.0.1", help="who may come: 0.0.0.0 is everyone in your network (this machine alone)")
    add("--port", type=int, help="of the page (the first that is free from 7860 on)")


def main(args: argparse.Namespace) -> int:
    if importlib.util.find_spec("gradio") is None:
        raise UserError("app: the page needs Gradio; `pip install 'gantrain[app]'`")
    if args.port is not None and not 1 <= args.port <= 65535:
        raise UserError(f"--port is {args.port}, it must be from 1 to 65535")
    args.port = free_port(args.host, args.port)
    from gantrain.training.loading import kept

    with kept(args.run, args.plugins) as trained:
        show(trained, args)
    return 0


def free_port(host: str, port: int | None) -> int:
    """The port that was asked for, or the first free one. Raises UserError where the page can have none."""
    tried = PORTS if port is None else [port]
    for number in tried:
        try:
            with socket.create_server((host, number)):
                return number
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise UserError(f"--host {host}, --port {number}: {error.strerror or error}; name others") from error
    raise UserError(f"--port: {tried[0]} is taken; name another")


def show(trained: "Trained", args: argparse.Namespace) -> None:
    """Serve the run's page until Ctrl-C or SIGTERM."""
    with tempfile.TemporaryDirectory(prefix="gantrain-app-") as folder:
        os.environ["GRADIO_TEMP_DIR"] = folder  # a private one: Gradio's own is one for all users of a machine
        from gantrain.cli.page.blocks import page
        from gantrain.cli.page.desk import Desk
        from gantrain.cli.page.serve import serve

        blocks = page(Desk(args.run, Path(folder, "made"), ["--raw"] if args.raw else [], args.plugins), trained)
        print(f"{serve(blocks, args.host, args.port)}  (Ctrl-C ends it)", flush=True)
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        stop.wait()
        blocks.close(verbose=False)
