"""How abstract functions read: f(x), f'(x), ∂h/∂z, ∂₁h(x + y, θ).

In: an `Application` node and a `View`.  Out: its `Form`.
A derivative of a function of elements of one argument has primes.  Others are quotients of the function's name and of
what it was differentiated by, where that has a name (a leaf's, a value's, or that of an abstract function) and the
quotient can mean one thing only in the formula; otherwise the positions of the arguments stand beside ∂.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from symnet.expr.nodes.node import Node
from symnet.expr.printing.forms import Form, FormPart
from symnet.expr.printing.view import View

By = TypeVar("By")


def read_abstract(node: Any, view: View) -> Form:
    alone = len(node.operands) == 1 and node.is_elementwise
    if node.orders and not alone:
        names = [name for k in node.orders if (name := _named(node.operands[k], view)) is not None]
        if len(names) == len(node.orders) and _is_clear(node, view):
            return Form("leibniz", (_function(node), *names), (), node.rank)
    places = () if len(node.operands) == 1 else tuple(k + 1 for k in node.orders)
    arguments = view.refs(node.operands, loose=node.is_elementwise)
    return Form("applied", (_function(node), *arguments), (len(node.orders), places), len(view.shown[node]))


def _function(node: Any) -> Form:
    return Form("name", (), (node.name, node.latex))


def _named(node: Node, view: View) -> FormPart | None:
    """The name of an argument as a part of a formula; None where it has none."""
    if node.kind in ("tensor", "named"):
        return view.ref(node)
    if node.kind == "abstract" and not node.orders and len(view.applied[node.name]) == 1:
        return _function(node)
    return None


def _is_clear(node: Any, view: View) -> bool:
    """Whether the function is applied once in what is seen, and to no argument twice."""
    distinct = len(set(node.operands)) == len(node.operands)
    return distinct and len(view.applied[node.name]) == 1


_SUBSCRIPTS, _SUPERSCRIPTS = "₀₁₂₃₄₅₆₇₈₉", "⁰¹²³⁴⁵⁶⁷⁸⁹"
MOST_PRIMES = 3  # of a derivative of higher order the number is written


def subscripts(number: int) -> str:
    """A number in Unicode subscripts."""
    return "".join(_SUBSCRIPTS[int(digit)] for digit in str(number))


def superscripts(number: int) -> str:
    """A number in Unicode superscripts, 1 left out."""
    return "" if number == 1 else "".join(_SUPERSCRIPTS[int(digit)] for digit in str(number))


def text_mark(order: int, places: Sequence[int]) -> tuple[str, str]:
    """What stands before and behind the name of a function's derivative in plain text: ∂₁, or primes."""
    if places:
        return "".join(f"∂{superscripts(n)}{subscripts(k)}" for k, n in Counter(places).items()), ""
    return "", "'" * order if order <= MOST_PRIMES else f"⁽{superscripts(order)}⁾"


def repeated(by: Iterable[By]) -> list[tuple[By, int]]:
    """What is differentiated by, each once, with how often."""
    return list(Counter(by).items())


def latex_mark(name: str, order: int, places: Sequence[int]) -> str:
    """The name of a function's derivative in LaTeX."""
    if places:
        return "".join(rf"\partial_{{{k}}}{latex_power(n)} " for k, n in repeated(places)) + name
    return name + ("'" * order if order <= MOST_PRIMES else f"^{{({order})}}")


def latex_power(n: int) -> str:
    """An exponent in LaTeX, 1 left out."""
    return "" if n == 1 else f"^{{{n}}}"
