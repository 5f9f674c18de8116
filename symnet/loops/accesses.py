"""Which elements of which buffers are read and written: the one walk that everything asks.

In: values, index expressions, statements, bodies.  Out: accesses, each (buffer, index), in the order they are met.
A load is found wherever it stands: in a value, inside the index of another load, in a number made of an index
(`FromInt`), in an extent, in a condition.  Reads of register buffers are among them.
Not handled: a store that combines reads its own element too; it counts as a write.  The register of a fetch is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from symnet.loops import affine, ir

_PLAIN = (ir.IntConst, ir.IntVar)
Access = tuple[ir.Buffer, tuple[ir.IntExpr, ...]]


def of_integers(expressions: Iterable[ir.IntExpr]) -> Iterator[Access]:
    """Every element that integer expressions read: integer loads, and those inside their own indices."""
    for expr in expressions:
        if type(expr) not in _PLAIN:
            for load in affine.int_loads(expr):
                yield load.buffer, load.index


def of_value(value: ir.Value) -> Iterator[Access]:
    """Every element that a value reads."""
    stack = [value]
    while stack:
        node = stack.pop()
        if isinstance(node, ir.Load):
            yield node.buffer, node.index
            yield from of_integers(node.index)
        elif isinstance(node, ir.FromInt):
            yield from of_integers((node.value,))
        elif isinstance(node, ir.Op):
            stack.extend(reversed(node.args))


def reads_of(stmt: ir.Stmt) -> Iterator[Access]:
    """Every element that a statement itself reads, the bodies inside it left out."""
    if isinstance(stmt, ir.Let | ir.Fetch | ir.Store):
        yield from of_value(stmt.value)
    if isinstance(stmt, ir.Store):
        yield from of_integers(stmt.index)
    elif isinstance(stmt, ir.For):
        yield from of_integers((stmt.extent,))
    elif isinstance(stmt, ir.Fail):
        yield from of_integers(stmt.numbers)
    elif isinstance(stmt, ir.If):
        yield from of_integers((stmt.condition.left, stmt.condition.right))


def reads(body: Iterable[ir.Stmt]) -> Iterator[Access]:
    """Every element that statements read, inner ones too."""
    for stmt in ir.walk(tuple(body)):
        yield from reads_of(stmt)


def writes(body: Iterable[ir.Stmt]) -> Iterator[ir.Store]:
    """Every store, inner ones too."""
    return (stmt for stmt in ir.walk(tuple(body)) if isinstance(stmt, ir.Store))


def touches(body: Iterable[ir.Stmt]) -> Iterator[ir.Buffer]:
    """The buffer of every read, of every store, of every fetch and of every failure's report, inner ones too."""
    for stmt in ir.walk(tuple(body)):
        yield from (buffer for buffer, _ in reads_of(stmt))
        if isinstance(stmt, ir.Store):
            yield stmt.buffer
        elif isinstance(stmt, ir.Fetch):
            yield stmt.inside
        elif isinstance(stmt, ir.Fail) and stmt.report is not None:
            yield stmt.report
