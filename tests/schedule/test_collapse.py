"""Short rows become one long row: the loops read as they should, and not a bit changes, in any order or in place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.compiler import compile_in_place
from symnet.expr.nodes.symbols import check_leaves
from symnet.loops import interpreter
from symnet.loops.integers import IntConst
from symnet.loops.ir import For, Program, walk
from symnet.reference import evaluate
from symnet.schedule import alike

m, n = sn.dim("m"), sn.dim("n")
SIZES = {"m": 37, "n": 3}


def _leaves(columns: Any) -> list[Any]:
    return [sn.tensor(name, m, columns) for name in "XYZ"]


def elementwise(columns: Any) -> list[Any]:
    X, Y, Z = _leaves(columns)
    return [X * Y + sn.tanh(Z) * sn.tensor("s"), sn.where(X > 0, Y, Z)]


def gradient(columns: Any) -> list[Any]:
    X, Y, _ = _leaves(columns)
    W = sn.tensor("W", columns, 7)
    loss = sn.sum(sn.tanh(sn.sin(X * Y) @ W) ** 2)
    return [loss, sn.grad(loss, W), sn.grad(loss, X)]


def moments(columns: Any) -> list[Any]:
    w, g, v = (sn.tensor(name, 6, 5, columns) for name in "wgv")
    mean = v + 0.1 * (g - v)
    return [w - mean / (sn.sqrt(mean * mean) + 1), mean]


def neighbours(columns: Any) -> list[Any]:
    X, Y, _ = _leaves(columns)
    return [X[1:] - X[:-1], X * sn.tensor("b", columns), X + sn.sum(Y, axis=1, keepdims=True), X[:, ::-1] * Y]


def positions(columns: Any) -> list[Any]:
    X, _, _ = _leaves(columns)
    return [X + sn.arange(m)[:, None], X * sn.arange(columns) + 1]


MODELS = (elementwise, gradient, moments, neighbours, positions)


def _program(monkeypatch: pytest.MonkeyPatch, roots: list[Any], target: str | None, join: bool) -> Program:
    with monkeypatch.context() as patch:
        if not join:
            patch.setattr(alike, "collapsed", lambda body, target: body)
        return sn.compile(roots, dtype="float32", target=target, stop_after="schedule")


def _joined(program: Program) -> list[For]:
    statements = [s for _, phase in program.phases() for s in walk(phase.body)]
    return [s for s in statements if isinstance(s, For) and s.var.endswith("_flat")]


def _data(program: Program, rng: np.random.Generator) -> dict[str, np.ndarray]:
    shapes = {b.name: [e.value if isinstance(e, IntConst) else SIZES[e.name] for e in b.shape] for b in program.inputs}  # type: ignore[attr-defined]
    return {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


@pytest.mark.parametrize("columns", [1, 3, 10, 16, 17, 40, 64, n], ids=str)
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
@pytest.mark.parametrize("target", ["x86-64-v4", "x86-64-v3", "cortex-m0"])
def test_not_a_bit_changes(monkeypatch, rng, model, columns, target) -> None:
    before, after = (_program(monkeypatch, model(columns), target, join) for join in (False, True))
    data, dims = _data(after, rng), {name: SIZES[name] for name in after.dims}
    wanted, found = (interpreter.run(program, data, dims=dims) for program in (before, after))
    for name, array in wanted.items():
        if array.ndim == 0:  # all rows are added up, in the order of one
            np.testing.assert_allclose(found[name], array, rtol=1e-6)
        else:
            np.testing.assert_array_equal(found[name], array, err_msg=name)
    assert not _joined(before)


@pytest.mark.parametrize("columns, target, joins", [
    (1, "x86-64-v4", False), (3, "x86-64-v4", True), (10, "x86-64-v4", True), (16, "x86-64-v4", True),
    (48, "x86-64-v4", False), (100, "x86-64-v4", True), (300, "x86-64-v4", False), (n, "x86-64-v4", True),
    (10, "x86-64-v3", True), (24, "x86-64-v3", False), (10, "cortex-m4", False),
])  # fmt: skip
def test_rows_that_leave_lanes_empty_are_joined(columns: Any, target: str, joins: bool) -> None:
    loops = _joined(sn.compile(elementwise(columns), dtype="float32", target=target, stop_after="schedule"))
    assert bool(loops) == joins
    assert all(loop.kind == "vector" and loop.cut is not None for loop in loops)


def test_what_knows_its_row_or_column_stays() -> None:
    assert not _joined(sn.compile(positions(10), target="x86-64-v4", stop_after="schedule"))


@pytest.mark.parametrize("columns", [3, 10, 17])
def test_an_update_in_place_stays_in_place(rng: np.random.Generator, columns: int) -> None:
    w, g, v = (sn.tensor(name, 60, columns) for name in "wgv")
    mean = (v + 0.1 * (g - v)).named("new_v")
    new = (w - mean / (sn.sqrt(mean * mean) + 1)).named("new_w")
    f = compile_in_place([new, mean], {"w": "new_w", "v": "new_v"}, None, name="moved")
    assert ".flat" in str(f.loops) and ".kept" not in str(f.loops) and f.workspace_bytes() == 0
    arrays = {name: rng.normal(size=(60, columns)) for name in "wgv"}
    wanted = [np.array(x) for x in sn.compile([new, mean])(**arrays)]
    f(**arrays, out=(arrays["w"], arrays["v"]))
    np.testing.assert_array_equal(arrays["w"], wanted[0])
    np.testing.assert_array_equal(arrays["v"], wanted[1])


def test_an_output_that_comes_too_early_is_computed_apart_as_long_rows(rng: np.random.Generator) -> None:
    w = sn.tensor("w", 60, 10)
    f = compile_in_place([(2 * w).named("new_w"), sn.sum(w, axis=0) * w], {"w": "new_w"}, None, name="apart")
    x = rng.normal(size=(60, 10))
    wanted = 2 * x, x.sum(0) * x
    found = f(w=x, out=(x, None))
    for got, exact in zip(found, wanted, strict=True):
        np.testing.assert_allclose(got, exact, rtol=1e-13)


@pytest.mark.parametrize("model", MODELS[:3], ids=lambda model: model.__name__)
def test_long_rows_take_no_more_memory(monkeypatch, model) -> None:
    sizes = []
    for join in (False, True):
        with monkeypatch.context() as patch:
            if not join:
                patch.setattr(alike, "collapsed", lambda body, target: body)
            patch.setenv("SYMNET_CACHE", "0")
            f = sn.compile(model(10), dtype="float32", name=f"{model.__name__}_{join}")
        sizes.append(f.workspace_bytes(**dict.fromkeys(f.signature.dims, 1000)))
    assert sizes[0] == sizes[1]


@pytest.mark.parametrize("columns", [1, 2, 10, 17, n], ids=str)
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_machine_code_gives_the_numbers_of_the_reference(rng, model, columns) -> None:
    roots = model(columns)
    one, two = (sn.compile(roots, threads=threads) for threads in (1, 2))
    data = {leaf.name: rng.normal(size=[e if isinstance(e, int) else {"m": 700, "n": 5}[str(e)] for e in leaf.shape])
            for leaf in check_leaves("", roots)}  # fmt: skip
    wanted = evaluate(roots, data, leaves=check_leaves("", roots))
    for got, same, exact in zip(one(**data), two(**data), wanted, strict=True):
        np.testing.assert_array_equal(got, same)
        np.testing.assert_allclose(got, exact, rtol=1e-11, atol=1e-11)
