"""An expression is no number and no array: what asks it for its value is refused in words, whatever it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.errors import SymnetError

m = sn.dim("m")
EXPRESSIONS = [
    sn.scalar("a"),
    sn.tensor("v", 3),
    sn.tensor("X", m, 2),
    sn.tensor("k", 3, dtype="int64"),
    sn.sum(sn.tensor("v", 3)),
    sn.scalar("a") > 0,
    sn.softmax(sn.tensor("Z", m, 4)).named("Y"),
]
ASKED: dict[str, Callable[[Any], Any]] = {
    "float": float,
    "int": int,
    "complex": complex,
    "round": round,
    "round to digits": lambda x: round(x, 2),
    "a format": lambda x: f"{x:.3f}",
    "a width": lambda x: f"{x:>10}",
    "a truth value": bool,
    "a condition": lambda x: 1 if x else 2,
    "membership": lambda x: 3 in x,
    "an array": np.asarray,
    "an array of floats": lambda x: np.array(x, dtype=float),
    "an array of several": lambda x: np.array([x, x]),
    "an array of numbers": lambda x: np.array([1.0, x]),
    "rounding": np.round,
}


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("x", EXPRESSIONS, ids=str)
def test_a_value_is_refused_in_four_parts(x: Any, asked: str) -> None:
    with pytest.raises(SymnetError, match=r"(?s)^.+: expected .+; got .+\. \S.+") as caught:
        ASKED[asked](x)
    assert isinstance(caught.value, (TypeError, ValueError))


@pytest.mark.parametrize("x", EXPRESSIONS, ids=str)
def test_an_expression_is_text_where_text_is_asked_for(x: Any) -> None:
    assert f"{x}" == str(x) == format(x) == "%s" % x  # noqa: UP031
    assert re.search(r"\w", repr([x]))


def test_a_leaf_may_have_any_name_that_is_an_identifier() -> None:
    for name in ("self", "args", "keywords", "name", "lambda", "None", "out", "cls", "é"):
        x, n = sn.tensor(name, sn.dim("n")), sn.scalar("t")
        f = sn.value_and_grad(sn.sum(x * x) * n, x)
        value, slope = f(**{name: np.ones(3), "t": 2.0})
        assert value == 6 and slope.tolist() == [4, 4, 4]
        step = f.bind(**{name: np.ones(3), "t": 2.0})
        assert step()[0] == 6
    self_, m_ = sn.dim("self"), sn.dim("m")
    x = sn.tensor("x", self_, m_)
    assert sn.compile(x @ x.T @ x).workspace_bytes(self=300, m=4) >= 300 * 300 * 8


@pytest.mark.parametrize("x", EXPRESSIONS, ids=str)
@pytest.mark.parametrize(
    ("operation", "remedy"),
    [
        (lambda x: x << 1, "i \\* 2\\*\\*n"),
        (lambda x: 1 >> x, "Bits are not handled"),
    ],
)
def test_an_operator_that_expressions_have_not_is_refused_with_what_to_write(operation, remedy: str, x: Any) -> None:
    with pytest.raises(SymnetError, match=f"(?s)expected one of the operators .* of an expression\\. .*{remedy}"):
        operation(x)
