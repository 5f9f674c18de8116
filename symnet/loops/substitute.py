"""Substitution in the loop language: integer variables, whole accesses, values.

In: statements or values.  Out: new ones.  Used by `schedule/` to tile and to stream.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from symnet.loops import ir
from symnet.loops.accesses import Access
from symnet.loops.ir import Body, IntExpr, Stmt, Value


class Substitution:
    """Replaces integer variables, then passes every access through `access`."""

    def __init__(self, ints: Mapping[str, IntExpr], access: Callable[[Access], Access] | None = None) -> None:
        self.ints = ints
        self.access = access

    def index(self, index: tuple[IntExpr, ...]) -> tuple[IntExpr, ...]:
        return tuple(self.integer(i) for i in index)

    def located(self, buffer: ir.Buffer, index: tuple[IntExpr, ...]) -> Access:
        """The access, moved as a whole first (in the old variables), its variables replaced after."""
        if self.access is not None:
            buffer, index = self.access((buffer, index))
        return buffer, self.index(index)

    def integer(self, expr: IntExpr) -> IntExpr:
        return _INT_RULES[type(expr)](self, expr)

    def value(self, value: Value) -> Value:
        return _VALUE_RULES[type(value)](self, value)

    def condition(self, c: ir.IntCondition) -> ir.IntCondition:
        return ir.IntCondition(c.op, self.integer(c.left), self.integer(c.right))

    def lets(self, lets: Iterable[ir.Let]) -> tuple[ir.Let, ...]:
        return tuple(ir.Let(let.name, self.value(let.value)) for let in lets)

    def body(self, body: Iterable[Stmt]) -> Body:
        return tuple(_STMT_RULES[type(s)](self, s) for s in body)


def _int_load(s: Substitution, e: ir.IntLoad) -> IntExpr:
    return ir.IntLoad(*s.located(e.buffer, e.index))


_INT_RULES: dict[type, Callable[..., IntExpr]] = {
    ir.IntConst: lambda s, e: e,
    ir.IntVar: lambda s, e: s.ints.get(e.name, e),
    ir.IntAdd: lambda s, e: ir.int_add(s.integer(e.left), s.integer(e.right)),
    ir.IntMul: lambda s, e: ir.int_mul(s.integer(e.left), s.integer(e.right)),
    ir.IntMin: lambda s, e: ir.int_min(s.integer(e.left), s.integer(e.right)),
    ir.IntFloorDiv: lambda s, e: ir.int_floordiv(s.integer(e.value), e.divisor),
    ir.IntMod: lambda s, e: ir.int_mod(s.integer(e.value), e.divisor),
    ir.IntLoad: _int_load,
}

_VALUE_RULES: dict[type, Callable[..., Value]] = {
    ir.Const: lambda s, v: v,
    ir.Var: lambda s, v: v,
    ir.Load: lambda s, v: ir.Load(*s.located(v.buffer, v.index)),
    ir.FromInt: lambda s, v: ir.FromInt(s.integer(v.value), v.dtype),
    ir.Op: lambda s, v: ir.Op(v.name, tuple(s.value(a) for a in v.args), v.dtype),
}


def _store(s: Substitution, stmt: ir.Store) -> Stmt:
    buffer, index = s.located(stmt.buffer, stmt.index)
    return ir.Store(buffer, index, s.value(stmt.value), stmt.combine)


def _fetch(s: Substitution, stmt: ir.Fetch) -> Stmt:
    buffer, index = s.located(stmt.value.buffer, stmt.value.index)
    return ir.Fetch(stmt.name, ir.Load(buffer, index), stmt.inside)


_STMT_RULES: dict[type, Callable[..., Stmt]] = {
    ir.For: lambda s, t: ir.For(t.var, s.integer(t.extent), s.body(t.body), t.kind, t.bound, t.axis, t.cut),
    ir.Let: lambda s, t: ir.Let(t.name, s.value(t.value)),
    ir.Fetch: _fetch,
    ir.Store: _store,
    ir.Alloc: lambda s, t: ir.Alloc(t.buffer),  # a statement of its own: back ends tell them apart by identity
    ir.Prefetch: lambda s, t: ir.Prefetch(*s.located(t.buffer, t.index)),
    ir.If: lambda s, t: ir.If(s.condition(t.condition), s.body(t.then), s.body(t.orelse)),
    ir.Fail: lambda s, t: replace(t, numbers=s.index(t.numbers)),
}


def substitute(
    body: Iterable[Stmt], ints: Mapping[str, IntExpr], access: Callable[[Access], Access] | None = None
) -> Body:
    """Replace integer variables (and move accesses) throughout a body."""
    return Substitution(ints, access).body(body)


def int_variables(expr: IntExpr) -> frozenset[str]:
    """The variables of an integer expression."""
    return _INT_VARIABLES[type(expr)](expr)


def _of(*parts: IntExpr) -> frozenset[str]:
    return frozenset().union(*(int_variables(p) for p in parts))


_NONE: frozenset[str] = frozenset()
_INT_VARIABLES: dict[type, Callable[..., frozenset[str]]] = {
    ir.IntConst: lambda e: _NONE,
    ir.IntVar: lambda e: frozenset((e.name,)),
    ir.IntAdd: lambda e: int_variables(e.left) | int_variables(e.right),
    ir.IntMul: lambda e: int_variables(e.left) | int_variables(e.right),
    ir.IntMin: lambda e: int_variables(e.left) | int_variables(e.right),
    ir.IntFloorDiv: lambda e: int_variables(e.value),
    ir.IntMod: lambda e: int_variables(e.value),
    ir.IntLoad: lambda e: _of(*e.index),
}

_VALUE_VARIABLES: dict[type, Callable[..., frozenset[str]]] = {
    ir.Const: lambda v: frozenset(),
    ir.Var: lambda v: frozenset({v.name}),
    ir.Load: lambda v: _of(*v.index),
    ir.FromInt: lambda v: int_variables(v.value),
    ir.Op: lambda v: frozenset().union(*map(value_variables, v.args)),
}


def value_variables(value: Value) -> frozenset[str]:
    """The variables of a value: loop variables of its indices, and the names bound by Let that it reads."""
    return _VALUE_VARIABLES[type(value)](value)
