"""The page and its answers, over HTTP, to browsers of this machine alone.

In: a port.  Out: `Server`.  Needs the extra `[play]`.

It listens on 127.0.0.1, answers requests that name this host only (a page of another origin cannot ask, even by a name
that leads here), and what it sends allows a browser to load nothing from elsewhere.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from importlib.resources import files
from socketserver import ThreadingMixIn
from typing import Any, NoReturn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from symnet.cli.play.answers import FIELDS, KINDS, LIBRARIES, LONGEST, answer
from symnet.cli.play.worker import Worker
from symnet.errors import DependencyError, explain
from symnet.expr.printing.scrolling import scrolling_style

HOST = "127.0.0.1"
LARGEST = (len(FIELDS) + 1) * LONGEST * 4  # bytes of a request
PAGES_KEPT = 64  # derivations that a browser may still ask for
_KINDS = {"page.html": "text/html", "style.css": "text/css", "script.js": "text/javascript"}
_POLICY = (
    "default-src 'none'; connect-src 'self'; frame-src 'self'; frame-ancestors 'self'; base-uri 'none'; "
    "form-action 'none'; "
)


class Server:
    """The page on a port; `run` serves until it is interrupted.

    Args:
        port: 0 for any that is free.
        work: what answers; a `Worker` by default.

    Attributes:
        url: where the page is.
    """

    def __init__(self, port: int = 0, work: Callable[[Mapping[str, Any]], dict[str, Any]] | None = None) -> None:
        self._bottle, self.worker = _bottle(), Worker(answer)
        self._work = work or self.worker
        self._steps: OrderedDict[str, str] = OrderedDict()
        self._lock, self._count = threading.Lock(), 0
        self._server = make_server(HOST, port, self._application(), _Threads, _Quiet)
        self.port = self._server.server_port
        self.url = f"http://{HOST}:{self.port}/"

    def run(self) -> None:
        """Serve until `close`, or an interrupt."""
        try:
            self._server.serve_forever()
        finally:
            self.close()

    def close(self) -> None:
        """Stop serving, and whatever is being worked out."""
        self._server.shutdown()
        self._server.server_close()
        self.worker.stop()

    def _application(self) -> Any:
        app = self._bottle.Bottle()
        app.add_hook("before_request", self._check)
        app.route("/", "GET", self._page)
        app.route("/<name:re:style.css|script.js>", "GET", self._part)
        app.route("/steps/<number>", "GET", self._derivation)
        app.route("/answer", "POST", self._reply)
        return app

    def _refuse(self, status: int, text: str) -> NoReturn:
        raise self._bottle.HTTPResponse(text, status)

    def _check(self) -> None:
        """Refuse what another page asks, and what asks by another name."""
        header = self._bottle.request.get_header
        own = {f"{name}:{self.port}" for name in (HOST, "localhost")}
        origin = header("Origin")
        if header("Host", "") not in own or (origin is not None and origin.removeprefix("http://") not in own):
            self._refuse(403, "This page is for this machine alone.")

    def _page(self) -> str:
        self._allow("text/html", "script-src 'self'; style-src 'self'")
        return _file("page.html").replace("{{choices}}", json.dumps({"kinds": list(KINDS), "libraries": LIBRARIES}))

    def _part(self, name: str) -> str:
        self._allow(_KINDS[name])
        return (scrolling_style(":root") if name == "style.css" else "") + _file(name)

    def _derivation(self, number: str) -> str:
        found = self._steps.get(number)
        if found is None:
            self._refuse(404, "Ask for the derivative again.")
        self._allow("text/html", "style-src 'unsafe-inline'")
        return found

    def _reply(self) -> str:
        request = self._bottle.request
        if request.content_type.partition(";")[0] != "application/json" or request.content_length > LARGEST:
            self._refuse(400, "JSON, and not too much of it.")
        try:
            asked = json.loads(request.body.read(LARGEST))
        except ValueError:
            self._refuse(400, "This is no JSON.")
        self._allow("application/json")
        return json.dumps(self._answer(asked if isinstance(asked, dict) else {}))

    def _allow(self, kind: str, more: str = "") -> None:
        """The headers of what is sent, and what a browser may load for it."""
        response = self._bottle.response
        response.content_type = f"{kind}; charset=utf-8"
        response.set_header("Content-Security-Policy", _POLICY + more)
        response.set_header("X-Content-Type-Options", "nosniff")
        response.set_header("Referrer-Policy", "no-referrer")
        response.set_header("Cache-Control", "no-store")

    def _answer(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """An answer, its derivation kept under a number."""
        found = self._work({name: asked[name] for name in FIELDS if name in asked})
        page = found.pop("steps", None)
        if page is not None:
            with self._lock:
                self._count += 1
                self._steps[str(self._count)] = page
                while len(self._steps) > PAGES_KEPT:
                    self._steps.popitem(last=False)
                found["steps"] = f"/steps/{self._count}"
        return found


def _bottle() -> Any:
    try:
        import bottle
    except ImportError as error:
        text = explain("symnet play", "bottle, a server library", "none", "Install it: pip install 'symnet[play]'.")
        raise DependencyError(text) from error
    return bottle


def _file(name: str) -> str:
    return files("symnet.cli.play").joinpath(name).read_text("utf-8")


class _Threads(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is printed for a request."""
