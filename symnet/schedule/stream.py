"""Streaming: the program in sweeps over superblocks of rows, so that its workspace does not grow with the batch.

In: nests.  Out: for each sweep, which nests run per row, which reduce over rows, and which run once before it.

Every nest is *free* (no batch axis), *row* (row i of its result needs row i, or rows a few places further), *reduce*
(sums rows up) or *mixed* (anything else: X Xᵀ, a reversal of the batch; what it reads is stored whole, and the report
says so).
A sweep ends where a row or a reduction needs a finished reduction.  A row value is computed in every sweep that needs
it, and in no other.  So exp(x - sum(x)) computes x = tanh(a) in both of its sweeps: what the first one computed, one
superblock at a time, is gone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from symnet.loops.accesses import Access
from symnet.loops.affine import constant_difference, step
from symnet.loops.ir import Buffer, IntConst, IntExpr, Store
from symnet.lower.axes import MOST_SHIFT
from symnet.lower.nest import Nest
from symnet.schedule.access import Readers, accesses, base_name, once_per_nest, read_names, readers, stores
from symnet.schedule.reach import MADE, reach, row_of, shift

SUPERBLOCK = 256  # rows of a superblock, at most
FREE, ROW, REDUCE, MIXED = "free", "row", "reduce", "mixed"
NO_ROWS: IntExpr = IntConst(0)
MOST_PLACES = SUPERBLOCK // 4  # rows that are computed again with each superblock
SWEPT = (ROW, REDUCE)  # run for every superblock of rows; the others run once, before the sweep of their number

# How many sweeps after a value's own its reader can run, if it runs once (before its sweep), and if it is swept.
# A row is read by what is swept with it, superblock by superblock; all rows together, and a sum over rows, are there
# when the sweep has ended, as they are for a sweep over another batch.
LATER = {FREE: (0, 0), MIXED: (0, 0), ROW: (1, 0), REDUCE: (1, 1)}


@dataclass
class Sweep:
    """One walk over the superblocks of a batch of some extent, and what runs once before it."""

    number: int = 0  # of the batch
    batch: IntExpr = NO_ROWS
    once: list[Nest] = field(default_factory=list)
    rows: list[Nest] = field(default_factory=list)
    reduces: list[Nest] = field(default_factory=list)

    @property
    def nests(self) -> list[Nest]:
        return [*self.once, *self.rows, *self.reduces]


@dataclass(frozen=True)
class StreamPlan:
    """Sweeps in order; `whole` names the workspace buffers that hold all rows, and not one superblock of them; `shifts`
    says whether rows may need rows a few places further.

    The last sweep may have nothing but `once`: what needs finished sums and walks over no rows.
    """

    sweeps: tuple[Sweep, ...]
    whole: frozenset[str]
    shifts: bool = True

    def readers(self) -> list[Readers]:
        """For each sweep: the name of a buffer's memory → how many nests read it.

        A streamed buffer is there in one sweep alone, and has the readers of that sweep; another one has those of all.
        """
        everywhere = readers(n for sweep in self.sweeps for n in sweep.nests)
        found = []
        for sweep in self.sweeps:
            streamed = {base_name(b) for n in sweep.nests for b, _ in accesses(n) if is_streamed(b, self.whole)}
            here = readers(sweep.nests)
            found.append(everywhere | {name: here.get(name, 0) for name in streamed})
        return found


def batch_of(nest: Nest) -> int:
    """The number of the batch that a nest runs over; 0 for none."""
    return next((axis.batch for axis in nest.axes if axis.batch), 0)


def classify(nest: Nest, shifts: bool = True) -> str:
    """Which of the four kinds a nest is: `FREE`, `ROW`, `REDUCE` or `MIXED`.

    Buffers of other batches are whole to it, and inputs are there.

    Args:
        nest: one nest.
        shifts: whether a row may need rows a few places further.
    """
    return _kind(nest) if shifts else _kind_of_single_rows(nest)


@once_per_nest
def _kind(nest: Nest) -> str:
    return _classified(nest, True)


@once_per_nest
def _kind_of_single_rows(nest: Nest) -> str:
    return _classified(nest, False)


def _classified(nest: Nest, shifts: bool) -> str:
    batch = batch_of(nest)
    touched = [access for access in accesses(nest) if access[0].space in MADE and is_of(access[0], batch)]
    if not batch:
        return MIXED if touched else FREE
    axis = row_of(nest)
    if axis is None or any(not _is_near(access, axis.var, shifts) for access in touched):
        return MIXED
    kept = [is_of(s.buffer, batch) for s in stores(nest)]
    if axis in nest.parallel:
        return ROW if all(k or _is_placed(s, axis.var) for k, s in zip(kept, stores(nest), strict=True)) else MIXED
    return MIXED if any(kept) else REDUCE


def _is_near(access: Access, row: str, shifts: bool) -> bool:
    """Whether an access is to the row itself, or to one a few places further."""
    places = shift(access, row)
    return places == 0 or (shifts and places is not None and abs(places) <= MOST_SHIFT)


def _is_placed(store: Store, row: str) -> bool:
    """Whether each row is stored at a place of its own among the rows of another batch."""
    axis = store.buffer.batch_axis
    return axis is not None and step(store.index[axis], row) not in (None, 0)


def is_of(buffer: Buffer, batch: int) -> bool:
    """Whether a buffer has the rows of a batch; of any for 0."""
    return buffer.batch_axis is not None and batch in (0, buffer.batch)


def plan(nests: Iterable[Nest], buffers: Iterable[Buffer] = ()) -> StreamPlan:
    """Give every nest the number of a sweep: the first for which all that it reads is there (`LATER`).

    Args:
        nests: in the order in which they could run one after another.
        buffers: of the workspace, views among them.
    """
    nests, buffers = list(nests), list(buffers)
    found = _planned(nests, buffers, shifts=True)
    far = any(reach(sweep.rows, sweep.reduces).places > MOST_PLACES for sweep in found.sweeps)
    return _planned(nests, buffers, shifts=False) if far else found


def _planned(nests: list[Nest], buffers: list[Buffer], shifts: bool) -> StreamPlan:
    kinds = {id(n): classify(n, shifts) for n in nests}
    whole = _read_whole(nests, kinds) | _reshaped_rows(buffers)
    writers: dict[str, list[Nest]] = {}
    numbers: dict[int, int] = {}
    for nest in nests:
        ready = (numbers[id(p)] + _later(p, nest, kinds) for p in _producers(nest, writers))
        numbers[id(nest)] = max(ready, default=0)
        for store in stores(nest):
            writers.setdefault(base_name(store.buffer), []).append(nest)
    sweeps = _sweeps(nests, numbers, kinds)
    _recompute(sweeps, nests, writers, kinds, whole)
    return StreamPlan(tuple(sweeps), whole, shifts)


def _later(producer: Nest, reader: Nest, kinds: dict[int, str]) -> int:
    """How many sweeps later a reader runs than what it reads, at least."""
    if kinds[id(reader)] not in SWEPT:
        return LATER[kinds[id(producer)]][0]
    same = batch_of(reader) == batch_of(producer)
    return LATER[kinds[id(producer)]][same]


def _sweeps(nests: list[Nest], numbers: dict[int, int], kinds: dict[int, str]) -> list[Sweep]:
    """The sweeps in order: of each number one for every batch, the first with what runs once."""
    found: list[Sweep] = []
    for number in range(max(numbers.values(), default=0) + 1):
        mine = [n for n in nests if numbers[id(n)] == number]
        swept: dict[int, Sweep] = {}
        for nest in mine:
            axis = row_of(nest)
            if axis is not None and kinds[id(nest)] in SWEPT:
                sweep = swept.setdefault(axis.batch, Sweep(axis.batch, axis.extent))
                sweep.batch = _longer(sweep.batch, axis.extent)
                (sweep.rows if kinds[id(nest)] == ROW else sweep.reduces).append(nest)
        here = [*swept.values()] or [Sweep()]
        here[0].once = [n for n in mine if kinds[id(n)] not in SWEPT]
        found += here
    return found


def _longer(one: IntExpr, other: IntExpr) -> IntExpr:
    """The larger of two extents of one batch, which differ by a number."""
    more = constant_difference(other, one)
    assert more is not None
    return other if more > 0 else one


def _read_whole(nests: list[Nest], kinds: dict[int, str]) -> frozenset[str]:
    """Workspace buffers that a mixed nest touches, or one that runs over another batch."""
    return frozenset(
        base_name(b)
        for n in nests
        for b, _ in accesses(n)
        if b.space == "workspace" and (kinds[id(n)] == MIXED or not _is_own(b, batch_of(n)))
    )


def _is_own(buffer: Buffer, batch: int) -> bool:
    return buffer.batch_axis is None or is_of(buffer, batch)


def _reshaped_rows(buffers: Iterable[Buffer]) -> frozenset[str]:
    """Buffers with a view where the rows are not the leading axis of both, or are those of two batches: a superblock of
    one is none of the other.
    """
    by_name = {b.name: b for b in buffers}
    views = [(v, by_name[v.view_of]) for v in by_name.values() if v.view_of in by_name]
    return frozenset(b.name for v, b in views if not (v.batch_axis == b.batch_axis == 0 and v.batch == b.batch))


def _producers(nest: Nest, writers: dict[str, list[Nest]]) -> list[Nest]:
    """The nests before this one that write to memory which it reads or writes."""
    return [w for buffer, _ in accesses(nest) for w in writers.get(base_name(buffer), [])]


def _recompute(
    sweeps: list[Sweep], nests: list[Nest], writers: dict[str, list[Nest]], kinds: dict[int, str], whole: frozenset[str]
) -> None:
    """Put into each sweep the row nests whose values it reads, those of earlier sweeps too, and take out the others.

    A row nest that stores to an output, or to what holds all rows, stays in its own sweep.  A reader needs what was
    written before it: between the two nests that fill a buffer, the first one alone.
    """
    order = {id(n): k for k, n in enumerate(nests)}
    for sweep in sweeps:
        kept = [n for n in sweep.rows if not all(is_streamed(s.buffer, whole) for s in stores(n))]
        have = {id(n) for n in kept}
        todo = [*kept, *sweep.reduces]
        while todo:
            reader = todo.pop()
            for name in _streamed_read(reader, whole):
                for producer in writers.get(name, []):
                    before = order[id(producer)] < order[id(reader)]
                    if before and kinds[id(producer)] == ROW and id(producer) not in have:
                        have.add(id(producer))
                        kept.append(producer)
                        todo.append(producer)
        sweep.rows = sorted(kept, key=lambda n: order[id(n)])


def _streamed_read(nest: Nest, whole: frozenset[str]) -> frozenset[str]:
    """The buffers that hold one superblock of rows at a time, by the names of their memory, that a nest reads."""
    return read_names(nest) & {base_name(b) for b, _ in accesses(nest) if is_streamed(b, whole)}


def is_streamed(buffer: Buffer, whole: frozenset[str]) -> bool:
    """Whether a buffer holds one superblock of rows at a time."""
    return buffer.space == "workspace" and buffer.batch_axis is not None and base_name(buffer) not in whole


def is_one_pass(sweep: Sweep, whole: frozenset[str]) -> bool:
    """Whether a sweep is one nest that keeps nothing of its rows: it needs no superblocks, at each of which threads
    would wait for one another.
    """
    if len(sweep.rows) != 1 or sweep.reduces:
        return False
    parts = sweep.rows[0], *sweep.rows[0].instead
    return not any(is_streamed(buffer, whole) for part in parts for buffer, _ in accesses(part))
