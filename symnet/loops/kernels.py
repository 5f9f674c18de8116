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
Small functions cost LLVM less than a large one of the same length; of pieces that always follow one another, such as
the whole tiles of a product and its last rows, short ones are one function (`joining.py`): each has a price of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from symnet.loops.accesses import of_integers
from symnet.loops.affine import names
from symnet.loops.facts import MATH_WEIGHT, BodyFacts, facts_of
from symnet.loops.forms import CanonicalPiece, Traits, form
from symnet.loops.ir import PLAIN, Alloc, Body, Fetch, For, If, IntConst, Let, Op, Phase, Stmt, children

Call: TypeAlias = Callable[[Any], Any]  # an emitter → what it writes, or describes
JOINED = 512  # instructions of a function that several make
LONG, OFTEN = 64, 3  # instructions, and how often they must occur, where there is no loop that outweighs a call
SHORT, MANY = 16, 16  # so too: a call takes longer than so few, but to write them out so often takes LLVM longer


def calls_among(body: Body, calls: Mapping[int, tuple[int, Call]]) -> Iterator[tuple[Stmt, Call | None]]:
    """The statements of a body in order, or a call in the place of so many of them, which begin there.

    Args:
        body: the statements.
        calls: by the id of a statement, how many the call stands for, and what writes or describes it.
    """
    number = 0
    while number < len(body):
        length, call = calls.get(id(body[number]), (1, None))
        yield body[number], call
        number += length


@dataclass(frozen=True, slots=True)
class PlaceInBody:
    """From where to where a piece goes among the statements of a body, which `inside` is the id of."""

    inside: int
    begin: int
    end: int


@dataclass(slots=True)
class KernelPiece:
    """Statements that need no value from outside; `stored` and `names` name the buffers that they write and touch."""

    body: Body
    stored: frozenset[str]
    fails: bool
    form: CanonicalPiece
    phase: int
    names: dict[str, None]
    place: PlaceInBody


@dataclass(slots=True)
class Kernel:
    """Equal pieces: the first of them is the function, all are its calls, of which there are `least` or more."""

    number: int
    least: int
    calls: list[KernelPiece] = field(default_factory=list)

    @property
    def first(self) -> KernelPiece:
        return self.calls[0]


@dataclass(slots=True)
class Cut:
    """Phases cut into pieces: the kernels, and by phase the names of the buffers that the rest touches."""

    kernels: list[Kernel]
    rest: list[dict[str, None]]


def cut(phases: Sequence[Phase], traits: Traits) -> Cut:
    """The loops, and long pieces without a loop that occur often, in the order in which they are met."""
    found: dict[tuple[object, ...], Kernel] = {}
    rest: list[dict[str, None]] = [{} for _ in phases]
    for number, phase in enumerate(phases):
        for body, place, facts in _with_arms(phase):
            least = 1 if any(fact.loops for fact in facts) else _least(sum(map(_length, body, facts)))
            names = dict.fromkeys(name for fact in facts for name in fact.buffers)
            if least is None:
                rest[number] |= names
                continue
            stored = frozenset().union(*(fact.stored for fact in facts))
            fails = any(fact.fails for fact in facts)
            piece = KernelPiece(body, stored, fails, form(body, phase.unit_var, traits), number, names, place)
            found.setdefault(piece.form.key, Kernel(len(found), least)).calls.append(piece)
    for kernel in [k for k in found.values() if len(k.calls) < k.least]:
        del found[kernel.first.form.key]
        for piece in kernel.calls:
            rest[piece.phase] |= piece.names
    return Cut(joined(list(found.values()), lambda body, phase: form(body, phases[phase].unit_var, traits)), rest)


def _least(length: int) -> int | None:
    """How often a piece without a loop must occur to be a function; None for what is too short."""
    return None if length < SHORT else MANY if length < LONG else OFTEN


def _length(stmt: Stmt, facts: BodyFacts) -> int:
    """About how many instructions run."""
    if not isinstance(stmt, For) or stmt.kind == "unroll" or not isinstance(stmt.extent, IntConst):
        return facts.weight
    return facts.weight * stmt.extent.value


_Found: TypeAlias = tuple[Body, PlaceInBody, list[BodyFacts]]


def _pieces(body: Body, unit: str) -> Iterator[_Found]:
    """The pieces of a body, with the facts of their statements; of what chooses by the unit, those inside."""
    facts = list(map(facts_of, body))

    def piece(begin: int, end: int) -> _Found:
        return body[begin:end], PlaceInBody(id(body), begin, end), facts[begin:end]

    begin = 0
    for run in _runs(body, facts):
        first = body[run.start]
        goes_on = _goes_on(body, facts, begin, run, unit)
        if begin < run.start and not goes_on:
            yield piece(begin, run.start)
            begin = run.start
        if isinstance(first, If) and len(run) == 1 and not goes_on and not _asks_memory(first):
            yield from _pieces(first.then, unit)
            yield from _pieces(first.orelse, unit)
            begin = run.stop
    if begin < len(body):
        yield piece(begin, len(body))


def _goes_on(body: Body, facts: Sequence[BodyFacts], begin: int, run: range, unit: str) -> bool:
    """Whether a run belongs to the loops before it: on a condition on other than the unit, or too short for a call."""
    if not any(fact.loops for fact in facts[begin : run.start]):
        return False
    first, inside = body[run.start], slice(run.start, run.stop)
    if isinstance(first, If):
        return unit not in names(first.condition.left) | names(first.condition.right)
    return sum(map(_length, body[inside], facts[inside])) < LONG and not any(fact.loops for fact in facts[inside])


def _with_arms(phase: Phase) -> Iterator[_Found]:
    """The pieces of a phase, and those arms of conditions on memory that need nothing of the piece around them."""
    for piece, place, facts in _pieces(phase.body, phase.unit_var):
        yield piece, place, facts
        bound = {_bound(stmt) for stmt in piece}
        asking = (stmt for stmt in piece if isinstance(stmt, If) and _asks_memory(stmt))
        for arm in (arm for stmt in asking for arm in children(stmt) if arm):
            inside = list(map(facts_of, arm))
            if not any(bound & (fact.names | fact.buffers.keys()) for fact in inside):
                yield arm, PlaceInBody(id(arm), 0, len(arm)), inside


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


# --------------------------------------------------------------------------- what always follows one another


def joined(kernels: Sequence[Kernel], form_of: Callable[[Body, int], CanonicalPiece]) -> list[Kernel]:
    """The kernels, with one in the place of several short ones that always follow one another.

    before: phase:  whole(a, b);  rest(a, b);  whole(b, c);  rest(b, c)
    after:  phase:  both(a, b);  both(b, c)
    """
    begins = {(p.place.inside, p.place.begin): p for k in kernels for p in k.calls}
    made: list[Kernel] = []
    for chain in _chains(kernels):
        found: dict[tuple[object, ...], Kernel] = {}
        for run in ([p] for p in chain[0].calls if len(chain) > 1):
            while len(run) < len(chain):
                run.append(begins[run[-1].place.inside, run[-1].place.end])
            piece = _one(run, form_of)
            found.setdefault(piece.form.key, Kernel(0, 1)).calls.append(piece)
        made += found.values() if 0 < len(found) < len(chain) else chain
    return [Kernel(number, k.least, k.calls) for number, k in enumerate(made)]


def _chains(kernels: Sequence[Kernel]) -> list[list[Kernel]]:
    """The kernels in order, together those that are short and follow one another wherever one of them is called."""
    ends = {(p.place.inside, p.place.end): k for k in kernels for p in k.calls}
    chains: list[list[Kernel]] = []
    of: dict[int, list[Kernel]] = {}
    sizes: dict[int, int] = {}  # of chains, by the numbers of their last kernels
    for kernel in kernels:
        before = {id(k): k for p in kernel.calls for k in [ends.get((p.place.inside, p.place.begin))]}
        last = next(iter(before.values())) if len(before) == 1 else None
        size = _size(kernel.first.body)
        if last is not None and len(last.calls) == len(kernel.calls) and sizes[last.number] + size <= JOINED:
            chain, size = of[last.number], size + sizes[last.number]
            chain.append(kernel)
        else:
            chain = [kernel]
            chains.append(chain)
        of[kernel.number], sizes[kernel.number] = chain, size
    return chains


def _one(run: Sequence[KernelPiece], form_of: Callable[[Body, int], CanonicalPiece]) -> KernelPiece:
    """Pieces that follow one another as one."""
    first = run[0]
    body = tuple(stmt for piece in run for stmt in piece.body)
    stored = frozenset().union(*(piece.stored for piece in run))
    names = {name: None for piece in run for name in piece.names}
    place = PlaceInBody(first.place.inside, first.place.begin, run[-1].place.end)
    fails = any(piece.fails for piece in run)
    return KernelPiece(body, stored, fails, form_of(body, first.phase), first.phase, names, place)


def _size(body: Body) -> int:
    """About how many instructions are written for a body."""
    return sum(_SIZES.get(type(stmt), lambda stmt: 1)(stmt) for stmt in body)


def _loop_size(loop: For) -> int:
    inside, known = _size(loop.body), loop.extent.value if isinstance(loop.extent, IntConst) else None
    if loop.kind == "unroll":
        return inside * (known or loop.bound or 1)
    if loop.cut is None:
        return inside
    if loop.cut.row == 0:
        return inside * max(-(-(known or loop.bound or 1) // loop.cut.lanes), 1)
    return inside * (loop.cut.row + 1)


_SIZES: dict[type, Callable[[Any], int]] = {
    For: _loop_size,
    If: lambda stmt: _size(stmt.then) + _size(stmt.orelse),
    Let: lambda stmt: MATH_WEIGHT if getattr(stmt.value, "name", "") not in PLAIN and isinstance(stmt.value, Op) else 1,
}
