"""Vector loops: cut into chunks of lanes, each chunk written whole.

In: `For(kind="vector")`.  Out: full chunks (unrolled when few, else a loop), then a tail: masked where the
target masks cheaply, else exact narrower vectors and scalars.  How an extent is cut depends on the extent and
the target alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from symnet.backends.llvm.emitter import Emitter, Poly
from symnet.backends.llvm.facts import BodyFacts
from symnet.backends.llvm.integers import evaluate
from symnet.backends.llvm.polynomials import add, integer, is_natural, known, opaque
from symnet.backends.llvm.reductions import Accumulators
from symnet.backends.llvm.types import V, constant, first_lanes, lane_numbers
from symnet.loops.ir import Body, For
from symnet.schedule.target import Target

UNROLLED_CHUNKS = 8
UNROLLED_WEIGHT = 256  # instructions in a row that are still worth unrolling
MASKED_CHUNKS = 2  # a bounded extent of so many vectors is written as masked chunks, without a loop

EmitBody = Callable[[Emitter, Body], None]


class Chunk(NamedTuple):
    """A chunk known at compile time: `lanes` wide (0: one scalar), of which the first `real` count."""

    start: int
    lanes: int
    real: int


def lanes_of(target: Target, facts: BodyFacts) -> int:
    """Lanes of the loop: as many of its widest reals as a register holds (of its integers, without reals)."""
    return max(1, target.vector_bits // (8 * max(4, facts.itemsize or 8)))


def tail(start: int, rest: int, lanes: int, masks: bool) -> Iterator[Chunk]:
    """The pieces of a remainder of `rest` < `lanes` elements."""
    while rest:
        width = 1 << (rest.bit_length() - 1)
        if masks and rest > width:
            yield Chunk(start, 2 * width, rest)
            return
        yield Chunk(start, width if width > 1 else 0, width)
        start, rest = start + width, rest - width


def emit_vector(e: Emitter, loop: For, emit_body: EmitBody) -> None:
    """A whole vector loop (more than one lane, and not inside another vector loop)."""
    facts = e.facts(loop.body)
    writer = _Writer(e, loop, emit_body, facts, lanes_of(e.target, facts))
    extent = evaluate(e, loop.extent)
    outer, e.reductions = e.reductions, Accumulators(e.text.depth)
    size = known(extent)
    if size is not None:
        writer.constant_extent(size)
    elif loop.bound is not None and (writer.tile or loop.bound <= MASKED_CHUNKS * writer.lanes):
        writer.bounded_extent(extent, loop.bound)
    else:
        writer.run_time_extent(extent)
    e.reductions.finish(e)
    e.reductions = outer


class _Writer:
    """Writes the chunks of one loop."""

    def __init__(self, e: Emitter, loop: For, emit_body: EmitBody, facts: BodyFacts, lanes: int) -> None:
        self.e, self.loop, self.emit_body, self.facts, self.lanes = e, loop, emit_body, facts, lanes
        self.tile = loop.var in facts.tiles
        self.stored = e.stored(loop.body)

    # ---- one chunk

    def chunk(self, start: Poly, lanes: int, mask: V | None, copy: int) -> None:
        e = self.e
        kept = e.reductions
        if not lanes:
            e.reductions = None
        e.enter_chunk(self.loop.var, start, lanes, mask, copy)
        self.emit_body(e, self.loop.body)
        e.leave_chunk()
        e.reductions = kept

    def piece(self, piece: Chunk, copy: int) -> None:
        mask = first_lanes(piece.real, piece.lanes) if piece.lanes > piece.real else None
        self.chunk({(): piece.start} if piece.start else {}, piece.lanes, mask, copy)

    def loop_over(self, count: V, surely: bool, body: Callable[[V], None]) -> None:
        e = self.e

        def write(variable: V) -> None:
            e.atoms[variable.text] = variable
            e.unsigned.add(variable.text)
            body(variable)

        e.text.loop(count, surely, self.stored, not self.facts.loops, write)

    # ---- whole loops

    def constant_extent(self, size: int) -> None:
        e = self.e
        e.whole, kept = size, e.whole
        full, rest = divmod(max(size, 0), self.lanes)
        if self.tile or (full <= UNROLLED_CHUNKS and full * self.facts.weight <= UNROLLED_WEIGHT):
            done = 0
        else:
            unroll = self.unroll()
            done = full // unroll * unroll
            self.groups(constant(full // unroll, e.index), full >= unroll, unroll, {})
        for number in range(done, full):
            self.piece(Chunk(number * self.lanes, self.lanes, self.lanes), number)
        for piece in tail(full * self.lanes, rest, self.lanes, e.target.masks):
            self.piece(piece, full)
        e.whole = kept

    def unroll(self) -> int:
        """Chunks written in a row inside a loop over chunks."""
        if self.facts.loops:
            return 1
        return 4 if self.facts.weight <= (16 if self.facts.reduces else 6) else 2 if self.facts.weight <= 16 else 1

    def groups(self, count: V, surely: bool, unroll: int, start: Poly) -> None:
        """A loop over groups of `unroll` chunks, from element `start`."""

        def group(variable: V) -> None:
            first = add(start, {(variable.text,): unroll * self.lanes})
            for number in range(unroll):
                self.chunk(add(first, {(): number * self.lanes} if number else {}), self.lanes, None, number)

        self.loop_over(count, surely, group)

    def run_time_extent(self, extent: Poly) -> None:
        e, text = self.e, self.e.text
        size = integer(e, extent)
        if not is_natural(e, extent):
            size = text.intrinsic("smax", size, constant(0, e.index))
        full = text.binary("udiv", size, constant(self.lanes, e.index))
        unroll, start = self.unroll(), {}
        if unroll > 1:
            many = text.binary("udiv", size, constant(unroll * self.lanes, e.index))
            self.groups(many, False, unroll, {})
            start = opaque(e, text.binary("mul", many, constant(unroll * self.lanes, e.index)), True)
            full = text.binary("sub", full, text.binary("mul", many, constant(unroll, e.index)))
        self.groups(full, False, 1, start)
        rest = text.binary("urem", size, constant(self.lanes, e.index))
        self.run_time_tail(opaque(e, text.binary("sub", size, rest), True), rest)

    def run_time_tail(self, start: Poly, rest: V) -> None:
        e, text = self.e, self.e.text
        if e.target.masks:
            some = text.binary("icmp ne", rest, constant(0, e.index), "i1")
            text.branch(some, lambda: self.chunk(start, self.lanes, self.mask(rest), 0))
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
                self.chunk({(): first} if first else {}, self.lanes, self.mask(left), number)

        text.branch(text.binary("icmp sgt", size, constant(0, e.index), "i1"), chunks)

    def mask(self, left: V) -> V:
        """The first `left` lanes; all of them when `left` is greater, none when it is negative."""
        text, lanes = self.e.text, self.lanes
        within = text.intrinsic("smin", left, constant(lanes, left.scalar))
        narrow = text.convert("trunc", within, "i32") if within.scalar == "i64" else within
        return text.binary("icmp slt", lane_numbers("i32", lanes), narrow, "i1")
