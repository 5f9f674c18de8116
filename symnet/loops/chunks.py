"""The chunks of a vector loop, and the sums that they go to: the order in which lanes are added up.

In: an extent and a `LaneCut`.  Out: the chunks in their order.

`lanes` are the iterations of a chunk.  `row` chunks stand in a row, each with a sum of its own, and a loop may repeat
the row (0: all chunks are one row).  `tail` says what becomes of iterations that fill no chunk: chunks of fewer lanes,
each a power of two ("narrow"); one chunk "rounded" up to a power of two, or a "whole" one, of which some lanes do not
count; each iteration by itself ("single").

A store that combines into an element which all lanes share is a reduction.  Each chunk adds its lanes to those of one
of `SUMS` accumulators of its width, chosen by the chunk's number; an iteration by itself goes straight to the element.
At the end the accumulators of a width are added in pairs (`tree`), then the halves of the lanes of what is left, and
the element takes the result, that of the widest first.  Where the element's address changes inside the loop, it takes
each chunk's lanes at once, after the same halves.  Machine code and interpreter both go by this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from symnet.loops.ir import LaneCut

SUMS = 4  # accumulators in flight: enough to hide the latency of an addition
T = TypeVar("T")


class Chunk(NamedTuple):
    """Iterations start … start + real - 1, in `lanes` lanes (0: one iteration by itself); `number` chooses the sum."""

    start: int
    lanes: int
    real: int
    number: int


def in_rows(extent: int, cut: LaneCut) -> int:
    """How many chunks stand in whole rows, which a loop may repeat."""
    full = max(extent, 0) // cut.lanes
    return full // cut.row * cut.row if cut.row else 0


def chunks(extent: int, cut: LaneCut, first: int = 0) -> Iterator[Chunk]:
    """The chunks of a loop in order, from the one at place `first` on."""
    full, rest = divmod(max(extent, 0), cut.lanes)
    repeated = in_rows(extent, cut)
    numbered = not cut.row or cut.tail in ("narrow", "rounded")
    for chunk in range(first, full):
        number = chunk % cut.row if chunk < repeated else chunk if numbered else 0
        yield Chunk(chunk * cut.lanes, cut.lanes, cut.lanes, number)
    yield from _tail(full * cut.lanes, rest, cut, full if numbered else 0)


def _tail(start: int, rest: int, cut: LaneCut, number: int) -> Iterator[Chunk]:
    """The chunks of a remainder of `rest` < `cut.lanes` iterations."""
    if cut.tail == "single":
        yield from (Chunk(start + k, 0, 1, 0) for k in range(rest))
    elif cut.tail == "whole":
        yield from (Chunk(start, cut.lanes, rest, number),) if rest else ()
    else:
        yield from _narrower(start, rest, cut.tail == "rounded", number)


def _narrower(start: int, rest: int, rounded: bool, number: int) -> Iterator[Chunk]:
    """Powers of two, the largest first; `rounded` up once where one does not do."""
    while rest:
        width = 1 << (rest.bit_length() - 1)
        if rounded and rest > width:
            yield Chunk(start, 2 * width, rest, number)
            return
        yield Chunk(start, width if width > 1 else 0, width, number)
        start, rest = start + width, rest - width


def tree(parts: Sequence[T], add: Callable[[T, T], T]) -> T:
    """Neighbours added in pairs until one is left; an odd one out waits."""
    parts = list(parts)
    while len(parts) > 1:
        pairs = [add(a, b) for a, b in zip(parts[::2], parts[1::2], strict=False)]
        parts = pairs + parts[2 * len(pairs) :]
    return parts[0]
