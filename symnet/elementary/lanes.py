"""What an elementary function may ask of the numbers that it is a function of.

In: nothing.  Out: the protocol `Lanes`, the formats of its numbers, and `in_double`.

A function of this folder is written once, `f(lanes, x)`, and means whatever the lanes mean: instructions or
statements where they write code (`backends/llvm/lanes.py`, `backends/c99/lanes.py`), numbers where they compute.  A
value holds one number for each lane, or one bit where it is a condition; only the lanes that made it look inside.  The
same operations run in every lane, so that a lane's bits depend neither on its neighbours nor on how many there are.

Two kinds of products and sums stand side by side.  `mul_add` rounds once where the lanes fuse and twice where they do
not: which product may be fused is written here, never guessed.  `add`, `sub` and `mul` round once, always: sums
whose rounding errors are recovered are built from these.

Not handled: formats other than IEEE 754's single and double, the rounding mode (nearest-even is assumed), flags of
floating-point exceptions.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, Protocol, TypeAlias

Value: TypeAlias = Any  # of the lanes' own type: an instruction, an array


@dataclass(frozen=True, slots=True)
class Format:
    """An IEEE 754 binary format: `bits` in all, `mantissa` of them after the leading one."""

    bits: int
    mantissa: int

    @property
    def bias(self) -> int:
        return (1 << (self.bits - self.mantissa - 2)) - 1

    @property
    def one(self) -> int:
        """The bit pattern of 1."""
        return self.bias << self.mantissa

    @property
    def smallest_normal(self) -> float:
        return 2.0 ** (1 - self.bias)

    @property
    def rounder(self) -> float:
        """1.5·2^mantissa: adding it leaves a number's nearest integer in the low bits of the sum."""
        return 1.5 * 2.0**self.mantissa


FORMATS = {"float": Format(bits=32, mantissa=23), "double": Format(bits=64, mantissa=52)}


class Lanes(Protocol):
    """Numbers of one format, and integers that are as wide; Python's numbers stand for the same in every lane."""

    kind: str  # "float" or "double"
    fused: bool  # whether `mul_add` rounds once
    format: Format  # FORMATS[kind]

    # ------------------------------------------------------------------ constants

    @abstractmethod
    def const(self, value: float) -> Value:
        """`value` rounded to the lanes' format."""

    @abstractmethod
    def int_const(self, value: int) -> Value:
        """`value` modulo 2^bits, as the bit pattern of a lane."""

    # ------------------------------------------------------------------ arithmetic

    @abstractmethod
    def add(self, a: Value | float, b: Value | float) -> Value: ...

    @abstractmethod
    def sub(self, a: Value | float, b: Value | float) -> Value: ...

    @abstractmethod
    def mul(self, a: Value | float, b: Value | float) -> Value: ...

    @abstractmethod
    def div(self, a: Value | float, b: Value | float) -> Value: ...

    @abstractmethod
    def neg(self, a: Value) -> Value: ...

    @abstractmethod
    def mul_add(self, a: Value | float, b: Value | float, c: Value | float) -> Value:
        """a·b + c, in one rounding where the lanes fuse and in two where they do not."""

    @abstractmethod
    def sqrt(self, a: Value) -> Value: ...

    @abstractmethod
    def abs(self, a: Value) -> Value: ...

    @abstractmethod
    def copy_sign(self, magnitude: Value | float, sign: Value) -> Value: ...

    # ------------------------------------------------------------------ comparison and choice

    @abstractmethod
    def less(self, a: Value | float, b: Value | float) -> Value:
        """a < b; as every comparison, false where either is NaN."""

    @abstractmethod
    def less_equal(self, a: Value | float, b: Value | float) -> Value: ...

    @abstractmethod
    def equal(self, a: Value | float, b: Value | float) -> Value: ...

    @abstractmethod
    def unequal(self, a: Value | float, b: Value | float) -> Value: ...

    @abstractmethod
    def is_nan(self, a: Value) -> Value: ...

    @abstractmethod
    def both(self, a: Value, b: Value) -> Value: ...

    @abstractmethod
    def either(self, a: Value, b: Value) -> Value: ...

    @abstractmethod
    def opposite(self, a: Value) -> Value: ...

    @abstractmethod
    def select(self, condition: Value, a: Value | float, b: Value | float) -> Value:
        """a where the condition holds, b elsewhere."""

    # ------------------------------------------------------------------ bits

    @abstractmethod
    def bits(self, a: Value) -> Value:
        """The bit pattern of a number, as an integer."""

    @abstractmethod
    def from_bits(self, a: Value) -> Value: ...

    @abstractmethod
    def int_add(self, a: Value | int, b: Value | int) -> Value:
        """a + b modulo 2^bits."""

    @abstractmethod
    def int_sub(self, a: Value | int, b: Value | int) -> Value: ...

    @abstractmethod
    def int_mul(self, a: Value | int, b: Value | int) -> Value: ...

    @abstractmethod
    def int_and(self, a: Value | int, b: Value | int) -> Value: ...

    @abstractmethod
    def int_or(self, a: Value | int, b: Value | int) -> Value: ...

    @abstractmethod
    def int_xor(self, a: Value | int, b: Value | int) -> Value: ...

    @abstractmethod
    def shift_left(self, a: Value, count: Value | int) -> Value: ...

    @abstractmethod
    def shift_right(self, a: Value, count: Value | int) -> Value:
        """A logical shift: 64-bit arithmetic ones are slow before AVX-512."""

    @abstractmethod
    def int_equal(self, a: Value | int, b: Value | int) -> Value: ...

    @abstractmethod
    def int_less(self, a: Value | int, b: Value | int) -> Value:
        """a < b of integers with a sign."""

    @abstractmethod
    def int_select(self, condition: Value, a: Value | int, b: Value | int) -> Value: ...

    # ------------------------------------------------------------------ by way of double

    @property
    @abstractmethod
    def wide(self) -> Lanes:
        """As many lanes of doubles: these themselves, where they are such."""

    @abstractmethod
    def widen(self, a: Value) -> Value:
        """A number of these lanes as one of `wide`: exact."""

    @abstractmethod
    def narrow(self, a: Value) -> Value:
        """A number of `wide` rounded to these lanes' format."""

    @abstractmethod
    def int_narrow(self, a: Value) -> Value:
        """An integer of `wide` modulo 2^bits."""

    # ------------------------------------------------------------------ what depends on all lanes together

    @abstractmethod
    def repeat(
        self, start: tuple[Value, ...], more: Callable[..., Value], step: Callable[..., tuple[Value, ...]]
    ) -> tuple[Value, ...]:
        """`step` of the values again and again, as long as `more` of them holds in any lane.

        A lane for which it does not hold takes part in the steps too: they must leave alone what it has found.
        """

    @abstractmethod
    def seldom(
        self, name: str, condition: Value, rare: Callable[[Lanes, Value, Value], Value], x: Value, usual: Value
    ) -> Value:
        """`rare(lanes, x, usual)` if the condition holds in any lane, else `usual`.

        `rare` gives `usual` back in the lanes for which it does not hold.  It belongs to `name` alone: where the lanes
        write code, it is a function of its own, so that what hardly ever runs takes no room beside what does.
        """

    # ------------------------------------------------------------------ made of the above

    def at_most(self, x: Value, bound: Value | float) -> Value:
        """min(x, bound); a NaN x stays NaN."""
        return self.select(self.less(bound, x), bound, x)

    def at_least(self, x: Value, bound: Value | float) -> Value:
        """max(x, bound); a NaN x stays NaN."""
        return self.select(self.less(x, bound), bound, x)

    def horner(self, x: Value, coefficients: Sequence[float]) -> Value:
        """c0 + x·(c1 + x·(c2 + …)): the fewest operations."""
        value = self.const(coefficients[-1])
        for c in coefficients[-2::-1]:
            value = self.mul_add(value, x, c)
        return value


def in_double(function: Callable[[Lanes, Value], Value]) -> Callable[[Lanes, Value], Value]:
    """A function written for doubles, for lanes of any format: float is widened, and the result rounded once."""

    @wraps(function)
    def of_any_format(lanes: Lanes, x: Value) -> Value:
        return lanes.narrow(function(lanes.wide, lanes.widen(x)))

    return of_any_format
