"""Linear recurrences and cumulative products as nests: one pass over the axis, carrying the value before.

In: a `LinearRecurrence` or a `CumulativeProduct`.  Out: a kernel nest whose axes are the others.  Where the last axis
is not the one that is run along, rows are made of the row before, with lanes along the last axis; otherwise the value
before stays in a register.
A recurrence along the batch mixes its rows: it is stored whole.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from symnet.expr.nodes.extents import typical
from symnet.expr.nodes.recurrence import Recurrence
from symnet.loops.ir import Alloc, Body, Buffer, If, IntCondition, IntVar, Let, Load, Store, Value, as_int
from symnet.lower.cumulative import scan_loops
from symnet.lower.kernels.statements import INT_ZERO, cell, lanes, loop
from symnet.lower.nest import Axis, Nest
from symnet.lower.point import Index, constant
from symnet.lower.state import LoweringState

START = {"cumprod": 1, "linear_recurrence": 0}  # the value before the first step


@dataclass(frozen=True)
class RecurrenceSteps:
    """The value after a step: a[k]·before + b[k], of a product x[k]·before; the first factor of a is not used."""

    state: LoweringState
    node: Recurrence
    dtype: str

    @property
    def start(self) -> Value:
        return constant(START[self.node.kind], self.dtype)

    def first(self, index: Index) -> tuple[tuple[Let, ...], Value]:
        """b[k], or x[k] of a product."""
        points = self.state.points("v")
        value = points.cast(points.at(self.node.operands[-1], index), self.dtype)
        return tuple(points.lets), value

    def later(self, index: Index, before: Load) -> tuple[tuple[Let, ...], Value]:
        points = self.state.points("v")
        factor, *added = (points.cast(points.at(o, index), self.dtype) for o in self.node.operands)
        value = points.op("mul", factor, points.let(before))
        if added:
            value = points.op("add", value, *added)
        return tuple(points.lets), value


def recurrence_nest(state: LoweringState, node: Recurrence, buffer: Buffer) -> Nest:
    """r[k] = a[k]·r[k - 1] + b[k]; from the end r[k] = a[k]·r[k + 1] + b[k]."""
    axes, along, step, index = scan_loops(state, node)
    last, k = axes[-1], index[node.axis]
    steps = RecurrenceSteps(state, node, buffer.dtype)
    if last is along or last.batch:
        inside = [along]
        body = _in_register(steps, buffer, index, step, along)
    else:
        inside = [along, last]
        before = tuple((k + 1 if node.reverse else k - 1) if i is k else i for i in index)
        body = _by_rows(steps, buffer, index, before, step, (along, last))
    work = math.prod(typical(node.shape[axes.index(a)]) for a in inside)
    return Nest(buffer.name, tuple(a for a in axes if a not in inside), body, kernel=work)


def _is(step: IntVar, number: int) -> IntCondition:
    return IntCondition("eq", step, as_int(number))


def _in_register(steps: RecurrenceSteps, target: Buffer, index: Index, step: IntVar, along: Axis) -> Body:
    """Carry the value in a register, and store it after every step, or before it."""
    value = cell(steps.state.clear(f"{target.name}.value"), target.dtype)
    (lets, first), (more, later) = steps.first(index), steps.later(index, value.at(INT_ZERO))
    begin, go_on = value.store((INT_ZERO,), first), value.store((INT_ZERO,), later)
    taken: Body = (*more, go_on)
    if steps.node.kind != "cumprod":  # 1·x is x, but 0·a is not always 0
        taken = (If(_is(step, 0), (*lets, begin), taken),)
    stored = Store(target, index, value.at(INT_ZERO))
    body = (stored, *taken) if steps.node.exclusive else (*taken, stored)
    return Alloc(value.buffer), value.store((INT_ZERO,), steps.start), loop(step, along.extent, *body)


def _by_rows(
    steps: RecurrenceSteps, target: Buffer, index: Index, before: Index, step: IntVar, loops: tuple[Axis, Axis]
) -> Body:
    """Every row from the row before it; of an exclusive one by the step that was taken there."""
    along, last = loops

    def row(lets: tuple[Let, ...], value: Value) -> Body:
        return (lanes(IntVar(last.var), last.extent, *lets, Store(target, index, value)),)

    at = before if steps.node.exclusive else index
    first, later = row(*steps.first(at)), row(*steps.later(at, Load(target, before)))
    if not steps.node.exclusive:
        return (loop(step, along.extent, If(_is(step, 0), first, later)),)
    rest = If(_is(step, 1), first, later)
    return (loop(step, along.extent, If(_is(step, 0), row((), steps.start), (rest,))),)
