"""Critical points: where the gradient is zero, and what the Hessian says of them; exactly where SymPy can.

In: a scalar of a few real variables.  Out: `CriticalPoints`: points with their values, Hessians and verdicts, and
whether they are all there are.
The gradient is symnet's; SymPy solves it, and where it cannot, Newton's method does (`newton.py`): such points say so
and carry the gradient that is left.  The signs of a symmetric Hessian's eigenvalues are counted from its characteristic
polynomial, exactly: all its roots are real, so Descartes' rule counts them.  Where f″ is zero, the first derivative
that is not decides besides.  On a family of points (a valley) the Hessian has a zero for every direction along it, and
the others decide (R. Bott, "Nondegenerate critical manifolds", 1954).
Not handled: points where the gradient does not exist.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import sympy

from symnet.calculus.grad import grad, scalar_root
from symnet.calculus.newton import SAME, NumericPoint, numeric_points
from symnet.calculus.structure import flatten
from symnet.errors import ArgumentError, explain
from symnet.expr.node import Node
from symnet.expr.symbols import Tensor
from symnet.expr.symbols import leaves as leaves_of
from symnet.expr.to_sympy import symbols_of, to_sympy

MINIMUM, MAXIMUM, SADDLE = "minimum", "maximum", "saddle"
INFLECTION = "undecided (inflection possible)"
PARAMETERS = "undecided (it depends on parameters)"
NOT_STRICT, CONSTANT = " (not strict)", "constant"
_OPEN = "there may be further points"
_NUMERIC = "found by Newton's method: there may be further points"
_DIGITS = 40  # to which the sign of a number that is not zero is found


@dataclass(frozen=True)
class CriticalPoint:
    """One point where the gradient is zero.

    Attributes:
        at: symbol → value.
        value: of the function there.
        hessian: a SymPy matrix.
        eigenvalues: of the Hessian, with repetitions, rising where they are numbers.
        verdict: of the Hessian: "minimum", "maximum", "saddle", "undecided (inflection possible)", or "undecided (it
            depends on parameters)"; on a family of points "minimum (not strict)", "maximum (not strict)", "constant".
            A minimum or maximum is local.
        higher: for one variable where f″ is zero: (order, value, verdict) of the first derivative that is not, the
            verdict "minimum", "maximum" or "inflection".
        residual: the norm of the gradient there, of a point found in floating point; None of an exact one.
    """

    at: dict[sympy.Symbol, sympy.Expr]
    value: sympy.Expr
    hessian: sympy.Matrix
    eigenvalues: tuple[sympy.Expr, ...]
    verdict: str
    higher: tuple[int, sympy.Expr, str] | None = None
    residual: float | None = None

    def __str__(self) -> str:
        sign = "=" if self.residual is None else "≈"
        place = ", ".join(f"{s} {sign} {_shown(v)}" if s != v else f"any {s}" for s, v in self.at.items())
        found = ", ".join(map(_shown, self.eigenvalues))
        what = "eigenvalues of the Hessian" if len(self.at) > 1 else "second derivative"
        parts = [f"{place}: {self.verdict}, value {_shown(self.value)}", f"{what} {found}"]
        if self.higher is not None:
            parts.append("{2} by derivative {0}, {1}".format(*self.higher))
        if self.residual is not None:
            parts.append(f"numeric, gradient {self.residual:.0e}")
        return "; ".join(parts)

    __repr__ = __str__


def _shown(value: Any) -> str:
    return f"{float(value):.10g}" if isinstance(value, sympy.Float) else str(value)


@dataclass(frozen=True)
class CriticalPoints:
    """The critical points, as a sequence.

    Attributes:
        points: those that were found.
        gradient: the system that was solved; empty where it was not written out in SymPy.
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


def critical_points(f: Any, wrt: Any, *, numeric: bool = False) -> CriticalPoints:
    """Where the gradient of f is zero, and whether f has a minimum, a maximum or a saddle there.

    Args:
        f: rank 0; other leaves in it are parameters.
        wrt: a real leaf or a list of them, of rank 0 or of concrete shapes.
        numeric: search in floating point at once, without writing the equations out.  (Otherwise that is done where
            SymPy cannot solve them.)

    Returns:
        `CriticalPoints`; print it, or read `at`, `value`, `hessian`, `eigenvalues`, `verdict` of each.

    Raises:
        ShapeError: f is no scalar.
        ArgumentError: a symbolic extent, a variable that is no leaf, or parameters in what only numbers can solve.

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
    if numeric:
        return CriticalPoints(tuple(_numeric(call, root, leaves, variables)), (), False, _NUMERIC)
    slopes = [e for node in grad(root, leaves) for e in np.reshape(to_sympy(node), -1)]
    gradient = tuple(sympy.simplify(e) if not e.is_polynomial(*variables) else sympy.expand(e) for e in slopes)
    solutions, complete, note = _solved(gradient, variables)
    expr = to_sympy(root)
    points = [_point(expr, gradient, variables, solution) for solution in solutions]
    if note == _OPEN:
        try:
            points += [p for p in _numeric(call, root, leaves, variables) if not _is_among(p, points)]
            note = _NUMERIC
        except ArgumentError:
            if not points:
                raise
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
    gradient: Sequence[sympy.Expr], variables: Sequence[sympy.Symbol]
) -> tuple[list[dict[Any, Any]], bool, str]:
    """The real solutions, whether they are all, and a note where they are not: `_OPEN` where SymPy cannot tell."""
    try:
        if len(variables) == 1:
            return _solved_for_one(gradient[0], variables[0])
        found = sympy.solve(list(gradient), list(variables), dict=True)
    except NotImplementedError:
        return [], False, _OPEN
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
    return some, False, _OPEN if found.has(sympy.ConditionSet) else f"there are further points: all of {found}"


# --------------------------------------------------------------------------- the test


def _point(expr: Any, gradient: Sequence[Any], variables: Sequence[Any], solution: dict[Any, Any]) -> CriticalPoint:
    at = {s: sympy.simplify(solution.get(s, s)) for s in variables}
    second = sympy.Matrix([[sympy.diff(g, s) for s in variables] for g in gradient])
    hessian = second.subs(at).applyfunc(sympy.simplify)
    value = sympy.simplify(expr.subs(at))
    along = sum(s == v for s, v in at.items())  # how many of the variables stay free: the dimension of a family
    verdict = _verdict(hessian, along)
    higher = _higher(gradient[0], variables[0], at) if verdict == INFLECTION and len(variables) == 1 else None
    return CriticalPoint(at, value, hessian, _eigenvalues(hessian), verdict, higher)


_HIGHEST = 12


def _higher(slope: sympy.Expr, x: sympy.Symbol, at: Mapping[sympy.Symbol, sympy.Expr]) -> tuple[int, Any, str] | None:
    """The first derivative of f that is not zero: of even order it decides as f″ does, of odd there is neither."""
    derivative = sympy.diff(slope, x)
    for order in range(3, _HIGHEST + 1):
        derivative = sympy.diff(derivative, x)
        value = sympy.simplify(derivative.subs(at))
        sign = _sign(value) if value.is_finite is not False else None
        if sign is None:
            return None
        if sign:
            return order, value, "inflection" if order % 2 else MINIMUM if sign > 0 else MAXIMUM
    return None


def _numeric(call: str, f: Node, leaves: Sequence[Tensor], variables: Sequence[sympy.Symbol]) -> list[CriticalPoint]:
    """The points that Newton's method finds.

    Raises:
        ArgumentError: f has parameters.
    """
    others = [leaf.name for leaf in leaves_of(f) if leaf not in leaves]
    if others:
        expected = "equations that SymPy can solve, or no parameters, so that they can be solved in floating point"
        mend = f"Write numbers in the place of {', '.join(others)}."
        raise ArgumentError(explain(call, expected, f"the parameters {', '.join(others)}", mend))
    return [_numeric_point(point, variables) for point in numeric_points(f, leaves)]


def _numeric_point(point: NumericPoint, variables: Sequence[sympy.Symbol]) -> CriticalPoint:
    at = {s: sympy.Float(v) for s, v in zip(variables, point.at, strict=True)}
    values = np.linalg.eigvalsh((point.hessian + point.hessian.T) / 2)
    small = 1e-7 * np.max(np.abs(values), initial=0.0)
    positive, negative = int((values > small).sum()), int((values < -small).sum())
    verdict = _named(positive, negative, len(values) - positive - negative)
    eigenvalues = tuple(map(sympy.Float, values))
    hessian = sympy.Matrix(point.hessian.tolist())
    return CriticalPoint(at, sympy.Float(point.value), hessian, eigenvalues, verdict, None, point.residual)


def _is_among(point: CriticalPoint, others: Sequence[CriticalPoint]) -> bool:
    """Whether an exact point stands there already."""
    exact = [list(map(_number, o.at.values())) for o in others]
    here = np.array(list(map(float, point.at.values())))
    return any(np.linalg.norm(here - there) <= SAME * (1 + np.linalg.norm(here)) for there in exact)


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


def _verdict(hessian: sympy.Matrix, along: int = 0) -> str:
    """From the signs of the characteristic polynomial's coefficients; `along` of the zeros lie along a family."""
    coefficients = hessian.charpoly().all_coeffs()
    signs = [_sign(c) for c in coefficients]
    if None in signs:
        return _verdict_with_parameters(hessian)
    kept = [s for s in signs if s]
    positive = sum(a != b for a, b in pairwise(kept))
    zero = next(k for k, s in enumerate(reversed(signs)) if s)
    negative = hessian.rows - zero - positive
    return _named(positive, negative, zero, along)


def _named(positive: int, negative: int, zero: int, along: int = 0) -> str:
    if positive and negative:
        return SADDLE
    if zero and zero != along:
        return INFLECTION
    if not positive and not negative:
        return CONSTANT
    return (MINIMUM if positive else MAXIMUM) + (NOT_STRICT if zero else "")


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
