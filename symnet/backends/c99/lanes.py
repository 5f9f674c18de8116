"""`elementary/`'s lanes as statements of C, one lane at a time.

In: a unit, the format of the numbers, and the lines that are written to.  Out: statements; a value is the name of one.

A condition is a bool, an integer is unsigned and as wide as the numbers.  What depends on all lanes together depends on
the one: the bits of a lane do not depend on its neighbours.

`mul_add` is fma where the target has it; without it, it is a multiplication and an addition.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, final

from symnet.backends.c99.emitter import INDENT, CUnit, needed
from symnet.backends.c99.names import spelled
from symnet.backends.c99.prelude import prelude
from symnet.backends.c99.types import C_TYPE, UNSIGNED_TYPE, is_finite, literal, pattern, unsigned_text
from symnet.elementary.lanes import FORMATS, Lanes, Value

DTYPE = {"float": "float32", "double": "float64"}
KIND = {dtype: kind for kind, dtype in DTYPE.items()}


class LaneValue(NamedTuple):
    """A name or a literal, and its type in C."""

    text: str
    type: str


class LaneText:
    """The statements of one function."""

    def __init__(self, unit: CUnit) -> None:
        self.unit = unit
        self.lines: list[str] = []
        self.depth = 1
        self._count = 0

    def line(self, text: str) -> None:
        self.lines.append(INDENT * self.depth + text)

    def name(self) -> str:
        self._count += 1
        return f"t{self._count}"


@final
class StatementLanes(Lanes):
    """`kind` is "float" or "double"."""

    def __init__(self, text: LaneText, kind: str) -> None:
        self.text, self.kind, self.dtype = text, kind, DTYPE[kind]
        self.format, self.fused = FORMATS[kind], text.unit.fused
        self.real, self.integer = C_TYPE[self.dtype], UNSIGNED_TYPE[self.dtype]

    def _define(self, type_: str, expression: str) -> LaneValue:
        name = self.text.name()
        self.text.line(f"const {type_} {name} = {expression};")
        return LaneValue(name, type_)

    def _call(self, function: str, *args: LaneValue) -> str:
        return f"{prelude(self.text.unit, function, self.dtype)}({', '.join(arg.text for arg in args)})"

    # ------------------------------------------------------------------ constants

    def const(self, value: float) -> LaneValue:
        if is_finite(value, self.dtype):
            return LaneValue(literal(value, self.dtype).text, self.real)
        return LaneValue(self._call("number", LaneValue(pattern(value, self.dtype), self.integer)), self.real)

    def int_const(self, value: int) -> LaneValue:
        return LaneValue(unsigned_text(value & ((1 << self.format.bits) - 1), self.dtype), self.integer)

    def _real(self, x: Value | float) -> LaneValue:
        return self.const(x) if isinstance(x, (int, float)) else x

    def _int(self, x: Value | int) -> LaneValue:
        return self.int_const(x) if isinstance(x, int) else x

    # ------------------------------------------------------------------ arithmetic

    def _arithmetic(self, a: Value | float, operator: str, b: Value | float) -> LaneValue:
        return self._define(self.real, f"{self._real(a).text} {operator} {self._real(b).text}")

    def add(self, a: Value | float, b: Value | float) -> LaneValue:
        return self._arithmetic(a, "+", b)

    def sub(self, a: Value | float, b: Value | float) -> LaneValue:
        return self._arithmetic(a, "-", b)

    def mul(self, a: Value | float, b: Value | float) -> LaneValue:
        return self._arithmetic(a, "*", b)

    def div(self, a: Value | float, b: Value | float) -> LaneValue:
        return self._arithmetic(a, "/", b)

    def neg(self, a: Value) -> LaneValue:
        return self._define(self.real, f"-{a.text}")

    def mul_add(self, a: Value | float, b: Value | float, c: Value | float) -> LaneValue:
        a, b, c = self._real(a), self._real(b), self._real(c)
        return self._define(self.real, self._call("fma", a, b, c) if self.fused else f"{a.text}*{b.text} + {c.text}")

    def sqrt(self, a: Value) -> LaneValue:
        return self._define(self.real, self._call("sqrt", a))

    def abs(self, a: Value) -> LaneValue:
        return self._define(self.real, self._call("abs", a))

    def copy_sign(self, magnitude: Value | float, sign: Value) -> LaneValue:
        return self._define(self.real, self._call("copysign", self._real(magnitude), sign))

    # ------------------------------------------------------------------ comparison and choice

    def _compared(self, a: LaneValue, operator: str, b: LaneValue) -> LaneValue:
        return self._define("bool", f"{a.text} {operator} {b.text}")

    def less(self, a: Value | float, b: Value | float) -> LaneValue:
        return self._compared(self._real(a), "<", self._real(b))

    def less_equal(self, a: Value | float, b: Value | float) -> LaneValue:
        return self._compared(self._real(a), "<=", self._real(b))

    def equal(self, a: Value | float, b: Value | float) -> LaneValue:
        return self._compared(self._real(a), "==", self._real(b))

    def unequal(self, a: Value | float, b: Value | float) -> LaneValue:
        a, b = self._real(a), self._real(b)
        return self._define("bool", f"{a.text} < {b.text} || {a.text} > {b.text}")

    def is_nan(self, a: Value) -> LaneValue:
        return self._compared(a, "!=", a)

    def both(self, a: Value, b: Value) -> LaneValue:
        return self._compared(a, "&&", b)

    def either(self, a: Value, b: Value) -> LaneValue:
        return self._compared(a, "||", b)

    def opposite(self, a: Value) -> LaneValue:
        return self._define("bool", f"!{a.text}")

    def select(self, condition: Value, a: Value | float, b: Value | float) -> LaneValue:
        return self._define(self.real, f"{condition.text} ? {self._real(a).text} : {self._real(b).text}")

    # ------------------------------------------------------------------ bits

    def bits(self, a: Value) -> LaneValue:
        return self._define(self.integer, self._call("bits", a))

    def from_bits(self, a: Value) -> LaneValue:
        return self._define(self.real, self._call("number", a))

    def _combined(self, a: Value | int, operator: str, b: Value | int) -> LaneValue:
        return self._define(self.integer, f"{self._int(a).text} {operator} {self._int(b).text}")

    def int_add(self, a: Value | int, b: Value | int) -> LaneValue:
        return self._combined(a, "+", b)

    def int_sub(self, a: Value | int, b: Value | int) -> LaneValue:
        return self._combined(a, "-", b)

    def int_mul(self, a: Value | int, b: Value | int) -> LaneValue:
        return self._combined(a, "*", b)

    def int_and(self, a: Value | int, b: Value | int) -> LaneValue:
        return self._combined(a, "&", b)

    def int_or(self, a: Value | int, b: Value | int) -> LaneValue:
        return self._combined(a, "|", b)

    def int_xor(self, a: Value | int, b: Value | int) -> LaneValue:
        return self._combined(a, "^", b)

    def shift_left(self, a: Value, count: Value | int) -> LaneValue:
        return self._combined(a, "<<", count)

    def shift_right(self, a: Value, count: Value | int) -> LaneValue:
        return self._combined(a, ">>", count)

    def int_equal(self, a: Value | int, b: Value | int) -> LaneValue:
        return self._compared(self._int(a), "==", self._int(b))

    def int_less(self, a: Value | int, b: Value | int) -> LaneValue:
        signed = self.integer.removeprefix("u")
        return self._define("bool", f"({signed}){self._int(a).text} < ({signed}){self._int(b).text}")

    def int_select(self, condition: Value, a: Value | int, b: Value | int) -> LaneValue:
        return self._define(self.integer, f"{condition.text} ? {self._int(a).text} : {self._int(b).text}")

    # ------------------------------------------------------------------ by way of double

    @property
    def wide(self) -> StatementLanes:
        return self if self.kind == "double" else StatementLanes(self.text, "double")

    def widen(self, a: Value) -> LaneValue:
        return a if self.kind == "double" else self._define("double", f"(double){a.text}")

    def narrow(self, a: Value) -> LaneValue:
        return a if self.kind == "double" else self._define(self.real, f"(float){a.text}")

    def int_narrow(self, a: Value) -> LaneValue:
        return a if self.kind == "double" else self._define(self.integer, f"(uint32_t){a.text}")

    # ------------------------------------------------------------------ what depends on all lanes together

    def repeat(
        self, start: tuple[Value, ...], more: Callable[..., Value], step: Callable[..., tuple[Value, ...]]
    ) -> tuple[Value, ...]:
        text = self.text
        values = tuple(LaneValue(text.name(), value.type) for value in start)
        for value, first in zip(values, start, strict=True):
            text.line(f"{value.type} {value.text} = {first.text};")
        text.line("for (;;) {")
        text.depth += 1
        text.line(f"if (!{more(*values).text})")
        text.line(f"{INDENT}break;")
        for value, following in zip(values, step(*values), strict=True):
            text.line(f"{value.text} = {following.text};")
        text.depth -= 1
        text.line("}")
        return values

    def seldom(
        self, name: str, condition: Value, rare: Callable[[Lanes, Value, Value], Value], x: Value, usual: Value
    ) -> LaneValue:
        outlined = self._outlined(name, rare)
        return self._define(self.real, f"{condition.text} ? {outlined}({x.text}, {usual.text}) : {usual.text}")

    def _outlined(self, name: str, rare: Callable[[Lanes, Value, Value], Value]) -> str:
        """`rare` as a function of the unit, written once."""
        unit = self.text.unit
        full = unit.own(f"{spelled(name)}_{self.dtype}")
        if full not in unit.functions:
            text = LaneText(unit)
            found = rare(StatementLanes(text, self.kind), LaneValue("x", self.real), LaneValue("usual", self.real))
            head = f"static {self.real} {full}({self.real} x, {self.real} usual)"
            unit.functions[full] = function_text(head, text.lines, found.text)
        return full


def function_text(head: str, lines: list[str], result: str) -> str:
    """A function of C, from its statements and what it returns; what nothing needs is left out."""
    return "\n".join([head, "{", *needed([*lines, f"{INDENT}return {result};"]), "}"])
