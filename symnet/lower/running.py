"""Scans as nests: one pass along the axis, with what is carried from element to element in registers.

In: a `RunningLogsumexp` or a `ScaledSum`.  Out: a kernel nest whose axes are the others.

log Σ exp(x[j]) is r + log1p(t), r one of the elements and t the sum of exp(x[j] - r) of the others, of which the part
that rounding lost is kept: its error does not grow with the length.  r gives way to an element that is well above it
alone.  A sum Σ b[j]·exp(p[j] - q) is kept as Σ b[j]·exp(p[j] - r) so too: every term is rounded a few times, none as
often as there are elements.
A scan along the batch mixes its rows: it is stored whole.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from symnet.expr.nodes.extents import typical
from symnet.expr.nodes.running import RunningLogsumexp, ScaledSum
from symnet.loops.ir import Alloc, Body, Buffer, Const, Stmt, Store, Value
from symnet.loops.sums import sum_and_lost
from symnet.lower.cumulative import scan_loops
from symnet.lower.kernels.statements import INT_ZERO, MatrixPart, cell, loop
from symnet.lower.nest import Nest
from symnet.lower.point import Index, Points
from symnet.lower.state import LoweringState

FARTHEST = 2.0  # of x above r: what is added to r stays small, and r changes seldom where elements rise slowly
WORK = 30  # multiply-adds that an element takes about: an exponential and a logarithm
Carried = Callable[[str, float], MatrixPart]  # a register, by name and its first value
ScanStep = Callable[[Points, Index, Carried], list[Stmt]]


def running_logsumexp_nest(state: LoweringState, node: RunningLogsumexp, buffer: Buffer) -> Nest:
    """r and t of all elements so far, for every element."""

    def steps(points: Points, index: Index, carried: Carried) -> list[Stmt]:
        top, high, low = carried("top", -math.inf), carried("high", 0.0), carried("low", 0.0)
        x = points.cast(points.at(node.operands[0], index), buffer.dtype)
        one = Const(1.0, buffer.dtype)
        r, t, lost = (points.let(part.at(INT_ZERO)) for part in (top, high, low))
        fresh, power = _relative(points, x, r)
        old = points.op("mul", points.op("add", points.op("add", t, lost), one), power)
        total, rest = sum_and_lost(points.let, t, points.op("add", lost, power))
        new_top, new_high = _select(points, fresh, x, r), _select(points, fresh, old, total)
        y = points.op("add", new_top, points.op("log1p", new_high))
        new_low = _select(points, fresh, Const(0.0, buffer.dtype), rest)
        return [*_kept((top, high, low), (new_top, new_high, new_low)), Store(buffer, index, y)]

    return _scan(state, node, buffer, steps)


def scaled_sum_nest(state: LoweringState, node: ScaledSum, buffer: Buffer) -> Nest:
    """The sum of b·exp(p - r) so far, times exp(r - q), for every element."""

    def steps(points: Points, index: Index, carried: Carried) -> list[Stmt]:
        top, high, low = carried("top", -math.inf), carried("high", 0.0), carried("low", 0.0)
        p, b, q = (points.cast(points.at(o, index), buffer.dtype) for o in node.operands)
        r, s, lost = (points.let(part.at(INT_ZERO)) for part in (top, high, low))
        fresh, power = _relative(points, p, r)
        scaled, lost_scaled = (_select(points, fresh, points.op("mul", x, power), x) for x in (s, lost))
        term = _select(points, fresh, b, points.op("mul", b, power))
        total, rest = sum_and_lost(points.let, scaled, points.op("add", lost_scaled, term))
        new_top = _select(points, fresh, p, r)
        alike = points.op("eq", new_top, q, dtype="bool")
        away = _select(points, alike, Const(0.0, buffer.dtype), points.op("sub", new_top, q))
        y = points.op("mul", total, points.op("exp", away))
        return [*_kept((top, high, low), (new_top, total, rest)), Store(buffer, index, y)]

    return _scan(state, node, buffer, steps)


def _relative(points: Points, x: Value, r: Value) -> tuple[Value, Value]:
    """Whether x takes the place of r; and exp(x - r), or exp(r - x) where it does."""
    above = points.op("gt", x, points.op("add", r, Const(FARTHEST, x.dtype)), dtype="bool")
    first = points.op("eq", r, Const(-math.inf, x.dtype), dtype="bool")
    fresh = points.op("or", first, above, dtype="bool")
    alike = points.op("eq", x, r, dtype="bool")
    away = _select(points, alike, Const(0.0, x.dtype), points.op("sub", x, r))
    return fresh, points.op("exp", _select(points, fresh, points.op("neg", away), away))


def _kept(parts: Sequence[MatrixPart], values: Sequence[Value]) -> list[Stmt]:
    return [part.store((INT_ZERO,), value) for part, value in zip(parts, values, strict=True)]


def _scan(state: LoweringState, node: RunningLogsumexp | ScaledSum, buffer: Buffer, steps: ScanStep) -> Nest:
    """The loop along the axis around the steps of an element, between registers that begin anew for every row."""
    axes, along, step, index = scan_loops(state, node)
    begun: list[Stmt] = []

    def carried(name: str, value: float) -> MatrixPart:
        part = cell(state.clear(f"{buffer.name}.{name}"), buffer.dtype)
        begun.extend([Alloc(part.buffer), part.store((INT_ZERO,), Const(value, buffer.dtype))])
        return part

    points = state.points("v")
    stores = steps(points, index, carried)
    body: Body = (*begun, loop(step, along.extent, *points.lets, *stores))
    work = WORK * typical(node.shape[node.axis])
    return Nest(buffer.name, tuple(a for a in axes if a is not along), body, kernel=work)


def _select(points: Points, condition: Value, a: Value, b: Value) -> Value:
    return points.op("select", condition, a, b, dtype=b.dtype)
