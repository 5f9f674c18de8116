"""What programs over dual numbers do for the kinds of node that are not elementwise.

In: duals, and what NumPy calls axes and indices.  Out: duals.  Linear operations do to tangents what they do to values;
products follow Leibniz.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symnet.compare.duals.dual import Dual, added, linear
from symnet.compare.scalars.numbers import Numbers
from symnet.compare.tape.contraction import contract
from symnet.compare.tape.cumulative import sums
from symnet.compare.tape.linalg import cofactors, flat, or_nan, turned
from symnet.compare.tape.recurrence import before, in_front, in_place, steps
from symnet.compare.tape.reduction import FORWARD, prod_of_others, to_line
from symnet.expr.nodes.contraction import Indices


def einsum(numbers: Numbers, *xs: Dual, inputs: tuple[Indices, ...], output: Indices) -> Dual:
    """Leibniz: one contraction for each operand that moves, over an index more."""
    values = [x.value for x in xs]
    direction = max((i for ix in (*inputs, output) for i in ix), default=-1) + 1
    dots = []
    for k, x in enumerate(xs):
        if x.dots is not None:
            parts = [*values[:k], x.dots, *values[k + 1 :]]
            indices = [*inputs[:k], (direction, *inputs[k]), *inputs[k + 1 :]]
            dots.append(contract(parts, indices, (direction, *output)))
    return Dual(contract(values, inputs, output), added(dots))


def reduce(numbers: Numbers, x: Dual, *, op: str, axes: tuple[int, ...]) -> Dual:
    line = to_line(x.value, axes)
    y = np.asanyarray(FORWARD[op](line))
    if x.dots is None or op not in WEIGHTS:
        return Dual(y)
    moved = to_line(x.dots, tuple(a + 1 for a in axes))
    return Dual(y, (WEIGHTS[op](y, line) * moved).sum(-1))


def _at(position: Any, line: Any) -> Any:
    return (position[..., None] == np.arange(line.shape[-1])).astype(line.dtype)


WEIGHTS: dict[str, Callable[[Any, Any], Any]] = {
    "max": lambda y, line: _at(line.argmax(-1), line),
    "min": lambda y, line: _at(line.argmin(-1), line),
    "prod": lambda y, line: prod_of_others(line),
    "logsumexp": lambda y, line: np.exp(line - y[..., None]),
}


# --------------------------------------------------------------------------- movement


def expand(numbers: Numbers, x: Dual, *, shape: tuple[int, ...], axes: tuple[int, ...]) -> Dual:
    kept = tuple(n if a in axes else 1 for a, n in enumerate(shape))
    return linear(
        lambda v: np.broadcast_to(np.reshape(v, kept), shape),
        lambda d: np.broadcast_to(d.reshape(len(d), *kept), (len(d), *shape)),
        x,
    )


def reshape(numbers: Numbers, x: Dual, *, shape: tuple[int, ...]) -> Dual:
    return linear(lambda v: v.reshape(shape), lambda d: d.reshape(len(d), *shape), x)


def slice_(numbers: Numbers, x: Dual, *, window: tuple[slice, ...]) -> Dual:
    return linear(lambda v: v[window], lambda d: d[(slice(None), *window)], x)


def _laid(value: Any, shape: tuple[int, ...], window: tuple[slice, ...]) -> Any:
    out = np.zeros_like(value, shape=shape)
    out[window] = value
    return out


def place(numbers: Numbers, x: Dual, *, shape: tuple[int, ...], window: tuple[slice, ...]) -> Dual:
    return linear(lambda v: _laid(v, shape, window), lambda d: _laid(d, (len(d), *shape), (slice(None), *window)), x)


def concat(numbers: Numbers, *xs: Dual, axis: int) -> Dual:
    y = np.concatenate([x.value for x in xs], axis)
    count = next((len(x.dots) for x in xs if x.dots is not None), 0)
    if not count:
        return Dual(y)
    parts = [np.zeros((count, *x.value.shape), y.dtype) if x.dots is None else x.dots for x in xs]
    return Dual(y, np.concatenate(parts, axis + 1))


def take(numbers: Numbers, x: Dual, indices: Dual, *, axis: int) -> Dual:
    where = indices.value
    return linear(lambda v: np.take(v, where, axis), lambda d: np.take(d, where, axis + 1), x)


def one_hot(numbers: Numbers, indices: Dual, *, classes: int, dtype: str, wraps: bool = False) -> Dual:
    where = indices.value % classes if wraps and classes else indices.value
    return Dual((where[..., None] == np.arange(classes)).astype(dtype))


# --------------------------------------------------------------------------- running values


def cumsum(numbers: Numbers, x: Dual, *, axis: int, reverse: bool) -> Dual:
    return linear(lambda v: sums(v, axis, reverse), lambda d: sums(d, axis + 1, reverse), x)


def cumprod(numbers: Numbers, x: Dual, *, axis: int, reverse: bool, exclusive: bool) -> Dual:
    """r[k] = r[k - 1]·x[k], so its tangent is ṙ[k] = ṙ[k - 1]·x[k] + r[k - 1]·ẋ[k]."""
    factors = in_front(x.value, axis, reverse)
    after = np.cumprod(factors, 0)
    earlier = before(after, 1)
    y = in_place(earlier if exclusive else after, axis, reverse)
    if x.dots is None:
        return Dual(y)
    moved = in_front(x.dots, axis + 1, reverse)
    dots = steps(factors[:, None], earlier[:, None] * moved)
    return Dual(y, in_place(before(dots, 0) if exclusive else dots, axis + 1, reverse))


def linear_recurrence(numbers: Numbers, a: Dual, b: Dual, *, axis: int, reverse: bool, exclusive: bool) -> Dual:
    """r[k] = a[k]·r[k - 1] + b[k], so its tangent is ṙ[k] = a[k]·ṙ[k - 1] + ȧ[k]·r[k - 1] + ḃ[k]."""
    factors, gained = (in_front(x.value, axis, reverse) for x in (a, b))
    after = steps(factors, gained)
    earlier = before(after, 0)
    moved = [in_front(b.dots, axis + 1, reverse)] if b.dots is not None else []
    moved += [in_front(a.dots, axis + 1, reverse) * earlier[:, None]] if a.dots is not None else []
    y = in_place(earlier if exclusive else after, axis, reverse)
    if not moved:
        return Dual(y)
    dots = steps(factors[:, None], added(moved))
    return Dual(y, in_place(before(dots, 0) if exclusive else dots, axis + 1, reverse))


# --------------------------------------------------------------------------- linear algebra


def solve(numbers: Numbers, matrix: Dual, right: Dual) -> Dual:
    """A·x = b, so A·ẋ = ḃ - Ȧ·x."""
    a = matrix.value
    x = or_nan(np.linalg.solve, a, flat(right.value, a))
    shape = np.shape(right.value)
    parts = []
    if right.dots is not None:
        parts.append(right.dots.reshape(len(right.dots), *x.shape))
    if matrix.dots is not None:
        parts.append(-(matrix.dots @ x))
    if not parts:
        return Dual(x.reshape(shape))
    change = added(parts)
    dots = or_nan(np.linalg.solve, np.broadcast_to(a, (len(change), *a.shape)), change)
    return Dual(x.reshape(shape), dots.reshape(len(change), *shape))


def determinant(numbers: Numbers, matrix: Dual, *, op: str) -> Dual:
    """d det A = Σ cofactors·Ȧ; d log |det A| = tr(A⁻¹·Ȧ)."""
    a = matrix.value
    y = np.asanyarray(np.linalg.det(a) if op == "det" else np.linalg.slogdet(a)[1])
    if matrix.dots is None:
        return Dual(y)
    weights = cofactors(a, y) if op == "det" else turned(or_nan(np.linalg.inv, a))
    return Dual(y, (weights * matrix.dots).sum((-1, -2)))
