"""Statements under other names: of arrays, of values and of registers.

In: statements, a function from names to names, integer variables to be replaced.  Out: new statements.  Loop variables
and extents keep their names.  What a name is used for makes no difference: one that is met twice is renamed alike.
What is known of old statements need not be found out again of new ones: `known_as_of`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from symnet.loops.affine import names
from symnet.loops.facts import BodyFacts, facts_of, hand_over
from symnet.loops.forms import StatementForm, statement_form
from symnet.loops.integers import Buffer, IntAdd, IntConst, IntExpr, IntVar
from symnet.loops.ir import (
    Alloc,
    Body,
    Const,
    Enclosing,
    Fail,
    Fetch,
    For,
    FromInt,
    If,
    IntCondition,
    Let,
    Load,
    Op,
    Prefetch,
    Stmt,
    Store,
    Value,
    Var,
    children,
)
from symnet.loops.substitute import Substitution


class Renaming(Substitution):
    """Gives names, and replaces integer variables, throughout statements and values.

    Args:
        new: the new name of an old one.
        ints: what integer variables become.
        plain: no index or extent is read from memory, so that those without variables to replace stay.
    """

    def __init__(self, new: Callable[[str], str], ints: Mapping[str, IntExpr], plain: bool = False) -> None:
        super().__init__(ints, self._moved)
        self.new, self.stays = new, plain and not ints
        self._names: dict[str, str] = {}
        self._buffers: dict[str, tuple[Buffer, Buffer]] = {}

    def name(self, old: str) -> str:
        found = self._names.get(old)
        if found is None:
            found = self._names[old] = self.new(old)
        return found

    def buffer(self, old: Buffer) -> Buffer:
        """An array under its new name; equal ones are one object, so that they are compared in no time."""
        known = self._buffers.get(old.name)
        if known is not None and (known[0] is old or known[0] == old):
            return known[1]
        view_of = None if old.view_of is None else self.name(old.view_of)
        made = Buffer(self.name(old.name), old.dtype, old.shape, old.space, view_of, old.batch_axis, old.batch)
        self._buffers[old.name] = old, made
        return made

    def _moved(self, access: tuple[Buffer, tuple[IntExpr, ...]]) -> tuple[Buffer, tuple[IntExpr, ...]]:
        return self.buffer(access[0]), access[1]

    def index(self, index: tuple[IntExpr, ...]) -> tuple[IntExpr, ...]:
        return index if self.stays else super().index(index)

    def integer(self, expr: IntExpr) -> IntExpr:
        return expr if self.stays else super().integer(expr)

    def value(self, value: Value) -> Value:
        return _VALUES[type(value)](self, value)

    def lets(self, lets: Iterable[Let]) -> tuple[Let, ...]:
        return tuple([Let(self.name(let.name), self.value(let.value)) for let in lets])

    def body(self, body: Iterable[Stmt]) -> Body:
        return tuple([_STATEMENTS[type(stmt)](self, stmt) for stmt in body])

    def known_as_of(self, old: Body, new: Body) -> Body:
        """The new statements, with what `find_out` found of those that they were made of."""
        for before, after in zip(old, new, strict=True):
            if isinstance(before, Enclosing) and isinstance(after, Enclosing):
                hand_over(partial(self._facts, facts_of(before)), after)
                if isinstance(before, If):
                    for inside, there in zip(children(before), children(after), strict=True):
                        self.known_as_of(inside, there)
        return new

    def _facts(self, old: BodyFacts) -> BodyFacts:
        """Facts of a statement as those of what it is made to; no variable becomes a number."""
        buffers = [self.buffer(buffer) for buffer in old.buffers.values()]
        return BodyFacts(
            set(map(self.name, old.stored)),
            set(map(self.name, old.names)),
            {buffer.name: buffer for buffer in buffers},
            self._variables(old.variables),
            old.real,
            old.integer,
            old.tiles,
            old.loops,
            old.reduces,
            self._variables(old.gathered),
            old.fails,
            old.chained,
            old.weight,
            {(self.name(name), None if at is None else self.integer(at)) for name, at in old.rows},
            old.extents if self.stays else dict.fromkeys(map(self.integer, old.extents)),
            None if old.form is None else self._form(old.form),
        )

    def _variables(self, old: set[str]) -> set[str]:
        return old if old.isdisjoint(self.ints) else {n for v in old for n in names(self.integer(IntVar(v)))}

    def _form(self, old: StatementForm) -> StatementForm | None:
        """The form, which is another one where an integer is more than the same with a number added."""
        integers = []
        for name, more in old.integers:
            match self.ints.get(name, IntVar(name)):
                case IntVar(same) if same == name:
                    integers.append((name, more))
                case IntAdd(IntVar(same), IntConst(number)) if same == name == old.unit:
                    integers.append((name, more + number))
                case _:
                    return None
        arrays = tuple([self.buffer(buffer) for buffer in old.arrays])
        return StatementForm(old.key, old.unit, arrays, tuple(integers), tuple(map(self.name, old.values)))


def find_out(body: Body, unit: str) -> None:
    """Find out, of loops and conditions, and of what is inside conditions, what back ends ask."""
    for stmt in body:
        if isinstance(stmt, Enclosing):
            statement_form(stmt, unit)
            for inside in children(stmt) if isinstance(stmt, If) else ():
                find_out(inside, unit)


_VALUES: Mapping[type, Callable[[Renaming, Any], Value]] = {
    Const: lambda r, v: v,
    Var: lambda r, v: Var(r.name(v.name), v.dtype),
    Load: lambda r, v: Load(r.buffer(v.buffer), r.index(v.index)),
    FromInt: lambda r, v: FromInt(r.integer(v.value), v.dtype),
    Op: lambda r, v: Op(v.name, tuple([_VALUES[type(a)](r, a) for a in v.args]), v.dtype),
}


def _fail(r: Renaming, stmt: Fail) -> Stmt:
    return Fail(stmt.code, None if stmt.report is None else r.buffer(stmt.report), r.index(stmt.numbers))


def _if(r: Renaming, stmt: If) -> Stmt:
    test = stmt.condition
    condition = IntCondition(test.op, r.integer(test.left), r.integer(test.right))
    return If(condition, r.body(stmt.then), r.body(stmt.orelse))


def _fetch(r: Renaming, stmt: Fetch) -> Stmt:
    value = Load(r.buffer(stmt.value.buffer), r.index(stmt.value.index))
    return Fetch(r.name(stmt.name), value, r.buffer(stmt.inside))


_STATEMENTS: Mapping[type, Callable[[Renaming, Any], Stmt]] = {
    For: lambda r, s: For.deferred(s, r.integer(s.extent), partial(r.body, s.body)),
    Let: lambda r, s: Let(r.name(s.name), r.value(s.value)),
    Fetch: _fetch,
    Store: lambda r, s: Store(r.buffer(s.buffer), r.index(s.index), r.value(s.value), s.combine),
    Alloc: lambda r, s: Alloc(r.buffer(s.buffer)),
    Prefetch: lambda r, s: Prefetch(r.buffer(s.buffer), r.index(s.index)),
    If: _if,
    Fail: _fail,
}
