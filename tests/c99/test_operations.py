"""Every operation of the loop language has the bits of the object code, at the edges of every dtype."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np
import pytest

from symnet import dtypes
from symnet.backends.c99 import integers, ops, statements
from symnet.backends.c99.types import literal, pattern
from symnet.backends.llvm import loading
from symnet.elementary.table import FUNCTIONS
from symnet.loops import ir
from symnet.loops.op_types import TYPING
from symnet.schedule.target import Target
from tests.c99.compiled import MACHINES, build, load, needs_compiler, same_bits, unit
from tests.llvm.native import Native, cut, meant, native

I = ir.IntVar("i")
_INTEGERS = [0, 1, -1, 2, -2, 3, 7, -7, 100]
EDGES = {
    "float32": [0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0, np.inf, -np.inf, np.nan, 1e-45, -3e38, 2.0**31, -(2.0**63), 0.1],
    "float64": [0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0, np.inf, -np.inf, np.nan, 5e-324, 1e308, 2.0**31, -(2.0**63), 0.1],
    "int32": [*_INTEGERS, 2**31 - 1, -(2**31), -(2**31) + 1],
    "int64": [*_INTEGERS, 2**63 - 1, -(2**63), 2**53 + 1],
    "bool": [False, True],
}
CLASSES = {"number": (*dtypes.REAL, *dtypes.INTEGER), "real": dtypes.REAL, "bool": ("bool",), "select": dtypes.ALL}


def operations(dtype: str) -> list[tuple[str, str]]:
    """The operations on values of a dtype, and the dtypes of their results."""
    found = [("cast", other) for other in dtypes.ALL]
    for name, typing in TYPING.items():
        if name != "cast" and dtype in CLASSES[typing.operands]:
            found.append((name, "bool" if typing.result == "bool" else dtype))
    return found


def program(dtype: str, name: str) -> tuple[ir.Program, dict[str, np.ndarray]]:
    """All operations on all pairs of edges: an output for each, and for those that have a number in the last place."""
    pairs = np.array(list(itertools.product(EDGES[dtype], repeat=2)), dtype)
    n = ir.IntConst(len(pairs))
    x, y = (ir.Buffer(letter, dtype, (n,), "input") for letter in "xy")
    z, chosen = ir.Buffer("z", dtype, (n,), "input"), ir.Buffer("chosen", "bool", (n,), "input")
    loads = {b.name: ir.Load(b, (I,)) for b in (x, y, z, chosen)}
    number = ir.Const(EDGES[dtype][1], dtype)
    outputs, stores = [], []
    for op, result in operations(dtype):
        arity = TYPING[op].arity
        values = [loads["chosen"]] if op == "select" else []
        values += [loads[name] for name in "xyz"][: arity - len(values)]
        for args in (values, [*values[:-1], number])[: min(arity, 2)]:
            out = ir.Buffer(f"o{len(outputs)}", result, (n,), "output")
            outputs.append(out)
            stores.append(ir.Store(out, (I,), ir.Op(op, tuple(args), result)))
    body = (ir.For("i", n, tuple(stores), "vector"),)
    data = {"x": pairs[:, 0], "y": pairs[:, 1], "z": pairs[::-1, 0], "chosen": np.arange(len(pairs)) % 3 == 0}
    made = ir.Program(name, (), (x, y, z, chosen), tuple(outputs), (), (ir.Group((ir.Phase("all", body),)),))
    return made, {key: np.ascontiguousarray(value) for key, value in data.items()}


def kinds(above: type) -> set[type]:
    """The parts of the language of one sort."""
    found = {cls for cls in vars(ir).values() if isinstance(cls, type) and issubclass(cls, above)}
    return {cls for cls in found if not any(other is not cls and issubclass(other, cls) for other in found)}


def test_every_part_of_the_language_stands_in_its_table() -> None:
    assert set(statements._STATEMENTS) == kinds(ir.Stmt)
    assert set(statements._VALUES) == kinds(ir.Value)
    assert set(integers._EVALUATE) == kinds(ir.IntExpr)
    assert set(ops.OPERATIONS) | set(FUNCTIONS) >= set(TYPING)


@needs_compiler
@pytest.mark.parametrize("machine", ["without fma", "AVX2 and fma"])
def test_every_operation_has_the_bits_of_the_object_at_the_edges(machine: str, tmp_path: Path) -> None:
    target, flags = MACHINES[machine]
    if not loading.runs_here(target):
        pytest.skip("this machine lacks its instructions")
    made = {dtype: program(dtype, f"edges_{dtype}") for dtype in dtypes.ALL}
    cuts = {dtype: cut(each, target) for dtype, (each, _) in made.items()}
    code = load(build(tmp_path, [unit(each, target) for each in cuts.values()], "-O1", *flags))
    for dtype, (each, data) in made.items():
        got, meant = Native(cuts[dtype], code).run(data), native(each, target).run(data)
        for store, name in zip(each.groups[0].phases[0].body[0].body, meant, strict=True):
            same_bits(got[name], meant[name], f"{store.value.name} of {dtype}")


def test_a_maximum_takes_the_zero_that_machine_code_takes() -> None:
    """Where it is an instruction 0 is more than -0; elsewhere it is what a comparison leaves."""
    made, _ = program("float64", "f")
    arm = unit(made, Target("aarch64-linux-gnu", fma=True))
    assert "ordered_maximum_float64(x[i], y[i])" in arm
    assert "ordered" not in unit(made, MACHINES["without fma"][0])


@needs_compiler
def test_zeros_that_are_ordered_are_so_in_the_interpreter(tmp_path: Path) -> None:
    """C that is meant for another machine, on this one."""
    arm = Target("aarch64-linux-gnu")
    made = {dtype: program(dtype, f"ordered_{dtype}") for dtype in dtypes.REAL}
    cuts = {dtype: cut(each, arm) for dtype, (each, _) in made.items()}
    code = load(build(tmp_path, [unit(each, arm) for each in cuts.values()], "-O1"))
    for dtype, (_, data) in made.items():
        got, wanted = Native(cuts[dtype], code).run(data), meant(cuts[dtype], data, target=arm)
        for name in wanted:
            same_bits(got[name], wanted[name], f"{name} of {dtype}")


@pytest.mark.parametrize("dtype", dtypes.REAL)
def test_a_literal_is_the_shortest_that_is_read_back(dtype: str, rng: np.random.Generator) -> None:
    kind = np.dtype(dtype).type
    bits = rng.integers(0, 2 ** (8 * kind().itemsize), 3000, dtype=np.uint64)
    numbers = bits.astype(f"u{kind().itemsize}").view(dtype)
    for number in [*numbers[np.isfinite(numbers)], kind(0.1), kind(-0.0), kind(1.0)]:
        text = literal(float(number), dtype).text
        assert text.endswith("f") == (dtype == "float32") and re.search(r"[.e]", text)
        assert kind(text.rstrip("f")).tobytes() == number.tobytes()
        digits = re.sub(r"e.*|[^0-9]", "", text).strip("0")
        assert len(digits) <= np.finfo(dtype).precision + 3


def test_a_pattern_has_the_bits_of_what_has_no_literal() -> None:
    assert pattern(float("inf"), "float32") == "0x7f800000U"
    assert pattern(float("-inf"), "float64") == "UINT64_C(0xfff0000000000000)"
