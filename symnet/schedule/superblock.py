"""How many rows of the batch a superblock has: 256, or fewer where so many rows fill more than a cache.

In: the sweeps of a program.  Out: a power of two.
Each superblock reads and writes the sums over rows: where these are larger than a cache, its rows may be as large.
It decides about the order in which rows are summed, so it depends on the program alone: on the bytes that a row needs
at one time (`schedule/reuse.py` gives the memory of what nobody reads any more to others), and not on the machine, on
the number of threads or on the extents of a call.
Not handled: a symbolic extent of a row counts as `TYPICAL`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from symnet.dtypes import ITEMSIZE
from symnet.expr.nodes.extents import TYPICAL
from symnet.loops.ir import Buffer, IntConst, IntExpr, int_floordiv, int_min
from symnet.lower.nest import Nest
from symnet.schedule.access import accesses, base_name, stores
from symnet.schedule.beside import rows_beside
from symnet.schedule.reach import row_of
from symnet.schedule.stream import SUPERBLOCK, StreamPlan, Sweep, is_streamed

CACHE = 1 << 20  # bytes that the rows of a superblock should not exceed
FEW, FEW_CACHE = 16, 1 << 22  # below so many rows a sum gains little from each superblock: only beyond so many bytes
FEWEST = 8  # rows of a register tile
SHARING = 64  # rows for which matrices that are read once a superblock, and their sums, take no longer than arithmetic


def rows_of_superblock(plan: StreamPlan, places: int = 0, shared: int = 0) -> int:
    """The largest power of two whose rows stay within the cache; at least `FEWEST`, and what a kernel takes at once.

    Args:
        plan: the sweeps.
        places: rows that are computed again with each superblock, of which it has four times as many at least.
        shared: bytes that each superblock reads once for all its rows (`schedule/stacked.py`); the rows may fill as
            much as that and the sums, with what these rounded away.
    """
    row = max((_row_bytes(sweep, plan.whole) for sweep in plan.sweeps), default=0)
    sums = max((sum_bytes(sweep.reduces) for sweep in plan.sweeps), default=0)
    cache = max(CACHE, min(sums, FEW_CACHE))
    beside = max((rows_beside(nest) for sweep in plan.sweeps for nest in sweep.rows), default=0)
    fewest = max(FEWEST, 4 * places, beside)

    def fits(rows: int) -> bool:
        if rows <= SHARING and rows * row <= (shared and shared + 2 * sums):
            return True
        return rows * row <= (FEW_CACHE if rows <= FEW else cache)

    rows = SUPERBLOCK
    while not fits(rows) and rows // 2 >= fewest:
        rows //= 2
    return rows


def _row_bytes(sweep: Sweep, whole: frozenset[str]) -> int:
    """Bytes that a row needs, where buffers of one size share memory."""
    lives: dict[str, tuple[int, int]] = {}
    sizes: dict[str, int] = {}
    for time, nest in enumerate([*sweep.rows, *sweep.reduces]):
        end = time if time < len(sweep.rows) else len(sweep.rows)  # all sums are one time
        for buffer, _ in accesses(nest):
            if is_streamed(buffer, whole):
                name = base_name(buffer)
                lives[name] = lives.get(name, (end, end))[0], end
                sizes[name] = _bytes_of_row(buffer)
    return sum(
        size * _most_at_once([life for name, life in lives.items() if sizes[name] == size])
        for size in set(sizes.values())
    )


def sum_bytes(nests: Iterable[Nest]) -> int:
    """Bytes of what nests add up over their rows."""
    sums = (nest for nest in nests if (row := row_of(nest)) is not None and row in nest.reduced)
    found = (store.buffer for nest in sums for store in stores(nest))
    return sum(ITEMSIZE[b.dtype] * math.prod(map(_count, b.shape)) for b in found)


def _count(extent: IntExpr) -> int:
    return extent.value if isinstance(extent, IntConst) else TYPICAL


def _most_at_once(lives: Iterable[tuple[int, int]]) -> int:
    """How many of some intervals hold one point."""
    lives = list(lives)
    return max((sum(begin <= at <= end for begin, end in lives) for at, _ in lives), default=0)


def _bytes_of_row(buffer: Buffer) -> int:
    size = ITEMSIZE[buffer.dtype]
    for axis, extent in enumerate(buffer.shape):
        if axis != buffer.batch_axis:
            size *= _count(extent)
    return size


def beyond(batch: IntExpr, rows: int) -> IntExpr:
    """1 where a batch has more than so many rows, else 0."""
    return int_min(1, int_floordiv(batch, rows + 1))
