"""Critical points, exactly: where the gradient is zero, and what the Hessian says of them.

In: a scalar of a few real variables.  Out: `CriticalPoints`: points with their values, Hessians and verdicts, and
whether they are all there are.
The gradient is symnet's; SymPy solves it.  The signs of a symmetric Hessian's eigenvalues are counted from its
characteristic polynomial, exactly: all its roots are real, so Descartes' rule counts them.
Not handled: systems that SymPy cannot solve; points where the gradient does not exist.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import sympy

from symnet.calculus.grad import grad, scalar_root
from symnet.calculus.structure import flatten
from symnet.errors import ArgumentError, explain
from symnet.expr.node import Node
from symnet.expr.symbols import Tensor
from symnet.expr.to_sympy import symbols_of, to_sympy

MINIMUM, MAXIMUM, SADDLE = "minimum", "maximum", "saddle"
INFLECTION = "undecided (inflection possible)"
PARAMETERS = "undecided (it depends on parameters)"
_DIGITS = 40  # to which the sign of a number that is not zero is found


@dataclass(frozen=True)
class CriticalPoint:
    """One point where the gradient is zero.

    Attributes:
        at: symbol → value.
        value: of the function there.
        hessian: a SymPy matrix.
        eigenvalues: of the Hessian, with repetitions, rising where they are numbers.
        verdict: "minimum", "maximum", "saddle", "undecided (inflection possible)", or "undecided (it depends on
            parameters)"; a minimum or maximum is local.
    """

    at: dict[sympy.Symbol, sympy.Expr]
    value: sympy.Expr
    hessian: sympy.Matrix
    eigenvalues: tuple[sympy.Expr, ...]
    verdict: str

    def __str__(self) -> str:
        place = ", ".join(f"{s} = {v}" if s != v else f"any {s}" for s, v in self.at.items())
        found = ", ".join(map(str, self.eigenvalues))
        what = "eigenvalues of the Hessian" if len(self.at) > 1 else "second derivative"
        return f"{place}: {self.verdict}, value {self.value}; {what} {found}"

    __repr__ = __str__


@dataclass(frozen=True)
class CriticalPoints:
    """The critical points, as a sequence.

    Attributes:
        points: those that were found.
        gradient: the system that was solved.
        complete: whether these are all.
        note: why not, otherwise.
    """

    points: tuple[CriticalPoint, ...]
    gradient: tuple[sympy.Expr, ...]
    complete: bool
    note: str = ""

    def __iter__(self) -> Iterator[CriticalPoint]:
        return iter(self.points)

    def __len__(self) -> int:
        return len(self.points)

    def __getitem__(self, index: int) -> CriticalPoint:
        return self.points[index]

    def __str__(self) -> str:
        lines = [str(point) for point in self.points] or ["no critical points"]
        return "\n".join([*lines, *([f"note: {self.note}"] if self.note else [])])

    __repr__ = __str__


def critical_points(f: Any, wrt: Any) -> CriticalPoints:
    """Where the gradient of f is zero, and whether f has a minimum, a maximum or a saddle there.

    Args:
        f: rank 0; other leaves in it are parameters.
        wrt: a real leaf or a list of them, of rank 0 or of concrete shapes.

    Returns:
        `CriticalPoints`; print it, or read `at`, `value`, `hessian`, `eigenvalues`, `verdict` of each.

    Raises:
        ShapeError: f is no scalar.
        ArgumentError: a symbolic extent, a variable that is no leaf, or equations that SymPy cannot solve.

    Example:
        >>> import symnet as sn
        >>> x = sn.scalar("x")
        >>> sn.critical_points(x**3 - 3 * x, x)
        x = -1: maximum, value 2; second derivative -6
        x = 1: minimum, value -2; second derivative 6
    """
    call = "critical_points(f, wrt)"
    root = scalar_root(call, f)
    targets, _ = flatten(call, wrt)
    leaves = [_leaf(call, target) for target in targets]
    variables = [s for leaf in leaves for s in symbols_of(leaf).reshape(-1)]
    slopes = [e for node in grad(root, leaves) for e in np.reshape(to_sympy(node), -1)]
    gradient = tuple(sympy.simplify(e) if not e.is_polynomial(*variables) else sympy.expand(e) for e in slopes)
    solutions, complete, note = _solved(call, gradient, variables)
    expr = to_sympy(root)
    points = [_point(expr, gradient, variables, solution) for solution in solutions]
    ordered = sorted(points, key=lambda p: [_number(v) for v in p.at.values()])
    families = any(set(variables) & v.free_symbols for p in points for v in p.at.values())
    if families:
        note = note or "a value with variables in it stands for a whole family of points"
    return CriticalPoints(tuple(ordered), gradient, complete, note)


def _leaf(call: str, target: Node) -> Tensor:
    if not isinstance(target, Tensor):
        got = f"{target}, a computed value"
        raise ArgumentError(explain(call, "leaves as variables", got, "Give the leaves that it is made of."))
    return target


def _number(value: sympy.Expr) -> float:
    return float(value) if value.is_number else float("inf")


# --------------------------------------------------------------------------- solving


def _solved(
    call: str, gradient: Sequence[sympy.Expr], variables: Sequence[sympy.Symbol]
) -> tuple[list[dict[Any, Any]], bool, str]:
    """The real solutions, whether they are all, and a note where they are not."""
    try:
        if len(variables) == 1:
            return _solved_for_one(gradient[0], variables[0])
        found = sympy.solve(list(gradient), list(variables), dict=True)
    except NotImplementedError as error:
        system = ", ".join(f"{g} = 0" for g in gradient)
        expected = "a gradient that SymPy can solve"
        mend = "Minimise it numerically, with sn.value_and_grad."
        raise ArgumentError(explain(call, expected, f"{system} ({error})", mend)) from error
    polynomial = all(g.is_polynomial(*variables) for g in gradient)
    note = "" if polynomial else "the equations are no polynomials: there may be further points"
    return [s for s in found if _is_real(s)], polynomial, note


def _is_real(solution: dict[Any, Any]) -> bool:
    return all(value.is_real is not False and not _is_complex(value) for value in solution.values())


def _is_complex(value: sympy.Expr) -> bool:
    """A number with an imaginary part, where SymPy does not say so by itself."""
    return bool(value.is_number and value.is_real is None and abs(sympy.im(sympy.N(value, _DIGITS))) > 1e-25)


def _solved_for_one(slope: sympy.Expr, x: sympy.Symbol) -> tuple[list[dict[Any, Any]], bool, str]:
    if slope == 0:
        return [{x: x}], True, "the function is constant"
    domain = sympy.Interval.open(0, sympy.oo) if x.is_positive else sympy.S.Reals
    found = sympy.solveset(slope, x, domain=domain)
    if isinstance(found, sympy.FiniteSet):
        return [{x: value} for value in found], True, ""
    if found is sympy.S.EmptySet:
        return [], True, ""
    if isinstance(found, sympy.Intersection) and len(found.args) == 2 and isinstance(found.args[1], sympy.FiniteSet):
        return [{x: value} for value in found.args[1]], True, ""  # parameters: real where they make it real
    some = [s for s in sympy.solve(slope, x, dict=True) if _is_real(s) and domain.contains(s[x]) != sympy.false]
    open_question = found.has(sympy.ConditionSet)
    return some, False, "there may be further points" if open_question else f"there are further points: all of {found}"


# --------------------------------------------------------------------------- the test


def _point(expr: Any, gradient: Sequence[Any], variables: Sequence[Any], solution: dict[Any, Any]) -> CriticalPoint:
    at = {s: sympy.simplify(solution.get(s, s)) for s in variables}
    second = sympy.Matrix([[sympy.diff(g, s) for s in variables] for g in gradient])
    hessian = second.subs(at).applyfunc(sympy.simplify)
    value = sympy.simplify(expr.subs(at))
    return CriticalPoint(at, value, hessian, _eigenvalues(hessian), _verdict(hessian))


def _eigenvalues(hessian: sympy.Matrix) -> tuple[Any, ...]:
    """Exact where SymPy has a formula, to 15 digits otherwise."""
    if len(hessian) == 1:
        return (hessian[0],)
    found: list[Any] = []
    try:
        found = [v for value, count in hessian.eigenvals().items() for v in [sympy.simplify(value)] * count]
        exact = len(found) == hessian.rows and not any(v.has(sympy.I, sympy.RootOf) for v in found)
    except (sympy.matrices.MatrixError, NotImplementedError):
        exact = False
    if not exact and not hessian.free_symbols:
        found = [sympy.Float(v) for v in np.linalg.eigvalsh(np.array(hessian.tolist(), dtype=float))]
    return tuple(sorted(found, key=_number))


def _verdict(hessian: sympy.Matrix) -> str:
    """From the signs of the characteristic polynomial's coefficients."""
    coefficients = hessian.charpoly().all_coeffs()
    signs = [_sign(c) for c in coefficients]
    if None in signs:
        return _verdict_with_parameters(hessian)
    kept = [s for s in signs if s]
    positive = sum(a != b for a, b in pairwise(kept))
    zero = next(k for k, s in enumerate(reversed(signs)) if s)
    negative = hessian.rows - zero - positive
    return _named(positive, negative, zero)


def _named(positive: int, negative: int, zero: int) -> str:
    if positive and negative:
        return SADDLE
    if zero:
        return INFLECTION
    return MINIMUM if positive else MAXIMUM


def _verdict_with_parameters(hessian: sympy.Matrix) -> str:
    if hessian.is_positive_definite:
        return MINIMUM
    return MAXIMUM if hessian.is_negative_definite else PARAMETERS


def _sign(value: sympy.Expr) -> int | None:
    """1, 0, -1; None where a parameter decides."""
    value = sympy.simplify(value)
    if value.is_zero:
        return 0
    if value.is_positive or value.is_negative:
        return 1 if value.is_positive else -1
    if value.free_symbols:
        return None
    near = sympy.re(sympy.N(value, _DIGITS))
    return 0 if abs(near) < sympy.Float(10) ** (-_DIGITS // 2) else int(sympy.sign(near))
