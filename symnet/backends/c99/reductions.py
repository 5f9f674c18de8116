"""Combining stores into an element that all lanes share: accumulators for each lane, summed in a fixed tree.

In: one value per lane, chunk after chunk.  Out: the element updated once, after the loop, in the order of
`loops/chunks.py`.  A lane's accumulators are elements of an array of C's, so that a compiler may keep them in vectors.

Not handled: an element whose address changes inside the vector loop (`vectors.py` refuses it).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from symnet.backends.c99.emitter import CEmitter
from symnet.backends.c99.memory import load, store, update
from symnet.backends.c99.ops import combine, identity
from symnet.backends.c99.types import C_TYPE, CAddend, CValue
from symnet.loops.chunks import SUMS, tree


@dataclass
class ElementSums:
    """The accumulators of one element and one width: an array of C, and which of its rows are used, in that order."""

    array: str
    how: str
    dtype: str
    lanes: int
    rows: list[int]


class LaneSums:
    """The accumulators of one vector loop; `chunk` is set before each chunk is written.

    `lanes` and `lane` are its width and the variable that numbers its lanes; `rows` are the sums that its iterations go
    to, and `row` says in C to which.
    """

    def __init__(self, variable: str) -> None:
        self.variable = variable
        self.lanes, self.lane, self.row = 0, "", "0"
        self.rows: tuple[int, ...] = (0,)
        self._elements: dict[tuple[str, str], dict[int, ElementSums]] = {}

    def chunk(self, lanes: int, lane: str, rows: tuple[int, ...], row: str) -> None:
        """What is written next are chunks of so many lanes."""
        self.lanes, self.lane = lanes, lane
        self.rows = tuple(dict.fromkeys(number % SUMS for number in rows))
        self.row = row

    def accumulate(self, e: CEmitter, element: str, how: str, addend: CAddend, dtype: str) -> None:
        """Take one value of the lane that is being written."""
        widths = self._elements.setdefault((element, how), {})
        sums = widths.get(self.lanes)
        if sums is None:
            name = f"{self.variable}_sums{list(self._elements).index((element, how)) or ''}"
            array = e.unit.names.of("sums", f"{name}_of_{self.lanes}" if widths else name)
            sums = widths[self.lanes] = ElementSums(array, how, dtype, self.lanes, [])
        sums.rows += [row for row in self.rows if row not in sums.rows]
        update(e, f"{sums.array}[{self.row}][{self.lane}]", how, addend)

    def declare(self, e: CEmitter) -> None:
        """The arrays, each element at the value that changes nothing."""
        for sums in self._all():
            rows = max(sums.rows) + 1
            head = f"{C_TYPE[sums.dtype]} {sums.array}[{rows}][{sums.lanes}]"
            if sums.how == "add":
                e.line(f"{head} = {{{{0}}}};")
                continue
            e.line(f"{head};")
            row, lane = f"{self.variable}_row", f"{self.variable}_lane"
            with e.block(f"for (int {row} = 0; {row} < {rows}; ++{row})"), e.block(_lanes(lane, sums.lanes)):
                store(e, f"{sums.array}[{row}][{lane}]", identity(e.unit, sums.how, sums.dtype))

    def _all(self) -> list[ElementSums]:
        return [sums for widths in self._elements.values() for sums in widths.values()]

    def finish(self, e: CEmitter) -> None:
        """Sum the accumulators and update each element once."""
        for (element, how), widths in self._elements.items():
            for lanes in sorted(widths, reverse=True):
                sums = widths[lanes]
                self._tree(e, sums)
                self._halves(e, sums)
                update(e, element, how, (_at(sums, sums.rows[0], "0"),))

    def _tree(self, e: CEmitter, sums: ElementSums) -> None:
        """The rows of accumulators added in pairs, lane by lane."""
        if len(sums.rows) == 1:
            return
        lane = f"{self.variable}_lane"
        with e.block(_lanes(lane, sums.lanes)):
            parts = [_at(sums, row, lane) for row in sums.rows]
            store(e, _text(sums, sums.rows[0], lane), tree(parts, partial(_pair, e, sums.how)))

    def _halves(self, e: CEmitter, sums: ElementSums) -> None:
        """The lanes combined: their halves, the halves of these, …"""
        lane, half, row = f"{self.variable}_lane", sums.lanes // 2, sums.rows[0]
        while half:
            place = lane if half > 1 else "0"
            other = f"{lane} + {half}" if half > 1 else "1"
            value = combine(e.unit, sums.how, _at(sums, row, place), (_at(sums, row, other),))
            if half > 1:
                with e.block(_lanes(lane, half)):
                    store(e, _text(sums, row, place), value)
            else:
                store(e, _text(sums, row, place), value)
            half //= 2


def _lanes(lane: str, count: int) -> str:
    return f"for (int {lane} = 0; {lane} < {count}; ++{lane})"


def _text(sums: ElementSums, row: int, lane: str) -> str:
    return f"{sums.array}[{row}][{lane}]"


def _at(sums: ElementSums, row: int, lane: str) -> CValue:
    return load(_text(sums, row, lane), sums.dtype)


def _pair(e: CEmitter, how: str, a: CValue, b: CValue) -> CValue:
    return combine(e.unit, how, a, (b,))
