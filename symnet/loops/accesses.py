"""Which elements of which buffers are read and written: the one walk that everything asks.

In: values, index expressions, statements, bodies.  Out: accesses, each (buffer, index), in the order they are met.
A load is found wherever it stands: in a value, inside the index of another load, in a number made of an index
(`FromInt`), in an extent, in a condition.  Reads of register buffers are among them.
Not handled: a store that combines reads its own element too; it counts as a write.  The register of a fetch is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from symnet.loops import affine, ir

Access = tuple[ir.Buffer, tuple[ir.IntExpr, ...]]


def of_integers(expressions: Iterable[ir.IntExpr]) -> list[Access]:
    """Every element that integer expressions read: integer loads, and those inside their own indices."""
    return [(load.buffer, load.index) for expr in expressions for load in affine.int_loads(expr)]


def of_value(value: ir.Value) -> list[Access]:
    """Every element that a value reads."""
    found: list[Access] = []
    stack = [value]
    while stack:
        node = stack.pop()
        if isinstance(node, ir.Load):
            found.append((node.buffer, node.index))
            found += of_integers(node.index)
        elif isinstance(node, ir.FromInt):
            found += of_integers((node.value,))
        elif isinstance(node, ir.Op):
            stack.extend(reversed(node.args))
    return found


def computed_with(value: ir.Value) -> Iterator[ir.Load]:
    """The loads that a value computes with (not those inside indices)."""
    if isinstance(value, ir.Load):
        yield value
    if isinstance(value, ir.Op):
        for arg in value.args:
            yield from computed_with(arg)


_READS: dict[type, Callable[[Any], list[Access]]] = {
    ir.Let: lambda stmt: of_value(stmt.value),
    ir.Fetch: lambda stmt: of_value(stmt.value),
    ir.Store: lambda stmt: of_value(stmt.value) + of_integers(stmt.index),
    ir.For: lambda stmt: of_integers((stmt.extent,)),
    ir.If: lambda stmt: of_integers((stmt.condition.left, stmt.condition.right)),
    ir.Alloc: lambda stmt: [],
    ir.Prefetch: lambda stmt: of_integers(stmt.index),
    ir.Fail: lambda stmt: of_integers(stmt.numbers),
}


def reads_of(stmt: ir.Stmt) -> list[Access]:
    """Every element that a statement itself reads, the bodies inside it left out."""
    return _READS[type(stmt)](stmt)


def reads(body: Iterable[ir.Stmt]) -> list[Access]:
    """Every element that statements read, inner ones too."""
    return [access for stmt in ir.walk(tuple(body)) for access in reads_of(stmt)]


def writes(body: Iterable[ir.Stmt]) -> Iterator[ir.Store]:
    """Every store, inner ones too."""
    return (stmt for stmt in ir.walk(tuple(body)) if isinstance(stmt, ir.Store))


def touches(body: Iterable[ir.Stmt]) -> dict[str, ir.Buffer]:
    """By name, the buffers of all reads, stores, fetches and failures' reports, inner ones too."""
    found: dict[str, ir.Buffer] = {}
    for stmt in ir.walk(tuple(body)):
        for buffer, _ in reads_of(stmt):
            found[buffer.name] = buffer
        if isinstance(stmt, ir.Store):
            found[stmt.buffer.name] = stmt.buffer
        elif isinstance(stmt, ir.Fetch):
            found[stmt.inside.name] = stmt.inside
        elif isinstance(stmt, ir.Fail) and stmt.report is not None:
            found[stmt.report.name] = stmt.report
    return found
