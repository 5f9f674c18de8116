"""Equal loops are one function of C, and compute what they did."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import symnet as sn
from symnet.loops import ir
from symnet.loops.abi import CODES
from tests.c99.compiled import MACHINES, needs_compiler, same_bits, unit
from tests.c99.test_fetches import report
from tests.c99.test_units import both

TARGET, _ = MACHINES["without fma"]
m = sn.dim("m")


def network(layers: int) -> ir.Program:
    """A network of equal layers, with its gradient."""
    weights = [sn.tensor(f"W{k}", 12, 12) for k in range(layers)]
    h = sn.tensor("X", m, 12)
    for W in weights:
        h = sn.tanh(h @ W)
    options = {"dtype": "float32", "name": f"network{layers}", "target": TARGET, "stop_after": "schedule"}
    return sn.value_and_grad(sn.sum(h), weights, **options)


def test_twice_as_many_layers_are_only_more_calls() -> None:
    few, many = (unit(network(layers), TARGET).splitlines() for layers in (6, 12))
    kernels = [len([line for line in lines if re.match(r"static void \w+_kernel\d+\(", line)]) for lines in (few, many)]
    assert kernels[0] == kernels[1] > 2
    assert len(many) < 1.5 * len(few)


def test_what_occurs_once_stays_in_its_phase() -> None:
    X = sn.tensor("X", m, 12)
    assert "kernel" not in unit(sn.compile(sn.sum(sn.tanh(X)), target=TARGET, stop_after="schedule"), TARGET)


@needs_compiler
@pytest.mark.parametrize("rows", [3, 300])
def test_layers_have_the_bits_of_the_object(rng: np.random.Generator, rows: int, tmp_path: Path) -> None:
    program = network(5)
    data = {f"W{k}": rng.standard_normal((12, 12)).astype("float32") for k in range(5)}
    data["X"] = rng.standard_normal((rows, 12)).astype("float32")
    got, meant = (code.run(data) for code in both(program, tmp_path))
    for name in meant:
        same_bits(got[name], meant[name], name)


@needs_compiler
@pytest.mark.parametrize("rows", [3, 300])
def test_layers_whose_gradients_read_panels_have_the_bits_of_the_object(
    rng: np.random.Generator, rows: int, tmp_path: Path
) -> None:
    X, weights = sn.tensor("X", m, 60), [sn.tensor(f"W{k}", 60, 60) for k in range(3)]
    h = X
    for W in weights:
        h = sn.tanh(h @ W)
    options = {"dtype": "float64", "name": "panels", "target": TARGET, "stop_after": "schedule"}
    program = sn.value_and_grad(sn.sum(h), weights, **options)
    assert str(program).count("register rows.panel") >= 2
    data = {W.name: rng.standard_normal((60, 60)) / 8 for W in weights} | {"X": rng.standard_normal((rows, 60))}
    got, meant = (code.run(data) for code in both(program, tmp_path))
    for name in meant:
        same_bits(got[name], meant[name], name)


@needs_compiler
def test_a_function_says_that_it_failed(rng: np.random.Generator, tmp_path: Path) -> None:
    """Of four equal systems and of four equal gathers, the one that is wrong ends the call."""
    systems = [(sn.tensor(f"A{k}", 3, 3), sn.tensor(f"b{k}", 3)) for k in range(4)]
    tables = [(sn.tensor(f"T{k}", 5, 3), sn.tensor(f"i{k}", m, dtype="int32")) for k in range(4)]
    roots = [sn.solve(A, b) for A, b in systems] + [sn.take(T, i + 1) for T, i in tables]
    program = sn.compile(roots, target=TARGET, stop_after="schedule")
    assert re.search(r"_kernel\d+\([^;]*&status\);", unit(program, TARGET))
    shapes = {"A": (3, 3), "b": (3,), "T": (5, 3)}
    data = {f"{name}{k}": rng.standard_normal(shape) for name, shape in shapes.items() for k in range(4)}
    data |= {f"i{k}": np.zeros(7, np.int32) for k in range(4)}
    singular, beyond = {"A2": np.zeros((3, 3))}, {"i3": np.full(7, 4, np.int32)}
    pair = both(program, tmp_path)
    for wrong, code in (({}, "OK"), (singular, ir.SINGULAR_MATRIX), (beyond, ir.INDEX_OUT_OF_RANGE)):
        calls = [each.call(data | wrong) for each in pair]
        assert [call.run() for call in calls] == [CODES[code]] * 2
        if code == ir.INDEX_OUT_OF_RANGE:
            assert report(calls[0]) == report(calls[1])
        elif code == "OK":
            for name in calls[0].outputs:
                same_bits(calls[0].outputs[name], calls[1].outputs[name], name)


@needs_compiler
def test_a_function_reports_which_index_is_wrong(tmp_path: Path) -> None:
    """Two sweeps over the rows look at the same labels; what they note is written through an argument."""
    t = sn.tensor("t", m, dtype="int64")
    program = sn.compile(sn.logsumexp(sn.one_hot(t, 3000), axis=0), target=TARGET, stop_after="schedule")
    assert re.search(r"_kernel\d+\([^;]*report[^;]*&status\);", unit(program, TARGET), re.DOTALL)
    calls = [code.call({"t": np.array([2, 1, 7000, 0])}) for code in both(program, tmp_path)]
    assert [call.run() for call in calls] == [CODES[ir.INDEX_OUT_OF_RANGE]] * 2
    assert report(calls[0]) == report(calls[1]) == [0, 7000, 2]
