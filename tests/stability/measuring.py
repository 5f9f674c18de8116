"""How far a compiled formula is from the exact value: points over the whole range of a dtype, errors in ulp.

In: a `Family` of spellings.  Out: for each spelling and order of derivative, the largest error.
An error is counted in units in the last place of the exact value, or of the family's `unit` where that is larger, or of
the smallest number that `FLOOR` names: below it intermediate values are subnormal.  What is too large for the dtype
must come out infinite.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import mpmath
import numpy as np

import symnet as sn
from symnet.diff import pullback
from symnet.expr.nodes.constants import number
from symnet.expr.nodes.node import Node
from symnet.reading.formula import formula
from symnet.reference import evaluate
from symnet.simplify.algebra.table import simplify
from symnet.simplify.numeric.passes import numeric
from tests.stability.exact import Exact, Oracle

FLOOR = {"float32": 1e-34, "float64": 1e-305}
SIZES = {  # denormal, tiny, small, moderate, around the edges of exp, large, the largest
    "float64": (
        5e-324, 1e-310, 3e-308, 1e-200, 1e-154, 1e-100, 1e-30, 1e-17, 1e-8, 1e-5, 1e-3, 0.1, 0.25, 0.5, 0.75, 1, 1.5,
        2, 3, 5, 8, 13, 17, 20, 30, 36.5, 50, 100, 300, 700, 709, 709.75, 710, 745, 1000, 1e5, 1e10, 1e50, 1e150, 1e200,
        1e300, 1.79e308,
    ),
    "float32": (
        1e-45, 1e-40, 1.2e-38, 1e-37, 1e-30, 1e-19, 1e-10, 1e-8, 1e-7, 1e-5, 1e-3, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3,
        5, 8, 9, 13, 16, 17, 20, 30, 50, 80, 87, 88.5, 89, 95, 103, 110, 300, 1000, 1e5, 1e10, 1e18, 1e20, 1e30, 3.4e38,
    ),
}  # fmt: skip
m = sn.dim("m")
LEAVES: dict[str, Any] = {
    **{name: sn.tensor(name, m) for name in "xyab"},
    "Z": sn.tensor("Z", m, 5),
    "D": sn.tensor("D", m, 5, one_hot=True),
    "P": sn.tensor("P", m, 5, simplex=True),
    "V": sn.tensor("V", m, 3),
    "W": sn.tensor("W", m, 3),
    "f": sn.tensor("f", m),
    "F": sn.tensor("F", m, 5),
    "m": m,
}


@dataclass(frozen=True)
class Points:
    """Where a scalar leaf is measured.

    kind: "real" (both signs and 0), "nonnegative", "positive", "above -1", "unit" (inside (0, 1)), "closed unit".
    low, high: the smallest size other than 0, and the largest; below 1 and above 1 they count as in float64, and as
    the corresponding share of the exponents in float32.
    """

    kind: str = "real"
    low: float = 0.0
    high: float = np.inf
    exp_finite: bool = False

    def of(self, dtype: str) -> np.ndarray:
        low, high = (_scaled(v, dtype) for v in (self.low, self.high))
        high = min(high, float(np.log(np.finfo(dtype).max)) - 1) if self.exp_finite else high
        sizes = np.array([s for s in SIZES[dtype] if low <= s <= high], dtype)
        inside = sizes[sizes < 1]
        near_one = 1 - inside[inside > 8 * np.finfo(dtype).eps]
        points = {
            "real": [-sizes, [0], sizes],
            "nonnegative": [[0], sizes],
            "positive": [sizes],
            "above -1": [-inside, [0], sizes, -near_one],
            "unit": [inside, near_one, [0.4, 0.6]],
            "closed unit": [[0], inside, near_one, [1]],
        }[self.kind]
        return np.unique(np.concatenate(points).astype(dtype))


def _scaled(limit: float, dtype: str) -> float:
    """A limit beyond 1e±30 at the same place in the dtype's range of exponents."""
    extreme = limit and np.isfinite(limit) and not 1e-30 <= limit <= 1e30
    return float(10 ** (np.log10(limit) * 38 / 308)) if extreme and dtype == "float32" else limit


# --------------------------------------------------------------------------- data


def pairs(low: Sequence[float], high: Sequence[float], dtype: str) -> tuple[np.ndarray, np.ndarray]:
    """Every pair of two lists."""
    a, b = np.meshgrid(np.array(low, dtype), np.array(high, dtype))
    return a.ravel(), b.ravel()


EXPONENTS = (-1000, -100, -30, -1, -1e-3, 0, 1e-8, 0.5, 1, 3, 30, 100, 1000, 1e6)
LENGTHS = (0, 1e-15, -1e-8, 0.1, 0.3, -0.5, 1, 100, 1e10)


def _two_exponents(dtype: str) -> dict[str, np.ndarray]:
    a, b = pairs(EXPONENTS, EXPONENTS, dtype)
    return {"a": a, "b": b}


def _falling_exponents(dtype: str) -> dict[str, np.ndarray]:
    data = _two_exponents(dtype)
    keep = data["a"] > data["b"]
    return {name: values[keep] for name, values in data.items()}


def _two_lengths(dtype: str) -> dict[str, np.ndarray]:
    a, b = pairs(LENGTHS, LENGTHS, dtype)
    return {"a": a, "b": b}


def _probabilities(dtype: str) -> dict[str, np.ndarray]:
    x, y = pairs((0, 1e-30, 1e-8, 0.1, 0.3, 0.5, 0.9, 1), (1e-30, 1e-8, 0.1, 0.3, 0.5, 0.9, 1), dtype)
    return {"x": x, "y": y}


def _rows(rng: np.random.Generator, width: int, scales: Sequence[float], dtype: str) -> np.ndarray:
    return np.array([rng.uniform(-1, 1, width) * s for s in scales]).astype(dtype)


def _logits(dtype: str) -> dict[str, np.ndarray]:
    """Logits of every size, ties, a row that one class holds alone; one-hot targets; a distribution with zeros."""
    rng = np.random.default_rng(7)
    special = [[0] * 5, [1000, 0, 0, 0, 0], [30, 0, -3, 1, 2], [-1000, -1000, -1000, -1001, -1000]]
    scales = (1e-30, 1e-8, 1e-3, 0.1, 1, 1, 3, 10, 30, 100, 1000, 1000)
    Z = np.vstack([_rows(rng, 5, scales, dtype), np.array(special, dtype)])
    P = rng.uniform(0.1, 1, Z.shape) * (rng.uniform(size=Z.shape) > 0.2)
    P[:, 0] += 0.1
    targets = np.eye(5)[rng.integers(0, 5, len(Z))]
    return {"Z": Z, "D": targets.astype(dtype), "P": (P / P.sum(1, keepdims=True)).astype(dtype)}


def _logits_apart(dtype: str) -> dict[str, np.ndarray]:
    """Logits of which each in turn stands far below the largest, in some rows so far that 1 beside it is all."""
    below = np.random.default_rng(9).permuted(np.tile([0, -4, -9, -16, -25], (12, 1)), axis=1)
    return {"Z": (below + np.linspace(-30, 30, 12)[:, None]).astype(dtype)}


def _vectors(dtype: str) -> dict[str, np.ndarray]:
    """Vectors of every length whose squares are numbers, zero rows, and partners: equal, twice, far away."""
    V = np.vstack([_rows(np.random.default_rng(8), 3, (1, 1, 1e-8, 1e8, 1e-15, 1e15), dtype), np.zeros((2, 3), dtype)])
    V = np.vstack([V, np.array([[0, 0, 1], [3, 4, 0]], dtype)])
    W = V.copy()
    W[0] *= 2
    W[1] *= -1
    W[3, 0], W[7] = 0, 1
    return {"V": V, "W": W}


def _moderate_vectors(dtype: str) -> dict[str, np.ndarray]:
    return {name: array[[0, 1, 2, 3, 6, 7, 8, 9]] for name, array in _vectors(dtype).items()}


DATA: dict[str, Callable[[str], dict[str, np.ndarray]]] = {
    "exponents": _two_exponents,
    "falling": _falling_exponents,
    "lengths": _two_lengths,
    "probabilities": _probabilities,
    "logits": _logits,
    "logits apart": _logits_apart,
    "vectors": _vectors,
    "moderate vectors": lambda dtype: {
        name: array[[0, 1, 2, 3, 6, 7, 8, 9]] for name, array in _vectors(dtype).items()
    },
}


# --------------------------------------------------------------------------- a family


@dataclass(frozen=True)
class Family:
    """Spellings of one kind of formula, and how they are measured.

    Attributes:
        points: `Points` for the one scalar leaf x, or a name in `DATA`.
        by: the leaf of the derivatives.
        rows: spelling → bounds in ulp: value, gradient, and second derivative where there is a third number.
        units: for each order a formula of the leaves and of f (F: in rows), the size of the exact value, that the ulp
            is taken of where it is larger; "" for the value alone.
        meaning: a formula of the same values for the oracle, where the spelling itself would need more digits than
            any precision has; "" for each spelling as it is written.
        why: the reason of the units.
    """

    name: str
    points: Points | str
    rows: dict[str, tuple[float, ...]]
    by: str = "x"
    units: tuple[str, str, str] = ("", "", "")
    meaning: str = ""
    why: str = ""

    def data(self, dtype: str) -> dict[str, np.ndarray]:
        return {"x": self.points.of(dtype)} if isinstance(self.points, Points) else DATA[self.points](dtype)


@dataclass(frozen=True)
class Measured:
    """The largest error of one spelling and order, and where."""

    spelling: str
    order: int
    error: float
    story: str


def written(text: str) -> Node:
    return formula(text, LEAVES)


@cache
def _raw(root: Node, leaf: Node, order: int) -> Node:
    """The derivative as the rules give it, nothing simplified: what the exact value is computed from."""
    return root if order == 0 else pullback(sn.sum(_raw(root, leaf, order - 1)), number(1), [leaf])[leaf]


@cache
def derived(root: Node, leaf: Node, order: int) -> Node:
    """The derivative as users get it."""
    return simplify([root])[0] if order == 0 else sn.grad(sn.sum(derived(root, leaf, order - 1)), leaf)


def measured(family: Family, dtype: str) -> list[Measured]:
    """The largest errors of every spelling, compiled and in the reference's evaluation of the numeric form."""
    data, leaf, oracle = family.data(dtype), LEAVES[family.by], Oracle(family.data(dtype), m)
    wanted = [(text, k) for text, bounds in family.rows.items() for k in range(len(bounds))]
    nodes = {(text, k): derived(written(text), leaf, k) for text, k in wanted}
    distinct = list(dict.fromkeys(nodes.values()))
    ways = {"compiled": _compiled, "reference": _evaluated}
    got = {way: dict(zip(distinct, values(distinct, data, dtype), strict=True)) for way, values in ways.items()}
    found = []
    for text, k in wanted:
        exact = oracle(_raw(written(family.meaning or text), leaf, k))
        unit = _unit(family.units[k], exact, data)
        for way, values in got.items():
            value = np.broadcast_to(np.asarray(values[nodes[text, k]]), exact.shape)
            errors = ulps(value, exact, unit, dtype)
            at = np.unravel_index(np.argmax(errors), errors.shape)
            where = {name: array[at[0]].tolist() for name, array in data.items()}
            story = f"{value[at]!r} for {mpmath.nstr(exact[at], 17)} at {where}"
            found.append(Measured(text, k, float(errors[at]), f"{text}, derivative {k}, {way}, {dtype}: {story}"))
    return found


def _compiled(nodes: list[Node], data: dict[str, np.ndarray], dtype: str) -> list[np.ndarray]:
    function = sn.compile(nodes, dtype=dtype)
    return list(function(**{name: data[name] for name in function.inputs}))


def _evaluated(nodes: list[Node], data: dict[str, np.ndarray], dtype: str) -> list[np.ndarray]:
    with np.errstate(all="ignore"):
        return evaluate(numeric(nodes), data, dtype=dtype, leaves=[LEAVES[name] for name in data])


def _unit(text: str, exact: Exact, data: dict[str, np.ndarray]) -> np.ndarray:
    """The size that the ulp is taken of, as doubles; 0 where it is that of the value."""
    if not text:
        return np.zeros(exact.shape)
    size = np.array([float(abs(e)) for e in exact.ravel()]).reshape(exact.shape)
    with np.errstate(all="ignore"):
        doubles = {name: array.astype("f8") for name, array in data.items()}
        unit = evaluate(written(text), {**doubles, ("f" if size.ndim == 1 else "F"): size})
    return np.broadcast_to(np.nan_to_num(unit), exact.shape)


def ulps(got: np.ndarray, exact: Exact, unit: np.ndarray, dtype: str) -> np.ndarray:
    """Errors in units in the last place; inf where one is not finite and the other is."""
    wanted = [float(each) for each in exact.ravel()]
    largest = float(np.finfo(dtype).max)
    sizes = np.clip(np.maximum(np.abs(wanted), np.abs(unit.ravel())), FLOOR[dtype], largest / 2)
    places = np.spacing(sizes.astype(dtype)).tolist()
    rows = zip(got.ravel().tolist(), exact.ravel(), wanted, places, strict=True)
    return np.array([_ulps(*row, largest) for row in rows]).reshape(exact.shape)


def _ulps(got: float, exact: Any, wanted: float, place: float, largest: float) -> float:
    """The error in units of `place`; `wanted` is the double next to `exact`."""
    if wanted != wanted:
        return 0.0  # as written it has no value there; an extension of the domain is welcome
    if abs(exact) > largest:
        return 0.0 if got in (math.copysign(largest, wanted), math.copysign(math.inf, wanted)) else math.inf
    return float(abs(mpmath.mpf(got) - exact) / place) if math.isfinite(got) else math.inf
