"""Mixtures as they are written: densities × weights × ways to add them up, at densities that all are 0 or all overflow.

And sums of exponentials that repeat along axes of the sum they stand in.  Each is compared with its exact value
(`exact.py`), and so are its slopes by the densities' logarithms and by the weights'.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.expr.nodes.symbols import leaves
from tests.stability.test_log_domain import check

E = sn.tensor("E", 3, 2)
u, v, w, q = sn.tensor("u", 3), sn.tensor("v", 2), sn.tensor("w", 2), sn.tensor("q", 2)
NEAR = np.array([[0.3, -0.7], [1.1, 0.2], [-0.4, 0.9]])
FAR = np.array([[-1800.0, -1771], [-1250, -1300], [900, 905]])
DATA: dict[str, dict[str, Any]] = {
    "near": {"E": NEAR, "u": [0.3, -0.2, 0.1], "v": [0.4, 0.1], "w": [0.2, -0.3], "q": [0.5, 2]},
    "far": {"E": FAR, "u": [1000, -990, 3], "v": [998, 1001], "w": [0.2, -0.3], "q": [0.5, 2]},
    "far, with decided weights": {"E": FAR, "u": [5, 900, -900], "v": [-900, -903], "w": [40, -30], "q": [0, 2]},
}
CASES = [("near", "float64"), ("far", "float32"), ("far", "float64"), ("far, with decided weights", "float64")]
WEIGHTS = {
    "softmax": sn.softmax(w),
    "softmax by hand": sn.exp(w) / sn.sum(sn.exp(w)),
    "logistic": sn.sigmoid(w),
    "exponential": sn.exp(w),
    "known": q,
}
TOTALS = {
    "a product": lambda p: sn.exp(E) @ p,
    "an einsum": lambda p: sn.einsum("j,ij->i", p, sn.exp(E)),
    "a sum": lambda p: sn.sum(p * sn.exp(E), axis=1),
    "from elements": lambda p: p[0] * sn.exp(E[:, 0]) + p[1] * sn.exp(E[:, 1]),
}


@pytest.mark.parametrize(("data", "dtype"), CASES)
@pytest.mark.parametrize("total", TOTALS)
@pytest.mark.parametrize("weights", WEIGHTS)
def test_the_likelihood_of_a_mixture_has_its_slopes(weights: str, total: str, data: str, dtype: str) -> None:
    likelihood = sn.log(TOTALS[total](WEIGHTS[weights]))
    for leaf in (E,) if weights == "known" else (E, w):
        check(likelihood, leaf, DATA[data], dtype)


REPEATED = {
    "exponentials": sn.log(sn.exp(u) + sn.sum(sn.exp(v))),
    "weighted": sn.log(sn.exp(u) + sn.sum(q * sn.exp(v))),
    "a product": sn.log(sn.exp(u) + q @ sn.exp(v)),
    "of products": sn.log(sn.exp(u) + 3 * sn.sum(sn.exp(v) * sn.exp(w))),
    "beside a number": sn.log(5 + u * u + sn.sum(sn.exp(v))),
    "of rows": sn.log(sn.exp(E) + sn.sum(sn.exp(E), axis=1, keepdims=True)),
    "of columns": sn.log(sn.exp(E) + sn.sum(sn.exp(E), axis=0)),
    "of all": sn.log(sn.exp(E) + sn.sum(sn.exp(E))),
    "of other columns": sn.log(sn.exp(E) + sn.sum(sn.exp(v))),
}


@pytest.mark.parametrize(("data", "dtype"), CASES)
@pytest.mark.parametrize("name", REPEATED)
def test_a_sum_that_repeats_in_a_sum_is_one_exponential_there(name: str, data: str, dtype: str) -> None:
    for leaf in leaves(REPEATED[name]):
        if leaf is not q:
            check(REPEATED[name], leaf, DATA[data], dtype)


a, b, c = (sn.scalar(name) for name in "abc")
STEPS = {
    "beside a sum of its own": lambda s: sn.log(sn.exp(s + c) + sn.exp(a + c)),
    "beside one exponential": lambda s: sn.log(sn.exp(s + c) + sn.exp(a)),
    "weighted": lambda s: sn.log(3 * sn.exp(s + c) + sn.exp(a) / 7),
    "twice": lambda s: sn.log(sn.exp(s + c) + sn.exp(s + a) + sn.exp(b)),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("at", [(0.3, -0.2, 0.1), (1000, 999, -500), (-1000, -999, 500), (1000, 1999, -3000)])
@pytest.mark.parametrize("name", STEPS)
def test_a_step_of_the_forward_algorithm_in_logarithms_is_finite(name: str, at: tuple[float, ...], dtype: str) -> None:
    formula = STEPS[name](sn.log(sn.exp(a) + sn.exp(b)))
    for leaf in (a, b, c):
        check(formula, leaf, dict(zip("abc", at, strict=True)), dtype)
