"""Scans as nests: one pass along the axis, with what is carried from element to element in registers.

In: a `RunningLogsumexp` or a `Recurrence`.  Out: a kernel nest whose axes are the others.

log Σ exp(x[j]) is r + log1p(t), r one of the elements and t the sum of exp(x[j] - r) of the others, of which the part
that rounding lost is kept: its error does not grow with the length.  r gives way to a larger element only where
exp(x - r) would leave the range.  In a recurrence what is lost in a sum is carried along; its factors are rounded once.
A scan along the batch mixes its rows: it is stored whole.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from symnet.expr.nodes.contraction import letter
from symnet.expr.nodes.extents import typical
from symnet.expr.nodes.running import Recurrence, RunningLogsumexp
from symnet.loops.ir import Alloc, Body, Buffer, Const, IntVar, Load, Stmt, Store, Value
from symnet.lower.kernels.statements import INT_ZERO, MatrixPart, cell, loop
from symnet.lower.nest import Nest
from symnet.lower.point import Index, Points
from symnet.lower.state import LoweringState

# of x above r: sums of many exp(x - r) are well inside the range
FARTHEST = {"float32": 40.0, "float64": 300.0}
WORK = 30  # multiply-adds that an element takes about: an exponential and a logarithm
Steps = Callable[[Points, Index, Callable[[str, float], MatrixPart]], list[Stmt]]


def running_logsumexp_nest(state: LoweringState, node: RunningLogsumexp, buffer: Buffer) -> Nest:
    """r and t of all elements so far, for every element."""

    def steps(points: Points, index: Index, carried: Callable[[str, float], MatrixPart]) -> list[Stmt]:
        top, high, low = carried("top", -math.inf), carried("high", 0.0), carried("low", 0.0)
        x = points.cast(points.at(node.operands[0], index), buffer.dtype)
        r, t, lost = (points.let(part.at(INT_ZERO)) for part in (top, high, low))
        limit = Const(FARTHEST[buffer.dtype], buffer.dtype)
        above = points.op("gt", x, points.op("add", r, limit), dtype="bool")
        first = points.op("eq", r, Const(-math.inf, buffer.dtype), dtype="bool")
        fresh = points.op("or", first, above, dtype="bool")
        alike = points.op("eq", x, r, dtype="bool")
        away = _select(points, alike, Const(0.0, buffer.dtype), points.op("sub", x, r))
        power = points.op("exp", _select(points, fresh, points.op("neg", away), away))
        old = points.op("mul", points.op("add", points.op("add", t, lost), Const(1.0, buffer.dtype)), power)
        total, rest = _two_sum(points, t, points.op("add", lost, power))
        new_top, new_high = _select(points, fresh, x, r), _select(points, fresh, old, total)
        new_low = _select(points, fresh, Const(0.0, buffer.dtype), rest)
        y = points.op("add", new_top, points.op("log1p", new_high))
        return [
            top.store((INT_ZERO,), new_top),
            high.store((INT_ZERO,), new_high),
            low.store((INT_ZERO,), new_low),
            Store(buffer, index, y),
        ]

    return _scan(state, node, buffer, steps)


def recurrence_nest(state: LoweringState, node: Recurrence, buffer: Buffer) -> Nest:
    """y = a·y + b, and what the sums so far have lost."""

    def steps(points: Points, index: Index, carried: Callable[[str, float], MatrixPart]) -> list[Stmt]:
        high, low = carried("high", 0.0), carried("low", 0.0)
        a, b = (points.cast(points.at(o, index), buffer.dtype) for o in node.operands)
        y, lost = points.let(Load(high.buffer, (INT_ZERO,))), points.let(Load(low.buffer, (INT_ZERO,)))
        decayed = points.op("mul", a, y)
        total, rest = _two_sum(points, decayed, points.op("add", points.op("mul", a, lost), b))
        return [high.store((INT_ZERO,), total), low.store((INT_ZERO,), rest), Store(buffer, index, total)]

    return _scan(state, node, buffer, steps)


def _scan(state: LoweringState, node: RunningLogsumexp | Recurrence, buffer: Buffer, steps: Steps) -> Nest:
    """The loop along the axis around the steps of an element, between registers that begin anew for every row."""
    axes = [state.axis(letter(a), (node, a)) for a in range(node.rank)]
    along = axes[node.axis]
    if along.batch:
        state.mixed.append(node)
    step = IntVar(state.clear("step"))
    k = along.extent - 1 - step if node.reverse else step
    index: Index = tuple(k if a is along else IntVar(a.var) for a in axes)
    begun: list[Stmt] = []

    def carried(name: str, value: float) -> MatrixPart:
        part = cell(state.clear(f"{buffer.name}_{name}"), buffer.dtype)
        begun.extend([Alloc(part.buffer), part.store((INT_ZERO,), Const(value, buffer.dtype))])
        return part

    points = state.points("v")
    stores = steps(points, index, carried)
    body: Body = (*begun, loop(step, along.extent, *points.lets, *stores))
    work = WORK * typical(node.shape[node.axis])
    return Nest(buffer.name, tuple(a for a in axes if a is not along), body, kernel=work)


def _select(points: Points, condition: Value, a: Value, b: Value) -> Value:
    return points.op("select", condition, a, b, dtype=b.dtype)


def _two_sum(points: Points, a: Value, b: Value) -> tuple[Value, Value]:
    """The rounded sum, and what that lost; nothing where the sum is not finite (`loops/sums.py`)."""
    total = points.op("add", a, b)
    added = points.op("sub", total, a)
    kept = points.op("sub", total, added)
    lost = points.op("add", points.op("sub", a, kept), points.op("sub", b, added))
    known = points.op("eq", lost, lost, dtype="bool")
    return total, _select(points, known, lost, Const(0.0, a.dtype))
