"""Cumulative sums as nests: one pass over the axis, carrying the sum so far.

In: a `CumulativeSum`.  Out: a kernel nest whose axes are the others.  Where the last axis is not the summed one, rows
are added to the row before, with lanes along the last axis; otherwise the sum so far stays in a register.
A sum along the batch mixes its rows: it is stored whole.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from symnet.expr.nodes.contraction import letter
from symnet.expr.nodes.cumulative import CumulativeSum
from symnet.expr.nodes.extents import typical
from symnet.expr.nodes.recurrence import Recurrence
from symnet.expr.nodes.running import RunningLogsumexp, ScaledSum
from symnet.loops.ir import Alloc, Body, Buffer, Const, If, IntCondition, IntVar, Let, Load, Op, Store, Value
from symnet.lower.kernels.statements import INT_ZERO, cell, lanes, loop
from symnet.lower.nest import Axis, Nest
from symnet.lower.point import Index
from symnet.lower.state import LoweringState


@dataclass(frozen=True)
class Sum:
    """`value`, bound by `lets`, is added up and stored at `target[index]`."""

    target: Buffer
    index: Index
    lets: tuple[Let, ...]
    value: Value


def scan_loops(
    state: LoweringState, node: CumulativeSum | Recurrence | RunningLogsumexp | ScaledSum
) -> tuple[list[Axis], Axis, IntVar, Index]:
    """The loops of a scan, the one along its axis, the variable that counts its steps, and the index at each step."""
    axes = [state.axis(letter(a), (node, a)) for a in range(node.rank)]
    along, step = axes[node.axis], IntVar(state.clear("step"))
    k = along.extent - 1 - step if node.reverse else step
    return axes, along, step, tuple(k if a is along else IntVar(a.var) for a in axes)


def cumsum_nest(state: LoweringState, node: CumulativeSum, buffer: Buffer) -> Nest:
    """y[k] = y[k - 1] + x[k]; from the end y[k] = y[k + 1] + x[k]."""
    axes, along, step, index = scan_loops(state, node)
    last, k = axes[-1], index[node.axis]
    points = state.points("v")
    value = points.cast(points.at(node.operands[0], index), buffer.dtype)
    sum_ = Sum(buffer, index, tuple(points.lets), value)
    if last is along or last.batch:
        inside = [along]
        body = _in_register(sum_, step, along, state.clear(f"{buffer.name}.total"))
    else:
        inside = [along, last]
        previous = tuple((k + 1 if node.reverse else k - 1) if i is k else i for i in index)
        body = _by_rows(sum_, step, along, last, previous)
    work = math.prod(typical(node.shape[axes.index(a)]) for a in inside)
    return Nest(buffer.name, tuple(a for a in axes if a not in inside), body, kernel=work)


def _in_register(sum_: Sum, step: IntVar, along: Axis, name: str) -> Body:
    """Add one element after the other to a register, and store every sum."""
    total = cell(name, sum_.target.dtype)
    zero = Const(0.0 if total.dtype.startswith("float") else 0, total.dtype)
    return (
        Alloc(total.buffer),
        total.store((INT_ZERO,), zero),
        loop(
            step,
            along.extent,
            *sum_.lets,
            total.store((INT_ZERO,), sum_.value, "add"),
            Store(sum_.target, sum_.index, total.at(INT_ZERO)),
        ),
    )


def _by_rows(sum_: Sum, step: IntVar, along: Axis, last: Axis, previous: Index) -> Body:
    """The first row as it is; every other added to the row before it."""
    lane = IntVar(last.var)
    added = Op("add", (Load(sum_.target, previous), sum_.value), sum_.target.dtype)
    first = lanes(lane, last.extent, *sum_.lets, Store(sum_.target, sum_.index, sum_.value))
    rest = lanes(lane, last.extent, *sum_.lets, Store(sum_.target, sum_.index, added))
    return (loop(step, along.extent, If(IntCondition("eq", step, INT_ZERO), (first,), (rest,))),)
