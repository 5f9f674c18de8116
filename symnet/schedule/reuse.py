"""Memory used again: a workspace buffer takes the place of one that nothing reads any more.

before: t1 = …;  t2 = f(t1);  t3 = g(t2)              three buffers
after:  t1 = …;  t2 = f(t1);  t3 = g(t2)              t3 is a view of t1

In: a program.  Out: the same program, in which a buffer whose first statement comes after the last one of another of
the same size and dtype is a view of it.
A statement here is one of a phase of a single unit; a phase of several, whose units may run side by side, is one
statement as a whole, and so is a group that repeats, for all but the buffers of one superblock of rows.  Of these, a
unit of rows touches its own rows alone; so two whose rows are of one size may share memory inside such a phase.
Not handled: buffers of different sizes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from symnet.loops.affine import direct_names, polynomial
from symnet.loops.facts import BodyFacts, facts_of
from symnet.loops.ir import Buffer, IntConst, IntExpr, Phase, Program
from symnet.loops.owners import owners

Time = tuple[int, int]  # of a phase, and of a statement in it
MemoryKind = tuple[str, Any]
_END = 1 << 60


@dataclass
class _Life:
    """The time from the first statement that touches a buffer, or a view of it, to the last."""

    first: Time
    last: Time


def reused(program: Program) -> Program:
    """The program with fewer buffers; what its statements name stays, as a declaration says whose memory a name has."""
    places = _places(program, _lives(program))
    if not places:
        return program
    return replace(program, workspace=tuple(_placed(b, places) for b in program.workspace))


def _placed(buffer: Buffer, places: dict[str, str]) -> Buffer:
    place = places.get(buffer.name)
    return buffer if place is None else replace(buffer, view_of=place)


# --------------------------------------------------------------------------- when buffers are in use


def _lives(program: Program) -> dict[str, _Life]:
    """The life of every workspace buffer that is no view."""
    owner = owners(program.workspace)
    lives: dict[str, _Life] = {}
    for name, begin, end in _uses(program):
        base = owner.get(name)
        if base in owner:
            life = lives.setdefault(base, _Life(begin, end))
            life.first, life.last = min(life.first, begin), max(life.last, end)
    return lives


def _uses(program: Program) -> Iterator[tuple[str, Time, Time]]:
    """Every buffer that a statement touches, and from when to when that keeps it."""
    number = 0
    for group in program.groups:
        whole = (number, 0), (number + len(group.phases) - 1, _END)
        once = group.repeat == IntConst(1)
        for phase in group.phases:
            phase_long = (number, 0), (number, _END)
            facts = list(map(facts_of, phase.body))
            own = None if phase.units == IntConst(1) else _of_own_rows(phase, facts, program.streamed)
            for place, fact in enumerate(facts):
                here = ((number, place),) * 2
                for name in fact.buffers:
                    there = here if own is None or name in own else phase_long
                    yield name, *(there if once or name in program.streamed else whole)
            number += 1


def _of_own_rows(phase: Phase, facts: Iterable[BodyFacts], streamed: frozenset[str]) -> frozenset[str]:
    """The streamed buffers whose batch axis moves with the unit wherever a phase touches them."""
    rows = {(name, at) for fact in facts for name, at in fact.rows if name in streamed}
    own = {at: _is_own_row(at, phase.unit_var) for at in {at for _, at in rows}}
    shared = {name for name, at in rows if not own[at]}
    return frozenset(name for name, _ in rows) - shared


def _is_own_row(at: IntExpr | None, unit: str) -> bool:
    """Whether the rows begin with the unit, none before and none further."""
    return at is not None and unit in direct_names(at) and not polynomial(at).get((), 0)


# --------------------------------------------------------------------------- who takes whose place


def _places(program: Program, lives: dict[str, _Life]) -> dict[str, str]:
    """Buffer → the buffer whose memory it takes.  The first of the workspace, which a failure reports in, is kept."""
    free: dict[MemoryKind, list[tuple[Time, str]]] = {}
    found: dict[str, str] = {}
    kept = {program.workspace[0].name} if program.workspace else set()
    candidates = [b for b in program.workspace if b.name in lives and b.name not in kept]
    for buffer in sorted(candidates, key=lambda b: lives[b.name].first):
        life, waiting = lives[buffer.name], free.setdefault(_size(buffer, program.streamed), [])
        at = next((k for k, (last, _) in enumerate(waiting) if last < life.first), None)
        if at is None:
            waiting.append((life.last, buffer.name))
        else:
            found[buffer.name] = waiting[at][1]
            waiting[at] = (life.last, waiting[at][1])
    return found


def _size(buffer: Buffer, streamed: frozenset[str]) -> MemoryKind:
    """What two buffers must have in common: their elements, counted where that is a number.

    Of a superblock the rows have to lie at the same place, too.
    """
    axis = buffer.batch_axis if buffer.name in streamed else None
    if axis == 0:
        return buffer.dtype, ("rows", buffer.shape[0], _elements(buffer.shape[1:]))
    return buffer.dtype, (axis, _elements(buffer.shape) if axis is None else buffer.shape)


def _elements(shape: tuple[IntExpr, ...]) -> int | tuple[IntExpr, ...]:
    known = [extent.value for extent in shape if isinstance(extent, IntConst)]
    return math.prod(known) if len(known) == len(shape) else shape
