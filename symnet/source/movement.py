"""Movement, reductions, indexing and linear algebra as source text.

In: a writer and a node.  Out: a `SourcePiece`.  The writer puts an expansion where it is used,
so it has no function here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy

from symnet.expr.nodes.extents import product, same_extent
from symnet.expr.nodes.node import Extent
from symnet.source.text import ATOM, SourcePiece
from symnet.source.writer import FunctionWriter


def reduce(w: FunctionWriter, node: Any) -> SourcePiece:
    x = w.strict(node.operands[0])
    axes: Any = node.axes[0] if len(node.axes) == 1 else node.axes
    if node.op == "logsumexp":
        if "logsumexp" in w.dialect.helpers:
            w.helpers.setdefault("logsumexp", w.dialect.helpers["logsumexp"])
        return SourcePiece(w.dialect.functions["logsumexp"].format(x.text, axes))
    if node.op in ("prod", "argmax") and len(node.axes) > 1:
        kept = [a for a in range(node.operands[0].rank) if a not in node.axes]
        turned = w.call("permute", x.text, (*kept, *node.axes)).text if kept else x.within(ATOM)
        x, axes = SourcePiece(f"{turned}.reshape({', '.join([*map(w.extent, node.shape), '-1'])})"), -1
    return w.call(node.op, x.text, axes)


def _window(w: FunctionWriter, node: Any, inner: Sequence[Extent], outer: Sequence[Extent]) -> tuple[str, list[int]]:
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


def window_of(w: FunctionWriter, node: Any) -> tuple[SourcePiece, list[str], list[int]]:
    """What a slice reads, start:stop:step of each axis, and the axes that run backward."""
    x = node.operands[0]
    items, flipped = _window(w, node, node.shape, x.shape)
    return w.strict(x), items.split(", "), flipped


def slice(w: FunctionWriter, node: Any) -> SourcePiece:
    x = node.operands[0]
    items, flipped = _window(w, node, node.shape, x.shape)
    text = SourcePiece(f"{w.strict(x).within(ATOM)}[{items}]")
    for axis in flipped:
        text = w.call("flip", text.text, axis)
    return text


def place(w: FunctionWriter, node: Any) -> SourcePiece:
    x = node.operands[0]
    items, flipped = _window(w, node, x.shape, node.shape)
    value = w.strict(x)
    for axis in flipped:
        value = w.call("flip", value.text, axis)
    zeros = w.call("zeros", w.shape(node.shape), w.dtype(node.dtype))
    if w.dialect.name == "jax":
        return SourcePiece(f"{zeros.text}.at[{items}].set({value.text})")
    name = w.assign("placed", zeros)
    w.lines.append(f"{name.text}[{items}] = {value.text}")
    return name


def concat(w: FunctionWriter, node: Any) -> SourcePiece:
    parts = [w.in_dtype(w.strict(o), o, node.dtype).text for o in node.operands]
    return w.call("concat", ", ".join(parts) + ("," if len(parts) == 1 else ""), node.axis)


def take(w: FunctionWriter, node: Any) -> SourcePiece:
    x, indices = map(w.strict, node.operands)
    return SourcePiece(f"{x.within(ATOM)}[{', '.join([':'] * node.axis + [indices.text])}]")


def one_hot(w: FunctionWriter, node: Any) -> SourcePiece:
    indices = w.strict(node.operands[0]).within(ATOM)
    indices = f"({indices} % ({w.extent(node.classes)}))" if node.wraps else indices
    equal = f"({indices}[..., None] == {w.call('arange', w.extent(node.classes)).text})"
    return SourcePiece(w.dialect.cast.format(equal, w.dtype(w.real)))


def cumsum(w: FunctionWriter, node: Any) -> SourcePiece:
    x = w.strict(node.operands[0])
    if not node.reverse:
        return w.call("cumsum", x.text, node.axis)
    turned = w.call("flip", x.text, node.axis)
    return w.call("flip", w.call("cumsum", turned.text, node.axis).text, node.axis)


def solve(w: FunctionWriter, node: Any) -> SourcePiece:
    """A system of equations: one vector for one matrix, or columns; anything between is reshaped to columns."""
    a, b = map(w.strict, node.operands)
    if node.is_inverse:
        return w.call("inv", a.text)
    if len(node.columns) == 1 or node.rank == 1:
        return w.call("solve", a.text, b.text)
    columns = w.shape((*node.shape[: node.matrix.rank - 1], product(node.shape[a] for a in node.columns)))
    solved = w.call("solve", a.text, f"{b.within(ATOM)}.reshape({columns})")
    return SourcePiece(f"{solved.text}.reshape({w.shape(node.shape)})")


def reshape(w: FunctionWriter, node: Any) -> SourcePiece:
    return SourcePiece(f"{w.strict(node.operands[0]).within(ATOM)}.reshape({w.shape(node.shape)})")
