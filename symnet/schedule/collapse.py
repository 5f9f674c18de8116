"""Rows that lie one after another are one long row, so that lanes do not end where a row does.

before: for i in m: for j in 10 (vector): y[i, j] = 2*x[i, j]
after:  for i_flat in 10*m (vector): y.flat[i_flat] = 2*x.flat[i_flat]                     x.flat is a view of x

In: scheduled loops, a target.  Out: the same, with vector loops and the loop around each joined where everything that
they touch is read and written in whole rows, or does not move.  Known as collapsing loops.  What is computed for an
element stays the same to the bit; a sum over both loops is added up as that of a vector is.
Rows that fill many vectors stay: they are loops of full vectors already.
Not handled: an operand that is read again for every row, a bias; conditions and fetches; rows of a register tile.
"""

from __future__ import annotations

from dataclasses import replace

from symnet.loops.accesses import Access
from symnet.loops.changes import changed, with_bodies
from symnet.loops.facts import gather
from symnet.loops.ir import Body, Buffer, For, IntConst, IntExpr, IntVar, Let, Stmt, Store, int_mul
from symnet.loops.substitute import Substitution, int_variables
from symnet.schedule.access import base_name, coefficient
from symnet.schedule.target import Target

FEW, MANY = 3, 16  # vectors of a row: fewer are always joined with those of other rows, and more never are


def collapsed(body: Body, target: Target) -> Body:
    """The body with its short rows joined, the inner ones first."""
    return changed(body, lambda stmt: _statement(stmt, target))


def _statement(stmt: Stmt, target: Target) -> Stmt:
    stmt = with_bodies(stmt, lambda body: collapsed(body, target))
    if not isinstance(stmt, For) or stmt.kind != "serial" or len(stmt.body) != 1:
        return stmt
    (inner,) = stmt.body
    if not isinstance(inner, For) or inner.kind != "vector" or stmt.var in int_variables(inner.extent):
        return stmt
    return _joined(stmt, inner) if _is_worth_it(inner, target) else stmt


def _is_worth_it(row: For, target: Target) -> bool:
    """Whether rows of this length leave lanes empty, or a loop with little in it."""
    facts = gather(row.body)
    lanes = target.vector_bits // (8 * max(4, facts.itemsize or 8))
    if lanes <= 1 or not all(isinstance(stmt, Let | Store) for stmt in row.body):
        return False
    if not isinstance(row.extent, IntConst):
        return True
    vectors = row.extent.value / lanes
    return vectors < FEW or (vectors < MANY and row.extent.value % lanes != 0)


def _joined(rows: For, row: For) -> For:
    """Both loops as one; the outer one where something does not lie in whole rows."""
    moved = _WholeRows(rows.var, row.var, row.extent, f"{rows.var}_flat")
    body = moved.body(row.body)
    if not moved.holds or gather(body).variables & {rows.var, row.var}:
        return rows
    extent = int_mul(rows.extent, row.extent)
    return For(moved.flat, extent, body, row.kind, axis=rows.axis)


class _WholeRows(Substitution):
    """Moves accesses to rows (…, outer, inner) into one long row; `holds` says whether all are such."""

    def __init__(self, outer: str, inner: str, extent: IntExpr, flat: str) -> None:
        super().__init__({}, self._moved)
        self.outer, self.inner, self.extent, self.flat = outer, inner, extent, flat
        self.holds = True

    def _moved(self, access: Access) -> Access:
        buffer, index = access
        if not any({self.outer, self.inner} & int_variables(i) for i in index):
            return access
        if not self._is_row(buffer, index):
            self.holds = False
            return access
        *before, row, _ = index
        begin = Substitution({self.outer: IntConst(0)}).integer(row)
        return flat(buffer), (*before, IntVar(self.flat) + begin * self.extent)

    def _is_row(self, buffer: Buffer, index: tuple[IntExpr, ...]) -> bool:
        """Whether the last two axes are the two loops, and the rows are whole."""
        if len(index) < 2 or buffer.space == "register" or buffer.shape[-1] != self.extent:
            return False
        *before, row, column = index
        others = frozenset().union(*map(int_variables, before))
        apart = not others & {self.outer, self.inner} and self.inner not in int_variables(row)
        return apart and column == IntVar(self.inner) and coefficient(row, self.outer) == 1


def flat(buffer: Buffer) -> Buffer:
    """A view of an array whose last two axes are one."""
    last = len(buffer.shape) - 2
    shape = (*buffer.shape[:last], int_mul(buffer.shape[last], buffer.shape[last + 1]))
    streamed = buffer.batch_axis is not None and buffer.batch_axis <= last
    axis, batch = (buffer.batch_axis, buffer.batch) if streamed else (None, 0)
    view = replace(buffer, name=f"{buffer.name}.flat", shape=shape, view_of=base_name(buffer))
    return replace(view, batch_axis=axis, batch=batch)
