"""Second derivatives of functions of distances where points coincide: 0 there, by norm′(0) = 0, right elsewhere."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symnet as sn

m = sn.dim("m")
SPELLINGS: dict[str, Callable[[Any], Any]] = {
    "norm": lambda d: sn.norm(d, axis=-1),
    "root of squares": lambda d: sn.sqrt(sn.sum(d**2, axis=-1)),
    "root of a contraction": lambda d: sn.sqrt(
        sn.einsum("ijk,ijk->ij", d, d) if d.rank == 3 else sn.sum(d * d, axis=-1)
    ),
}
FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "distance": lambda r: r,
    "exponential": lambda r: sn.exp(-r),
    "Matern 3/2": lambda r: (1 + 3**0.5 * r) * sn.exp(-(3**0.5) * r),
    "Matern 5/2": lambda r: (1 + 5**0.5 * r + 5 * r**2 / 3) * sn.exp(-(5**0.5) * r),
    "Huber": lambda r: sn.where(r < 1, r**2 / 2, r - 0.5),
    "logarithm": lambda r: sn.log(1 + r),
    "tanh": lambda r: sn.tanh(r),
    "sine": lambda r: sn.sin(r) * r,
    "cube": lambda r: r**3,
}


def pairs(x: Any) -> Any:
    return x[:, None, :] - x[None, :, :]


def taken(x: Any) -> Any:
    return sn.take(x, sn.constant(np.array([0, 1, 2, 2]))) - sn.take(x, sn.constant(np.array([1, 1, 3, 0])))


CASES = [  # every spelling with every function, known and symbolic extents in turn
    (spelling, function, number % 2 == 0)
    for number, (spelling, function) in enumerate(itertools.product(SPELLINGS, FUNCTIONS))
]


@pytest.mark.parametrize(("spelling", "function", "known"), CASES)
def test_coincident_points_leave_the_others_as_they_are(spelling: str, function: str, known: bool) -> None:
    """Both precisions against differences of the float64 slope, which is finite."""
    rng = np.random.default_rng(1)
    data = {name: rng.normal(size=(4, 3)).astype("f4") for name in ("X", "V")}
    wide = {name: array.astype("f8") for name, array in data.items()}
    X, V = (sn.tensor(name, 4 if known else m, 3) for name in "XV")
    for differences in (pairs, taken):
        L = sn.sum(FUNCTIONS[function](SPELLINGS[spelling](differences(X))))
        outputs = [sn.grad(L, X), sn.hvp(L, X, V)]
        exact, single = sn.compile(outputs), sn.compile(outputs, dtype="float32")
        sides = [exact(X=wide["X"] + h * wide["V"], V=wide["V"])[0] for h in (1e-6, -1e-6)]
        wanted = (sides[0] - sides[1]) / 2e-6
        size = np.abs(wanted).max()
        for (slope, curved), digits in ((exact(**wide), 1e-7), (single(**data), 1e-4)):
            assert np.isfinite(slope).all()
            np.testing.assert_allclose(curved, wanted, atol=digits * size)


def test_the_curvature_of_a_norm_is_0_at_0() -> None:
    x, u = sn.tensor("x", 3), sn.tensor("u", 3)
    at_zero, at_center = sn.compile(sn.hessian(sn.norm(x), x)), sn.compile(sn.hessian(sn.norm(x - u), x))
    assert np.array_equal(at_zero(x=np.zeros(3)), np.zeros((3, 3)))
    assert np.array_equal(at_center(x=np.ones(3), u=np.ones(3)), np.zeros((3, 3)))
    assert np.array_equal(sn.compile(sn.hvp(sn.norm(x), x, u))(x=np.zeros(3), u=np.ones(3)), np.zeros(3))
