"""Loads that look at their index: values, codes and reports are the object's, and nothing else is read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from symnet.backends.llvm import codegen, loading
from symnet.loops import ir
from symnet.loops.abi import CODES
from symnet.schedule.reuse import reused
from tests.c99.compiled import MACHINES, build, load, needs_compiler, same_bits, unit
from tests.llvm.native import Call, Native
from tests.schedule.test_fetch import CHECKED_APART, FETCHED, given, scheduled


@needs_compiler
def test_values_codes_and_reports_are_those_of_the_object(rng: np.random.Generator, tmp_path: Path) -> None:
    target, flags = MACHINES["without fma"]
    formulas = [formula for formula, _ in FETCHED.values()] + list(CHECKED_APART.values())
    made = [replace(reused(scheduled(f, target)), name=f"fetch{k}") for k, f in enumerate(formulas)]
    code = load(build(tmp_path, [unit(program, target) for program in made], "-O1", *flags))
    kinds = [rng.integers(0, 4, 300), rng.integers(-4, 4, 9), rng.integers(-4, 4, 600), np.array([1, 77, 78, 2])]
    kinds += [np.array([0, 1, wrong]) for wrong in (9, -10, 2**31 - 1, -(2**31))]
    for program in made:
        machine_code = loading.load(codegen.compile_object(codegen.emit_ir(program, target), target))
        for indices in kinds:
            calls = [Native(program, module).call(given(program, indices)) for module in (code, machine_code)]
            got, meant = calls
            codes = [call.run() for call in calls]
            assert codes[0] == codes[1]
            if codes[0] == CODES[ir.INDEX_OUT_OF_RANGE]:
                assert report(got) == report(meant)
                continue
            for name in meant.outputs:
                same_bits(got.outputs[name], meant.outputs[name], f"{name} of {program.name}")


def report(call: Call) -> list[int]:
    """What a failure says of itself."""
    start = call.workspace - call._room.ctypes.data
    found: list[int] = call._room[start : start + 24].view(np.int64).tolist()
    return found
