"""Contractions as source text: a @ b, a.T, sums, outer products; einsum for the rest.

In: a writer and an `Einsum`.  Out: `SourcePiece`.
"""

from __future__ import annotations

from typing import Any

from symnet import dtypes
from symnet.expr.nodes.contraction import Einsum, subscripts_text
from symnet.expr.nodes.elementwise import is_op
from symnet.expr.nodes.extents import same_extent
from symnet.source.movement import window_of
from symnet.source.text import ATOM, POWER, PRODUCT, SourcePiece, is_full
from symnet.source.writer import FunctionWriter


def einsum(w: FunctionWriter, node: Einsum) -> SourcePiece:
    if node.is_sum:
        short = _inner_product(w, node) or _picked(w, node)
        if short is not None:
            return short
    operands = [w.in_dtype(w.strict(o), o, node.dtype if node.dtype in dtypes.REAL else None) for o in node.operands]
    pairs = list(zip(operands, node.inputs, node.operands, strict=True))
    scalars = [t for t, indices, _ in pairs if not indices]
    arrays = [(t, indices) for t, indices, _ in pairs if indices]
    core = _core(w, node, arrays)
    if not scalars:
        return core
    return SourcePiece("*".join([*(s.within(PRODUCT) for s in scalars), core.within(POWER)]), PRODUCT)


def _inner_product(w: FunctionWriter, node: Einsum) -> SourcePiece | None:
    """sum(a*b) of two vectors as a @ b."""
    (product,) = node.operands
    if node.rank or product.rank != 1 or not is_op(product, "mul") or len(product.operands) != 2:
        return None
    if w.has_name(product) or not all(is_full(o, product) for o in product.operands):
        return None
    if not all(o.dtype in dtypes.REAL for o in product.operands):
        return None
    a, b = (w.strict(o) for o in product.operands)
    return SourcePiece(f"{a.within(PRODUCT)} @ {b.within(POWER)}", PRODUCT)


def _picked(w: FunctionWriter, node: Einsum) -> SourcePiece | None:
    """A sum over axes of extent 1 as x[:, 0]; of a slice, with its start as the index."""
    (x,), (indices,) = node.operands, node.inputs
    gone = [a for a, i in enumerate(indices) if i not in node.output]
    if not all(same_extent(x.shape[a], 1) for a in gone):
        return None
    text, items = w.strict(x), ["0" if a in gone else ":" for a in range(x.rank)]
    if x.kind == "slice" and not w.has_name(x):
        inner, ranges, flipped = window_of(w, x)
        if set(flipped) <= set(gone):
            text = inner
            items = [w.extent(x.starts[a]) if a in gone else ranges[a] for a in range(x.rank)]
    return SourcePiece(f"{text.within(ATOM)}[{', '.join(items)}]")


def _core(w: FunctionWriter, node: Einsum, arrays: list[tuple[SourcePiece, tuple[int, ...]]]) -> SourcePiece:
    if len(arrays) == 1:
        found = _one(w, *arrays[0], node.output)
    elif len(arrays) == 2:
        found = _two(w, arrays[0], arrays[1], node.output)
    else:
        found = None
    if found is not None:
        return found
    letters = subscripts_text([indices for _, indices in arrays], node.output)
    return w.call("einsum", letters, ", ".join(t.text for t, _ in arrays))


def _one(w: FunctionWriter, x: SourcePiece, indices: tuple[int, ...], output: tuple[int, ...]) -> SourcePiece | None:
    if len(set(indices)) < len(indices):
        return None
    kept = tuple(i for i in indices if i in output)
    gone = tuple(a for a, i in enumerate(indices) if i not in output)
    if gone:
        every = SourcePiece(f"{w.dialect.prefix}.sum({x.text})")
        x = w.call("sum", x.text, gone[0] if len(gone) == 1 else gone) if kept else every
    if kept == output:
        return x
    if len(output) == 2:
        return SourcePiece(f"{x.within(ATOM)}.T")
    return w.call("permute", x.text, tuple(kept.index(i) for i in output))


def _two(w: FunctionWriter, a: Any, b: Any, output: tuple[int, ...]) -> SourcePiece | None:
    """a @ b, a*b and outer products."""
    (x, i), (y, j) = a, b
    if len(set(i)) < len(i) or len(set(j)) < len(j) or max(len(i), len(j)) > 2:
        return None
    shared = set(i) & set(j)
    if i == j == output:
        return SourcePiece(f"{x.within(PRODUCT)}*{y.within(POWER)}", PRODUCT)
    if not shared and (*i, *j) == output and len(i) == len(j) == 1:
        return w.call("outer", x.text, y.text)
    if len(shared) != 1 or shared & set(output):
        return None
    left, right = ([k for k in indices if k not in shared] for indices in (i, j))
    if (*right, *left) == output and (*left, *right) != output:
        (x, i), (y, j) = b, a
    elif (*left, *right) != output:
        return None
    first = x.within(PRODUCT) if i[-1] in shared else f"{x.within(ATOM)}.T"
    second = y.within(POWER) if j[0] in shared else f"{y.within(ATOM)}.T"
    return SourcePiece(f"{first} @ {second}", PRODUCT)
