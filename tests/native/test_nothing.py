"""Sums and maxima that the numeric form makes of its own hold over axes without elements, known or not."""

import numpy as np
import pytest

import symnet as sn

m = sn.dim("m")
FORMULAS = {
    "a logarithm of a sum of exponentials": lambda x: sn.log(sn.sum(sn.exp(x), axis=1)),
    "logsumexp": lambda x: sn.logsumexp(x, axis=1),
    "softmax": lambda x: sn.softmax(x, axis=1),
    "with a number": lambda x: sn.log(2 + sn.sum(sn.exp(x), axis=1)),
    "a weighted mean": lambda x: sn.sum(sn.exp(x) * x, axis=1) / (1 + sn.sum(sn.exp(x), axis=1)),
    "a norm": lambda x: sn.norm(x, axis=1),
    "a root of fourth powers": lambda x: sn.sqrt(sn.sum(x**4, axis=1)),
    "a running sum": lambda x: sn.log(sn.cumsum(sn.exp(x), axis=1)),
}
VALUES = {"a logarithm of a sum of exponentials": -np.inf, "logsumexp": -np.inf, "with a number": np.log(2.0)}


@pytest.mark.parametrize("columns", [0, m], ids=["known", "symbolic"])
@pytest.mark.parametrize("name", FORMULAS)
def test_over_nothing_there_is_a_value_and_a_slope_without_elements(name, columns):
    x = sn.tensor("x", 3, columns)
    y = FORMULAS[name](x)
    f = sn.compile([y, sn.grad(sn.sum(y), x, absent="zero")], inputs=[x])
    value, slope = f(np.zeros((3, 0)))
    assert slope.shape == (3, 0)
    np.testing.assert_array_equal(value, np.full(value.shape, VALUES.get(name, 0.0)))
