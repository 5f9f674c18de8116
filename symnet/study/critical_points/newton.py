"""Critical points in floating point: Newton's method on the gradient, from many starts.

In: a scalar and its variables, of concrete shapes, with no other leaves.  Out: the points that were found, each with
the norm of the gradient that is left there, and the Hessian.
Gradient and Hessian are symnet's formulas, evaluated by `reference`.  A step is halved until the gradient gets shorter;
a point counts when the full Newton step from it is negligible, so that a gradient which only fades at infinity gives
none.  The starts are the same at every call.
Not handled: a promise that all points are found.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from symnet.calculus.grad import grad
from symnet.calculus.hessian import hessian
from symnet.errors import SingularMatrixError
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Tensor
from symnet.reference import evaluate

STARTS = 96
STEPS = 100
HALVINGS = 30
NEGLIGIBLE = 1e-8  # a step, beside 1 + the length of the point
SAME = 1e-6  # two points, beside 1 + their length

Vector = np.ndarray


@dataclass(frozen=True)
class NumericPoint:
    """A zero of the gradient: where, the value, the Hessian, and the norm of the gradient that is left."""

    at: Vector
    value: float
    hessian: np.ndarray
    residual: float


def numeric_points(f: Node, leaves: Sequence[Tensor]) -> list[NumericPoint]:
    """The zeros of the gradient that Newton's method reaches, in the order of their coordinates."""
    shapes = [tuple(int(n) for n in leaf.shape) for leaf in leaves]
    sizes = [int(np.prod(shape)) for shape in shapes]
    slopes, blocks = grad(f, list(leaves)), hessian(f, list(leaves))

    def at(x: Vector) -> dict[str, np.ndarray]:
        parts = np.split(x, np.cumsum(sizes)[:-1])
        return {leaf.name: p.reshape(s) for leaf, p, s in zip(leaves, parts, shapes, strict=True)}

    def values(nodes: Sequence[Node], x: Vector) -> Sequence[np.ndarray]:
        try:
            return list(evaluate(list(nodes), at(x), leaves=leaves))
        except SingularMatrixError:
            return [np.full([int(n) for n in node.shape], np.nan) for node in nodes]

    def gradient(x: Vector) -> Vector:
        return np.concatenate([np.reshape(g, -1) for g in values(slopes, x)])

    def bend(x: Vector) -> np.ndarray:
        found = values([b for row in blocks for b in row], x)
        n = len(sizes)
        return np.block([[np.reshape(found[i * n + j], (sizes[i], sizes[j])) for j in range(n)] for i in range(n)])

    positive = np.repeat(["positive" in leaf.assumptions for leaf in leaves], sizes)
    points: list[NumericPoint] = []
    with np.errstate(all="ignore"):
        for start in _starts(positive):
            x = _zero(gradient, bend, start)
            if x is not None and not (x[positive] <= 0).any() and not _is_known(x, points):
                x = _rounded(gradient, x)
                residual = float(np.linalg.norm(gradient(x)))
                points.append(NumericPoint(x, float(values([f], x)[0]), bend(x), residual))
    return sorted(points, key=lambda p: tuple(np.round(p.at, 6)))


def _starts(positive: np.ndarray) -> list[Vector]:
    """The origin, and normal points of three sizes; exponentials of them where a variable is positive."""
    rng = np.random.default_rng(0)
    scales = np.repeat([1.0, 3.0, 8.0], STARTS // 3)
    normal = [np.zeros(positive.size), *(scale * rng.normal(size=positive.size) for scale in scales)]
    return [np.where(positive, np.exp(np.clip(x, -8, 8) / 2), x) for x in normal]


def _zero(gradient: Callable[[Vector], Vector], bend: Callable[[Vector], np.ndarray], x: Vector) -> Vector | None:
    """Where Newton's method from x comes to rest; None where it does not."""
    slope = gradient(x)
    for _ in range(STEPS):
        curvature = bend(x)
        if not (np.isfinite(slope).all() and np.isfinite(curvature).all() and curvature.any(axis=1).all()):
            return None  # out of the domain, or so far out that a variable has lost all its influence
        step = -np.linalg.lstsq(curvature, slope, rcond=1e-12)[0]
        if _is_negligible(step, x) and np.linalg.norm(slope) <= NEGLIGIBLE * (1 + np.linalg.norm(curvature)):
            polished = x + step
            return polished if np.linalg.norm(gradient(polished)) <= np.linalg.norm(slope) else x
        for _ in range(HALVINGS):
            there = gradient(x + step)
            if np.linalg.norm(there) < np.linalg.norm(slope):
                break
            step = step / 2
        else:
            return None
        x, slope = x + step, there
    return None


def _rounded(gradient: Callable[[Vector], Vector], x: Vector) -> Vector:
    """The point with 0 for coordinates that are 0 up to rounding, where the gradient does not grow by it."""
    clean = np.where(np.abs(x) < 1e-12 * (1 + np.linalg.norm(x)), 0.0, x)
    return clean if np.linalg.norm(gradient(clean)) <= max(1e-14, float(np.linalg.norm(gradient(x)))) else x


def _is_negligible(step: Vector, x: Vector) -> bool:
    return bool(np.linalg.norm(step) <= NEGLIGIBLE * (1 + np.linalg.norm(x)))


def _is_known(x: Vector, points: Sequence[NumericPoint]) -> bool:
    return any(np.linalg.norm(x - p.at) <= SAME * (1 + np.linalg.norm(x)) for p in points)
