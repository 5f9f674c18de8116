"""What may stand in a vector loop, and what units may store: iterations that are to be independent.

In: a loop or a phase that is otherwise well formed.  Out: nothing, or a refusal that quotes the statement.

Not handled: independence that depends on data or on remainders; the interpreter notices such stores when they
collide.  Everything refused here is provably wrong, or outside the language as `ir.py` states it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn, Protocol

from symnet.loops import affine, ir
from symnet.loops.accesses import of_integers, of_value
from symnet.loops.integer_text import element_text


class Refuse(Protocol):
    """The verifier's way to raise an error that quotes the statement."""

    def __call__(self, expected: str, got: str, mend: str, stmt: ir.Stmt | None = None) -> NoReturn:
        """Expected, got, mend; the statement, where it is not the one being verified."""


@dataclass(frozen=True, slots=True)
class _AccessInLoop:
    stmt: ir.Stmt
    buffer: ir.Buffer
    index: tuple[ir.IntExpr, ...]
    combine: str | None = None
    stores: bool = False


def check_vector_loop(loop: ir.For, refuse: Refuse) -> None:
    """Examine a vector loop: straight-line code, inner loops that do not depend on the lane, independent iterations."""
    for stmt in ir.walk(loop.body):
        if not isinstance(stmt, ir.Let | ir.Fetch | ir.Store | ir.For):
            got = type(stmt).__name__
            refuse(
                f"Let, Fetch, Store and For inside the vector loop over {loop.var}",
                got,
                "Move it out of the loop.",
                stmt,
            )
        if isinstance(stmt, ir.For):
            _check_inner_loop(loop, stmt, refuse)
        elif isinstance(stmt, ir.Fetch):
            _check_fetch(loop, stmt, refuse)
    accesses = list(_accesses(loop.body))
    for access in accesses:
        if access.buffer.space == "register":
            _check_register(loop, access, refuse)
        if access.stores:
            _check_store(loop, access, refuse)
    for access in accesses:
        if access.stores:
            _check_pairs(loop, access, [other for other in accesses if other.buffer == access.buffer], refuse)


def _check_inner_loop(loop: ir.For, inner: ir.For, refuse: Refuse) -> None:
    if inner.kind == "vector":
        refuse(f"no vector loop inside the vector loop over {loop.var}", inner.var, "Make one of them serial.", inner)
    if loop.var in affine.names(inner.extent):
        mend = "Make the outer loop serial, or the extent uniform."
        refuse(f"an inner extent free of the lane variable {loop.var}", "one that mentions it", mend, inner)


def _check_fetch(loop: ir.For, stmt: ir.Fetch, refuse: Refuse) -> None:
    """Each lane has an index of its own."""
    if not any(_mentions(loop.var, load.index) for part in stmt.value.index for load in affine.int_loads(part)):
        expected = f"an index that differs along {loop.var}"
        refuse(expected, element_text(stmt.value.buffer, stmt.value.index), "Check it outside of the loop.", stmt)


def _accesses(body: ir.Body) -> Iterator[_AccessInLoop]:
    for stmt in ir.walk(body):
        if isinstance(stmt, ir.Let | ir.Fetch | ir.Store):
            for buffer, index in of_value(stmt.value):
                yield _AccessInLoop(stmt, buffer, index)
        if isinstance(stmt, ir.Fetch):
            yield _AccessInLoop(stmt, stmt.inside, (ir.IntConst(0),), "min", True)
        if isinstance(stmt, ir.Store):
            for buffer, index in of_integers(stmt.index):
                yield _AccessInLoop(stmt, buffer, index)
            yield _AccessInLoop(stmt, stmt.buffer, stmt.index, stmt.combine, True)


def _check_register(loop: ir.For, access: _AccessInLoop, refuse: Refuse) -> None:
    """Registers are addressed by the bare lane variable on the last axis, or not by it at all."""
    mentions = [loop.var in affine.names(expr) for expr in access.index]
    bare_last = bool(access.index) and access.index[-1] == ir.IntVar(loop.var) and not any(mentions[:-1])
    if any(mentions) and not bare_last:
        expected = f"the register buffer {access.buffer.name} to be indexed by {loop.var} alone, on its last axis"
        mend = "Give it the lane as its last axis, or keep it in the workspace."
        refuse(expected, element_text(access.buffer, access.index), mend, access.stmt)


def _check_store(loop: ir.For, access: _AccessInLoop, refuse: Refuse) -> None:
    """Examine a store: a reduction into an element free of the lane, or an element of each lane's own."""
    mentions = _mentions(loop.var, access.index)
    directly = any(loop.var in affine.direct_names(expr) for expr in access.index)
    got = element_text(access.buffer, access.index)
    if not mentions and access.combine is None:
        mend = "Store with `combine`, or move the store out of the loop."
        refuse(f"an element of each iteration's own in the vector loop over {loop.var}", got, mend, access.stmt)
    if mentions and not directly:
        mend = "Scatter in a serial loop: lanes may meet at one element."
        refuse(f"a store that the lane variable {loop.var} itself addresses", got, mend, access.stmt)
    own = any(affine.step(expr, loop.var) for expr in access.index)
    if mentions and access.combine is not None and not own:
        mend = "Make the loop serial: lanes may meet at one element."
        expected = f"a combine into an element free of {loop.var}, or one that moves with it"
        refuse(expected, got, mend, access.stmt)


def _mentions(name: str, exprs: tuple[ir.IntExpr, ...]) -> bool:
    return any(name in affine.names(expr) for expr in exprs)


def _check_pairs(loop: ir.For, store: _AccessInLoop, others: list[_AccessInLoop], refuse: Refuse) -> None:
    for other in others:
        shift = _shift(loop, store, other)
        both_reduce = store.combine is not None and store.combine == other.combine
        if shift is None or other is store or (shift == "any" and both_reduce):
            continue
        if shift == "any" or (shift != 0 and _reached(loop, int(shift))):
            apart = "any two iterations" if shift == "any" else f"iterations {abs(int(shift))} apart"
            mend = "Make the loop serial, or store into another buffer."
            got = f"{apart} that meet, at {element_text(other.buffer, other.index)}"
            refuse(f"independent iterations of the vector loop over {loop.var}", got, mend, store.stmt)


def _reached(loop: ir.For, shift: int) -> bool:
    extent = loop.extent
    return not isinstance(extent, ir.IntConst) or abs(shift) < extent.value


def _shift(loop: ir.For, store: _AccessInLoop, other: _AccessInLoop) -> int | str | None:
    """How many iterations apart two accesses meet: a number, "any", or None where unknown or never."""
    shifts: set[int] = set()
    for mine, theirs in zip(store.index, other.index, strict=True):
        apart, step = affine.constant_difference(mine, theirs), affine.step(mine, loop.var)
        if apart is None or step is None or (apart % step if step else apart):
            return None
        if step:
            shifts.add(apart // step)
    if not shifts:
        return "any"
    return shifts.pop() if len(shifts) == 1 else None


def check_units(phase: ir.Phase, refuse: Refuse) -> None:
    """Units may run in parallel, so each stores to elements of its own."""
    if phase.units != ir.IntConst(1):
        _check_unit_stores(phase.unit_var, phase.body, refuse)


def _check_unit_stores(unit: str, body: ir.Body, refuse: Refuse) -> None:
    for stmt in body:
        if isinstance(stmt, ir.If) and _mentions(unit, (stmt.condition.left, stmt.condition.right)):
            continue
        for inner in ir.children(stmt):
            _check_unit_stores(unit, inner, refuse)
        if isinstance(stmt, ir.Store) and stmt.buffer.space != "register" and not _mentions(unit, stmt.index):
            mend = f"Index it with {unit}, or give the phase one unit."
            got = element_text(stmt.buffer, stmt.index)
            refuse(f"an element of each unit's own (units {unit} run in parallel)", got, mend, stmt)
