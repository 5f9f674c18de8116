"""What a program is said to execute, before it runs, is what the interpreter sees it execute.

Every case with its gradient, in numbers of rows around the lengths of blocks; and sums over loops against adding up.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sympy

import symnet as sn
from symnet import dtypes
from symnet.backends.llvm.targets import host_target, target_for
from symnet.calculus.grad import grad
from symnet.expr.nodes.extents import Dim
from symnet.loops import interpreter, ir
from symnet.loops.affine import int_loads
from symnet.loops.op_types import OPS
from symnet.loops.operations import Total, counted_phases, filled, operations
from symnet.loops.weights import WEIGHTS, Operations, weight
from tests.cases import CASES, Case, case_named
from tests.fuzz.graphs import seeded
from tests.growing_chains import FAMILIES
from tests.loops.programs import buffer, load, loop, op, program, store
from tests.test_chain import AVX2, loss_of

TARGETS = (host_target(), target_for(host_target().triple))

AT_MOST = {"labels": "data decide: the first row of each class is stored, those after it are added"}
ROWS = (0, 1, 31, 49, 257, 530)
IN_BLOCKS = (
    "affine layer", "cumulative sums", "logsumexp", "product", "rows against rows", "sums along axes", "tanh network",
    "softmax along the batch", "slice of a batch", "linear recurrences", "stack of equations", "matrix of the batch",
)  # fmt: skip


def seen(code: ir.Program, data: Mapping[str, np.ndarray], dims: Mapping[str, int]) -> Operations:
    """What runs: what each body takes, as often as the interpreter runs it."""
    takes: dict[int, Operations] = {}
    for each in (body for phase in counted_phases(code) for body in phase.all_bodies()):
        assert takes.setdefault(id(each.body), each.own) == each.own or not each.body
    runs: dict[int, int] = {}

    def tally(body: ir.Body, lanes: int) -> None:
        runs[id(body)] = runs.get(id(body), 0) + lanes

    interpreter.run(code, data, dims=dims, check=False, tally=tally)
    return sum((takes[body] * many for body, many in runs.items()), start=Operations())


def said(code: ir.Program, dims: Mapping[str, int]) -> Operations:
    at = {Dim(name): value for name, value in dims.items()}
    found = operations(code)
    return Operations(*(sympy.sympify(c).subs(at) for c in found.kinds))


def scheduled(case: Case, number: int) -> ir.Program:
    """The value and its gradient; dtypes and machines take turns."""
    roots = [*case.roots, *(grad(loss_of(case.roots), case.targets) if case.wrt else ())]
    real, target = dtypes.REAL[number % 2], TARGETS[number // 2 % 2]
    return sn.compile(roots, dtype=real, target=target, stop_after="schedule")


def data_for(code: ir.Program, case: Case, rng: np.random.Generator) -> dict[str, np.ndarray]:
    given = case.data(rng)
    return {b.name: np.asarray(given[b.name]).astype(b.dtype) for b in code.inputs}


@pytest.mark.parametrize("number", range(len(CASES)), ids=map(repr, CASES))
def test_a_case_and_its_gradient_execute_what_is_counted(number: int, rng: np.random.Generator) -> None:
    case = CASES[number]
    code = scheduled(case, number)
    ran, counted = seen(code, data_for(code, case, rng), case.dims), said(code, case.dims)
    if case.name in AT_MOST:
        assert 0 < ran.arithmetic < counted.arithmetic and ran.transcendental == counted.transcendental
    else:
        assert ran.kinds == counted.kinds


@pytest.mark.parametrize("name", IN_BLOCKS)
def test_rows_in_blocks_of_any_number_are_counted(name: str, rng: np.random.Generator) -> None:
    case = case_named(name)
    code = scheduled(case, 0)
    most = 49 if name in ("matrix of the batch", "stack of equations") else 530
    for rows in [r for r in ROWS[name == "slice of a batch" :] if r <= most]:  # a slice takes off a row
        few = replace(case, dims=dict.fromkeys(case.dims, rows))
        assert seen(code, data_for(code, few, rng), few.dims) == said(code, few.dims), rows


@pytest.mark.parametrize("seed", range(40))
def test_a_random_graph_executes_what_is_counted(seed: int) -> None:
    graph = seeded(seed)
    differentiable = graph.targets and any(dtypes.is_real(root.dtype) for root in graph.roots)
    roots = [*graph.roots, *(grad(loss_of(graph.roots), graph.targets, absent="zero") if differentiable else ())]
    code = sn.compile(roots, target=TARGETS[seed % 2], stop_after="schedule")
    data = {b.name: np.asarray(graph.data[b.name]).astype(b.dtype) for b in code.inputs}
    dims = {name: value for name, value in graph.dims.items() if name in code.dims}
    if not any(map(decided_by_data, code.phases())):
        assert seen(code, data, dims) == said(code, dims)


def decided_by_data(phase: tuple[ir.Group, ir.Phase]) -> bool:
    """Whether a condition in a phase reads from memory."""
    conditions = (s.condition for s in ir.walk(phase[1].body) if isinstance(s, ir.If))
    return any(int_loads(side) for c in conditions for side in (c.left, c.right))


def test_a_product_of_matrices_takes_two_for_each_of_its_terms() -> None:
    m, n = sn.dim("m"), sn.dim("n")
    f = sn.compile(sn.tensor("A", m, 7) @ sn.tensor("B", 7, n))
    assert f.flops == 14 * Dim("m") * Dim("n")


def test_a_count_has_no_deltas_is_right_for_no_rows_and_is_shown_for_some(tmp_path: Path) -> None:
    m, n = sn.dim("m"), sn.dim("n")
    X, w, y = sn.tensor("X", m, n), sn.tensor("w", n), sn.tensor("y", m)
    f = sn.value_and_grad(sn.mean((X @ w - y) ** 2), [w])
    assert not f.flops.has(sympy.KroneckerDelta) and "Min(1, Min" not in str(f.flops)
    for rows, columns in ((0, 3), (0, 0), (1, 0), (1, 1), (700, 5)):
        shapes = {"X": (rows, columns), "w": (columns,), "y": (rows,)}
        data = {name: np.ones(shape) for name, shape in shapes.items()}
        assert seen(f.program, data, {"m": rows, "n": columns}) == said(f.program, {"m": rows, "n": columns})
    shown, _, note = filled(f.flops).partition(" (")
    assert note == "where no extent is 0)" and "Min(1, m)" not in shown and "Min(1, n)" not in shown
    read = sympy.sympify(shown)
    for rows, columns in ((1, 1), (1, 9), (256, 2), (257, 3), (4000, 40)):
        counted = f.flops.subs({m: rows, n: columns})
        assert counted == read.subs({"m": rows, "n": columns}), (rows, columns)
    assert shown in f.report()
    readme = f.export(tmp_path / "f", files=["readme"]).files["readme"]
    (sentence,) = re.findall(r"Operations of a call: ([^.]*)\.", readme.read_text())
    assert sentence.endswith("(where no extent is 0)") and "Delta" not in sentence and "Min(1, m)" not in sentence


def test_every_operation_counts_something_or_nothing_on_purpose() -> None:
    assert WEIGHTS.keys() == OPS
    assert {name for name, count in WEIGHTS.items() if not count.total} == {"neg", "abs", "cast", "and", "or", "not"}
    assert weight("fma", "float32").total == 2 and weight("add", "int64").total == 0


# --------------------------------------------------------------------------- loops by hand

i, j, n = ir.IntVar("i"), ir.IntVar("j"), ir.IntVar("n")
ONE_CELL = buffer("y", 1, space="output")
ADDITION = store(ONE_CELL, [0], op("add", load(ONE_CELL, 0), load(ONE_CELL, 0)))


def condition(test: str, left: ir.IntExpr, right: ir.IntExpr | int) -> ir.IntCondition:
    return ir.IntCondition(test, left, ir.as_int(right))


BODIES: dict[str, ir.Stmt] = {
    "a triangle": loop("i", n, loop("j", i, ADDITION)),
    "a triangle from the end": loop("i", n, loop("j", n - 1 - i, ADDITION)),
    "a pyramid": loop("i", n, loop("j", i * i, ADDITION)),
    "blocks": loop("i", ir.ceil_div(n, 8), loop("j", ir.int_min(8, n - 8 * i), ADDITION)),
    "pieces of blocks": loop("i", ir.ceil_div(n, 8), loop("j", ir.ceil_div(ir.int_min(8, n - 8 * i), 4), ADDITION)),
    "pieces that do not fit": loop("i", ir.ceil_div(n, 8), loop("j", ir.int_min(8, n - 8 * i) // 3, ADDITION)),
    "what remains of blocks": loop("i", ir.ceil_div(n, 8), loop("j", ir.int_min(8, n - 8 * i) % 3, ADDITION)),
    "squares of blocks": loop(
        "i", ir.ceil_div(n, 5), loop("j", ir.int_min(5, n - 5 * i) * ir.int_min(5, n - 5 * i), ADDITION)
    ),
    "blocks of few blocks": loop(
        "k",
        ir.ceil_div(n, 12),
        loop(
            "i",
            ir.int_min(3, ir.ceil_div(n, 4) - 3 * ir.IntVar("k")),
            loop("j", ir.int_min(4, n - 4 * (i + 3 * ir.IntVar("k"))), ADDITION),
        ),
    ),
    "the first": loop("i", n, ir.If(condition("eq", i, 0), (ADDITION, ADDITION), (ADDITION,))),
    "all but the third": loop("i", n, ir.If(condition("ne", i, 2), (ADDITION,))),
    "the first few": loop("i", n, ir.If(condition("lt", i, 3), (ADDITION,))),
    "up to a number": loop("i", n, ir.If(condition("le", i, 3), (ADDITION,), (ADDITION, ADDITION))),
    "from a number on": loop("i", n, ir.If(condition("ge", 2 * i, 5), (ADDITION,))),
    "where something remains": ir.If(condition("gt", n % 4, 0), (loop("j", n % 4, ADDITION), ADDITION)),
    "many": ir.If(condition("gt", n, 9), (ADDITION,)),
    "no more than one": loop("i", ir.int_min(1, n // 4), ADDITION),
    "every third": loop("i", n, ir.If(condition("eq", i % 3, 0), (ADDITION,))),
    "every fifth block, and not": loop(
        "i", ir.ceil_div(n, 4), ir.If(condition("eq", i % 5, 0), (ADDITION, ADDITION), (ADDITION,))
    ),
    "every third but the first": loop(
        "i", n, ir.If(condition("eq", i, 0), (ADDITION,) * 4, (ir.If(condition("eq", i % 3, 0), (ADDITION,)),))
    ),
    "once, of its number": loop(
        "i", n, ir.If(condition("eq", i, 0), (loop("j", ir.ceil_div(ir.int_min(8, n - 8 * i), 3), ADDITION),))
    ),
    "no closed form": loop("i", n, loop("j", (i * i) // 3, ADDITION)),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_sum_over_loops_is_that_of_adding_up(name: str) -> None:
    given = buffer("x", "n", space="input")
    code = program([given], [ONE_CELL], BODIES[name], dims=("n",))
    for count in range(30):
        ran = seen(code, {"x": np.zeros(count)}, {"n": count})
        assert said(code, {"n": count}) == ran, count
    assert said(code, {"n": 29}).arithmetic > 0
    assert operations(code).arithmetic.has(Total) == (name == "no closed form")


# --------------------------------------------------------------------------- what is computed once

X, Y = buffer("x", "n", space="input"), buffer("y", "n", space="output")
SQUARE = op("mul", load(X, 0), load(X, 0))
TWICE: dict[str, tuple[tuple[ir.Stmt, ...], int]] = {
    "what stands twice": ((ir.Let("a", SQUARE), ir.Let("b", SQUARE), store(Y, [0], op("add", SQUARE, SQUARE))), 3),
    "what a loop does not change": (
        (loop("i", 10, ir.Let("a", SQUARE), store(Y, ["i"], op("div", SQUARE, SQUARE))),),
        2,
    ),
    "what a loop changes": ((loop("i", 10, store(Y, ["i"], op("div", load(X, "i"), load(X, 0)))),), 10),
    "what is overwritten": ((*(store(Y, [0], op("sub", load(Y, 0), load(X, 0))) for _ in range(3)),), 3),
    "what a loop overwrites": ((loop("i", 10, store(Y, [0], op("sub", load(Y, 0), load(X, 0)))),), 10),
    "in two loops": ((*(loop("i", 10, store(Y, ["i"], op("neg", SQUARE))) for _ in range(2)),), 1),
    "in one arm": ((ir.If(condition("gt", n, 0), (store(Y, [0], SQUARE),)), store(Y, [1], SQUARE)), 2),
    "a product that is added": ((*(store(Y, [k], op("add", SQUARE, load(X, k))) for k in range(3)),), 6),
    "what is added to an element": ((loop("i", 10, store(Y, [0], op("mul", SQUARE, SQUARE), "add")),), 1 + 20),
}


@pytest.mark.parametrize("name", TWICE)
def test_equal_values_are_computed_once(name: str) -> None:
    body, expected = TWICE[name]
    assert said(program([X], [Y], *body, dims=("n",)), {"n": 10}).arithmetic == expected


@pytest.mark.parametrize(
    ("family", "depth"), [("Speelpenning", 6), ("product of sums", 5), ("determinant by minors", 3)]
)
def test_straight_code_has_as_many_instructions(family: str, depth: int) -> None:
    value, leaves = FAMILIES[family](depth, "_n")
    roots = [value, *grad(value, leaves)]
    text = sn.compile(roots, target=AVX2, stop_after="llvm")
    plain = len(re.findall(r" = (?:fadd|fsub|fmul|fdiv) double ", text))
    fused = len(re.findall(r" = call double @llvm\.fm\w+\.f64\(", text))
    counted = operations(sn.compile(roots, target=AVX2, stop_after="schedule"))
    assert counted == Operations(plain + 2 * fused, 0) and plain > 0


def test_two_counts_are_added_and_multiplied_kind_by_kind() -> None:
    assert Operations(1, 2) + Operations(3, 4) * 2 == Operations(7, 10)
    assert Operations(3, 4).total == 7
