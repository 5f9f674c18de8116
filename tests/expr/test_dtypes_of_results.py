"""The dtype of results where integers and truth values meet numbers."""

import numpy as np
import pytest

from symnet.expr.nodes.contraction import einsum, mean
from symnet.expr.nodes.elementwise import elementwise, equal, sqrt
from symnet.expr.nodes.expansion import expand
from symnet.expr.nodes.extents import dim
from symnet.expr.nodes.reduction import argmax
from symnet.expr.nodes.symbols import tensor
from symnet.reference import evaluate

m = dim("m")
t, c, x = tensor("t", m, dtype="int64"), tensor("c", m, dtype="bool"), tensor("x", m, dtype="float32")


@pytest.mark.parametrize(
    ("node", "dtype"),
    [
        (t * 2 + 1, "int64"),
        (t / 2, "float64"),
        (t * 0.5, "float64"),
        (t**2, "int64"),
        (t**-1, "float64"),
        (sqrt(t), "float64"),
        (t * x, "float32"),
        (x / 2, "float32"),
        (c + c, "bool"),
        (elementwise("add", c, c), "int64"),
        (c * x, "float32"),
        (elementwise("maximum", c, c), "bool"),
        (c.sum(), "int64"),
        (einsum("i,i->i", c, c), "bool"),
        (expand(c, (3, m), (1,)).T, "bool"),
        (mean(c), "float64"),
        (mean(t), "float64"),
    ],
)
def test_integers_become_real_only_where_the_value_need_not_be_whole(node, dtype):
    assert node.dtype == dtype


def test_an_accuracy_is_a_mean_of_truth_values():
    Y = tensor("Y", m, 2)
    accuracy = mean(equal(argmax(Y), t))
    data = {"Y": np.array([[0.0, 1], [1, 0], [1, 0], [1, 0]]), "t": np.array([1, 0, 0, 1])}
    assert evaluate(accuracy, data) == 0.75
