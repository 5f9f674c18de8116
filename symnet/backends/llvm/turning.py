"""Squares that are read across: rows of memory loaded as vectors, and turned in registers.

before: for k in K (vector of 4):  for j in 4 (unroll):  … B[k, j] …         four gathers of four lanes
after:  four loads of B[k + lane, 0:4], eight shuffles, and vector j is B[k:k + 4, j]

In: an unrolled loop inside a vector loop.  Out: the vectors of its loads, one for each of its iterations.
Within 16 bytes neighbours are interleaved, as vector units do best; then blocks of 16 bytes change places (Eklundh, "A
fast computer method for matrix transposing", 1972).

Not handled: masked chunks, loads of memory that the loop stores to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from symnet.backends.llvm.addresses import point, step
from symnet.backends.llvm.emitter import LANE, BufferPlace, Emitter
from symnet.backends.llvm.integers import offset
from symnet.backends.llvm.memory import picked
from symnet.backends.llvm.polynomials import integer
from symnet.backends.llvm.types import V, vector
from symnet.loops.accesses import computed_with
from symnet.loops.ir import For, Let, Load, Store
from symnet.loops.polynomials import Poly, constant, multiply

ROW = "%row"  # stands for the number of an iteration in polynomials
BLOCK = 16  # bytes within which vector units interleave


def turned_loads(e: Emitter, loop: For, size: int) -> dict[int, list[V]]:
    """By the identity of a load, its vector in each of the loop's iterations."""
    if e.mask is not None or e.lanes < 2 or size % e.lanes:
        return {}
    stored, found = e.stored(loop.body), {}
    for load in _loads(loop):
        place = e.place(load.buffer)
        if place.size in (4, 8) and place.alias not in stored:
            rows = _rows(e, loop, place, load, size)
            if rows is not None:
                found[id(load)] = rows
    return found


def _loads(loop: For) -> Iterator[Load]:
    for stmt in loop.body:
        if isinstance(stmt, Let | Store):
            yield from computed_with(stmt.value)


def _rows(e: Emitter, loop: For, place: BufferPlace, load: Load, size: int) -> list[V] | None:
    """The vectors of a load that is strided along the lanes and contiguous along the loop; None of others."""
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
    return [row for begin in range(0, size, e.lanes) for row in _square(e, place, flat, along, begin)]


def _square(e: Emitter, place: BufferPlace, flat: Poly, along: Poly, begin: int) -> list[V]:
    """As many vectors as there are lanes, from column `begin` on."""
    start = point(e, place, dict(flat))
    rows = []
    for lane in range(e.lanes):
        pointer = step(e, place, start, integer(e, multiply(along, constant(lane)))) if lane else start
        pointer = step(e, place, pointer, integer(e, constant(begin))) if begin else pointer
        rhs = f"load {vector(place.memory, e.lanes)}, ptr {pointer.text}, align {place.size}"
        rows.append(e.text.load(place.memory, e.lanes, rhs, pointer.depth, place.alias))
    return transposed(e, rows, BLOCK // place.size)


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
