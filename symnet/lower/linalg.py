"""Linear algebra as loops: one elimination with partial pivoting, shared by all that needs it.

In: `Solve` and `Determinant` nodes.  Out: nests without axes, whose statements are written by hand: *kernels*.  They
run once, as one unit.

    factor:  P A = L U in one square buffer, the row swaps in another           (2/3 n³ operations)
    solve:   swaps, then L and U, for all columns at once; Aᵀ X = B by the same factors of A
    det:     the product of U's diagonal, a sign for each swap; logdet the sum of log|U's diagonal|

A zero pivot is the whole rest of its column, so that elimination steps over it: det is 0, logdet is -inf, and solving
fails with the code SINGULAR_MATRIX.  As in LAPACK, singular means that a pivot is exactly 0.
Source: G. Golub, C. van Loon, "Matrix Computations", 4th edition 2013, algorithms 3.4.1 and 3.1.1 to 3.1.3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from symnet.expr.contraction import Einsum
from symnet.expr.linalg import Determinant, Solve
from symnet.expr.node import Node
from symnet.loops.ir import (
    SINGULAR_MATRIX,
    Alloc,
    Body,
    Buffer,
    Const,
    Fail,
    For,
    FromInt,
    If,
    IntCondition,
    IntConst,
    IntExpr,
    IntLoad,
    IntVar,
    Let,
    Load,
    Op,
    Stmt,
    Store,
    Value,
    Var,
    as_int,
)
from symnet.lower.extents import lower_extent
from symnet.lower.nest import Nest
from symnet.lower.space import Space

ZERO = as_int(0)


@dataclass(frozen=True)
class Factors:
    """P A = L U: `lu` (n, n) holds U, and below its diagonal L; row k was swapped with row `swaps[k]`."""

    lu: Buffer
    swaps: Buffer

    @property
    def extent(self) -> IntExpr:
        return self.lu.shape[0]

    def at(self, row: IntExpr, column: IntExpr) -> Load:
        return Load(self.lu, (row, column))

    def pivot_row(self, k: IntExpr) -> IntLoad:
        return IntLoad(self.swaps, (k,))


def factored_matrix(node: Node) -> tuple[Node, bool]:
    """(A, False) of a node over A, (A, True) of one over Aᵀ: both read the factors of A."""
    matrix = node.operands[0]
    if isinstance(matrix, Einsum) and matrix.is_transpose and matrix.inputs[0] != matrix.output:
        return matrix.operands[0], True
    return matrix, False


def _loop(var: str, extent: IntExpr, *body: Stmt) -> For:
    return For(var, extent, body)


def _lanes(var: str, extent: IntExpr, *body: Stmt) -> For:
    return For(var, extent, body, "vector")


def _product(a: Value, b: Value) -> Op:
    return Op("mul", (a, b), a.dtype)


def _negated(a: Value) -> Op:
    return Op("neg", (a,), a.dtype)


def _quotient(a: Value, b: Value) -> Op:
    return Op("div", (a, b), a.dtype)


def _cell(name: str, dtype: str) -> Buffer:
    """One number in a register."""
    return Buffer(name, dtype, (as_int(1),), "register")


# --------------------------------------------------------------------------- elimination


def factor_nest(space: Space, matrix: Node, factors: Factors) -> Nest:
    """P A = L U, in place on a copy of A."""
    points = space.points("f")
    i, j, k = (IntVar(v) for v in ("i", "j", "k"))
    value = points.cast(points.at(matrix, (i, j)), factors.lu.dtype)
    n = factors.extent
    copy = _loop("i", n, _loop("j", n, *points.lets, Store(factors.lu, (i, j), value)))
    step = (*_choose_pivot(factors, k), *_swap_rows(factors.lu, k, factors.pivot_row(k), n), *_eliminate(factors, k))
    return Nest(factors.lu.name, (), (copy, _loop("k", n, *step)))


def _choose_pivot(factors: Factors, k: IntExpr) -> Body:
    """The row of the largest element of column k, from the diagonal down; a NaN on the diagonal stays."""
    dtype = factors.lu.dtype
    best, place = _cell("best", dtype), _cell("place", "int64")
    row = IntVar("r") + k + 1
    size = Op("abs", (factors.at(row, k),), dtype)
    larger = Var("larger", "bool")
    scan = _loop(
        "r",
        factors.extent - k - 1,
        Let("size", size),
        Let("larger", Op("gt", (Var("size", dtype), Load(best, (ZERO,))), "bool")),
        Store(place, (ZERO,), Op("select", (larger, FromInt(row, "int64"), Load(place, (ZERO,))), "int64")),
        Store(best, (ZERO,), Op("select", (larger, Var("size", dtype), Load(best, (ZERO,))), dtype)),
    )
    return (
        Alloc(best),
        Alloc(place),
        Store(best, (ZERO,), Op("abs", (factors.at(k, k),), dtype)),
        Store(place, (ZERO,), FromInt(k, "int64")),
        scan,
        Store(factors.swaps, (k,), Load(place, (ZERO,))),
    )


def _swap_rows(buffer: Buffer, a: IntExpr, b: IntExpr, columns: IntExpr | None) -> Body:
    """Exchange two rows of a matrix, or two elements of a vector."""
    c = IntVar("c")
    rest = () if columns is None else (c,)
    exchange = (
        Let("upper", Load(buffer, (a, *rest))),
        Let("lower", Load(buffer, (b, *rest))),
        Store(buffer, (a, *rest), Var("lower", buffer.dtype)),
        Store(buffer, (b, *rest), Var("upper", buffer.dtype)),
    )
    apart = IntCondition("ne", a, b)
    return (If(apart, exchange if columns is None else (_lanes("c", columns, *exchange),)),)


def _eliminate(factors: Factors, k: IntExpr) -> Body:
    """Rows below the pivot, less their multiple of the pivot's row; a zero pivot leaves them as they are."""
    lu, n = factors.lu, factors.extent
    row, column = IntVar("i") + k + 1, IntVar("j") + k + 1
    pivot, multiple = Var("pivot", lu.dtype), Var("multiple", lu.dtype)
    is_zero = Op("eq", (factors.at(k, k), Const(0.0, lu.dtype)), "bool")
    update = Store(lu, (row, column), _product(_negated(multiple), factors.at(k, column)), "add")
    below = _loop(
        "i",
        n - k - 1,
        Let("multiple", _quotient(factors.at(row, k), pivot)),
        Store(lu, (row, k), multiple),
        _lanes("j", n - k - 1, update),
    )
    return (Let("pivot", Op("select", (is_zero, Const(1.0, lu.dtype), factors.at(k, k)), lu.dtype)), below)


# --------------------------------------------------------------------------- solving


@dataclass(frozen=True)
class _Unknowns:
    """What is solved for, in place of the right-hand sides: a vector (no columns) or a matrix."""

    buffer: Buffer
    columns: IntExpr | None

    def store(self, row: IntExpr, value: Callable[[tuple[IntExpr, ...]], Value], combine: str | None = None) -> Stmt:
        """x[row, :] = value, for every column."""
        c = IntVar("c")
        if self.columns is None:
            return Store(self.buffer, (row,), value(()), combine)
        return _lanes("c", self.columns, Store(self.buffer, (row, c), value((c,)), combine))

    def load(self, row: IntExpr, rest: tuple[IntExpr, ...]) -> Load:
        return Load(self.buffer, (row, *rest))


def solve_nest(space: Space, node: Solve, buffer: Buffer, view: Buffer, factors: Factors, transposed: bool) -> Nest:
    """A X = B, or Aᵀ X = B.  `view` is the result as a matrix (as a vector where it is one)."""
    unknowns = _Unknowns(view, view.shape[1] if len(view.shape) > 1 else None)
    points = space.points("r")
    right = node.operands[1]
    index = tuple(IntVar(f"x{a}") for a in range(right.rank))
    value = points.cast(points.at(right, index), buffer.dtype)
    copy: Body = (*points.lets, Store(buffer, index, value))
    for a in reversed(range(right.rank)):
        copy = (_loop(f"x{a}", lower_extent(right.shape[a]), *copy),)
    steps = _by_columns(factors, unknowns) if transposed else _by_rows(factors, unknowns)
    return Nest(buffer.name, (), (*_refuse_singular(factors, buffer.name), *copy, *steps))


def _refuse_singular(factors: Factors, name: str) -> Body:
    """Fail where a pivot is 0 (after a NaN nothing is: NaN comes out)."""
    k, zeros = IntVar("k"), _cell(f"{name}_zeros", "int64")
    is_zero = Op("eq", (factors.at(k, k), Const(0.0, factors.lu.dtype)), "bool")
    count = Op("select", (is_zero, Const(1, "int64"), Const(0, "int64")), "int64")
    return (
        Alloc(zeros),
        Store(zeros, (ZERO,), Const(0, "int64")),
        _loop("k", factors.extent, Store(zeros, (ZERO,), count, "add")),
        If(IntCondition("gt", IntLoad(zeros, (ZERO,)), ZERO), (Fail(SINGULAR_MATRIX),)),
    )


def _by_rows(factors: Factors, x: _Unknowns) -> Body:
    """P, then L from the top, then U from the bottom: each row of X is finished by a row of the factors."""
    n, k = factors.extent, IntVar("k")
    bottom = n - 1 - IntVar("i")
    swap = _loop("k", n, *_swap_rows(x.buffer, k, factors.pivot_row(k), x.columns))
    lower = _loop("i", n, *_subtract(factors, x, IntVar("i"), ZERO, IntVar("i")))
    upper = _loop("i", n, *_subtract(factors, x, bottom, bottom + 1, IntVar("i")), _divide(factors, x, bottom))
    return (swap, lower, upper)


def _subtract(factors: Factors, x: _Unknowns, row: IntExpr, first: IntExpr, count: IntExpr) -> Body:
    """x[row] -= Σ factors[row, k]·x[k] over `count` k from `first`."""
    k = IntVar("k") + first
    if x.columns is not None:
        entry = Var("entry", factors.lu.dtype)
        sweep = x.store(row, lambda rest: _product(_negated(entry), x.load(k, rest)), "add")
        return (_loop("k", count, Let("entry", factors.at(row, k)), sweep),)
    total = _cell("total", factors.lu.dtype)
    return (
        Alloc(total),
        Store(total, (ZERO,), Const(0.0, total.dtype)),
        _lanes("k", count, Store(total, (ZERO,), _product(factors.at(row, k), x.load(k, ())), "add")),
        Store(x.buffer, (row,), Op("sub", (x.load(row, ()), Load(total, (ZERO,))), total.dtype)),
    )


def _divide(factors: Factors, x: _Unknowns, row: IntExpr) -> Stmt:
    return x.store(row, lambda rest: _quotient(x.load(row, rest), factors.at(row, row)))


def _by_columns(factors: Factors, x: _Unknowns) -> Body:
    """Uᵀ from the top, Lᵀ from the bottom, then P backwards: rows of the factors are columns here."""
    n, k = factors.extent, IntVar("k")
    top, bottom = IntVar("i"), n - 1 - IntVar("i")
    upper = _loop("i", n, _divide(factors, x, top), *_spread(factors, x, top, top + 1, n - 1 - top))
    lower = _loop("i", n, *_spread(factors, x, bottom, ZERO, bottom))
    last = n - 1 - k
    return (upper, lower, _loop("k", n, *_swap_rows(x.buffer, last, factors.pivot_row(last), x.columns)))


def _spread(factors: Factors, x: _Unknowns, row: IntExpr, first: IntExpr, count: IntExpr) -> Body:
    """x[k] -= factors[row, k]·x[row] for `count` k from `first`."""
    k = IntVar("k") + first
    if x.columns is not None:
        entry = Var("entry", factors.lu.dtype)
        sweep = x.store(k, lambda rest: _product(_negated(entry), x.load(row, rest)), "add")
        return (_loop("k", count, Let("entry", factors.at(row, k)), sweep),)
    known = Var("known", factors.lu.dtype)
    sweep = Store(x.buffer, (k,), _product(_negated(factors.at(row, k)), known), "add")
    return (Let("known", x.load(row, ())), _lanes("k", count, sweep))


# --------------------------------------------------------------------------- determinants


def determinant_nest(node: Determinant, buffer: Buffer, factors: Factors) -> Nest:
    """Π of U's diagonal and a sign for each swap, or Σ log|U's diagonal|."""
    k, dtype = IntVar("k"), buffer.dtype
    pivot = factors.at(k, k)
    if node.op == "logdet":
        size = Op("log", (Op("abs", (pivot,), dtype),), dtype)
        body: Body = (Store(buffer, (), size, "add"),)
    else:
        stays = Op("eq", (FromInt(factors.pivot_row(k), "int64"), FromInt(k, "int64")), "bool")
        signed = Op("select", (stays, pivot, _negated(pivot)), dtype)
        body = (Store(buffer, (), signed, "mul"),)
    first = Store(buffer, (), Const(0.0 if node.op == "logdet" else 1.0, dtype))
    return Nest(buffer.name, (), (first, _loop("k", factors.extent, *body)))


def is_vector(buffer: Buffer) -> bool:
    """Whether a result is solved for as a vector: one right-hand side."""
    return all(extent == IntConst(1) for extent in buffer.shape[1:])
