"""Which axes of a nest are the lanes and the rows of its register tiles, and how large the tiles are.

In: a nest whose axes may have been restricted to a range, and a target.  Out: a `TileShape`, and the widths of columns.

Names: mr, nr as in BLIS (van Zee and van de Geijn, "BLIS: A Framework for Rapidly Instantiating BLAS
Functionality", 2015): the rows and columns of the register tile.
"""

from __future__ import annotations

from dataclasses import dataclass

from symnet.loops.ir import Load, Store
from symnet.loops.limits import limit
from symnet.lower.nest import Axis, Nest
from symnet.schedule.access import CONTIGUOUS, INVARIANT, STRIDED, inner_loads, outer_loads, stores, stride
from symnet.schedule.target import Target

MAX_SPARE = 8  # registers kept free for operands
FEWEST = 4  # rows that an element of a vector is worth loading for
LONG = 32  # elements of an axis that is long enough to be cut into rows


@dataclass(frozen=True)
class TileShape:
    """A chosen shape: the lane axis, and the row axis with its tile when there is one."""

    lane: Axis | None
    row: Axis | None = None
    mr: int = 1


def choose(nest: Nest, target: Target) -> TileShape:
    """The lane axis (contiguous or invariant in every access, longest first) and the row axis; of a kernel none, nor
    of what stores nothing.
    """
    if nest.kernel is not None or nest.is_empty:
        return TileShape(None)
    lane = _lane_axis(nest)
    if nest.accumulator is None or lane is None or lane in nest.reduced:
        return TileShape(lane)
    row = _row_axis(nest, lane)
    if row is None:
        return TileShape(lane)
    vectors = _vectors(lane, target, nest.accumulator.dtype)
    return TileShape(lane, row, evened(row, vectors, _rows(vectors, target), target))


def _lane_axis(nest: Nest) -> Axis | None:
    candidates = [a for a in nest.parallel if _strided(nest, a, everything=True) == 0]
    if candidates:
        last = [a for a in candidates if any(stride(s, a.var) == CONTIGUOUS for s in stores(nest))]
        return max(last or candidates, key=_length)
    inside = [a for a in nest.reduced if _strided(nest, a, everything=False) == 0]
    if inside:
        return max(inside, key=_length)
    return min(nest.axes, key=lambda a: (_jumps(nest, a), -_length(a))) if nest.axes else None


def _jumps(nest: Nest, axis: Axis) -> int:
    """Strided accesses along an axis; a store counts twice, since lanes that are scattered leave no line full."""
    if axis not in nest.parallel:
        return _strided(nest, axis, everything=False)
    scattered = [stride(s, axis.var) for s in stores(nest)].count(STRIDED)
    return _strided(nest, axis, everything=True) + scattered


def _length(axis: Axis) -> int:
    return 10**6 if axis.constant is None else axis.constant


def _strided(nest: Nest, axis: Axis, everything: bool) -> int:
    touched: list[Load | Store] = [*inner_loads(nest)]
    if everything:
        touched += [*outer_loads(nest), *stores(nest)]
    return [stride(x, axis.var) for x in touched].count(STRIDED)


def _row_axis(nest: Nest, lane: Axis) -> Axis | None:
    """A parallel axis that some operand does not depend on: its elements serve every row of the tile.

    Of those that are long enough, one whose rows lie side by side in an operand: they come in one cache line.
    """
    others = [a for a in nest.parallel if a is not lane]
    loads = inner_loads(nest)
    reused = [a for a in others if any(stride(x, a.var) == INVARIANT for x in loads)]
    beside = {a.var for a in reused if any(stride(x, a.var) == CONTIGUOUS for x in loads)}
    return max(reused, key=lambda a: (min(_length(a), LONG), a.var in beside, _length(a))) if reused else None


def _vectors(lane: Axis, target: Target, dtype: str) -> int:
    width = target.lanes(dtype)
    return 8 if lane.constant is None else -(-lane.constant // width)


def accumulators(target: Target) -> int:
    """How many vector registers a tile may fill with accumulators."""
    return max(target.registers - MAX_SPARE, 4)


def _rows(vectors: int, target: Target) -> int:
    """mr: powers of two, so that tiles divide a superblock."""
    room = accumulators(target)
    nr = min(vectors, 3 if room >= 24 else 2)
    mr = 1
    while mr * 2 * nr <= room:
        mr *= 2
    return mr


def evened(row: Axis, vectors: int, mr: int, target: Target) -> int:
    """mr, or half of it beside twice as many vectors, where that leaves no row and no vector for smaller tiles."""
    most, fewer = limit(row.extent), mr // 2
    if most is None or fewer < FEWEST or most < mr or most % mr == 0 or most % fewer:
        return mr
    nr = accumulators(target) // fewer
    return fewer if vectors % nr == 0 and nr < MAX_SPARE else mr


def tile_widths(extent: int | None, target: Target, dtype: str, mr: int) -> list[int]:
    """Lanes of each column tile: as many full vectors as the registers hold, or one fewer where all tiles are then
    alike, so that their code stands once; otherwise evenly divided.
    """
    width = target.lanes(dtype)
    most = max(accumulators(target) // mr, 1)
    if extent is None:
        return [min(most, 4) * width]
    vectors = -(-extent // width)
    if vectors % most and most > 2 and vectors % (most - 1) == 0:
        most -= 1
    tiles = max(-(-vectors // most), 1)
    counts = [vectors // tiles + (k < vectors % tiles) for k in range(tiles)]
    widths = [c * width for c in counts]
    widths[-1] -= vectors * width - extent
    return widths
