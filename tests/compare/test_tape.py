"""The tape: over the shared cases its values are the reference's, its gradients those of the calculus."""

from __future__ import annotations

import numpy as np
import pytest

import symnet as sn
from symnet.calculus.grad import grad
from symnet.compare.straight import CONSTANTS, ON_PAPER, STATICS, TRANSPARENT
from symnet.compare.tape import Tape, TapeProgram, TapeValue, contraction, elementwise, reduction
from symnet.compare.tape.program import OPERATIONS, STEP
from symnet.errors import MissingRuleError
from symnet.expr.nodes.extents import Dim
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.primitives import PRIMITIVES
from symnet.expr.nodes.reduction import REDUCTIONS
from symnet.reference import bind_dims, evaluate
from symnet.reference.evaluation import MEANING
from tests.cases import CASES, Case
from tests.diff.checking import directions, weighted
from tests.kinds import NUMERIC

SMOOTH = [case for case in CASES if case.wrt]


def program(case: Case, rng: np.random.Generator) -> tuple[TapeProgram, Node, dict[str, np.ndarray]]:
    _, v, data = directions(case, rng)
    scalar = weighted(case, v)
    dims = {**bind_dims([*case.leaves, *v], data), **{Dim(name): value for name, value in case.dims.items()}}
    return TapeProgram(scalar, case.targets, dims, "float64"), scalar, data


@pytest.mark.parametrize("case", SMOOTH, ids=repr)
def test_a_gradient_of_the_tape_is_that_of_the_calculus(case: Case, rng: np.random.Generator) -> None:
    run, scalar, data = program(case, rng)
    value, gradients, _ = run.value_and_grad(data)
    np.testing.assert_allclose(value, evaluate(scalar, data, leaves=case.leaves), rtol=1e-10, atol=1e-12)
    assert run.value(data) == value
    truth = evaluate(grad(scalar, case.targets), data, leaves=case.leaves)
    for found, expected in zip(gradients, truth, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("case", SMOOTH, ids=repr)
def test_a_complex_step_is_the_gradient_along_its_direction(case: Case, rng: np.random.Generator) -> None:
    run, scalar, data = program(case, rng)
    _, gradients, _ = run.value_and_grad(data)
    towards = [rng.normal(size=np.shape(data[leaf.name])) for leaf in case.targets]
    step = STEP[16]
    moved = {leaf.name: data[leaf.name] + 1j * step * v for leaf, v in zip(case.targets, towards, strict=True)}
    with np.errstate(all="ignore"):
        found = TapeProgram(scalar, case.targets, run.dims, "complex128").value({**data, **moved})
    expected = sum(float(np.sum(g * v)) for g, v in zip(gradients, towards, strict=True))
    np.testing.assert_allclose(np.imag(found) / step, expected, rtol=1e-9, atol=1e-10)


def test_the_tape_knows_every_kind_of_node() -> None:
    assert set(OPERATIONS) == set(STATICS)
    assert {*OPERATIONS, *CONSTANTS, *TRANSPARENT, *ON_PAPER} == set(MEANING) - NUMERIC
    named = set(PRIMITIVES) - {"function"}  # replaced by its body
    assert set(elementwise.FORWARD) | {"indicator"} >= named
    assert set(elementwise.PULLS) | {"add", "mul", "where", "indicator"} | set(elementwise.FLAT) >= named
    assert set(reduction.FORWARD) == set(REDUCTIONS)


def test_a_kind_that_the_tape_does_not_know_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(OPERATIONS, "reduce")
    x = sn.tensor("x", 3)
    with pytest.raises(MissingRuleError, match=r"reduce nodes, which the tape lacks; got Reduce.*tape/program\.py"):
        TapeProgram(sn.max(x), [x], {}, "float64")


def test_a_wrong_pullback_is_caught(monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator) -> None:
    monkeypatch.setitem(elementwise.PULLS, "tanh", (lambda g, y, x: g * (1 - y),))
    x = sn.tensor("x", 3)
    found = sn.compare(sn.sum(sn.tanh(x)), x, {"x": rng.normal(size=3)}, repeats=1)
    compiled, taped, differences = (row.error for row in found.rows)
    assert taped > 1e-2 and compiled < 1e-15 and differences < 1e-7


def test_what_nobody_differentiates_by_is_not_recorded() -> None:
    tape = Tape()
    a, b = TapeValue(np.ones(3), needs=True), TapeValue(np.ones(3))
    elementwise.elementwise(tape, b, b, op="mul", dtype="float64")
    assert tape.operations == []
    elementwise.elementwise(tape, a, b, op="mul", dtype="float64")
    assert len(tape.operations) == 1
    silent = Tape(recording=False)
    elementwise.elementwise(silent, a, b, op="mul", dtype="float64")
    assert silent.operations == []


def test_a_subtraction_is_one_operation() -> None:
    x, y = sn.tensor("x", 3), sn.tensor("y", 3)
    run = TapeProgram(sn.sum((x - y) / y), [x], {}, "float64")
    spelled = [call.keywords.get("op", "einsum") for _, call, _ in run.calls]  # type: ignore[attr-defined]
    assert spelled == ["subtract", "divide", "einsum"]


@pytest.mark.parametrize(
    "subscripts",
    ["ij,jk->ik", "ij,kj->ki", "ij->ji", "ij->", "ii->i", "ij,ij->i", "i,j->ij", "ij,k->k", "ij,jk,kl->il"],
)
def test_a_contraction_is_numpys_einsum(subscripts: str, rng: np.random.Generator) -> None:
    left, _, right = subscripts.partition("->")
    arrays = [rng.normal(size=[3] * len(group)) for group in left.split(",")]
    inputs = tuple(tuple(map(ord, group)) for group in left.split(","))
    found = contraction.contract(
        arrays, [tuple(i - 97 for i in ix) for ix in inputs], tuple(ord(c) - 97 for c in right)
    )
    np.testing.assert_allclose(found, np.einsum(subscripts, *arrays), rtol=1e-12)


def test_a_value_used_often_collects_every_contribution() -> None:
    y = x = sn.scalar("x")
    for _ in range(60):
        y = y + y
    run = TapeProgram(y, [x], {}, "float64")
    _, (slope,), tape = run.value_and_grad({"x": np.array(1.0)})
    assert slope == 2.0**60 and len(tape.operations) == 60
