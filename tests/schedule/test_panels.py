"""Panels of operands that are read down their columns: NumPy's values at every edge, the bits of loops without a panel,
where there is one and where there is none, and how much of the frame they take.
"""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pytest

import symnet as sn
from symnet.loops import interpreter
from symnet.loops.verifier import verify
from symnet.schedule.panels import LEAST_TERMS, LEAST_VECTORS, NAME
from symnet.schedule.program import schedule
from symnet.schedule.target import Target
from tests.fuzz.guarded import guarded

m, k, n = sn.dim("m"), sn.dim("k"), sn.dim("n")
SIZES = [(9, 33, 265), (50, 256, 272), (65, 257, 256), (130, 600, 260)]
EXTENTS = {"known": "", "symbolic": "mkn", "terms symbolic": "k", "rows symbolic": "m", "columns symbolic": "n"}


def extents(size, which):
    """Numbers, or dims in their places."""
    return [{"m": m, "k": k, "n": n}[name] if name in which else count for name, count in zip("mkn", size, strict=True)]


def arrays(size, dtype, rng):
    rows, terms, columns = size
    return {
        "A": rng.standard_normal((terms, rows)).astype(dtype),
        "B": rng.standard_normal((terms, columns)).astype(dtype),
    }


def close(found, A, B, what=lambda z: z):
    exact = what(A.astype(float).T @ B.astype(float))
    bound = 4 * np.sqrt(max(len(A), 1)) * np.finfo(A.dtype).eps
    np.testing.assert_allclose(found, exact, rtol=bound, atol=bound * np.abs(exact).max(initial=1))


@pytest.mark.parametrize("which", EXTENTS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values_are_numpys_at_every_edge(which, dtype, rng):
    """Rows, terms and columns that fill no tile, block, panel or superblock, of memory that ends where they do."""
    for size in SIZES:
        rows, terms, columns = extents(size, EXTENTS[which])
        f = sn.compile(sn.tensor("A", terms, rows).T @ sn.tensor("B", terms, columns), dtype=dtype)
        data = arrays(size, dtype, rng)
        close(f(A=guarded(data["A"]), B=guarded(data["B"])), **data)
        if which == "symbolic":  # one function is right for all
            assert NAME in f.loops
            for other in (
                *SIZES,
                (8, 32, 200),
                (0, 40, 200),
                (40, 0, 200),
                (40, 40, 0),
                (1, 1, 1),
                (300, 70, 3),
                (7, 1000, 191),
            ):
                data = arrays(other, dtype, rng)
                close(f(A=guarded(data["A"]), B=guarded(data["B"])), **data)
            break


@pytest.mark.parametrize("terms", [100, 300, k])
@pytest.mark.parametrize("epilogue", ["bias", "tanh", "rows", "mean", "update"])
def test_what_becomes_of_the_sum_is_right(terms, epilogue, rng):
    size = (40, 300 if terms is k else terms, 240)
    data = arrays(size, "float64", rng)
    b, W = rng.standard_normal(240), rng.standard_normal((40, 240))
    made = {
        "bias": lambda z, b, W, f: z + b,
        "tanh": lambda z, b, W, f: f.tanh(z / 30 + b),
        "rows": lambda z, b, W, f: f.sum(z * z, axis=1),
        "mean": lambda z, b, W, f: z / size[1],
        "update": lambda z, b, W, f: W - 0.1 * z,
    }[epilogue]
    A, B = sn.tensor("A", terms, 40), sn.tensor("B", terms, 240)
    f = sn.compile(made(A.T @ B, sn.tensor("b", 240), sn.tensor("W", 40, 240), sn))
    assert NAME in f.loops
    given = {"A": data["A"], "B": data["B"], "b": b, "W": W}
    close(f(**{name: given[name] for name in f.inputs}), **data, what=lambda z: made(z, b, W, np))


@pytest.mark.parametrize("stack", [3, m])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "subscripts", ["bki,bkj->bij", "bki,bkj,bk->bij", "bki,kj->bij", "ki,bkj->bij", "kbi,kbj->bij"]
)
def test_each_matrix_of_a_stack_has_panels_of_its_own(subscripts, dtype, stack, rng):
    sizes = {"b": 3, "k": 70, "i": 20, "j": 270}
    *operands, _ = re.split(",|->", subscripts)
    data = {f"T{each}": rng.standard_normal([sizes[x] for x in each]).astype(dtype) for each in operands}
    leaves = [sn.tensor(f"T{each}", *(stack if x == "b" else sizes[x] for x in each)) for each in operands]
    f = sn.compile(sn.einsum(subscripts, *leaves), dtype=dtype)
    assert NAME in f.loops or (stack is m and ("ki" in operands or "kj" in operands))  # rows of a tile are matrices
    exact = np.einsum(subscripts, *(array.astype(float) for array in data.values()))
    bound = 100 * np.finfo(dtype).eps
    np.testing.assert_allclose(f(**data), exact, rtol=bound, atol=bound * np.abs(exact).max())


def test_gradients_of_layers_stream_through_panels_with_the_same_bits_on_every_thread(rng):
    X, T = sn.tensor("X", m, 70), sn.tensor("T", m, 10)
    widths = (70, 256, 260, 10)
    weights = [sn.tensor(f"W{number}", *shape) for number, shape in enumerate(pairwise(widths))]
    H = X
    for W in weights:
        H = sn.tanh(H @ W)
    loss = sn.sum((H - T) ** 2)
    one, three = (sn.value_and_grad(loss, weights, dtype="float32", threads=threads) for threads in (1, 3))
    assert one.loops.count(f"register {NAME}") >= 2
    exactly = sn.value_and_grad(loss, weights, dtype="float64")
    for rows in (1, 40, 256, 257, 700):
        data = {name: rng.standard_normal((rows, count)) for name, count in (("X", 70), ("T", 10))}
        data |= {W.name: rng.standard_normal(shape) / 12 for W, shape in zip(weights, pairwise(widths), strict=True)}
        (_, exact), given = exactly(**data), {name: array.astype("float32") for name, array in data.items()}
        (value, found), (again, others) = one(**given), three(**given)
        assert value == again
        for gradient, other, truth in zip(found, others, exact, strict=True):
            np.testing.assert_array_equal(gradient, other)
            np.testing.assert_allclose(gradient, truth, rtol=2e-3, atol=1e-5 * np.abs(truth).max())


@pytest.mark.parametrize("target", ["x86-64", "x86-64-v3", "x86-64-v4", "aarch64"])
@pytest.mark.parametrize("dtype", ["float32"])
def test_the_bits_are_those_without_a_panel(target, dtype, rng, monkeypatch):
    """The loops of both, as they are scheduled for machines of every width, run by the interpreter."""
    for terms, rows, columns in ((33, 19, 261), (k, 19, 261), (k, m, n)):
        formula = sn.tensor("A", terms, rows).T @ sn.tensor("B", terms, columns)
        size = (19, 33, 261)
        given, dims = arrays(size, dtype, rng), dict(zip("mkn", size, strict=True))
        found = []
        for room in (1 << 16, 1 << 15, 0):
            monkeypatch.setattr(Target, "frame_bytes", room)
            program = sn.compile(formula, dtype=dtype, target=target, stop_after="schedule")
            verify(program)
            assert (NAME in str(program)) == (room > 0)
            (made,) = interpreter.run(program, given, {name: dims[name] for name in program.dims}).values()
            found.append(made)
        for other in found[1:]:
            np.testing.assert_array_equal(found[0], other)


def test_where_copying_takes_longer_than_it_saves_there_is_none():
    def text(left, right, subscripts="ki,kj->ij", target="x86-64-v4"):
        leaves = sn.tensor("A", *left), sn.tensor("B", *right)
        return str(sn.compile(sn.einsum(subscripts, *leaves), dtype="float32", target=target, stop_after="schedule"))

    few = LEAST_VECTORS * 16
    assert NAME in text((64, 64), (64, few))
    assert NAME not in text((64, 64), (64, few - 1))
    assert NAME not in text((LEAST_TERMS - 1, 64), (LEAST_TERMS - 1, few))
    assert NAME not in text((64, 64), (64, few), "ik,kj->ij")  # read along its rows
    assert NAME not in text((5000, 64), (5000, few))  # a sum that is neither short nor cut
    many = text((64, n), (64, n))
    assert f"if n >= {few}:" in many and NAME in many


@pytest.mark.parametrize(
    "target", ["wasm32", "x86_64-pc-windows-gnu", "cortex-m4", "x86_64-unknown-none", "armv7-linux-gnueabi"]
)
def test_small_stacks_and_those_that_grow_page_by_page_hold_none(target):
    formula = sn.tensor("A", 64, 64).T @ sn.tensor("B", 64, 512)
    assert NAME not in str(sn.compile(formula, dtype="float32", target=target, stop_after="schedule"))


def test_all_panels_of_a_function_have_one_place_in_its_frame():
    X, T = sn.tensor("X", m, 300), sn.tensor("T", m, 300)
    weights = [sn.tensor(f"W{number}", 300, 300) for number in range(3)]
    loss = sn.sum((sum((sn.tanh(X @ W) for W in weights), X) - T) ** 2)
    f = sn.value_and_grad(loss, weights, dtype="float64", target="x86-64-v4")
    functions = f.llvm_ir.split("\ndefine ")
    for text in functions:
        frames = [int(size) for size in re.findall(r"= alloca \[(\d+) x i8\]", text)]
        assert len(frames) <= 1 and sum(frames) <= f.stages.target.frame_bytes
    assert any("x i8]" in text for text in functions)


def test_a_leaf_may_be_called_like_a_panel(rng):
    data = arrays((40, 64, 200), "float64", rng)
    close(sn.compile(sn.tensor("panel", 64, 40).T @ sn.tensor("B", 64, 200))(panel=data["A"], B=data["B"]), **data)


def test_what_rows_leave_is_one_tile_where_it_is_known(rng):
    for rows in (9, 15, 19, 23):
        A, B = sn.tensor("A", rows, 50), sn.tensor("B", 50, 40)
        f = sn.compile(A @ B, target="x86-64-v4")
        heights = {int(height) for height in re.findall(r"_tile: float64\[(\d+),", f.loops)}
        assert heights == {8, rows % 8}, rows
        data = {"A": rng.standard_normal((rows, 50)), "B": rng.standard_normal((50, 40))}
        np.testing.assert_allclose(f(**data), data["A"] @ data["B"], rtol=1e-13, atol=1e-12)


def test_the_workspace_is_that_without_panels(monkeypatch):
    formula = sn.tensor("A", k, 300).T @ sn.tensor("B", k, 300)
    stages = sn.compile(formula, target="x86-64-v4").stages
    assert NAME in str(stages.program)
    monkeypatch.setattr(Target, "frame_bytes", 0)
    assert schedule(stages.lowered, stages.target).workspace == stages.program.workspace
