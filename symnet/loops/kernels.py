"""Loops as functions of their own, and equal ones as one function: 200 equal layers have the code of one.

before: phase:   for i: t2[i] = tanh(t1[i] + b1[0])
                 for i: t3[i] = tanh(t2[i] + b2[0])
after:  kernel(p, q, r):  for i: q[i] = tanh(p[i] + r[0])
        phase:   kernel(t1, t2, b1);  kernel(t2, t3, b2)

In: the bodies of phases.  Out: the pieces that become calls, and what stays in the phases.
A piece is the shortest run of statements whose values and registers nothing else needs: a nest.  What is so short that
a call would cost more than it stays where it is.  `forms.py` says what is equal.
What runs on a condition that memory decides, and needs nothing of the piece around it, is a piece inside the piece: its
registers are not to be saved where it does not run.
Small functions cost LLVM less than a large one of the same length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from symnet.loops.accesses import of_integers
from symnet.loops.facts import BodyFacts, FactsByStatement, gather
from symnet.loops.forms import CanonicalPiece, Traits, form
from symnet.loops.ir import Alloc, Body, Fetch, For, If, IntConst, Let, Phase, Stmt, children

Call: TypeAlias = Callable[[Any], None]  # of an emitter
LONG, OFTEN = 64, 3  # instructions, and how often they must occur, where there is no loop that outweighs a call


def calls_among(body: Body, calls: Mapping[int, tuple[int, Call]]) -> Iterator[tuple[Stmt, Call | None]]:
    """The statements of a body in order, or what writes a call in the place of so many of them, which begin there.

    Args:
        body: the statements.
        calls: by the id of a statement, how many the call stands for, and what writes it.
    """
    number = 0
    while number < len(body):
        length, call = calls.get(id(body[number]), (1, None))
        yield body[number], call
        number += length


@dataclass(slots=True)
class KernelPiece:
    """Statements that need no value from outside; `stored` and `names` name the buffers that they write and touch."""

    body: Body
    stored: frozenset[str]
    fails: bool
    form: CanonicalPiece
    phase: int
    names: dict[str, None]


@dataclass(slots=True)
class Kernel:
    """Equal pieces: the first of them is the function, all are its calls."""

    number: int
    loops: bool
    calls: list[KernelPiece] = field(default_factory=list)

    @property
    def first(self) -> KernelPiece:
        return self.calls[0]


@dataclass(slots=True)
class Cut:
    """Phases cut into pieces: the kernels, and by phase the names of the buffers that the rest touches."""

    kernels: list[Kernel]
    rest: list[dict[str, None]]


def cut(phases: Sequence[Phase], traits: Traits, known: FactsByStatement) -> Cut:
    """The loops, and long pieces without a loop that occur often, in the order in which they are met."""
    found: dict[tuple[object, ...], Kernel] = {}
    rest: list[dict[str, None]] = [{} for _ in phases]
    for number, phase in enumerate(phases):
        for body, facts in _with_arms(phase.body, known):
            loops = any(fact.loops for fact in facts)
            names = dict.fromkeys(name for fact in facts for name in fact.buffers)
            if not loops and sum(map(_length, body, facts)) < LONG:
                rest[number] |= names
                continue
            stored = frozenset().union(*(fact.stored for fact in facts))
            fails = any(fact.fails for fact in facts)
            piece = KernelPiece(body, stored, fails, form(body, phase.unit_var, traits), number, names)
            found.setdefault(piece.form.key, Kernel(len(found), loops)).calls.append(piece)
    for kernel in [k for k in found.values() if not k.loops and len(k.calls) < OFTEN]:
        del found[kernel.first.form.key]
        for piece in kernel.calls:
            rest[piece.phase] |= piece.names
    return Cut(list(found.values()), rest)


def _length(stmt: Stmt, facts: BodyFacts) -> int:
    """About how many instructions run."""
    times = stmt.extent.value if isinstance(stmt, For) and isinstance(stmt.extent, IntConst) else 1
    return facts.weight * times


def _pieces(body: Body, known: FactsByStatement) -> Iterator[tuple[Body, list[BodyFacts]]]:
    """The pieces of a body, with the facts of their statements; of a condition, those inside it."""
    facts = [gather((stmt,), known) for stmt in body]
    for run in _runs(body, facts):
        first = body[run.start]
        if isinstance(first, If) and len(run) == 1 and not _asks_memory(first):
            yield from _pieces(first.then, known)
            yield from _pieces(first.orelse, known)
        else:
            yield body[run.start : run.stop], facts[run.start : run.stop]


def _with_arms(body: Body, known: FactsByStatement) -> Iterator[tuple[Body, list[BodyFacts]]]:
    """The pieces of a body, and those arms of their conditions that need nothing of the piece around them."""
    for piece, facts in _pieces(body, known):
        yield piece, facts
        bound = {_bound(stmt) for stmt in piece}
        for arm in (arm for stmt in piece if isinstance(stmt, If) for arm in children(stmt) if arm):
            inside = [gather((stmt,), known) for stmt in arm]
            if not any(bound & (fact.names | fact.buffers.keys()) for fact in inside):
                yield arm, inside


def _bound(stmt: Stmt) -> str | None:
    """The name of a value or a register that a statement makes."""
    if isinstance(stmt, Alloc):
        return stmt.buffer.name
    return stmt.name if isinstance(stmt, Let | Fetch) else None


def _asks_memory(stmt: If) -> bool:
    return bool(of_integers((stmt.condition.left, stmt.condition.right)))


def _runs(body: Body, facts: Sequence[BodyFacts]) -> Iterator[range]:
    """A body, cut wherever no value or register is in use."""
    last: dict[str, int] = {}
    for number, fact in enumerate(facts):
        last |= dict.fromkeys((*fact.names, *fact.buffers), number)
    begin, needed = 0, 0
    for number, stmt in enumerate(body):
        name = _bound(stmt)
        if name is not None:
            needed = max(needed, last.get(name, number))
        if number >= needed:
            yield range(begin, number + 1)
            begin = needed = number + 1
