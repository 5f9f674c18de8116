"""Critical points: where the gradient is zero, and what the Hessian says of them; exactly where SymPy can.

In: a scalar of a few real variables.  Out: `CriticalPoints`: points with their values, Hessians and verdicts, and
whether they are all there are.
The gradient is symnet's; SymPy solves it, and where it cannot, Newton's method does (`newton.py`): such points say so
and carry the gradient that is left.  The signs of a symmetric Hessian's eigenvalues are counted from its characteristic
polynomial, exactly: all its roots are real, so Descartes' rule counts them.  Where f″ is zero, the first derivative
that is not decides besides.  On a family of points (a valley) the Hessian has a zero for every direction along it, and
the others decide (R. Bott, "Nondegenerate critical manifolds", 1954).
Functions of one variable that have kinks are taken piece by piece (`kinks.py`), and of quadratic functions of an array
with symbolic extents the point is a formula of matrices (`quadratic.py`); of a quotient of two quadratic forms the
points are eigenvectors (`rayleigh.py`).
Of several variables the points where kinks meet are found too (`meeting_kinks.py`).
Not handled: kinks of functions with parameters; the note says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import sympy

from symnet.calculus.grad import grad, scalar_root
from symnet.calculus.structure import flatten
from symnet.errors import ArgumentError, explain
from symnet.expr.facts.assumptions import known
from symnet.expr.nodes.abstract import refuse_abstract
from symnet.expr.nodes.elementwise import is_op
from symnet.expr.nodes.extents import Dim
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Tensor
from symnet.expr.nodes.symbols import leaves as leaves_of
from symnet.expr.sympy.to_sympy import symbols_of, to_sympy
from symnet.study.critical_points.deadline import within
from symnet.study.critical_points.failures import is_foreign
from symnet.study.critical_points.families import described, periods
from symnet.study.critical_points.judging import NOT_SMOOTH, PARAMETERS, SADDLE, named, number, points_at, verdict_of
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
    slopes,
)
from symnet.study.critical_points.meeting_kinks import Meeting, along, meetings, tips
from symnet.study.critical_points.newton import SAME, NumericPoint, numeric_points
from symnet.study.critical_points.points import CriticalPoint, CriticalPoints
from symnet.study.critical_points.quadratic import SINGULAR, quadratic_point
from symnet.study.critical_points.rayleigh import eigenvalue_equation, eigenvector_points, rayleigh_quotient
from symnet.study.critical_points.signs import sign_under
from symnet.study.critical_points.solving import OPEN, domain, exceptions, solved, solved_for_one

STEPS = "piecewise constant"
_NUMERIC = "found by Newton's method: there may be further points"
_KINKS = "it is not smooth everywhere: kinks and whole regions of slope zero may be missing"
_JUMPS = "it jumps, in infinitely many places: minima and maxima at jumps may be missing"
_STEPS = "piecewise constant: the slope is zero wherever it does not jump"
_KINKED_OPS = ("abs", "sign", "floor", "floor_divide", "relu", "leaky_relu", "maximum", "minimum", "where")


def critical_points(f: Any, wrt: Any, *, numeric: bool = False, seconds: float = 10.0) -> CriticalPoints:
    """Where the gradient of f is zero, and whether f has a minimum, a maximum or a saddle there.

    Args:
        f: rank 0; other leaves in it are parameters.
        wrt: a real leaf or a list of them, of rank 0 or of concrete shapes; where f has symbolic extents, one vector
            or matrix that it is quadratic in.
        numeric: search in floating point at once, without writing the equations out.  (Otherwise that is done where
            SymPy cannot solve them, or not in time.)
        seconds: how long SymPy may take; inf for as long as it needs.

    Returns:
        `CriticalPoints`; print it, or read `at`, `value`, `hessian`, `eigenvalues`, `verdict` of each.

    Raises:
        ShapeError: f is no scalar.
        ArgumentError: symbolic extents in what is not quadratic, a variable that is no leaf, parameters in what only
            numbers can solve, or seconds that are no time.

    Example:
        >>> import symnet as sn
        >>> x = sn.scalar("x")
        >>> sn.critical_points(x**3 - 3 * x, x)
        x = -1: maximum, value 2; second derivative -6
        x = 1: minimum, value -2; second derivative 6
        >>> A, b, w = sn.tensor("A", sn.dim("m"), sn.dim("n")), sn.tensor("b", sn.dim("m")), sn.tensor("w", sn.dim("n"))
        >>> sn.critical_points(sn.sum((A @ w - b) ** 2), w)[0].at[w]
        inv(A.T @ A) @ A.T @ b
    """
    call = "critical_points(f, wrt)"
    root = scalar_root(call, f)
    refuse_abstract(call, [root])
    targets, _ = flatten(call, wrt)
    leaves = [_leaf(call, target) for target in targets]
    symbolic = any(isinstance(s, Dim) for s in root.free_symbols)
    quotient = rayleigh_quotient(root, leaves[0]) if len(leaves) == 1 else None
    if quotient is not None:
        spaces = None if symbolic else eigenvector_points(quotient, numeric)
        if spaces is None:
            return CriticalPoints((eigenvalue_equation(quotient),), (), True)
        return CriticalPoints(_with_names(spaces, leaves), (), True)
    if symbolic:
        return _of_any_size(call, root, leaves)
    variables = [s for leaf in leaves for s in symbols_of(leaf).reshape(-1)]
    if not isinstance(seconds, (int, float)) or isinstance(seconds, bool) or not seconds > 0:
        raise ArgumentError(explain(f"{call[:-1]}, seconds=…)", "a time above 0", repr(seconds), "Write seconds=30."))
    if numeric:
        kinked = any(is_op(node, name) for node in topological(root) for name in _KINKED_OPS)
        note = f"{_NUMERIC}; {_KINKS}" if kinked else _NUMERIC
        points = _numeric(call, root, leaves, variables)
        return CriticalPoints(_with_names(points, [*leaves_of(root)]), (), False, _noted(note, points))
    slopes = [e for node in grad(root, leaves, absent="zero") for e in np.reshape(to_sympy(node), -1)]
    expr, given = to_sympy(root), _bounds(leaves_of(root))
    found = within(seconds, lambda: _written(expr, slopes, variables, given))
    gradient, points, complete, note = found or (tuple(slopes), [], False, OPEN)
    late = "" if found else f"SymPy took longer than {seconds:g} s (seconds= gives it more); "
    if note.startswith(OPEN):
        try:
            points += [p for p in _numeric(call, root, leaves, variables, not found) if not _is_among(p, points)]
            note = note.replace(OPEN, _NUMERIC)
        except ArgumentError:
            if not points:
                raise
    ordered = sorted(
        points, key=lambda p: [number(v if p.index is None else v.subs(p.index, 0)) for v in p.at.values()]
    )
    families = any(set(variables) & v.free_symbols for p in points for v in p.at.values())
    if families:
        note = note or "a value with variables in it stands for a whole family of points"
    return CriticalPoints(_with_names(ordered, [*leaves_of(root)]), gradient, complete, late + _noted(note, points))


def _noted(note: str, points: Sequence[CriticalPoint]) -> str:
    """A note: nothing is further where nothing was found."""
    return note if points else note.replace("may be further points", "may be points")


def _with_names(points: Iterable[CriticalPoint], leaves: Sequence[Tensor]) -> tuple[CriticalPoint, ...]:
    """Points that print elements of arrays as they are written: x[0] for the symbol x_0."""
    names = {
        s: sympy.Symbol(f"{a.name}[{', '.join(map(str, at))}]", **s.assumptions0)
        for a in leaves
        if a.rank
        for at, s in np.ndenumerate(symbols_of(a))
    }
    return tuple(replace(p, names=names) for p in points) if names else tuple(points)


def _bounds(leaves: Iterable[Tensor]) -> Any:
    """What is known of leaves that SymPy's assumptions do not say: at most 1."""
    upper = {leaf: sympy.Gt if known(leaf, "open_unit") else sympy.Ge for leaf in leaves if known(leaf, "unit")}
    return sympy.And(*(kind(1 - s, 0) for leaf, kind in upper.items() for s in symbols_of(leaf).flat))


def _written(
    expr: Any, slopes: Sequence[Any], variables: Sequence[sympy.Symbol], given: Any
) -> tuple[tuple[Any, ...], list[CriticalPoint], bool, str]:
    """The gradient as SymPy writes it, and the points that SymPy finds, whether they are all, and a note.

    What SymPy raises, of whatever kind, is as if it had found nothing: numbers are asked then.
    """
    gradient = tuple(slopes)
    try:
        gradient = tuple(sympy.simplify(e) if not e.is_polynomial(*variables) else sympy.expand(e) for e in slopes)
        return gradient, *_exact(expr, gradient, variables, given)
    except Exception as error:
        if not is_foreign(error):
            raise
        return gradient, [], False, OPEN


def _of_any_size(call: str, root: Node, leaves: Sequence[Tensor]) -> CriticalPoints:
    """The point of a quadratic function of one array."""
    if len(leaves) != 1:
        got = f"{len(leaves)} of them"
        raise ArgumentError(
            explain(call, "one variable, where extents are symbolic", got, "Give numbers for the dims.")
        )
    found = quadratic_point(call, root, leaves[0])
    verdict = {1: MINIMUM, -1: MAXIMUM, 0: PARAMETERS}[found.sign]
    point = CriticalPoint({found.x: found.place}, found.value, found.hessian, (), verdict)
    return CriticalPoints((point,), (), True, SINGULAR)


def _leaf(call: str, target: Node) -> Tensor:
    if not isinstance(target, Tensor):
        got = f"{target}, a computed value"
        raise ArgumentError(explain(call, "leaves as variables", got, "Give the leaves that it is made of."))
    return target


# --------------------------------------------------------------------------- exactly


def _exact(
    expr: Any, gradient: Sequence[Any], variables: Sequence[sympy.Symbol], given: Any
) -> tuple[list[CriticalPoint], bool, str]:
    """The points that SymPy finds, whether they are all, and a note where they are not."""
    if not has_kinks(expr, *gradient):
        if any(sign_under(g, given) for g in gradient):
            return [], True, ""
        solutions, complete, note = solved(gradient, variables)
        points = [p for s in solutions for p in points_at(expr, gradient, variables, s, given)]
        points += _tips(expr, variables) if len(variables) > 1 else []
        if complete and not note:
            note = exceptions(gradient, variables, [(p.at, p.where) for p in points], given)
            complete = not note
        return points, complete, note if complete or len(variables) == 1 else note + _periods(expr, variables)
    x = variables[0]
    if len(variables) == 1 and jumps(expr):
        return _on_stairs(expr, gradient[0], x)
    if len(variables) == 1 and not expr.free_symbols - {x}:
        try:
            return _by_pieces(find(expr, gradient[0], x, domain(x)), expr, x)
        except NotImplementedError:
            pass
    if len(variables) > 1:
        found = _at_meetings(expr, variables)
        if found is not None:
            return found
    try:
        solutions, _, note = solved(gradient, variables)
    except (TypeError, ValueError):  # SymPy's, of conditions whose truth it cannot tell
        solutions, note = [], OPEN
    points = [p for s in solutions for p in points_at(expr, gradient, variables, s, given)]
    return points, False, f"{note}; {_KINKS}" if note == OPEN else _KINKS


def _at_meetings(expr: Any, variables: Sequence[sympy.Symbol]) -> tuple[list[CriticalPoint], bool, str] | None:
    """The points of a function of several variables that has kinks; None where they cannot be told."""
    try:
        found = meetings(expr, variables)
    except (NotImplementedError, TypeError, ValueError):
        return None
    if found is None:
        return None
    points: list[CriticalPoint] = []
    for each in found[0]:
        if not each.kinks:
            slopes = [sympy.diff(each.smooth, x) for x in variables]
            inside = points_at(each.smooth, slopes, variables, each.at)
            points += [replace(p, where=sympy.And(p.where, each.where)) for p in inside]
            continue
        value, nan = sympy.simplify(each.smooth.subs(each.at)), sympy.zeros(len(variables)) * sympy.nan
        verdict = _verdict_at(each, variables)
        points.append(CriticalPoint(each.at, value, nan, (), verdict, kinks=each.kinks, where=each.where))
    return points, found[1], "" if found[1] else _KINKS


def _tips(expr: Any, variables: Sequence[sympy.Symbol]) -> list[CriticalPoint]:
    """The points where a root is zero, and f has no gradient."""
    try:
        found = tips(expr, variables)
    except NotImplementedError:
        return []
    nan = sympy.zeros(len(variables)) * sympy.nan
    return [
        CriticalPoint(t.at, expr.subs(t.at), nan, (), MINIMUM if t.rises else MAXIMUM, kinks=(t.under,)) for t in found
    ]


def _verdict_at(meeting: Meeting, variables: Sequence[sympy.Symbol]) -> str:
    """The verdict where kinks meet: by how f goes across them, and by the Hessian along them."""
    signs = set(meeting.across)
    if not meeting.strict or not signs <= {1, -1}:
        return NOT_SMOOTH
    if len(signs) == 2:
        return SADDLE
    across, other = (MINIMUM, MAXIMUM) if signs == {1} else (MAXIMUM, MINIMUM)
    second = along(meeting, variables)
    if not second.rows:
        return across
    found = verdict_of(second, sum(s == v for s, v in meeting.at.items()))
    return {other: SADDLE, CONSTANT: across + NOT_STRICT, other + NOT_STRICT: SADDLE}.get(found, found)


def _periods(expr: Any, variables: Sequence[sympy.Symbol]) -> str:
    try:
        return periods(expr, variables)
    except (NotImplementedError, TypeError, ValueError):
        return ""


def _by_pieces(found: CriticalSet, expr: Any, x: sympy.Symbol) -> tuple[list[CriticalPoint], bool, str]:
    nan = sympy.Matrix([[sympy.nan]])
    points = [p for at, f in found.smooth for p in points_at(f, [sympy.diff(f, x)], [x], {x: at})]
    for kink in found.kinks:
        value = sympy.simplify(expr.subs(x, kink.at))
        points.append(CriticalPoint({x: kink.at}, value, nan, (sympy.nan,), kink.verdict, slopes=kink.slopes))
    for flat in found.flats:
        zero = sympy.zeros(1, 1)
        where = sympy.And(*(c for c in _ends(flat.over, x)))
        points.append(CriticalPoint({x: x}, flat.value, zero, (zero[0],), flat.verdict, where=where))
    told = [None if s.has(sympy.ConditionSet) else described(s, x) for s in found.further]
    if None in told:
        return points, False, OPEN
    return points, not found.further, "; ".join(f"there are further points: {each}" for each in told)


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


# --------------------------------------------------------------------------- in floating point


def _numeric(
    call: str, f: Node, leaves: Sequence[Tensor], variables: Sequence[sympy.Symbol], late: bool = False
) -> list[CriticalPoint]:
    """The points that Newton's method finds.

    Raises:
        ArgumentError: f has parameters.
    """
    others = [leaf.name for leaf in leaves_of(f) if leaf not in leaves]
    if others:
        expected = "equations that SymPy can solve, or no parameters, so that they can be solved in floating point"
        time = ", or give SymPy more time: seconds=60" if late else ""
        mend = f"Write numbers in the place of {', '.join(others)}{time}."
        raise ArgumentError(explain(call, expected, f"the parameters {', '.join(others)}", mend))
    return [_numeric_point(point, variables) for point in numeric_points(f, leaves)]


def _numeric_point(point: NumericPoint, variables: Sequence[sympy.Symbol]) -> CriticalPoint:
    at = {s: sympy.Float(v) for s, v in zip(variables, point.at, strict=True)}
    values = np.linalg.eigvalsh((point.hessian + point.hessian.T) / 2)
    small = 1e-7 * np.max(np.abs(values), initial=0.0)
    positive, negative = int((values > small).sum()), int((values < -small).sum())
    verdict = named(positive, negative, len(values) - positive - negative)
    eigenvalues = tuple(map(sympy.Float, values))
    hessian = sympy.Matrix(point.hessian.tolist())
    return CriticalPoint(at, sympy.Float(point.value), hessian, eigenvalues, verdict, None, point.residual)


def _is_among(point: CriticalPoint, others: Sequence[CriticalPoint]) -> bool:
    """Whether an exact point stands there already."""
    exact = [list(map(number, o.at.values())) for o in others]
    here = np.array(list(map(float, point.at.values())))
    return any(np.linalg.norm(here - there) <= SAME * (1 + np.linalg.norm(here)) for there in exact)
