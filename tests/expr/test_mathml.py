"""Formulas in MathML: well-formed for everything, with the structure of the LaTeX printer's notation."""

import re
import xml.etree.ElementTree as ET

import pytest

import symnet as sn
from symnet.expr.printing.forms import KINDS
from symnet.expr.printing.markup import math_element, name_mathml
from symnet.expr.printing.mathml import WRITERS, mathml
from tests.cases import CASES
from tests.expr.test_printing import GOLDEN

MATHML = "{http://www.w3.org/1998/Math/MathML}"
# MathML Core and the table attributes of MathML 3; nothing that refers to anything outside.
TAGS = {
    *("math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "mfrac", "msqrt", "mroot", "msup", "msub", "msubsup"),
    *("munder", "mover", "mtable", "mtr", "mtd", "mfenced", "mstyle"),
}

m = sn.dim("m")
a, b = sn.scalar("a"), sn.scalar("b")
X, w, y = sn.tensor("X", m, 3), sn.tensor("w", 3), sn.tensor("y", m)


def read(node):
    return ET.fromstring(math_element(mathml(node, full=True)))


def spoken(node):
    """The characters alone."""
    return re.sub(r"\s", "", "".join(read(node).itertext()))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_case_is_well_formed(case):
    for root in case.roots:
        assert {element.tag.removeprefix(MATHML) for element in read(root).iter()} <= TAGS


@pytest.mark.parametrize(("node", "text", "_"), GOLDEN, ids=lambda value: str(value)[:40])
def test_every_golden_formula_is_well_formed(node, text, _):
    assert read(node).tag == f"{MATHML}math"


def test_every_kind_of_form_has_a_writer():
    assert set(WRITERS) == set(KINDS)


@pytest.mark.parametrize(
    ("node", "characters"),
    [
        (a - b, "a−b"),
        (-(a + b), "−(a+b)"),
        ((a + b) * a, "a(a+b)"),
        (2 * X.T @ (X @ w - y) / m, "2X⊤(Xw−y)m"),
        (w * (1 - w), "w⊙(𝟏−w)"),
        (sn.outer(y, w), "yw⊤"),
        (sn.where(w > 0, w, 0), "{ww>00otherwise"),
        (sn.relu(a), "relu(a)"),
        (abs(w), "|w|"),
        (a * 1e-8, "1·10−8a"),
        (sn.tensor("alpha1", 3) + 1, "α1+𝟏"),
    ],
)
def test_formulas_read(node, characters):
    assert spoken(node) == characters


def test_accents_and_subscripts_are_elements():
    assert name_mathml("W1") == "<msub><mi>W</mi><mrow><mn>1</mn></mrow></msub>"
    assert name_mathml("d_bar").startswith("<mover><mi>d</mi>")
    assert name_mathml("loss") == "<mi>loss</mi>"


def test_shared_parts_of_large_formulas_follow_after_where():
    x = sn.tensor("x", 4)
    for _ in range(9):
        x = sn.exp(x) + x
    assert "where" in spoken(x)
