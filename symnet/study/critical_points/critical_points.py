"""Critical points: where the gradient is zero, and what the Hessian says of them; exactly where SymPy can.

In: a scalar of a few real variables.  Out: `CriticalPoints`: points with their values, Hessians and verdicts, and
whether they are all there are.
The gradient is symnet's; SymPy solves it, and where it cannot, Newton's method does (`newton.py`): such points say so
and carry the gradient that is left.  The signs of a symmetric Hessian's eigenvalues are counted from its characteristic
polynomial, exactly: all its roots are real, so Descartes' rule counts them.  Where f″ is zero, the first derivative
that is not decides besides.  On a family of points (a valley) the Hessian has a zero for every direction along it, and
the others decide (R. Bott, "Nondegenerate critical manifolds", 1954).
Functions of one variable that have kinks are taken piece by piece (`kinks.py`).
Not handled: kinks of functions of several variables, or with parameters; the note says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import sympy

from symnet.calculus.grad import grad, scalar_root
from symnet.calculus.structure import flatten
from symnet.errors import ArgumentError, explain
from symnet.expr.nodes.abstract import refuse_abstract
from symnet.expr.nodes.elementwise import is_op
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Tensor
from symnet.expr.nodes.symbols import leaves as leaves_of
from symnet.expr.sympy.to_sympy import symbols_of, to_sympy
from symnet.study.critical_points.deadline import within
from symnet.study.critical_points.kinks import (
    CONSTANT,
    MAXIMUM,
    MINIMUM,
    NOT_STRICT,
    CriticalSet,
    find,
    has_kinks,
    judged,
    jumps,
    kink_equations,
    sign_of,
    slopes,
)
from symnet.study.critical_points.newton import SAME, NumericPoint, numeric_points
from symnet.study.critical_points.solving import OPEN, domain, solved, solved_for_one

SADDLE = "saddle"
INFLECTION = "undecided (inflection possible)"
PARAMETERS = "undecided (it depends on parameters)"
NOT_SMOOTH, STEPS = "undecided (it is not smooth there)", "piecewise constant"
_NUMERIC = "found by Newton's method: there may be further points"
_KINKS = "it is not smooth everywhere: kinks and whole regions of slope zero may be missing"
_JUMPS = "it jumps, in infinitely many places: minima and maxima at jumps may be missing"
_STEPS = "piecewise constant: the slope is zero wherever it does not jump"
_KINKED_OPS = ("abs", "sign", "floor", "floor_divide", "relu", "leaky_relu", "maximum", "minimum", "where")


@dataclass(frozen=True)
class CriticalPoint:
    """One point where the gradient is zero.

    Attributes:
        at: symbol → value.
        value: of the function there.
        hessian: a SymPy matrix.
        eigenvalues: of the Hessian, with repetitions, rising where they are numbers.
        verdict: of the Hessian: "minimum", "maximum", "saddle", "undecided (inflection possible)", or "undecided (it
            depends on parameters)"; on a family of points "minimum (not strict)", "maximum (not strict)", "constant";
            "piecewise constant" of a staircase.  At a kink of the comparison with both sides, besides "neither minimum
            nor maximum" and "undecided (there is a kink)"; there the Hessian is nan.  A minimum or maximum is local.
        higher: for one variable where f″ is zero: (order, value, verdict) of the first derivative that is not, the
            verdict "minimum", "maximum" or "inflection".
        residual: the norm of the gradient there, of a point found in floating point; None of an exact one.
        where: what the free variables of a family must fulfil: an interval, or where f is defined.
        slopes: at a kink, those on its left and right.
    """

    at: dict[sympy.Symbol, sympy.Expr]
    value: sympy.Expr
    hessian: sympy.Matrix
    eigenvalues: tuple[sympy.Expr, ...]
    verdict: str
    higher: tuple[int, sympy.Expr, str] | None = None
    residual: float | None = None
    where: sympy.Basic = sympy.true
    slopes: tuple[sympy.Expr, sympy.Expr] | None = None

    def __str__(self) -> str:
        sign = "=" if self.residual is None else "≈"
        place = ", ".join(f"{s} {sign} {_shown(v)}" if s != v else f"any {s}" for s, v in self.at.items())
        place += f" with {_condition(self.where)}" if self.where != sympy.true else ""
        found = ", ".join(map(_shown, self.eigenvalues))
        what = "eigenvalues of the Hessian" if len(self.at) > 1 else "second derivative"
        parts = [f"{place}: {self.verdict}, value {_shown(self.value)}"]
        parts.append("a kink, slopes {} and {}".format(*map(_shown, self.slopes)) if self.slopes else f"{what} {found}")
        if self.higher is not None:
            parts.append("{2} by derivative {0}, {1}".format(*self.higher))
        if self.residual is not None:
            parts.append(f"numeric, gradient {self.residual:.0e}")
        return "; ".join(parts)

    __repr__ = __str__


def _shown(value: Any) -> str:
    return f"{float(value):.10g}" if isinstance(value, sympy.Float) else str(value)


def _condition(where: sympy.Basic) -> str:
    parts = sorted(where.args, key=str) if isinstance(where, sympy.And) else (where,)
    return " and ".join(f"{p.lhs} {p.rel_op} {p.rhs}" for p in parts)


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
        lines = [str(point) for point in self.points] or [
            "no critical points" if self.complete else "no critical points found"
        ]
        return "\n".join([*lines, *([f"note: {self.note}"] if self.note else [])])

    __repr__ = __str__


def critical_points(f: Any, wrt: Any, *, numeric: bool = False, seconds: float = 10.0) -> CriticalPoints:
    """Where the gradient of f is zero, and whether f has a minimum, a maximum or a saddle there.

    Args:
        f: rank 0; other leaves in it are parameters.
        wrt: a real leaf or a list of them, of rank 0 or of concrete shapes.
        numeric: search in floating point at once, without writing the equations out.  (Otherwise that is done where
            SymPy cannot solve them, or not in time.)
        seconds: how long SymPy may take; inf for as long as it needs.

    Returns:
        `CriticalPoints`; print it, or read `at`, `value`, `hessian`, `eigenvalues`, `verdict` of each.

    Raises:
        ShapeError: f is no scalar.
        ArgumentError: a symbolic extent, a variable that is no leaf, parameters in what only numbers can solve, or
            seconds that are no time.

    Example:
        >>> import symnet as sn
        >>> x = sn.scalar("x")
        >>> sn.critical_points(x**3 - 3 * x, x)
        x = -1: maximum, value 2; second derivative -6
        x = 1: minimum, value -2; second derivative 6
    """
    call = "critical_points(f, wrt)"
    root = scalar_root(call, f)
    refuse_abstract(call, [root])
    targets, _ = flatten(call, wrt)
    leaves = [_leaf(call, target) for target in targets]
    variables = [s for leaf in leaves for s in symbols_of(leaf).reshape(-1)]
    if not isinstance(seconds, (int, float)) or isinstance(seconds, bool) or not seconds > 0:
        raise ArgumentError(explain(f"{call[:-1]}, seconds=…)", "a time above 0", repr(seconds), "Write seconds=30."))
    if numeric:
        kinked = any(is_op(node, name) for node in topological(root) for name in _KINKED_OPS)
        note = f"{_NUMERIC}; {_KINKS}" if kinked else _NUMERIC
        return CriticalPoints(tuple(_numeric(call, root, leaves, variables)), (), False, note)
    slopes = [e for node in grad(root, leaves) for e in np.reshape(to_sympy(node), -1)]
    found = within(seconds, lambda: _written(root, slopes, variables))
    gradient, points, complete, note = found or (tuple(slopes), [], False, OPEN)
    late = "" if found else f"SymPy took longer than {seconds:g} s (seconds= gives it more); "
    if note.startswith(OPEN):
        try:
            points += [p for p in _numeric(call, root, leaves, variables) if not _is_among(p, points)]
            note = note.replace(OPEN, _NUMERIC)
        except ArgumentError:
            if not points:
                raise
    ordered = sorted(points, key=lambda p: [_number(v) for v in p.at.values()])
    families = any(set(variables) & v.free_symbols for p in points for v in p.at.values())
    if families:
        note = note or "a value with variables in it stands for a whole family of points"
    return CriticalPoints(tuple(ordered), gradient, complete, late + note)


def _written(
    root: Node, slopes: Sequence[Any], variables: Sequence[sympy.Symbol]
) -> tuple[tuple[Any, ...], list[CriticalPoint], bool, str]:
    """The gradient as SymPy writes it, and the points that SymPy finds, whether they are all, and a note."""
    gradient = tuple(sympy.simplify(e) if not e.is_polynomial(*variables) else sympy.expand(e) for e in slopes)
    return gradient, *_exact(to_sympy(root), gradient, variables)


def _leaf(call: str, target: Node) -> Tensor:
    if not isinstance(target, Tensor):
        got = f"{target}, a computed value"
        raise ArgumentError(explain(call, "leaves as variables", got, "Give the leaves that it is made of."))
    return target


def _number(value: sympy.Expr) -> float:
    return float(value) if value.is_number else float("inf")


# --------------------------------------------------------------------------- exactly


def _exact(
    expr: Any, gradient: Sequence[Any], variables: Sequence[sympy.Symbol]
) -> tuple[list[CriticalPoint], bool, str]:
    """The points that SymPy finds, whether they are all, and a note where they are not."""
    if not has_kinks(expr, *gradient):
        solutions, complete, note = solved(gradient, variables)
        return [p for s in solutions for p in _point(expr, gradient, variables, s)], complete, note
    x = variables[0]
    if len(variables) == 1 and jumps(expr):
        return _on_stairs(expr, gradient[0], x)
    if len(variables) == 1 and not expr.free_symbols - {x}:
        try:
            return _by_pieces(find(expr, gradient[0], x, domain(x)), expr, x)
        except NotImplementedError:
            pass
    try:
        solutions, _, note = solved(gradient, variables)
    except (TypeError, ValueError):  # SymPy's, of conditions whose truth it cannot tell
        solutions, note = [], OPEN
    points = [p for s in solutions for p in _point(expr, gradient, variables, s)]
    return points, False, f"{note}; {_KINKS}" if note == OPEN else _KINKS


def _by_pieces(found: CriticalSet, expr: Any, x: sympy.Symbol) -> tuple[list[CriticalPoint], bool, str]:
    nan = sympy.Matrix([[sympy.nan]])
    points = [p for at, f in found.smooth for p in _point(f, [sympy.diff(f, x)], [x], {x: at})]
    for kink in found.kinks:
        value = sympy.simplify(expr.subs(x, kink.at))
        points.append(CriticalPoint({x: kink.at}, value, nan, (sympy.nan,), kink.verdict, slopes=kink.slopes))
    for flat in found.flats:
        zero = sympy.zeros(1, 1)
        where = sympy.And(*(c for c in _ends(flat.over, x)))
        points.append(CriticalPoint({x: x}, flat.value, zero, (zero[0],), flat.verdict, where=where))
    if any(s.has(sympy.ConditionSet) for s in found.further):
        return points, False, OPEN
    return points, not found.further, "; ".join(f"there are further points: all of {s}" for s in found.further)


def _ends(over: sympy.Interval, x: sympy.Symbol) -> Iterator[Any]:
    if over.inf.is_finite:
        yield x > over.inf if over.left_open else x >= over.inf
    if over.sup.is_finite:
        yield x < over.sup if over.right_open else x <= over.sup


def _on_stairs(expr: Any, slope: Any, x: sympy.Symbol) -> tuple[list[CriticalPoint], bool, str]:
    """The critical points of an f that has `floor` in it: where the slope is zero, each compared with its two sides."""
    if slope == 0:
        zero = sympy.zeros(1, 1)
        return [CriticalPoint({x: x}, expr, zero, (zero[0],), STEPS)], False, _STEPS
    try:
        solutions, _, note = solved_for_one(slope, x)
    except (NotImplementedError, TypeError, ValueError):
        solutions, note = [], OPEN
    nan = sympy.Matrix([[sympy.nan]])
    values = [(s[x], sympy.simplify(expr.subs(s))) for s in solutions]
    points = [
        CriticalPoint({x: p}, v, nan, (sympy.nan,), judged(expr, x, p), slopes=slopes(expr, x, p)) for p, v in values
    ]
    return points, False, f"{note}; {_JUMPS}" if note == OPEN else _JUMPS


# --------------------------------------------------------------------------- the test


def _point(
    expr: Any, gradient: Sequence[Any], variables: Sequence[Any], solution: dict[Any, Any]
) -> Iterator[CriticalPoint]:
    """What is to be said of a solution; nothing where f is not defined there."""
    at = {s: sympy.simplify(solution.get(s, s)) for s in variables}
    second = sympy.Matrix([[sympy.diff(g, s) for s in variables] for g in gradient])
    hessian = second.subs(at).applyfunc(sympy.simplify)
    value = sympy.simplify(expr.subs(at))
    along = sum(s == v for s, v in at.items())  # how many of the variables stay free: the dimension of a family
    where = _defined(expr, at)
    if where == sympy.false:
        return
    at_kink = any(sympy.simplify(e.subs(at)) == 0 for e in kink_equations(expr, *gradient))
    verdict = NOT_SMOOTH if at_kink or hessian.has(sympy.DiracDelta) else _verdict(hessian, along)
    higher = _higher(gradient[0], variables[0], at) if verdict == INFLECTION and len(variables) == 1 else None
    eigenvalues = (sympy.nan,) * len(variables) if verdict == NOT_SMOOTH else _eigenvalues(hessian)
    yield CriticalPoint(at, value, hessian, eigenvalues, verdict, higher, where=where)


def _defined(expr: Any, at: Mapping[sympy.Symbol, sympy.Expr]) -> sympy.Basic:
    """What the free variables of a family must fulfil: nothing in f divides by zero or takes its logarithm."""
    below = [p.base for p in expr.atoms(sympy.Pow) if p.exp.is_extended_negative]
    values = [sympy.factor(b.subs(at)) for b in [*below, *(g.args[0] for g in expr.atoms(sympy.log))]]
    if any(v.is_zero for v in values):
        return sympy.false
    factors = [f for v in values if set(at) & v.free_symbols for f, _ in sympy.factor_list(v)[1]]
    return sympy.And(*(sympy.Ne(f, 0) for f in factors if set(at) & f.free_symbols and not f.is_nonzero))


_HIGHEST = 12


def _higher(slope: sympy.Expr, x: sympy.Symbol, at: Mapping[sympy.Symbol, sympy.Expr]) -> tuple[int, Any, str] | None:
    """The first derivative of f that is not zero: of even order it decides as f″ does, of odd there is neither."""
    derivative = sympy.diff(slope, x)
    for order in range(3, _HIGHEST + 1):
        derivative = sympy.diff(derivative, x)
        value = sympy.simplify(derivative.subs(at))
        sign = sign_of(value) if value.is_finite is not False else None
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
    """The eigenvalues: exact where SymPy has a formula, to 15 digits otherwise."""
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
    """The verdict by the signs of the coefficients of the characteristic polynomial; `along` of its zeros lie along a
    family.
    """
    coefficients = hessian.charpoly().all_coeffs()
    signs = [sign_of(c) for c in coefficients]
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
