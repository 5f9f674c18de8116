"""`elementary/`'s lanes as instructions of LLVM, written at a builder's position.

In: an `ir.IRBuilder`, the format of the numbers, and how many lanes a value has.
Out: IR, the same operations in every lane and for every width.

`mul_add` is `llvm.fmuladd`: one rounding where the target has fma, never a library call.  Where it has none, `fused` is
False and it is a multiplication and an addition: `llvm.fmuladd` of constants LLVM would round once all the same.  No
instruction carries a fast-math flag.

Not handled: scalable vectors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import final

from llvmlite import binding, ir

from symnet.elementary.lanes import FORMATS, Lanes, Value

REAL = {"float": ir.FloatType(), "double": ir.DoubleType()}
INTEGER = {"float": ir.IntType(32), "double": ir.IntType(64)}
_SPLAT_SINCE = 20  # the LLVM whose textual IR reads `splat (float 1.0)`


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
class InstructionLanes(Lanes):
    """`kind` is "float" or "double"; a width of 0 writes scalars."""

    def __init__(self, builder: ir.IRBuilder, kind: str, width: int, fused: bool = True) -> None:
        self.builder = builder
        self.kind, self.fused = kind, fused
        self.format = FORMATS[kind]
        self.width = width
        self.real = shaped(REAL[kind], width)
        self.integer = shaped(INTEGER[kind], width)

    def _splat(self, type_: ir.Type, element: ir.Type, value: float | int) -> ir.Constant:
        scalar = ir.Constant(element, value)
        return Splat(type_, scalar) if self.width else scalar

    # ------------------------------------------------------------------ constants

    def const(self, value: float) -> Value:
        return self._splat(self.real, REAL[self.kind], float(value))

    def int_const(self, value: int) -> Value:
        return self._splat(self.integer, INTEGER[self.kind], value & ((1 << self.format.bits) - 1))

    def _real(self, x: Value | float) -> Value:
        return self.const(x) if isinstance(x, (int, float)) else x

    def _int(self, x: Value | int) -> Value:
        return self.int_const(x) if isinstance(x, int) else x

    # ------------------------------------------------------------------ arithmetic

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
        return self._intrinsic("fmuladd", a, b, c) if self.fused else self.add(self.mul(a, b), c)

    def sqrt(self, a: Value) -> Value:
        return self._intrinsic("sqrt", a)

    def abs(self, a: Value) -> Value:
        return self._intrinsic("fabs", a)

    def copy_sign(self, magnitude: Value | float, sign: Value) -> Value:
        return self._intrinsic("copysign", magnitude, sign)

    def _intrinsic(self, name: str, *args: Value | float) -> Value:
        element = REAL[self.kind].intrinsic_name
        full = f"llvm.{name}.v{self.width}{element}" if self.width else f"llvm.{name}.{element}"
        module = self.builder.module
        callee = module.globals.get(full)
        if callee is None:
            callee = ir.Function(module, ir.FunctionType(self.real, [self.real] * len(args)), name=full)
        return self.builder.call(callee, [self._real(a) for a in args])

    # ------------------------------------------------------------------ comparison and choice

    def less(self, a: Value | float, b: Value | float) -> Value:
        return self.builder.fcmp_ordered("<", self._real(a), self._real(b))

    def less_equal(self, a: Value | float, b: Value | float) -> Value:
        return self.builder.fcmp_ordered("<=", self._real(a), self._real(b))

    def equal(self, a: Value | float, b: Value | float) -> Value:
        return self.builder.fcmp_ordered("==", self._real(a), self._real(b))

    def unequal(self, a: Value | float, b: Value | float) -> Value:
        return self.builder.fcmp_ordered("!=", self._real(a), self._real(b))

    def is_nan(self, a: Value) -> Value:
        return self.builder.fcmp_unordered("uno", a, a)

    def both(self, a: Value, b: Value) -> Value:
        return self.builder.and_(a, b)

    def either(self, a: Value, b: Value) -> Value:
        return self.builder.or_(a, b)

    def opposite(self, a: Value) -> Value:
        return self.builder.not_(a)

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

    def int_mul(self, a: Value | int, b: Value | int) -> Value:
        return self.builder.mul(self._int(a), self._int(b))

    def int_and(self, a: Value | int, b: Value | int) -> Value:
        return self.builder.and_(self._int(a), self._int(b))

    def int_or(self, a: Value | int, b: Value | int) -> Value:
        return self.builder.or_(self._int(a), self._int(b))

    def int_xor(self, a: Value | int, b: Value | int) -> Value:
        return self.builder.xor(self._int(a), self._int(b))

    def shift_left(self, a: Value, count: Value | int) -> Value:
        return self.builder.shl(a, self._int(count))

    def shift_right(self, a: Value, count: Value | int) -> Value:
        return self.builder.lshr(a, self._int(count))

    def int_equal(self, a: Value | int, b: Value | int) -> Value:
        return self.builder.icmp_unsigned("==", self._int(a), self._int(b))

    def int_less(self, a: Value | int, b: Value | int) -> Value:
        return self.builder.icmp_signed("<", self._int(a), self._int(b))

    def int_select(self, condition: Value, a: Value | int, b: Value | int) -> Value:
        return self.builder.select(condition, self._int(a), self._int(b))

    # ------------------------------------------------------------------ by way of double

    @property
    def wide(self) -> InstructionLanes:
        return self if self.kind == "double" else InstructionLanes(self.builder, "double", self.width, self.fused)

    def widen(self, a: Value) -> Value:
        return a if self.kind == "double" else self.builder.fpext(a, shaped(REAL["double"], self.width))

    def narrow(self, a: Value) -> Value:
        return a if self.kind == "double" else self.builder.fptrunc(a, self.real)

    def int_narrow(self, a: Value) -> Value:
        return a if self.kind == "double" else self.builder.trunc(a, self.integer)

    # ------------------------------------------------------------------ what depends on all lanes together

    def _any(self, condition: Value) -> Value:
        """Whether a condition holds in any lane, as one bit."""
        if not self.width:
            return condition
        word = ir.IntType(self.width)
        return self.builder.icmp_unsigned("!=", self.builder.bitcast(condition, word), word(0))

    def repeat(
        self, start: tuple[Value, ...], more: Callable[..., Value], step: Callable[..., tuple[Value, ...]]
    ) -> tuple[Value, ...]:
        builder, before = self.builder, self.builder.block
        head, body, leave = (builder.append_basic_block(name) for name in ("head", "round", "done"))
        builder.branch(head)
        builder.position_at_end(head)
        values = tuple(builder.phi(value.type) for value in start)
        _arrive(values, start, before)
        builder.cbranch(self._any(more(*values)), body, leave)
        builder.position_at_end(body)
        _arrive(values, step(*values), builder.block)
        builder.branch(head)
        builder.position_at_end(leave)
        return values

    def seldom(
        self, name: str, condition: Value, rare: Callable[[Lanes, Value, Value], Value], x: Value, usual: Value
    ) -> Value:
        builder, before = self.builder, self.builder.block
        with builder.if_then(self._any(condition)):
            found = builder.call(self._outlined(name, rare), [x, usual])
            beyond = builder.block
        value = builder.phi(self.real)
        _arrive((value,), (usual,), before)
        _arrive((value,), (found,), beyond)
        return value

    def _outlined(self, name: str, rare: Callable[[Lanes, Value, Value], Value]) -> ir.Function:
        """`rare` as a function of the module, written once."""
        module = self.builder.module
        full = f"symnet.{name}.v{self.width}.{self.kind}" if self.width else f"symnet.{name}.{self.kind}"
        if full in module.globals:
            return module.globals[full]
        function = internal_function(module, full, self.real, 2, ("noinline", "cold"))
        builder = ir.IRBuilder(function.append_basic_block("entry"))
        builder.ret(rare(InstructionLanes(builder, self.kind, self.width, self.fused), *function.args))
        return function


def shaped(element: ir.Type, width: int) -> ir.Type:
    """`width` lanes of a type; the type itself for 0."""
    return ir.VectorType(element, width) if width else element


def internal_function(
    module: ir.Module, name: str, type_: ir.Type, arity: int, attributes: tuple[str, ...]
) -> ir.Function:
    """A function that only its module sees, of so many values of one type."""
    function = ir.Function(module, ir.FunctionType(type_, [type_] * arity), name)
    function.linkage = "internal"
    for attribute in attributes:
        function.attributes.add(attribute)
    return function


def _arrive(phis: tuple[Value, ...], values: tuple[Value, ...], block: ir.Block) -> None:
    """What the phis are when control comes from a block."""
    for phi, value in zip(phis, values, strict=True):
        phi.add_incoming(value, block)
