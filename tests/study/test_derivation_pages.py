"""Derivations as pages: valid, complete, self-contained; graphs whose boxes do not overlap; slides in numbers."""

import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import symnet as sn
from symnet.study.derivation.fold import middle
from symnet.study.derivation.graph import svg
from symnet.study.derivation.layout import Link, draw
from symnet.study.derivation.numbers import shown
from tests.expr.long_formulas import layer_norm, nested_sines
from tests.expr.long_formulas import network as deep_network
from tests.play.browser import Browser
from tests.study.test_derive import EXAMPLES, G1, network

VOID = {"meta", "br", "link", "img", "hr", "input"}
SVG = "{http://www.w3.org/2000/svg}"
NAMESPACES = {"http://www.w3.org/2000/svg", "http://www.w3.org/1998/Math/MathML", "http://www.w3.org/1999/xhtml"}
G1_NUMBERS = sn.derive(G1, at={"a": 4, "b": 3})


class Reader(HTMLParser):
    """Checks that every element is closed in its order; keeps tags and attributes."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.attributes, self.text = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data):
        self.text.append(data)


def read(page):
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


def parts(page, tag):
    return re.findall(rf"<{tag}\b.*?</{tag}>", page, re.DOTALL)


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("make", ["html", "slides"])
def test_a_page_is_well_formed_and_asks_the_network_for_nothing(name, make):
    page = getattr(sn.derive(*EXAMPLES[name]()), make)()
    reader = read(page)
    for piece in [*parts(page, "svg"), *parts(page, "math")]:
        ET.fromstring(piece)
    names = [key for key, _ in reader.attributes]
    assert not {"src", "href", "srcset", "data", "action"} & set(names)
    assert set(re.findall(r"https?://[^\"' )]+", page)) <= NAMESPACES
    assert "url(" not in page and "@import" not in page and "fetch(" not in page
    assert not {"script", "link", "img", "iframe"} & set(reader.tags) - ({"script"} if make == "slides" else set())


def test_a_page_shows_graph_values_routes_backward_steps_and_result():
    page = G1_NUMBERS.html()
    headings = re.findall(r"<h2>(.*?)</h2>", page)
    assert headings == [
        "The graph",
        "Values and local derivatives",
        "Rules used",
        "Multiply along a route, add over routes",
        "Backward, one value at a time",
        "Result",
    ]
    assert page.count('class="step value"') == 2 and "2 routes lead" in page and "Only one route leads" in page
    assert "prefers-color-scheme: dark" in page and "@media print" in page
    assert "with <math" in page and "collect like terms" in page


def test_the_graph_has_a_box_for_every_value_and_a_line_for_every_edge():
    picture = ET.fromstring(svg(G1_NUMBERS))
    assert len(picture.findall(f".//{SVG}rect")) == 4
    assert len(picture.findall(f"{SVG}path")) == 2 * len(G1_NUMBERS.edges) == 8
    assert len([g for g in picture.iter(f"{SVG}g") if "label" in g.get("class")]) == 4


def boxes(picture):
    keys = ("x", "y", "width", "height")
    return [tuple(float(box.get(k)) for k in keys) for box in picture.iter(f"{SVG}foreignObject")]


@pytest.mark.parametrize("name", EXAMPLES)
def test_nothing_in_a_graph_overlaps_or_is_cut_off(name):
    picture = ET.fromstring(svg(sn.derive(*EXAMPLES[name]())))
    found = boxes(picture)
    left, top, width, height = map(float, picture.get("viewBox").split())
    for n, (x, y, w, h) in enumerate(found):
        assert left <= x and x + w <= left + width + 1 and top <= y and y + h <= top + height + 1
        for u, v, k, j in found[n + 1 :]:
            assert x + w <= u + 0.2 or u + k <= x + 0.2 or y + h <= v + 0.2 or v + j <= y + 0.2


def test_lines_of_the_two_routes_do_not_cross_and_pass_no_box():
    """a feeds c and d: the long line runs beside c."""
    sizes = {"a": (60.0, 40.0), "b": (60.0, 40.0), "c": (120.0, 40.0), "d": (80.0, 40.0)}
    links = [Link("a", "c"), Link("b", "c"), Link("a", "d"), Link("c", "d")]
    drawing = draw(sizes, links)
    (cx, cy), (w, h) = drawing.boxes["c"], sizes["c"]
    assert all(abs(x - cx) >= w / 2 or abs(y - cy) >= h / 2 for x, y in drawing.ways[2])
    ends = [way[1][0] for way in drawing.ways[:3]]
    assert (ends[2] < ends[0]) == (drawing.ways[2][3][0] < cx)


def test_a_chain_is_drawn_straight():
    drawing = draw({n: (50.0 + 10 * n, 40.0) for n in range(5)}, [Link(n, n + 1, (30.0, 20.0)) for n in range(4)])
    assert len({round(x, 3) for x, _ in drawing.boxes.values()}) == 1
    assert [y for _, y in drawing.boxes.values()] == sorted(y for _, y in drawing.boxes.values())


def deep(layers):
    X = H = sn.tensor("X", sn.dim("m"), 4)
    weights = []
    for k in range(layers):
        W, b = sn.tensor(f"W{k}", 4, 4), sn.tensor(f"b{k}", 4)
        weights += [W, b]
        H = sn.tanh(H @ W + b).named(f"H{k}")
    return sn.mean(sn.sum((H - X) ** 2, axis=1)).named("L"), weights


def chain(length):
    x = sn.scalar("x")
    value = x
    for _ in range(length):
        value = sn.sin(value)
    return value, x


@pytest.mark.parametrize("make", [lambda: chain(60), lambda: deep(16)], ids=["a chain", "a deep network"])
def test_the_middle_of_a_large_graph_is_one_box_and_nothing_overlaps(make):
    derivation = sn.derive(*make())
    picture = ET.fromstring(svg(derivation))
    rects = picture.findall(f".//{SVG}rect")
    assert 8 < len(rects) <= 25
    hidden = int(re.search(r"<mtext>(\d+) values", svg(derivation))[1])
    shown = len(derivation.inputs) + len(derivation.values)
    assert hidden + len(rects) - 1 == shown
    found = boxes(picture)
    for n, (x, y, w, h) in enumerate(found):
        for u, v, k, j in found[n + 1 :]:
            assert x + w <= u + 0.2 or u + k <= x + 0.2 or y + h <= v + 0.2 or v + j <= y + 0.2
    page = derivation.html()
    read(page)
    assert "The values in the middle share a box." in page
    assert page.count('class="step"') >= len(derivation.steps)


def test_what_is_folded_lies_between_what_is_drawn():
    labels = [f"v{k}" for k in range(60)]
    pairs = [(f"v{k}", f"v{k + 1}") for k in range(59)] + [("v0", "v59")]
    hidden = middle(labels, pairs, 40, 20)
    assert hidden == labels[10:50]
    assert middle(labels[:40], [p for p in pairs if p[1] in labels[:40]], 40, 20) == []


def test_a_step_in_the_folded_part_lights_its_box_on_the_slide():
    sections = parts(sn.derive(*chain(60)).slides(), "section")
    assert sum('class="node folded now"' in s for s in sections) > 30


def test_a_result_that_no_line_holds_is_smaller_in_the_head():
    """It is the result all the same, and not the name of a cotangent."""
    page = sn.derive(*chain(60)).html()
    head = page[page.index("<h1") : page.index("</h1>")]
    assert 'style="font-size: 1.00rem"' in head and "‾" not in head


def test_the_graph_is_told_in_words_to_those_who_do_not_see_it():
    picture = ET.fromstring(svg(G1_NUMBERS))
    assert picture.get("role") == "img" and picture.get("aria-label").startswith("The computation graph of d. c = a")
    assert picture.find(f"{SVG}title").text == "The computation graph of d"
    assert picture.find(f"{SVG}desc").text == "c = a + b; d = a*c"


def test_slides_put_one_number_more_on_the_graph_at_a_time():
    sections = parts(G1_NUMBERS.slides(), "section")
    titles = [re.sub("<.*?>", "", re.search(r"<h2>(.*?)</h2>", s)[1]) for s in sections]
    assert titles == [
        "d",
        "The value c",
        "The value d",
        "The derivative by d",
        "The derivative by c",
        "The derivative by b",
        "The derivative by a",
        "All from one backward pass",
    ]
    pictures = [section.split("<figure ")[1] for section in sections]
    visible = [len(re.findall(r'class="(?:number|slope)"', s)) for s in pictures]
    hidden = [len(re.findall(r'class="(?:number|slope) hidden"', s)) for s in pictures]
    assert {v + h for v, h in zip(visible, hidden, strict=True)} == {8}
    assert hidden == [6, 5, 4, 3, 2, 1, 0, 0]


def test_slides_say_the_numbers_of_every_step():
    sections = parts(G1_NUMBERS.slides(), "section")
    for section, numbers in zip(
        sections[1:7], (["7"], ["28"], ["1"], ["4"], ["4", "1"], ["7", "1", "11"]), strict=True
    ):
        said = section.split("<figure ")[0]
        for number in numbers:
            assert f"<mn>{number}</mn>" in said, (number, said)


def test_slides_of_arrays_show_matrices_or_their_norms():
    y, x = network()
    rng = np.random.default_rng(1)
    at = {"X": rng.standard_normal((4, 2)), "D": np.eye(10)[:4]} | {t.name: rng.standard_normal(t.shape) for t in x}
    page = sn.derive(y, x, at=at).slides()
    read(page)
    assert "<mtable>" in page and "norm" in page


def test_slides_are_written_where_they_are_wanted(tmp_path):
    assert G1_NUMBERS.slides(tmp_path / "s.html") == (tmp_path / "s.html").read_text()
    assert G1_NUMBERS.save(tmp_path / "p.html").read_text() == G1_NUMBERS.html()


def test_notebooks_get_the_page_without_its_frame():
    fragment = G1_NUMBERS._repr_html_()
    assert "<html" not in fragment and "<body" not in fragment and fragment in G1_NUMBERS.html()
    assert G1_NUMBERS._repr_latex_().startswith("$")


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (28.0, "28"),
        (np.float64(1 / 3), "0.333333"),
        (np.array([1.0, 0.25]), "[1, 0.25]"),
        (np.eye(2), "[[1, 0], [0, 1]]"),
        (np.ones((3, 100)), "3×100, norm 17.3"),
        (np.array(3), "3"),
    ],
)
def test_numbers_are_written_short(array, text):
    assert shown(array) == text


# --------------------------------------------------------------------------- in a browser, where there is one

V = sn.tensor("v", 2)
BROWSER = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
MEASURED = """JSON.stringify((() => {
  const shown = document.querySelector("section.shown");
  const barred = [...shown.querySelectorAll("*")].filter(e => e.scrollHeight > e.clientHeight + 1
    && ["auto", "scroll"].includes(getComputedStyle(e).overflowY) && e.clientHeight > 0);
  return [document.documentElement.scrollHeight <= innerHeight, barred.length,
    document.documentElement.scrollWidth <= innerWidth];
})())"""
SCREENS = {"1280,720": (1280, 633), "1920,1080": (1920, 993)}  # what a window that fills the screen leaves to the page
DECKS = {
    "two routes": lambda: G1_NUMBERS,
    "a Hessian by elements": lambda: sn.derive(
        (1 - V[0]) ** 2 + 100 * (V[1] - V[0] ** 2) ** 2, V, at={"v": [1.0, 2.0]}, order=2
    ),
    "a long result": lambda: sn.derive(*layer_norm()),
    "a Jacobian": lambda: sn.derive(sn.tanh(3 * V).named("h"), V, at={"v": [0.1, 0.2]}, layout="numerator"),
}


SCROLLS = """<script>
document.body.dataset.scrolled = [...document.querySelectorAll("*")].filter(e => !e.closest("svg") && e.clientWidth > 0
  && (e === document.documentElement || ["auto", "scroll"].includes(getComputedStyle(e).overflowX))
  && e.scrollWidth > e.clientWidth + 1).map(e => e.tagName + "." + e.className).join(" ");
</script></body>"""
PAGES = {"a long result": layer_norm, "a network": deep_network, "sines": nested_sines}


@pytest.mark.skipif(BROWSER is None, reason="no browser")
@pytest.mark.parametrize("name", PAGES)
def test_long_formulas_of_a_page_go_on_in_the_next_line_and_nothing_scrolls_sideways(name: str, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(sn.derive(*PAGES[name]()).html().replace("</body>", SCROLLS), encoding="utf-8")
    flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1280,900", "--dump-dom"]
    dom = subprocess.run([BROWSER, *flags, f"file://{page}"], capture_output=True, text=True, timeout=60).stdout
    assert 'data-scrolled=""' in dom, re.findall('data-scrolled="[^"]*"', dom)


@pytest.fixture(scope="module", params=SCREENS)
def screen(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Browser]]:
    with closing(Browser(*SCREENS[request.param], tmp_path_factory.mktemp("profile"))) as made:
        yield request.param, made


@cache
def slides(deck: str) -> str:
    return DECKS[deck]().slides()


@pytest.mark.skipif(not shutil.which("chromium"), reason="no Chromium is installed")
@pytest.mark.parametrize("deck", DECKS)
def test_slides_fit_the_screen_and_have_no_stray_scrollbars(
    deck: str, screen: tuple[str, Browser], tmp_path: Path
) -> None:
    (size, browser), page = screen, tmp_path / "slides.html"
    page.write_text(slides(deck), encoding="utf-8")
    last = slides(deck).count("<section>")
    browser.go(f"about:blank#{page.parent.name}")
    browser.go(page.as_uri())
    for number in dict.fromkeys((1, 2, last // 2, last) if size == "1280,720" else (2, last)):
        browser.value(f"location.hash = '#{number}'")
        browser.wait(f"document.querySelector('section.shown .head').textContent.includes('{number} / {last}')")
        assert json.loads(browser.value(MEASURED)) == [True, 0, True], number
