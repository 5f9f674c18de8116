"""Whether the sizes of a call fit: extents, bytes of every array and the number of phases, checked in native code.

In: a program, and an emitter at the start of an entry point.  Out: one bit that says that some size is not below 2⁶³
(2³¹ in code for 32-bit targets, whose addresses and loop counters have so many bits).

All arithmetic is on nonnegative int64: products with the overflow bit, which a 32-bit target needs not, since the
factors are below 2³¹ there.  An upper bound is enough, so a quotient counts as its dividend.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symnet.backends.llvm.emitter import Emitter
from symnet.backends.llvm.types import V, constant
from symnet.dtypes import ITEMSIZE
from symnet.loops.ir import Buffer, IntAdd, IntConst, IntExpr, IntFloorDiv, IntMin, IntMod, IntMul, IntVar, Program
from symnet.loops.sizes import counted, measured

FALSE = V("false", "i1")


class SizeChecks:
    """The check of one entry point: `excess` grows by a bit for every size that is looked at."""

    def __init__(self, e: Emitter, program: Program, limit: int) -> None:
        self.e, self.program, self.limit = e, program, limit
        self.excess = FALSE
        self.dims: dict[str, V] = {}

    def check(self, dims: V) -> V:
        """Whether some size is too large, from the table of extents."""
        e = self.e
        for order, name in enumerate(self.program.dims):
            where = e.text.pure("ptr", 0, f"getelementptr i64, ptr {dims.text}, i64 {order}", 0) if order else dims
            value = e.text.load("i64", 0, f"load i64, ptr {where.text}, align 8", 0, "dims")
            self.dims[name] = self._limited(value)
        for expr in counted(self.program):
            self._limited(self.value(expr))
        for buffer in measured(self.program):
            self._bytes(buffer)
        return self.excess

    def note(self, condition: V) -> None:
        """One more reason why a size may be too large."""
        self.excess = condition if self.excess is FALSE else self.e.text.binary("or", self.excess, condition)

    def value(self, expr: IntExpr) -> V:
        """An upper bound of an expression over extents."""
        return _VALUES[type(expr)](self, expr)

    def product(self, left: V, right: V) -> V:
        if left.constant or right.constant:
            left, right = (right, left) if left.constant else (left, right)
            if right.text in ("0", "1") or left.constant:
                return constant(int(left.text) * int(right.text), "i64") if left.constant else _simple(left, right)
        if self.limit < 2**32:
            return self._limited(self.e.text.binary("mul", left, right))
        return self._limited(self._overflowing("umul", left, right))

    def total(self, left: V, right: V) -> V:
        return self._overflowing("sadd", left, right)

    def _overflowing(self, name: str, left: V, right: V) -> V:
        """The result of an operation with its overflow bit."""
        function = f"llvm.{name}.with.overflow.i64"
        text, pair = self.e.text, "{ i64, i1 }"
        text.declarations.setdefault(function, f"declare {pair} @{function}(i64, i64)")
        both = text.name("wide")
        text.line(f"{both} = call {pair} @{function}({left.typed}, {right.typed})")
        self.note(text.define("i1", 0, f"extractvalue {pair} {both}, 1"))
        return text.define("i64", 0, f"extractvalue {pair} {both}, 0")

    def _limited(self, value: V) -> V:
        """The value, once it is noted whether it is beyond the limit; a negative one is."""
        if not value.constant:
            self.note(self.e.text.binary("icmp ugt", value, constant(self.limit, "i64"), "i1"))
        return value

    def _bytes(self, buffer: Buffer) -> None:
        size = constant(1, "i64")
        for extent in buffer.shape:
            size = self.product(size, self.value(extent))
        self.product(size, constant(ITEMSIZE[buffer.dtype], "i64"))


def _simple(value: V, factor: V) -> V:
    return value if factor.text == "1" else factor


def _sum(sizes: SizeChecks, expr: IntAdd) -> V:
    return sizes.total(sizes.value(expr.left), sizes.value(expr.right))


def _product(sizes: SizeChecks, expr: IntMul) -> V:
    left, right = expr.left, expr.right
    if isinstance(right, IntConst) and right.value < 0:
        size = sizes.product(sizes.value(left), constant(-right.value, "i64"))
        return sizes.e.text.binary("sub", constant(0, "i64"), size)
    return sizes.product(sizes.value(left), sizes.value(right))


def _smaller(sizes: SizeChecks, expr: IntMin) -> V:
    left, right = sizes.value(expr.left), sizes.value(expr.right)
    if left.constant and right.constant:
        return constant(min(int(left.text), int(right.text)), "i64")
    text = sizes.e.text
    return text.select(text.binary("icmp slt", left, right, "i1"), left, right)


_VALUES: dict[type[IntExpr], Callable[[SizeChecks, Any], V]] = {
    IntConst: lambda sizes, expr: constant(expr.value, "i64"),
    IntVar: lambda sizes, expr: sizes.dims[expr.name],
    IntAdd: _sum,
    IntMul: _product,
    IntMin: _smaller,
    IntFloorDiv: lambda sizes, expr: sizes.value(expr.value),
    IntMod: lambda sizes, expr: sizes.value(expr.value),
}
