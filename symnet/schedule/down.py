"""Sums down the columns of a large array: its rows are read whole, some at a time, and the sums wait in the cache.

before: for k in n: s = Σ over i of v[i]*A[i, k];  y[k] = s
after:  for each panel of columns:
          for i_rows in m//16: for k in panel (vector):  for i in 16 (unroll): cell[k] += v[i + 16*i_rows]*A[…, k]
          for i_rows in m%16:  for k in panel (vector):  cell[k] += …
          for k in panel (vector): y[k] = cell[k]

Register tiles go down a few columns through all of the memory, and again for the next few: where no cache holds the
array, no line that was fetched ahead is of use.  The loops choose by the size of the array.

In: a nest without rows to reuse, its lane axis, a target.  Out: loops, with the same bits as register tiles.
Not handled: bodies that are long or call functions, since they are written once for every row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce

from symnet.dtypes import ITEMSIZE
from symnet.loops.ir import (
    Body,
    Buffer,
    For,
    IntCondition,
    IntConst,
    IntVar,
    Let,
    Load,
    Op,
    Stmt,
    Store,
    Value,
    Var,
    as_int,
    int_floordiv,
    int_min,
    int_mod,
    int_mul,
)  # fmt: skip
from symnet.loops.limits import limit
from symnet.loops.operands import combined
from symnet.loops.substitute import Substitution
from symnet.lower.elementwise import functions_in
from symnet.lower.nest import Axis, Nest, around
from symnet.schedule.access import CONTIGUOUS, STRIDED, inner_loads, shifted, stride
from symnet.schedule.partials import Carry, Cells, SumCut, accumulated
from symnet.schedule.target import Target
from symnet.schedule.tile_shape import TileShape, accumulators

CACHE = 1 << 21  # bytes from which on an array comes from far away
PANEL_BYTES = 4096  # of the sums of a panel
MOST_STATEMENTS = 2  # of a body that is written for several rows at once


def past_the_cache(nest: Nest, shape: TileShape, target: Target) -> IntCondition | None:
    """The condition under which sums go by panels: what they read is so much; None where it cannot hold."""
    acc, lane = nest.accumulator, shape.lane
    if acc is None or lane is None or lane in nest.reduced or shape.row is not None or not target.vector_bits:
        return None
    if nest.halved or len(nest.parallel) > 1 or len(nest.inner) > MOST_STATEMENTS or functions_in(nest.inner):
        return None
    row, columns = nest.reduced[-1], accumulators(target) * target.lanes(acc.dtype)
    rows, known = limit(row.extent), limit(lane.extent)
    if (rows is not None and rows < _rows_at_once(target)) or (known is not None and known <= columns):
        return None
    read = [x for x in inner_loads(nest) if stride(x, lane.var) == CONTIGUOUS]
    if not read or any(stride(x, row.var) != STRIDED for x in read):
        return None
    buffer = read[0].buffer
    elements, bound = reduce(int_mul, buffer.shape), IntConst(CACHE // ITEMSIZE[buffer.dtype])
    if rows is None or not isinstance(row.extent, IntConst):  # perhaps few rows, which tiles hold
        elements = int_min(elements, row.extent * max(bound.value // (_rows_at_once(target) - 1), 1))
    return (
        None
        if isinstance(elements, IntConst) and elements.value <= bound.value
        else IntCondition("gt", elements, bound)
    )


def columns_of_panel(dtype: str) -> int:
    """How many sums wait in the cache."""
    return PANEL_BYTES // ITEMSIZE[dtype]


def _rows_at_once(target: Target) -> int:
    """Rows of which each has an element in a register."""
    return 16 if target.registers >= 32 else 8


@dataclass(frozen=True)
class Down:
    """How columns are summed: the axis along them, the machine, and how the sums go on and are cut."""

    lane: Axis
    target: Target
    carry: Carry | None
    sizes: SumCut

    def panels(self, nest: Nest) -> Body:
        """The loops over panels of columns."""
        acc, lane, panel = nest.accumulator, self.lane, IntVar(f"{self.lane.var}_panel")
        assert acc is not None
        width = columns_of_panel(acc.dtype)
        whole = int_floordiv(lane.extent, width)
        rest = int_mod(lane.extent, width)
        body: Body = ()
        if whole != IntConst(0):
            inside = self._panel(shifted(nest, lane, panel * width, as_int(width)), width)
            body += (For(panel.name, whole, inside),)
        if rest != IntConst(0):
            body += self._panel(shifted(nest, lane, whole * width, rest), width)
        return body

    def _panel(self, nest: Nest, width: int) -> Body:
        acc, var = nest.accumulator, self.lane.var
        assert acc is not None
        (lane,) = nest.parallel
        extent = as_int(lane.constant or width)
        cell = Buffer(f"{acc.name}_panel", acc.dtype, (as_int(1), extent), "register")
        at = (as_int(0), IntVar(var))

        def over(statements: Body) -> Body:
            return (For(var, lane.extent, statements, "vector"),)

        def chain(part: Nest, into: Buffer) -> Body:
            *outside, row = part.reduced
            return around(outside, self._rows(part, lane, row, Store(into, at, _value(part))))

        body = accumulated(nest, Cells(cell, at, over), chain, self.carry, self.sizes)
        return body if self.carry is not None else (*body, *over((Let(acc.name, Load(cell, at)), *nest.outer)))

    def _rows(self, nest: Nest, lane: Axis, row: Axis, change: Store) -> Body:
        """Some rows at a time, then the rest one by one; of an element, what all its rows make of it is stored once."""
        acc = nest.accumulator
        assert acc is not None
        count, tile = _rows_at_once(self.target), IntVar(f"{row.var}_rows")
        whole, rest = int_floordiv(row.extent, count), int_mod(row.extent, count)
        body: Body = ()
        for start, times, rows in ((tile * count, whole, count), (whole * count + tile, rest, 1)):
            if times == IntConst(0):
                continue
            total: Value = Load(change.buffer, change.index)
            statements: list[Stmt] = []
            for number in range(rows):
                value = Substitution({row.var: start + number}).value(change.value)
                name, operands = combined(acc.combine, total, value)
                statements.append(Let(f"{acc.name}_{number}", Op(name, tuple(operands), acc.dtype)))
                total = Var(f"{acc.name}_{number}", acc.dtype)
            statements.append(replace(change, value=total))
            body += (For(tile.name, times, (For(lane.var, lane.extent, tuple(statements), "vector"),)),)
        return body


def _value(nest: Nest) -> Value:
    """What a nest accumulates, its lets written where they are read."""
    acc, known = nest.accumulator, dict[str, Value]()
    assert acc is not None

    def written(value: Value) -> Value:
        if isinstance(value, Var):
            return known.get(value.name, value)
        return replace(value, args=tuple(map(written, value.args))) if isinstance(value, Op) else value

    for let in nest.inner:
        known[let.name] = written(let.value)
    return written(acc.value)
