"""Every kind of page on a phone, a tablet and a projector: nothing scrolls sideways but boxes that show it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.expr.printing.mathml_lines import displayed
from symnet.expr.printing.scrolling import SCROLLS
from tests.expr.long_formulas import layer_norm, nested_sines
from tests.expr.long_formulas import network as deep_network
from tests.play.browser import Browser

pytestmark = pytest.mark.skipif(not shutil.which("chromium"), reason="no Chromium is installed")

MEASURED = """JSON.stringify((() => {
  const hidden = [], shaded = [];
  for (const e of document.querySelectorAll("body *")) {
    const style = getComputedStyle(e);
    const fits = e.scrollWidth <= e.clientWidth + 1 || !e.clientWidth || style.overflowX === "visible";
    if (fits || e.closest("svg")) continue;
    (style.backgroundImage.split("gradient").length > 4 ? shaded : hidden).push(e.tagName + "." + e.className);
  }
  return [document.documentElement.scrollWidth - innerWidth, hidden, shaded.length];
})())"""
SIZES = {"phone": (390, 844), "tablet": (820, 1180), "projector": (1280, 720)}


@pytest.fixture(scope="module", params=SIZES)
def screen(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    width, height = SIZES[request.param]
    with closing(Browser(width, height, tmp_path_factory.mktemp("profile"), mobile=width < 1000)) as made:
        yield made


@pytest.fixture(scope="module")
def phone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with closing(Browser(*SIZES["phone"], tmp_path_factory.mktemp("profile"), mobile=True)) as made:
        yield made


@pytest.fixture(scope="module")
def turned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A phone that is turned from test to test."""
    with closing(Browser(*SIZES["phone"], tmp_path_factory.mktemp("profile"), mobile=True)) as made:
        yield made


def open_page(browser: Browser, path: Path, text: str, mark: str = "") -> None:
    path.write_text(text, encoding="utf-8")
    browser.go(f"about:blank#{path.name}{mark}")
    browser.go(path.as_uri() + mark)


def measured(browser: Browser) -> tuple[int, list[str], int]:
    """How much wider than the screen the page is, boxes that are cut without showing it, and those that show it."""
    wider, hidden, shaded = json.loads(browser.value(MEASURED))
    return wider, hidden, shaded


def quotient() -> tuple[sn.expr.nodes.node.Node, Any]:
    """A fraction that no line break divides."""
    names = [sn.scalar(name) for name in ("alpha", "beta", "gamma", "delta", "epsilon")]
    x = sn.scalar("x")
    above, below = (sn.scalar("a") * x**3 + x**2 * sn.scalar("b")), sum(n * x**k for k, n in enumerate(names))
    return above / below + sn.sqrt(above**2 + below**2 + 1), x


def valley(count: int = 4) -> tuple[sn.expr.nodes.node.Node, Any]:
    """Rosenbrock's function, whose Hessian is a matrix of long entries."""
    x = sn.tensor("x", count)
    return sum(100 * (x[k + 1] - x[k] ** 2) ** 2 + (1 - x[k]) ** 2 for k in range(count - 1)), x


MADE: dict[str, Callable[[], Any]] = {
    "a network": lambda: sn.derive(*deep_network()),
    "layer norm": lambda: sn.derive(*layer_norm()),
    "sines": lambda: sn.derive(*nested_sines()),
    "a quotient": lambda: sn.derive(*quotient()),
    "a Hessian": lambda: sn.derive(*valley(), order=2, at={"x": [1.0, 2.0, 3.0, 4.0]}),
    "a Jacobian": lambda: sn.derive(
        sn.softmax(sn.tensor("W", 5, 5) @ sn.tensor("x", 5)), sn.tensor("x", 5), layout="numerator"
    ),
    "numbers": lambda: sn.derive(
        sn.sum((sn.tensor("A", 3, 5) @ sn.tensor("x", 5)) ** 2),
        sn.tensor("x", 5),
        at={"A": np.arange(15.0).reshape(3, 5), "x": np.full(5, 1.234567)},
    ),
}


@cache
def derivation(name: str) -> Any:
    return MADE[name]()


@pytest.mark.parametrize("name", MADE)
def test_a_page_of_a_derivation_does_not_scroll_sideways(screen: Browser, name: str, tmp_path: Path) -> None:
    open_page(screen, tmp_path / "page.html", derivation(name).html())
    wider, hidden, _ = measured(screen)
    assert wider <= 0 and not hidden


@pytest.mark.parametrize("name", MADE)
def test_slides_do_not_scroll_sideways(screen: Browser, name: str, tmp_path: Path) -> None:
    page = derivation(name).slides()
    last = page.count("<section>")
    open_page(screen, tmp_path / "slides.html", page)
    for number in sorted({1, 2, last // 3, last // 2, last}):
        screen.value(f"location.hash = '#{number}'")
        screen.wait(f"document.querySelector('section.shown .head').textContent.includes('{number} / {last}')")
        wider, hidden, _ = measured(screen)
        assert wider <= 0 and not hidden, number


SCALE = """(g => g.getBoundingClientRect().width / g.viewBox.baseVal.width)(
  document.querySelector("section.shown .graph"))"""
SEEN = """((now, box) => now.right > box.left && now.left < box.right && now.bottom > box.top && now.top < box.bottom)(
  document.querySelector("section.shown figure .now").getBoundingClientRect(),
  document.querySelector("section.shown figure").getBoundingClientRect())"""


@pytest.mark.parametrize("size", [(390, 844), (844, 390)])
@pytest.mark.parametrize("name", ["a network", "a Hessian", "a quotient"])
def test_graphs_on_a_phone_are_readable_and_show_what_is_told_about(
    turned: Browser, size: tuple[int, int], name: str, tmp_path: Path
) -> None:
    page = derivation(name).slides()
    turned.resize(*size, mobile=True)
    open_page(turned, tmp_path / "slides.html", page)
    assert turned.value("[innerWidth, innerHeight]") == list(size)
    last = page.count("<section>")
    for number in (2, last // 2, last - 1):
        turned.value(f"location.hash = '#{number}'")
        turned.wait(f"document.querySelector('section.shown .head').textContent.includes('{number} / {last}')")
        assert turned.value(SCALE) > 0.55 and turned.value(SEEN), number
        wider, hidden, _ = measured(turned)
        assert wider <= 0 and not hidden


@pytest.fixture(scope="module")
def comparison() -> Any:
    x, A = sn.tensor("x", 6), sn.tensor("A", 6, 6)
    loss = sn.sum(sn.tanh(A @ x) ** 2) / (1 + sn.sum(sn.exp(A @ x) * x**2) + sn.sqrt(sn.sum(A**2) + sn.sum(x**2)))
    return sn.compare(loss, [x, A], {"x": np.ones(6), "A": np.eye(6)}, repeats=1)


def test_a_comparison_does_not_scroll_sideways(screen: Browser, comparison: Any, tmp_path: Path) -> None:
    open_page(screen, tmp_path / "page.html", comparison.html())
    wider, hidden, _ = measured(screen)
    assert wider <= 0 and not hidden


def test_the_methods_of_a_comparison_stay_beside_its_figures(phone: Browser, comparison: Any, tmp_path: Path) -> None:
    open_page(phone, tmp_path / "page.html", comparison.html())
    table, cell = "document.querySelector('.wide')", "document.querySelector('.wide tr:last-child td')"
    assert phone.value(f"{table}.scrollWidth > {table}.clientWidth")
    place = f"{cell}.getBoundingClientRect().left - {table}.getBoundingClientRect().left"
    before = phone.value(place)
    phone.value(f"{table}.scrollLeft = 300")
    assert phone.value(f"{table}.scrollLeft") == 300 and phone.value(place) == before == 0


@pytest.mark.parametrize("name", ["a quotient", "a Hessian"])
def test_what_scrolls_is_reached_and_scrolled_by_keys(phone: Browser, name: str, tmp_path: Path) -> None:
    open_page(phone, tmp_path / "page.html", derivation(name).html())
    boxes = "[...document.querySelectorAll('.scrolls')].filter(e => e.scrollWidth > e.clientWidth + 20)"
    assert phone.value(f"{boxes}.length") > 0
    assert phone.value(f"{boxes}.every(e => e.tabIndex === 0 && e.getAttribute('role') && e.ariaLabel)")
    phone.value(f"{boxes}[0].focus()")
    phone.press("ArrowRight", 39)
    phone.wait(f"{boxes}[0].scrollLeft > 0")


def test_keys_scroll_a_box_of_a_slide_that_has_the_focus_and_else_go_on(phone: Browser, tmp_path: Path) -> None:
    open_page(phone, tmp_path / "slides.html", derivation("a Hessian").slides(), "#3")
    number = "document.querySelector('section.shown .head').textContent"
    phone.wait(f"{number}.includes('3 / ')")
    figure = "document.querySelector('section.shown figure')"
    phone.value(f"{figure}.scrollLeft = 0")
    phone.value(f"{figure}.focus()")
    phone.press("ArrowRight", 39)
    phone.wait(f"{figure}.scrollLeft > 0")
    assert phone.value(f"{number}.includes('3 / ')")
    phone.value("document.activeElement.blur()")
    phone.press("ArrowRight", 39)
    phone.wait(f"{number}.includes('4 / ')")


WIDE = "alpha*x + beta*y + gamma_1*z"
SHAPES = {
    "a sum": lambda n: " + ".join(f"a_{k}*x**{k}" for k in range(n)),
    "a bracket": lambda n: "x*(" + " + ".join(f"a_{k}*x**{k}" for k in range(n)) + ")**3",
    "a quotient": lambda n: "(" + " + ".join(f"a_{k}*x" for k in range(n)) + f")/({WIDE})",
    "a root": lambda n: "sqrt(" + " + ".join(f"a_{k}**2" for k in range(n)) + ")",
    "nested": lambda n: "exp(" * min(n, 8) + WIDE + f" + {WIDE})" * min(n, 8),
    "a product": lambda n: "*".join(f"sin(a_{k} + x)" for k in range(n)),
    "a column": lambda n: "stack([" + ", ".join(f"a_{k}*x + {WIDE}" for k in range(n)) + "])",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_formulas_of_every_shape_and_length_break_or_scroll_by_themselves(
    phone: Browser, shape: str, tmp_path: Path
) -> None:
    from symnet.expr.printing.mathml import mathml
    from symnet.reading.formula import formula
    from symnet.study.derivation.page import document
    from symnet.study.derivation.style import STYLE

    rows = [displayed(mathml(formula(SHAPES[shape](n)))) for n in (1, 2, 3, 5, 8, 13, 21)]
    body = "".join(f'<div class="result"><div class="lines"><div>{row}</div></div></div>' for row in rows)
    page = document("formulas", f"<style>{STYLE}</style>", f'<main class="derivation">{body}</main>')
    open_page(phone, tmp_path / "page.html", page)
    wider, hidden, _ = measured(phone)
    assert wider <= 0 and not hidden
    beside = "[...document.querySelectorAll('.lines > div')].filter(e => e.scrollWidth > e.clientWidth + 40).length"
    assert phone.value(beside) == 0, "what is much too wide is a box of its own, which keys reach"


def test_a_formula_that_fits_into_a_phone_has_no_box() -> None:
    fits, cut = (displayed("<mrow>" + "<mi>x</mi><mo>+</mo>" * n + "<mi>y</mi></mrow>") for n in (3, 30))
    assert SCROLLS not in fits and "<span" not in fits
    assert SCROLLS not in cut and cut.count("<math") > 2, "a sum breaks at its signs"
    fraction = f"<mfrac><mrow>{'<mi>x</mi><mo>+</mo>' * 12}<mi>y</mi></mrow><mi>z</mi></mfrac>"
    assert SCROLLS in displayed(fraction)


def test_every_page_has_what_makes_its_boxes_scroll() -> None:
    x = sn.scalar("x")
    derived = sn.derive(x**2, x)
    compared = sn.compare(x**2, x, {"x": 1.0}, repeats=1)
    pages = ((derived.html(), ".derivation"), (derived.slides(), ".derivation"), (compared.html(), ".comparison"))
    for page, scope in pages:
        assert f"{scope} .scrolls {{" in page and "no-repeat local" in page
