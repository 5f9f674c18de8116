"""Stacks of products: matrix by matrix for all rows of a superblock, and not all matrices for every few rows.

before: for units of rows: for j: t[r, j] = a[r, j] @ F[j];  for j: s[r, j] = f(t[r, j])       F is read once a unit
after:  for units of j: for all rows: t[r, j] = a[r, j] @ F[j];  s[r, j] = f(t[r, j])          F is read once

In: a sweep.  Out: its stacks, nests that go in units of such an axis.
A stack is about a product whose rows share an array of which an element of the axis needs its own part alone, where no
near cache holds that and what is added up over the rows; nests before and after it, and sums over rows, join where they
have that axis too and touch what the others store at one element of it.
Not handled: stacks of few matrices, which would be too few units, or of small ones; rows that need other rows; sums
over the axis itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from symnet.expr.nodes.extents import TYPICAL
from symnet.loops.accesses import Access
from symnet.loops.ir import IntExpr, IntVar, Load
from symnet.loops.substitute import int_variables
from symnet.lower.nest import Axis, Nest
from symnet.schedule.access import (
    accesses,
    base_name,
    read_names,
    stores,
    written_names,
)
from symnet.schedule.parallelize import PERHAPS, SHARED, UNIT_WORK, bytes_read, shared_loads
from symnet.schedule.reach import NONE, Reach, row_of
from symnet.schedule.stream import Sweep
from symnet.schedule.target import Target
from symnet.schedule.tile_shape import choose

NEAR = 1 << 17  # bytes of an array that stays in a near cache, whatever else is read
LEAST, LEAST_BYTES = 8, 1 << 10  # matrices of a stack, which are its units; bytes of one, which takes loops of its own
StackPlace = tuple[int, tuple[IntExpr, ...]]  # of an axis in an array: the position, and the extents of all


@dataclass(frozen=True)
class Stack:
    """Nests in order, and the axis of each that is cut into units; `sums` add rows up, and run after the others."""

    axes: tuple[Axis, ...]
    rows: tuple[Nest, ...]
    sums: tuple[Nest, ...] = ()

    @property
    def nests(self) -> tuple[Nest, ...]:
        return self.rows + self.sums

    def chunk(self, rows: int) -> int:
        """How many elements of the axis make a unit, with so many rows in a superblock."""
        pairs = zip(self.nests, self.axes, strict=True)
        work = sum(math.prod(_count(a, rows) for a in nest.axes if a != axis) for nest, axis in pairs)
        return -(-UNIT_WORK // max(work, 1))


def _count(axis: Axis, rows: int) -> int:
    return rows if axis.batch else TYPICAL if axis.constant is None else axis.constant


def stack_bytes(stacks: Iterable[Stack]) -> int:
    """The bytes of the arrays of which all rows read all."""
    return bytes_read(x for stack in stacks for nest in stack.rows for x in _shared(nest))


def stacks_of(sweep: Sweep, reached: Reach, target: Target, sums: int) -> list[Stack]:
    """The stacks of a sweep, in order; the sums of one have a stack of their own where they cannot follow at once."""
    if any(reached.levels.values()):
        return []
    found: list[Stack] = []
    runs = list(_runs(sweep, reached, target, sums))
    added: dict[int, list[tuple[Nest, Axis]]] = {}  # sums, by the number of a run
    others: list[Nest] = []
    for nest, home in zip(sweep.reduces, _homes(sweep.reduces, runs, target), strict=True):
        if home is not None:
            added.setdefault(home[0], []).append((nest, home[1]))
        if home is None or home[0] < len(runs) - 1:
            others.append(nest)
    for number, run in enumerate(runs):
        rows, axes = tuple(run.nests), tuple(run.axes)
        own = tuple(nest for nest, _ in added.get(number, ()))
        after = tuple(axis for _, axis in added.get(number, ()))
        if run.nests[-1] is sweep.rows[-1] and not any(read_names(nest) & run.written for nest in others):
            found.append(Stack((*axes, *after), rows, own))
        else:
            found += [Stack(axes, rows), *([Stack(after, (), own)] if own else [])]
    return found


def stack_axis(nest: Nest, target: Target, sums: int) -> Axis | None:
    """The axis that tells the matrices of a large array apart, which all rows of a nest share.

    Args:
        nest: what may be a product with them.
        target: the machine.
        sums: bytes of what the program adds up over rows: each superblock goes through these, too, and through what
            they rounded away.
    """
    row = row_of(nest)
    if nest.accumulator is None or row is None or row not in nest.parallel:
        return None
    shared = _shared(nest)
    if bytes_read(shared) < NEAR or bytes_read(shared) + 2 * sums <= SHARED:
        return None
    for axis in _candidates(nest, target):
        count = axis.constant or PERHAPS
        if count < LEAST or bytes_read(shared) < count * LEAST_BYTES:
            continue
        if all(_place((x.buffer, x.index), axis.var) is not None for x in shared):
            return axis
    return None


def in_stacks(rows: Iterable[Nest], stacks: Iterable[Stack]) -> list[tuple[list[Nest], Stack | None]]:
    """Row nests in order, those of a stack together."""
    home = {id(nest): stack for stack in stacks for nest in stack.rows}
    found: list[tuple[list[Nest], Stack | None]] = []
    for nest in rows:
        stack = home.get(id(nest))
        if found and found[-1][1] is stack:
            found[-1][0].append(nest)
        else:
            found.append(([nest], stack))
    return found


# --------------------------------------------------------------------------- which


@dataclass
class _MatrixByMatrix:
    """Nests that go together so far, and where each array that they touch has the axis; None where it has it not."""

    nests: list[Nest] = field(default_factory=list)
    axes: list[Axis] = field(default_factory=list)
    places: dict[str, set[StackPlace | None]] = field(default_factory=dict)
    written: set[str] = field(default_factory=set)

    def axis_of(self, nest: Nest, target: Target) -> Axis | None:
        """The axis of a nest for which it meets the others at one element of theirs alone."""
        for axis in _candidates(nest, target):
            if axis.extent == self.axes[0].extent and self._meets(nest, axis):
                return axis
        return None

    def _meets(self, nest: Nest, axis: Axis) -> bool:
        mine = _places(nest, axis)
        if mine.keys().isdisjoint(self.places):
            return False
        made = (mine.keys() & self.written) | written_names(nest)
        met = [mine[name] | self.places.get(name, set()) for name in made]
        return all(len(places) == 1 and None not in places for places in met)

    def add(self, nest: Nest, axis: Axis, first: bool = False) -> None:
        """Put a nest before or after the others."""
        at = 0 if first else len(self.nests)
        self.nests.insert(at, nest)
        self.axes.insert(at, axis)
        self.written |= written_names(nest)
        for name, places in _places(nest, axis).items():
            self.places.setdefault(name, set()).update(places)


def _runs(sweep: Sweep, reached: Reach, target: Target, sums: int) -> Iterator[_MatrixByMatrix]:
    """The nests about each product, those before it that join and then those after it."""
    begin = 0
    for at, product in enumerate(sweep.rows):
        seed = stack_axis(product, target, sums) if at >= begin and _is_plain(product, sweep, reached) else None
        if seed is None:
            continue
        run = _MatrixByMatrix()
        run.add(product, seed)
        for first, nests in (True, reversed(sweep.rows[begin:at])), (False, islice(sweep.rows, at + 1, None)):
            for nest in nests:
                axis = run.axis_of(nest, target) if _is_plain(nest, sweep, reached) else None
                if axis is None:
                    break
                run.add(nest, axis, first)
        begin = 1 + next(k for k in range(at, len(sweep.rows)) if sweep.rows[k] is run.nests[-1])
        yield run


def _homes(sums: Iterable[Nest], runs: Sequence[_MatrixByMatrix], target: Target) -> Iterator[tuple[int, Axis] | None]:
    """Of each sum over rows the last run that it has to do with, and its axis, where it can go matrix by matrix too."""
    last = {name: number for number, run in enumerate(runs) for name in run.places}
    for nest in sums:
        number = max((last.get(name, -1) for name in read_names(nest)), default=-1)
        axis = runs[number].axis_of(nest, target) if number >= 0 and not nest.when else None
        yield None if axis is None else (number, axis)


def _places(nest: Nest, axis: Axis) -> dict[str, set[StackPlace | None]]:
    found: dict[str, set[StackPlace | None]] = {}
    for access in accesses(nest):
        found.setdefault(base_name(access[0]), set()).add(_place(access, axis.var))
    return found


def _shared(nest: Nest) -> list[Load]:
    """What every row of a sum reads."""
    row = row_of(nest)
    return [] if row is None else shared_loads(nest, row)


def _is_plain(nest: Nest, sweep: Sweep, reached: Reach) -> bool:
    """Whether a nest computes rows, each by itself."""
    row = row_of(nest)
    if row is None or row.extent != sweep.batch or row not in nest.parallel:
        return False
    return nest.is_ordinary and not nest.is_empty and reached.spans[id(nest)] == NONE


def _candidates(nest: Nest, target: Target) -> list[Axis]:
    """The axes of a nest that may be cut into units, apart from rows: not the lanes."""
    if nest.kernel is not None or nest.is_empty:
        return []
    lane = choose(nest, target).lane
    stored = [(s.buffer, s.index) for s in stores(nest)]
    return [
        a
        for a in nest.parallel
        if not a.batch and a != lane and all(_place(access, a.var) is not None for access in stored)
    ]


def _place(access: Access, var: str) -> StackPlace | None:
    """Where an access has a variable by itself, at one position of an array."""
    buffer, index = access
    met = [n for n, i in enumerate(index) if var in int_variables(i)]
    return (met[0], buffer.shape) if len(met) == 1 and index[met[0]] == IntVar(var) else None
