"""Arrays read across their rows, by squares: whole ones and those at the edges, and nothing beside the array."""

from __future__ import annotations

import numpy as np
import pytest

import symnet as sn
from tests.fuzz.guarded import guarded

SIDES = (1, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 64, 70)
MAPS = {
    "transposed": (lambda xp, x: x.T * 2, lambda x: x.T * 2),
    "reversed": (lambda xp, x: x[:, ::-1] + 1, lambda x: x[:, ::-1] + 1),
    "reversed rows, transposed": (lambda xp, x: (x[::-1] + 1).T, lambda x: (x[::-1] + 1).T),
    "with its transpose": (lambda xp, x: sn.concat([x.T, 2 * x.T], axis=0), lambda x: np.concatenate([x.T, 2 * x.T])),
}


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
@pytest.mark.parametrize("name", MAPS)
@pytest.mark.parametrize("is_known", [True, False])
def test_squares_at_the_edges_read_what_there_is(rng, dtype, name, is_known):
    formula, truth = MAPS[name]
    m, n = sn.dim("m"), sn.dim("n")
    kinds = {"dtype": "int64"} if dtype == "int64" else {}
    compiled = None
    for rows, columns in [(a, b) for a in SIDES for b in SIDES if (a * 7 + b) % (11 if is_known else 3) == 0]:
        if is_known or compiled is None:
            shape = (rows, columns) if is_known else (m, n)
            compiled = sn.compile(formula(np, sn.tensor("x", *shape, **kinds)), dtype=dtype if not kinds else "float64")
        x = rng.integers(-50, 50, size=(rows, columns)).astype(dtype)
        for at_end in (True, False):
            given = guarded(x, at_end)
            np.testing.assert_array_equal(compiled(x=given), truth(x), err_msg=f"{name} {rows}×{columns}")


def test_narrow_arrays_are_not_gathered_where_masked_loads_are_cheap():
    for shape in ((1000, 7), (7, 1000), (sn.dim("m"), sn.dim("n"))):
        text = sn.compile(sn.tensor("x", *shape).T * 2, dtype="float32", target="x86-64-v4").llvm_ir
        assert "masked.gather" not in text, shape
