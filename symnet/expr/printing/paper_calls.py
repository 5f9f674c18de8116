"""Calls that paper has no notation for, by what they mean: norms along an axis, the opposite of a condition.

In: a form as it is read under NumPy's rules.  Out: another of the same value: norm(X, axis=1), which reads as the
1-norm with its axis for a subscript, is the root of the sums of squares, and with keepdims a column of these.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy

from symnet.expr.printing.forms import Form, FormPart, call, numeral

_OPPOSITE = {"lt": "ge", "ge": "lt", "gt": "le", "le": "gt", "equal": "not_equal", "not_equal": "equal"}


def spelled_out(form: Form) -> Form:
    """A form, of a call that paper has no notation for what it means."""
    return _SPELLED[form.data[0]](form) if form.kind == "call" and form.data[0] in _SPELLED else form


def opposite(part: FormPart, form: Form) -> Form:
    """Where a condition does not hold; `form`: what the part is written as."""
    if form.kind == "relation":
        return Form("relation", form.parts, (_OPPOSITE[form.data[0]],), form.rank)
    name = form.data[0] if form.kind == "call" else ""
    if name in _OPPOSITE:
        return Form("call", form.parts, (_OPPOSITE[name], form.data[1]), form.rank)
    if name == "logical_not":
        return Form("same", form.parts, (), form.rank)
    return call("logical_not", part, rank=part.rank)


def _norm(form: Form) -> Form:
    (x,) = form.parts
    keywords: dict[str, Any] = dict(form.data[1])
    axis, keeps = keywords.get("axis"), "keepdims" in keywords
    if axis is None and not keeps:
        return form
    gone = tuple(range(x.rank)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    found = call("norm", x)
    if axis is not None:
        squares = Form("power", (x, numeral(sympy.Integer(2))), (), x.rank)
        total = Form("reduce", (squares,), ("sum", gone, None), x.rank - len(gone))
        found = Form("root", (total,), (), total.rank)
    items = tuple("None" if a in gone else ":" for a in range(x.rank))
    return Form("spread", (found,), (items, True), x.rank) if keeps else found


_SPELLED: dict[str, Callable[[Form], Form]] = {"norm": _norm}
