"""How a nest touches memory: which loop runs along contiguous elements, what each access varies with.

In: a nest.  Out: its accesses, and for a loop variable whether an access is *invariant*, *contiguous* or *strided*.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from symnet.loops.ir import (
    Buffer,
    IntAdd,
    IntConst,
    IntExpr,
    IntLoad,
    IntMul,
    IntVar,
    Let,
    Load,
    Op,
    Stmt,
    Store,
    Value,
    walk,
)
from symnet.loops.substitute import Access, Substitution, int_variables
from symnet.lower.nest import Accumulator, Nest

INVARIANT, CONTIGUOUS, STRIDED = "invariant", "contiguous", "strided"


def loads(value: Value) -> Iterator[Load]:
    """Every load inside a value."""
    if isinstance(value, Load):
        yield value
    if isinstance(value, Op):
        for arg in value.args:
            yield from loads(arg)


def statement_loads(statements: Iterable[Stmt]) -> Iterator[Load]:
    for stmt in walk(tuple(statements)):
        if isinstance(stmt, (Let, Store)):
            yield from loads(stmt.value)


def inner_loads(nest: Nest) -> list[Load]:
    """What the innermost loops read."""
    value = list(loads(nest.accumulator.value)) if nest.accumulator else []
    return [*statement_loads(nest.inner), *value]


def outer_loads(nest: Nest) -> list[Load]:
    return list(statement_loads(nest.outer))


def stores(nest: Nest) -> list[Store]:
    return [s for s in walk(nest.outer) if isinstance(s, Store) and s.buffer.space != "register"]


def index_loads(expr: IntExpr) -> Iterator[IntLoad]:
    """Integer loads inside an index."""
    if isinstance(expr, IntLoad):
        yield expr
    for name in ("left", "right", "value"):
        part = getattr(expr, name, None)
        if isinstance(part, IntExpr):
            yield from index_loads(part)


def accesses(nest: Nest) -> list[Access]:
    """Every access to memory, index loads included."""
    touching: list[Load | Store] = [*inner_loads(nest), *outer_loads(nest), *stores(nest)]
    found: list[Access] = [(x.buffer, x.index) for x in touching if x.buffer.space != "register"]
    for _, index in list(found):
        for expr in index:
            found += [(i.buffer, i.index) for i in index_loads(expr)]
    return found


def stride(index: tuple[IntExpr, ...], var: str) -> str:
    """How the address moves when `var` grows by one."""
    touched = [position for position, expr in enumerate(index) if var in int_variables(expr)]
    if not touched:
        return INVARIANT
    if touched == [len(index) - 1] and coefficient(index[-1], var) == 1:
        return CONTIGUOUS
    return STRIDED


def coefficient(expr: IntExpr, var: str) -> int | None:
    """The constant factor of `var` in an affine expression, None when it is not affine."""
    if isinstance(expr, IntVar):
        return int(expr.name == var)
    if isinstance(expr, IntAdd):
        left, right = coefficient(expr.left, var), coefficient(expr.right, var)
        return None if left is None or right is None else left + right
    if isinstance(expr, IntMul) and isinstance(expr.right, IntConst):
        inner = coefficient(expr.left, var)
        return None if inner is None else inner * expr.right.value
    return 0 if var not in int_variables(expr) else None


def substituted(nest: Nest, rule: Substitution) -> Nest:
    """The nest with integer variables replaced and accesses moved; its axes stay."""
    acc = nest.accumulator
    moved: Accumulator | None = replace(acc, value=rule.value(acc.value)) if acc else None
    return replace(nest, outer=rule.body(nest.outer), inner=rule.body(nest.inner), accumulator=moved)  # type: ignore[arg-type]


def base_name(buffer: Buffer) -> str:
    """The buffer whose memory this is."""
    return buffer.view_of or buffer.name
