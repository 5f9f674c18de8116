"""What is no array, axis, extent, path or expression is refused in four parts at every door, never by NumPy's words."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy

import symnet as sn

X = sn.tensor("x", 3)
T = sympy.Symbol("t")
RAGGED = [[1], [1, 2]]
ARRAYS = [np.ones(2), np.ones(1), np.array(["a"]), np.array([None]), np.array(1.0)]
REDUCTIONS = [sn.sum, sn.mean, sn.max, sn.prod, sn.softmax, sn.logsumexp, sn.argmax, sn.log_softmax]
DOORS: dict[str, Callable[[], Any]] = {
    "lambdify": lambda: sn.lambdify([T], T + 1)(RAGGED),
    "fit params": lambda: sn.fit(sn.sum(X), {"x": RAGGED}, {}, epochs=1),
    **{f"load {v!r}": lambda v=v: sn.load(v) for v in (3, None, [], {}, b"q")},
    **{f"export {v!r}": lambda v=v: sn.compile(X * 2).export(v) for v in (3, None, [], {}, b"q")},
    **{f"to_sympy {v!r}": lambda v=v: sn.to_sympy(v) for v in (3, None, [], {}, "x")},
    **{f"extent {v!r}": lambda v=v: sn.tensor("q", v) for v in ARRAYS},
    **{f"{f.__name__} {v!r}": lambda f=f, v=v: f(X, axis=v) for f in REDUCTIONS for v in ARRAYS},
}


@pytest.mark.parametrize("door", DOORS)
def test_refused_in_four_parts(door: str) -> None:
    with pytest.raises(sn.SymnetError, match=r"(?s)expected .*; got .*\. "):
        DOORS[door]()


def test_whole_numbers_of_numpy_stay_axes_and_extents() -> None:
    assert sn.sum(X, axis=np.array(0)).shape == ()
    assert sn.tensor("q", np.array(2), np.int8(3)).shape == (2, 3)


# --------------------------------------------------------------------------- options: whatever is given for them

Y, S = sn.tensor("y", 3, 3), sn.scalar("s")
ANYTHING = [object(), None, np.ones(3), np.array([None]), {}, {"x": 1}, [], [None], [[X]], "no such word", b"x", 3, 1.5]
ANYTHING += [float("nan"), 10**400, set(), {X}, True, type, lambda: 0, (X, np.ones(3)), T, np.float64(2), X, Y > 0]
OPTIONS: dict[str, Callable[[Any], Any]] = {
    "compile inputs": lambda v: sn.compile(S, stop_after="simplify", inputs=v),
    "compile stop_after": lambda v: sn.compile(S, stop_after="simplify" if v is None else v),
    "compile compressed": lambda v: sn.compile(S, stop_after="simplify", compressed=v),
    "compile name": lambda v: sn.compile(S, stop_after="simplify", name=v),
    "compile dtype": lambda v: sn.compile(S, stop_after="simplify", dtype=v),
    "compile threads": lambda v: sn.compile(S, stop_after="simplify", threads=v),
    "grad absent": lambda v: sn.grad(sn.sum(X), X, absent=v),
    "jacobian absent": lambda v: sn.jacobian(X, X, absent=v),
    "derivative layout": lambda v: sn.derivative(X, X, layout=v),
    "check mine": lambda v: sn.check(v, sn.sum(X * X), X),
    "check wrt": lambda v: sn.check(2 * X, sn.sum(X * X), v),
    "from_sympy": sn.from_sympy,
    "lambdify": lambda v: sn.lambdify([T], v),
    "tensor latex": lambda v: sn.tensor("z", 3, latex=v),
    "tensor one_hot": lambda v: sn.tensor("z", 3, one_hot=v),
    "tensor dtype": lambda v: sn.tensor("z", 3, dtype=v),
    **{
        f"{f.__name__} keepdims": lambda v, f=f: f(Y, 0, keepdims=v)
        for f in (sn.sum, sn.mean, sn.max, sn.prod, sn.norm)
    },
    "matrix norm keepdims": lambda v: sn.norm(Y, 1, keepdims=v),
    "norm ord": lambda v: sn.norm(X, v),
    "matrix norm ord": lambda v: sn.norm(Y, v),
    "take axis": lambda v: sn.take(Y, [0, 2], axis=v),
    "take": lambda v: sn.take(Y, v),
    "item": lambda v: Y[v],
    "transpose": lambda v: sn.transpose(Y, v),
    "transpose two": lambda v: sn.transpose(Y, v, 0),
    "init params": lambda v: sn.nn.init(v),
    "init seed": lambda v: sn.nn.init([X], seed=v),
    "init scheme": lambda v: sn.nn.init([Y], scheme=v),
    "init dtype": lambda v: sn.nn.init([Y], dtype=v),
    "label_smoothing": lambda v: sn.nn.label_smoothing(X, v),
    "xreplace": lambda v: X.xreplace(v),
    "source": lambda v: sn.compile(S).source(v),
    "pow": lambda v: X**v,
    "floordiv": lambda v: X // v,
    "reshape": lambda v: Y.reshape(v),
    "named": lambda v: X.named(v),
    "where": lambda v: sn.where(v, X, X),
    "concat": lambda v: sn.concat([X, X], axis=v),
}


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_takes_anything_or_refuses_it_in_four_parts(option: str) -> None:
    for value in ANYTHING:
        try:
            OPTIONS[option](value)
        except sn.SymnetError as error:
            assert re.search(r"(?s)expected .*; got .*\. ", str(error)), value
