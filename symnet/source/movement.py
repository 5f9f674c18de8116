"""Movement, reductions, indexing and linear algebra as source text.

In: a writer and a node.  Out: `Text`.  Expansion is no kind of its own here: the writer puts it where it is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy

from symnet.expr.nodes.extents import product, same_extent
from symnet.expr.nodes.node import Extent
from symnet.source.text import ATOM, Text
from symnet.source.writer import Writer


def reduce(w: Writer, node: Any) -> Text:
    x = w.strict(node.operands[0])
    axes: Any = node.axes[0] if len(node.axes) == 1 else node.axes
    if node.op == "logsumexp":
        if "logsumexp" in w.dialect.helpers:
            w.helpers.setdefault("logsumexp", w.dialect.helpers["logsumexp"])
        return Text(w.dialect.functions["logsumexp"].format(x.text, axes))
    if node.op in ("prod", "argmax") and len(node.axes) > 1:
        kept = [a for a in range(node.operands[0].rank) if a not in node.axes]
        turned = w.call("permute", x.text, (*kept, *node.axes)).text if kept else x.within(ATOM)
        x, axes = Text(f"{turned}.reshape({', '.join([*map(w.extent, node.shape), '-1'])})"), -1
    return w.call(node.op, x.text, axes)


def _window(w: Writer, node: Any, inner: Sequence[Extent], outer: Sequence[Extent]) -> tuple[str, list[int]]:
    """start:stop:step of every axis, steps upward; and the axes that run backward."""
    items, flipped = [], []
    for axis, (start, size, step, extent) in enumerate(zip(node.starts, inner, node.steps, outer, strict=True)):
        if step < 0:
            flipped.append(axis)
            start, step = start + (size - 1) * step, -step
        stop = sympy.expand(start + (sympy.sympify(size) - 1) * step + 1)
        if start == 0 and step == 1 and same_extent(size, extent):
            items.append(":")
        else:
            items.append(f"{w.extent(start)}:{w.extent(stop)}" + (f":{step}" if step != 1 else ""))
    return ", ".join(items), flipped


def window_of(w: Writer, node: Any) -> tuple[Text, list[str], list[int]]:
    """What a slice reads, start:stop:step of each axis, and the axes that run backward."""
    x = node.operands[0]
    items, flipped = _window(w, node, node.shape, x.shape)
    return w.strict(x), items.split(", "), flipped


def slice(w: Writer, node: Any) -> Text:
    x = node.operands[0]
    items, flipped = _window(w, node, node.shape, x.shape)
    text = Text(f"{w.strict(x).within(ATOM)}[{items}]")
    for axis in flipped:
        text = w.call("flip", text.text, axis)
    return text


def place(w: Writer, node: Any) -> Text:
    x = node.operands[0]
    items, flipped = _window(w, node, x.shape, node.shape)
    value = w.strict(x)
    for axis in flipped:
        value = w.call("flip", value.text, axis)
    zeros = w.call("zeros", w.shape(node.shape), w.dtype(node.dtype))
    if w.dialect.name == "jax":
        return Text(f"{zeros.text}.at[{items}].set({value.text})")
    name = w.assign("placed", zeros)
    w.lines.append(f"{name.text}[{items}] = {value.text}")
    return name


def concat(w: Writer, node: Any) -> Text:
    parts = [w.in_dtype(w.strict(o), o, node.dtype).text for o in node.operands]
    return w.call("concat", ", ".join(parts) + ("," if len(parts) == 1 else ""), node.axis)


def take(w: Writer, node: Any) -> Text:
    x, indices = map(w.strict, node.operands)
    return Text(f"{x.within(ATOM)}[{', '.join([':'] * node.axis + [indices.text])}]")


def one_hot(w: Writer, node: Any) -> Text:
    indices = w.strict(node.operands[0]).within(ATOM)
    indices = f"({indices} % ({w.extent(node.classes)}))" if node.wraps else indices
    equal = f"({indices}[..., None] == {w.call('arange', w.extent(node.classes)).text})"
    return Text(w.dialect.cast.format(equal, w.dtype(w.real)))


def cumsum(w: Writer, node: Any) -> Text:
    x = w.strict(node.operands[0])
    if not node.reverse:
        return w.call("cumsum", x.text, node.axis)
    turned = w.call("flip", x.text, node.axis)
    return w.call("flip", w.call("cumsum", turned.text, node.axis).text, node.axis)


def solve(w: Writer, node: Any) -> Text:
    """One vector for one matrix, or columns; anything between is reshaped to columns."""
    a, b = map(w.strict, node.operands)
    if node.is_inverse:
        return w.call("inv", a.text)
    if len(node.columns) == 1 or node.rank == 1:
        return w.call("solve", a.text, b.text)
    columns = w.shape((*node.shape[: node.matrix.rank - 1], product(node.shape[a] for a in node.columns)))
    solved = w.call("solve", a.text, f"{b.within(ATOM)}.reshape({columns})")
    return Text(f"{solved.text}.reshape({w.shape(node.shape)})")


def reshape(w: Writer, node: Any) -> Text:
    return Text(f"{w.strict(node.operands[0]).within(ATOM)}.reshape({w.shape(node.shape)})")
