r"""Indices in two dimensions, for `latex.py` and `mathml.py`: \sum_{k} A_{ik} B_{kj}, [δᵢⱼ xₖ]ᵢⱼₖ.

In: a form of a contraction, an element, an array by its entries or a sum over an index, and what a markup writes.
Out: the text and how tightly it binds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from symnet.expr.nodes.contraction import letter
from symnet.expr.printing.forms import ATOM, HADAMARD, OPERATOR, Form, FormPart
from symnet.expr.printing.layout import Show


@dataclass(frozen=True)
class IndexMarkup:
    """What indices are made of.

    Attributes:
        below: a text with letters below it.
        total: the sign Σ with letters below it.
        operator: the name of a function.
        bracketed: a text in brackets, and in parentheses.
        delta, space: δ, and what separates factors.
        has_index: whether there is something below a text already.
    """

    below: Callable[[str, Iterable[str]], str]
    total: Callable[[Iterable[str]], str]
    operator: Callable[[str], str]
    bracketed: Callable[[str], str]
    parens: Callable[[str], str]
    delta: str
    space: str
    has_index: Callable[[str], bool]


def is_name(part: FormPart) -> bool:
    """Whether a part is written as a name."""
    return part.node.kind in ("tensor", "named") if not isinstance(part, Form) else part.kind == "name"


def einsum(form: Form, show: Show, markup: IndexMarkup) -> tuple[str, int]:
    """A contraction in indices; free indices name the axes of the result."""
    inputs, output = form.data
    pairs = zip(form.parts, inputs, strict=True)
    factors = markup.space.join(_indexed(part, map(letter, indices), show, markup) for part, indices in pairs)
    summed = dict.fromkeys(i for indices in inputs for i in indices if i not in output)
    total = markup.total(map(letter, summed)) if summed else ""
    if not output:
        return total + factors, OPERATOR
    return markup.below(markup.bracketed(total + factors), map(letter, output)), ATOM


def element(form: Form, show: Show, markup: IndexMarkup) -> tuple[str, int]:
    """An element of an array."""
    return _indexed(form.parts[0], form.data, show, markup), ATOM


def indexed(form: Form, show: Show, markup: IndexMarkup) -> tuple[str, int]:
    """An array by its entries: in brackets, its indices below."""
    return markup.below(markup.bracketed(show(form.parts[0]).text), form.data), ATOM


def total(form: Form, show: Show, markup: IndexMarkup) -> tuple[str, int]:
    """A sum over indices, or another reduction."""
    op, over = form.data
    inner = show(form.parts[0])
    if op == "sum":
        return markup.total(over) + inner.within(HADAMARD), OPERATOR
    return markup.below(markup.operator(op), over) + markup.parens(inner.text), ATOM


def _indexed(part: FormPart, letters: Iterable[str], show: Show, markup: IndexMarkup) -> str:
    if not isinstance(part, Form) and part.node.kind == "delta":
        return markup.below(markup.delta, letters)
    math: Any = show(part)
    plain = math.level == ATOM and is_name(part) and not markup.has_index(math.text)
    return markup.below(math.text if plain else markup.bracketed(math.text), letters)
