"""What users of such tools have met as wrong numbers, told in a line each: values, gradients, second derivatives.

In: formulas of a vector x as somebody would write them, and the point where it went wrong.  Out: the numbers of pencil
and paper (H·1 for the second derivative); both precisions and known and symbolic extents take turns.  Arrays, empty
extents, integers and SymPy's formulas follow, against NumPy.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from math import exp, expm1, inf, log, log1p, pi, sqrt
from typing import Any, NamedTuple

import numpy as np
import pytest
import sympy

import symnet as sn

ROUNDING = {"float64": 1e-9, "float32": 3e-5}
E = math.e


class Report(NamedTuple):
    story: str
    formula: Callable[[Any], Any]
    at: list[float]
    value: float
    slope: Sequence[float]
    curve: Sequence[float] | None = None  # H·1
    dtypes: tuple[str, ...] = ("float64", "float32")


def _total(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda x: sn.sum(f(x))


def _ndtr_slope(z: float) -> float:
    import mpmath

    with mpmath.workdps(40):
        return float(mpmath.npdf(z) / mpmath.ncdf(z))


WIDE = ("float64",)

BRANCHES = [
    Report("root beside its tangent", _total(lambda x: sn.where(x < 1, x, sn.sqrt(x))), [0, 1e-9, 4], 2 + 1e-9,
           [1, 1, 0.25], [0, 0, -1 / 32]),
    Report("root of the negative side", _total(lambda x: sn.where(x >= 0, x, sn.sqrt(-x))), [1, -4], 3,
           [1, -0.25], [0, -1 / 32]),
    Report("an angle of nothing is masked", _total(lambda x: sn.where(abs(x) < 0.5, 0, sn.atan2(x, x))), [3, 0, -5],
           pi / 4 - 3 * pi / 4, [0, 0, 0]),
    Report("decay before an event", _total(lambda x: sn.where(x < 0, sn.exp(x / 10**1.2), 0)), [3, 4000, -1],
           exp(-(10**-1.2)), [0, 0, exp(-(10**-1.2)) / 10**1.2]),
    Report("roots are masked afterwards", _total(lambda x: sn.where(x > 0, x**0.5, 0)), [0, 1], 1, [0, 0.5],
           [0, -0.25]),
    Report("series beside the quotient", _total(lambda x: sn.where(abs(x) < 1e-3, 1 + x / 2 + x * x / 6,
           sn.expm1(x) / x)), [0, 1], E, [0.5, 1], [1 / 3, E - 2]),
    Report("sinc by hand", _total(lambda x: sn.where(sn.equal(x, 0), 1, sn.sin(x) / x)), [0, 2],
           1 + math.sin(2) / 2, [0, math.cos(2) / 2 - math.sin(2) / 4]),
    Report("x log x by hand", _total(lambda x: sn.where(x > 0, x * sn.log(x), 0)), [0, 1], 0, [0, 1], [0, 1]),
    Report("log-sum-exp of what is left", lambda x: sn.logsumexp(sn.where(x < 50, x, -inf)), [0, 100], 0, [1, 0],
           [0, 0]),
    Report("attention with one place closed", _total(lambda x: sn.where(x > -9, sn.softmax(sn.where(x > -9, x, -inf)),
           0) ** 2), [0, 0, -10], 0.5, [0, 0, 0], [0, 0, 0]),
    Report("Huber by hand", _total(lambda x: sn.where(abs(x) < 1, x * x / 2, abs(x) - 0.5)), [0, 3, -3], 5,
           [0, 1, -1], [1, 0, 0]),
    Report("elu by hand", _total(lambda x: sn.where(x > 0, x, sn.exp(x) - 1)), [1e3, -1e3, 0], 999, [1, 0, 1],
           [0, 0, 1]),
    Report("clipped before the logarithm", _total(lambda x: sn.log(sn.maximum(x, 1e-7))), [0, 1], log(1e-7), [0, 1],
           [0, -1]),
    Report("clipped before the arc", _total(lambda x: sn.acos(sn.minimum(sn.maximum(x, -1 + 1e-6), 1 - 1e-6))), [2, 0],
           math.acos(1 - 1e-6) + pi / 2, [0, -1], None, WIDE),
]  # fmt: skip

EXPONENTIALS = [
    Report("one place of weight zero", lambda x: sn.logsumexp(x), [-inf, 1], 1, [0, 1], [0, 0]),
    Report("softmax with a place at minus infinity", _total(lambda x: sn.softmax(x) ** 2), [0, 0, -inf], 0.5,
           [0, 0, 0]),
    Report("two exponentials far apart", lambda x: sn.log(sn.exp(x[0]) + sn.exp(x[1])), [0, 1e3], 1e3, [0, 1], [0, 0]),
    Report("two small exponentials", lambda x: sn.log(sn.exp(x[0]) + sn.exp(x[1])), [-800, -800], log(2) - 800,
           [0.5, 0.5], [0, 0]),
    Report("running log-sum-exp", _total(lambda x: sn.log(sn.cumsum(sn.exp(x)))), [1e3, 1e3], 2000 + log(2),
           [1.5, 0.5], [0, 0]),
    Report("log of a mean of exponentials", lambda x: sn.log(sn.mean(sn.exp(x))), [1e3, 1e3], 1e3, [0.5, 0.5], [0, 0]),
    Report("a weight of zero before the largest", lambda x: sn.log(sn.sum(sn.arange(x.shape[0]) * sn.exp(x))), [1e3, 0],
           0, [0, 1]),
    Report("log(1 - exp x)", _total(lambda x: sn.log(1 - sn.exp(x))), [-1e-10, -1, -50],
           log(-expm1(-1e-10)) + log(-expm1(-1)) - exp(-50),
           [exp(-1e-10) / expm1(-1e-10), exp(-1) / expm1(-1), -exp(-50)]),
    Report("log1p of minus a sigmoid", _total(lambda x: sn.log1p(-sn.sigmoid(x))), [50, -800, 0, 800], -850 - log(2),
           [-1, 0, -0.5, -1]),
    Report("softplus of a logarithm", _total(lambda x: sn.softplus(sn.log(x))), [1e-300, 2, 1e300],
           log(3) + 300 * log(10), [1, 1 / 3, 1e-300], None, WIDE),
    Report("density of the logistic law", _total(lambda x: -x - 2 * sn.log1p(sn.exp(-x))), [1e3, -1e3, 0],
           -2000 - 2 * log(2), [-1, 1, 0], [0, 0, -0.5]),
    Report("its slope by the location", lambda x: x[1] - x[0] - 2 * sn.log(1 + sn.exp(x[1] - x[0])), [711, 710],
           -1 - 2 * log1p(exp(-1)), [-math.tanh(0.5), math.tanh(0.5)]),
    Report("log of a sigmoid", _total(lambda x: sn.log(sn.sigmoid(x))), [-1e3, 0, 1e3], -1e3 - log(2), [1, 0.5, 0],
           [0, -0.25, 0]),
    Report("sigmoid with growing exponentials", _total(lambda x: sn.exp(x) / (1 + sn.exp(x))), [-750, 0, 750], 1.5,
           [0, 0.25, 0], [0, 0, 0]),
    Report("tanh by exponentials", _total(lambda x: (sn.exp(x) - sn.exp(-x)) / (sn.exp(x) + sn.exp(-x))),
           [800, 0, -800], 0, [0, 1, 0], [0, 0, 0]),
    Report("mish", _total(lambda x: x * sn.tanh(sn.softplus(x))), [1e3, -1e3, 0], 1e3, [1, 0, 0.6]),
    Report("swish by an exponential", _total(lambda x: x / (1 + sn.exp(-x))), [-1e3, 1e3, 0], 1e3, [0, 1, 0.5],
           [0, 0, 0.5]),
    Report("log cosh", _total(lambda x: sn.log(sn.cosh(x))), [800, 0, -800], 1600 - 2 * log(2), [1, 0, -1], [0, 1, 0]),
    Report("cross-entropy with logits", _total(lambda x: sn.maximum(x, 0) - x + sn.log1p(sn.exp(-abs(x)))),
           [0, 1e3, -1e3], log(2) + 1e3, [-0.5, 0, -1]),
    Report("logit of a sigmoid", _total(lambda x: sn.log(sn.sigmoid(x) / (1 - sn.sigmoid(x)))), [40, -40, 800], 800,
           [1, 1, 1], [0, 0, 0]),
    Report("entropy of a sure softmax", lambda x: -sn.sum(sn.softmax(x) * sn.log(sn.softmax(x))), [1e3, 0, -1e3], 0,
           [0, 0, 0], [0, 0, 0]),
    Report("focal loss", _total(lambda x: -((1 - sn.sigmoid(x)) ** 2) * sn.log(sn.sigmoid(x))), [800, -800, 0],
           800 + log(2) / 4, [0, -1, -log(2) / 4 - 0.125]),
    Report("softmax at a low temperature", lambda x: sn.softmax(x / 1e-3)[0], [1, 0], 1, [0, 0], [0, 0]),
    Report("log of a Gaussian density", _total(lambda x: sn.log(sn.exp(-x * x / 2) / sqrt(2 * pi))), [100],
           -5000 - log(2 * pi) / 2, [-100], [-1]),
    Report("two Gaussians far away", _total(lambda x: sn.log(sn.exp(-x * x / 2) / 2 + sn.exp(-((x - 1) ** 2) / 2) / 2)),
           [100], -log(2) - 99**2 / 2, [-99], [-1]),
    Report("probit in the tail", _total(lambda x: sn.log(sn.erfc(-x / sqrt(2)) / 2)), [-30], -454.3212439955285,
           [_ndtr_slope(-30)], None, WIDE),
]  # fmt: skip

POWERS = [
    Report("powers 0 and 1 at zero", _total(lambda x: x ** sn.arange(x.shape[0])), [10, 0], 1, [0, 1], [0, 0]),
    Report("square of a negative number by a real exponent", _total(lambda x: x**2.0), [-3, 0], 9, [-6, 0], [2, 2]),
    Report("cube at minus zero", _total(lambda x: x**3), [-0.0, -1], -1, [0, 3], [0, -6]),
    Report("Rosenbrock's valley", lambda x: (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2, [0, 0], 1, [-2, 0],
           [2, 200]),
    Report("squared norm at the origin", lambda x: sn.norm(x) ** 2, [0, 0], 0, [0, 0], [2, 2]),
    Report("norm at the origin", lambda x: sn.sqrt(sn.sum(x * x)), [0, 0], 0, [0, 0]),
    Report("root of a square", _total(lambda x: sn.sqrt(x**2)), [-3, 2], 5, [-1, 1], [0, 0]),
    Report("x to the x", _total(lambda x: x**x), [1, 2], 5, [1, 4 * (1 + log(2))], [2, 4 * (1 + log(2)) ** 2 + 2]),
    Report("a power of a size at zero", _total(lambda x: abs(x) ** 1.5), [0, -4], 8, [0, -3]),
    Report("a norm of order three", lambda x: sn.sum(abs(x) ** 3) ** (1 / 3), [0, 2], 2, [0, 1]),
    Report("length beyond the range of squares", lambda x: sn.sqrt(x[0] ** 2 + x[1] ** 2), [3e200, 4e200], 5e200,
           [0.6, 0.8], None, WIDE),
    Report("an angle of tiny numbers", lambda x: sn.atan2(x[0], x[1]), [1e-30, 1e-30], pi / 4, [5e29, -5e29]),
    Report("direction of nothing, guarded", _total(lambda x: x / sn.maximum(sn.norm(x), 1e-12)), [0, 0], 0,
           [1e12, 1e12]),
    Report("x + 1 - 1", _total(lambda x: (1 + x) - 1), [1e-20], 1e-20, [1], [0]),
    Report("log(1 + x) - log(1 - x)", _total(lambda x: sn.log(1 + x) - sn.log(1 - x)), [1e-20], 2e-20, [2]),
    Report("products that cancel", lambda x: x[0] * x[2] + x[1] * x[2], [1e20, -1e20, 1e10], 0, [1e10, 1e10, 0]),
    Report("squares of equal numbers", lambda x: x[0] ** 2 - x[1] ** 2, [0.1, 0.1], 0, [0.2, -0.2], [2, -2]),
    Report("log-gamma near its pole", _total(sn.loggamma), [1e-30, 3], 30 * log(10) + log(2),
           [-1e30, 1.5 - 0.5772156649015329]),
]  # fmt: skip

REDUCTIONS = [
    Report("product with a zero", sn.prod, [2, 0, 3, 4], 0, [0, 24, 0, 0], [12, 26, 8, 6]),
    Report("product with two zeros", sn.prod, [0, 0, 3], 0, [0, 0, 0], [3, 3, 0]),
    Report("product of squares with a zero", lambda x: sn.prod(x * x), [0, 2], 0, [0, 0], [8, 0]),
    Report("running product with a zero", lambda x: x[0] ** 2 + (x[0] * x[1]) ** 2, [1, 0], 1, [2, 0]),
    Report("the largest twice", sn.max, [5, 5, 2], 5, [1, 0, 0], [0, 0, 0]),
    Report("deviation of equal numbers", lambda x: sn.sqrt(sn.mean((x - sn.mean(x)) ** 2)), [3, 3, 3], 0, [0, 0, 0]),
    Report("deviation with a floor", lambda x: sn.sqrt(sn.mean((x - sn.mean(x)) ** 2) + 1e-8), [3, 3], 1e-4, [0, 0],
           [0, 0]),
    Report("variance beside a large mean", lambda x: sn.mean((x - sn.mean(x)) ** 2), [10001, 10002, 10003], 2 / 3,
           [-2 / 3, 0, 2 / 3], [0, 0, 0]),
    Report("an index taken twice", lambda x: sn.sum(sn.take(x, [0, 0, 1]) ** 2), [1, 2], 6, [4, 4], [4, 2]),
    Report("backwards times forwards", lambda x: sn.sum(x[::-1] * x), [1, 2], 4, [4, 2], [2, 2]),
    Report("padding", lambda x: sn.sum(sn.pad(x, ((1, 2),)) ** 2), [1, 2], 5, [2, 4], [2, 2]),
    Report("joined to nothing", lambda x: sn.sum(sn.concat([x[0:0], x * x])), [1, 2], 5, [2, 4], [2, 2]),
    Report("floor beside its argument", _total(lambda x: sn.floor(x) * x), [1.5, -1.5], 4.5, [1, -2], [0, 0]),
    Report("remainders of a decimal step", _total(lambda x: sn.mod(x, 0.1)), [1, -0.05], 1 % 0.1 + -0.05 % 0.1, [1, 1],
           None, WIDE),
]  # fmt: skip

REPORTS = BRANCHES + EXPONENTIALS + POWERS + REDUCTIONS


@pytest.mark.parametrize("place", range(len(REPORTS)), ids=[report.story for report in REPORTS])
def test_values_gradients_and_second_derivatives(place: int) -> None:
    report = REPORTS[place]
    x = sn.tensor("x", len(report.at) if place % 2 else sn.dim("m"))
    value = report.formula(x)
    slope = sn.grad(value, x, absent="zero")
    wanted: list[Any] = [report.value, report.slope]
    results = [value, slope, x * 1]
    if report.curve is not None:
        results.insert(2, sn.grad(sn.sum(slope), x, absent="zero"))
        wanted.append(report.curve)
    narrow_too = place % 4 in (0, 3)
    for dtype in report.dtypes[: 1 + narrow_too]:
        computed = sn.compile(results, dtype=dtype)(x=np.array(report.at, dtype))[:-1]
        tolerance = ROUNDING[dtype]
        for got, want in zip(computed, wanted, strict=True):
            exact = np.asarray(want, dtype)
            absolute = 0 if (exact != 0).all() else tolerance * 1e-3
            np.testing.assert_allclose(got, exact, rtol=tolerance, atol=absolute)


RNG = np.random.default_rng(0)
a, b, x = RNG.normal(size=(3, 3)), RNG.normal(size=(3, 3)), RNG.normal(size=(3, 2))
t, v = RNG.normal(size=(3, 3, 2)), RNG.normal(size=2)
INVERSE = np.linalg.inv(a)


def _arrays(symbolic: bool) -> dict[str, tuple[Any, Any]]:
    """Story → formula, and NumPy's value."""
    m, k = (sn.dim("m"), sn.dim("k")) if symbolic else (3, 2)
    A, B, X = sn.tensor("A", m, m), sn.tensor("B", m, m), sn.tensor("X", m, k)
    T, V = sn.tensor("T", m, m, k), sn.tensor("v", k)
    differences = x[:, None] - x[None]
    distances = np.linalg.norm(differences, axis=2)
    far = np.where(distances == 0, 1, distances)[..., None]
    bell = np.exp(-(differences**2).sum(2))[..., None]
    diagonal = np.einsum("iij->ij", t)
    spread = np.zeros_like(t)
    spread[range(3), range(3)] = 2 * diagonal
    eye = np.eye(3)
    apart = sn.norm(X[:, None] - X[None], axis=2)
    return {
        "trace of a square times a matrix": (sn.grad(sn.trace(A @ A @ B), A), (a @ b + b @ a).T),
        "trace of a form": (sn.grad(sn.trace(A.T @ B @ A), A), (b + b.T) @ a),
        "squared trace of a difference": (sn.grad(sn.trace(sn.eye(m) - A) ** 2, A), 2 * (np.trace(a) - 3) * eye),
        "a trace times the matrix": (
            sn.jacobian(sn.trace(A) * A, A),
            np.einsum("kl,ij->ijkl", eye, a) + np.trace(a) * np.einsum("ik,jl->ijkl", eye, eye),
        ),
        "one over a determinant": (sn.grad(1 / sn.det(A), A), -INVERSE.T / np.linalg.det(a)),
        "determinant of a multiple": (sn.grad(sn.det(2 * A), A), 8 * np.linalg.det(a) * INVERSE.T),
        "an inverse in a sum": (sn.grad(sn.sum(sn.inv(A) * B), A), -INVERSE.T @ b @ INVERSE.T),
        "trace as an einsum": (sn.grad(sn.einsum("ii->", A * A), A), 2 * np.diag(np.diag(a))),
        "a diagonal that is not at the end": (sn.einsum("iij->ij", T), diagonal),
        "its gradient": (sn.grad(sn.sum(sn.einsum("iij->ij", T) ** 2), T), spread),
        "a diagonal times a vector": (sn.einsum("iij,j->i", T, V), np.einsum("iij,j->i", t, v)),
        "a diagonal as the second operand": (
            sn.grad(sn.sum(sn.einsum("nd,nn->d", X, A) ** 2), A),
            np.diag(x @ (2 * np.einsum("nd,nn->d", x, a))),
        ),
        "a row added to every row": (sn.grad(sn.sum((X + V) ** 2), V), 2 * (x + v).sum(0)),
        "softmax down the columns": (sn.softmax(X, axis=0), np.exp(x) / np.exp(x).sum(0)),
        "distances without the own one": (
            sn.grad(sn.sum(sn.where(sn.equal(sn.eye(m), 1), 0, 1 / apart)), X),
            (-2 * differences / far**3).sum(1),
        ),
        "a kernel's matrix": (
            sn.grad(sn.sum(sn.exp(-sn.sum((X[:, None] - X[None]) ** 2, axis=2))), X),
            (-4 * differences * bell).sum(1),
        ),
        "running sums of columns": (
            sn.grad(sn.sum(sn.cumsum(X, axis=0) ** 2), X),
            2 * np.cumsum(np.cumsum(x, 0)[::-1], 0)[::-1],
        ),
    }  # fmt: skip


@pytest.mark.parametrize("symbolic", [False, True])
def test_arrays_and_matrices(symbolic: bool) -> None:
    cases = _arrays(symbolic)
    f = sn.compile({story: formula for story, (formula, _) in cases.items()})
    computed = f(A=a, B=b, X=x, T=t, v=v)
    for story, (_, wanted) in cases.items():
        np.testing.assert_allclose(computed[story], wanted, rtol=1e-10, atol=1e-12, err_msg=story)


def test_rows_taken_several_times_add_up_and_rows_that_are_not_there_are_refused() -> None:
    X, i = sn.tensor("X", sn.dim("m"), 2), sn.tensor("i", 4, dtype="int64")
    f = sn.compile(sn.grad(sn.sum(sn.take(X, i) ** 2), X))
    at = np.array([0, 2, 0, 0])
    wanted = np.zeros((3, 2))
    np.add.at(wanted, at, 2 * x[at])
    np.testing.assert_allclose(f(X=x, i=at), wanted)
    for outside in (3, -4, 2**40):
        with pytest.raises(sn.ValueDomainError):
            f(X=x, i=np.array([0, outside, 0, 0]))


def test_nothing_has_the_values_of_numpy() -> None:
    X = sn.tensor("X", sn.dim("m"), sn.dim("k"))
    rows, columns = np.zeros((0, 2)), np.zeros((3, 0))
    cases: list[tuple[Any, Any, Any]] = [
        (sn.sum(X), rows, 0.0),
        (sn.sum(X, axis=0), rows, np.zeros(2)),
        (sn.grad(sn.sum(X**2), X), rows, rows),
        (X.T @ X, rows, np.zeros((2, 2))),
        (X @ X.T, columns, np.zeros((3, 3))),
        (sn.logsumexp(X, axis=1), columns, np.full(3, -inf)),
        (sn.prod(X, axis=1), columns, np.ones(3)),
        (sn.concat([X, 2 * X], axis=0), rows, rows),
        (sn.cumsum(X, axis=0), rows, rows),
        (sn.cumprod(X, axis=0), rows, rows),
        (sn.grad(sn.prod(X), X), rows, rows),
        (sn.linear_recurrence(X, X, axis=1), columns, columns),
        (sn.softmax(X, axis=0), rows, rows),
    ]
    for formula, data, wanted in cases:
        got = sn.compile(formula)(X=data)
        assert np.shape(got) == np.shape(wanted), str(formula)
        np.testing.assert_array_equal(got, wanted, str(formula))


def test_integers_and_what_is_no_number_are_numpys() -> None:
    k, w, z = sn.tensor("k", 4, dtype="int32"), sn.tensor("w", 2, dtype="int64"), sn.tensor("z", 3)
    narrow = np.array([7, -7, 2**31 - 1, -(2**31)], np.int32)
    wide = np.array([2**53 + 1, 2**62])
    missing = np.array([1.0, np.nan, 2.0])
    cases = {
        "remainder": (sn.mod(k, 3), narrow % 3),
        "remainder by a negative number": (sn.mod(k, -3), narrow % -3),
        "quotient": (k / 2, narrow / 2),
        "mean": (sn.mean(k), narrow.mean()),
        "sum": (sn.sum(k), narrow.sum()),
        "a square wraps": (k**2, narrow**2),
        "size": (abs(k), np.abs(narrow)),
        "how many": (sn.sum(k > 0), 2),
        "beside a real number": (sn.where(k > 2147483646.5, 1.0, 0.0), [0, 0, 1, 0]),
        "equal beyond the digits of a double": (sn.where(sn.equal(w, 2**53), 1, 0), [0, 0]),
        "largest": (sn.max(w), 2**62),
        "largest of what is no number": (sn.max(z), np.nan),
        "its place": (sn.argmax(z), np.argmax(missing)),
        "relu": (sn.relu(z), np.maximum(missing, 0)),
        "sign": (sn.sign(z), np.sign(missing)),
        "found by not equal": (sn.where(sn.not_equal(z, z), 0.0, z), [1, 0, 2]),
    }
    for story, (formula, wanted) in cases.items():
        given = {"k": narrow, "w": wide, "z": missing}
        got = sn.compile([formula, k * 1, w * 1, z * 1])(**given)[0]
        np.testing.assert_array_equal(got, wanted, story)


p, q, r = sympy.symbols("x y z", real=True)
CASES = sympy.Piecewise
MEAN_OF_WAVES = CASES(
    (sympy.sin(2 * sympy.pi * q) / q - sympy.cos(2 * sympy.pi * p) / p + 1 / p, sympy.Ne(p, 0) & sympy.Ne(q, 0)),
    (2 * sympy.pi - sympy.cos(2 * sympy.pi * p) / p + 1 / p, sympy.Ne(p, 0)),
    (sympy.sin(2 * sympy.pi * q) / q, sympy.Ne(q, 0)),
    (2 * sympy.pi, True),
)
LAMBDIFIED: dict[str, tuple[Any, list[tuple[float, ...]], list[float]]] = {
    "a step": (sympy.Heaviside(p), [(-1,), (0,), (1,)], [0, 0.5, 1]),
    "a step with its own middle": (sympy.Heaviside(p, 1), [(0,), (-0.0,)], [1, 1]),
    "a step of the smaller one": (sympy.Heaviside(sympy.Min(p, q)), [(1, 2), (-1, 2), (0, 3)], [1, 0, 0.5]),
    "an integral by cases": (MEAN_OF_WAVES, [(0, 0.25), (0, 0), (0.5, 0)], [4, 2 * pi, 2 * pi + 4]),
    "the smaller one inside of cases": (
        CASES((0, p < 0), (2 * p + 4 * sympy.Min(60, p) ** 2, True)), [(-1,), (50,), (100,)], [0, 10100, 14600],
    ),
    "three conditions": (
        CASES((sympy.exp(-sympy.Abs(p)), sympy.And(abs(p) <= 3, abs(q) <= 3, abs(r) <= 3)), (0, True)),
        [(1, 1, 1), (1, 1, 4)], [exp(-1), 0],
    ),
    "no case for it": (CASES((p, p > 0)), [(-1,), (2,)], [math.nan, 2]),
    "cases in cases": (CASES((CASES((1, p < 1), (2, True)), p < 2), (3, True)), [(0,), (1.5,), (5,)], [1, 2, 3]),
    "the first that holds": (CASES((1, p < 5), (2, p < 10), (3, True)), [(0,), (7,), (50,)], [1, 2, 3]),
    "remainders": (sympy.Mod(p, q), [(1, 0.2), (-1, 3), (5, -3), (5, inf)], [1 % 0.2, 2, -1, 5]),
    "rounding up and what is left": (sympy.ceiling(p) + sympy.frac(p), [(-1.5,), (2,)], [-0.5, 2]),
    "slope of a size": (sympy.diff(sympy.Abs(p), p), [(-2,), (0,)], [-1, 0]),
    "the largest of many": (sympy.Max(p, q, r, 0) + sympy.Min(p, q, r), [(1, 5, -3), (-1, -2, -3)], [2, -3]),
    "sinc": (sympy.sinc(p), [(0,), (1,)], [1, math.sin(1)]),
    "a cotangent's inverse": (sympy.acot(p), [(2,), (-2,)], [math.atan(0.5), -math.atan(0.5)]),
    "an integer beyond every word": (p * 10**20 + 2**70, [(1,)], [1e20 + 2.0**70]),
    "factorial": (sympy.factorial(p) + sympy.loggamma(p + 1), [(5,)], [120 + log(120)]),
    "tanh and cosh far out": (sympy.tanh(p) ** 2 + 1 / sympy.cosh(p) ** 2, [(800,), (0,)], [1, 1]),
}  # fmt: skip


@pytest.mark.parametrize("story", LAMBDIFIED)
def test_formulas_of_sympy(story: str) -> None:
    formula, points, values = LAMBDIFIED[story]
    f = sn.lambdify([p, q, r][: len(points[0])], formula)
    for point, value in zip(points, values, strict=True):
        for given in (point, [np.full(2, t, dtype=float) for t in point]):
            np.testing.assert_allclose(np.asarray(f(*given), float), value, rtol=1e-12, atol=1e-15)
