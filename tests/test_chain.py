"""Every case of the shared list through every floor of the house, in both real dtypes; and its gradient likewise.

Then the testers are tested: a corrupted floor must be caught, and named.
"""

from __future__ import annotations

import numpy as np
import pytest

from symnet import dtypes
from symnet.calculus.grad import grad
from symnet.expr.nodes.contraction import sum as total
from symnet.expr.nodes.node import Node
from symnet.loops.ir import IntConst
from symnet.lower import elementwise as lowered_elementwise
from symnet.reference import elementwise as reference_elementwise
from symnet.schedule import tile
from symnet.schedule.target import Target
from tests import chain
from tests.cases import CASES, Case, case_named

BASELINE = Target("x86_64-unknown-linux-gnu", "x86-64", "", vector_bits=128, registers=16)
AVX2 = Target("x86_64-unknown-linux-gnu", "haswell", "", vector_bits=256, fma=True, registers=16)


@pytest.mark.parametrize("real", ["float64", "float32"])
@pytest.mark.parametrize("case", CASES, ids=repr)
def test_every_floor_agrees_with_the_reference(case: Case, real: str, rng: np.random.Generator) -> None:
    chain.check(chain.floors(case.roots, case.data(rng), case.dims, real), chain.TOLERANCE[real])


def loss_of(roots: list[Node]) -> Node:
    """A scalar that depends on every real root in a different way."""
    reals = [r for r in roots if dtypes.is_real(r.dtype)]
    return sum(
        (total(r * r) * (k + 1) + total(r) for k, r in enumerate(reals[1:], 1)), start=total(reals[0] * reals[0])
    )


@pytest.mark.parametrize("case", [c for c in CASES if c.wrt], ids=repr)
def test_every_floor_agrees_on_the_gradient(case: Case, rng: np.random.Generator) -> None:
    gradients = grad(loss_of(case.roots), case.targets)
    chain.check(chain.floors(gradients, case.data(rng), case.dims, "float64"), 1e-8)


@pytest.mark.parametrize("target", [BASELINE, AVX2], ids=["128 bits", "256 bits"])
@pytest.mark.parametrize("name", ["affine layer", "tanh network", "take rows", "softmax", "sums along axes"])
def test_schedules_for_other_machines_agree_when_interpreted(
    name: str, target: Target, rng: np.random.Generator
) -> None:
    case = case_named(name)
    stages = (
        pair for pair in chain.floors(case.roots, case.data(rng), case.dims, "float64", target) if pair[0] != "native"
    )
    chain.check(stages, chain.TOLERANCE["float64"])


def test_a_wrong_operation_in_the_lowering_is_caught_and_named(
    monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    monkeypatch.setitem(lowered_elementwise._EMIT, "tanh", lowered_elementwise._direct("sinh"))
    case = case_named("tanh")
    with pytest.raises(chain.Disagreement, match="the floor 'loops' disagrees") as caught:
        chain.check(chain.floors(case.roots, case.data(rng), case.dims, "float64"), 1e-9)
    assert caught.value.floor == "loops"


def test_an_off_by_one_tile_is_caught_and_named(monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator) -> None:
    true = tile.int_floordiv
    monkeypatch.setattr(tile, "int_mod", lambda value, divisor: IntConst(0))  # the rest of the rows is forgotten
    assert tile.int_floordiv is true
    case = case_named("affine layer")
    with pytest.raises(chain.Disagreement, match="the floor 'schedule' disagrees"):
        chain.check(chain.floors(case.roots, case.data(rng), case.dims, "float64"), 1e-9)


def test_a_wrong_reference_is_caught_by_the_floors_below(
    monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    monkeypatch.setitem(reference_elementwise.MEANING, "tanh", np.sinh)
    case = case_named("tanh")
    with pytest.raises(chain.Disagreement, match="the floor 'loops' disagrees"):
        chain.check(chain.floors(case.roots, case.data(rng), case.dims, "float64"), 1e-9)
