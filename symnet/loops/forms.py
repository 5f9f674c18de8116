"""What two pieces of a program have in common: their text without names.

In: statements that need no value from outside.  Out: a `CanonicalPiece`: a key, which two pieces share where their
instructions are equal but for the addresses of arrays and some integers; and what these are here, in the key's order.
Integers from outside are the extents, the numbers of the unit and of the repetition; the unit's may stand a constant
away (the sums of a sweep number their units one after another), which counts as part of the integer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from symnet.loops.ir import (
    Alloc,
    Body,
    Buffer,
    Const,
    Fail,
    Fetch,
    For,
    FromInt,
    If,
    IntAdd,
    IntConst,
    IntExpr,
    IntFloorDiv,
    IntLoad,
    IntMin,
    IntMod,
    IntMul,
    IntVar,
    Let,
    Load,
    Op,
    Prefetch,
    Store,
    Value,
    Var,
)

Traits = Callable[[Buffer], tuple[str, str, object]]
"""Of an array from outside: the root of its memory, its class of memory that may overlap, and what else matters."""


@dataclass(frozen=True, slots=True)
class CanonicalPiece:
    """A piece of a program without names: pieces of equal keys have equal instructions.

    `roots`: the memory it touches; `buffers`: the arrays in it; `integers`: names from outside, with what is added to
    them.
    """

    key: tuple[object, ...]
    roots: tuple[str, ...]
    buffers: tuple[Buffer, ...]
    integers: tuple[tuple[str, int], ...]


def form(body: Body, unit: str, traits: Traits) -> CanonicalPiece:
    """The form of a piece; `unit` is the name of the unit's number."""
    reader = _PieceReader(unit, traits)
    reader.body(body)
    outside = tuple(reader.outside.items())
    return CanonicalPiece(tuple(reader.key), tuple(reader.roots), tuple(reader.buffers), outside)


class _PieceReader:
    """Writes down a piece, names as numbers in the order in which they are met."""

    def __init__(self, unit: str, traits: Traits) -> None:
        self.unit, self.traits = unit, traits
        self.key: list[object] = []
        self.roots: dict[str, int] = {}
        self.classes: dict[str, int] = {}
        self.buffers: list[Buffer] = []
        self.arrays: dict[str, int] = {}
        self.inside: dict[str, int] = {}
        self.outside: dict[str, int] = {}
        self.places: dict[str, int] = {}
        self.values: dict[str, int] = {}

    # ---- integers

    def integer(self, expr: IntExpr) -> None:
        _INTEGERS[type(expr)](self, expr)

    def variable(self, name: str, more: int) -> None:
        number = self.inside.get(name)
        if number is not None:
            self.key += ("loop", number, more)
            return
        number = self.places.get(name)
        if number is None:
            number = self.places[name] = len(self.places)
            self.outside[name] = more
            self.key += ("new", more >= 0)
        self.key += ("outside", number, more - self.outside[name])

    # ---- arrays

    def array(self, buffer: Buffer) -> None:
        number = self.arrays.get(buffer.name)
        if number is None:
            number = self.arrays[buffer.name] = len(self.arrays)
            self.describe(buffer)
        self.key.append(number)

    def describe(self, buffer: Buffer) -> None:
        """Write down an array that is met for the first time."""
        self.key += ("array", buffer.dtype)
        if buffer.space != "register":
            root, memory, more = self.traits(buffer)
            self.key += (
                self.roots.setdefault(root, len(self.roots)),
                self.classes.setdefault(memory, len(self.classes)),
                more,
            )
            self.buffers.append(buffer)
        self.indices(buffer.shape)

    def indices(self, index: tuple[IntExpr, ...]) -> None:
        self.key.append(len(index))
        for part in index:
            _INTEGERS[type(part)](self, part)

    # ---- values and statements

    def value(self, value: Value) -> None:
        _VALUES[type(value)](self, value)

    def body(self, body: Body) -> None:
        self.key.append(len(body))
        for stmt in body:
            _STATEMENTS[type(stmt)](self, stmt)


# --------------------------------------------------------------------------- integers


def _constant(r: _PieceReader, expr: IntConst) -> None:
    r.key += ("number", expr.value)


def _variable(r: _PieceReader, expr: IntVar) -> None:
    r.variable(expr.name, 0)


def _add(r: _PieceReader, expr: IntAdd) -> None:
    left, right = expr.left, expr.right
    if type(left) is IntVar and left.name == r.unit and type(right) is IntConst:
        r.variable(left.name, right.value)
    else:
        _pair(r, expr)


def _pair(r: _PieceReader, expr: IntAdd | IntMul | IntMin) -> None:
    r.key.append(type(expr).__name__)
    r.integer(expr.left)
    r.integer(expr.right)


def _quotient(r: _PieceReader, expr: IntFloorDiv | IntMod) -> None:
    r.key += (type(expr).__name__, expr.divisor)
    r.integer(expr.value)


def _int_load(r: _PieceReader, expr: IntLoad) -> None:
    r.key.append("element")
    r.array(expr.buffer)
    r.indices(expr.index)


_INTEGERS: Mapping[type, Callable[[_PieceReader, Any], None]] = {
    IntConst: _constant,
    IntVar: _variable,
    IntAdd: _add,
    IntMul: _pair,
    IntMin: _pair,
    IntFloorDiv: _quotient,
    IntMod: _quotient,
    IntLoad: _int_load,
}

# --------------------------------------------------------------------------- values


def _const(r: _PieceReader, value: Const) -> None:
    r.key += ("const", value.dtype, repr(value.value))


def _var(r: _PieceReader, value: Var) -> None:
    r.key += ("var", r.values[value.name])


def _load(r: _PieceReader, value: Load) -> None:
    r.key.append("load")
    r.array(value.buffer)
    r.indices(value.index)


def _from_int(r: _PieceReader, value: FromInt) -> None:
    r.key += ("from", value.dtype)
    r.integer(value.value)


def _op(r: _PieceReader, value: Op) -> None:
    r.key += (value.name, value.dtype, len(value.args))
    for arg in value.args:
        _VALUES[type(arg)](r, arg)


_VALUES: Mapping[type, Callable[[_PieceReader, Any], None]] = {
    Const: _const,
    Var: _var,
    Load: _load,
    FromInt: _from_int,
    Op: _op,
}

# --------------------------------------------------------------------------- statements


def _for(r: _PieceReader, stmt: For) -> None:
    r.key += ("for", stmt.kind, stmt.bound, stmt.cut)
    r.integer(stmt.extent)
    before = r.inside.get(stmt.var)
    r.inside[stmt.var] = len(r.key)
    r.body(stmt.body)
    if before is None:
        del r.inside[stmt.var]
    else:
        r.inside[stmt.var] = before


def _if(r: _PieceReader, stmt: If) -> None:
    r.key += ("if", stmt.condition.op)
    r.integer(stmt.condition.left)
    r.integer(stmt.condition.right)
    r.body(stmt.then)
    r.body(stmt.orelse)


def _let(r: _PieceReader, stmt: Let) -> None:
    r.key.append("let")
    r.value(stmt.value)
    r.values[stmt.name] = len(r.key)


def _fetch(r: _PieceReader, stmt: Fetch) -> None:
    r.key.append("fetch")
    r.value(stmt.value)
    r.array(stmt.inside)
    r.values[stmt.name] = len(r.key)


def _store(r: _PieceReader, stmt: Store) -> None:
    r.key += ("store", stmt.combine)
    r.array(stmt.buffer)
    r.indices(stmt.index)
    r.value(stmt.value)


def _alloc(r: _PieceReader, stmt: Alloc) -> None:
    r.key.append("alloc")
    r.arrays[stmt.buffer.name] = len(r.arrays)
    r.describe(stmt.buffer)


def _prefetch(r: _PieceReader, stmt: Prefetch) -> None:
    r.key.append("prefetch")
    r.array(stmt.buffer)
    r.indices(stmt.index)


def _fail(r: _PieceReader, stmt: Fail) -> None:
    r.key += ("fail", stmt.code)
    if stmt.report is not None:
        r.array(stmt.report)
    r.indices(stmt.numbers)


_STATEMENTS: Mapping[type, Callable[[_PieceReader, Any], None]] = {
    Fail: _fail,
    For: _for,
    If: _if,
    Let: _let,
    Fetch: _fetch,
    Store: _store,
    Alloc: _alloc,
    Prefetch: _prefetch,
}
