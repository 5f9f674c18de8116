"""Squares that are read across: rows of memory loaded as vectors, and turned in registers.

before: for k in K (vector of 4):  for j in 4 (unroll):  … B[k, j] …         four gathers of four lanes
after:  four loads of B[k + lane, 0:4], eight shuffles, and vector j is B[k:k + 4, j]

In: an unrolled loop inside a vector loop.  Out: the vectors of its loads, one for each of its iterations.
Where some lanes do not count, no row of memory is read for them; of a loop that is no whole number of squares, the last
one reads as much of its rows as there is, where masked loads are cheap.
Within 16 bytes neighbours are interleaved, as vector units do best; then blocks of 16 bytes change places (Eklundh, "A
fast computer method for matrix transposing", 1972).

Not handled: loads of memory that the loop stores to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from symnet.backends.llvm.addresses import point, step
from symnet.backends.llvm.emitter import LANE, BufferPlace, ElementAddress, Emitter
from symnet.backends.llvm.integers import offset
from symnet.backends.llvm.memory import neighbouring, picked
from symnet.backends.llvm.polynomials import integer, opaque, to_index
from symnet.backends.llvm.types import V
from symnet.backends.llvm.types import constant as literal
from symnet.loops import affine
from symnet.loops.accesses import computed_with
from symnet.loops.ir import For, Let, Load, Store
from symnet.loops.polynomials import Poly, constant, multiply

ROW = "%row"  # stands for the number of an iteration in polynomials
BLOCK = 16  # bytes within which vector units interleave


def turned_loads(e: Emitter, loop: For, size: int, extent: V) -> dict[int, list[V]]:
    """By the identity of a load, its vector in each of the loop's iterations: `extent`, at most `size`."""
    if e.lanes < 2 or ((size % e.lanes or not extent.constant) and not e.target.masks):
        return {}
    if e.real is not None and not e.real.constant and e.number:
        return {}  # perhaps no lane counts, so that there is no row to read
    stored, found = e.stored(loop.body), {}
    for load in _loads(loop):
        place = e.place(load.buffer)
        if place.size in (4, 8) and place.alias not in stored:
            rows = _rows(e, loop, place, load, size, extent)
            if rows is not None:
                found[id(load)] = rows
    return found


def _loads(loop: For) -> Iterator[Load]:
    for stmt in loop.body:
        if isinstance(stmt, Let | Store):
            yield from computed_with(stmt.value)


def _rows(e: Emitter, loop: For, place: BufferPlace, load: Load, size: int, extent: V) -> list[V] | None:
    """The vectors of a load that is strided along the lanes and contiguous along the loop; None of others."""
    if any(affine.step(index, loop.var) is None for index in load.index):  # each iteration reads a row of its own
        return None
    before = e.integers.get(loop.var)
    e.integers[loop.var] = {(ROW,): 1}
    flat = offset(e, place, load.index)
    del e.integers[loop.var]
    if before is not None:
        e.integers[loop.var] = before
    if flat.pop((ROW,), 0) != 1 or any(ROW in monomial for monomial in flat):
        return None
    along: Poly = {}
    for monomial in [m for m in flat if any(e.atoms[name].lanes for name in m)]:
        if monomial.count(LANE) != 1 or any(e.atoms[name].lanes for name in monomial if name != LANE):
            return None
        along[tuple(name for name in monomial if name != LANE)] = flat.pop(monomial)
    if not along or along in ({(): 1}, {(): -1}, {(): 2}):
        return None
    square = _Square(e, place, point(e, place, dict(flat)), along, extent)
    return [column for begin in range(0, size, e.lanes) for column in square.columns(begin)][:size]


@dataclass(frozen=True)
class _Square:
    """As many elements as there are lanes, both ways.

    Attributes:
        start: the first element of the first row.
        along: the distance between rows.
        extent: of the columns.
    """

    e: Emitter
    place: BufferPlace
    start: V
    along: Poly
    extent: V

    def columns(self, begin: int) -> list[V]:
        """The vectors of the columns from `begin` on; any vector where there is none."""
        rows = [self._row(lane, begin) for lane in range(self.e.lanes)]
        return transposed(self.e, rows, BLOCK // self.place.size)

    def _row(self, lane: int, begin: int) -> V:
        """What a lane's row has in these columns; where the lane does not count, whatever is at hand."""
        e, place, row = self.e, self.place, constant(lane)
        if e.real is not None and lane:
            if e.real.constant and lane >= int(e.real.text):
                return V("poison", place.memory, e.lanes)
            last = e.text.binary("sub", e.real, literal(1, e.real.scalar))
            row = opaque(e, to_index(e, e.text.intrinsic("smin", last, literal(lane, last.scalar))), True)
        pointer = step(e, place, self.start, integer(e, multiply(self.along, row))) if lane else self.start
        pointer = step(e, place, pointer, literal(begin, e.index)) if begin else pointer
        return neighbouring(e, place, ElementAddress(pointer, 1, None, place.size), self._mask(begin))

    def _mask(self, begin: int) -> V | None:
        e, extent = self.e, self.extent
        if extent.constant:
            left = int(extent.text) - begin
            return None if left >= e.lanes else e.first(literal(left, e.index))
        return e.first(e.text.binary("sub", extent, literal(begin, extent.scalar)))


def transposed(e: Emitter, rows: Sequence[V], block: int) -> list[V]:
    """A square of vectors, its rows and columns exchanged; `block` elements have 16 bytes."""
    lanes = len(rows)
    block = min(block, lanes)
    inside = list(rows)
    width = 1
    places = [0]  # of columns among the vectors of a group, whose block q is then that column in block q of its rows
    while width < block:
        inside = _interleaved(e, inside, width, block)
        places = [*(2 * k for k in places), *(2 * k + 1 for k in places)]
        width *= 2
    groups = range(lanes // block)
    by_column = [[inside[group * block + places[column]] for group in groups] for column in range(block)]
    turned = [_exchanged(e, vectors, block) for vectors in by_column]
    return [turned[k % block][k // block] for k in range(lanes)]


def _interleaved(e: Emitter, rows: list[V], width: int, block: int) -> list[V]:
    """Rows r and r + width of each group, `width` elements of either in turn: first halves of blocks, then second."""
    lanes, half = len(rows), block // 2
    made = list(rows)
    for row in (r for r in range(lanes) if not r & width):
        for second in (0, 1):
            picks = [
                begin + second * half + at + which * lanes
                for begin in range(0, lanes, block)
                for at, which in _turns(half, width)
            ]
            made[row + second * width] = picked(e, rows[row], rows[row + width], picks)
    return made


def _turns(half: int, width: int) -> Iterator[tuple[int, int]]:
    for begin in range(0, half, width):
        for which in (0, 1):
            for k in range(width):
                yield begin + k, which


def _exchanged(e: Emitter, rows: list[V], block: int) -> list[V]:
    """Vectors of as many blocks as there are vectors: block q of vector g becomes block g of vector q."""
    made, groups = list(rows), len(rows)
    distance = groups // 2
    while distance:
        for one in (r for r in range(groups) if not r & distance):
            first, second = made[one], made[one + distance]
            lower = [q if not q & distance else groups + q - distance for q in range(groups)]
            upper = [q + distance if not q & distance else groups + q for q in range(groups)]
            made[one], made[one + distance] = (
                picked(e, first, second, [q * block + k for q in picks for k in range(block)])
                for picks in (lower, upper)
            )
        distance //= 2
    return made
