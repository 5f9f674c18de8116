r"""Names given in LaTeX: what MathML shows for `\hat{y}_{i}`, and what is left to the name itself."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

import symnet as sn
from symnet.expr.printing.latex import name_latex
from symnet.expr.printing.latex_names import latex_name
from symnet.expr.printing.mathml import mathml

READ = {
    r"\theta": "<mi>θ</mi>",
    r"\varepsilon": "<mi>ε</mi>",
    r"\Sigma": "<mi>Σ</mi>",
    r"\hat{y}": '<mover accent="true"><mi>y</mi><mo stretchy="false">^</mo></mover>',
    r"\bar x": '<mover><mi>x</mi><mo stretchy="false">‾</mo></mover>',
    r"\tilde{\beta}_1": '<msub><mover accent="true"><mi>β</mi><mo stretchy="false">~</mo></mover>'
    "<mrow><mn>1</mn></mrow></msub>",
    r"W^{(1)}": "<msup><mi>W</mi><mrow><mrow><mo>(</mo><mn>1</mn><mo>)</mo></mrow></mrow></msup>",
    r"x_{ij}^2": "<msubsup><mi>x</mi><mrow><mrow><mi>i</mi><mi>j</mi></mrow></mrow><mrow><mn>2</mn></mrow></msubsup>",
    r"\mathbf{w}": "<mi>𝐰</mi>",
    r"\boldsymbol\theta": "<mi>𝛉</mi>",
    r"\mathbf{W}_{\text{out}}": "<msub><mi>𝐖</mi><mrow><mi>out</mi></mrow></msub>",
    r"\mathcal{L}": '<mi mathvariant="script">L</mi>',
    r"\mathrm{d}": '<mi mathvariant="normal">d</mi>',
    r"\ell": "<mi>ℓ</mi>",
    r"f'": "<msup><mi>f</mi><mrow><mo>′</mo></mrow></msup>",
    r"x^\star": "<msup><mi>x</mi><mrow><mo>⋆</mo></mrow></msup>",
    r"\operatorname{loss}": "<mi>loss</mi>",
    r"w\,b": "<mrow><mi>w</mi><mi>b</mi></mrow>",
}
BEYOND = [
    r"\frac{1}{2}",
    r"\begin{x}",
    "{",
    "}",
    "_",
    r"\hat",
    "a__b",
    r"\text{\alpha}",
    "a&b",
    "{" * 40 + "a" + "}" * 40,
]


@pytest.mark.parametrize("latex", READ)
def test_a_name_in_latex_reads_as_it_looks(latex: str) -> None:
    assert latex_name(latex) == READ[latex]
    ET.fromstring(f"<math>{latex_name(latex)}</math>")


@pytest.mark.parametrize("latex", BEYOND)
def test_what_is_more_than_a_name_is_left_alone(latex: str) -> None:
    assert latex_name(latex) is None
    assert mathml(sn.tensor("alpha", 3, latex=latex)) == mathml(sn.tensor("alpha", 3)) == "<mi>α</mi>"


@given(st.text(alphabet=r"\{}_^'abhatmrfx1 <>&" + "α", max_size=20))
def test_any_text_gives_well_formed_markup_or_none(latex: str) -> None:
    found = latex_name(latex)
    assert found is None or ET.fromstring(f"<math>{found}</math>") is not None


def test_formulas_pages_and_slides_carry_the_notation_of_the_user() -> None:
    z = sn.scalar("z", latex=r"\zeta")
    y = sn.sigmoid(z).named("y", latex=r"\hat{y}")
    derivation = sn.derive(sn.binary_cross_entropy(y, sn.scalar("d")).named("L", latex=r"\mathcal{L}"), z)
    hat, loss = READ[r"\hat{y}"], READ[r"\mathcal{L}"]
    for page in (derivation.html(), derivation.slides()):
        assert f"<mo>∂</mo>{hat}" in page and f"<mo>∂</mo>{loss}" in page and "<mi>ζ</mi>" in page
        assert "<mi>z</mi>" not in page.partition("<svg")[2].partition("</svg>")[0]
    assert (
        r"\frac{\partial \mathcal{L}}{\partial \zeta}" in derivation.latex() and r"\bar{\hat{y}}" in derivation.latex()
    )


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("θ", r"\theta"),
        ("θ1", r"\theta_{1}"),
        ("Φ_max", r"\Phi_{max}"),
        ("ŷ", r"\hat{y}"),
        ("x̄_2", r"\bar{x}_{2}"),
        ("ẋ", r"\dot{x}"),
        ("ω_θ", r"\omega_{\theta}"),
        ("Δx", r"\Delta x"),
        ("ε", r"\varepsilon"),
        ("Α", "A"),
        ("я", r"\text{я}"),
    ],
)
def test_letters_beyond_ascii_are_set_by_any_latex(name: str, written: str) -> None:
    assert name_latex(name) == written


@pytest.mark.parametrize("letter", [chr(c) for c in (*range(0x3B1, 0x3CA), *range(0x391, 0x3AA)) if c != 0x3A2])
def test_every_greek_letter_is_ascii_in_latex(letter: str) -> None:
    assert name_latex(letter).isascii() and name_latex(letter) != letter
