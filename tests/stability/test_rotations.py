"""Rotations by exponentials at small angles: sin t/t, (1 - cos t)/t² and (t - sin t)/t³ in front of matrices.

The right values are those of the power series of the coefficients, which have no divisor, in mpmath at 60 digits; their
slopes are its differences.  `test_whole_functions.py` has second derivatives, and other ways to write rotations.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

import symnet as sn

w, p, q = sn.tensor("w", 3), sn.tensor("p", 3), sn.tensor("q", 3)
m = sn.dim("m")
W, P = sn.tensor("W", m, 3), sn.tensor("P", m, 3)
D = np.array([0.3, -0.5, 0.7])
DATA = {"p": np.array([1.0, 2.0, 3.0]), "q": np.array([-0.5, 0.25, 1.5])}
ANGLES = (0.0, 1e-200, 1e-20, 1e-9, 1e-5, 1e-3, 0.05, 0.5, 2.0)
EYE = np.eye(3)


class Nodes:
    """The coefficients as people write them, and NumPy's functions, of nodes."""

    einsum, sum, trace, stack = map(staticmethod, (sn.einsum, sn.sum, sn.trace, sn.stack))

    def coefficients(self, w: Any) -> tuple[Any, ...]:
        t = sn.norm(w, axis=-1) if self.by_norm else sn.sqrt(sn.sum(w * w, axis=-1))
        cotangent = 1 / t**2 - (1 + sn.cos(t)) / (2 * t * sn.sin(t))
        return sn.sin(t) / t, (1 - sn.cos(t)) / t**2, (t - sn.sin(t)) / t**3, cotangent

    def half(self, w: Any) -> tuple[Any, Any]:
        t = sn.sqrt(sn.sum(w * w, axis=-1))
        return sn.cos(t / 2), sn.sin(t / 2) / t

    def __init__(self, by_norm: bool = False) -> None:
        self.by_norm = by_norm


def _series(term: Callable[[int], mpmath.mpf], x: mpmath.mpf) -> mpmath.mpf:
    return mpmath.fsum(term(k) * x**k for k in range(60))


class Numbers:
    """The same of arrays of mpmath's numbers, by power series in t²."""

    einsum, sum, trace, stack = map(staticmethod, (np.einsum, np.sum, np.trace, np.stack))

    def coefficients(self, w: Any) -> tuple[Any, ...]:
        x = np.sum(w * w)
        a, b, c = (_series(lambda k, n=n: mpmath.mpf(-1) ** k / mpmath.factorial(2 * k + n), x) for n in (1, 2, 3))
        d = _series(lambda k: mpmath.mpf(-1) ** k * (2 * k + 2) / mpmath.factorial(2 * k + 4), x)  # (2b - a)/t²
        return a, b, c, d / (2 * b)

    def half(self, w: Any) -> tuple[Any, Any]:
        x = np.sum(w * w) / 4
        cosine, sine = (_series(lambda k, n=n: mpmath.mpf(-1) ** k / mpmath.factorial(2 * k + n), x) for n in (0, 1))
        return cosine, sine / 2


def _hat(f: Any, w: Any) -> Any:
    z = w[0] * 0
    return f.stack([f.stack([z, -w[2], w[1]]), f.stack([w[2], z, -w[0]]), f.stack([-w[1], w[0], z])])


def _of_quaternion(f: Any, w: Any) -> Any:
    s, u = f.half(w)
    x, y, z = (u * w[k] for k in range(3))
    return f.stack(
        [
            f.stack([1 - 2 * (y * y + z * z), 2 * (x * y - s * z), 2 * (x * z + s * y)]),
            f.stack([2 * (x * y + s * z), 1 - 2 * (x * x + z * z), 2 * (y * z - s * x)]),
            f.stack([2 * (x * z - s * y), 2 * (y * z + s * x), 1 - 2 * (x * x + y * y)]),
        ]
    )


def _matrix(f: Any, w: Any, kind: str) -> Any:
    if kind == "quaternion":
        return _of_quaternion(f, w)
    K = _hat(f, w)
    a, b, c, d = f.coefficients(w)
    if kind == "rotation":
        return EYE + a * K + b * (K @ K)
    if kind == "left Jacobian":
        return EYE + b * K + c * (K @ K)
    if kind == "without the identity":
        return b * K + c * (K @ K)
    return EYE - K / 2 + d * (K @ K)


MATRICES = ("rotation", "left Jacobian", "without the identity", "inverse Jacobian", "quaternion")
# name → what is asked of the matrix M
USES: dict[str, Callable[..., Any]] = {
    "sum": lambda f, M, w, p, q: f.sum(M @ p),
    "form": lambda f, M, w, p, q: q @ M @ p,
    "residual": lambda f, M, w, p, q: f.sum((M @ p - q) ** 2),
    "trace": lambda f, M, w, p, q: f.trace(M.T @ (p[:, None] * q)),
    "moved": lambda f, M, w, p, q: f.sum((M.T @ (p - q)) * p),
    "twice": lambda f, M, w, p, q: q @ (M @ (M @ p)),
    "element": lambda f, M, w, p, q: (M @ p)[1],
    "motion": lambda f, M, w, p, q: f.sum((M @ p + _matrix(f, w, "left Jacobian") @ q) ** 2),
}


def _exact(kind: str, use: str, at: np.ndarray) -> tuple[Any, np.ndarray]:
    """The value and its gradient."""
    f = Numbers()
    numbers = {k: np.array([mpmath.mpf(x) for x in v]) for k, v in DATA.items()}

    def value(*w: mpmath.mpf) -> mpmath.mpf:
        point = np.array(w)
        return USES[use](f, _matrix(f, point, kind), point, numbers["p"], numbers["q"])

    tiny = 0 < np.max(np.abs(at)) < 1e-30
    with mpmath.workdps(500 if tiny else 80):
        here = [mpmath.mpf(float(x)) for x in at]
        step = mpmath.mpf(10) ** (-230 if tiny else -30)
        slopes = []
        for k in range(3):
            ends = [value(*(x + s * step * (j == k) for j, x in enumerate(here))) for s in (-1, 1)]
            slopes.append((ends[1] - ends[0]) / (2 * step))
        return value(*here), np.array([float(s) for s in slopes])


CASES = [(kind, use) for kind in MATRICES[:2] for use in ("sum", "residual", "moved", "element", "twice")]
CASES += [(kind, use) for kind in MATRICES[2:] for use in ("residual", "element")] + [("left Jacobian", "motion")]


@pytest.mark.parametrize(("kind", "use"), CASES)
def test_rotations_have_exact_slopes_at_every_angle(kind: str, use: str) -> None:
    f = Nodes(by_norm=use in ("form", "twice"))
    value = USES[use](f, _matrix(f, w, kind), w, p, q)
    run = sn.compile([value, sn.grad(value, w)])
    for angle in ANGLES:
        data = {"w": D * angle, **DATA}
        found = run(**{name: data[name] for name in run.inputs})
        exact = _exact(kind, use, data["w"])
        assert float(found[0]) == pytest.approx(float(exact[0]), rel=1e-13, abs=1e-14 * abs(angle)), angle
        _close(found[1], exact[1], angle, 1e-12)


def _close(found: np.ndarray, exact: np.ndarray, angle: float, tolerance: float) -> None:
    floor = 2e-14 * float(np.max(np.abs(exact))) if angle else 1e-25  # differences are exact to that at 0
    np.testing.assert_allclose(found, exact, rtol=tolerance, atol=floor, err_msg=str(angle))


@pytest.mark.parametrize("kind", ["rotation", "left Jacobian"])
def test_rows_of_rotations_have_exact_slopes_at_every_angle(kind: str) -> None:
    zero = W[:, 0] * 0
    rows = ((zero, -W[:, 2], W[:, 1]), (W[:, 2], zero, -W[:, 0]), (-W[:, 1], W[:, 0], zero))
    K = sn.stack([sn.stack(row, axis=1) for row in rows], axis=1)
    a, b, c, _ = Nodes().coefficients(W)
    first, second = (a, b) if kind == "rotation" else (b, c)
    M = EYE + first[:, None, None] * K + second[:, None, None] * (K @ K)
    loss = sn.sum((sn.einsum("mij,mj->mi", M, P) - q) ** 2)
    angles = np.array(ANGLES)
    data = {"W": D * angles[:, None], "P": np.tile(DATA["p"], (len(angles), 1)), "q": DATA["q"]}
    found = sn.compile(sn.grad(loss, W))(**data)
    for row, angle in zip(found, ANGLES, strict=True):
        _close(row, _exact(kind, "residual", D * angle)[1], angle, 1e-12)


def _chain(f: Any, joints: list[Any], p: Any, q: Any) -> Any:
    """A point turned by one joint after another, each time moved by q."""
    for w in joints:
        K = _hat(f, w)
        a, b, *_ = f.coefficients(w)
        p = p + a * (K @ p) + b * (K @ (K @ p)) + q
    return f.sum(p * p)


@pytest.mark.parametrize("still", [(1,), (0, 2), (0, 1, 2), ()])
def test_joints_that_stand_still_leave_exact_slopes_of_all(still: tuple[int, ...], rng: np.random.Generator) -> None:
    joints = [sn.tensor(f"w{k}", 3) for k in range(3)]
    value = _chain(Nodes(), joints, p, q)
    angles = [np.zeros(3) if k in still else rng.normal(size=3) for k in range(3)]
    found = sn.compile([value, *sn.grad(value, joints)])(**{f"w{k}": a for k, a in enumerate(angles)}, **DATA)
    numbers = {k: np.array([mpmath.mpf(x) for x in v]) for k, v in DATA.items()}

    def moved(k: int, j: int, step: Any) -> Any:
        points = [np.array([mpmath.mpf(x) for x in angle]) for angle in angles]
        points[k][j] += step
        return _chain(Numbers(), points, numbers["p"], numbers["q"])

    with mpmath.workdps(80):
        step = mpmath.mpf(10) ** -30
        exact = [[float((moved(k, j, step) - moved(k, j, -step)) / (2 * step)) for j in range(3)] for k in range(3)]
        assert float(found[0]) == pytest.approx(float(moved(0, 0, 0)), rel=1e-14)
    np.testing.assert_allclose(found[1:], exact, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("use", ["sum", "form", "trace"])
@pytest.mark.parametrize("kind", ["rotation", "without the identity"])
def test_second_derivatives_of_one_rotation_are_exact_at_every_angle(kind: str, use: str) -> None:
    f, d = Nodes(), sn.tensor("d", 3)
    value = USES[use](f, _matrix(f, w, kind), w, p, q)
    run = sn.compile(sn.hvp(value, w, d))
    along = np.array([0.5, 1.0, -2.0])
    for angle in ANGLES:
        data = {"w": D * angle, "d": along, **DATA}
        found = run(**{name: data[name] for name in run.inputs})
        _close(found, _second(kind, use, data["w"], along), angle, 1e-11)


def _second(kind: str, use: str, at: np.ndarray, along: np.ndarray) -> np.ndarray:
    """The product of the second derivatives with a direction: central differences of slopes."""
    f, tiny = Numbers(), 0 < np.max(np.abs(at)) < 1e-30
    numbers = {k: np.array([mpmath.mpf(x) for x in v]) for k, v in DATA.items()}
    with mpmath.workdps(900 if tiny else 120):
        step = mpmath.mpf(10) ** (-230 if tiny else -30)

        def value(k: int, sign: int, ahead: int) -> mpmath.mpf:
            moved = [
                mpmath.mpf(float(x)) + step * (sign * (j == k) + ahead * mpmath.mpf(float(v)))
                for j, (x, v) in enumerate(zip(at, along, strict=True))
            ]
            point = np.array(moved)
            return USES[use](f, _matrix(f, point, kind), point, numbers["p"], numbers["q"])

        crossed = [sum(s * t * value(k, s, t) for s in (-1, 1) for t in (-1, 1)) for k in range(3)]
        return np.array([float(x / (4 * step**2)) for x in crossed])
