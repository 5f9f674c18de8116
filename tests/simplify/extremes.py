"""Data at the edges of the domain, and the exact meaning of graphs there: for the audit of what rewrites do to domains.

In: leaves with their assumptions.  Out: arrays of ±0, ±∞, NaN, tiny, huge, equal and ordinary numbers; and values of
any node in numbers without limits, so that only what is undefined by itself (∞ - ∞, 0·∞, the logarithm of -1) is NaN.
Products of a few leaves stay in range: what overflows on the way is another matter than what is undefined.
A leaf that is declared positive or symmetric or one-hot keeps that, and positive numbers are finite, as in SymPy.
The sign of a zero is not kept: 1/x at -0 may be ∞ of either sign.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import mpmath
import numpy as np
from mpmath import mpf

from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.result_dtypes import CASTS
from symnet.expr.sympy.whole import all_written_out
from symnet.reference.context import Context
from symnet.reference.evaluation import MEANING
from tests.simplify.graphs import ANCHOR, M, m
from tests.stability import exact

INF, NAN = mpf("inf"), mpf("nan")
BITS = 1400  # what 750 above and below 1 need in an exponent, and 1e90 + 1e-90
POOLS: dict[str, tuple[float, ...]] = {
    "": (0, -0.0, 1, -1, np.inf, -np.inf, np.nan, 2.5, -0.7, 1e90, -3e80, 1e-90, -3e-80, 750, -750),
    "positive": (1, 2.5, 0.3, 1e90, 1e-90, 750),
    "nonnegative": (0, 1, 2.5, 0.3, 1e90, 1e-90, 750),
    "unit": (0, 1, 0.5, 0.3, 1e-90),
    "integer": (0, 1, -1, 3, -4, 1e15),
    "nonzero": (1, -1, np.inf, -np.inf, 2.5, -0.7, 1e90, -3e80, 1e-90, -3e-80, 750, -750),
    "open_unit": (0.5, 0.3, 1e-90),
}
Pools = Mapping[str, tuple[float, ...]]
KINDS = ("open_unit", "unit", "integer", "positive", "nonnegative", "nonzero")
ORDINARY = {"": 1.5, "open_unit": 0.4, "unit": 0.4, "integer": 2, "positive": 1.5, "nonnegative": 1.5, "nonzero": 1.5}
HOLDS: dict[str, Callable[[float], bool]] = {
    "positive": lambda v: v > 0,
    "nonnegative": lambda v: v >= 0,
    "nonzero": lambda v: v != 0,
    "integer": lambda v: v % 1 == 0,
}


def draw(leaves: list[Any], trial: int, rng: np.random.Generator, pools: Pools = POOLS) -> dict[str, np.ndarray]:
    """One number everywhere, several, or one among ordinary ones, by turns; every fifth time, equal leaves."""
    data = {leaf.name: _values(leaf, trial % 3, rng, pools) for leaf in leaves}
    if trial % 5 == 0:
        free = [leaf.name for leaf in leaves if not leaf.assumptions]
        for name in free[1:]:
            data[name] = data[free[0]].copy() if data[name].shape == data[free[0]].shape else data[name]
    return data


def _values(leaf: Any, style: int, rng: np.random.Generator, pools: Pools) -> np.ndarray:
    shape = tuple(M if n == m else n for n in leaf.shape)
    known = set(leaf.assumptions)
    if known & {"one_hot", "simplex"}:
        return _rows(shape, style, known, rng)
    kind = next((k for k in KINDS if k in known), "")
    pool = np.array([v for v in pools[kind] if all(HOLDS[k](v) for k in known & HOLDS.keys())])
    if style == 0:
        values = np.full(shape, rng.choice(pool))
    elif style == 1:
        values = rng.choice(pool, shape)
    else:
        ordinary = 1.0 if known >= {"unit", "integer"} else ORDINARY[kind]
        values = np.full(shape, ordinary) + (rng.normal(size=shape) if not kind else 0)
        values.reshape(-1)[rng.integers(0, values.size)] = rng.choice(pool)
    return np.where(np.tri(*shape[-2:]) > 0, values, np.swapaxes(values, -1, -2)) if "symmetric" in known else values


def _rows(shape: tuple[int, ...], style: int, known: set[str], rng: np.random.Generator) -> np.ndarray:
    """Rows that sum to one: one class alone, or halves, quarters and so on in any order; a symmetric one is δ."""
    if "symmetric" in known:
        return np.broadcast_to(np.eye(shape[-1]), shape)
    if known & {"one_hot", "integer"} or (style == 0 and "positive" not in known):
        return np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:-1])]
    parts = 0.5 ** np.minimum(np.arange(1, shape[-1] + 1), shape[-1] - 1)  # the last one twice: the sum is exact
    return rng.permuted(np.broadcast_to(parts, shape), axis=-1)


# --------------------------------------------------------------------------- values without limits


def _strict(function: Any) -> Any:
    """NaN for NaN, which mpmath does not always keep."""
    return lambda *xs: NAN if any(x != x for x in xs) else function(*xs)


def _at_infinity(function: Any, limit: Any) -> Any:
    return lambda x: limit(x) if abs(x) == INF else function(x)


def _sign(x: Any) -> Any:
    return mpf((x > 0) - (x < 0))


def _power(x: Any, e: Any) -> Any:
    if not e or x == 1:
        return mpf(1)
    if abs(e) == INF:
        return mpf(1) if abs(x) == 1 else INF if (abs(x) > 1) == (e > 0) else mpf(0)
    return exact.PRIMITIVES["pow"](x, e)


_LIMITS = {name: _at_infinity(exact.PRIMITIVES[name], lambda x: NAN) for name in ("sin", "cos", "tan")}
PRIMITIVES: dict[str, Any] = {
    **{name: _strict(function) for name, function in {**exact.PRIMITIVES, **_LIMITS}.items()},
    "tanh": _strict(_at_infinity(mpmath.tanh, _sign)),
    "pow": lambda x, e: mpf(1) if not e or x == 1 else _strict(_power)(x, e),
    "where": exact.PRIMITIVES["where"],
    **dict.fromkeys(CASTS, lambda x: x),
    **{name: exact.PRIMITIVES[name] for name in ("lt", "le", "gt", "ge", "eq", "ne", "and", "or", "not", "indicator")},
}


def _elementwise(node: Any, values: Any) -> Any:
    return np.frompyfunc(PRIMITIVES[node.op], len(values), 1)(*values)


def _logsumexp(xs: Any) -> Any:
    if any(x != x for x in xs):
        return NAN
    return PRIMITIVES["log"](functools.reduce(lambda a, b: a + b, map(mpmath.exp, xs)))


def _reduce(node: Any, values: Any) -> Any:
    (x,) = values
    kept = [a for a in range(x.ndim) if a not in node.axes]
    rows = x.transpose(*kept, *node.axes).reshape(*(x.shape[a] for a in kept), -1)
    return np.apply_along_axis({**exact.REDUCTIONS, "logsumexp": _logsumexp}[node.op], -1, rows)


def _prefixes(node: Any, values: Any, of: Callable[..., Any]) -> Any:
    """`of` the first 1, 2, 3, … elements of the operands along the axis of a scan."""
    turned = [np.moveaxis(np.flip(v, node.axis) if node.reverse else v, node.axis, -1) for v in values]
    found = np.empty(turned[0].shape, object)
    for place in np.ndindex(found.shape):
        found[place] = of(*(v[place[:-1]][: place[-1] + 1] for v in turned))
    back = np.moveaxis(found, -1, node.axis)
    return np.flip(back, node.axis) if node.reverse else back


def _running_logsumexp(node: Any, values: Any) -> Any:
    return _prefixes(node, values, _logsumexp)


def _scaled_sum(node: Any, values: Any) -> Any:
    exp = PRIMITIVES["exp"]
    return _prefixes(node, values, lambda p, b, q: sum(w * exp(x - q[-1]) for w, x in zip(b, p, strict=True)))


def _take(node: Any, values: Any) -> Any:
    return np.take(values[0], values[1].astype(int), axis=node.axis)


RULES = {
    **exact.RULES,
    "elementwise": _elementwise,
    "reduce": _reduce,
    "take": _take,
    "running_logsumexp": _running_logsumexp,
    "scaled_sum": _scaled_sum,
}
UNKNOWN = frozenset({"solve", "determinant"})  # kinds without an exact meaning here


def exact_value(root: Node, data: dict[str, np.ndarray]) -> np.ndarray:
    """The value of a node in numbers without limits."""
    memory: dict[Node, np.ndarray] = {}
    context = Context({m: M})
    with mpmath.workprec(BITS), np.errstate(all="ignore"):
        root = all_written_out(root)
        for node in topological(root, ANCHOR):
            operands = [memory[o] for o in node.operands]
            if node.kind == "tensor":
                value = np.frompyfunc(lambda v: mpf(float(v)), 1, 1)(data[node.name])  # type: ignore[attr-defined]
            elif node.kind in RULES:
                value = RULES[node.kind](node, operands)
            else:
                value = MEANING[node.kind](node, operands, context)
                value = np.frompyfunc(mpf, 1, 1)(value) if node.kind == "size" else value
            memory[node] = np.asarray(value, dtype=object)
    return memory[root]
