"""How far rows reach: which rows, beside those of its superblock, a value is computed for, as others need them.

before: for r: h[r] = f(x[r]);   for r: y[r] = h[r + 1] - h[r]          in superblocks of 256 rows
after:  of each superblock 257 rows of h, then 256 of y: the last row of h is computed again with the next superblock

In: the row nests of a sweep and its sums.  Out: for each nest and each buffer the rows, beside those of a superblock;
and in which phase a nest runs: a unit of rows may read what the same unit stored, and rows of other units in a later
phase.
A nest that stores row r + 1 where it reads row r, as `pad` does, computes the rows that end where the superblock of its
result ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from symnet.loops.accesses import Access
from symnet.loops.affine import constant_difference
from symnet.loops.ir import IntVar
from symnet.lower.nest import Axis, Nest
from symnet.schedule.access import accesses, base_name, stores, written_names

Span = tuple[int, int]  # rows before the begin of a superblock (at most 0, of a buffer), and after its end
NONE: Span = (0, 0)
MADE = ("workspace", "output")  # where nests store


@dataclass
class Reach:
    """Of one sweep.

    Attributes:
        buffers: the name of a buffer's memory → the rows that are needed.
        spans: the id of a nest → the rows of its own that it computes.
        levels: the id of a nest → its phase, from 0.
    """

    buffers: dict[str, Span] = field(default_factory=dict)
    spans: dict[int, Span] = field(default_factory=dict)
    levels: dict[int, int] = field(default_factory=dict)

    @property
    def places(self) -> int:
        """The most rows beside those of a superblock."""
        return max((high - low for low, high in (*self.buffers.values(), *self.spans.values())), default=0)

    def of(self, level: int, nests: Iterable[Nest]) -> list[Nest]:
        return [nest for nest in nests if self.levels[id(nest)] == level]


def row_of(nest: Nest) -> Axis | None:
    """The axis of a nest that runs over a batch, if there is one."""
    found = [axis for axis in nest.axes if axis.batch]
    return found[0] if len(found) == 1 else None


def shift(access: Access, row: str) -> int | None:
    """How many places after row `row` of a batch an access is; None where that is no number."""
    buffer, index = access
    assert buffer.batch_axis is not None
    return constant_difference(index[buffer.batch_axis], IntVar(row))


def reach(rows: Iterable[Nest], reduces: Iterable[Nest]) -> Reach:
    """The rows that the nests of a sweep compute."""
    rows, found = list(rows), Reach()
    made = frozenset[str]().union(*map(written_names, rows))
    for nest in reduces:
        for name, places in _read(nest, made):
            _widen(found.buffers, name, (places, places))
    for nest in reversed(rows):
        wanted = [(low - s, high - s) for name, s in _written(nest) for low, high in [found.buffers.get(name, NONE)]]
        span = min((low for low, _ in wanted), default=0), max((high for _, high in wanted), default=0)
        found.spans[id(nest)] = span
        for name, places in (*_written(nest), *_read(nest, made)):
            _widen(found.buffers, name, (span[0] + places, span[1] + places))
    _find_levels(rows, made, found)
    return found


def _widen(buffers: dict[str, Span], name: str, span: Span) -> None:
    low, high = buffers.get(name, NONE)
    buffers[name] = min(low, span[0]), max(high, span[1])


def _find_levels(rows: Iterable[Nest], made: frozenset[str], found: Reach) -> None:
    before: dict[str, list[tuple[int, int, bool]]] = {}  # the level, the first row of unit 0, whether it stores
    for nest in rows:
        begin, level = found.spans[id(nest)][0], 0
        here = [(name, s, True) for name, s in _written(nest)] + [(name, s, False) for name, s in _read(nest, made)]
        for name, places, writes in here:
            for earlier, first, wrote in before.get(name, ()):
                if writes or wrote:
                    level = max(level, earlier + (first != begin + places))
        found.levels[id(nest)] = level
        for name, places, writes in here:
            before.setdefault(name, []).append((level, begin + places, writes))


def _written(nest: Nest) -> Iterator[tuple[str, int]]:
    """What a nest stores to of its own batch, and at which place after its row."""
    return _touched(nest, [(s.buffer, s.index) for s in stores(nest)])


def _read(nest: Nest, made: frozenset[str]) -> list[tuple[str, int]]:
    stored = [(s.buffer, s.index) for s in stores(nest)]
    return [x for x in _touched(nest, [a for a in accesses(nest) if a not in stored]) if x[0] in made]


def _touched(nest: Nest, found: Iterable[Access]) -> Iterator[tuple[str, int]]:
    axis = row_of(nest)
    assert axis is not None
    for access in found:
        if access[0].batch_axis is not None and access[0].batch == axis.batch and access[0].space in MADE:
            places = shift(access, axis.var)
            assert places is not None
            yield base_name(access[0]), places


def united(reaches: Iterable[Reach]) -> Mapping[str, Span]:
    """The rows that buffers hold, those of any sweep."""
    found: dict[str, Span] = {}
    for one in reaches:
        for name, span in one.buffers.items():
            _widen(found, name, span)
    return found
