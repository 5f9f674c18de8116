"""Critical points of quotients of two quadratic forms: xᵀAx/xᵀBx, Rayleigh's quotient, of any size.

In: f and a vector x.  Out: where f's gradient, 2(Ax - f·Bx)/xᵀBx, is zero: the x other than 0 with Ax = λBx, and the
value λ.  With numbers in A and B they are found: exactly where the characteristic polynomial has factors of degree one
and two, otherwise in floating point.  Else the equation is the answer.
Not handled: quotients by a form that is not positive, or of vectors that are assumed to be positive.
Source: B. N. Parlett, "The Symmetric Eigenvalue Problem", chapters 1 and 15.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy

from symnet.calculus.grad import grad
from symnet.calculus.hessian import hessian
from symnet.expr.nodes.elementwise import elementwise, is_op
from symnet.expr.nodes.expansion import fill
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Tensor, leaves, scalar
from symnet.expr.sympy.to_sympy import symbols_of, to_sympy
from symnet.reference import evaluate
from symnet.simplify.algebra.table import simplify
from symnet.simplify.forms.factors import power_of, split_power
from symnet.study.critical_points.kinks import CONSTANT, MAXIMUM, MINIMUM, NOT_STRICT
from symnet.study.critical_points.points import CriticalPoint
from symnet.study.critical_points.quadratic import definiteness

SADDLE = "saddle"
BY_SIZE = "minimum at the smallest λ, maximum at the largest, saddle between"
_SAME = 1e-9  # two eigenvalues, beside the largest
_ROUNDING = 1e-13
_LETTERS = ("λ", "mu", "rho", "lam")


@dataclass(frozen=True)
class RayleighQuotient:
    """xᵀAx/xᵀBx, A and B symmetric and free of x, B positive definite wherever it is regular."""

    x: Tensor
    above: Node
    below: Node


def rayleigh_quotient(f: Node, x: Tensor) -> RayleighQuotient | None:
    """The two forms whose quotient f is; None where it is none."""
    if x.rank != 1 or "positive" in x.assumptions or "nonnegative" in x.assumptions:
        return None
    (written,) = simplify([f])
    above: list[Node] = []
    below: list[Node] = []
    for factor in written.operands if is_op(written, "mul") else ():
        base, exponent = split_power(factor)
        if isinstance(exponent, Node):
            return None
        if x in base.free_symbols and exponent < 0:
            below.append(power_of(base, -exponent))
        else:
            above.append(factor)
    if len(below) != 1 or sum(x in factor.free_symbols for factor in above) != 1:
        return None
    first, second = _matrix(elementwise("mul", *above) if len(above) > 1 else above[0], x), _matrix(below[0], x)
    if first is None or second is None or definiteness(second) != 1:
        return None
    return RayleighQuotient(x, first, second)


def _matrix(form: Node, x: Tensor) -> Node | None:
    """The symmetric M of xᵀMx; None of what is no quadratic form."""
    (matrix,) = simplify([hessian(form, x) / 2])
    if x in matrix.free_symbols:
        return None
    nothing = fill(0, x.shape)
    rest = simplify([form.xreplace({x: nothing}), grad(form, x).xreplace({x: nothing})])
    zeros = simplify([fill(0, each.shape) for each in rest])
    return matrix if rest == zeros else None


# --------------------------------------------------------------------------- as an equation


def eigenvalue_equation(quotient: RayleighQuotient) -> CriticalPoint:
    """The points as solutions of Ax = λBx, and the value λ."""
    x, taken = quotient.x, {leaf.name for leaf in leaves(quotient.above, quotient.below)}
    value = scalar(next(letter for letter in _LETTERS if letter not in taken | {x.name}))
    left, right = simplify([quotient.above @ x, value * (quotient.below @ x)])
    bend = (quotient.above - value * quotient.below) * 2
    (second,) = simplify([bend / (x @ quotient.below @ x)])
    verdict = BY_SIZE.replace("λ", value.name)
    return CriticalPoint({x: x}, value, second, (), verdict, equation=(left, right))


# --------------------------------------------------------------------------- in numbers


def eigenvector_points(quotient: RayleighQuotient, numeric: bool = False) -> list[CriticalPoint] | None:
    """The points of a quotient of numbers, a family for each eigenvalue.

    None where there are parameters, or B is singular.

    Args:
        quotient: of known extents.
        numeric: in floating point at once.
    """
    matrices = quotient.above, quotient.below
    if any(isinstance(node, Tensor) for node in topological(*matrices)) or not _is_regular(quotient.below):
        return None
    exact = [sympy.Matrix(np.asarray(to_sympy(m)).tolist()) for m in matrices]
    pairs = None if numeric else _exact_pairs(*exact)
    residuals = pairs is None
    if pairs is None:
        pairs = _numeric_pairs(*(np.asarray(evaluate(m, {}), dtype=float) for m in matrices))
        exact = [m.evalf() for m in exact]
    symbols = list(symbols_of(quotient.x).reshape(-1))
    return list(_families(pairs, exact, symbols, residuals))


def _is_regular(matrix: Node) -> bool:
    values = np.linalg.eigvalsh(np.asarray(evaluate(matrix, {}), dtype=float))
    return bool(values[0] > _SAME * values[-1])


Pairs = list[tuple[Any, sympy.Matrix]]  # rising eigenvalues, and a basis of the eigenvectors of each as columns


def _exact_pairs(above: sympy.Matrix, below: sympy.Matrix) -> Pairs | None:
    """Eigenvalues and vectors as SymPy writes them; None where they would take roots of cubics, or worse."""
    matrix = below.inv() * above
    if not all(e.is_Rational for e in matrix):
        return None
    polynomial = matrix.charpoly()
    if any(factor.degree() > 2 for factor, _ in polynomial.factor_list()[1]):
        return None
    found = [
        (sympy.radsimp(value), _reduced(sympy.Matrix.hstack(*vectors))) for value, _, vectors in matrix.eigenvects()
    ]
    return sorted(found, key=lambda pair: float(pair[0]))


def _reduced(basis: sympy.Matrix) -> sympy.Matrix:
    """A basis of the same columns, with an identity in the first rows that can have one."""
    return basis.T.rref(simplify=True)[0].T.applyfunc(sympy.radsimp)


def _numeric_pairs(above: np.ndarray, below: np.ndarray) -> Pairs:
    """By Cholesky's factor of B: the eigenvalues of L⁻¹AL⁻ᵀ, those that are equal up to rounding together."""
    lower = np.linalg.cholesky(below)
    inside = np.linalg.solve(lower, np.linalg.solve(lower, above).T)
    values, columns = np.linalg.eigh((inside + inside.T) / 2)
    vectors = np.linalg.solve(lower.T, columns)
    apart = np.abs(values).max(initial=0.0) * _SAME
    cuts = [k for k in range(1, len(values)) if values[k] - values[k - 1] > apart]
    groups = np.split(np.arange(len(values)), cuts)
    largest = np.abs(values).max(initial=0.0)
    return [
        (_rounded(values[g].mean(), largest), sympy.Matrix(_echelon(vectors[:, g]).tolist()).applyfunc(_rounded))
        for g in groups
    ]


def _rounded(value: Any, scale: float = 1.0) -> Any:
    """A number found in floating point, whole where it is so but for rounding."""
    whole = round(float(value))
    return sympy.Integer(whole) if abs(value - whole) <= _ROUNDING * max(scale, abs(whole)) else sympy.Float(value)


def _echelon(basis: np.ndarray) -> np.ndarray:
    """A basis of the same columns, with an identity in the rows where they are largest."""
    rest, rows = basis.copy(), []
    for _ in range(basis.shape[1]):
        rows.append(int(np.argmax(np.linalg.norm(rest, axis=1))))
        along = rest[rows[-1]] / np.linalg.norm(rest[rows[-1]])
        rest = rest - np.outer(rest @ along, along)
    found = basis @ np.linalg.inv(basis[rows])
    found[np.abs(found) < 1e-14] = 0.0
    found[rows] = np.eye(len(rows))
    return found


def _families(
    pairs: Pairs, matrices: Sequence[sympy.Matrix], symbols: Sequence[sympy.Symbol], numeric: bool
) -> Iterator[CriticalPoint]:
    above, below = matrices
    for k, (value, basis) in enumerate(pairs):
        free = _free(basis)
        place = basis * sympy.Matrix([symbols[row] for row in free])
        at = {s: symbols[j] if j in free else sympy.factor_terms(place[j]) for j, s in enumerate(symbols)}
        length = sympy.factor_terms(sympy.expand((place.T * below * place)[0]))
        bend = 2 * (above - value * below)
        squares = sum(symbols[row] ** 2 for row in free)
        where = sympy.Ne(symbols[free[0]] if len(free) == 1 else squares, 0)
        eigenvalues = _bends(bend, [v for v, b in pairs for _ in range(b.cols)], value, below)
        residual = _left(bend, place, length, dict.fromkeys(symbols, 1)) if numeric else None
        verdict = _verdict(k, len(pairs))
        found = tuple(sympy.radsimp(e) / length for e in eigenvalues)
        yield CriticalPoint(at, value, bend / length, found, verdict, residual=residual, where=where)


def _free(basis: sympy.Matrix) -> list[int]:
    """The rows of a basis that are an identity, in its order."""
    rows = np.array(basis.tolist(), dtype=float)
    return [int(np.flatnonzero((rows == unit).all(axis=1))[0]) for unit in np.eye(basis.cols)]


def _bends(bend: sympy.Matrix, values: Sequence[Any], value: Any, below: sympy.Matrix) -> list[Any]:
    """The eigenvalues of the Hessian times xᵀBx, rising."""
    if below == sympy.eye(below.rows):
        return [sympy.Integer(0) if each is value else 2 * (each - value) for each in values]
    found = np.linalg.eigvalsh(np.array(bend.evalf().tolist(), dtype=float))
    return [_rounded(e, np.abs(found).max(initial=0.0)) for e in found]


def _left(bend: sympy.Matrix, place: sympy.Matrix, length: Any, ones: dict[Any, int]) -> float:
    """The norm of the gradient where every free coordinate is 1."""
    return float((bend * place).subs(ones).norm() / sympy.sympify(length).subs(ones))


def _verdict(k: int, count: int) -> str:
    if count == 1:
        return CONSTANT
    return MINIMUM + NOT_STRICT if k == 0 else MAXIMUM + NOT_STRICT if k == count - 1 else SADDLE
