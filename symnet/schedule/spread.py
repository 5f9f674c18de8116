"""Several superblocks of rows at once, where rows are light: each by one unit, so that units seldom wait.

before: for every superblock: its rows, then the sums over them, added to those before       (units wait at each)
after:  for every `units`·`run` superblocks: each unit its rows, and their sums, from zero, into a place of their own;
        then these, in order, added to those before

In: a sweep.  Out: how it is spread, if it is; the nests that store partial sums, and the statements that add these up.
A sweep without sums needs no such places, and its units wait for nobody; where units of rows have enough to do, each of
them goes through a share of all rows.  Where rows are light and nothing is kept of them a superblock has more rows,
`LONGEST` at most.  How many rows and superblocks there are at once is a matter of the program alone.

Not handled: products; rows that reach further than a superblock; sums into so many places that a superblock's are long,
or rows so long that several superblocks of them fill a cache: there units of rows, and of results, have enough to do.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from symnet.dtypes import ITEMSIZE
from symnet.expr.nodes.extents import TYPICAL
from symnet.loops.ir import (
    Body,
    Buffer,
    Const,
    IntConst,
    IntExpr,
    Load,
    Store,
)
from symnet.loops.sums import renewed_sum
from symnet.lower.nest import Nest
from symnet.schedule.access import accesses, base_name, stores
from symnet.schedule.parallelize import is_checked, row_work, rows_of_unit
from symnet.schedule.partials import is_rounded
from symnet.schedule.reach import NONE, Reach
from symnet.schedule.stream import StreamPlan, Sweep, is_one_pass, is_streamed

UNITS = (16, 8)  # that run at a time: the most whose rows fit
UNIT_WORK = 1 << 15  # operations below which a unit runs more superblocks
MOST_RUN = 64  # superblocks of a unit
HEAVY = 1 << 18  # operations above which the rows of a superblock are enough for all units
ALL, STRIPES = 0, 8  # units, and how many there are at least, where each goes through rows of its own
LONGEST = 1 << 11  # rows of a superblock, where nothing is kept of them
ROWS_CACHE = 1 << 17  # bytes that the rows of all units may need
MOST_RESULTS = 1 << 11  # results of all sums, of which each superblock stores its own
EXACT = ("max", "min")  # combinations whose order does not matter


@dataclass(frozen=True)
class Spread:
    """How many units run at a time, and how many superblocks each runs, one after another.

    `units` is `ALL` where each unit keeps its own rows of a superblock's in the workspace.
    """

    units: int
    run: int

    @property
    def superblocks(self) -> int:
        return self.units * self.run


def spread_of(sweep: Sweep, reached: Reach, whole: frozenset[str], rows: int) -> Spread | None:
    """How a sweep with superblocks of so many rows is spread; None where each superblock is for all units."""
    if not _is_plain(sweep, reached) or sum(map(_results, sweep.reduces)) > MOST_RESULTS:
        return None
    if not sweep.reduces and STRIPES * rows_of_unit(sweep.rows, rows) <= rows:
        return Spread(ALL, 1)
    held = rows * _row_bytes(sweep, whole)
    units = next((n for n in UNITS if n * held <= ROWS_CACHE), None)
    if units is None:
        return None
    if rows * sum(map(row_work, sweep.rows)) > HEAVY:
        return None
    each = rows * _work(sweep)
    return Spread(units, min(MOST_RUN, 1 << max(0, (UNIT_WORK // max(each, 1)).bit_length() - 1)))


def slots_of(plan: StreamPlan, spreads: Iterable[Spread | None]) -> dict[str, int]:
    """Of how many superblocks at a time a buffer holds the rows, by the name of its memory."""
    found: dict[str, int] = {}
    for sweep, spread in zip(plan.sweeps, spreads, strict=True):
        if spread is None or spread.units == ALL:
            continue
        for name in {base_name(buffer) for nest in (*sweep.rows, *sweep.reduces) for buffer, _ in accesses(nest)}:
            found[name] = max(found.get(name, 1), spread.units)
    return found


def longest(plan: StreamPlan, reaches: Sequence[Reach], rows: int) -> int:
    """Rows of a superblock: twice as many as given, and again, while a unit has little to do with them, and where
    nothing is kept of a row.
    """
    swept = [x for x in zip(plan.sweeps, reaches, strict=True) if x[0].rows or x[0].reduces]
    swept = [x for x in swept if not is_one_pass(x[0], plan.whole)]

    def is_light(sweep: Sweep, reached: Reach) -> bool:
        spread = spread_of(sweep, reached, plan.whole, 2 * rows)
        bare = spread is not None and not _row_bytes(sweep, plan.whole)
        return bare and 2 * rows * _work(sweep) <= UNIT_WORK

    while 2 * rows <= LONGEST and swept and all(is_light(*x) for x in swept):
        rows *= 2
    return rows


def _work(sweep: Sweep) -> int:
    return sum(map(row_work, [*sweep.rows, *sweep.reduces]))


def _is_plain(sweep: Sweep, reached: Reach) -> bool:
    """Whether rows need no others, and sums can be added up superblock by superblock."""
    swept = all(axis.extent == sweep.batch for n in (*sweep.rows, *sweep.reduces) for axis in n.axes if axis.batch)
    near = not any(reached.levels.values()) and all(
        s == NONE for s in (*reached.spans.values(), *reached.buffers.values())
    )
    ordered = bool(sweep.reduces) or not any(map(is_checked, sweep.rows))  # the first wrong index is reported
    return swept and near and ordered and all(map(_is_partial, sweep.reduces))


def _is_partial(nest: Nest) -> bool:
    """Whether the sums of superblocks can be added up."""
    acc = nest.accumulator
    return acc is not None and not nest.when and (is_rounded(nest) or acc.combine in EXACT)


def _results(nest: Nest) -> int:
    return math.prod(TYPICAL if a.constant is None else a.constant for a in nest.parallel)


def _row_bytes(sweep: Sweep, whole: frozenset[str]) -> int:
    held = {b.name: b for n in (*sweep.rows, *sweep.reduces) for b, _ in accesses(n) if is_streamed(b, whole)}
    return sum(map(_bytes_of_row, held.values()))


def _bytes_of_row(buffer: Buffer) -> int:
    rest = [e for axis, e in enumerate(buffer.shape) if axis != buffer.batch_axis]
    return ITEMSIZE[buffer.dtype] * math.prod(e.value if isinstance(e, IntConst) else TYPICAL for e in rest)


# --------------------------------------------------------------------------- partial sums


def part_of(nest: Nest, spread: Spread) -> Buffer:
    """Where the superblocks that are run at a time leave their sums."""
    (store,) = stores(nest)
    assert nest.accumulator is not None
    shape = (IntConst(spread.superblocks), *store.buffer.shape)
    return Buffer(f"{nest.accumulator.name}_part", store.buffer.dtype, shape, "workspace")


def into_part(nest: Nest, part: Buffer, at: IntExpr) -> Nest:
    """The nest that stores the sum of a superblock in its place."""
    (store,) = stores(nest)
    return replace(nest, outer=(replace(store, buffer=part, index=(at, *store.index)),))


def added_up(nest: Nest, part: Buffer, at: IntExpr, low: Buffer | None) -> tuple[Nest, Nest]:
    """What a superblock's sum becomes: of the first one the sum so far, of others a part of it."""
    (store,) = stores(nest)
    acc = nest.accumulator
    assert acc is not None
    target, index, found = store.buffer, store.index, Load(part, (at, *store.index))
    kept: Body = (Store(target, index, found),)
    if low is None:
        again: Body = (Store(target, index, found, acc.combine),)
    else:
        kept = (*kept, Store(low, index, Const(0.0, low.dtype)))
        again = (Store(low, index, found, "add"), *renewed_sum(target, index, low, index))
    return Nest(f"{nest.name}_first", nest.parallel, kept), Nest(f"{nest.name}_more", nest.parallel, again)
