"""Forward mode with dual numbers: over the shared cases its slopes are the tape's gradients, all directions at once."""

from __future__ import annotations

import numpy as np
import pytest

import symnet as sn
from symnet.compare.duals import DualProgram
from symnet.compare.duals.program import DUALS
from symnet.compare.methods.duals import DualNumbers
from symnet.compare.problem import problem_of
from symnet.compare.scalars.slopes import SLOPES
from symnet.compare.straight import STATICS
from tests.cases import Case
from tests.compare.test_tape import SMOOTH, program


@pytest.mark.parametrize("case", SMOOTH, ids=repr)
def test_slopes_of_duals_are_those_of_the_tape(case: Case, rng: np.random.Generator) -> None:
    tape, scalar, data = program(case, rng)
    value, gradients, _ = tape.value_and_grad(data)
    directions = {leaf.name: rng.normal(size=(3, *np.shape(data[leaf.name]))) for leaf in case.targets}
    found, slopes = DualProgram(scalar, tape.dims, "float64").along(data, directions)
    np.testing.assert_allclose(found, value, rtol=1e-12, atol=1e-12)
    wanted = sum(
        (directions[leaf.name].reshape(3, -1) @ np.ravel(g) for leaf, g in zip(case.targets, gradients, strict=True)),
        np.zeros(3),
    )
    np.testing.assert_allclose(slopes, wanted, rtol=1e-9, atol=1e-10)


def test_duals_know_every_kind_of_node() -> None:
    assert set(DUALS.operations) == set(STATICS)


def test_a_wrong_slope_is_caught(monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator) -> None:
    monkeypatch.setitem(SLOPES, "tanh", (lambda n, y, x: 1 - y,))
    with pytest.raises(AssertionError):
        test_slopes_of_duals_are_those_of_the_tape(next(c for c in SMOOTH if "network" in repr(c)), rng)


def test_what_does_not_move_has_no_tangents() -> None:
    x, c = sn.tensor("x", 3), sn.tensor("c", 3)
    run = DualProgram(sn.sum(sn.exp(c)) + 0 * sn.sum(x), {}, "float64")
    assert run.along({"x": np.ones(3), "c": np.ones(3)}, {"x": np.eye(3)})[1].tolist() == [0, 0, 0]


def test_many_parameters_are_taken_in_blocks_and_large_ones_sampled(rng: np.random.Generator) -> None:
    w = sn.tensor("w", 100)
    method = DualNumbers(problem_of(sn.sum(w**3), w, {"w": np.ones(100)}, None, "gradient"))
    assert method.calls == 100 / 64 and not method.note
    found = method.answer()
    assert found.computed is not None and found.computed[0].all() and (found.arrays[0] == 3).all()
    w = sn.tensor("w", 1000)
    method = DualNumbers(problem_of(sn.sum(w**3), w, {"w": np.ones(1000)}, None, "gradient"))
    assert method.note.startswith("checked at 24 of 1000 coordinates") and method.answer().computed[0].sum() == 24
    assert method.operations.total > 1000 * 1000  # a direction touches every element, as duals know no zeros
