"""`Lanes` of NumPy arrays: what the definitions of `elementary/` say, without a compiler.

In: the format, and whether `mul_add` rounds once.  Out: values are arrays (or scalars) of that format, integers are
unsigned ones, conditions are truth values.

Not handled: warnings of NumPy's where numbers overflow or are not defined: the caller silences them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, final

import numpy as np

from symnet.elementary.lanes import FORMATS, Lanes, Value
from symnet.loops.fused import multiply_add

REAL: dict[str, Any] = {"float": np.float32, "double": np.float64}
BITS: dict[str, Any] = {"float": np.uint32, "double": np.uint64}
SIGNED: dict[str, Any] = {"float": np.int32, "double": np.int64}


@final
class ArrayLanes(Lanes):
    """`kind` is "float" or "double"."""

    def __init__(self, kind: str, fused: bool) -> None:
        self.kind, self.format, self.fused = kind, FORMATS[kind], fused

    # ------------------------------------------------------------------ constants

    def const(self, value: float) -> Value:
        return REAL[self.kind](value)

    def int_const(self, value: int) -> Value:
        return BITS[self.kind](value & ((1 << self.format.bits) - 1))

    def _real(self, x: Value | float) -> Value:
        return self.const(x) if isinstance(x, (int, float)) else x

    def _int(self, x: Value | int) -> Value:
        return self.int_const(x) if isinstance(x, int) else x

    # ------------------------------------------------------------------ arithmetic

    def add(self, a: Value | float, b: Value | float) -> Value:
        return self._real(a) + self._real(b)

    def sub(self, a: Value | float, b: Value | float) -> Value:
        return self._real(a) - self._real(b)

    def mul(self, a: Value | float, b: Value | float) -> Value:
        return self._real(a) * self._real(b)

    def div(self, a: Value | float, b: Value | float) -> Value:
        return self._real(a) / self._real(b)

    def neg(self, a: Value) -> Value:
        return -a

    def mul_add(self, a: Value | float, b: Value | float, c: Value | float) -> Value:
        a, b, c = map(self._real, (a, b, c))
        return multiply_add(a, b, c) if self.fused else a * b + c

    def sqrt(self, a: Value) -> Value:
        return np.sqrt(a)

    def abs(self, a: Value) -> Value:
        return np.abs(a)

    def copy_sign(self, magnitude: Value | float, sign: Value) -> Value:
        return np.copysign(self._real(magnitude), sign)

    # ------------------------------------------------------------------ comparison and choice

    def less(self, a: Value | float, b: Value | float) -> Value:
        return self._real(a) < self._real(b)

    def less_equal(self, a: Value | float, b: Value | float) -> Value:
        return self._real(a) <= self._real(b)

    def equal(self, a: Value | float, b: Value | float) -> Value:
        return self._real(a) == self._real(b)

    def unequal(self, a: Value | float, b: Value | float) -> Value:
        a, b = self._real(a), self._real(b)
        return (a < b) | (b < a)

    def is_nan(self, a: Value) -> Value:
        return np.isnan(a)

    def both(self, a: Value, b: Value) -> Value:
        return a & b

    def either(self, a: Value, b: Value) -> Value:
        return a | b

    def opposite(self, a: Value) -> Value:
        return ~a

    def select(self, condition: Value, a: Value | float, b: Value | float) -> Value:
        return np.where(condition, self._real(a), self._real(b))

    # ------------------------------------------------------------------ bits

    def bits(self, a: Value) -> Value:
        return a.view(BITS[self.kind])

    def from_bits(self, a: Value) -> Value:
        return a.view(REAL[self.kind])

    def int_add(self, a: Value | int, b: Value | int) -> Value:
        return self._int(a) + self._int(b)

    def int_sub(self, a: Value | int, b: Value | int) -> Value:
        return self._int(a) - self._int(b)

    def int_mul(self, a: Value | int, b: Value | int) -> Value:
        return self._int(a) * self._int(b)

    def int_and(self, a: Value | int, b: Value | int) -> Value:
        return self._int(a) & self._int(b)

    def int_or(self, a: Value | int, b: Value | int) -> Value:
        return self._int(a) | self._int(b)

    def int_xor(self, a: Value | int, b: Value | int) -> Value:
        return self._int(a) ^ self._int(b)

    def shift_left(self, a: Value, count: Value | int) -> Value:
        return a << self._int(count)

    def shift_right(self, a: Value, count: Value | int) -> Value:
        return a >> self._int(count)

    def int_equal(self, a: Value | int, b: Value | int) -> Value:
        return self._int(a) == self._int(b)

    def int_less(self, a: Value | int, b: Value | int) -> Value:
        return self._int(a).view(SIGNED[self.kind]) < self._int(b).view(SIGNED[self.kind])

    def int_select(self, condition: Value, a: Value | int, b: Value | int) -> Value:
        return np.where(condition, self._int(a), self._int(b))

    # ------------------------------------------------------------------ by way of double

    @property
    def wide(self) -> ArrayLanes:
        return ArrayLanes("double", self.fused)

    def widen(self, a: Value) -> Value:
        return a.astype(np.float64)

    def narrow(self, a: Value) -> Value:
        return a.astype(REAL[self.kind])

    def int_narrow(self, a: Value) -> Value:
        return a.astype(BITS[self.kind])

    # ------------------------------------------------------------------ what depends on all lanes together

    def repeat(
        self, start: tuple[Value, ...], more: Callable[..., Value], step: Callable[..., tuple[Value, ...]]
    ) -> tuple[Value, ...]:
        values = start
        while np.any(more(*values)):
            values = step(*values)
        return values

    def seldom(
        self, name: str, condition: Value, rare: Callable[[Lanes, Value, Value], Value], x: Value, usual: Value
    ) -> Value:
        return rare(self, x, usual) if np.any(condition) else usual
