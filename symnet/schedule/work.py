"""About how long each phase of a program takes on one thread, as sums of products of extents.

In: a scheduled `Program`.  Out: its `Work` (`loops/work.py`).

This is an estimate, made once when a program is compiled, to tell microseconds from milliseconds: of an operation on
a vector, of a load and a store in the cache, of an iteration.  Times are those of a processor of some 4 GHz.  A loop is
taken to be in its middle where an extent depends on its variable, a superblock to be the first; of a condition between
units each arm counts for its own units, of any other between integers both count half, and one that data decide does
not hold.

Not handled: what is the same in every iteration and computed once, but for loads inside unrolled loops; caches; loops
as long as data say, which count as one iteration.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from symnet.dtypes import ITEMSIZE
from symnet.loops import ir
from symnet.loops.affine import int_loads
from symnet.loops.forms import StatementForm, form_known_of
from symnet.loops.op_types import MATH
from symnet.loops.substitute import Substitution, int_variables
from symnet.loops.work import GroupWork, PhaseWork, Work, WorkTerm

OPERATION, LOAD, STORE = 0.25, 0.25, 0.35  # nanoseconds, of a number or of a vector of them
SLOW = {"div": 2.0, "sqrt": 2.0, "rsqrt": 4.0, "mod": 4.0, "floor_divide": 4.0, **dict.fromkeys(MATH, 9.0)}
FREE = frozenset({"cast", "neg"})  # most of them are part of another instruction
ITERATION, LOOP = 0.3, 1.0  # of a loop that is not unrolled, and to begin one
ZERO = ir.IntConst(0)


def work(program: ir.Program) -> Work:
    """What each group of phases takes."""
    places: dict[ir.IntExpr, int] = {}
    known: _Known = {}
    groups = []
    for group in program.groups:
        phases = tuple(_PhaseWalk(places, known).of(phase, group) for phase in group.phases)
        groups.append(GroupWork(phases, _place(places, group.repeat)))
    return Work(tuple(places), tuple(groups))


def _place(places: dict[ir.IntExpr, int], extent: ir.IntExpr) -> int:
    return places.setdefault(extent, len(places))


@dataclass(frozen=True, slots=True)
class _Times:
    """How often a statement runs: a number times the extents at some places.

    Attributes:
        unrolled: the unrolled loops around it, and how often each runs.
        units: for how many units, where no loop is around it.
    """

    known: float
    extents: tuple[int, ...] = ()
    unrolled: tuple[tuple[str, int], ...] = ()
    units: ir.IntExpr | None = None


@dataclass(frozen=True, slots=True)
class _TimeTaken:
    """What a statement added to the time of a phase, one after another, and which of its arrays it touched."""

    times: list[tuple[tuple[int, ...], float]]
    arrays: list[int]


_Known: TypeAlias = dict[tuple[object, ...], _TimeTaken]
"""What statements take that are equal but for names, by their form and what is around them."""


@dataclass
class _PhaseWalk:
    """A walk through a phase that adds up what it takes; `time` has it piece by piece."""

    places: dict[ir.IntExpr, int]
    known: _Known
    values: dict[str, ir.IntExpr] = field(default_factory=dict)
    unit: str = ""
    time: list[tuple[tuple[int, ...], float]] = field(default_factory=list)
    arrays: dict[str, ir.Buffer] = field(default_factory=dict)

    def of(self, phase: ir.Phase, group: ir.Group) -> PhaseWork:
        """What one run of a phase takes."""
        self.values, self.unit = {group.var: ZERO, phase.unit_var: ZERO}, phase.unit_var
        units = self.integer(phase.units)
        self.body(phase.body, self.of_units(1.0, units))
        given = [b for b in self.arrays.values() if b.space in ("input", "output")]
        traffic = [self.term(self.product(float(ITEMSIZE[b.dtype]), b.shape), 1.0) for b in given]
        return PhaseWork(_place(self.places, units), _terms(self.time), _terms(traffic))

    def integer(self, value: ir.IntExpr) -> ir.IntExpr:
        """An extent, with the variables around it at their values."""
        return value if isinstance(value, ir.IntConst) else Substitution(self.values).integer(value)

    def product(self, known: float, extents: Iterable[ir.IntExpr]) -> _Times:
        """A number times extents, of which the constant ones join the number."""
        places: tuple[int, ...] = ()
        for extent in extents:
            if isinstance(extent, ir.IntConst):
                known *= max(extent.value, 0)
            else:
                places = (*places, _place(self.places, extent))
        return _Times(known, places)

    def of_units(self, known: float, units: ir.IntExpr) -> _Times:
        found = self.product(known, [units])
        return _Times(found.known, found.extents, (), units)

    def term(self, times: _Times, each: float) -> tuple[tuple[int, ...], float]:
        return tuple(sorted(times.extents)), each * times.known

    def body(self, body: ir.Body, times: _Times, straight: float = 0.0) -> None:
        """Statements in a row, those inside them too; `straight` is what a run of them takes besides."""
        for stmt in body:
            form = form_known_of(stmt) if isinstance(stmt, ir.For | ir.If) else None
            if form is not None and isinstance(stmt, ir.For | ir.If):
                self.alike(stmt, form, times)
                straight += LOOP if isinstance(stmt, ir.For) and stmt.kind == "serial" else 0.0
            elif isinstance(stmt, ir.For):
                self.loop(stmt, times)
                straight += 0.0 if stmt.kind != "serial" else LOOP
            elif isinstance(stmt, ir.If):
                self.branch(stmt, times)
            elif isinstance(stmt, ir.Let | ir.Fetch):
                straight += self.value(stmt.value, times)
            elif isinstance(stmt, ir.Store):
                straight += self.store(stmt, times)
        self.time.append(self.term(times, straight))

    def alike(self, stmt: ir.For | ir.If, form: StatementForm, times: _Times) -> None:
        """A statement of which others differ by their names alone: what it takes is found out once."""
        outside = [(self.integer(ir.IntVar(name) + more), name == self.unit) for name, more in form.integers]
        key = form.key, times, tuple(outside)
        taken = self.known.get(key)
        if taken is None:
            inside = _PhaseWalk(self.places, self.known, self.values, self.unit)
            if isinstance(stmt, ir.For):
                inside.loop(stmt, times)
            else:
                inside.branch(stmt, times)
            numbers = {buffer.name: number for number, buffer in enumerate(form.arrays)}
            taken = self.known[key] = _TimeTaken(inside.time, [numbers[name] for name in inside.arrays])
        self.time += taken.times
        for number in taken.arrays:
            self.arrays[form.arrays[number].name] = form.arrays[number]

    def loop(self, loop: ir.For, times: _Times) -> None:
        extent = self.integer(loop.extent)
        if not isinstance(extent, ir.IntConst) and int_loads(extent):
            extent = ir.IntConst(1)
        count = extent if loop.cut is None else ir.ceil_div(extent, loop.cut.lanes)
        inside = _repeated(times, loop, count, self.places)
        before = self.values.get(loop.var)
        self.values[loop.var] = ir.int_floordiv(extent, 2)
        self.body(loop.body, inside, ITERATION if loop.kind == "serial" else 0.0)
        if before is not None:
            self.values[loop.var] = before

    def branch(self, branch: ir.If, times: _Times) -> None:
        """The arms of a condition, each where it counts."""
        test = branch.condition
        if times.units is not None and test.op == "lt" and test.left == ir.IntVar(self.unit):
            first, bound = self.values[self.unit], self.integer(test.right)
            for arm, begin, end in ((branch.then, first, bound), (branch.orelse, bound, first + times.units)):
                self.values[self.unit] = begin
                self.body(arm, self.of_units(1.0, end - begin))
            self.values[self.unit] = first
        elif int_loads(test.left) or int_loads(test.right):
            self.body(branch.orelse, times)
        else:
            half = _Times(times.known / 2, times.extents, times.unrolled)
            self.body(branch.then, half)
            self.body(branch.orelse, half)

    # ---- straight code: nanoseconds of one run

    def store(self, stmt: ir.Store, times: _Times) -> float:
        fused = isinstance(stmt.value, ir.Op) and stmt.value.name in ("mul", "fma")
        added = OPERATION if stmt.combine is not None and not fused else 0.0
        return added + self.touch(stmt.buffer, STORE) + self.value(stmt.value, times)

    def touch(self, buffer: ir.Buffer, cost: float) -> float:
        """The cost of an access to memory; registers have none."""
        if buffer.space == "register":
            return 0.0
        self.arrays[buffer.name] = buffer
        return cost

    def value(self, value: ir.Value, times: _Times) -> float:
        if isinstance(value, ir.Load):
            return self.touch(value.buffer, LOAD) / _shared(value, times)
        if not isinstance(value, ir.Op):
            return 0.0
        own = 0.0 if value.name in FREE else SLOW.get(value.name, OPERATION)
        return own + sum([self.value(arg, times) for arg in value.args])


def _repeated(times: _Times, loop: ir.For, count: ir.IntExpr, places: dict[ir.IntExpr, int]) -> _Times:
    """Inside a loop whose body runs so many times."""
    if not isinstance(count, ir.IntConst):
        return _Times(times.known, (*times.extents, _place(places, count)), times.unrolled)
    many, unrolled = max(count.value, 0), times.unrolled
    if loop.kind != "serial":
        unrolled = (*unrolled, (loop.var, max(many, 1)))
    return _Times(times.known * many, times.extents, unrolled)


def _shared(load: ir.Load, times: _Times) -> int:
    """By how many iterations of unrolled loops an element is loaded once."""
    shared = 1
    if times.unrolled:
        names = frozenset[str]().union(*map(int_variables, load.index))
        for var, count in times.unrolled:
            shared *= 1 if var in names else count
    return shared


def _terms(found: Iterable[tuple[tuple[int, ...], float]]) -> tuple[WorkTerm, ...]:
    terms: dict[tuple[int, ...], float] = {}
    for places, more in found:
        if more:
            terms[places] = terms.get(places, 0.0) + more
    return tuple(WorkTerm(factor, places) for places, factor in terms.items())
