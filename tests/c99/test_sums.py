"""Sums written by hand: several in one vector loop, of every width, with the bits of the object code."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from symnet import dtypes
from symnet.backends.llvm import codegen, loading
from symnet.loops import ir
from tests.c99.compiled import MACHINES, build, load, needs_compiler, same_bits, unit
from tests.llvm.native import Native

I, K = ir.IntVar("i"), ir.IntVar("k")
CUTS = [
    ir.LaneCut(8, 0, "narrow"), ir.LaneCut(4, 2, "narrow"), ir.LaneCut(4, 4, "rounded"), ir.LaneCut(8, 1, "rounded"),
    ir.LaneCut(4, 2, "whole"), ir.LaneCut(2, 1, "single"), ir.LaneCut(2, 4, "single"),
]  # fmt: skip
EXTENTS = (1, 2, 3, 7, 15, 20, 29, 37)


def combined(dtype: str) -> tuple[str, ...]:
    return ("max", "min") if dtype == "bool" else ("add", "mul", "max", "min")


def program(name: str, dtype: str, extent: ir.IntExpr, cut: ir.LaneCut, bound: int | None = None) -> ir.Program:
    """Every combination into an element of its own, two of them for each of three columns, one element twice."""
    x = ir.Buffer("x", dtype, (extent, ir.IntConst(3)), "input")
    hows = combined(dtype)
    plain = ir.Buffer("plain", dtype, (ir.IntConst(len(hows)),), "output")
    columns = ir.Buffer("columns", dtype, (ir.IntConst(3), ir.IntConst(2)), "output")
    first, column = ir.Load(x, (I, ir.IntConst(0))), ir.Load(x, (I, K))
    stores = [ir.Store(plain, (ir.IntConst(k),), first, how) for k, how in enumerate(hows)]
    again = ir.Store(plain, (ir.IntConst(0),), ir.Load(x, (I, ir.IntConst(1))), hows[0])
    square = ir.Op("maximum" if dtype == "bool" else "mul", (column, column), dtype)
    inner = (
        ir.Store(columns, (K, ir.IntConst(0)), square, hows[0]),
        ir.Store(columns, (K, ir.IntConst(1)), column, "max"),
    )
    unrolled = ir.For("k", ir.IntConst(3), inner, "unroll")
    loop = ir.For("i", extent, (*stores, again, unrolled), "vector", bound=bound, cut=cut)
    start = [ir.Store(plain, (ir.IntConst(k),), ir.Const(how in ("mul", "min"), dtype)) for k, how in enumerate(hows)]
    start += [
        ir.Store(columns, (ir.IntConst(k), ir.IntConst(j)), ir.Const(0, dtype)) for k in range(3) for j in range(2)
    ]
    dims = (extent.name,) if isinstance(extent, ir.IntVar) else ()
    group = ir.Group((ir.Phase("all", (*start, loop)),))
    return ir.Program(name, dims, (x,), (plain, columns), (), (group,))


def programs() -> list[ir.Program]:
    """One for each cut and each of some extents, and one whose extent is bounded."""
    made = []
    for number, cut in enumerate(CUTS):
        dtype = dtypes.ALL[number % len(dtypes.ALL)]
        known = () if cut.tail in ("whole", "single") else (3, 15, 29)
        for extent in [ir.IntConst(n) for n in known] or [ir.IntVar("m")]:
            made.append(program(f"sums{len(made)}", dtype, extent, cut))
    return [*made, program("bounded", "float64", ir.IntVar("m"), ir.LaneCut(4, 0, "whole"), bound=37)]


@needs_compiler
@pytest.mark.parametrize("machine", ["without fma", "AVX2 and fma"])
def test_several_sums_of_one_loop_have_the_bits_of_the_object(
    machine: str, rng: np.random.Generator, tmp_path: Path
) -> None:
    target, flags = MACHINES[machine]
    if not loading.runs_here(target):
        pytest.skip("this machine lacks its instructions")
    made = programs()
    code = load(build(tmp_path, [unit(each, target) for each in made], "-O1", *flags))
    for each in made:
        text = codegen.emit_ir(each, target)
        machine_code = loading.load(codegen.compile_object(text, target))
        for extent in EXTENTS if each.dims else [each.inputs[0].shape[0].value]:
            data = {"x": (rng.standard_normal((extent, 3)) * 2).astype(each.inputs[0].dtype)}
            got, meant = (Native(each, c).run(data, {"m": extent} if each.dims else {}) for c in (code, machine_code))
            for name in meant:
                same_bits(got[name], meant[name], f"{each.name}, {name} of {extent}")
