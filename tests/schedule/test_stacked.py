"""Stacks of products: whose matrices are read once for a superblock of rows, and that nothing but the order changes."""

from __future__ import annotations

import itertools
from math import prod
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.backends.llvm.targets import target_for
from symnet.loops import interpreter
from symnet.loops.accesses import reads
from symnet.loops.ir import IntConst, Phase, Program
from symnet.loops.limits import limit
from symnet.loops.order import check_order
from symnet.loops.substitute import int_variables
from symnet.loops.verifier import verify
from symnet.reference.evaluation import evaluate
from symnet.schedule import stacked
from symnet.schedule.budget import within, workspace_limit
from symnet.schedule.program import schedule
from symnet.schedule.reuse import reused
from symnet.schedule.superblock import FEW, FEW_CACHE, SHARING
from tests.schedule.nests import lowered
from tests.schedule.orders import check_every_order

AVX2 = target_for("x86_64-unknown-linux-gnu", features="+avx2,+fma")
m, n = sn.dim("m"), sn.dim("n")

# A product of rows and a stack F of matrices: how its operands and its result are spelled.
SPELLINGS = ["mkj,kji->mki", "mkj,kij->mki", "mj,kji->mki", "mkj,jki->mki", "kmj,kij->kmi", "mkj,kij->mik"]
REST = {
    "value": lambda z, a: z,
    "function": lambda z, a: sn.tanh(z) * a["s"],
    "loss": lambda z, a: sn.sum(sn.tanh(z)),
    "norms": lambda z, a: sn.logsumexp(-sn.sum(z * z, axis=2), axis=1),
    "shares": lambda z, a: sn.sum(sn.softmax(-sn.sum(z * z, axis=2), axis=1) * a["w"]),
}


def product(spelling: str, matrices: Any = 9, inside: int = 5, columns: int = 6) -> tuple[Any, dict[str, Any]]:
    """The product of a spelling, and its leaves: rows X, matrices F."""
    sizes = {"m": m, "k": matrices, "j": inside, "i": columns}
    given, result = spelling.split("->")
    X, F = (sn.tensor(name, *(sizes[c] for c in axes)) for name, axes in zip("XF", given.split(","), strict=True))
    a = {"X": X, "F": F, "s": sn.tensor("s", *(sizes[c] for c in result if c != "m")), "w": sn.tensor("w", matrices)}
    return sn.einsum(spelling, X, F), a


def forms(spelling: str, rest: str) -> list[sn.Node]:
    """What is made of a product: rows, or a loss with its gradients."""
    z, a = product(spelling)
    if spelling.split("->")[1] != "mki" and rest in ("norms", "shares", "function"):
        z = sn.einsum(f"{spelling.split('->')[1]}->mki", z)
        a["s"] = sn.tensor("s", 9, 6)
    root = REST[rest](z, a)
    if rest not in ("loss", "shares"):
        return [root]
    return [root, *sn.grad(root, [a["X"], a["F"]])]


CASES = list(itertools.product(SPELLINGS, REST))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Arrays of a few numbers are large."""
    monkeypatch.setattr(stacked, "SHARED", 64)
    monkeypatch.setattr(stacked, "NEAR", 64)
    monkeypatch.setattr(stacked, "LEAST_BYTES", 8)


def scheduled(roots: list[sn.Node]) -> Program:
    found = sn.compile(roots, stop_after="schedule", target=AVX2)
    verify(found)
    check_order(found)
    return found


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(("spelling", "rest"), CASES)
@pytest.mark.parametrize("rows", [1, 65, 300])
def test_units_in_any_order_give_what_the_reference_gives(spelling: str, rest: str, rows: int) -> None:
    roots = forms(spelling, rest)
    check_every_order(scheduled(roots), roots, rows, tolerance=1e-9)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("rest", ["loss", "norms"])
@pytest.mark.parametrize("rows", [0, 1, 70])
def test_matrices_may_be_as_many_as_the_call_says(rest: str, rows: int) -> None:
    z, a = product("mkj,kji->mki", n, 3, 4)
    root = REST[rest](z, a)
    roots = [root, *sn.grad(sn.sum(root), [a["F"]])]
    found = scheduled(roots)
    data = {
        b.name: np.random.default_rng(0).normal(size=shape)
        for b, shape in zip(found.inputs, ((rows, 11, 3), (11, 3, 4)), strict=True)
    }
    runs = [interpreter.run(found, data, dims={"m": rows, "n": 11}, unit_order=k) for k in ("forward", "reversed")]
    for output, form in zip(found.outputs, roots, strict=True):
        np.testing.assert_array_equal(runs[0][output.name], runs[1][output.name])
        np.testing.assert_allclose(runs[0][output.name], evaluate(form, data), rtol=1e-9, atol=1e-9)


def matrix_phases(found: Program, names: set[str]) -> list[Phase]:
    """The repeated phases that multiply by elements of the matrices or a copy of them."""
    copies = names | {b.name for b in found.workspace if "packed" in b.name}
    repeated = [p for group in found.groups if group.repeat != IntConst(1) for p in group.phases]
    return [p for p in repeated if {b.name for b, _ in reads(p.body)} & copies]


@pytest.mark.parametrize("rest", ["loss", "norms", "shares"])
@pytest.mark.parametrize("spelling", [s for s in SPELLINGS if s.endswith("mki")])
@pytest.mark.parametrize(
    ("matrices", "width", "dtype"), [(100, 64, "float64"), (1000, 24, "float32"), (16, 64, "float32")]
)
def test_large_stacks_go_matrix_by_matrix(spelling, rest, matrices, width, dtype):
    z, a = product(spelling, matrices, width, width)
    root = REST[rest](z, a)
    roots = [root, *sn.grad(sn.sum(root), [a["F"]])]
    found = sn.compile(roots, stop_after="schedule", target=AVX2, dtype=dtype)
    phases = matrix_phases(found, {"F"})
    assert phases and not any("m" in int_variables(p.units) for p in phases)


@pytest.mark.parametrize(
    ("matrices", "width"), [(4, 256), (10_000, 8), (8, 64)], ids=["few", "small", "near and without sums"]
)
def test_few_or_small_matrices_go_in_units_of_rows(matrices: int, width: int) -> None:
    z, a = product("mkj,kji->mki", matrices, width, width)
    phases = matrix_phases(sn.compile(REST["shares"](z, a), stop_after="schedule", target=AVX2), {"F"})
    assert phases and all("m" in int_variables(p.units) for p in phases)


def mixture(components: int, width: int) -> list[sn.Node]:
    """A loss of Gaussians with factors of their precisions, and its gradients."""
    X, C, F = sn.tensor("X", m, width), sn.tensor("C", components, width), sn.tensor("F", components, width, width)
    scaled = sn.einsum("kij,mkj->mki", F, X[:, None, :] - C)
    loss = -sn.sum(sn.logsumexp(-sn.sum(scaled * scaled, axis=2) / 2, axis=1))
    return [loss, *sn.grad(loss, [C, F])]


@pytest.mark.parametrize(("components", "width"), [(100, 64), (200, 32), (30, 100), (16, 128)])
def test_rows_share_matrices_and_fill_no_more_than_these_and_their_sums(components: int, width: int) -> None:
    found = reused(sn.compile(mixture(components, width), stop_after="schedule", target=AVX2))
    held = [b for b in found.workspace if b.name in found.streamed and b.view_of is None]
    (rows,) = {limit(b.shape[b.batch_axis]) for b in held if b.batch_axis is not None}
    assert FEW <= (rows or 0) <= SHARING
    matrices = 8 * components * width**2  # there are two copies, sums, and what these rounded away
    assert sum(8 * prod(limit(n) or 0 for n in b.shape) for b in held) <= max(4.1 * matrices, FEW_CACHE)
    assert (workspace_limit(found) or 0) <= max(8.2 * matrices, 4.1 * matrices + FEW_CACHE)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_any_number_of_threads_gives_the_same_bits(dtype: str) -> None:
    roots = mixture(120, 24)
    one, *others = (sn.compile(roots, dtype=dtype, threads=k) for k in (1, 2, 3))
    for rows in (0, 1, 63, 64, 65, 200):
        rng = np.random.default_rng(rows)
        shapes = {"X": (rows, 24), "C": (120, 24), "F": (120, 24, 24)}
        data = {name: rng.normal(size=shape).astype(dtype) for name, shape in shapes.items()}
        values = one(**data)
        for other in others:
            assert all(np.array_equal(a, b) for a, b in zip(values, other(**data), strict=True))
        exact = {name: array.astype("float64") for name, array in data.items()}
        for found, root in zip(values, roots, strict=True):
            wanted = evaluate(root, exact)
            bound = (1e-5 if dtype == "float32" else 1e-13) * (np.abs(wanted).max() + 1)
            np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=bound)


@pytest.mark.usefixtures("small")
def test_a_budget_takes_rows_away() -> None:
    roots, most = forms("mkj,kij->mki", "loss"), 12_000
    whole = lowered(*roots)
    found = within(lambda target, rows: schedule(whole, target, rows), [AVX2], most)
    assert isinstance(found, tuple)
    (program,) = found
    assert (workspace_limit(reused(program)) or 0) <= most < (workspace_limit(reused(schedule(whole, AVX2))) or 0)
    check_every_order(program, roots, 50, tolerance=1e-9)
