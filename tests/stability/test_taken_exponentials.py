"""Logarithms of sums of exponentials that are taken by index: value, slope and second derivative, of any size.

Each form is written once for expressions and once for positions: which element of the table every term of a row is of,
so that the exact values are those of a plain log-sum-exp, row by row.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symnet as sn

ROWS, CLASSES = 6, 5
EPS = {dtype: float(np.finfo(dtype).eps) for dtype in ("float32", "float64")}
n, k = sn.dim("n"), sn.dim("k")
Array = np.ndarray


class Positions:
    """The same moves of an array of positions in the table."""

    take = staticmethod(lambda a, i, axis=0: np.take(a, i, axis))
    exp = staticmethod(lambda a: a)


# form → what is taken of exp(Z) with indices i; rows stand in front
TAKEN: dict[str, Any] = {
    "rows": lambda xp, Z, i: xp.take(xp.exp(Z), i),
    "exponentials of rows": lambda xp, Z, i: xp.exp(xp.take(Z, i)),
    "rows, backwards": lambda xp, Z, i: xp.take(xp.exp(Z)[::-1], i),
    "rows of a part": lambda xp, Z, i: xp.take(xp.exp(Z[1:]), i),
    "columns of the turned": lambda xp, Z, i: xp.take(xp.exp(Z.T), i, axis=1).T,
    "rows of rows": lambda xp, Z, i: xp.take(xp.take(xp.exp(Z), i), i),
    "some columns": lambda xp, Z, i: xp.take(xp.exp(Z)[:, ::-1], i)[:, 1:],
}
JOINED: dict[str, Any] = {  # the sum of each row, P the weights
    "weighted": lambda P, E: sn.sum(P * E, axis=1),
    "chosen": lambda P, E: sn.sum(sn.where(P > 0, P * E, 0), axis=1),
    "chosen before": lambda P, E: sn.sum(P * sn.where(P > 0, E, 0), axis=1),
    "contracted": lambda P, E: sn.einsum("ij,ij->i", P, E),
    "beside another": lambda P, E: sn.sum(P * E, axis=1) + 2,
}


def _exact(Z: Array, P: Array, w: Array, u: Array, positions: Array, beside: float) -> list[Array]:
    """Σ w·log(Σ P·exp z + beside), its slope by z, and the product of its Hessian with u."""
    logs = np.concatenate([Z.ravel()[positions], np.zeros((len(P), 1))], axis=1)
    weights = np.concatenate([P, np.full((len(P), 1), beside)], axis=1)
    top = np.where(weights > 0, logs, -np.inf).max(axis=1, keepdims=True)
    shares = weights * np.exp(np.where(weights > 0, logs - top, -np.inf))
    value = float(w @ (top[:, 0] + np.log(shares.sum(axis=1))))
    shares = (shares / shares.sum(axis=1, keepdims=True))[:, :-1]
    slope, product, along = np.zeros(Z.size), np.zeros(Z.size), u.ravel()[positions]
    np.add.at(slope, positions, shares * w[:, None])
    np.add.at(product, positions, w[:, None] * shares * (along - (shares * along).sum(axis=1, keepdims=True)))
    return [np.array(value), slope.reshape(Z.shape), product.reshape(Z.shape)]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("joined", JOINED)
@pytest.mark.parametrize("form", TAKEN)
def test_exponentials_that_are_taken_keep_their_slopes_at_any_size(form: str, joined: str, dtype: str) -> None:
    rng = np.random.default_rng(0)
    positions = TAKEN[form](Positions, np.arange(ROWS * CLASSES).reshape(ROWS, CLASSES), index := rng.integers(0, 5, 9))
    known = form == "rows of a part"  # an extent less one, at the least
    Z, u = (sn.tensor(name, ROWS if known else n, CLASSES) for name in "Zu")
    P, w, i = sn.tensor("P", k, positions.shape[1]), sn.tensor("w", k), sn.tensor("i", k, dtype="int64")
    total = sn.sum(w * sn.log(JOINED[joined](P, TAKEN[form](sn, Z, i))))
    f = sn.compile([total, sn.grad(total, Z), sn.hvp(total, Z, u)], dtype=dtype)
    for _ in range(20):
        data = {
            "Z": rng.choice([0, 1.5, -200, 1000, -1000, 30], (ROWS, CLASSES)) + rng.normal(size=(ROWS, 1)),
            "P": rng.random(P_shape := (len(index), positions.shape[1])) * (rng.random(P_shape) < 0.7),
            "w": rng.random(len(index)),
            "u": rng.normal(size=(ROWS, CLASSES)),
        }
        data["P"][:, 0] += 0.1
        data = {name: values.astype(dtype) for name, values in data.items()}
        exact = _exact(
            positions=positions,
            beside=2.0 * (joined == "beside another"),
            **{name: a.astype(float) for name, a in data.items()},
        )
        for got, wanted, bound in zip(f(i=index, **data), exact, (4, 40, 400), strict=True):
            np.testing.assert_allclose(got, wanted, rtol=bound * EPS[dtype], atol=bound * EPS[dtype])
