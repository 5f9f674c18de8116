"""Vector loops: plain loops where iterations share nothing, else cut into chunks of lanes.

In: a loop with a `LaneCut`.  Out: one loop of C over all iterations, which are independent; or, where lanes add up to
one element, the chunks of `loops/chunks.py`, each a loop over its lanes with an accumulator for every lane.

gcc takes a loop of few iterations apart before it looks for vectors, and what is left it seldom joins again: such a
loop is marked to be left whole, and cut into vectors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from symnet.backends.c99.emitter import CEmitter
from symnet.backends.c99.integers import evaluate, poly_text
from symnet.backends.c99.prelude import prelude, whole
from symnet.backends.c99.reductions import LaneSums
from symnet.errors import CompileError, explain
from symnet.loops import affine
from symnet.loops.chunks import SUMS, Chunk, chunks, in_rows
from symnet.loops.ir import Body, For, IntConst, LaneCut, Store, walk
from symnet.loops.polynomials import Poly, add, known
from symnet.loops.printer import stmt_line

WriteBody = Callable[[CEmitter, Body], None]
_ONE = IntConst(1)
MOST_TAKEN_APART = 16  # iterations of a loop that gcc writes out one by one before it looks for vectors


def shares_elements(loop: For) -> bool:
    """Whether lanes of a vector loop combine into one element."""
    return any(True for _ in _shared(loop))


def _shared(loop: For) -> Iterator[Store]:
    for stmt in walk(loop.body):
        if isinstance(stmt, Store) and stmt.combine and not any(loop.var in affine.names(i) for i in stmt.index):
            yield stmt


def emit_short(e: CEmitter, loop: For, lanes: int, size: int, emit_body: WriteBody) -> None:
    """A vector loop of few iterations that share nothing: a loop for each vector, where vectors fill it."""
    name = e.unit.names.of("integer", loop.var)
    if size <= lanes or size % lanes:
        with e.block(f"{whole(e.unit)} {_over(name, str(size))}"):
            e.bind(loop.var, name)
            emit_body(e, loop.body)
        return
    chunk, lane = (e.unit.names.of("integer", f"{name}_{word}") for word in ("chunk", "lane"))
    e.natural |= {chunk, lane}
    with e.block(_over(chunk, str(size // lanes))), e.block(f"{whole(e.unit)} {_over(lane, str(lanes))}"):
        e.integers[loop.var] = {(chunk,): lanes, (lane,): 1}
        emit_body(e, loop.body)


def _over(variable: str, count: str, begin: str = "0") -> str:
    """The head of a loop."""
    return f"for (int64_t {variable} = {begin}; {variable} < {count}; ++{variable})"


def emit_shared(e: CEmitter, loop: For, cut: LaneCut, emit_body: WriteBody) -> None:
    """A vector loop whose lanes share elements."""
    _refuse_moving(loop)
    writer = _ChunkWriter(e, loop, cut, emit_body)
    extent = evaluate(e, loop.extent)
    with e.block():
        at = len(e.lines)
        size = known(extent)
        if size is not None:
            writer.constant_extent(size)
        else:
            e.line(f"const int64_t {writer.end} = {poly_text(extent)};")
            at += 1
            (writer.run_time_extent if cut.row else writer.bounded_extent)()
        written, e.lines[at:] = e.lines[at:], []
        writer.sums.declare(e)
        e.lines += written
        writer.sums.finish(e)


def _refuse_moving(loop: For) -> None:
    """An element that moves inside the loop takes each chunk's lanes at once, which is not written here."""
    inner = {s.var for s in walk(loop.body) if isinstance(s, For) and s.kind != "unroll" and s.extent != _ONE}
    for stmt in _shared(loop):
        if any(affine.names(i) & inner or affine.int_loads(i) for i in stmt.index):
            raise CompileError(
                explain(
                    f"C99 of `{stmt_line(loop)}`",
                    "an element shared by all lanes that stays where it is",
                    f"`{stmt_line(stmt)}`",
                    "Make the vector loop serial, or compile with LLVM.",
                )
            )


class _ChunkWriter:
    """Writes the chunks of one loop; variables of C are named after the loop's own."""

    def __init__(self, e: CEmitter, loop: For, cut: LaneCut, emit_body: WriteBody) -> None:
        self.e, self.loop, self.cut, self.emit_body = e, loop, cut, emit_body
        names = e.unit.names
        self.variable = names.of("integer", loop.var)
        self.end, self.row_number, self.chunk_number, self.lane = (
            names.of("integer", f"{self.variable}_{word}") for word in ("end", "row", "chunk", "lane")
        )
        self.sums = LaneSums(self.variable)

    # ---- loops of C

    @contextmanager
    def over(self, variable: str, count: str, begin: str = "0") -> Iterator[None]:
        self.e.natural.add(variable)
        short = variable == self.lane and count.isdigit() and int(count) <= MOST_TAKEN_APART
        with self.e.block(f"{whole(self.e.unit)} " * short + _over(variable, count, begin)):
            yield

    def lanes(self, start: Poly, count: str, lanes: int, rows: tuple[int, ...], row: str) -> None:
        """A loop over lanes: the loop's variable is start + lane."""
        e = self.e
        self.sums.chunk(lanes, self.lane, rows, row)
        with self.over(self.lane, count):
            e.integers[self.loop.var] = add(start, {(self.lane,): 1})
            e.reductions = self.sums
            self.emit_body(e, self.loop.body)
            e.reductions = None

    def single(self, index: Poly) -> None:
        """An iteration by itself."""
        self.e.integers[self.loop.var] = index
        self.emit_body(self.e, self.loop.body)

    # ---- whole loops

    def constant_extent(self, size: int) -> None:
        repeated = in_rows(size, self.cut)
        if repeated:
            self.rows(str(repeated // self.cut.row))
        rest = list(chunks(size, self.cut, repeated))
        full = [chunk for chunk in rest if chunk.real == chunk.lanes == self.cut.lanes]
        if not self.cut.row and len(full) > 1:
            self.numbered(full)
            rest = rest[len(full) :]
        for chunk in rest:
            self.known_chunk(chunk)

    def rows(self, count: str) -> None:
        """A loop over rows of chunks, from the first element on."""
        row, lanes = self.cut.row, self.cut.lanes
        start: Poly = {(self.row_number,): row * lanes}
        with self.over(self.row_number, count):
            if row == 1:
                self.lanes(start, str(lanes), lanes, (0,), "0")
                return
            with self.over(self.chunk_number, str(row)):
                inside = add(start, {(self.chunk_number,): lanes})
                self.lanes(inside, str(lanes), lanes, tuple(range(row)), self.chunk_number)

    def numbered(self, full: list[Chunk]) -> None:
        """Chunks of all lanes, one after the other, each with the sum of its number."""
        lanes, numbers = self.cut.lanes, tuple(chunk.number for chunk in full)
        with self.over(self.chunk_number, str(len(full))):
            self.lanes({(self.chunk_number,): lanes}, str(lanes), lanes, numbers, self.row_of(len(full)))

    def row_of(self, count: int) -> str:
        """Which sum the chunk goes to that a variable numbers."""
        return self.chunk_number if count <= SUMS else f"{self.chunk_number} % {SUMS}"

    def known_chunk(self, chunk: Chunk) -> None:
        start: Poly = {(): chunk.start} if chunk.start else {}
        if chunk.lanes:
            number = chunk.number % SUMS
            self.lanes(start, str(chunk.real), chunk.lanes, (number,), str(number))
        else:
            with self.e.block():
                self.single(start)

    def run_time_extent(self) -> None:
        row, lanes = self.cut.row, self.cut.lanes
        self.rows(f"{self.end}/{row * lanes}")
        if row > 1:
            with self.over(self.row_number, f"{self.end}/{lanes}", f"{self.end}/{row * lanes}*{row}"):
                self.lanes({(self.row_number,): lanes}, str(lanes), lanes, (0,), "0")
        if self.cut.tail == "whole":
            atom = f"({self.end}/{lanes})"
            self.e.natural.add(atom)
            self.lanes({(atom,): lanes}, f"{self.end} % {lanes}", lanes, (0,), "0")
        else:
            with self.over(self.variable, self.end, f"{self.end}/{lanes}*{lanes}"):
                self.single({(self.variable,): 1})

    def bounded_extent(self) -> None:
        """Chunks up to the bound, of as many lanes as there are iterations."""
        lanes = self.cut.lanes
        count = -(-(self.loop.bound or 0) // lanes)
        least = prelude(self.e.unit, "least", "int64")
        if count == 1:
            self.lanes({}, f"{least}({self.end}, {lanes})", lanes, (0,), "0")
            return
        with self.over(self.chunk_number, str(count)):
            left = f"{least}({self.end} - {lanes}*{self.chunk_number}, {lanes})"
            start: Poly = {(self.chunk_number,): lanes}
            self.lanes(start, left, lanes, tuple(range(count)), self.row_of(count))
