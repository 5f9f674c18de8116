"""Entry points: phases, units, workspace."""

import numpy as np
import pytest

from symnet.loops import interpreter, ir
from symnet.loops.abi import CODES
from tests.llvm.native import agree, native
from tests.loops.programs import buffer, load, loop, op, store, v


def two_groups() -> ir.Program:
    """y = Σ over blocks of rows of x², then y + 1: repeated phases, units of several kinds, a workspace."""
    x, y = buffer("x", "m", 40, space="input"), buffer("y", 40, space="output")
    squares = buffer("squares", 8, 40)
    row = v("block") * 8 + v("r")
    rows = ir.int_min(8, v("m") - v("block") * 8)
    clear = ir.Phase("clear", (loop("j", 40, store(y, ("j",), ir.Const(0.0, "float64")), kind="vector"),))
    square = ir.Phase(
        "square",
        (loop("j", 40, store(squares, ("r", "j"), op("mul", load(x, row, "j"), load(x, row, "j"))), kind="vector"),),
        rows,
        "r",
    )
    column = v("u") * 8 + v("l")
    add = loop("i", rows, loop("l", 8, store(y, (column,), load(squares, "i", column), "add"), kind="vector"))
    total = ir.Phase("total", (add,), ir.IntConst(5))
    more = loop("l", 8, store(y, (column,), ir.Const(1.0, "float64"), "add"), kind="vector")
    groups = (
        ir.Group((clear,)),
        ir.Group((square, total), ir.ceil_div(v("m"), 8)),
        ir.Group((ir.Phase("more", (more,), ir.IntConst(5)),)),
    )
    return ir.Program("two", ("m",), (x,), (y,), (squares,), groups)


@pytest.fixture(scope="module")
def made():
    return native(two_groups())


def test_the_run_entry_runs_every_phase_in_order(rng, made):
    for m in (0, 1, 8, 20):
        x = rng.standard_normal((m, 40))
        np.testing.assert_allclose(made.run({"x": x})["y"], (x * x).sum(0) + 1, rtol=1e-13)


def test_phases_are_numbered_in_the_order_in_which_they_run(rng, made):
    call = made.call({"x": rng.standard_normal((20, 40))})
    assert list(call.phases()) == [(0, 1), (1, 8), (2, 5), (3, 8), (4, 5), (5, 4), (6, 5), (7, 5)]


@pytest.mark.parametrize("cut", [1, 2, 3, 100])
def test_units_shared_out_in_any_way_give_the_same_bits(rng, made, cut):
    x = rng.standard_normal((20, 40))
    whole = made.run({"x": x})["y"]
    call = made.call({"x": x})
    for phase, units in call.phases():
        pieces = [(begin, min(begin + cut, units)) for begin in range(0, units, cut)]
        for begin, end in reversed(pieces):
            assert call.units(phase, begin, end) == CODES["OK"]
    np.testing.assert_array_equal(call.outputs["y"], whole)
    np.testing.assert_allclose(whole, interpreter.run(two_groups(), {"x": x})["y"], rtol=1e-13)


def test_an_empty_range_of_units_does_nothing(rng, made):
    call = made.call({"x": rng.standard_normal((20, 40))})
    for phase, _ in call.phases():
        assert call.units(phase, 3, 3) == CODES["OK"]
    assert np.isnan(call.outputs["y"]).all()


def test_a_workspace_too_small_is_refused_before_anything_is_written(rng, made):
    call = made.call({"x": rng.standard_normal((20, 40))})
    assert call.bytes == 8 * 40 * 8
    assert call.run(workspace_bytes=call.bytes - 1) == CODES["WORKSPACE_TOO_SMALL"]
    assert np.isnan(call.outputs["y"]).all()
    assert call.run(workspace_bytes=call.bytes) == CODES["OK"]


@pytest.mark.parametrize("phase", [-1, 8, 1000])
def test_a_phase_that_is_not_there_is_refused(rng, made, phase):
    call = made.call({"x": rng.standard_normal((20, 40))})
    assert call.units(phase, 0, 1) == CODES["BAD_PHASE"]


def test_workspace_buffers_start_at_multiples_of_64_bytes(rng):
    x = buffer("x", "m", dtype="float32", space="input")
    y = buffer("y", "m", dtype="float32", space="output")
    parts = [buffer(f"t{k}", "m", dtype=dtype) for k, dtype in enumerate(("float32", "bool", "float64"))]
    single, flag, double = parts
    body = (
        store(single, ("i",), load(x, "i")),
        store(flag, ("i",), op("gt", load(single, "i"), ir.Const(0.0, "float32"), dtype="bool")),
        store(double, ("i",), op("cast", load(single, "i"), dtype="float64")),
        store(y, ("i",), op("cast", op("select", load(flag, "i"), load(double, "i"), ir.Const(0.5, "float64")),
                            dtype="float32")),
    )  # fmt: skip
    nest = loop("i", "m", *body, kind="vector")
    phase = ir.Group((ir.Phase("s", (nest,)),))
    program = ir.Program("w", ("m",), (x,), (y,), tuple(parts), (phase,))
    values = rng.standard_normal(21).astype("float32")
    agree(program, {"x": values})
    assert native(program).call({"x": values}).bytes == 128 + 64 + 192


def test_a_donated_output_may_be_the_input(rng):
    """w - lr·g with w's own memory as the result: every element is read before it is written."""
    from symnet.backends.llvm.codegen import compile_object, emit_ir
    from symnet.backends.llvm.loading import load as load_code
    from tests.llvm.native import Native

    w, g = buffer("w", 37, space="input"), buffer("g", 37, space="input")
    new = buffer("new", 37, space="output")
    step = op("sub", load(w, "i"), op("mul", ir.Const(0.1, "float64"), load(g, "i")))
    phase = ir.Phase("s", (loop("i", 37, store(new, ("i",), step), kind="vector"),))
    program = ir.Program("donate", (), (w, g), (new,), (), (ir.Group((phase,)),))
    text = emit_ir(program, donated=(("w", "new"),))
    (head,) = [line for line in text.splitlines() if line.startswith("define internal") and "%b0" in line]
    assert head.count("noalias %b") == 1
    values, gradient = rng.standard_normal(37), rng.standard_normal(37)
    call = Native(program, load_code(compile_object(text))).call({"w": values, "g": gradient})
    call._out[0] = call.inputs[0].ctypes.data
    expected = values - 0.1 * gradient
    assert call.run() == 0
    np.testing.assert_allclose(call.inputs[0], expected, rtol=1e-15)
