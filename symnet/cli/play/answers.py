"""What was typed → what is shown: the derivative, its steps, a verdict, the source of a function.

In: the fields of the page, as text.  Out: plain data for it.  Formulas are read by `reading/`, and never run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import symnet as sn
from symnet.cli.labels import derivative_latex, derivative_text, name_of_root
from symnet.cli.sources import declared, differentiated_by, numbers_of, products_meant, targets
from symnet.errors import ArgumentError, SymnetError, explain
from symnet.expr.nodes.extents import Dim
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import Node
from symnet.expr.printing.latex import latex
from symnet.expr.printing.latex_rows import equation, paged
from symnet.expr.printing.mathml import mathml
from symnet.expr.printing.mathml_lines import displayed
from symnet.reading.formula import apart, formula, names_in
from symnet.source.dialects import DIALECTS

FIELDS = ("formula", "shapes", "assume", "wrt", "at", "kind", "mine", "library")
LONGEST = 4000  # characters of a field
MOST_NODES = 4000  # of a formula
MOST_TEXT = 20_000  # characters of a result that are shown
LIBRARIES = (*DIALECTS, "c", "latex")
"""What a function can be shown in: the libraries of `f.source`, C, and LaTeX."""


def answer(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to a page.

    Args:
        asked: text by the names of `FIELDS`; those that lack are empty.

    Returns:
        `value` and `results` (each with `label`, `text`, `latex`, `mathml`), `steps` (a page, or None), `verdict`,
        `source`; or `error` alone, as text.
    """
    try:
        return _answered({name: _text(name, asked.get(name, "")) for name in FIELDS})
    except SymnetError as error:
        return {"error": str(error)}


def _text(name: str, given: Any) -> str:
    if not isinstance(given, str) or len(given) > LONGEST:
        got = f"{len(given)} characters" if isinstance(given, str) else type(given).__name__
        raise ArgumentError(explain(name, f"text of at most {LONGEST} characters", got, "Write a shorter one."))
    return given.strip()


def _answered(asked: dict[str, str]) -> dict[str, Any]:
    root, names = _read(asked)
    chosen = _chosen(asked["wrt"], root, names)
    kind = asked["kind"] or "gradient"
    if kind not in KINDS:
        raise ArgumentError(explain("kind", f"one of {', '.join(KINDS)}", repr(kind), "Choose one of these."))
    found = KINDS[kind](root, chosen)
    own = name_of_root(root)
    results = [_shown(derivative_text(own, *by), each) for by, each in found]
    shown = {"value": _shown(own, root), "results": results}
    return {
        **shown,
        "kind": kind,
        "shape": [str(extent) for extent in root.shape],
        "steps": _steps(root, chosen, asked["at"], kind),
        "verdict": _verdict(asked["mine"], kind, root, chosen, names) if asked["mine"] else None,
        "source": _source(asked["library"], root, found) if asked["library"] else None,
    }


def _read(asked: dict[str, str]) -> tuple[Node, dict[str, Any]]:
    """The formula, and what its names mean; without shapes every name is a scalar."""
    if not asked["formula"]:
        raise ArgumentError(explain("formula", "a formula", "nothing", "Write one, such as sum(tanh(W@x)**2)."))
    shapes, assumed = apart(asked["shapes"]), asked["assume"].split()
    free = None if shapes else formula(asked["formula"])
    root, known = declared(asked["formula"], free, shapes or None, assumed)
    count = len(topological(root))
    if count > MOST_NODES:
        got = f"one of {count}"
        most = f"a formula of at most {MOST_NODES} operations"
        raise ArgumentError(explain("formula", most, got, "Take a part of it."))
    return root, known | {n: v for n, v in names_in(root).items() if n not in known}


def _chosen(wrt: str, root: Node, names: Mapping[str, Any]) -> list[Node]:
    """What is differentiated by: leaves, names and elements of the formula; without any, every leaf."""
    apart = re.sub(r"[\s,]+(?![^\[]*\])", ",", wrt).strip(",")  # by spaces or commas, but for those of x[0, 1]
    return targets(apart, root, names, "by") if apart else differentiated_by(None, root, names, "formula")


def _shown(label: str, node: Node) -> dict[str, Any]:
    text = str(node)
    if len(text) > MOST_TEXT:
        return {"label": label, "text": f"{text[:MOST_TEXT]} …", "latex": "", "mathml": ""}
    shape, inside = [str(extent) for extent in node.shape], displayed(mathml(node))
    return {"label": label, "text": text, "latex": latex(node), "mathml": inside, "shape": shape}


# --------------------------------------------------------------------------- kinds of derivatives


Derivatives = list[tuple[tuple[Node, ...], Node]]  # what is differentiated by, once or twice, and the derivative


def _gradients(root: Node, chosen: Sequence[Node]) -> Derivatives:
    if root.rank:
        mend = f"Reduce it with sum or mean, or choose the Jacobian{products_meant(root)}."
        raise ArgumentError(explain("gradient", "a formula of rank 0", f"one of shape {root.shape}", mend))
    return _by_each(chosen, sn.grad(root, list(chosen)))


def _hessians(root: Node, chosen: Sequence[Node]) -> Derivatives:
    rows = sn.hessian(root, list(chosen))
    return [((x, y), rows[i][j]) for i, x in enumerate(chosen) for j, y in enumerate(chosen)]


def _jacobians(root: Node, chosen: Sequence[Node]) -> Derivatives:
    return _by_each(chosen, sn.jacobian(root, list(chosen)))


def _in_layout(layout: str) -> Callable[[Node, Sequence[Node]], Derivatives]:
    return lambda root, chosen: _by_each(chosen, sn.derivative(root, list(chosen), layout=layout))


def _by_each(chosen: Sequence[Node], found: Sequence[Node]) -> Derivatives:
    return [((x,), each) for x, each in zip(chosen, found, strict=True)]


KINDS: dict[str, Callable[[Node, Sequence[Node]], Derivatives]] = {
    "gradient": _gradients,
    "Hessian": _hessians,
    "Jacobian": _jacobians,
    "numerator layout": _in_layout("numerator"),
    "denominator layout": _in_layout("denominator"),
}
GRADED: dict[str, dict[str, Any]] = {
    "gradient": {},
    "Hessian": {"order": 2},
    "Jacobian": {},
    "numerator layout": {"layout": "numerator"},
    "denominator layout": {"layout": "denominator"},
}
"""What `check` and `derive` are told, by the kind of derivative."""


# --------------------------------------------------------------------------- what else a page asks for


def _steps(root: Node, chosen: Sequence[Node], at: str, kind: str) -> str | None:
    """The derivation as a page of its own; None where a second derivative has no steps: it is zero, say."""
    numbers = numbers_of(at) if at else None
    try:
        return sn.derive(root, list(chosen), at=numbers, **GRADED[kind]).html()
    except ArgumentError:
        if kind != "Hessian" or _steps(root, chosen, at, "gradient") is None:
            raise
        return None


def _verdict(mine: str, kind: str, root: Node, chosen: Sequence[Node], names: Mapping[str, Any]) -> dict[str, Any]:
    if len(chosen) != 1:
        mend = "Fill in what the formula is differentiated by."
        raise ArgumentError(explain("your answer", "one variable", f"{len(chosen)} of them", mend))
    known = {n: v for n, v in names.items() if isinstance(v, (Node, Dim))}
    try:
        verdict = sn.check(formula(mine, known), root, chosen[0], **GRADED[kind])
    except SymnetError as error:  # of a formula that cannot be read, or has another shape
        return {"right": False, "text": str(error)}
    return {"right": bool(verdict), "text": str(verdict)}


def _source(library: str, root: Node, found: Derivatives) -> str:
    """Source of a function of value and derivatives, or their LaTeX."""
    if library not in LIBRARIES:
        raise ArgumentError(explain("source", f"one of {', '.join(LIBRARIES)}", repr(library), "Choose one of these."))
    if library == "latex":
        own = name_of_root(root)
        slopes = (line for by, x in found for line in equation(derivative_latex(own, *by), latex(x)))
        return paged([*equation(own, latex(root)), *slopes]) + "\n"
    return sn.compile([root, *(each for _, each in found)], name="value_and_derivatives").source(library)
