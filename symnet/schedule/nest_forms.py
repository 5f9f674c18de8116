"""What nests have in common that differ in names alone: their text with numbers in the place of names.

In: an ordinary nest, and how its sums go on.  Out: a `NestForm`: a key, which two of them share where they are equal
but for the names of arrays and values; and what the names are here.  Loop variables and extents keep their names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from symnet.loops.integers import (
    Buffer,
    IntAdd,
    IntConst,
    IntExpr,
    IntFloorDiv,
    IntLoad,
    IntMin,
    IntMod,
    IntMul,
    IntVar,
)
from symnet.loops.ir import Body, Const, FromInt, Let, Load, Op, Store, Value, Var
from symnet.loops.renaming import Renaming
from symnet.lower.nest import Axis, Nest
from symnet.schedule.partials import Carry

_STAND_IN = re.compile("\0([0-9]+)\0")  # no name of a user has these characters


class NestForm:
    """A nest without names.

    Attributes:
        key: what two nests share where they differ in names alone.
        names: the names, in the order in which they are met.
        is_affine: no index or extent is read from memory.
    """

    def __init__(self, nest: Nest, carry: Carry | None) -> None:
        self.is_affine = True
        self._parts: list[object] = []
        self._numbers: dict[str, int] = {}
        self._buffers: dict[str, Buffer] = {}
        self._nest(nest)
        if carry is not None:
            self._carry(carry)
        self.key, self.names = tuple(self._parts), tuple(self._numbers)

    def under_stand_ins(self, nest: Nest, carry: Carry | None) -> tuple[Nest, Carry | None]:
        """The nest and how it goes on, names that stand in no others in the place of its own."""
        rule = Renaming(lambda name: f"\0{self._numbers[name]}\0", {}, self.is_affine)
        acc = nest.accumulator
        moved = None if acc is None else replace(acc, name=rule.name(acc.name), value=rule.value(acc.value))
        outer, inner = rule.body(nest.outer), rule.lets(nest.inner)
        bare = Nest(rule.name(nest.name), nest.parallel, outer, nest.reduced, inner, moved, halved=nest.halved)
        low = None if carry is None or carry.low is None else rule.buffer(carry.low)
        return bare, None if carry is None else replace(carry, low=low)

    def put_back(self, body: Body, ints: Mapping[str, IntExpr]) -> Body:
        """Loops made of such a nest, under the names of this one; integer variables are replaced.

        What is known of the loops is known of these.
        """
        names = self.names

        def named(name: str) -> str:
            return _STAND_IN.sub(lambda found: names[int(found[1])], name)

        rule = Renaming(named, ints, self.is_affine)
        return rule.known_as_of(body, rule.body(body))

    # ---- parts

    def name(self, name: str) -> None:
        self._parts.append(self._numbers.setdefault(name, len(self._numbers)))

    def buffer(self, buffer: Buffer) -> None:
        """An array: described where it is met for the first time."""
        self.name(buffer.name)
        known = self._buffers.get(buffer.name)
        if known is buffer or known == buffer:
            return
        self._buffers[buffer.name] = buffer
        self._parts += (buffer.dtype, buffer.space, buffer.batch_axis, buffer.batch, buffer.view_of is not None)
        if buffer.view_of is not None:
            self.name(buffer.view_of)
        self.integers(buffer.shape)

    def integers(self, expressions: tuple[IntExpr, ...]) -> None:
        self._parts.append(len(expressions))
        for expr in expressions:
            _INTEGERS[type(expr)](self, expr)

    def integer(self, expr: IntExpr) -> None:
        _INTEGERS[type(expr)](self, expr)

    def value(self, value: Value) -> None:
        _VALUES[type(value)](self, value)

    def add(self, *parts: object) -> None:
        self._parts += parts

    def _axes(self, axes: tuple[Axis, ...]) -> None:
        self.add(len(axes))
        for axis in axes:
            self.add(axis.var, axis.batch)
            self.integer(axis.extent)

    def _statements(self, body: Body) -> None:
        self.add(len(body))
        for stmt in body:
            _STATEMENTS[type(stmt)](self, stmt)

    def _nest(self, nest: Nest) -> None:
        self.name(nest.name)
        self._axes(nest.parallel)
        self._axes(nest.reduced)
        self.add(nest.halved, nest.accumulator is not None)
        self._statements(nest.inner)
        if nest.accumulator is not None:
            acc = nest.accumulator
            self.name(acc.name)
            self.add(acc.dtype, acc.combine, repr(acc.initial))
            self.value(acc.value)
        self._statements(nest.outer)

    def _carry(self, carry: Carry) -> None:
        for condition in (carry.first, carry.more):
            self.add(condition.op)
            self.integers((condition.left, condition.right))
        self.add(carry.low is not None)
        if carry.low is not None:
            self.buffer(carry.low)


# --------------------------------------------------------------------------- integers, values, statements


def _pair(form: NestForm, expr: IntAdd | IntMul | IntMin) -> None:
    form.add(type(expr))
    form.integer(expr.left)
    form.integer(expr.right)


def _quotient(form: NestForm, expr: IntFloorDiv | IntMod) -> None:
    form.add(type(expr), expr.divisor)
    form.integer(expr.value)


def _element(form: NestForm, expr: IntLoad) -> None:
    form.is_affine = False
    form.add(IntLoad)
    form.buffer(expr.buffer)
    form.integers(expr.index)


_INTEGERS: Mapping[type, Callable[[NestForm, Any], None]] = {
    IntConst: lambda form, expr: form.add(expr.value),
    IntVar: lambda form, expr: form.add(expr.name),
    IntAdd: _pair,
    IntMul: _pair,
    IntMin: _pair,
    IntFloorDiv: _quotient,
    IntMod: _quotient,
    IntLoad: _element,
}


def _var(form: NestForm, value: Var) -> None:
    form.add(Var, value.dtype)
    form.name(value.name)


def _load(form: NestForm, value: Load) -> None:
    form.add(Load)
    form.buffer(value.buffer)
    form.integers(value.index)


def _from_int(form: NestForm, value: FromInt) -> None:
    form.add(FromInt, value.dtype)
    form.integer(value.value)


def _op(form: NestForm, value: Op) -> None:
    form.add(value.name, value.dtype, len(value.args))
    for arg in value.args:
        form.value(arg)


_VALUES: Mapping[type, Callable[[NestForm, Any], None]] = {
    Const: lambda form, value: form.add(Const, value.dtype, repr(value.value)),
    Var: _var,
    Load: _load,
    FromInt: _from_int,
    Op: _op,
}


def _let(form: NestForm, stmt: Let) -> None:
    form.add(Let)
    form.name(stmt.name)
    form.value(stmt.value)


def _store(form: NestForm, stmt: Store) -> None:
    form.add(Store, stmt.combine)
    form.buffer(stmt.buffer)
    form.integers(stmt.index)
    form.value(stmt.value)


_STATEMENTS: Mapping[type, Callable[[NestForm, Any], None]] = {Let: _let, Store: _store}
