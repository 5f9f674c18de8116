"""What kernels are written with: statements by hand, over one matrix of a stack.

In: names and extents.  Out: loops, loads and stores of the loop language.  A kernel is the body of a nest that brings
loops of its own; the nest's axes only say which matrix.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from symnet.dtypes import ITEMSIZE
from symnet.loops.ir import Buffer, For, IntConst, IntExpr, IntLoad, IntVar, Load, Op, Stmt, Store, Value, as_int

INT_ZERO = as_int(0)
Names = Callable[[str], str]  # a name that no run-time extent has

_LINE = 64  # bytes


@dataclass(frozen=True)
class MatrixPart:
    """One matrix, or one vector, of a buffer: `which` says which."""

    buffer: Buffer
    which: tuple[IntExpr, ...] = ()

    @property
    def dtype(self) -> str:
        return self.buffer.dtype

    @property
    def shape(self) -> tuple[IntExpr, ...]:
        return self.buffer.shape[len(self.which) :]

    def at(self, *index: IntExpr) -> Load:
        return Load(self.buffer, (*self.which, *index))

    def integer(self, *index: IntExpr) -> IntLoad:
        """An element of a buffer of integers, as an index."""
        return IntLoad(self.buffer, (*self.which, *index))

    def store(self, index: tuple[IntExpr, ...], value: Value, combine: str | None = None) -> Store:
        return Store(self.buffer, (*self.which, *index), value, combine)


def of_a_line(dtype: str) -> int:
    """How many elements fill a line of the cache: so many matrices, or short rows, are computed side by side."""
    return _LINE // ITEMSIZE[dtype]


def loop(var: IntVar, extent: IntExpr, *body: Stmt) -> For:
    return For(var.name, extent, body)


def lanes(var: IntVar, extent: IntExpr, *body: Stmt, bound: IntExpr | None = None) -> For:
    """A vector loop; where the bound of its extent is a number, and small, it becomes masked vectors without a loop."""
    known = bound.value if isinstance(bound, IntConst) and not isinstance(extent, IntConst) else None
    return For(var.name, extent, body, "vector", bound=known)


def multiply(a: Value, b: Value) -> Op:
    return Op("mul", (a, b), a.dtype)


def negate(a: Value) -> Op:
    return Op("neg", (a,), a.dtype)


def divide(a: Value, b: Value) -> Op:
    return Op("div", (a, b), a.dtype)


def cell(name: str, dtype: str) -> MatrixPart:
    """A buffer of one number, in a register."""
    return MatrixPart(Buffer(name, dtype, (as_int(1),), "register"))
