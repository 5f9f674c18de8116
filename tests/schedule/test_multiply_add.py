"""Products stand in the sums that alone read them, and whole programs of arithmetic then have machine code's bits."""

from dataclasses import replace

import numpy as np
import pytest

import symnet as sn
from symnet.backends.llvm.loading import runs_here
from symnet.loops import ir
from symnet.loops.printer import to_text
from symnet.schedule.multiply_add import with_multiply_adds
from tests.llvm.native import meant, native
from tests.loops.programs import buffer, load, loop, op, program, store
from tests.schedule.test_vectorize import TARGETS

X, Y = buffer("x", 5, space="input"), buffer("y", 5, space="output")


def var(name: str, dtype: str = "float64") -> ir.Var:
    return ir.Var(name, dtype)


def body(*lets: tuple[str, ir.Value], combine: str | None = None) -> ir.Program:
    """y[i] is the last value; a and b are elements."""
    bound = [ir.Let(name, value) for name, value in (("a", load(X, "i")), ("b", load(X, 0)), *lets)]
    last = var(bound[-1].name)
    return program([X], [Y], loop("i", 5, *bound, store(Y, ("i",), last, combine)))


def joined(made: ir.Program) -> ir.Program:
    """The program with its products in their sums."""
    ((group, phase),) = made.phases()
    return replace(made, groups=(replace(group, phases=(replace(phase, body=with_multiply_adds(phase.body)),)),))


def lines(made: ir.Program) -> list[str]:
    """The statements below `b`, as they are printed."""
    text = [line.strip().removeprefix("let ") for line in to_text(made).splitlines()]
    return text[text.index("b = x[0]") + 1 :]


A, B = var("a"), var("b")
PRODUCT = ("p", op("mul", A, B))
CASES = {
    "a sum": ([PRODUCT, ("s", op("add", var("p"), A))], None, ["s = a * b + a", "y[i] = s"]),
    "the other way": ([PRODUCT, ("s", op("add", A, var("p")))], None, ["s = a + a * b", "y[i] = s"]),
    "a difference": ([PRODUCT, ("s", op("sub", A, var("p")))], None, ["s = a - a * b", "y[i] = s"]),
    "a store that adds": ([PRODUCT], "add", ["y[i] += a * b"]),
    "its negative": (
        [PRODUCT, ("n", op("neg", var("p"))), ("s", op("add", var("n"), A))],
        None,
        ["s = -a * b + a", "y[i] = s"],
    ),
    "one of two": (
        [PRODUCT, ("q", op("mul", A, A)), ("s", op("add", var("p"), var("q")))],
        None,
        ["q = a * a", "s = a * b + q", "y[i] = s"],
    ),
    "one after another": (
        [PRODUCT, ("s", op("add", var("p"), A)), ("q", op("mul", var("s"), B)), ("t", op("sub", var("q"), B))],
        None,
        ["s = a * b + a", "t = s * b - b", "y[i] = t"],
    ),
    "read twice": (
        [PRODUCT, ("s", op("add", var("p"), A)), ("t", op("mul", var("p"), var("s")))],
        None,
        ["p = a * b", "s = p + a", "t = p * s", "y[i] = t"],
    ),
    "a store that multiplies": ([PRODUCT], "mul", ["p = a * b", "y[i] *= p"]),
    "no sum": ([PRODUCT, ("s", op("div", var("p"), A))], None, ["p = a * b", "s = p / a", "y[i] = s"]),
    "memory": (
        [("p", op("mul", A, load(X, 1))), ("s", op("add", var("p"), A))],
        None,
        ["p = a * x[1]", "s = p + a", "y[i] = s"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_products_move_into_their_sum_and_no_others_move(case):
    lets, combine, meant = CASES[case]
    assert lines(joined(body(*lets, combine=combine))) == meant


def test_a_product_in_front_of_a_loop_stays_there():
    product = ir.Let("p", op("mul", load(X, 0), ir.Const(2.0, "float64")))
    inner = loop("i", 5, store(Y, ("i",), op("add", var("p"), load(X, "i"))))
    made = program([X], [Y], product, inner)
    assert joined(made) == made


def test_integers_are_left_as_they_are():
    lets = [ir.Let("p", ir.Op("mul", (var("k", "int64"), var("k", "int64")), "int64"))]
    whole = buffer("k", 5, dtype="int64", space="input")
    out = buffer("z", 5, dtype="int64", space="output")
    total = ir.Op("add", (var("p", "int64"), var("k", "int64")), "int64")
    made = program([whole], [out], loop("i", 5, ir.Let("k", load(whole, "i")), *lets, store(out, ("i",), total)))
    assert joined(made) == made


# --------------------------------------------------------------------------- bits

UNARY = [lambda a: -a, lambda a: a * a, lambda a: a * 3 - 1, sn.abs, lambda a: sn.sqrt(abs(a) + 1), sn.relu]
BINARY = [lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b, lambda a, b: a / (b * b + 1), sn.maximum]


def arithmetic(rng: np.random.Generator, leaves: list) -> list:
    """Values that rounding alone tells apart: no function but roots, and sums by rows and by products."""
    nodes = list(leaves)
    for _ in range(12):
        chosen = [nodes[k] for k in rng.integers(len(nodes), size=2)]
        which = rng.integers(3)
        nodes.append(UNARY[rng.integers(len(UNARY))](chosen[0]) if not which else BINARY[rng.integers(5)](*chosen))
    top = nodes[-1]
    return [top, sn.sum(top), sn.sum(top * nodes[-2], axis=1), top @ leaves[0].T]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("target", TARGETS)
def test_arithmetic_has_the_bits_of_machine_code_in_the_interpreter(target, dtype):
    if not runs_here(TARGETS[target]):
        pytest.skip("this machine lacks its instructions")
    machine = TARGETS[target]
    for seed in range(6):
        rng = np.random.default_rng(seed)
        leaves = [sn.tensor(name, 9, 21) for name in "xyz"]
        outputs = arithmetic(rng, leaves)
        outputs += [sn.grad(outputs[1], leaf, absent="zero") for leaf in leaves]
        code = native(sn.compile(outputs, dtype=dtype, target=machine, stop_after="schedule"), machine)
        data = {name: rng.standard_normal((9, 21)).astype(dtype) for name in "xyz"}
        data = {b.name: data[b.name] for b in code.program.inputs}
        got, wanted = code.run(data), meant(code.program, data, target=machine)
        for name in got:
            np.testing.assert_array_equal(got[name], wanted[name], err_msg=f"{name} of seed {seed}")
