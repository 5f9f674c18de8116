"""Every elementwise primitive, and what is commonly made of them: value and two derivatives over the whole range.

In: the registry of primitives, and a list of formulas of one variable.  The unit of an error is an ulp of the exact
value f(x), or of x·f′(x) where that is larger: what half an ulp in x itself makes of it.  So a slope that should be
4.6e-17 and comes out 0 is a failure however large its neighbours are.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import mpmath
import numpy as np
import pytest

import symnet as sn
from symnet.diff import pullback
from symnet.expr.nodes.constants import number
from symnet.expr.nodes.elementwise import elementwise
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.primitives import PRIMITIVES
from symnet.simplify.algebra.table import simplify
from tests.stability.exact import NAN, Exact, Oracle
from tests.stability.measuring import LEAVES, _compiled, _evaluated, m, ulps, written

BOUND = 8.0  # ulp, where nothing else is said
x = LEAVES["x"]
zeros = 0 * x
# The reference computes the numeric form of the graph, whose leaves are float64: its scales are those of that dtype.
WAYS = {"float64": {"compiled": _compiled, "reference": _evaluated}, "float32": {"compiled": _compiled}}
SIZES = {
    "float64": (
        1e-300, 1e-154, 1e-100, 1e-30, 1e-17, 1e-8, 1e-5, 1e-3, 0.1, 0.25, 0.5, 0.7, 0.9, 1 - 1e-5, 1 - 1e-9,
        1 - 2**-53, 1, 1 + 2**-52, 1 + 1e-9, 1 + 1e-5, 1.25, 1.5, 2, 3, 5, 8, 13, 19.5, 25, 36.5, 50, 100, 300, 700,
        709.5, 711, 750, 1e4, 1e5, 1e8, 1e9, 1e16, 1e30, 1e100, 1e150, 1e200, 1e300,
    ),
    "float32": (
        1e-37, 1e-30, 1e-19, 1e-10, 1e-8, 1e-5, 1e-3, 0.1, 0.25, 0.5, 0.7, 0.9, 1 - 1e-5, 1 - 2**-24, 1, 1 + 2**-23,
        1 + 1e-5, 1.25, 1.5, 2, 3, 5, 8, 9.5, 13, 17, 19.5, 30, 50, 80, 88, 89, 100, 300, 1e4, 1e5, 1e8, 1e9, 1e15,
        1e18, 1e20, 1e30, 1e36,
    ),
}  # fmt: skip
POINTS = {d: np.array([*(-v for v in reversed(s)), 0, *s], d) for d, s in SIZES.items()}
LARGEST = {"gamma": 30.0, "loggamma": 1e9, "digamma": 1e9, "erfc": 1e8, "erf": 1e8}  # where the oracle still answers


def unary_primitives() -> list[str]:
    """Those of one real operand that the registry knows."""
    return [p.name for p in PRIMITIVES.values() if p.arity == 1 and p.result in ("real", "same")]


@cache
def _raw(root: Node, order: int) -> Node:
    """The derivative as the rules give it."""
    if not order:
        return root
    slope = pullback(sn.sum(_raw(root, order - 1)), number(1), [x]).get(x)
    return zeros if slope is None else slope


@cache
def _derived(root: Node, order: int) -> Node:
    """The derivative as users get it."""
    return sn.grad(sn.sum(_derived(root, order - 1)), x, absent="zero") if order else simplify([root])[0]


@cache
def _oracle(dtype: str, largest: float) -> tuple[dict[str, np.ndarray], Oracle]:
    data = {"x": POINTS[dtype][np.abs(POINTS[dtype]) <= largest]}
    return data, Oracle(data, m)


def _unit(here: np.ndarray, slope: Exact) -> np.ndarray:
    """|x·f′(x)| as doubles; 0 where that is no number."""
    sizes = [abs(mpmath.mpf(float(v)) * s) for v, s in zip(here, slope, strict=True)]
    return np.array([float(s) if s == s and s < 1e300 else 0.0 for s in sizes])


def _vanishes(got: np.ndarray, wanted: Exact, dtype: str) -> np.ndarray:
    """Where the value is no normal number, and the result is 0 or no normal number either."""
    tiny = float(np.finfo(dtype).tiny)
    return np.array([abs(e) < tiny for e in wanted]) & (np.abs(got) <= tiny)


def failures(
    root: Node, dtype: str, *, bound: float = BOUND, orders: int = 3, largest: float = np.inf, least: float = 0
) -> list[str]:
    """Where the formula or a derivative is further off than the bound.

    least: the smallest unit of the derivatives.
    """
    data, oracle = _oracle(dtype, largest)
    here = data["x"]
    nodes = [_derived(root, k) for k in range(orders)]
    exact = [np.broadcast_to(oracle(_raw(root, k)), here.shape) for k in range(orders + 1)]
    found = []
    for way, values in WAYS[dtype].items():
        for k, value in enumerate(values(nodes, data, dtype)):
            got = np.broadcast_to(np.asarray(value), here.shape)
            wanted = np.array([e if v == v else NAN for e, v in zip(exact[k], exact[0], strict=True)], dtype=object)
            unit = np.maximum(_unit(here, exact[k + 1]), least if k else 0)
            errors = np.where(_vanishes(got, wanted, dtype), 0, ulps(got, wanted, unit, dtype))
            if not (errors <= bound).all():
                at = int(np.argmax(np.where(errors == errors, errors, np.inf)))
                story = f"{got[at]!r} for {mpmath.nstr(wanted[at], 17)} at {here[at]!r}"
                found.append(f"derivative {k}, {way}, {dtype}: {errors[at]:.3g} ulp, {story}; {nodes[k]}")
    return found


SLOPE_BY_VALUE = {"tanh": 1.0}  # 1 - tanh² is right to an ulp of 1, and costs no exponential: docs/stability.md


@pytest.mark.parametrize("dtype", POINTS)
@pytest.mark.parametrize("name", unary_primitives())
def test_a_primitive_and_its_derivatives_are_right_over_the_whole_range(name: str, dtype: str) -> None:
    largest, least = LARGEST.get(name, np.inf), SLOPE_BY_VALUE.get(name, 0)
    assert failures(elementwise(name, x), dtype, largest=largest, least=least) == []


FORMULAS: dict[str, dict[str, Any]] = {
    "cosh(x)/sinh(x)": {},
    "cos(x)/sin(x)": {},
    "1/tanh(x)": {},
    "1/cosh(x)": {},
    "1/sinh(x)": {},
}


@pytest.mark.parametrize("dtype", POINTS)
@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_and_its_derivatives_are_right_over_the_whole_range(text: str, dtype: str) -> None:
    assert failures(written(text), dtype, **FORMULAS[text]) == []


def test_the_slope_of_the_hyperbolic_cotangent_does_not_vanish_before_its_time() -> None:
    a = sn.scalar("a")
    slope = sn.value_and_grad(sn.cosh(a) / sn.sinh(a), a)(a=19.5)[1]
    assert slope == pytest.approx(-4.6195e-17, rel=1e-4)


def test_a_slope_that_cancels_is_caught() -> None:
    assert failures(1 - sn.tanh(x) ** 2, "float64", orders=1)
