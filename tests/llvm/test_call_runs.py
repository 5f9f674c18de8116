"""Calls that differ in numbers alone are one loop: which they are, what is written for them, and that it is right."""

from __future__ import annotations

import random

import numpy as np
import pytest

import symnet as sn
from symnet.backends.llvm.call_runs import LEAST, LONGEST, runs
from symnet.backends.llvm.codegen import assembly, emit_ir
from symnet.backends.llvm.targets import target_for
from symnet.expr.nodes.symbols import leaves
from symnet.reference import evaluate
from tests.deep_graphs import network

m = sn.dim("m")


def deep(depth, uneven=False):
    """tanh layers; of two widths in turn where they are uneven, now and then one more after another."""
    h, params = sn.tensor("X", m, 20), []
    rng = random.Random(depth)
    for k in range(depth):
        width = rng.choice((20, 24)) if uneven else 20
        W, b = sn.tensor(f"W{k}", h.shape[1], width), sn.tensor(f"b{k}", width)
        params += [W, b]
        h = sn.tanh(h @ W + b)
    return sn.mean(sn.sum(h * h, axis=1)), params


# --------------------------------------------------------------------------- which are repeated


@pytest.mark.parametrize(
    "shapes, found",
    [
        ("", []),
        ("a", [(0, 1, 1)]),
        ("aaa", [(0, 1, 1), (1, 1, 1), (2, 1, 1)]),
        ("aaaa", [(0, 1, 4)]),
        ("abababab", [(0, 2, 4)]),
        ("xabababaab", [(k, 1, 1) for k in range(10)]),
        ("xababababy", [(0, 1, 1), (1, 2, 4), (9, 1, 1)]),
        ("aaaabbbb", [(0, 1, 4), (4, 1, 4)]),
    ],
)  # fmt: skip
def test_the_runs_of(shapes, found):
    assert runs(shapes) == found


@pytest.mark.parametrize("seed", range(40))
def test_runs_cover_every_call_once_and_repeat_what_they_say(seed):
    rng = random.Random(seed)
    shapes = []
    for _ in range(rng.randrange(1, 6)):
        block = [rng.choice("abcd") for _ in range(rng.randrange(1, LONGEST + 4))]
        shapes += block * rng.choice((1, 2, LEAST, 9))
    found = runs(shapes)
    told = [shapes[begin + k % period] for begin, period, times in found for k in range(period * times)]
    assert told == shapes
    assert all(times == 1 == period or times >= LEAST for _, period, times in found)


# --------------------------------------------------------------------------- what is written


def lines_of_phases(f):
    functions = f.stages.llvm_ir.split("define ")
    return sum(len(each.splitlines()) for each in functions if ".phase" in each.split("(")[0])


def test_ten_times_as_many_equal_layers_have_phases_of_the_same_length():
    few, many = (lines_of_phases(sn.value_and_grad(*deep(depth), dtype="float32")) for depth in (12, 120))
    assert many <= 1.5 * few, (few, many)


@pytest.mark.parametrize("uneven", [False, True])
@pytest.mark.parametrize("depth", [3, 9, 17, 40])
@pytest.mark.parametrize("rows", [1, 16, 37])
def test_deep_networks_agree_with_the_interpreter(depth, uneven, rows):
    loss, params = deep(depth, uneven)
    f = sn.value_and_grad(loss, params, dtype="float64")
    rng = np.random.default_rng(depth)
    data = {
        leaf.name: rng.standard_normal([rows if n == m else int(n) for n in leaf.shape]) / 4 for leaf in leaves(loss)
    }
    value, gradients = f(**data)
    expected = evaluate([loss, *sn.grad(loss, params)], data)
    for got, want in zip((value, *gradients), expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("threads", [1, 2])
def test_the_units_of_a_phase_are_chosen_rightly_by_every_thread(threads):
    loss, params = network(residual=True)(30, "runs")
    f = sn.value_and_grad(loss, params, dtype="float64", threads=threads)
    one = sn.value_and_grad(loss, params, dtype="float64", threads=1)
    rng = np.random.default_rng(0)
    shapes = {leaf.name: [200 if n == m else int(n) for n in leaf.shape] for leaf in leaves(loss)}
    data = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    data["Druns"] = np.eye(8)[rng.integers(0, 8, 200)]
    for got, want in zip(f(**data)[1], one(**data)[1], strict=True):
        assert got.tobytes() == want.tobytes()


@pytest.mark.parametrize("triple", ["armv7-linux-gnueabihf", "aarch64-linux-gnu", "wasm32-unknown-unknown"])
@pytest.mark.parametrize("uneven", [False, True])
def test_other_machines_compile_tables_and_loops_of_calls(triple, uneven):
    loss, params = deep(40, uneven)
    program = sn.value_and_grad(loss, params, dtype="float32").stages.program
    text = emit_ir(program, target_for(triple))
    assert uneven or "numbers0" in text
    assert assembly(text, target_for(triple))
