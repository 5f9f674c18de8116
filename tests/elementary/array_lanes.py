"""`Lanes` of NumPy arrays: what a definition says, without a compiler.

In: the format, and whether `mul_add` rounds once.  Out: values are arrays of that format, integers are unsigned ones.
"""

from typing import final

import numpy as np

from symnet.elementary.lanes import FORMATS, Lanes
from symnet.loops.fused import multiply_add

REAL = {"float": np.float32, "double": np.float64}
BITS = {"float": np.uint32, "double": np.uint64}
SIGNED = {"float": np.int32, "double": np.int64}


@final
class ArrayLanes(Lanes):
    """`kind` is "float" or "double"."""

    def __init__(self, kind, fused):
        self.kind, self.format, self.fused = kind, FORMATS[kind], fused

    # ------------------------------------------------------------------ constants

    def const(self, value):
        return REAL[self.kind](value)

    def int_const(self, value):
        return BITS[self.kind](value & ((1 << self.format.bits) - 1))

    def _real(self, x):
        return self.const(x) if isinstance(x, (int, float)) else x

    def _int(self, x):
        return self.int_const(x) if isinstance(x, int) else x

    # ------------------------------------------------------------------ arithmetic

    def add(self, a, b):
        return self._real(a) + self._real(b)

    def sub(self, a, b):
        return self._real(a) - self._real(b)

    def mul(self, a, b):
        return self._real(a) * self._real(b)

    def div(self, a, b):
        return self._real(a) / self._real(b)

    def neg(self, a):
        return -a

    def mul_add(self, a, b, c):
        a, b, c = map(self._real, (a, b, c))
        return multiply_add(a, b, c) if self.fused else a * b + c

    def sqrt(self, a):
        return np.sqrt(a)

    def abs(self, a):
        return np.abs(a)

    def copy_sign(self, magnitude, sign):
        return np.copysign(self._real(magnitude), sign)

    # ------------------------------------------------------------------ comparison and choice

    def less(self, a, b):
        return self._real(a) < self._real(b)

    def less_equal(self, a, b):
        return self._real(a) <= self._real(b)

    def equal(self, a, b):
        return self._real(a) == self._real(b)

    def unequal(self, a, b):
        a, b = self._real(a), self._real(b)
        return (a < b) | (b < a)

    def is_nan(self, a):
        return np.isnan(a)

    def both(self, a, b):
        return a & b

    def either(self, a, b):
        return a | b

    def opposite(self, a):
        return ~a

    def select(self, condition, a, b):
        return np.where(condition, self._real(a), self._real(b))

    # ------------------------------------------------------------------ bits

    def bits(self, a):
        return a.view(BITS[self.kind])

    def from_bits(self, a):
        return a.view(REAL[self.kind])

    def int_add(self, a, b):
        return self._int(a) + self._int(b)

    def int_sub(self, a, b):
        return self._int(a) - self._int(b)

    def int_mul(self, a, b):
        return self._int(a) * self._int(b)

    def int_and(self, a, b):
        return self._int(a) & self._int(b)

    def int_or(self, a, b):
        return self._int(a) | self._int(b)

    def int_xor(self, a, b):
        return self._int(a) ^ self._int(b)

    def shift_left(self, a, count):
        return a << self._int(count)

    def shift_right(self, a, count):
        return a >> self._int(count)

    def int_equal(self, a, b):
        return self._int(a) == self._int(b)

    def int_less(self, a, b):
        return self._int(a).view(SIGNED[self.kind]) < self._int(b).view(SIGNED[self.kind])

    def int_select(self, condition, a, b):
        return np.where(condition, self._int(a), self._int(b))

    # ------------------------------------------------------------------ by way of double

    @property
    def wide(self):
        return ArrayLanes("double", self.fused)

    def widen(self, a):
        return a.astype(np.float64)

    def narrow(self, a):
        return a.astype(REAL[self.kind])

    def int_narrow(self, a):
        return a.astype(BITS[self.kind])

    # ------------------------------------------------------------------ what depends on all lanes together

    def repeat(self, start, more, step):
        values = start
        while np.any(more(*values)):
            values = step(*values)
        return values

    def seldom(self, name, condition, rare, x, usual):
        return rare(self, x, usual) if np.any(condition) else usual
