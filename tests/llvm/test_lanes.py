"""Elementary functions as LLVM's instructions: what is emitted, and what no pass and no target makes of it."""

import re

import numpy as np
import pytest
from llvmlite import binding, ir

from symnet.backends.llvm.lanes import InstructionLanes
from symnet.elementary.table import FUNCTIONS
from tests.elementary.cases import FAR, KINDS, arguments
from tests.elementary.machine import Compiled, emit, emit_kernel


def test_the_optimiser_does_not_change_a_bit():
    text = str(emit(widths=(4,)))
    plain, optimised = Compiled(text, "host"), Compiled(text, "host", optimised=True)
    for name in FUNCTIONS:
        for kind in KINDS:
            args = arguments(name, kind)
            np.testing.assert_array_equal(optimised(name, 4, *args), plain(name, 4, *args), err_msg=name)


def test_the_code_has_no_branches_but_those_to_what_is_rare():
    module = ir.Module()
    for name in FUNCTIONS.keys() - {"mod", "floor_divide"}:  # which repeat a step of long division for far quotients
        blocks = {block.name for block in emit_kernel(module, name, "float32", 4)}
        rare = ["body.if", "body.endif"] if name in {*FAR, "gamma", "loggamma"} else []
        assert blocks == {"entry", "body", "done", *rare}


def test_far_angles_cost_one_function_however_often_they_are_asked_for():
    module = ir.Module()
    for width in (4, 4, 8):
        lanes = ir.VectorType(ir.DoubleType(), width)
        function = ir.Function(module, ir.FunctionType(lanes, [lanes]), module.get_unique_name("f"))
        builder = ir.IRBuilder(function.append_basic_block("entry"))
        writer = InstructionLanes(builder, "double", width)
        builder.ret(FUNCTIONS["sin"](writer, FUNCTIONS["sin"](writer, *function.args)))
    assert [name for name in module.globals if "far" in name] == [
        "symnet.sin.far.v4.double",
        "symnet.sin.far.v8.double",
    ]


def test_no_flag_lets_llvm_assume_that_numbers_are_finite():
    assert not re.search(r"\b(nnan|ninf|fast|reassoc|arcp|afn)\b", str(emit()))


CALLS = [
    ("x86_64-unknown-linux-gnu", "x86-64", "", r"\bcallq?\s+(?!symnet)"),
    ("x86_64-unknown-linux-gnu", "haswell", "", r"\bcallq?\s+(?!symnet)"),
    ("aarch64-unknown-linux-gnu", "generic", "", r"\bblr?\s+(?!symnet)"),
    ("armv7-unknown-linux-gnueabihf", "cortex-a9", "", r"\bblx?\s+(?!symnet)"),
    ("riscv64-unknown-linux-gnu", "generic-rv64", "+m,+f,+d", r"\b(call|jalr)\s+(?!symnet)"),
]


@pytest.mark.parametrize(("triple", "cpu", "features", "call"), CALLS)
def test_nothing_is_called_on_any_target_with_a_float_unit(triple, cpu, features, call):
    binding.initialize_all_targets()
    binding.initialize_all_asmprinters()
    module = emit(widths=(1, 4))
    module.triple = triple
    machine = binding.Target.from_triple(triple).create_target_machine(cpu=cpu, features=features, codemodel="default")
    assembly = machine.emit_assembly(binding.parse_assembly(str(module)))
    assert "exp_float64_4" in assembly
    assert not re.findall(rf"^\s+{call}.*$", assembly, re.MULTILINE)
