"""Panels: some rows of a product's left operand that is read down its columns, copied to lie as they are read.

before: for each column tile: for each tile of 8 rows: for j in n: … A[j, i] …          (i: the rows)
after:  for j in n: for block in 4: for i in 16 (vector): rows.panel[block, j, i] = A[j, i + 16*block]
        for each column tile: for each tile of 8 rows: for j in n: … rows.panel[i/16, j, i%16] …

Down a column every element is in another line, and of long rows in another page: lines that the next tiles need push
each other out of the near caches, and the table of pages has no room for all.  A panel lies in one piece.

In: the nest of a product, or of a part of its sum; its `TileShape`; a target.  Out: loops around those of the tiles,
and what these read instead.  Nothing is computed, so the bits are those of the loops without a panel.
A panel has its place in the frame of the function (`Target.frame_bytes`), all panels the same.
Not handled: sums that are neither short nor cut; few columns, for which the copy takes longer than it saves; rows that
are found by an index.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from symnet.dtypes import ITEMSIZE
from symnet.loops.accesses import Access
from symnet.loops.affine import int_loads
from symnet.loops.ir import (
    Alloc,
    Body,
    Buffer,
    For,
    If,
    IntCondition,
    IntConst,
    IntExpr,
    IntVar,
    Load,
    Store,
    as_int,
    ceil_div,
    int_floordiv,
    int_min,
    int_mod,
)  # fmt: skip
from symnet.loops.limits import limit
from symnet.loops.substitute import Substitution
from symnet.lower.nest import Axis, Nest
from symnet.schedule.access import CONTIGUOUS, INVARIANT, STRIDED, inner_loads, shifted, stride, substituted
from symnet.schedule.target import Target
from symnet.schedule.tile_shape import TileShape

LEAST_VECTORS = 16  # of columns that a panel is worth making for; twice as many where half of the tiles do nothing
LEAST_TERMS = 32  # of a sum
NAME = "rows.panel"  # of all panels, of which one is in use at a time


@dataclass(frozen=True)
class Panel:
    """A copy of some rows: what is read, the variable of the rows, and where the copy lies: [block, term, row]."""

    load: Load
    row: str
    term: str
    buffer: Buffer

    @property
    def width(self) -> int:
        """Rows of a block."""
        (*_, last) = self.buffer.shape
        assert isinstance(last, IntConst)
        return last.value

    def read_by(self, nest: Nest, start: IntExpr) -> Nest:
        """The nest of the rows from `start` on, all in one block, which reads the panel."""
        row = IntVar(self.row)
        known = Substitution({self.row: row + start}).index(self.load.index)
        place = int_floordiv(start, self.width), IntVar(self.term), row + int_mod(start, self.width)

        def redirect(access: Access) -> Access:
            return (self.buffer, place) if access == (self.load.buffer, known) else access

        return substituted(nest, Substitution({}, redirect))


def in_panels(nest: Nest, shape: TileShape, target: Target, tiled: Callable[[Nest, Panel | None], Body]) -> Body:
    """The loops over all tiles of a nest, panel by panel where that is quicker.

    Args:
        nest: a product, or a part of its sum.
        shape: its rows and lanes.
        target: the machine.
        tiled: writes the loops over the tiles of a nest, which read a panel or do not.
    """
    load = _down_columns(nest, shape, target)
    if load is None or shape.row is None:
        return tiled(nest, None)
    (axis,) = nest.reduced
    row, terms = shape.row, limit(axis.extent)
    assert terms is not None
    width = block_rows(shape, target)
    rows, most = target.frame_bytes // (ITEMSIZE[load.dtype] * terms) // width * width, limit(row.extent)
    inside, number = nest, IntVar(f"{row.var}_panel")
    if most is None or most > rows:
        inside = shifted(nest, row, number * rows, int_min(rows, row.extent - number * rows))
        load = Load(load.buffer, Substitution({row.var: IntVar(row.var) + number * rows}).index(load.index))
        most = rows
    shape_of = as_int(-(-most // width)), as_int(terms), as_int(width)
    panel = Panel(load, row.var, axis.var, Buffer(NAME, load.dtype, shape_of, "register"))
    here = next(a for a in inside.parallel if a.var == row.var)
    body: Body = (Alloc(panel.buffer), *_filled(panel, here, axis), *tiled(inside, panel))
    if inside is not nest:
        body = (For(number.name, ceil_div(row.extent, rows), body),)
    lane = shape.lane
    if lane is None or lane.constant is not None:
        return body
    many = IntCondition("ge", lane.extent, IntConst(_least_columns(nest, target)))
    return (If(many, body, tiled(nest, None)),)


def block_rows(shape: TileShape, target: Target) -> int:
    """Rows of a block: those of a tile, or a whole vector's."""
    return max(shape.mr, target.vector_bits // 32)


def _least_columns(nest: Nest, target: Target) -> int:
    """How many columns a panel pays for."""
    assert nest.accumulator is not None
    return LEAST_VECTORS * target.lanes(nest.accumulator.dtype) * (2 if nest.halved else 1)


def _filled(panel: Panel, row: Axis, axis: Axis) -> Body:
    """The loops that copy."""
    width, begin, block = panel.width, as_int(0), IntVar(f"{row.var}_block")
    inside: Body = ()
    whole, rest = int_floordiv(row.extent, width), int_mod(row.extent, width)
    for count, rows in ((whole, as_int(width)), (as_int(1), rest)):
        if IntConst(0) in (count, rows):
            continue
        index = Substitution({row.var: IntVar(row.var) + (begin + block) * width}).index(panel.load.index)
        place = begin + block, IntVar(axis.var), IntVar(row.var)
        copy = For(row.var, rows, (Store(panel.buffer, place, Load(panel.load.buffer, index)),), "vector", bound=width)
        inside += (For(block.name, count, (copy,)),)
        begin = begin + count
    return (For(axis.var, axis.extent, inside),)


def _down_columns(nest: Nest, shape: TileShape, target: Target) -> Load | None:
    """What is read down its columns, by each column tile again; None where no copy pays."""
    acc, lane, row = nest.accumulator, shape.lane, shape.row
    if acc is None or lane is None or row is None or shape.mr == 1 or len(nest.reduced) != 1:
        return None
    (axis,) = nest.reduced
    terms, most = limit(axis.extent), limit(row.extent)
    if terms is None or terms < LEAST_TERMS or (most is not None and most < shape.mr):
        return None
    if lane.constant is not None and lane.constant < _least_columns(nest, target):
        return None
    if target.frame_bytes < ITEMSIZE[acc.dtype] * terms * block_rows(shape, target):
        return None
    ways = CONTIGUOUS, INVARIANT, STRIDED
    found = {x for x in inner_loads(nest) if tuple(stride(x, a.var) for a in (row, lane, axis)) == ways}
    if len(found) != 1:
        return None
    (load,) = found
    plain = load.buffer.space != "register" and load.dtype == acc.dtype and not any(map(int_loads, load.index))
    return load if plain else None
