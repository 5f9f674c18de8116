"""`symnet play`: serve the page of `play/` and open a browser.

In: options, parsed.  Out: the address on stdout; it serves until it is interrupted.
"""

from __future__ import annotations

import argparse
import webbrowser

from symnet.errors import FileError, explain


def run_play(options: argparse.Namespace) -> None:
    from symnet.cli.play.server import Server

    try:
        server = Server(options.port)
    except (OSError, OverflowError) as error:
        call, mend = f"symnet play --port {options.port}", "Take another one; --port 0 finds one that is free."
        raise FileError(explain(call, "a port that is free", str(error), mend)) from error
    print(f"{server.url}   Ctrl+C ends it", flush=True)
    server.worker.start()
    if not options.no_browser:
        webbrowser.open(server.url)
    server.run()
