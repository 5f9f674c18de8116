"""Floating-point arithmetic on the lanes of one type, written at a builder's position.

In: an `ir.IRBuilder` and a value of type float, double, `<W x float>` or `<W x double>`.
Out: straight-line IR, the same operations in every lane and for every width, so that a lane's bits do
not depend on the width.

Two kinds of products and sums stand side by side.  `mul_add` rounds once where the target has fma and
twice where it has not (`llvm.fmuladd`: which product is fused is written here, never guessed, and without
fma it is a multiplication and an addition, never a library call).  `add`, `sub` and `mul` round once,
always, and carry no fast-math flag: sums whose rounding errors are recovered are built from these.

Not handled: other float types, scalable vectors, the rounding mode (nearest-even is assumed), floating-point
exception flags.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias, final

from llvmlite import binding, ir

Value: TypeAlias = ir.Value

_SPLAT_SINCE = 20  # the LLVM whose textual IR reads `splat (float 1.0)`


@dataclass(frozen=True, slots=True)
class Format:
    """An IEEE 754 binary format: `bits` in all, `mantissa` of them after the leading one."""

    real: ir.Type
    integer: ir.Type
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


FORMATS = {
    "float": Format(ir.FloatType(), ir.IntType(32), bits=32, mantissa=23),
    "double": Format(ir.DoubleType(), ir.IntType(64), bits=64, mantissa=52),
}


@final
class Splat(ir.Constant):
    """One scalar constant in every lane, written `splat (…)`: W times shorter than the list."""

    def __init__(self, type_: ir.VectorType, scalar: ir.Constant) -> None:
        super().__init__(type_, scalar)
        self.scalar = scalar

    def _get_reference(self) -> str:
        if binding.llvm_version_info[0] < _SPLAT_SINCE:
            return str(super()._get_reference())
        return f"splat ({self.scalar.type} {self.scalar.get_reference()})"


@final
class Lanes:
    """Writes arithmetic on values shaped like `like`; `kind` is "float" or "double"."""

    def __init__(self, builder: ir.IRBuilder, like: ir.Type, kind: str | None = None) -> None:
        self.builder = builder
        self.width = like.count if isinstance(like, ir.VectorType) else None
        self.kind = kind or str(like.element if self.width else like)
        self.format = FORMATS[self.kind]
        self.real = self._shaped(self.format.real)
        self.integer = self._shaped(self.format.integer)

    def _shaped(self, element: ir.Type) -> ir.Type:
        return element if self.width is None else ir.VectorType(element, self.width)

    def _splat(self, type_: ir.Type, element: ir.Type, value: float | int) -> ir.Constant:
        scalar = ir.Constant(element, value)
        return scalar if self.width is None else Splat(type_, scalar)

    # ------------------------------------------------------------------ constants

    def const(self, value: float) -> Value:
        """`value` rounded to the lanes' format."""
        return self._splat(self.real, self.format.real, float(value))

    def int_const(self, value: int) -> Value:
        """`value` modulo 2^bits, as the bit pattern of a lane."""
        return self._splat(self.integer, self.format.integer, value & ((1 << self.format.bits) - 1))

    # ------------------------------------------------------------------ arithmetic

    def _real(self, x: Value | float) -> Value:
        return self.const(x) if isinstance(x, (int, float)) else x

    def _int(self, x: Value | int) -> Value:
        return self.int_const(x) if isinstance(x, int) else x

    def add(self, a: Value | float, b: Value | float) -> Value:
        return self.builder.fadd(self._real(a), self._real(b))

    def sub(self, a: Value | float, b: Value | float) -> Value:
        return self.builder.fsub(self._real(a), self._real(b))

    def mul(self, a: Value | float, b: Value | float) -> Value:
        return self.builder.fmul(self._real(a), self._real(b))

    def div(self, a: Value | float, b: Value | float) -> Value:
        return self.builder.fdiv(self._real(a), self._real(b))

    def neg(self, a: Value) -> Value:
        return self.builder.fneg(a)

    def mul_add(self, a: Value | float, b: Value | float, c: Value | float) -> Value:
        """a·b + c, fused where the target fuses."""
        return self._intrinsic("fmuladd", a, b, c)

    def sqrt(self, a: Value) -> Value:
        return self._intrinsic("sqrt", a)

    def abs(self, a: Value) -> Value:
        return self._intrinsic("fabs", a)

    def copy_sign(self, magnitude: Value | float, sign: Value) -> Value:
        return self._intrinsic("copysign", magnitude, sign)

    def _intrinsic(self, name: str, *args: Value | float) -> Value:
        suffix = self.format.real.intrinsic_name
        full = f"llvm.{name}.{suffix}" if self.width is None else f"llvm.{name}.v{self.width}{suffix}"
        module = self.builder.function.module
        callee = module.globals.get(full)
        if callee is None:
            callee = ir.Function(module, ir.FunctionType(self.real, [self.real] * len(args)), name=full)
        return self.builder.call(callee, [self._real(a) for a in args])

    def at_most(self, x: Value, bound: Value | float) -> Value:
        """min(x, bound); a NaN x stays NaN."""
        bound = self._real(bound)
        return self.select(self.less(bound, x), bound, x)

    def at_least(self, x: Value, bound: Value | float) -> Value:
        """max(x, bound); a NaN x stays NaN."""
        bound = self._real(bound)
        return self.select(self.less(x, bound), bound, x)

    # ------------------------------------------------------------------ comparison and choice

    def less(self, a: Value | float, b: Value | float) -> Value:
        return self.builder.fcmp_ordered("<", self._real(a), self._real(b))

    def equal(self, a: Value | float, b: Value | float) -> Value:
        return self.builder.fcmp_ordered("==", self._real(a), self._real(b))

    def unequal(self, a: Value | float, b: Value | float) -> Value:
        """a ≠ b; false where either is NaN."""
        return self.builder.fcmp_ordered("!=", self._real(a), self._real(b))

    def is_nan(self, a: Value) -> Value:
        return self.builder.fcmp_unordered("uno", a, a)

    def both(self, a: Value, b: Value) -> Value:
        return self.builder.and_(a, b)

    def either(self, a: Value, b: Value) -> Value:
        return self.builder.or_(a, b)

    def select(self, condition: Value, a: Value | float, b: Value | float) -> Value:
        return self.builder.select(condition, self._real(a), self._real(b))

    # ------------------------------------------------------------------ bits

    def bits(self, a: Value) -> Value:
        return self.builder.bitcast(a, self.integer)

    def from_bits(self, a: Value) -> Value:
        return self.builder.bitcast(a, self.real)

    def int_add(self, a: Value | int, b: Value | int) -> Value:
        return self.builder.add(self._int(a), self._int(b))

    def int_sub(self, a: Value | int, b: Value | int) -> Value:
        return self.builder.sub(self._int(a), self._int(b))

    def int_and(self, a: Value | int, b: Value | int) -> Value:
        return self.builder.and_(self._int(a), self._int(b))

    def int_or(self, a: Value | int, b: Value | int) -> Value:
        return self.builder.or_(self._int(a), self._int(b))

    def int_xor(self, a: Value | int, b: Value | int) -> Value:
        return self.builder.xor(self._int(a), self._int(b))

    def shift_left(self, a: Value, count: int) -> Value:
        return self.builder.shl(a, self.int_const(count))

    def shift_right(self, a: Value, count: int) -> Value:
        """A logical shift: 64-bit arithmetic ones are slow before AVX-512."""
        return self.builder.lshr(a, self.int_const(count))

    def int_equal(self, a: Value | int, b: Value | int) -> Value:
        return self.builder.icmp_unsigned("==", self._int(a), self._int(b))

    # ------------------------------------------------------------------ polynomials

    def horner(self, x: Value, coefficients: Sequence[float]) -> Value:
        """c0 + x·(c1 + x·(c2 + …)): the fewest operations."""
        value = self.const(coefficients[-1])
        for c in coefficients[-2::-1]:
            value = self.mul_add(value, x, c)
        return value


def in_double(core: Callable[[Lanes, Value], Value]) -> Callable[[ir.IRBuilder, Value], Value]:
    """A function written for double lanes, for lanes of any kind: float is widened, and the result rounded once."""

    def function(builder: ir.IRBuilder, x: Value) -> Value:
        lanes = Lanes(builder, x.type)
        if lanes.kind == "double":
            return core(lanes, x)
        wide = Lanes(builder, x.type, "double")
        return builder.fptrunc(core(wide, builder.fpext(x, wide.real)), lanes.real)

    return function
