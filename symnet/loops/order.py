"""Is every workspace buffer written before it is read?  A schedule that runs a consumer first would compute nonsense.

In: a `Program`.  Out: the first read, in the order in which a program runs, of workspace memory that nothing has
written yet, None where there is none; or an error that quotes it.
- A buffer of one superblock of rows is written anew by every group that reads it: after a group it holds the rows of
  the last superblock alone.
- What a group adds up over its repetitions is there when the group has ended: no other phase of it may read that.
- What is written only where there are no rows at all does not count.
Not handled: which elements were written (the interpreter fills its memory with poison for that); a total that is read
by other statements of the phase that adds it up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import NamedTuple

from symnet.errors import CompileError, explain
from symnet.loops import affine, ir
from symnet.loops.accesses import reads_of, writes
from symnet.loops.integer_text import buffer_text
from symnet.loops.owners import owners
from symnet.loops.printer import stmt_line

WrittenByLoop = Callable[[], frozenset[str]]


class EarlyRead(NamedTuple):
    """A statement of a phase that reads a buffer too early."""

    phase: ir.Phase
    stmt: ir.Stmt
    buffer: ir.Buffer


def early_read(program: ir.Program) -> EarlyRead | None:
    """The first read of workspace memory that nothing has written before."""
    owner = owners((*program.inputs, *program.outputs, *program.workspace))
    written = {b.name for b in (*program.inputs, *(c.buffer for c in program.constants))}

    def root(name: str) -> str:
        return owner.get(name, name)

    superblocks = program.streamed
    for group in program.groups:
        totals = [{root(name) for name in _totals(group, phase, superblocks)} for phase in group.phases]
        for phase, own in zip(group.phases, totals, strict=True):
            others = set().union(*totals) - own
            for stmt, before in _with_rows(
                phase.body, frozenset(program.dims), {group.var: _kept(phase.body, group.var)}
            ):
                there = written | {root(name) for name in before - superblocks}
                for buffer in _read(stmt):
                    if buffer.space != "register" and (root(buffer.name) not in there or root(buffer.name) in others):
                        return EarlyRead(phase, stmt, buffer)
                if isinstance(stmt, ir.Store):
                    written.add(root(stmt.buffer.name))
        written -= superblocks
    return None


def _with_rows(
    body: ir.Body, dims: frozenset[str], loops: Mapping[str, WrittenByLoop], before: frozenset[str] = frozenset()
) -> Iterator[tuple[ir.Stmt, frozenset[str]]]:
    """Every statement that runs where there are rows, outer before inner, and what an earlier repetition has stored.

    loops: what each loop around it stores, the repetitions of a group too, by the variable that numbers them.
    """
    for stmt in body:
        yield stmt, before
        if not isinstance(stmt, ir.If):
            around = {**loops, stmt.var: _kept(stmt.body, stmt.var)} if isinstance(stmt, ir.For) else loops
            for inner in ir.children(stmt):
                yield from _with_rows(inner, dims, around, before)
            continue
        zero = _zero(stmt.condition)
        if not zero or not zero <= dims:
            yield from _with_rows(stmt.then, dims, loops, before)
        (variable,) = zero if len(zero) == 1 else ("",)
        earlier = loops[variable]() if variable in loops else frozenset()
        yield from _with_rows(stmt.orelse, dims, loops, before | earlier)


def _kept(body: ir.Body, variable: str) -> WrittenByLoop:
    """What a body stores at places that do not move with a variable, found once, when it is asked for."""
    return cache(lambda: frozenset(_stored_in_place(body, variable)))


def _stored_in_place(body: ir.Body, variable: str) -> Iterator[str]:
    """What a body stores outside registers at places that do not move with a variable."""
    for store in writes(body):
        moves = any(variable in affine.names(i) for i in store.index)
        if store.buffer.space != "register" and not moves:
            yield store.buffer.name


def _zero(condition: ir.IntCondition) -> frozenset[str]:
    """The variables of what the condition says is 0: {i, j} for `i + j == 0`; none where it says something else."""
    is_zero = condition.op == "eq" and condition.right == ir.IntConst(0)
    return affine.names(condition.left) if is_zero else frozenset()


def _totals(group: ir.Group, phase: ir.Phase, superblocks: frozenset[str]) -> Iterator[str]:
    """What every repetition of a group adds to: stored at places that do not move with the repetition."""
    if group.repeat != ir.IntConst(1):
        kept = {buffer.name for stmt in ir.walk(phase.body) for buffer in _read(stmt)}  # others are written anew
        yield from (name for name in _stored_in_place(phase.body, group.var) if name in kept - superblocks)


def _read(stmt: ir.Stmt) -> list[ir.Buffer]:
    """What a statement reads, a store that combines its own element too; where there are no elements, nothing."""
    combined = [stmt.buffer] if isinstance(stmt, ir.Store) and stmt.combine is not None else []
    named = [*(buffer for buffer, _ in reads_of(stmt)), *combined]
    return [buffer for buffer in named if ir.IntConst(0) not in buffer.shape]


def check_order(program: ir.Program) -> None:
    """Examine whether workspace memory is written before it is read.

    Raises:
        CompileError: quoting a statement that reads what nothing has written.
    """
    early = early_read(program)
    if early is not None:
        place = f"program {program.name}, phase {early.phase.name}: `{stmt_line(early.stmt)}`"
        got = f"nothing stored to {buffer_text(early.buffer)} before"
        raise CompileError(explain(place, "reads of what earlier statements wrote", got, "Run the producer first."))
