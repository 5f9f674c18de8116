"""The page of `symnet play`: what it answers, what it refuses, its limits, and that a real browser shows it."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from importlib import resources
from typing import Any
from urllib.parse import urlencode

import pytest

import symnet as sn
from symnet.cli import main as cli
from symnet.cli.play.answers import FIELDS, KINDS, LIBRARIES, LONGEST, answer
from symnet.cli.play.worker import Worker

pytest.importorskip("bottle", reason="the extra [play] is not installed")

from symnet.cli.play.server import PAGES_KEPT, Server
from tests.play.browser import Browser

LEAST_SQUARES = {"formula": "mean((X@w - y)**2)", "shapes": "X:m,n w:n y:m", "wrt": "w"}
NETWORK = {
    "formula": "Z = tanh(X@W1 + b1)@W2; mean(cross_entropy(softmax(Z), D))",
    "shapes": "X:m,4 W1:4,5 b1:5 W2:5,3 D:m,3",
    "assume": "D:one_hot",
}

# --------------------------------------------------------------------------- answers


def test_a_gradient_comes_in_every_notation_with_its_steps() -> None:
    found = answer(LEAST_SQUARES)
    (result,) = found["results"]
    assert result["text"] == "2*X.T @ (X @ w - y)/m" and result["shape"] == ["n"]
    assert result["mathml"].startswith("<math") and "X^{\\top}" in result["latex"].replace("\\mathsf{T}", "\\top")
    assert "<svg" in found["steps"] and found["verdict"] is None and found["source"] is None


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_what_the_library_gives(kind: str) -> None:
    x, A = sn.tensor("x", 3), sn.tensor("A", 3, 3)
    vector, scalar = "tanh(A@x)", "x@A@x"
    formula = scalar if kind in ("gradient", "Hessian") else vector
    y = x @ A @ x if formula == scalar else sn.tanh(A @ x)
    wanted = {
        "gradient": lambda: sn.grad(y, x),
        "Hessian": lambda: sn.hessian(y, x),
        "Jacobian": lambda: sn.jacobian(y, x),
        "numerator layout": lambda: sn.derivative(y, x),
        "denominator layout": lambda: sn.derivative(y, x, layout="denominator"),
    }[kind]()
    found = answer({"formula": formula, "shapes": "A:3,3 x:3", "wrt": "x", "kind": kind})
    assert [result["text"] for result in found["results"]] == [str(wanted)]


@pytest.mark.parametrize("library", LIBRARIES)
def test_every_source_is_of_value_and_derivatives(library: str) -> None:
    found = answer({**NETWORK, "wrt": "W1, W2", "library": library})
    assert len(found["source"]) > 100
    if library == "numpy":
        compile(found["source"], "source", "exec")


@pytest.mark.parametrize(
    ("mine", "right"),
    [("2*X.T@(X@w - y)/m", True), ("X.T@(X@w - y)/m", False), ("2*X@(X@w - y)", False), ("((", False)],
)
def test_an_answer_of_ones_own_is_graded(mine: str, right: bool) -> None:
    verdict = answer({**LEAST_SQUARES, "mine": mine})["verdict"]
    assert verdict["right"] is right and verdict["text"]


@pytest.mark.parametrize(
    ("kind", "asked", "right", "wrong"),
    [
        ("Hessian", {"formula": "x**2"}, "2", "2*x"),
        ("Hessian", {"formula": "sum(x**3)", "shapes": "x:n"}, "6*diag(x)", "3*x**2"),
        ("Jacobian", {"formula": "A@x", "shapes": "A:m,n x:n", "wrt": "x"}, "A", "A.T"),
        ("numerator layout", {"formula": "sum(x**2)", "shapes": "x:n"}, "2*x[None, :]", "2*x"),
        ("denominator layout", {"formula": "A@x", "shapes": "A:m,n x:n", "wrt": "x"}, "A.T", "A"),
    ],
)
def test_an_answer_is_graded_as_the_derivative_of_its_kind(
    kind: str, asked: dict[str, str], right: str, wrong: str
) -> None:
    verdicts = [answer({**asked, "kind": kind, "mine": mine})["verdict"] for mine in (right, wrong)]
    assert [verdict["right"] for verdict in verdicts] == [True, False]
    noun = f"derivative in {kind}" if "layout" in kind else kind
    assert f"the {noun} is" in verdicts[1]["text"]


@pytest.mark.parametrize("wrt", ["x[0, 1], x", "x[0, 1] x", " x[0,1] ,x "])
def test_elements_are_differentiated_by(wrt: str) -> None:
    found = answer({"formula": "sum(x**2)", "shapes": "x:3,4", "wrt": wrt})["results"]
    assert [(each["label"], each["text"]) for each in found] == [
        ("∂L/∂x[0, 1]", "2*x[0, 1]"),
        ("∂L/∂x", "2*x"),
    ]


@pytest.mark.parametrize(
    ("kind", "asked", "shown"),
    [
        ("Hessian", {"formula": "x**2*y", "wrt": "x, y", "at": "x=1,y=2"}, "The derivative of the gradient"),
        (
            "Hessian",
            {"formula": "mean((X@w - y)**2)", "shapes": "X:m,n w:n y:m", "wrt": "w"},
            "The derivative of the grad",
        ),
        ("Jacobian", {"formula": "tanh(A@x)", "shapes": "A:m,n x:n", "wrt": "x"}, "<h2>Backward"),
        ("numerator layout", {"formula": "sum(x**2)", "shapes": "x:n"}, "<h2>Backward"),
        ("denominator layout", {"formula": "A@x", "shapes": "A:m,n x:n", "wrt": "x"}, "<h2>Backward"),
    ],
)
def test_every_kind_has_its_steps(kind: str, asked: dict[str, str], shown: str) -> None:
    assert shown in answer({**asked, "kind": kind})["steps"]


def test_where_there_is_nothing_to_derive_there_are_no_steps_and_wrong_numbers_are_still_said() -> None:
    assert answer({"formula": "x + y", "kind": "Hessian"})["steps"] is None
    assert "error" in answer({"formula": "x + y", "kind": "Hessian", "at": "x=1"})


def test_a_hessian_by_several_variables_has_all_blocks() -> None:
    found = answer({"formula": "x**2*y", "kind": "Hessian", "library": "latex"})
    shown = {each["label"]: each["text"] for each in found["results"]}
    assert shown == {"∂²L/∂x²": "2*y", "∂²L/∂x∂y": "2*x", "∂²L/∂y∂x": "2*x", "∂²L/∂y²": "0"}
    assert r"\frac{\partial^{2} L}{\partial x \, \partial y} &= 2 x" in found["source"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_formula_without_variables_is_said_to_be_one(kind: str) -> None:
    assert "expected a formula with a variable" in answer({"formula": "x = 3; x**2", "kind": kind})["error"]


def test_what_cannot_be_chosen_looks_so() -> None:
    style = (resources.files("symnet.cli.play") / "style.css").read_text()
    assert re.search(r"button:disabled {[^}]*opacity", style)


def test_numbers_stand_on_the_steps() -> None:
    found = answer({"formula": "c = a + b; d = a*c; d", "wrt": "a b", "at": "a=4,b=3"})
    assert ">11<" in found["steps"]


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"formula": "x +"},
        {"formula": "x" * (LONGEST + 1)},
        {"formula": 3},
        {"formula": "softmax(x)", "shapes": "x:3"},
        {"formula": "x**2", "wrt": "y"},
        {"formula": "x**2", "kind": "integral"},
        {"formula": "x**2", "library": "fortran"},
        {"formula": "x*y", "mine": "y"},
        {"formula": "x**2", "at": "x=__import__('os')"},
        {"formula": "__import__('os').system('true')"},
        {"formula": "x**2", "shapes": "x:n:nonsense"},
        {"formula": "+".join(["sin(x)*y"] * 400 + ["z" * 3])[:LONGEST]},
    ],
    ids=lambda asked: str(asked)[:40],
)
def test_what_cannot_be_answered_is_said(asked: dict[str, Any]) -> None:
    found = answer(asked)
    assert set(found) == {"error"} or found["results"]
    assert "Traceback" not in str(found)


# --------------------------------------------------------------------------- limits


def slow(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Work that is as long, or as large, as it was asked to be."""
    if asked.get("memory"):
        return {"length": len(bytearray(int(asked["memory"])))}
    if asked.get("die"):
        raise SystemExit
    time.sleep(float(asked.get("seconds", 0)))
    return {"done": True}


def test_what_takes_too_long_is_stopped_and_the_next_one_is_answered() -> None:
    worker = Worker(slow, seconds=8)
    try:
        assert worker({}) == {"done": True}
        worker._seconds = 0.5
        assert "more than 0.5 seconds" in worker({"seconds": 60})["error"]
        worker._seconds = 20
        assert worker({}) == {"done": True}
        assert "MemoryError" in worker({"memory": 1 << 40})["error"]
        assert "the end of its process" in worker({"die": True})["error"]
        assert worker({}) == {"done": True}
    finally:
        worker.stop()


# --------------------------------------------------------------------------- the server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    made = Server(0, answer)
    thread = threading.Thread(target=made.run, daemon=True)
    thread.start()
    yield made
    made.close()
    thread.join(10)


def request(server: Server, method: str, path: str, body: str | None = None, **headers: str) -> tuple[int, str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    with closing(connection):
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        reply = connection.getresponse()
        return reply.status, reply.read().decode(), reply.headers


def test_the_page_loads_nothing_from_elsewhere(server: Server) -> None:
    for path in ("/", "/style.css", "/script.js"):
        status, text, headers = request(server, "GET", path)
        assert status == 200 and "default-src 'none'" in headers["Content-Security-Policy"]
        assert "http://" not in text.replace("http://www.w3.org", "") and "https://" not in text
    page = request(server, "GET", "/")[1]
    assert all(f'id="{name}"' in page for name in FIELDS)


def test_an_answer_keeps_its_steps_for_the_browser(server: Server) -> None:
    status, text, _ = request(server, "POST", "/answer", json.dumps(LEAST_SQUARES), Content_Type="application/json")
    found = json.loads(text)
    assert status == 200 and found["results"][0]["label"] == "∂L/∂w"
    status, page, _ = request(server, "GET", found["steps"])
    assert status == 200 and "<svg" in page
    assert request(server, "GET", "/steps/999")[0] == 404
    for _ in range(PAGES_KEPT):
        server._answer({"formula": "x**2"})
    assert request(server, "GET", found["steps"])[0] == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("GET", "/", None, {"Host": "evil.example"}, 403),
        ("POST", "/answer", "{}", {"Content_Type": "application/json", "Origin": "http://evil.example"}, 403),
        ("POST", "/answer", "{}", {"Content_Type": "text/plain"}, 400),
        ("POST", "/answer", "{", {"Content_Type": "application/json"}, 400),
        ("POST", "/answer", "{}", {"Content_Type": "application/json", "Content_Length": "600000"}, 400),
        ("GET", "/server.py", None, {}, 404),
        ("GET", "/../server.py", None, {}, 404),
        ("GET", "/answer", None, {}, 405),
    ],
)
def test_others_are_refused(
    server: Server, method: str, path: str, body: str | None, headers: dict[str, str], status: int
) -> None:
    assert request(server, method, path, body, **headers)[0] == status


def test_a_port_that_is_taken_is_an_error_in_words(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["play", "--port", str(server.port), "--no-browser"]) == 2
    assert "--port 0" in capsys.readouterr().err


@pytest.mark.skipif(not shutil.which("chromium"), reason="no Chromium is installed")
def test_a_browser_shows_derivative_verdict_and_source(server: Server) -> None:
    asked = {**LEAST_SQUARES, "mine": "X.T@(X@w - y)/m", "library": "torch"}
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=20000", "--dump-dom"]
    done = subprocess.run(
        [*command, f"{server.url}#{urlencode(asked)}"], capture_output=True, text=True, timeout=120, check=True
    )
    page = done.stdout
    assert "2*X.T @ (X @ w - y)/m" in page and "import torch" in page
    assert '<div id="verdict" class="wrong">' in page and page.count('<div class="result">') == 2


@pytest.fixture
def phone(tmp_path: Any) -> Iterator[Browser]:
    made = Browser(390, 844, tmp_path, mobile=True)
    yield made
    made.close()


ANSWERED = "document.querySelectorAll('.result').length === 2"
TOP = "document.getElementById('answer').getBoundingClientRect().top"
WIDE = "document.documentElement.scrollWidth"


@pytest.mark.skipif(not shutil.which("chromium"), reason="no Chromium is installed")
def test_on_a_phone_pressing_goes_to_the_answer_and_back(server: Server, phone: Browser) -> None:
    phone.go(server.url)
    phone.wait("document.activeElement.id === 'formula'")
    phone.type("x**3 + x*exp(x)")
    phone.wait(ANSWERED)
    assert phone.value(TOP) > 600 and phone.value("document.activeElement.id") == "formula", "typing does not scroll"
    phone.tap("#go")
    phone.wait(f"document.activeElement.id === 'answer' && {TOP} < 100")
    assert phone.value(WIDE) == 390
    phone.tap("#tab-steps")
    phone.wait("!document.getElementById('steps').hidden")
    assert phone.value(WIDE) == 390
    phone.tap("#back")
    phone.wait(f"document.activeElement.id === 'formula' && {TOP} > 600")
    phone.press("Enter", 13, modifiers=2)
    phone.wait(f"document.activeElement.id === 'answer' && {TOP} < 100")


CUT = """[...document.querySelectorAll("main *")].filter(e => e.clientWidth && e.scrollWidth > e.clientWidth + 1
  && !["visible", "clip"].includes(getComputedStyle(e).overflowX) && !e.matches("input, textarea, select")
  && !getComputedStyle(e).backgroundImage.includes("gradient")).length"""
LONG = {
    "network": {**NETWORK, "wrt": "W1, b1"},
    "quotient": {"formula": "(a*x**3 + b*x**2 + c*x + d)/(alpha*x**4 + beta*x**3 + gamma*x**2 + delta)", "wrt": "x a"},
    "Hessian": {
        "formula": "(x[0]-x[1]**2)**2 + (x[2]-x[1]**3)**2 + x[3]**5*x[0]",
        "shapes": "x:4",
        "kind": "Hessian",
    },
    "source": {**NETWORK, "wrt": "W1, b1", "library": "torch"},
}


@pytest.mark.skipif(not shutil.which("chromium"), reason="no Chromium is installed")
@pytest.mark.parametrize("name", LONG)
def test_on_a_phone_no_answer_scrolls_the_page_sideways(server: Server, phone: Browser, name: str) -> None:
    phone.go(f"{server.url}#{urlencode(LONG[name])}")
    shown = "#text:not(:empty)" if name == "source" else ".result"
    phone.wait(f"document.querySelectorAll('{shown}').length > 0")
    assert phone.value(WIDE) == 390 and phone.value(CUT) == 0


@pytest.mark.skipif(not shutil.which("chromium"), reason="no Chromium is installed")
def test_on_a_wide_screen_the_formula_keeps_the_focus(server: Server, tmp_path: Any) -> None:
    with closing(Browser(1280, 800, tmp_path)) as browser:
        browser.go(f"{server.url}#{urlencode(LEAST_SQUARES)}")
        browser.wait(ANSWERED)
        browser.value("document.getElementById('formula').focus()")
        browser.press("Enter", 13, modifiers=2)
        browser.wait(ANSWERED)
        assert browser.value("document.activeElement.id") == "formula" and 0 <= browser.value(TOP) < 200


def test_the_value_has_no_name_that_a_leaf_has():
    found = answer({"formula": "sum(L**2)", "shapes": "L:n", "library": "latex"})
    assert found["value"]["label"] == "J" and found["results"][0]["label"] == "∂J/∂L"
    assert r"\frac{\partial J}{\partial L}" in found["source"]
