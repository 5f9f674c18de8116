"""Running log-sum-exps of what is joined, cut and turned along another axis: slopes beyond the range of exp."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symnet as sn

m = sn.dim("m")
JOINED: dict[str, Any] = {
    "cut and joined": lambda xp, Z: xp.concat([Z[2:], Z[:2]]),
    "one row first": lambda xp, Z: xp.concat([Z[1:], Z[:1]]),
    "of three": lambda xp, Z: xp.concat([Z[2:], Z[:1], Z[1:2]]),
    "backwards": lambda xp, Z: xp.concat([Z[2:], Z[:2]])[::-1],
}


class Arrays:
    concat = staticmethod(np.concatenate)


def _slope(Z: np.ndarray) -> np.ndarray:
    """Of the sum of all running log-sum-exps of rows: Σ over k ≥ j of exp(z[j] - c[k])."""
    running = np.logaddexp.accumulate(Z, axis=1)
    with np.errstate(over="ignore"):
        return np.array([[np.exp(z[j] - c[j:]).sum() for j in range(len(z))] for z, c in zip(Z, running, strict=True)])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("rows", [m, 5])
@pytest.mark.parametrize("form", JOINED)
def test_a_running_logsumexp_of_joined_rows_has_its_slope_at_any_size(form: str, rows: Any, dtype: str) -> None:
    Z = sn.tensor("Z", rows, 4)
    f = sn.compile(sn.grad(sn.sum(sn.log(sn.cumsum(sn.exp(JOINED[form](sn, Z)), axis=1))), Z), dtype=dtype)
    rng = np.random.default_rng(0)
    for _ in range(10):
        data = (rng.choice([0, 2, -1000, 1000, 90], (5, 4)) + rng.normal(size=(5, 1))).astype(dtype)
        places = JOINED[form](Arrays, np.arange(5))
        expected = np.empty((5, 4))
        expected[places] = _slope(data.astype(float)[places])
        np.testing.assert_allclose(f(Z=data), expected, rtol=2000 * float(np.finfo(dtype).eps), atol=1e-30)
