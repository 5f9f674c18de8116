"""Sums over the classes of distributions that are moved, joined, chosen or laid among zeros: each is one there, or 0.

In: an array and some of its axes.  Out: its sum over them, where no summing is needed to know it; else None.
Not handled: distributions with their axes in another order, or multiplied by weights.
"""

from __future__ import annotations

from collections.abc import Iterable

from symnet.expr.facts.assumptions import known
from symnet.expr.facts.softmax import softmax_axes
from symnet.expr.nodes.constants import number, number_of
from symnet.expr.nodes.contraction import Einsum, contract
from symnet.expr.nodes.elementwise import elementwise, is_op, operands_of
from symnet.expr.nodes.extents import ints_arg, same_extent, shape_arg
from symnet.expr.nodes.indexing import Take, take
from symnet.expr.nodes.movement import Concat, Place, Slice, broadcast_to, concat
from symnet.expr.nodes.node import Axes, Node
from symnet.simplify.forms.broadcast import align, cover
from symnet.simplify.forms.coefficients import ONE, product, split_coefficient

DEEPEST = 5


def total_of(x: Node, summed: set[int], deepest: int = DEEPEST) -> Node | None:
    """Σ x over these axes for a distribution, or what is moved, joined, chosen or laid among zeros of some."""
    kept = tuple(a for a in range(x.rank) if a not in summed)
    if summed in ([{x.rank - 1}] if known(x, "simplex") else [set(axes) for axes in softmax_axes(x)]):
        return cover(number(1), (), tuple(x.shape[a] for a in kept))
    if not deepest:
        return None
    if is_op(x, "where"):
        return _total_of_choice(x, summed, kept, deepest)
    if is_op(x, "add", "mul"):
        return _total_of_terms(x, summed, deepest)
    if isinstance(x, Concat):
        pieces = [] if x.axis in summed else [total_of(o, summed, deepest - 1) for o in x.operands]
        found = [p for p in pieces if p is not None]
        return concat(found, kept.index(x.axis)) if found and len(found) == len(pieces) else None
    if isinstance(x, Take):
        if not summed.isdisjoint(range(x.axis, x.axis + x.operands[1].rank)):
            return None
        gone = {a if a < x.axis else a - x.operands[1].rank + 1 for a in summed}
        inner = total_of(x.operands[0], gone, deepest - 1)
        return None if inner is None else take(inner, x.operands[1], x.axis - sum(a < x.axis for a in gone))
    if isinstance(x, Einsum):
        return _total_of_contraction(x, summed, kept, deepest)
    if isinstance(x, (Slice, Place)) and all(_is_whole(x, a) for a in summed):
        inner = total_of(x.operands[0], summed, deepest - 1)
        return None if inner is None else _moved_along(x, inner, kept)
    return None


def _total_of_contraction(x: Einsum, summed: set[int], kept: Axes, deepest: int) -> Node | None:
    """Σⱼ (W @ p)[i, j] → W @ (Σⱼ p).  Condition: one operand alone varies along the axes that are summed."""
    gone = {x.output[a] for a in summed}
    varying = [k for k, indices in enumerate(x.inputs) if gone.intersection(indices)]
    if len(varying) != 1 or any(len(set(indices)) < len(indices) for indices in x.inputs):
        return None
    (k,) = varying
    axes = {a for a, i in enumerate(x.inputs[k]) if i in gone}
    inner = total_of(x.operands[k], axes, deepest - 1) if len(axes) == len(gone) else None
    if inner is None:
        return None
    inputs, operands = list(x.inputs), list(x.operands)
    inputs[k], operands[k] = tuple(i for i in x.inputs[k] if i not in gone), inner
    return contract(inputs, tuple(x.output[a] for a in kept), *operands)


def _is_whole(move: Slice | Place, axis: int) -> bool:
    """Whether every element along an axis is left where it is."""
    return move.steps[axis] == 1 and same_extent(move.operands[0].shape[axis], move.shape[axis])


def _moved_along(move: Slice | Place, x: Node, kept: Axes) -> Node:
    """An array that has the kept axes alone, moved along them as `move` moves the whole."""
    starts, shape = (shape_arg(tuple(part[a] for a in kept)) for part in (move.starts, move.shape))
    steps = ints_arg(tuple(move.steps[a] for a in kept))
    parts = (starts, shape) if isinstance(move, Slice) else (shape, starts)
    return type(move)(x, *parts, steps) if kept else x


def _total_of_choice(x: Node, summed: set[int], kept: Axes, deepest: int) -> Node | None:
    """Σ where(c, p, 0) → where(c, Σ p, 0).  Condition: c is repeated along the axes that are summed."""
    condition, *branches = x.operands
    core, axes = align(condition, x.shape)
    if not summed.isdisjoint(axes):
        return None
    shape = tuple(x.shape[a] for a in kept)
    totals = [
        number(0) if number_of(b) == 0 else total_of(b, summed, deepest - 1) if b.shape == x.shape else None
        for b in branches
    ]
    if any(t is None for t in totals):
        return None
    chosen = cover(core, tuple(kept.index(a) for a in axes), shape)
    return broadcast_to(elementwise("where", chosen, *totals), shape)


def _total_of_terms(x: Node, summed: set[int], deepest: int) -> Node | None:
    """Σ (2·p - q) → 2·Σ p - Σ q, where both are known."""
    totals = [number_times_total(o, x, summed, deepest) for o in operands_of("add", x)]
    found = [t for t in totals if t is not None]
    return None if len(found) < len(totals) else found[0] if len(found) == 1 else elementwise("add", *found)


def number_times_total(term: Node, whole: Node, summed: Iterable[int], deepest: int = DEEPEST) -> Node | None:
    """c·Σ p of a term c·p of a sum of p's shape."""
    coefficient, factors = split_coefficient(term)
    if len(factors) != 1 or factors[0].shape != whole.shape or is_op(factors[0], "mul"):
        return None
    total = total_of(factors[0], set(summed), deepest - 1)
    return None if total is None else product(coefficient, (total,)) if coefficient != ONE else total
