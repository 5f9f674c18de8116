"""The critical point of a quadratic function of an array, as a formula, for extents of any size.

In: f and an array x of which f's gradient is H·x + g, with neither H nor g made of x.  Out: x = -H⁻¹g, the value there,
H, and a verdict.  Of a matrix X, H has to multiply it from one side, as the 2·AᵀA of ‖A·X - B‖² does.

The point is the only one where H is regular, as it is wherever the formula has a value.  There H is positive definite
if it is a sum of products AᵀA, AᵀDA with D ≥ 0 and identities, none with a negative factor.

Not handled: other functions, several arrays at once: their equations have no such formula.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from symnet.calculus.grad import grad
from symnet.calculus.hessian import hessian
from symnet.errors import ArgumentError, explain
from symnet.expr.facts.assumptions import known
from symnet.expr.nodes.constants import identity
from symnet.expr.nodes.contraction import Einsum, einsum
from symnet.expr.nodes.contraction import sum as total
from symnet.expr.nodes.elementwise import is_op, negative
from symnet.expr.nodes.expansion import Expand, fill
from symnet.expr.nodes.linalg import solve
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Tensor
from symnet.simplify.algebra.table import simplify
from symnet.simplify.forms.broadcast import without_repetition
from symnet.simplify.forms.coefficients import split_coefficient

SINGULAR = "it is the only one where the Hessian is regular"


@dataclass(frozen=True)
class QuadraticPoint:
    """The point where the gradient of a quadratic function is zero.

    Attributes:
        x: the array.
        place: where, as a formula of the others.
        value: of the function there.
        hessian: a matrix: of a matrix X what multiplies it, from the left or the right.
        sign: 1 where it is positive definite wherever it is regular, -1 where negative, 0 where neither is known.
    """

    x: Tensor
    place: Node
    value: Node
    hessian: Node
    sign: int


def quadratic_point(call: str, f: Node, x: Tensor) -> QuadraticPoint:
    """The critical point.

    Raises:
        ArgumentError: f is not quadratic in x, or x has more than two axes.
    """
    second = hessian(f, x)
    side = None if x in second.free_symbols else _multiplier(second, x)
    if side is None:
        expected = "known extents, or a quadratic function of one vector or matrix"
        mend = "Give numbers for the dims, as in f.subs({m: 3})."
        raise ArgumentError(explain(call, expected, f"{f} by {x.name}, of symbolic extents", mend))
    matrix, is_left = side
    nothing = fill(0, x.shape)
    first, start = simplify([grad(f, x).xreplace({x: nothing}), f.xreplace({x: nothing})])
    place = solve(matrix, negative(first)) if is_left else solve(matrix, negative(first).T).T
    (place,) = simplify([place])
    (value,) = simplify([start + total(first * place) / 2])
    return QuadraticPoint(x, place, value, matrix, definiteness(matrix))


def _multiplier(second: Node, x: Tensor) -> tuple[Node, bool] | None:
    """The matrix M of a Hessian M or M ⊗ 1, and whether it multiplies x from the left."""
    if x.rank == 1:
        return second, True
    if x.rank != 2:
        return None
    rows, columns = x.shape
    left, right = simplify([einsum("ijkj->ik", second) / columns, einsum("ijil->jl", second) / rows])
    for matrix, other, text, is_left in (
        (left, identity(columns), "ik,jl->ijkl", True),
        (right, identity(rows), "jl,ik->ijkl", False),
    ):
        (rest,) = simplify([second - einsum(text, matrix, other)])
        if rest == simplify([fill(0, rest.shape)])[0]:
            return matrix, is_left
    return None


# --------------------------------------------------------------------------- definite


def definiteness(matrix: Node) -> int:
    """1 where no quadratic form xᵀMx is negative, -1 where none is positive, 0 where neither is known."""
    if _is_semidefinite(matrix):
        return 1
    return -1 if _is_semidefinite(simplify([negative(matrix)])[0]) else 0


def _is_semidefinite(matrix: Node) -> bool:
    if is_op(matrix, "add"):
        return all(map(_is_semidefinite, matrix.operands))
    number, factors = split_coefficient(matrix)
    scalars = [f for f in factors if not without_repetition(f).rank]
    rest = [f for f in factors if f not in scalars]
    if number < 0 or len(rest) != 1 or not all(known(f, "nonnegative") for f in scalars):
        return False
    (core,) = rest
    if core.kind == "delta":
        return True
    if is_op(core, "add"):
        return _is_semidefinite(core)
    return isinstance(core, Einsum) and _is_gram(core)


def _is_gram(product: Einsum) -> bool:
    """Whether a contraction is Σ of w·a[…, i]·a[…, j] with w ≥ 0: its factors come in twins that differ in i and j."""
    if product.rank != 2:
        return False
    i, j = product.output
    factors = [f for x, at in zip(product.operands, product.inputs, strict=True) for f in _factors(x, at)]
    weights = [(x, at) for x, at in factors if i not in at and j not in at]
    sides = [(x, at) for x, at in factors if (x, at) not in weights]
    swapped = [(x, tuple({i: j, j: i}.get(index, index) for index in at)) for x, at in sides]
    apart = all((i in at) != (j in at) for _, at in sides)
    return apart and Counter(sides) == Counter(swapped) and all(known(x, "nonnegative") for x, _ in weights)


def _factors(x: Node, at: tuple[int, ...]) -> Iterator[tuple[Node, tuple[int, ...]]]:
    """What an array is the product of, each factor with the indices of its axes."""
    if isinstance(x, Expand):
        yield from _factors(x.operands[0], tuple(at[axis] for axis in x.axes))
    elif isinstance(x, Einsum) and len(x.operands) == 1 and sorted(x.inputs[0]) == sorted(x.output):  # a transpose
        yield from _factors(x.operands[0], tuple(at[x.output.index(index)] for index in x.inputs[0]))
    elif is_op(x, "mul"):
        for operand in x.operands:
            yield from _factors(operand, at[len(at) - operand.rank :])
    else:
        yield x, at
