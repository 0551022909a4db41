"""`gantrain app RUN`: a page in the browser with all that the run is for: sliders, uploads, downloads.

The page is served to this machine alone, unless --host says otherwise; who can reach it can use the run. It ends with
Ctrl-C.

Examples:
    gantrain app RUN
    gantrain app RUN --port 8000
"""

import argparse
import importlib.util
import os
import signal
import tempfile
import threading
from pathlib import Path

from gantrain.cli.options import Add, add_run
from gantrain.errors import UserError, first_line


def add_options(add: Add) -> None:
    add_run(add)
    add("--host", default="127.0.0.1", help="who may come: 0.0.0.0 is everyone in your network (this machine alone)")
    add("--port", type=int, help="of the page (the first that is free from 7860 on)")


def main(args: argparse.Namespace) -> int:
    if importlib.util.find_spec("gradio") is None:
        raise UserError("app: the page needs Gradio; `pip install 'gantrain[app]'`")
    if args.port is not None and not 1 <= args.port <= 65535:
        raise UserError(f"--port is {args.port}, it must be from 1 to 65535")
    from gantrain.training.loading import kept

    with tempfile.TemporaryDirectory(prefix="gantrain-app-") as folder, kept(args.run, args.plugins) as trained:
        os.environ["GRADIO_TEMP_DIR"] = folder  # a private one: Gradio's own is one for all users of a machine
        from gantrain.cli.page.blocks import page
        from gantrain.cli.page.desk import Desk
        from gantrain.cli.page.serve import serve

        desk = Desk(args.run, Path(folder, "made"), ["--raw"] if args.raw else [], args.plugins)
        try:
            address = serve(blocks := page(desk, trained), args.host, args.port)
        except (OSError, ValueError) as error:
            raise UserError(f"--host {args.host}, --port {args.port or 'from 7860'}: {first_line(error)}") from error
        print(f"{address}  (Ctrl-C ends it)", flush=True)
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        stop.wait()
        blocks.close()
    return 0
