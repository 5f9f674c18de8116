"""Object code: loaded again without recompiling, found by name, refused with a message."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from symnet.backends.llvm.codegen import compile_object, emit_ir
from symnet.backends.llvm.loading import load
from symnet.errors import CompileError, MissingRuleError
from symnet.loops import ir
from tests.llvm.native import Native, cut
from tests.loops.programs import buffer, loop, op, program, store
from tests.loops.programs import load as element


def doubled(name: str = "doubled") -> ir.Program:
    x, y = buffer("x", 5, space="input"), buffer("y", 5, space="output")
    return program([x], [y], loop("i", 5, store(y, ("i",), op("add", element(x, "i"), element(x, "i")))), name=name)


def test_one_object_can_be_loaded_any_number_of_times(rng):
    code = compile_object(emit_ir(doubled()))
    x = rng.standard_normal(5)
    for made in [Native(doubled(), load(code)) for _ in range(3)]:
        np.testing.assert_array_equal(made.run({"x": x})["y"], 2 * x)


def test_the_same_program_gives_the_same_text_and_object():
    assert emit_ir(doubled()) == emit_ir(doubled())
    assert compile_object(emit_ir(doubled())) == compile_object(emit_ir(doubled()))


def test_a_function_that_is_not_there_is_named():
    module = load(compile_object(emit_ir(doubled())))
    with pytest.raises(CompileError, match=r'address\("tripled"\)'):
        module.address("tripled")


def test_an_operation_without_emission_names_its_table():
    x, y = buffer("x", 5, space="input"), buffer("y", 5, space="output")
    made = program([x], [y], loop("i", 5, store(y, ("i",), op("bessel", element(x, "i")))))
    with pytest.raises(MissingRuleError, match=r'"bessel".*symnet/backends/llvm/ops.py'):
        emit_ir(made)


def test_a_plain_store_of_every_lane_to_one_element_is_refused():
    x, y = buffer("x", 50, space="input"), buffer("y", space="output")
    made = program([x], [y], loop("i", 50, store(y, (), element(x, "i")), kind="vector"))
    with pytest.raises(CompileError, match=r"Store\(y\).*one element.*Make the loop serial"):
        emit_ir(cut(made))


def test_division_of_integers_asks_for_a_cast():
    x, y = buffer("x", 5, dtype="int64", space="input"), buffer("y", 5, dtype="int64", space="output")
    made = program([x], [y], loop("i", 5, store(y, ("i",), op("div", element(x, "i"), element(x, "i")))))
    with pytest.raises(CompileError, match=r'Op\("div"\).*i64.*cast'):
        emit_ir(made)


def test_a_register_buffer_of_run_time_shape_is_refused():
    row, y = buffer("row", "n", space="register"), buffer("y", "n", space="output")
    made = program([], [y], ir.Alloc(row), store(y, (0,), ir.Const(0.0, "float64")), dims=["n"])
    with pytest.raises(CompileError, match=r"Alloc\(row\).*constant shape.*'n'"):
        emit_ir(made)


@pytest.mark.skipif(sys.platform != "linux", reason="the scattered address space is made with Linux's mmap")
def test_code_loads_where_free_addresses_are_far_apart():
    # Seen after many programs of other libraries: sections more than 2 GiB apart, and LLVM aborted the process.
    root = Path(__file__).parent.parent.parent
    command = [sys.executable, "-m", "tests.llvm.scattered"]
    environment = os.environ | {"SYMNET_CACHE": "0"}
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
