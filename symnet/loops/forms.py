"""What two pieces of a program have in common: their text without names.

In: statements that need no value from outside.  Out: a `CanonicalPiece`: a key, which two pieces share where their
instructions are equal but for the addresses of arrays and some integers; and what these are here, in the key's order.
Integers from outside are the extents, the numbers of the unit and of the repetition; the unit's may stand a constant
away (the sums of a sweep number their units one after another), which counts as part of the integer.
A loop or a condition has a form of its own, which stays with it (`StatementForm`); that of a piece is made of these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from symnet.loops.facts import facts_of
from symnet.loops.ir import (
    Alloc,
    Body,
    Buffer,
    Const,
    Enclosing,
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
    Stmt,
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


@dataclass(frozen=True, slots=True)
class StatementForm:
    """A loop or a condition without names.

    `key`: what it shares with others; `unit`: the name of the unit's number; `arrays`, `integers` and `values`: what is
    from outside, in the order in which it is met, integers with what is added to them.
    """

    key: tuple[object, ...]
    unit: str
    arrays: tuple[Buffer, ...]
    integers: tuple[tuple[str, int], ...]
    values: tuple[str, ...]


def form(body: Body, unit: str, traits: Traits) -> CanonicalPiece:
    """The form of a piece; `unit` is the name of the unit's number."""
    reader = _PieceReader(unit, traits)
    reader.parts(body)
    outside = tuple(reader.outside.items())
    return CanonicalPiece(tuple(reader.key), tuple(reader.roots), tuple(reader.buffers), outside)


def statement_form(stmt: Enclosing, unit: str) -> StatementForm:
    """The form of a loop or a condition, read once."""
    facts = facts_of(stmt)
    found: StatementForm | None = facts.form
    if found is None or found.unit != unit:
        reader = _StatementReader(unit)
        _STATEMENTS[type(stmt)](reader, stmt)
        outside = tuple(reader.buffers), tuple(reader.outside.items()), tuple(reader.given)
        found = facts.form = StatementForm(tuple(reader.key), unit, *outside)
    return found


def form_known_of(stmt: Stmt) -> StatementForm | None:
    """The form of a statement where it was read, or handed over, before."""
    return facts_of(stmt).form if getattr(stmt, "facts", None) is not None else None


class _StatementReader:
    """Writes down a statement, names as numbers in the order in which they are met."""

    def __init__(self, unit: str) -> None:
        self.unit = unit
        self.key: list[object] = []
        self.buffers: list[Buffer] = []
        self.arrays: dict[str, int] = {}
        self.inside: dict[str, int] = {}
        self.outside: dict[str, int] = {}
        self.places: dict[str, int] = {}
        self.values: dict[str, int] = {}
        self.given: dict[str, int] = {}

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
            self.given_integer(more)
        self.key += ("outside", number, more - self.outside[name])

    def given_integer(self, more: int) -> None:
        """Note an integer from outside that is met for the first time; who has what is added to it says so."""

    # ---- arrays

    def array(self, buffer: Buffer) -> None:
        number = self.arrays.get(buffer.name)
        if number is None:
            number = self.arrays[buffer.name] = len(self.arrays)
            self.found(buffer)
            self.describe(buffer)
        self.key.append(number)

    def found(self, buffer: Buffer) -> None:
        """Note an array from outside that is met for the first time."""
        self.buffers.append(buffer)

    def describe(self, buffer: Buffer) -> None:
        """Write down what an array is."""
        self.key += ("array", buffer.dtype)
        self.indices(buffer.shape)

    def indices(self, index: tuple[IntExpr, ...]) -> None:
        self.key.append(len(index))
        for part in index:
            _INTEGERS[type(part)](self, part)

    # ---- values and statements

    def value(self, value: Value) -> None:
        _VALUES[type(value)](self, value)

    def named(self, name: str) -> None:
        """Write down a value by its name."""
        number = self.values.get(name)
        if number is None:
            self.key += ("given", self.given.setdefault(name, len(self.given)))
        else:
            self.key += ("var", number)

    def body(self, body: Body) -> None:
        self.key.append(len(body))
        for stmt in body:
            _STATEMENTS[type(stmt)](self, stmt)

    def parts(self, body: Body) -> None:
        """Write down statements, by their own forms where they have some."""
        self.key.append(len(body))
        for stmt in body:
            if isinstance(stmt, Enclosing):
                self._enclosing(statement_form(stmt, self.unit))
            else:
                _STATEMENTS[type(stmt)](self, stmt)

    def _enclosing(self, known: StatementForm) -> None:
        self.key.append(known.key)
        for buffer in known.arrays:
            number = self.arrays.get(buffer.name)
            if number is None:
                number = self.arrays[buffer.name] = len(self.arrays)
                self.found(buffer)
            self.key.append(number)
        for name, more in known.integers:
            self.variable(name, more)
        for name in known.values:
            self.named(name)


class _PieceReader(_StatementReader):
    """Writes down a piece, by the forms of its statements."""

    def __init__(self, unit: str, traits: Traits) -> None:
        super().__init__(unit)
        self.traits = traits
        self.roots: dict[str, int] = {}
        self.classes: dict[str, int] = {}

    def found(self, buffer: Buffer) -> None:
        """Note where an array from outside lies."""
        if buffer.space != "register":
            root, memory, more = self.traits(buffer)
            numbers = self.roots.setdefault(root, len(self.roots)), self.classes.setdefault(memory, len(self.classes))
            self.key += (*numbers, more)
            self.buffers.append(buffer)

    def given_integer(self, more: int) -> None:
        """Note whether the integer may be negative."""
        self.key += ("new", more >= 0)


# --------------------------------------------------------------------------- integers


def _constant(r: _StatementReader, expr: IntConst) -> None:
    r.key += ("number", expr.value)


def _variable(r: _StatementReader, expr: IntVar) -> None:
    r.variable(expr.name, 0)


def _add(r: _StatementReader, expr: IntAdd) -> None:
    left, right = expr.left, expr.right
    if type(left) is IntVar and left.name == r.unit and type(right) is IntConst:
        r.variable(left.name, right.value)
    else:
        _pair(r, expr)


def _pair(r: _StatementReader, expr: IntAdd | IntMul | IntMin) -> None:
    r.key.append(type(expr).__name__)
    r.integer(expr.left)
    r.integer(expr.right)


def _quotient(r: _StatementReader, expr: IntFloorDiv | IntMod) -> None:
    r.key += (type(expr).__name__, expr.divisor)
    r.integer(expr.value)


def _int_load(r: _StatementReader, expr: IntLoad) -> None:
    r.key.append("element")
    r.array(expr.buffer)
    r.indices(expr.index)


_INTEGERS: Mapping[type, Callable[[_StatementReader, Any], None]] = {
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


def _const(r: _StatementReader, value: Const) -> None:
    r.key += ("const", value.dtype, repr(value.value))


def _var(r: _StatementReader, value: Var) -> None:
    r.named(value.name)


def _load(r: _StatementReader, value: Load) -> None:
    r.key.append("load")
    r.array(value.buffer)
    r.indices(value.index)


def _from_int(r: _StatementReader, value: FromInt) -> None:
    r.key += ("from", value.dtype)
    r.integer(value.value)


def _op(r: _StatementReader, value: Op) -> None:
    r.key += (value.name, value.dtype, len(value.args))
    for arg in value.args:
        _VALUES[type(arg)](r, arg)


_VALUES: Mapping[type, Callable[[_StatementReader, Any], None]] = {
    Const: _const,
    Var: _var,
    Load: _load,
    FromInt: _from_int,
    Op: _op,
}

# --------------------------------------------------------------------------- statements


def _for(r: _StatementReader, stmt: For) -> None:
    r.key += ("for", stmt.kind, stmt.bound, stmt.cut)
    r.integer(stmt.extent)
    before = r.inside.get(stmt.var)
    r.inside[stmt.var] = len(r.key)
    r.body(stmt.body)
    if before is None:
        del r.inside[stmt.var]
    else:
        r.inside[stmt.var] = before


def _if(r: _StatementReader, stmt: If) -> None:
    r.key += ("if", stmt.condition.op)
    r.integer(stmt.condition.left)
    r.integer(stmt.condition.right)
    r.parts(stmt.then)
    r.parts(stmt.orelse)


def _let(r: _StatementReader, stmt: Let) -> None:
    r.key.append("let")
    r.value(stmt.value)
    r.values[stmt.name] = len(r.key)


def _fetch(r: _StatementReader, stmt: Fetch) -> None:
    r.key.append("fetch")
    r.value(stmt.value)
    r.array(stmt.inside)
    r.values[stmt.name] = len(r.key)


def _store(r: _StatementReader, stmt: Store) -> None:
    r.key += ("store", stmt.combine)
    r.array(stmt.buffer)
    r.indices(stmt.index)
    r.value(stmt.value)


def _alloc(r: _StatementReader, stmt: Alloc) -> None:
    r.key.append("alloc")
    r.arrays[stmt.buffer.name] = len(r.arrays)
    r.describe(stmt.buffer)


def _prefetch(r: _StatementReader, stmt: Prefetch) -> None:
    r.key.append("prefetch")
    r.array(stmt.buffer)
    r.indices(stmt.index)


def _fail(r: _StatementReader, stmt: Fail) -> None:
    r.key += ("fail", stmt.code)
    if stmt.report is not None:
        r.array(stmt.report)
    r.indices(stmt.numbers)


_STATEMENTS: Mapping[type, Callable[[_StatementReader, Any], None]] = {
    Fail: _fail,
    For: _for,
    If: _if,
    Let: _let,
    Fetch: _fetch,
    Store: _store,
    Alloc: _alloc,
    Prefetch: _prefetch,
}
