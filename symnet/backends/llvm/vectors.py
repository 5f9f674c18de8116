"""Vector loops: cut into chunks of lanes, each chunk written whole.

In: a loop with a `LaneCut`.  Out: its chunks, as `loops/chunks.py` has them: rows in a loop, the others one by one,
with masks where some lanes do not count.
"""

from __future__ import annotations

from collections.abc import Callable

from symnet.backends.llvm.emitter import EmitBody, Emitter
from symnet.backends.llvm.integers import evaluate
from symnet.backends.llvm.polynomials import integer, is_natural, opaque
from symnet.backends.llvm.reductions import Accumulators
from symnet.backends.llvm.types import V, constant
from symnet.loops.chunks import Chunk, chunks, in_rows
from symnet.loops.ir import For, LaneCut
from symnet.loops.polynomials import Poly, add, known


def emit_vector(e: Emitter, loop: For, cut: LaneCut, emit_body: EmitBody) -> None:
    """A whole vector loop (not inside another one)."""
    writer = _Writer(e, loop, cut, emit_body)
    extent = evaluate(e, loop.extent)
    outer, e.reductions = e.reductions, Accumulators(e.text.depth)
    size = known(extent)
    if size is not None:
        writer.constant_extent(size)
    elif cut.row:
        writer.run_time_extent(extent)
    else:
        writer.bounded_extent(extent, loop.bound or 0)
    e.reductions.finish(e)
    e.reductions = outer


class _Writer:
    """Writes the chunks of one loop."""

    def __init__(self, e: Emitter, loop: For, cut: LaneCut, emit_body: EmitBody) -> None:
        self.e, self.loop, self.cut, self.lanes, self.emit_body = e, loop, cut, cut.lanes, emit_body
        self.is_innermost = not e.facts(loop.body).loops
        self.stored = e.stored(loop.body)

    # ---- one chunk

    def chunk(self, start: Poly, lanes: int, real: V | None, number: int) -> None:
        """A chunk, of whose lanes the first `real` count (None: all)."""
        e = self.e
        kept = e.reductions
        if not lanes:
            e.reductions = None
        e.enter_chunk(self.loop.var, start, lanes, real, number)
        self.emit_body(e, self.loop.body)
        e.leave_chunk()
        e.reductions = kept

    def known_chunk(self, chunk: Chunk) -> None:
        real = constant(chunk.real, self.e.index) if chunk.lanes > chunk.real else None
        self.chunk({(): chunk.start} if chunk.start else {}, chunk.lanes, real, chunk.number)

    def loop_over(self, count: V, surely: bool, body: Callable[[V], None]) -> None:
        e = self.e

        def write(variable: V) -> None:
            e.atoms[variable.text] = variable
            e.unsigned.add(variable.text)
            body(variable)

        e.text.loop(count, surely, self.stored, self.is_innermost, write)

    # ---- whole loops

    def constant_extent(self, size: int) -> None:
        e = self.e
        e.whole, kept = size, e.whole
        repeated = in_rows(size, self.cut)
        if repeated:
            self.rows(constant(repeated // self.cut.row, e.index), True, self.cut.row, {})
        for chunk in chunks(size, self.cut, repeated):
            self.known_chunk(chunk)
        e.whole = kept

    def rows(self, count: V, surely: bool, row: int, start: Poly) -> None:
        """A loop over rows of chunks, from element `start`."""

        def write(variable: V) -> None:
            first = add(start, {(variable.text,): row * self.lanes})
            for number in range(row):
                self.chunk(add(first, {(): number * self.lanes} if number else {}), self.lanes, None, number)

        self.loop_over(count, surely, write)

    def run_time_extent(self, extent: Poly) -> None:
        e, text = self.e, self.e.text
        size = integer(e, extent)
        if not is_natural(e, extent):
            size = text.intrinsic("smax", size, constant(0, e.index))
        full = text.binary("udiv", size, constant(self.lanes, e.index))
        row, start = self.cut.row, {}
        if row > 1:
            many = text.binary("udiv", size, constant(row * self.lanes, e.index))
            self.rows(many, False, row, {})
            start = opaque(e, text.binary("mul", many, constant(row * self.lanes, e.index)), True)
            full = text.binary("sub", full, text.binary("mul", many, constant(row, e.index)))
        self.rows(full, False, 1, start)
        rest = text.binary("urem", size, constant(self.lanes, e.index))
        self.run_time_tail(opaque(e, text.binary("sub", size, rest), True), rest)

    def run_time_tail(self, start: Poly, rest: V) -> None:
        e, text = self.e, self.e.text
        if self.cut.tail == "whole":
            some = text.binary("icmp ne", rest, constant(0, e.index), "i1")
            text.branch(some, lambda: self.chunk(start, self.lanes, rest, 0))
        else:
            self.loop_over(rest, False, lambda v: self.chunk(add(start, {(v.text,): 1}), 0, None, 0))

    def bounded_extent(self, extent: Poly, bound: int) -> None:
        """Masked chunks up to the bound, entered if there is anything to do."""
        e, text = self.e, self.e.text
        size = integer(e, extent)

        def chunks() -> None:
            for number in range(-(-bound // self.lanes)):
                first = number * self.lanes
                left = text.binary("sub", size, constant(first, e.index)) if first else size
                self.chunk({(): first} if first else {}, self.lanes, left, number)

        text.branch(text.binary("icmp sgt", size, constant(0, e.index), "i1"), chunks)
