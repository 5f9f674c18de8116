"""Which phase, and which repetition of it, a number of the entry points means.

In: an emitter with the extents bound, the groups of a program.  Out: code that runs what %phase numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from symnet.backends.llvm.emitter import Emitter
from symnet.backends.llvm.integers import evaluate
from symnet.backends.llvm.polynomials import integer
from symnet.backends.llvm.types import V, constant
from symnet.loops.ir import Group
from symnet.loops.polynomials import Poly, add, multiply


def phase_index(e: Emitter) -> V:
    """The argument %phase as an integer of the target's."""
    value = V("%phase", "i32")
    return value if e.index == "i32" else e.text.convert("sext", value, "i64")


def phase_starts(e: Emitter, groups: Sequence[Group]) -> list[Poly]:
    """The number of the first run of every group, and how many runs there are."""
    starts: list[Poly] = [{}]
    for group in groups:
        starts.append(add(starts[-1], multiply(evaluate(e, group.repeat), {(): len(group.phases)})))
    return starts


def dispatch(e: Emitter, groups: Sequence[Group], run: Callable[[int, V], None]) -> None:
    """`run(place of a phase among all, repetition)` for the run that %phase numbers."""
    starts, first = phase_starts(e, groups), 0
    for start, group in zip(starts, groups, strict=False):
        count = multiply(evaluate(e, group.repeat), {(): len(group.phases)})
        local = e.text.binary("sub", phase_index(e), integer(e, start))
        inside = e.text.binary("icmp ult", local, integer(e, count), "i1")
        e.text.branch(inside, partial(_dispatch_phase, e, run, local, first, len(group.phases)))
        first += len(group.phases)


def _dispatch_phase(e: Emitter, run: Callable[[int, V], None], local: V, first: int, count: int) -> None:
    size = constant(count, e.index)
    repeat = e.text.binary("udiv", local, size)
    which = e.text.binary("sub", local, e.text.binary("mul", repeat, size))
    for order in range(count):
        this = e.text.binary("icmp eq", which, constant(order, e.index), "i1")
        e.text.branch(this, partial(run, first + order, repeat))
