"""Functions of an angle that are divided by it, kept whole: first and second derivatives of what is made of rotations.

The right values are differences of the formula as it is written, in mpmath at 120 digits (900 beside 1e-200), where
the angle is 0 beside it.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

import symnet as sn
from symnet.expr.nodes.graph import topological
from symnet.expr.sympy.whole import formula_of
from symnet.reference import evaluate
from symnet.simplify.numeric.singularities.whole_functions import whole_functions

w, p, q, d = (sn.tensor(name, 3) for name in ("w", "p", "q", "d"))
m = sn.dim("m")
W, P, V = (sn.tensor(name, m, 3) for name in ("W", "P", "V"))
D = np.array([0.3, -0.5, 0.7])
U = [0.2, -0.4, 0.9]  # another rotation
DATA = {"p": np.array([1.0, 2.0, 3.0]), "q": np.array([-0.5, 0.25, 1.5]), "d": np.array([0.5, 1.0, -2.0])}
ANGLES = (0.0, 1e-200, 1e-9, 1e-3, 2.0)
EYE = np.eye(3)


class Nodes:
    """NumPy's and mpmath's functions, of nodes."""

    stack, sum, sin, cos, norm = map(staticmethod, (sn.stack, sn.sum, sn.sin, sn.cos, sn.norm))


class Numbers:
    """The same of arrays of mpmath's numbers."""

    stack, sum, sin, cos = map(staticmethod, (np.stack, np.sum, mpmath.sin, mpmath.cos))

    @staticmethod
    def norm(w: Any) -> Any:
        return mpmath.sqrt(np.sum(w * w))


def _hat(f: Any, w: Any) -> Any:
    z = w[0] * 0
    return f.stack([f.stack([z, -w[2], w[1]]), f.stack([w[2], z, -w[0]]), f.stack([-w[1], w[0], z])])


def _cross(f: Any, a: Any, b: Any) -> Any:
    pairs = ((1, 2), (2, 0), (0, 1))
    return f.stack([a[i] * b[j] - a[j] * b[i] for i, j in pairs])


def _matrix(f: Any, w: Any, p: Any) -> Any:
    t, K = f.norm(w), _hat(f, w)
    return (EYE + f.sin(t) / t * K + (1 - f.cos(t)) / t**2 * (K @ K)) @ p


def _elements(f: Any, w: Any, p: Any) -> Any:
    t, c = f.norm(w), _cross(f, w, p)
    return p + f.sin(t) / t * c + (1 - f.cos(t)) / t**2 * _cross(f, w, c)


def _matrix_of_axis(f: Any, w: Any, p: Any) -> Any:
    t = f.norm(w)
    K = _hat(f, w / t)
    return (EYE + f.sin(t) * K + (1 - f.cos(t)) * (K @ K)) @ p


def _elements_of_axis(f: Any, w: Any, p: Any) -> Any:
    t = f.norm(w)
    n = w / t
    return p * f.cos(t) + _cross(f, n, p) * f.sin(t) + n * f.sum(n * p) * (1 - f.cos(t))


def _turned(f: Any, x: Any, p: Any) -> Any:
    v = f.stack([x[1], x[2], x[3]])
    c = _cross(f, v, p) * 2
    return p + c * x[0] + _cross(f, v, c)


def _quaternion(f: Any, w: Any, p: Any) -> Any:
    t = f.norm(w)
    return _turned(f, f.stack([f.cos(t / 2), *(f.sin(t / 2) / t * w[k] for k in range(3))]), p)


def _quaternion_of_axis(f: Any, w: Any, p: Any) -> Any:
    t = f.norm(w)
    n = w / t
    return _turned(f, f.stack([f.cos(t / 2), *(f.sin(t / 2) * n[k] for k in range(3))]), p)


def _left_jacobian(f: Any, w: Any, p: Any) -> Any:
    t, K = f.norm(w), _hat(f, w)
    return (EYE + (1 - f.cos(t)) / t**2 * K + (t - f.sin(t)) / t**3 * (K @ K)) @ p


def _left_jacobian_of_axis(f: Any, w: Any, p: Any) -> Any:
    t = f.norm(w)
    n = w / t
    M = f.sin(t) / t * EYE + (1 - f.sin(t) / t) * n[:, None] * n + (1 - f.cos(t)) / t * _hat(f, n)
    return M @ p


def _inverse_jacobian(f: Any, w: Any, p: Any) -> Any:
    t, K = f.norm(w), _hat(f, w)
    return (EYE - K / 2 + (1 / t**2 - (1 + f.cos(t)) / (2 * t * f.sin(t))) * (K @ K)) @ p


WAYS: tuple[Callable[[Any, Any, Any], Any], ...] = (
    _matrix,
    _elements,
    _matrix_of_axis,
    _elements_of_axis,
    _quaternion,
    _quaternion_of_axis,
    _left_jacobian,
    _left_jacobian_of_axis,
    _inverse_jacobian,
)
Way = Callable[[Any, Any, Any], Any]
# what is asked of a point that is moved
USES: dict[str, Callable[[Any, Way, Any, Any, Any], Any]] = {
    "residual": lambda f, way, w, p, q: f.sum((way(f, w, p) - q) ** 2),
    "twice": lambda f, way, w, p, q: f.sum(way(f, w, way(f, w * 2, p)) * q) ** 2,
}


def _value(way: Way, use: str, w: list[Any]) -> Any:
    numbers = {name: np.array([mpmath.mpf(x) for x in v]) for name, v in DATA.items()}
    return USES[use](Numbers, way, np.array(w), numbers["p"], numbers["q"])


def _exact(way: Way, use: str, angle: float) -> tuple[np.ndarray, np.ndarray]:
    """The gradient, and the product of the second derivatives with d."""
    tiny = 0 < angle < 1e-30
    with mpmath.workdps(900 if tiny else 120):
        h = mpmath.mpf(10) ** (-230 if tiny else -30)
        at = [mpmath.mpf(float(x)) + (0 if angle else h / 1000) for x in D * angle]
        first, second = [], []
        for k in range(3):
            ends = {}
            for s in (-1, 1):
                for ahead in (-1, 0, 1):
                    moved = [x + h * (s * (j == k) + ahead * mpmath.mpf(DATA["d"][j])) for j, x in enumerate(at)]
                    ends[s, ahead] = _value(way, use, moved)
            first.append(float((ends[1, 0] - ends[-1, 0]) / (2 * h)))
            second.append(float(sum(s * t * ends[s, t] for s in (-1, 1) for t in (-1, 1)) / (4 * h**2)))
        return np.array(first), np.array(second)


def _near(found: np.ndarray, exact: np.ndarray, story: object) -> None:
    np.testing.assert_allclose(found, exact, rtol=1e-12, atol=1e-13 * np.max(np.abs(exact)), err_msg=str(story))


CASES = [(way, "residual") for way in WAYS] + [(way, "twice") for way in (_matrix, _left_jacobian)]


@pytest.mark.parametrize(("way", "use"), CASES)
def test_derivatives_of_what_is_turned_are_exact_at_every_angle(way: Way, use: str) -> None:
    value = USES[use](Nodes, way, w, p, q)
    slope = sn.grad(value, w)
    run = sn.compile([slope, sn.hvp(value, w, d)])
    again = sn.compile(sn.grad(sn.sum(slope * d), w)) if way in (_matrix, _left_jacobian_of_axis) else None
    for angle in ANGLES:
        exact = _exact(way, use, angle)
        found = run(w=D * angle, **DATA)
        for one, other in zip(found, exact, strict=True):
            _near(one, other, angle)
        if again is not None:
            _near(again(w=D * angle, **DATA), exact[1], angle)


def _rows(of: Callable[[Any], Any]) -> sn.Node:
    return sn.stack([of(k) for k in range(3)], axis=1)


def _cross_of_rows(a: Any, b: Any) -> sn.Node:
    return _rows(lambda k: a[:, (k + 1) % 3] * b[:, (k + 2) % 3] - a[:, (k + 2) % 3] * b[:, (k + 1) % 3])


def _hats(w: Any) -> sn.Node:
    z = w[:, 0] * 0
    rows = ([z, -w[:, 2], w[:, 1]], [w[:, 2], z, -w[:, 0]], [-w[:, 1], w[:, 0], z])
    return sn.stack([sn.stack(row, axis=1) for row in rows], axis=1)


def _rows_by_elements(t: Any) -> sn.Node:
    c = _cross_of_rows(W, P)
    return P + sn.sin(t) / t * c + (1 - sn.cos(t)) / t**2 * _cross_of_rows(W, c)


def _rows_by_axis(t: Any) -> sn.Node:
    n = W / t
    along = sn.sum(n * P, axis=1, keepdims=True)
    return P * sn.cos(t) + _cross_of_rows(n, P) * sn.sin(t) + n * along * (1 - sn.cos(t))


def _rows_by_matrices(t: Any) -> sn.Node:
    K, t = _hats(W / t), t[:, :, None]
    return sn.einsum("mij,mj->mi", EYE + sn.sin(t) * K + (1 - sn.cos(t)) * (K @ K), P)


LENGTHS: dict[str, Callable[[], sn.Node]] = {
    "kept axis": lambda: sn.norm(W, axis=1, keepdims=True),
    "new axis": lambda: sn.sqrt(sn.sum(W * W, axis=1))[:, None],
}


@pytest.mark.parametrize(
    ("way", "length"),
    [
        (_rows_by_elements, "new axis"),
        (_rows_by_axis, "kept axis"),
        (_rows_by_axis, "new axis"),
        (_rows_by_matrices, "kept axis"),
    ],
)
def test_rows_have_the_derivatives_of_each(way: Callable[[Any], sn.Node], length: str) -> None:
    loss = sn.sum((way(LENGTHS[length]()) - q) ** 2)
    angles = np.array(ANGLES)[:, None]
    tiled = {name: np.tile(DATA[each], (len(angles), 1)) for name, each in (("P", "p"), ("V", "d"))}
    found = sn.compile([sn.grad(loss, W), sn.hvp(loss, W, V)])(W=D * angles, q=DATA["q"], **tiled)
    for row, angle in enumerate(ANGLES):
        for one, other in zip(found, _exact(_matrix, "residual", angle), strict=True):
            _near(one[row], other, angle)


@pytest.mark.parametrize("length", LENGTHS)
def test_rows_turn_by_velocities_in_a_step_of_time(length: str) -> None:
    """By the unit axis, and functions of an angle that is a product."""
    t, step = LENGTHS[length](), sn.scalar("h")
    K, u = _hats(W / t), (t * step)[:, :, None]
    moved = sn.einsum("mij,mj->mi", EYE + sn.sin(u) * K + (1 - sn.cos(u)) * (K @ K), P)
    loss = sn.sum((moved - q) ** 2)
    assert _kept(loss) == 2
    angles = np.array(ANGLES)[:, None]
    slope = sn.compile(sn.grad(loss, W))(W=D * angles * 4, P=np.tile(DATA["p"], (len(angles), 1)), q=DATA["q"], h=0.25)
    for row, angle in enumerate(ANGLES):
        _near(slope[row], _exact(_matrix, "residual", angle)[0] / 4, angle)


def _kept(value: sn.Node) -> int:
    return sum(formula_of(node) is not None for node in topological(*whole_functions([value])))


def test_all_functions_of_a_length_are_kept_whole_or_none() -> None:
    t = sn.norm(w)
    turned = sn.sum((_matrix(Nodes, w, p) - q) ** 2)
    assert _kept(turned) == 2 and _kept(turned + t) == 2
    for beside in (sn.sum(w / t * q), sn.exp(-t), sn.sin(t), 1 / t**2):
        assert _kept(turned + beside) == 0
    two = sn.norm(d)
    assert _kept(turned + sn.exp(-two) + sn.sin(two) / two * sn.sum(d)) == 2


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (lambda t: sn.sin(t) / t, "(cos(norm(w)) - sin(norm(w))/norm(w))*w/sum(w**2)"),
        (lambda t: (1 - sn.cos(t)) / t**2, "(sin(norm(w)) - 2*(1 - cos(norm(w)))/norm(w))*w/norm(w)**3"),
        (sn.cos, "-sin(norm(w))*w/norm(w)"),
    ],
)
def test_a_function_that_stands_alone_reads_as_ever(value: Callable[[sn.Node], sn.Node], text: str) -> None:
    assert str(sn.grad(value(sn.norm(w)), w)) == text


def test_what_is_kept_whole_reads_as_it_is_written_and_is_itself_everywhere() -> None:
    t = sn.norm(w)
    slope = sn.grad(sn.sin(t) / t * (w @ p), w)
    assert str(slope) == "(p @ w)*(cos(norm(w)) - sin(norm(w))/norm(w))*w/sum(w**2) + sin(norm(w))*p/norm(w)"
    assert pickle.loads(pickle.dumps(slope)) is slope
    assert sn.derive(sn.sin(t) / t * (w @ p), w).result is slope
    data = {"w": D * 1e-3, "p": DATA["p"]}
    found = sn.compile(slope)(**data)
    np.testing.assert_allclose(found, evaluate(slope, data), rtol=1e-15)
    scope: dict[str, Any] = {}
    exec(sn.compile(slope).source("numpy"), scope)
    np.testing.assert_allclose(scope["symnet_function"](**data), found, rtol=1e-9)


def test_a_function_of_an_angle_may_be_a_number_in_disguise() -> None:
    t = sn.norm(w)
    value = (sn.cos(t) + 2 * sn.sin(t / 2) ** 2) * (w @ p) + sn.sin(t) / t * (w @ q)
    found = sn.compile([sn.grad(value, w), sn.hvp(value, w, d)])(w=D * 0, **DATA)
    np.testing.assert_allclose(found[0], DATA["p"] + DATA["q"], rtol=1e-15)
    np.testing.assert_allclose(found[1], np.zeros(3), atol=1e-15)


@pytest.mark.parametrize("beside", [1e-3, 1e-6])
def test_digits_at_half_a_turn_are_kept(beside: float) -> None:
    angle = (np.pi - beside) / np.linalg.norm(D)
    slope = sn.compile(sn.grad(USES["residual"](Nodes, _inverse_jacobian, w, p, q), w))
    found = slope(w=D * angle, p=DATA["p"], q=DATA["q"])
    np.testing.assert_allclose(found, _exact(_inverse_jacobian, "residual", angle)[0], rtol=1e-13)


def _joints(count: int) -> tuple[sn.Node, list[sn.Node]]:
    angles = [sn.tensor(f"w{k}", 3) for k in range(count)]
    moved: Any = p
    for each in angles:
        moved = _matrix(Nodes, each, moved) + q
    return sn.sum(moved**2), angles


def test_what_is_computed_grows_with_the_number_of_joints_alone() -> None:
    sizes = []
    for count in (2, 4, 6):
        value, angles = _joints(count)
        formulas = sn.compile([value, *sn.grad(value, angles)], stop_after="numeric")
        sizes.append(len(topological(*formulas)))
    assert sizes[2] - sizes[1] < 1.3 * (sizes[1] - sizes[0])
