"""Small arrays that are made of scalars read as their entries: [2*x[0], 0, x[1]], [[a, b], [c, d]].

In: a node of movement (`Concat`, `EntryPlace`, …) and a `View`.  Out: its `Form`, or None where an entry is no scalar.
Entries are scalars that were stacked, elements of a leaf, numbers, and the zeros beside what was placed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any, Protocol

import sympy

from symnet.expr.nodes.node import Node
from symnet.expr.printing.forms import Form, FormPart, numeral
from symnet.expr.printing.view import View

MOST = 36  # entries that are written
_MOST_AT_ONCE = 4  # copies of a scalar, or elements of one slice, that are written
_LARGEST_IDENTITY = 3  # rows that are written, of an identity among zeros
_DEPTH = 12  # moves on top of one another that are seen through

EntryPlace = tuple[int, ...]  # where an entry stands
Entries = dict[EntryPlace, FormPart]


def read_entries(node: Node, view: View) -> Form | None:
    """A vector or a matrix of scalars; None for other arrays."""
    if node.rank not in (1, 2) or not _is_small(node):
        return None
    found = _entries(node, view, _DEPTH)
    if found is None:
        return None
    shape = tuple(int(n) for n in node.shape)
    return Form("rows", tuple(found[at] for at in _places(shape)), shape, node.rank)


def reads_as_entries(node: Node) -> bool:
    """Whether `read_entries` finds the entries of a node."""
    return node.rank in (1, 2) and _is_small(node) and _entries(node, _NO_VIEW, _DEPTH) is not None


def _is_small(node: Node) -> bool:
    return all(isinstance(n, int) for n in node.shape) and 0 < math.prod(node.shape) <= MOST


def _places(shape: Any) -> Iterator[EntryPlace]:
    return product(*map(range, shape))


class _Part(Protocol):
    """What makes a part of a node: a `View`, or nothing."""

    def ref(self, node: Node) -> FormPart: ...


class _Unread:
    """For nodes that are not read yet."""

    def ref(self, node: Node) -> FormPart:
        return numeral(sympy.S.Zero)


_NO_VIEW = _Unread()


def _entries(node: Node, view: _Part, depth: int) -> Entries | None:
    """What stands at each place of an array; None where that is no scalar."""
    if not node.rank:
        return {(): view.ref(node)}
    step = _STEPS.get(node.kind)
    return None if step is None or not depth or not _is_small(node) else step(node, view, depth - 1)


def _of_concat(node: Any, view: _Part, depth: int) -> Entries | None:
    found: Entries = {}
    first = 0
    for x in node.operands:
        inner = _entries(x, view, depth)
        if inner is None:
            return None
        found |= {(*at[: node.axis], at[node.axis] + first, *at[node.axis + 1 :]): e for at, e in inner.items()}
        first += x.shape[node.axis]
    return found


def _of_place(node: Any, view: _Part, depth: int) -> Entries | None:
    inner = _entries(node.operands[0], view, depth)
    if inner is None or not all(isinstance(start, int) for start in node.starts):
        return None
    moves = list(zip(node.starts, node.steps, strict=True))
    laid = {tuple(s + t * k for k, (s, t) in zip(at, moves, strict=True)): e for at, e in inner.items()}
    return {at: laid.get(at, numeral(sympy.S.Zero)) for at in _places(node.shape)}


def _of_expand(node: Any, view: _Part, depth: int) -> Entries | None:
    inner = _entries(node.operands[0], view, depth)
    copies = 1 if node.operands[0].kind == "number" else math.prod(node.shape[a] for a in node.new_axes)
    if inner is None or copies > _MOST_AT_ONCE:
        return None
    return {at: inner[tuple(at[a] for a in node.axes)] for at in _places(node.shape)}


def _of_transposition(node: Any, view: _Part, depth: int) -> Entries | None:
    if not node.is_transpose:
        return None
    inner = _entries(node.operands[0], view, depth)
    where = [node.output.index(i) for i in node.inputs[0]]
    return None if inner is None else {at: inner[tuple(at[a] for a in where)] for at in _places(node.shape)}


def _of_slice(node: Any, view: _Part, depth: int) -> Entries | None:
    """An element of a leaf, or a few of a vector: x[2:4] is x[2], x[3]."""
    x, size = node.operands[0], math.prod(node.shape)
    few = x.kind in ("tensor", "named") and (size == 1 or (size <= _MOST_AT_ONCE and x.rank == 1))
    if not few or not all(isinstance(start, int) for start in node.starts):
        return None
    moves = list(zip(node.starts, node.steps, strict=True))
    where = {at: tuple(str(s + t * k) for k, (s, t) in zip(at, moves, strict=True)) for at in _places(node.shape)}
    return {at: Form("index", (view.ref(x),), items, 0) for at, items in where.items()}


def _of_identity(node: Any, view: _Part, depth: int) -> Entries | None:
    if node.extent > _LARGEST_IDENTITY:
        return None
    return {(i, j): numeral(sympy.Integer(int(i == j))) for i, j in _places(node.shape)}


_STEPS: dict[str, Callable[[Any, _Part, int], Entries | None]] = {
    "concat": _of_concat,
    "place": _of_place,
    "expand": _of_expand,
    "einsum": _of_transposition,
    "slice": _of_slice,
    "delta": _of_identity,
}
