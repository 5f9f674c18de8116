"""Long formulas over several lines: none too wide, and together the formula that was broken."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
import sympy

import symnet as sn
from symnet.expr.printing.latex import latex
from symnet.expr.printing.latex_lines import TEXT_WIDTH, broken, width
from symnet.expr.printing.latex_rows import displayed, paged
from symnet.expr.printing.line_breaks import FACTOR, OPERATION, TERM, Piece, chunks, lines
from symnet.expr.printing.mathml import mathml
from symnet.expr.printing.mathml_lines import LONGEST, parts
from symnet.reference.evaluation import evaluate
from tests.expr.long_formulas import layer_norm, nested_sines, network, polynomial
from tests.expr.paper_reading import read_on_paper
from tests.expr.test_paper import DATA, grown

m, n = sn.dim("m"), sn.dim("n")
TEXT_BLOCK = 345.0  # points: of LaTeX's article in letters of 10 points


def pieces(*widths_and_begins: tuple[float, int]) -> list[Piece]:
    return [Piece(str(k), w, 0, begins) for k, (w, begins) in enumerate(widths_and_begins)]


def texts(found: list[list[Piece]]) -> list[str]:
    return ["".join(piece.text for piece in line) for line in found]


def test_a_line_ends_before_a_sign_rather_than_a_factor() -> None:
    formula = pieces((6, FACTOR), (4, TERM), (4, FACTOR), (4, FACTOR), (4, TERM))
    assert texts(lines(formula, 15, 15)) == ["0", "123", "4"]
    assert texts(lines(formula, 19, 19)) == ["0123", "4"]
    assert texts(lines(formula, 22, 22)) == ["01234"]


def test_a_line_ends_outside_of_brackets_rather_than_inside() -> None:
    formula = pieces((5, TERM), (5, OPERATION), (5, TERM), (5, TERM))
    formula[2].depth = formula[3].depth = 1
    assert texts(lines(formula, 14, 17)) == ["0", "123"]
    formula[1].depth = 2
    assert texts(lines(formula, 14, 17)) == ["01", "23"]


def test_parts_are_cut_at_all_best_places_and_the_wide_ones_again() -> None:
    formula = pieces((3, TERM), (3, TERM), (3, OPERATION), (3, FACTOR), (3, TERM))
    assert texts(chunks(formula, 20)) == ["01234"]
    assert texts(chunks(formula, 10)) == ["0", "123", "4"]
    assert texts(chunks(formula, 7)) == ["0", "1", "23", "4"]


DERIVATIONS = {f.__name__: f for f in (layer_norm, network, nested_sines, polynomial)}


def rows(name: str) -> list[str]:
    return [row.removesuffix(r" \\") for row in sn.derive(*DERIVATIONS[name]()).latex().split("\n")[1:-1]]


def inner_rows(row: str) -> list[str]:
    """The rows of an environment in a row."""
    return re.split(r"\\\\", re.sub(r"\\(begin|end)\{aligned\}", "", row)) if "{aligned}" in row else [row]


@pytest.mark.parametrize("name", DERIVATIONS)
def test_no_row_of_a_derivation_is_wider_than_a_text_block(name: str) -> None:
    """Measured by matplotlib's TeX, with the widths of Computer Modern."""
    mathtext = pytest.importorskip("matplotlib.mathtext")
    properties = pytest.importorskip("matplotlib.font_manager").FontProperties(size=10, math_fontfamily="cm")
    parser = mathtext.MathTextParser("path")
    measured = 0
    for row in rows(name):
        for inner in inner_rows(row):
            if any(command in inner for command in (r"\textbf", r"\begin", r"\end")):
                continue
            plain = re.sub(r"\\[Bb]igg?[lr](?![a-z])", "", inner.replace("&", " "))
            plain = re.sub(r"\\(left|right)(?![a-z])", "", plain).replace(r"\displaystyle", "")
            points = parser.parse(f"${plain}$", dpi=72, prop=properties)[0]
            assert points <= TEXT_BLOCK, (points, inner)
            measured += points > TEXT_BLOCK / 2
    assert measured > 2, "nothing long was measured"


@pytest.mark.parametrize("name", DERIVATIONS)
def test_every_row_has_its_brackets_in_pairs(name: str) -> None:
    for row in rows(name):
        for inner in inner_rows(row):
            assert inner.count(r"\left") - inner.count(r"\leftarrow") == inner.count(r"\right"), inner
            assert inner.count("{") == inner.count("}"), inner


@pytest.mark.parametrize("seed", range(100))
def test_the_lines_of_a_formula_together_have_its_value(seed: int) -> None:
    node = grown(seed)
    rng = np.random.default_rng(seed)
    data = {name: rng.uniform(-1.5, 1.5, shape) for name, shape in DATA.items()}
    found = broken(sympy.latex(node), 8.0, 8.0)
    joined = " ".join([found[0], *(re.sub(r"^(\\quad)+ (\{\} )?", "", line) for line in found[1:])])
    joined = re.sub(r"\\[Bb]igg?l(?![a-z])", r"\\left", re.sub(r"\\[Bb]igg?r(?![a-z])", r"\\right", joined))
    value = read_on_paper(joined, data, node.rank)
    wanted = np.asarray(evaluate(node, data))
    np.testing.assert_allclose(np.reshape(value, wanted.shape), wanted, rtol=1e-9, atol=1e-9, err_msg=joined)


def test_a_short_formula_stays_as_it_is() -> None:
    node = sn.tensor("A", m, n) @ sn.tensor("x", n)
    assert displayed(latex(node)) == latex(node) == "A x"
    assert node._repr_latex_() == r"$\displaystyle A x$"
    assert parts(mathml(node)) == [mathml(node)]


def test_a_long_formula_is_shown_in_lines_and_embedded_in_one() -> None:
    node = sum(sn.tanh(i * sn.tensor("x", 20)[i]) * sn.exp(sn.tensor("x", 20)[i]) for i in range(1, 9))
    assert width(latex(node)) > TEXT_WIDTH
    shown = node._repr_latex_()
    assert shown.startswith(r"$\displaystyle \begin{aligned} &") and shown.count(r"\\") >= 1
    assert "aligned" not in sympy.latex(node)


@pytest.mark.parametrize("name", DERIVATIONS)
def test_the_parts_of_a_formula_in_mathml_are_well_formed_and_say_it_all(name: str) -> None:
    for ending in sn.derive(*DERIVATIONS[name]()).endings:
        written = mathml(ending.result)
        letters = re.sub(r"<[^>]*>|[()/]|12$", "", written)
        found = parts(written)
        for part in found:
            ET.fromstring(f"<math>{part}</math>")
        assert len(letters) < LONGEST or "<mtable" in written or len(found) > 1 or len(letters) < 3 * LONGEST
        if "msqrt" not in written:
            assert re.sub(r"<[^>]*>|[()/]", "", "".join(found)) == letters


# --------------------------------------------------------------------------- set by those who know TeX

DOCUMENT = r"""\documentclass{article}
\usepackage{amsmath,amssymb}
\hfuzz=2pt
\begin{document}
%s
\end{document}
"""
ENGINE = next((found for name in ("pdflatex", "lualatex", "xelatex") if (found := shutil.which(name))), None)


@pytest.mark.skipif(ENGINE is None, reason="no LaTeX")
@pytest.mark.parametrize("name", DERIVATIONS)
def test_latex_sets_a_derivation_on_pages_and_no_line_sticks_out(name: str, tmp_path: Path) -> None:
    source = DOCUMENT % sn.derive(*DERIVATIONS[name]()).latex(pages=True)
    (tmp_path / "steps.tex").write_text(source, encoding="utf-8")
    command = [ENGINE, "-interaction=nonstopmode", "-halt-on-error", "steps.tex"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stdout[-2000:]
    assert "Overfull \\hbox" not in run.stdout


def katex() -> str | None:
    """Where node finds KaTeX; None where either is missing."""
    if shutil.which("node") is None:
        return None
    asked = subprocess.run(["node", "-p", "require.resolve('katex')"], capture_output=True, text=True)
    return asked.stdout.strip() or None


@pytest.mark.parametrize("name", DERIVATIONS)
def test_katex_sets_a_derivation(name: str) -> None:
    """In its strict mode, in which it takes nothing that LaTeX does not; to be found by node (NODE_PATH)."""
    if katex() is None:
        pytest.skip("no KaTeX")
    derivation = sn.derive(*DERIVATIONS[name]())
    on_pages = derivation.latex(pages=True).removeprefix("{\\allowdisplaybreaks\n").removesuffix("}")
    script = (
        "const katex = require('katex'), said = JSON.parse(require('fs').readFileSync(0, 'utf8'));"
        "for (const l of said) katex.renderToString(l, {displayMode: true, throwOnError: true, strict: 'error'});"
    )
    given = json.dumps([derivation.latex(), on_pages, *(latex(ending.result) for ending in derivation.endings)])
    run = subprocess.run(["node", "-e", script], input=given, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr[-1500:]


def test_pages_are_an_environment_of_the_text_and_may_break() -> None:
    written = paged(["a &= b", "&= c"])
    assert written == "{\\allowdisplaybreaks\n\\begin{align*}\na &= b \\\\\n&= c\n\\end{align*}}"
