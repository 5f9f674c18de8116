"""How movement reads: broadcasting as nothing or `[:, None]`, reshape, slices, padding, joining.

In: an `Expand`, `Reshape`, `Slice`, `Place` or `Concat` node and a `View`.  Out: its `Form`.
"""

from __future__ import annotations

from typing import Any

import sympy

from symnet.expr.nodes.constants import number_of
from symnet.expr.nodes.extents import same_shape
from symnet.expr.nodes.movement import Place
from symnet.expr.nodes.node import Node, Shape
from symnet.expr.printing.contraction import squeezed
from symnet.expr.printing.entries import read_entries
from symnet.expr.printing.forms import Form, FormPart, Ref, call, filled, product, put_number, same
from symnet.expr.printing.indexing import range_text
from symnet.expr.printing.view import View

_REDUCING = ("einsum", "reduce", "elementwise")  # an elementwise node may read as a mean


def read_expand(node: Any, view: View) -> Form:
    """The operand with the axes that broadcasting needs; a reduction keeps its own."""
    inner = node.operands[0]
    entries = read_entries(node, view) if inner.kind in ("concat", "place") else None
    if entries is not None and all(node.shape[a] == 1 for a in node.new_axes):
        return entries
    if not node.axes and view.shown[node] == ():
        return same(view.ref(inner))
    found = squeezed(inner)
    if found is not None and found[1] == node.new_axes and found[0].rank == node.rank:
        return _stretched(found[0], node, view)
    return _around(inner, node, view)


def _stretched(x: Any, node: Any, view: View) -> Form:
    """x, whose axes of extent 1 were squeezed out and repeat in `node`."""
    put_there = x.kind == "expand" and x.new_axes == node.new_axes and bool(x.axes)
    return _around(x.operands[0], node, view) if put_there else same(view.ref(x))


def _around(x: Node, node: Any, view: View) -> Form:
    """x with the axes that `node` adds."""
    form = _reduction(x, view)
    return spread(same(view.ref(x)) if form is None else form, node)


def _reduction(node: Node, view: View) -> Form | None:
    """The form of a node that reads as a reduction."""
    if node.kind not in _REDUCING or view.shown[node] is not node.shape:
        return None
    form = view.read(node)
    below = form.parts[0] if form.kind == "same" else None
    if isinstance(below, Ref) and below.node.kind in _REDUCING:
        form = view.read(below.node)
    return form if form.kind == "reduce" else None


def spread(form: Form, node: Any) -> Form:
    """`form`, of the operand's value, with new axes of extent 1 where `node` repeats it.

    Leading axes need nothing under NumPy's rules, but those that were given extent 1 are kept.
    """
    unit = all(node.shape[a] == 1 for a in node.new_axes)
    if form.kind == "reduce" and _keeps(form, node) and (unit or node.new_axes[-1] > node.axes[0]):
        return Form("spread", (form,), (("keepdims",), unit), node.rank)
    first = 0 if unit else node.axes[0]
    items = tuple(":" if a in node.axes else "None" for a in range(first, node.rank))
    return Form("spread", (form,), (items, unit), len(items)) if "None" in items else form


def _keeps(form: Form, node: Any) -> bool:
    x, axes = form.parts[0], form.data[1]
    return x.rank == node.rank and node.new_axes == (tuple(range(x.rank)) if axes is None else axes)


def stretch(form: Form, shown: Shape, shape: Shape) -> Form:
    """`form`, whose text has shape `shown`, at its full shape: where nothing around it broadcasts."""
    if not shown:
        value = form.data[0] if form.kind == "number" else None
        if value is not None and value in (0, 1):
            return filled(int(value), shape)
        return _times(form, filled(1, shape))
    missing = len(shape) - len(shown)
    if same_shape(shown, shape[missing:]) and all(n == 1 for n in shape[:missing]):
        return Form("spread", (form,), (("None",) * missing + (":",) * len(shown), True), len(shape))
    return call("broadcast_to", form, rank=len(shape), shape=shape)


def _times(form: Form, ones: Form) -> Form:
    """A scalar times an array of ones; a quotient keeps its line: ones(m)/m."""
    if form.kind == "number":
        above: list[FormPart] = []
        below: list[FormPart] = []
        sign = put_number(form.data[0], above, below)
        return product(sign, [*above, ones], below)
    if form.kind != "product":
        return product(1, [form, ones], [])
    sign, count = form.data
    return product(sign, [*form.parts[:count], ones], list(form.parts[count:]))


def read_reshape(node: Node, view: View) -> Form:
    return call("reshape", view.ref(node.operands[0]), rank=node.rank, shape=node.shape)


def read_slice(node: Any, view: View) -> Form:
    return Form("index", (view.ref(node.operands[0]),), range_text(node, [False] * node.rank), node.rank)


def read_place(node: Any, view: View) -> Form:
    """Padding where the steps are 1; else where the elements land; a few scalars among zeros as these."""
    entries = read_entries(node, view)
    if entries is not None:
        return entries
    x = node.operands[0]
    unit = unit_vector(node, view)
    if unit is not None:
        return product(1, unit, [])
    if any(step != 1 for step in node.steps):
        return call("place", view.ref(x), rank=node.rank, shape=node.shape, starts=node.starts, steps=node.steps)
    after = (sympy.expand(n - start - size) for n, start, size in zip(node.shape, node.starts, x.shape, strict=True))
    return call("pad", view.ref(x), rank=node.rank, widths=tuple(zip(node.starts, after, strict=True)))


def unit_vector(node: Node, view: View) -> list[FormPart] | None:
    """The factors of a scalar at one place among zeros: x[2] and eye(n)[2]; None for others, and for few entries."""
    x = node.operands[0] if isinstance(node, Place) and node.rank == 1 else None
    if x is None or not isinstance(node, Place) or x.kind != "expand" or x.operands[0].rank:
        return None
    if not same_shape(x.shape, (1,)) or read_entries(node, view) is not None:
        return None
    scalar = x.operands[0]
    row = Form("unit", (), (node.shape[0], node.starts[0]), 1)
    return [row] if number_of(scalar) == 1 else [view.ref(scalar), row]


def read_concat(node: Any, view: View) -> Form:
    """Arrays joined along an axis, or stacked along a new one; a few scalars as these."""
    entries = read_entries(node, view)
    if entries is not None:
        return entries
    new = all(x.kind == "expand" and x.new_axes == (node.axis,) and x.shape[node.axis] == 1 for x in node.operands)
    name, arrays = ("stack", [x.operands[0] for x in node.operands]) if new else ("concat", node.operands)
    sequence = Form("sequence", tuple(view.refs(arrays)), (), node.rank)
    return call(name, sequence, rank=node.rank, axis=node.axis)
