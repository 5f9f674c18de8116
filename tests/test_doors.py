"""What is no array, axis, extent, path or expression is refused in four parts at every door, never by NumPy's words."""

from __future__ import annotations

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
