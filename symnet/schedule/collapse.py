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

from symnet.loops.changes import changed, with_bodies
from symnet.loops.facts import gather
from symnet.loops.ir import Body, For, IntConst, Let, Stmt, Store, int_mul
from symnet.loops.substitute import int_variables
from symnet.schedule.flat import FlatAccesses
from symnet.schedule.target import Target
from symnet.schedule.vectorize import lanes_of

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
    lanes = lanes_of(gather(row.body), target)
    if lanes <= 1 or not all(isinstance(stmt, Let | Store) for stmt in row.body):
        return False
    if not isinstance(row.extent, IntConst):
        return True
    vectors = row.extent.value / lanes
    return vectors < FEW or (vectors < MANY and row.extent.value % lanes != 0)


def _joined(rows: For, row: For) -> For:
    """Both loops as one; the outer one where something does not lie in whole rows."""
    moved = FlatAccesses(rows.var, row.var, row.extent)
    body = moved.body(row.body)
    if not (moved.holds and moved.last) or gather(body).variables & {rows.var, row.var}:
        return rows
    return For(moved.var, int_mul(rows.extent, row.extent), body, row.kind, axis=rows.axis)
