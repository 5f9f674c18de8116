"""Statements and bodies with what is inside them changed; what does not change stays the very same object.

In: a statement or a body, and the change.  Out: another one, or the same.  A pass that changes little makes little.
"""

from __future__ import annotations

import operator
from collections.abc import Callable

from symnet.loops.ir import Body, For, If, Stmt


def with_bodies(stmt: Stmt, change: Callable[[Body], Body]) -> Stmt:
    """The statement with the bodies inside it changed; the very same where `change` gives them back."""
    if isinstance(stmt, For):
        body = change(stmt.body)
        if body is not stmt.body:
            return For(stmt.var, stmt.extent, body, stmt.kind, stmt.bound, stmt.axis, stmt.cut)
    elif isinstance(stmt, If):
        then, orelse = change(stmt.then), change(stmt.orelse)
        if then is not stmt.then or orelse is not stmt.orelse:
            return If(stmt.condition, then, orelse)
    return stmt


def changed(body: Body, change: Callable[[Stmt], Stmt]) -> Body:
    """The body with its statements changed; the very same where `change` gives all of them back."""
    new = tuple(map(change, body))
    return body if all(map(operator.is_, new, body)) else new
