"""The integers of the loop language, and the arrays whose shapes they are: `loops/ir.py` has the whole of it.

In: nothing.  Out: `IntExpr` and its kinds, which operators build and fold; `Buffer`.

They stand in a file of their own since signatures are made of them, and a function that was exported needs no more of
the language than that.
"""

from __future__ import annotations

from dataclasses import dataclass


class IntExpr:
    """An integer known when a loop starts: extents, offsets, indices.  Operators build and fold."""

    __slots__ = ()

    def __add__(self, other: IntExpr | int) -> IntExpr:
        return int_add(self, as_int(other))

    def __radd__(self, other: int) -> IntExpr:
        return int_add(as_int(other), self)

    def __sub__(self, other: IntExpr | int) -> IntExpr:
        return int_add(self, int_mul(IntConst(-1), as_int(other)))

    def __rsub__(self, other: int) -> IntExpr:
        return int_add(as_int(other), int_mul(IntConst(-1), self))

    def __mul__(self, other: IntExpr | int) -> IntExpr:
        return int_mul(self, as_int(other))

    __rmul__ = __mul__

    def __floordiv__(self, divisor: int) -> IntExpr:
        return int_floordiv(self, divisor)

    def __mod__(self, divisor: int) -> IntExpr:
        return int_mod(self, divisor)


@dataclass(frozen=True, slots=True)
class IntConst(IntExpr):
    """A number known when the program is made."""

    value: int


@dataclass(frozen=True, slots=True)
class IntVar(IntExpr):
    """A loop variable, a unit or repeat variable, or a run-time extent (`Program.dims`)."""

    name: str


@dataclass(frozen=True, slots=True)
class IntAdd(IntExpr):
    left: IntExpr
    right: IntExpr


@dataclass(frozen=True, slots=True)
class IntMul(IntExpr):
    left: IntExpr
    right: IntExpr


@dataclass(frozen=True, slots=True)
class IntMin(IntExpr):
    left: IntExpr
    right: IntExpr


@dataclass(frozen=True, slots=True)
class IntFloorDiv(IntExpr):
    """Floor division by a positive constant."""

    value: IntExpr
    divisor: int


@dataclass(frozen=True, slots=True)
class IntMod(IntExpr):
    """Remainder (never negative) by a positive constant."""

    value: IntExpr
    divisor: int


@dataclass(frozen=True, slots=True)
class IntLoad(IntExpr):
    """An element of an integer buffer, used as an index."""

    buffer: Buffer
    index: tuple[IntExpr, ...]


ONE = IntConst(1)


def as_int(value: IntExpr | int) -> IntExpr:
    """A Python int becomes a constant."""
    return value if isinstance(value, IntExpr) else IntConst(int(value))


def int_add(left: IntExpr, right: IntExpr) -> IntExpr:
    if isinstance(left, IntConst) and isinstance(right, IntConst):
        return IntConst(left.value + right.value)
    if isinstance(left, IntConst):
        left, right = right, left
    if isinstance(right, IntConst):
        if right.value == 0:
            return left
        if isinstance(left, IntAdd) and isinstance(left.right, IntConst):
            return int_add(left.left, IntConst(left.right.value + right.value))
    return IntAdd(left, right)


def int_mul(left: IntExpr, right: IntExpr) -> IntExpr:
    if isinstance(left, IntConst):
        left, right = right, left
    if isinstance(right, IntConst):
        if isinstance(left, IntConst):
            return IntConst(left.value * right.value)
        if right.value == 0:
            return right
        if right.value == 1:
            return left
        if isinstance(left, IntMul) and isinstance(left.right, IntConst):
            return int_mul(left.left, IntConst(left.right.value * right.value))
    return IntMul(left, right)


def int_min(left: IntExpr | int, right: IntExpr | int) -> IntExpr:
    left, right = as_int(left), as_int(right)
    if isinstance(left, IntConst) and isinstance(right, IntConst):
        return IntConst(min(left.value, right.value))
    return left if left == right else IntMin(left, right)


def int_floordiv(value: IntExpr | int, divisor: int) -> IntExpr:
    value = as_int(value)
    if isinstance(value, IntConst):
        return IntConst(value.value // divisor)
    return value if divisor == 1 else IntFloorDiv(value, divisor)


def int_mod(value: IntExpr | int, divisor: int) -> IntExpr:
    value = as_int(value)
    if isinstance(value, IntConst):
        return IntConst(value.value % divisor)
    return IntConst(0) if is_multiple(value, divisor) else IntMod(value, divisor)


def is_multiple(value: IntExpr, divisor: int) -> bool:
    """Whether an expression is a multiple of a positive constant, as is seen by its parts: 8·u, min(64, 784 - 64·u)."""
    if divisor == 1:
        return True
    if isinstance(value, IntConst):
        return value.value % divisor == 0
    if isinstance(value, IntAdd | IntMin):
        return is_multiple(value.left, divisor) and is_multiple(value.right, divisor)
    return isinstance(value, IntMul) and (is_multiple(value.left, divisor) or is_multiple(value.right, divisor))


def ceil_div(value: IntExpr | int, divisor: int) -> IntExpr:
    """⌈value / divisor⌉ for a positive constant divisor."""
    return int_floordiv(as_int(value) + (divisor - 1), divisor)


# --------------------------------------------------------------------------- buffers


@dataclass(frozen=True, slots=True)
class Buffer:
    """A row-major array.  `view_of` names a buffer of the same elements whose memory it has, as the program declares it
    (statements may name it as it was before); `batch_axis` is the axis that runs over a streamed batch, if there is
    one, and `batch` its number (`schedule/stream.py`).
    """

    name: str
    dtype: str
    shape: tuple[IntExpr, ...]
    space: str = "workspace"
    view_of: str | None = None
    batch_axis: int | None = None
    batch: int = 0
