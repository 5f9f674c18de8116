"""Loops over the same points as one loop: what one computes, the next takes from a register.

before: for i: t[i] = x[i]²          after: for i: t = x[i]²;  y[i] = √t;  z[i] = 1/√t
        for i: y[i] = √t[i]
        for i: z[i] = 1/√t[i]

In: nests of one sweep, or of what runs once before it, in order, and how many nests read each buffer anywhere.  Out:
fewer nests; a buffer that only its own loop reads is not stored.
Joined are nests without accumulator, kernel or check, of the same axes and the same lanes, where the later one reads
what the earlier one stores at its own point alone, and nothing between them touches what it stores or reads; not two
that compute exp, tanh and their like each.
Not handled: what is stored at a point and read at another; reductions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from symnet.loops.accesses import reads
from symnet.loops.ir import Buffer, Const, IntExpr, IntVar, Let, Load, Op, Stmt, Store, Value, Var
from symnet.loops.substitute import Substitution
from symnet.lower.elementwise import TRANSCENDENTAL, functions_in
from symnet.lower.nest import Nest
from symnet.lower.storage import MOST_LINKS
from symnet.schedule.access import Readers, base_name, outer_loads, read_names, readers, stores, written_names
from symnet.schedule.target import Target
from symnet.schedule.tile_shape import choose

MOST = 128  # statements of a joined body: values wait in registers
MOST_FUNCTIONS = 16  # exp, tanh and their like in it: their code has to stay in the first cache for instructions


def fused(nests: Sequence[Nest], target: Target, read_by: Readers) -> list[Nest]:
    """The nests, joined where they can be.

    Args:
        nests: in order.
        target: the machine, which decides about lanes.
        read_by: how many nests read what these leave in each buffer (`StreamPlan.readers`).
    """
    groups: list[_Group] = []
    touching: dict[str, dict[int, None]] = {}  # the name of a buffer's memory → the groups that read or write it
    for nest in nests:
        names = read_names(nest) | written_names(nest)
        near = sorted({number for name in names for number in touching.get(name, ())})
        home = _home(nest, [groups[number] for number in near], target)
        if home is None:
            home = _Group(len(groups), [nest], read_names(nest), written_names(nest))
            groups.append(home)
        else:
            home.add(renamed(nest, home.first))
        for name in names:
            touching.setdefault(name, {})[home.number] = None
    return [group.first if len(group.nests) == 1 else _joined(group.nests, read_by) for group in groups]


@dataclass
class _Group:
    """Nests that become one, over the axes of the first; what they read and write, by memory."""

    number: int
    nests: list[Nest]
    reads: frozenset[str]
    writes: frozenset[str]

    @property
    def first(self) -> Nest:
        return self.nests[0]

    def add(self, nest: Nest) -> None:
        self.nests.append(nest)
        self.reads |= read_names(nest)
        self.writes |= written_names(nest)


# --------------------------------------------------------------------------- which


def _home(nest: Nest, groups: Sequence[_Group], target: Target) -> _Group | None:
    """The last group that the nest may join, of those that touch its memory; what stands after that must not mind."""
    if not is_plain(nest):
        return None
    read, written = read_names(nest), written_names(nest)
    for group in reversed(groups):
        if read & (group.reads | group.writes) and _fits(nest, group, target):
            return group
        if written & (group.reads | group.writes) or read & group.writes:
            return None
    return None


def is_map(nest: Nest) -> bool:
    """Whether a nest only computes values and stores them, point by point; there may be one point."""
    straight = all(isinstance(s, Let) or (isinstance(s, Store) and s.combine is None) for s in nest.outer)
    return straight and nest.accumulator is None and nest.kernel is None and nest.check is None and not nest.is_empty


def is_plain(nest: Nest) -> bool:
    """Whether a nest only computes values and stores them, for the points of its axes."""
    return is_map(nest) and bool(nest.parallel)


def _fits(nest: Nest, group: _Group, target: Target) -> bool:
    first = group.first
    if not is_plain(first) or sum(len(n.outer) for n in (*group.nests, nest)) > MOST:
        return False
    if [(a.extent, a.batch) for a in nest.parallel] != [(a.extent, a.batch) for a in first.parallel]:
        return False
    mine, theirs = choose(nest, target).lane, choose(first, target).lane
    if mine is None or theirs is None or nest.parallel.index(mine) != first.parallel.index(theirs):
        return False
    if written_names(nest) & (group.reads | group.writes):
        return False
    moved = renamed(nest, first)
    return _reads_at_its_point(moved, group) and _stays_light(group.nests, moved)


def _reads_at_its_point(nest: Nest, group: _Group) -> bool:
    """Whether all that a nest reads of what the group stores becomes a value: no index, no other point, no view."""
    places = {s.buffer.name: s.index for n in group.nests for s in stores(n)}
    met = [access for access in reads(nest.outer) if base_name(access[0]) in group.writes]
    values = [x for x in outer_loads(nest) if base_name(x.buffer) in group.writes]
    return len(met) == len(values) and all(places.get(x.buffer.name) == x.index for x in values)


def _stays_light(nests: Sequence[Nest], more: Nest) -> bool:
    """Whether no second function comes to a loop that has one (the constants of two polynomials fill the registers),
    none too often, and not too many one inside the other (`lower/storage.py`).
    """
    before, added = _functions(nests), _functions([more])
    together = {*before, *added}
    few = len(before) + len(added) <= MOST_FUNCTIONS and (len(together) <= 1 or together in (set(before), set(added)))
    return few and (not before or not added or _links([*nests, more]) <= MOST_LINKS)


def _links(nests: Iterable[Nest]) -> int:
    """How many functions are computed one inside the other, at most."""
    links: dict[str, int] = {}  # of values and of buffers, by name

    def of(value: Value) -> int:
        if isinstance(value, Op):
            return max(map(of, value.args), default=0) + (value.name in TRANSCENDENTAL)
        if isinstance(value, Var):
            return links.get(value.name, 0)
        return links.get(base_name(value.buffer), 0) if isinstance(value, Load) else 0

    for stmt in (stmt for nest in nests for stmt in nest.outer):
        if isinstance(stmt, Let):
            links[stmt.name] = of(stmt.value)
        elif isinstance(stmt, Store):
            links[base_name(stmt.buffer)] = of(stmt.value)
    return max(links.values(), default=0)


def _functions(nests: Iterable[Nest]) -> list[str]:
    return functions_in(stmt for nest in nests for stmt in nest.outer)


# --------------------------------------------------------------------------- how


def renamed(nest: Nest, like: Nest) -> Nest:
    """The nest over the axes of another one."""
    names: dict[str, IntExpr] = {
        mine.var: IntVar(theirs.var) for mine, theirs in zip(nest.parallel, like.parallel, strict=True)
    }
    return replace(nest, parallel=like.parallel, outer=Substitution(names).body(nest.outer))


class _Forwarding(Substitution):
    """Loads of what was stored before become the value itself, and what is bound twice has its first name."""

    def __init__(self) -> None:
        super().__init__({})
        self.stored: dict[str, Value] = {}
        self.same: dict[str, Value] = {}
        self.bound: dict[Value, Value] = {}

    def value(self, value: Value) -> Value:
        if isinstance(value, Var):
            return self.same.get(value.name, value)
        known = self.stored.get(value.buffer.name) if isinstance(value, Load) else None
        return super().value(value) if known is None else known

    def statement(self, stmt: Stmt) -> Stmt | None:
        """The statement; None where it only gives a value another name."""
        (new,) = self.body((stmt,))
        if isinstance(new, Store):
            self.stored[new.buffer.name] = new.value
        elif isinstance(new, Let):
            known = new.value if isinstance(new.value, Var | Const) else self.bound.get(new.value)
            if known is not None:
                self.same[new.name] = known
                return None
            self.bound[new.value] = Var(new.name, new.value.dtype)
        return new


def _joined(nests: Sequence[Nest], read_by: Readers) -> Nest:
    inside = readers(nests)
    kept = [s for s in _statements(nests) if not (isinstance(s, Store) and _is_own(s.buffer, inside, read_by))]
    return replace(nests[-1], parallel=nests[0].parallel, outer=tuple(kept))


def _statements(nests: Iterable[Nest]) -> list[Stmt]:
    forward = _Forwarding()
    found = [forward.statement(stmt) for nest in nests for stmt in nest.outer]
    return [stmt for stmt in found if stmt is not None]


def _is_own(buffer: Buffer, inside: Readers, read_by: Readers) -> bool:
    """Whether nobody else reads a buffer."""
    name = base_name(buffer)
    return buffer.space == "workspace" and inside.get(name, 0) == read_by.get(name, 0)
