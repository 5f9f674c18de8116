"""C99 has the bits of the object code: of formulas and gradients of every kind, and of sums of many lengths."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest

import symnet as sn
from symnet.backends.llvm import codegen, loading
from symnet.calculus.grad import grad
from symnet.loops import ir
from symnet.lower.program import lower
from symnet.schedule.program import schedule
from symnet.schedule.reuse import reused
from symnet.schedule.target import Target
from symnet.simplify.algebra.table import simplify
from symnet.simplify.numeric.passes import numeric
from symnet.stages import Stages
from tests import chain
from tests.c99.compiled import MACHINES, build, load, needs_compiler, same_bits, unit, wanted
from tests.cases import Case, case_named
from tests.llvm.native import Native, meant
from tests.schedule.test_vectorize import sums

pytestmark = needs_compiler
EVERYWHERE = ("matrix product", "logistic regression", "largest and smallest")  # and what is spread over the machines:
WITH_GRADIENT = (
    *EVERYWHERE,
    "solve for columns",
    "cumulative sums",
    "linear recurrences",
    "sin",
    "labels",
    "take from a table",
    "padding",
)
BY_MACHINE = {
    "without fma": (
        "mod", "floor_divide", "sign and floor", "inverse", "constant mask", "label smoothing", "maximum and minimum",
        "integers beside reals", "solve for columns", "cumulative sums", "product of integers",
        "linear recurrences", "cumulative product of all",
    ),
    "AVX2 and fma": (
        "sin", "atan2", "digamma", "labels", "concatenation", "large constant matrix",
        "elimination that swaps badly scaled rows", "sum over no rows", "cross entropy of unknown targets",
    ),
    "AVX-512": (
        "tanh", "erf", "log1p", "softmax along the batch", "take from a table", "determinant", "argmax", "padding",
        "comparisons and logic", "square root", "power of two tensors", "cumulative products", "linear recurrences",
    ),
}  # fmt: skip


def programs(case: Case, real: str, target: Target, name: str) -> list[tuple[Stages, ir.Program]]:
    """The scheduled program of a case, and that of the gradient of some."""
    found = [case.roots]
    if case.name in WITH_GRADIENT:
        found.append(list(grad(sum((sn.sum(root) for root in case.roots), sn.scalar("q") * 0), case.targets)))
    made = []
    for number, roots in enumerate(found):
        c = chain._begun(roots, real, target)
        lowered = lower(f"{name}_{number}", numeric(simplify(c.written)), c.outputs, c.leaves, real, c.written)
        made.append((c, reused(schedule(lowered, target))))
    return made


@pytest.mark.parametrize(
    ("machine", "real", "level"),
    [("without fma", "float32", "-O1"), ("AVX2 and fma", "float64", "-O1"), ("AVX-512", "float32", "-O1")],
)
def test_a_case_and_its_gradient_have_the_bits_of_the_object(
    machine: str, real: str, level: str, tmp_path: Path
) -> None:
    target, flags = MACHINES[machine]
    if not loading.runs_here(target):
        pytest.skip("this machine lacks its instructions")
    cases = [case_named(name) for name in (*EVERYWHERE, *BY_MACHINE[machine])]
    made = [(case, *each) for k, case in enumerate(cases) for each in programs(case, real, target, f"case{k}")]
    library = build(tmp_path, [unit(program, target) for _, _, program in made], level, *flags)
    assert wanted(library) <= {"memcpy", "memset", "memmove"}, "no function of a library is called"
    code = load(library)
    for case, c, program in made:
        data = chain._retyped(case.data(np.random.default_rng(3)), c)
        text = codegen.emit_ir(program, target)
        object_code = loading.load(codegen.compile_object(text, target, program.constants))
        object_bits, got = (Native(program, module).run(data, case.dims) for module in (object_code, code))
        for name in object_bits:
            same_bits(got[name], object_bits[name], f"{case.name}, {name}")


@pytest.mark.parametrize(
    ("machine", "real"), [("without fma", "float64"), ("AVX2 and fma", "float32"), ("AVX-512", "float64")]
)
def test_sums_of_every_length_have_the_bits_of_the_interpreter(
    machine: str, real: str, rng: np.random.Generator, tmp_path: Path
) -> None:
    target, flags = MACHINES[machine]
    if not loading.runs_here(target):
        pytest.skip("this machine lacks its instructions")
    extents = [1, 3, 10, 15, 33, 100, 1500]
    made = {}
    for known in (None, 15):
        roots = extremes(known or sn.dim("m")) + sums(known or sn.dim("m"))
        options = {"name": f"of_{known}", "dtype": real, "target": target, "stop_after": "schedule"}
        made[known] = sn.compile(roots, **options)
    code = load(build(tmp_path, [unit(program, target) for program in made.values()], "-O2", *flags))
    for known, program in made.items():
        for extent in [known] if known else extents:
            shapes = {"x": (extent,), "A": (extent, 7), "B": (7, extent), "C": (7, 21)}
            dims = {} if known else {"m": extent}
            for draw in (rng.standard_normal, partial(rng.choice, [0.0, -0.0])):
                data = {name: draw(shape).astype(real) for name, shape in shapes.items()}
                got = Native(program, code).run(data, dims)
                wanted_bits = meant(program, data, dims, target)
                for name in got:
                    same_bits(got[name], wanted_bits[name], f"{name} of {extent}, {known}")


def extremes(extent: object) -> list[sn.Node]:
    """What is combined otherwise than by addition."""
    x, A, B = sn.tensor("x", extent), sn.tensor("A", extent, 7), sn.tensor("B", 7, extent)
    return [sn.max(x), sn.min(A, axis=0), sn.max(B, axis=1), sn.prod(x), sn.prod(B, axis=1)]
