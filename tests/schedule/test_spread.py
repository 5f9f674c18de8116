"""Several superblocks at once: what is spread, and that nothing but the order of units changes."""

from __future__ import annotations

import numpy as np
import pytest

import symnet as sn
from symnet.backends.llvm.targets import target_for
from symnet.loops.ir import Program
from symnet.loops.order import check_order
from symnet.loops.verifier import verify
from tests.schedule.orders import check_every_order

AVX2 = target_for("x86_64-unknown-linux-gnu", features="+avx2,+fma")
m = sn.dim("m")
x, X, w = sn.tensor("x", m), sn.tensor("X", m, 3), sn.tensor("w", 3)

STORED = sn.tanh(X @ w)

FORMS = {
    "sum": [sn.sum(x)],
    "of a function": [sn.sum(sn.tanh(x) ** 2)],
    "largest": [sn.max(x), sn.min(X, axis=0)],
    "columns": [sn.sum(sn.exp(-X), axis=0)],
    "all": [sn.sum(X * X)],
    "logistic": [*sn.grad(sn.mean(sn.softplus(X @ w)), [w]), sn.mean(sn.softplus(X @ w))],
    "two sweeps": [sn.exp(x - sn.logsumexp(x))],
    "rows": [sn.softmax(X)],
    "known": [sn.sum(sn.tanh(sn.tensor("k", 20_000)))],
}


def program(name: str) -> Program:
    found = sn.compile(FORMS[name], stop_after="schedule", target=AVX2)
    verify(found)
    check_order(found)
    return found


def phases(found: Program) -> list[str]:
    return [phase.name for _, phase in found.phases()]


@pytest.mark.parametrize("name", [name for name in FORMS if name != "rows"])
def test_light_rows_with_few_results_are_spread(name: str) -> None:
    assert "parts_0" in phases(program(name))


def test_rows_without_sums_wait_for_nobody() -> None:
    assert phases(program("rows")) == ["rows_0"]


@pytest.mark.parametrize(
    "form",
    [
        X.T @ sn.tanh(X @ sn.tensor("W", 3, 90)),  # rows are long
        sn.sum(sn.tensor("Z", m, 4000), axis=0),  # many results
        sn.sum((STORED[1:] - STORED[:-1]) ** 2),  # rows reach further
        sn.prod(x),  # its order counts
    ],
)
def test_others_are_not(form: sn.Node) -> None:
    assert not [p for p in phases(sn.compile(form, stop_after="schedule", target=AVX2)) if p.startswith("parts")]


@pytest.mark.parametrize("rows", [0, 1, 255, 257, 2049, 9000])
@pytest.mark.parametrize("name", FORMS)
def test_units_in_any_order_give_what_the_reference_gives(name: str, rows: int) -> None:
    if rows == 0 and name in ("largest", "two sweeps", "logistic"):
        pytest.skip("nothing of no rows")
    check_every_order(program(name), FORMS[name], rows, 1e-12)


@pytest.mark.parametrize("name", FORMS)
def test_the_workspace_does_not_grow(name: str) -> None:
    f = sn.compile(FORMS[name])
    if f.signature.dims:
        assert f.workspace_bytes(m=3000) == f.workspace_bytes(m=10**8) <= 1 << 18


def test_values_are_those_of_any_number_of_threads() -> None:
    rng = np.random.default_rng(0)
    for name, forms in FORMS.items():
        one, two, three = (sn.compile(forms, threads=n) for n in (1, 2, 3))
        data = {b.name: rng.normal(size=[getattr(n, "value", 70_001) for n in b.shape]) for b in one.signature.inputs}
        expected = one(**data)
        for f in (two, three):
            for a, b in zip(f(**data), expected, strict=True):
                np.testing.assert_array_equal(a, b, err_msg=name)
