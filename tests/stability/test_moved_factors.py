"""Quotients by sums of squares beside factors that are moved: transposed, turned, rolled, taken.

Every member is one factor or two over one divisor, with zeros among the data, against the same formula in NumPy.
Where the formula is 0/0 the value is a convention (0); everywhere else, infinities among it, it is NumPy's.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy

import symnet as sn

x, y, s = sn.tensor("x", 4, 4), sn.tensor("y", 4, 4), sn.scalar("s")
MOVES: dict[str, Callable[[Any], Any]] = {
    "as it is": lambda a: a,
    "transposed": lambda a: a.T,
    "backwards": lambda a: a[::-1],
    "turned": lambda a: a[::-1, ::-1],
    "reshaped": lambda a: a.reshape(2, 8).T.reshape(4, 4),
    "a row": lambda a: a[1],
    "a column": lambda a: a[:, 2][:, None],
    "the first rows": lambda a: a[:1],
}
FACTORS: dict[str, Callable[[Any, Any, Any], Any]] = {  # by the move, x and y
    "x": lambda move, a, b: move(a),
    "x²": lambda move, a, b: move(a) ** 2,
    "x·y": lambda move, a, b: move(a) * move(b),
    "x·y, one moved": lambda move, a, b: move(a) * b,
    "exp(x)": lambda move, a, b: move(_of(a).exp(a)),
    "x + 3·y": lambda move, a, b: move(a) + 3 * move(b),
}
DIVISORS: dict[str, Callable[[Any, Any, Any], Any]] = {  # of x, y and s
    "x² + y²": lambda a, b, c: a**2 + b**2,
    "√(x² + y²)": lambda a, b, c: _of(a).sqrt(a**2 + b**2),
    "(x² + y²)²": lambda a, b, c: (a**2 + b**2) ** 2,
    "Σx² of rows": lambda a, b, c: _of(a).sum(a**2, axis=1)[:, None],
    "√Σx² of columns": lambda a, b, c: _of(a).sqrt(_of(a).sum(a**2, axis=0)),
    "√Σx²": lambda a, b, c: _of(a).sqrt(_of(a).sum(a**2)),
    "1 + x²": lambda a, b, c: 1 + a**2,
    "1 + s²": lambda a, b, c: 1 + c**2,
}
X = np.array([[0.0, 1, 0, 0], [2, 0, 0, -1], [0, 0, 0, 0], [0.5, 0, 3, 0]])
Y = np.array([[0.0, 0, 0, 1], [1, 0, 0, 0], [0, 0, 0, 2], [0, 0, -1, 0]])


def _of(a: Any) -> Any:
    return np if isinstance(a, np.ndarray) else sn


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("divisor", DIVISORS)
def test_a_moved_factor_is_not_taken_for_the_one_that_divides(factor: str, divisor: str) -> None:
    quotients = {
        move: lambda a, b, c, move=move: FACTORS[factor](MOVES[move], a, b) / DIVISORS[divisor](a, b, c)
        for move in MOVES
    }
    f = sn.compile([quotients[m](x, y, s) for m in MOVES], inputs=[x, y, s])
    values = f(X, Y, np.array(0.75))
    with np.errstate(all="ignore"):
        for move, got in zip(MOVES, values, strict=True):
            want = quotients[move](X, Y, 0.75)
            settled = ~np.isnan(want)
            np.testing.assert_allclose(got[settled], want[settled], rtol=1e-14, err_msg=move)


@pytest.mark.parametrize("factor", ("x", "x·y"))
@pytest.mark.parametrize("move", ("transposed", "backwards", "reshaped"))
def test_slopes_of_moved_factors_are_those_of_the_formula(move: str, factor: str) -> None:
    """Central differences of the formula in NumPy, away from zeros."""
    rng = np.random.default_rng(5)
    a, b, w = rng.normal(size=(3, 4, 4))
    for divisor in DIVISORS.values():
        formula = lambda p, q, divisor=divisor: FACTORS[factor](MOVES[move], p, q) / divisor(p, q, 0.75)
        slopes = sn.grad(sn.sum(w * formula(x, y)), x)
        got = sn.compile(slopes, inputs=[x, y])(a, b)
        step = 1e-6
        for place in itertools.product(range(4), range(4)):
            nudge = np.zeros((4, 4))
            nudge[place] = step
            slope = (w * (formula(a + nudge, b) - formula(a - nudge, b))).sum() / (2 * step)
            np.testing.assert_allclose(got[place], slope, rtol=2e-6, atol=2e-7)


OUTER = {"i,j->ij": (3, 2), "i,j,k->kij": (2, 3, 2), "ij,k->kij": ((2, 3), 2), "ij,kj,l->lki": ((1, 3), (2, 3), 2)}


@pytest.mark.parametrize("power", (-1, -2, sympy.Rational(-1, 2)))
@pytest.mark.parametrize("spec", OUTER)
def test_slopes_by_the_vectors_of_an_outer_product_that_is_squared_below(spec: str, power: Any) -> None:
    """Central differences of Σ (x² + ½)^p in NumPy, x an outer product."""
    shapes = [n if isinstance(n, tuple) else (n,) for n in OUTER[spec]]
    leaves = [sn.tensor(f"a{k}", *shape) for k, shape in enumerate(shapes)]
    product = sn.einsum(spec, *leaves)
    data = [np.random.default_rng(7 + k).normal(size=shape) for k, shape in enumerate(shapes)]

    def formula(*arrays: np.ndarray) -> float:
        p = np.einsum(spec, *arrays)
        return float(((p**2 + 0.5) ** float(power)).sum())

    loss = sn.sum((product**2 + sympy.Rational(1, 2)) ** power)
    slopes = [sn.compile(sn.grad(loss, leaf), inputs=leaves)(*data) for leaf in leaves]
    for k, array in enumerate(data):
        for place in itertools.product(*map(range, array.shape)):
            nudge = np.zeros(array.shape)
            nudge[place] = 1e-6
            more, less = ([a + t * nudge if j == k else a for j, a in enumerate(data)] for t in (1, -1))
            np.testing.assert_allclose(slopes[k][place], (formula(*more) - formula(*less)) / 2e-6, rtol=2e-6, atol=2e-7)
