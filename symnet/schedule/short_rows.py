"""Short rows: each is a lane, so that no lane is added to another.

before: for i in m: s = max over j of A[i, j];  y[i] = s                              n <= 8
after:  for i_rows in m//16:
          for i in 16 (vector):  cell[i] = -inf;  for j in n (unroll, at most 8): cell[i] max= A[i, j];  y[i] = cell[i]
        …                                                                             the rows that are left

A back end reads the elements as squares, rows of memory that it turns in registers.

In: a nest whose lane axis is reduced, and of which rows are short.  Out: loops; nothing where masked loads are dear.
Not handled: bodies that are long or call functions, since they are written once for every column of a square; few
rows, for which code of their own takes longer to make than it saves (those of a unit with much else to do).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from symnet.dtypes import ITEMSIZE
from symnet.loops.facts import gather
from symnet.loops.ir import (
    Alloc,
    Body,
    Buffer,
    Const,
    For,
    IntConst,
    IntVar,
    Let,
    Load,
    Store,
    as_int,
    ceil_div,
    int_floordiv,
    int_min,
    int_mod,
)  # fmt: skip
from symnet.loops.limits import limit
from symnet.lower.elementwise import functions_in
from symnet.lower.nest import Axis, Nest, around, bounded, nested
from symnet.schedule.access import CONTIGUOUS, STRIDED, inner_loads, outer_loads, shifted, stores, stride
from symnet.schedule.target import Target

MOST_STATEMENTS = 8  # of a body
FEWEST = 3  # elements of a row of known width
FEWEST_ROWS = 64  # of an array, or of the units that it is cut into
MOST_SYMBOLIC = 8  # elements of other rows: each has code of its own


@dataclass(frozen=True)
class ShortRows:
    """Which axis the lanes are, how many there are, and how many elements a row has at most."""

    rows: Axis
    lanes: int
    most: int


def rows_as_lanes(nest: Nest, target: Target) -> ShortRows | None:
    """How rows may be lanes; None where they may not."""
    rows = _rows(nest)
    if rows is None or not target.masks or len(nest.reduced) != 1 or len(nest.inner) > MOST_STATEMENTS:
        return None
    count = limit(rows.extent)
    if count is not None and count < FEWEST_ROWS:
        return None
    across = [x for x in inner_loads(nest) if stride(x, rows.var) == STRIDED]
    sizes, column = {ITEMSIZE[x.dtype] for x in across}, nest.reduced[0]
    if not across or sizes - {4, 8} or functions_in((*nest.inner, *nest.outer)):
        return None
    if any(stride(x, column.var) != CONTIGUOUS for x in across):
        return None
    lanes = target.vector_bits // (8 * _itemsize(nest))
    if column.constant is None:
        return ShortRows(rows, lanes, min(lanes, MOST_SYMBOLIC))
    return ShortRows(rows, lanes, column.constant) if FEWEST <= column.constant <= lanes else None


def _itemsize(nest: Nest) -> int:
    """Bytes of the numbers that decide about the lanes of the loop over rows, which is to be one vector."""
    acc = nest.accumulator
    assert acc is not None
    cell = Buffer(f"{acc.name}_rows", acc.dtype, (as_int(1),), "register")
    added = Store(cell, (as_int(0),), acc.value)
    return max(4, gather((*nest.inner, added, *nest.outer)).itemsize)


def _rows(nest: Nest) -> Axis | None:
    """The axis along which results lie beside each other, and nothing that is read for them is scattered."""
    for axis in reversed(nest.parallel):
        written = {stride(x, axis.var) for x in stores(nest)}
        if written == {CONTIGUOUS} and STRIDED not in {stride(x, axis.var) for x in outer_loads(nest)}:
            return axis
    return None


def short_rows(nest: Nest, how: ShortRows) -> Body:
    """The loops over as many rows at a time as there are lanes; written once where the width is to be known."""
    rows, lanes = how.rows, how.lanes
    tile, whole, rest = IntVar(f"{rows.var}_rows"), int_floordiv(rows.extent, lanes), int_mod(rows.extent, lanes)
    body: Body = ()
    if nest.reduced[0].constant is None:
        count = int_min(lanes, rows.extent - tile * lanes)
        body = (For(tile.name, ceil_div(rows.extent, lanes), _tile(shifted(nest, rows, tile * lanes, count), how)),)
        return around([a for a in nest.parallel if a.var != rows.var], body)
    if whole != IntConst(0):
        body += (For(tile.name, whole, _tile(shifted(nest, rows, tile * lanes, as_int(lanes)), how)),)
    if rest != IntConst(0):
        body += _tile(shifted(nest, rows, whole * lanes, rest), how)
    return around([a for a in nest.parallel if a.var != rows.var], body)


def _tile(nest: Nest, how: ShortRows) -> Body:
    """As many rows as there are lanes, or fewer."""
    acc, (column,), var = nest.accumulator, nest.reduced, how.rows.var
    assert acc is not None
    (rows,) = (replace(a, batch=0) for a in nest.parallel if a.var == var)
    cell = Buffer(f"{acc.name}_rows", acc.dtype, (as_int(1), as_int(how.lanes)), "register")
    at = (as_int(0), IntVar(var))
    start = Store(cell, at, Const(acc.initial, acc.dtype))
    chain = nested([rows, column], (*nest.inner, Store(cell, at, acc.value, acc.combine)), ["vector", "unroll"])
    *before, loop = bounded(bounded(chain, column.var, how.most), var, how.lanes)
    assert isinstance(loop, For)
    statements = (start, *loop.body, Let(acc.name, Load(cell, at)), *nest.outer)
    return (Alloc(cell), *before, replace(loop, body=statements))
