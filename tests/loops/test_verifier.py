"""Corrupt programs are caught, and the message quotes the statement and the values."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from symnet.errors import CompileError
from symnet.loops import ir
from symnet.loops.interpreter import run
from symnet.loops.printer import value_text
from symnet.loops.verifier import verify
from tests.loops.programs import buffer, load, loop, map_body, naive_gemm, op, program, store, tiled_gemm, v

X = buffer("x", "n", space="input")
T = buffer("t", "n", dtype="int32", space="input")
Y = buffer("y", "n", space="output")
W = buffer("w", 8)
R = buffer("r", 4, space="register")
ONE, HALF = ir.Const(1.0, "float64"), ir.Const(0.5, "float32")
WRITE = loop("q", "n", store(Y, ("q",), ONE))


def whole(*body: ir.Stmt, units: int | ir.IntExpr = 1) -> ir.Program:
    """A program that is well formed but for the body."""
    return program([X, T], [Y], *body, dims=("n",), workspace=[W], units=units)


def let(value: ir.Value, name: str = "a") -> ir.Program:
    """A program that binds one value, in a loop over i and j."""
    return whole(WRITE, loop("i", "n", loop("j", 4, ir.Let(name, value))))


def refused(text: str, bad: ir.Program) -> None:
    """The program is refused, with this text somewhere in the message."""
    with pytest.raises(CompileError) as caught:
        verify(bad)
    assert text in str(caught.value)


def test_good_programs_pass() -> None:
    for good in (naive_gemm(), tiled_gemm(), whole(WRITE), let(load(X, "i"))):
        verify(good)


# --------------------------------------------------------------------------- declarations


SPACES = "input, output, workspace, register, constant"
DTYPES = "bool, int32, int64, float32, float64"


def view(source: str, *shape: int | str, dtype: str = "float64") -> dict[str, object]:
    """A change that adds a view z to the workspace."""
    return {"workspace": (W, replace(buffer("z", *shape, dtype=dtype), view_of=source))}


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("run-time extents of different names; got n twice in dims", {"dims": ("n", "n")}),
        ("a new name for y: float64[n]; got y declared twice, as y: float64[n] before", {"outputs": (Y, Y)}),
        (f"x of a dtype among {DTYPES}; got 'float16'", {"inputs": (replace(X, dtype="float16"), T)}),
        (f"x in a space among {SPACES}; got 'disk'", {"inputs": (replace(X, space="disk"), T)}),
        ("x: float64[n] in space input; got workspace", {"inputs": (replace(X, space="workspace"), T)}),
        ("extents made of n; got k + 1 in z: float64[k + 1]", {"workspace": (buffer("z", v("k") + 1), W)}),
        ("z: float64[n] = view of q to view one of x, t, y, w, z; got q", view("q", "n")),
        ("z: float32[n] = view of x with the dtype of x: float64[n]; got float32", view("x", "n", dtype="float32")),
        ("z: float64[2, 3] = view of w to have as many elements as w: float64[8]; got 2·3 and 8", view("w", 2, 3)),
        ("z: float64[n, 2] = view of x to have as many elements as x: float64[n]; got n·2 and n", view("x", "n", 2)),
        ("views that end at a buffer; got z → z", view("z", 8)),
        ("a Store to the output z: float64[]; got none", {"outputs": (Y, buffer("z", space="output"))}),
    ],
)
def test_a_wrong_declaration_is_refused(text: str, change: dict[str, object]) -> None:
    refused(f"program p: expected {text}", replace(whole(WRITE), **change))


def test_a_view_of_a_view_of_the_same_count_passes() -> None:
    pairs, flat = replace(buffer("pairs", "n", 4), view_of="flat"), replace(buffer("flat", v("n") * 4), view_of="big")
    good = replace(whole(WRITE), workspace=(W, pairs, flat, buffer("big", 2, "n", 2)))
    verify(good)


def test_a_store_through_a_view_stores_the_output() -> None:
    flat = replace(buffer("flat", "n"), view_of="y")
    good = whole(loop("i", "n", store(flat, ("i",), ONE)))
    verify(replace(good, workspace=(W, flat)))


# --------------------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("text", "bad"),
    [
        ("`let a = b`: expected values in scope (none); got b", let(ir.Var("b", "float64"))),
        (
            "`let a = float64(k + 1)`: expected integer names in scope (n, block, u, i, j); got k in k + 1",
            let(ir.FromInt(v("k") + 1, "float64")),
        ),
        (
            "`let a = z[i]`: expected buffers in scope (x, t, y, w); got z[i]",
            let(load(buffer("z", "n"), "i")),
        ),
        (
            "`let a = x[i]`: expected the declared x: float64[n], space input; got x: float64[n, 1], space input",
            let(load(replace(X, shape=(v("n"), ir.IntConst(1))), "i")),
        ),
        (
            "`for i in n:`: expected a new name instead of i; got the loop variable i in scope",
            whole(loop("i", 3, loop("i", "n"))),
        ),
        ("`for n in 3:`: expected a new name instead of n; got the extent n in scope", whole(loop("n", 3))),
        ("expected a new name instead of i; got the loop variable i in scope", let(ONE, "i")),
        (
            "`let a = 1.0`: expected a new name instead of a; got the value a in scope",
            whole(ir.Let("a", ONE), loop("i", 3, ir.Let("a", ONE))),
        ),
        ("expected a new name instead of u; got the loop variable u in scope", whole(loop("u", 3))),
        (
            "`let b = a`: expected a as bound, float64; got a Var of float32",
            whole(ir.Let("a", ONE), ir.Let("b", ir.Var("a", "float32"))),
        ),
        (
            "`w[0] = a`: expected values in scope (none); got a",
            whole(loop("i", 2, ir.Let("a", ONE)), store(W, (0,), ir.Var("a", "float64"))),
        ),
        ("`r[0] = 1.0`: expected buffers in scope (x, t, y, w); got r[0]", whole(store(R, (0,), ONE))),
        ("`r[0] = 1.0`: expected buffers in scope", whole(loop("i", 2, ir.Alloc(R)), store(R, (0,), ONE))),
    ],
)  # fmt: skip
def test_a_wrong_name_is_refused(text: str, bad: ir.Program) -> None:
    refused(text, bad)


def test_sibling_scopes_may_reuse_names() -> None:
    part = loop("i", 4, ir.Alloc(R), ir.Let("a", ONE), store(R, ("i",), ir.Var("a", "float64")))
    verify(whole(WRITE, part, part))


# --------------------------------------------------------------------------- elements


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("expected 1 indices for w: float64[8]; got 2 in w[0, 0]", (0, 0)),
        ("expected 0 <= 8 < 8 on axis 0 of w: float64[8]; got an index as high as 8", (8,)),
        ("expected 0 <= -1 < 8 on axis 0 of w: float64[8]; got an index of -1", (-1,)),
        ("expected 0 <= 2*j + 2 < 8 on axis 0 of w: float64[8]; got an index as high as 8", (v("j") * 2 + 2,)),
        ("expected 0 <= 2 - j < 8 on axis 0 of w: float64[8]; got an index of -1", (2 - v("j"),)),
    ],
)
def test_an_index_that_can_be_seen_to_fail_is_refused(text: str, index: tuple[ir.IntExpr | int, ...]) -> None:
    refused(text, let(load(W, *index)))


def test_an_index_past_a_symbolic_extent_is_refused() -> None:
    refused("expected 0 <= i + 1 < n on axis 0 of x: float64[n]; got an index as high as n", let(load(X, v("i") + 1)))
    refused("got an index of -1", let(load(X, v("i") - 1)))


@pytest.mark.parametrize(
    "value",
    [
        load(W, v("i")),
        load(W, v("j") * 2 + 1),
        load(W, 3 - v("j")),
        load(X, ir.IntLoad(T, (v("i"),))),
        load(X, v("n") - 1 - v("i")),
        load(X, ir.int_min(v("i") + 1, v("n") - 1)),
    ],
)
def test_an_index_that_may_be_right_passes(value: ir.Value) -> None:
    verify(let(value))


def test_guarded_empty_and_uneven_loops_are_not_judged() -> None:
    guard = ir.If(ir.IntCondition("lt", v("i"), ir.IntConst(8)), (store(W, ("i",), ONE),))
    never = loop("i", 0, store(W, (v("i") - 1,), ONE))
    uneven = loop("i", 9, loop("j", "i", store(W, (v("i") - 1,), ONE)))
    verify(whole(WRITE, loop("i", 100, guard), never, uneven))


@pytest.mark.parametrize(
    ("text", "expr"),
    [
        ("expected an integer buffer in x[i]; got x: float64[n]", ir.IntLoad(X, (v("i"),))),
        ("expected a positive divisor in i//0; got 0", ir.IntFloorDiv(v("i"), 0)),
        ("expected a positive divisor in i % -3; got -3", ir.IntMod(v("i"), -3)),
    ],
)
def test_a_wrong_integer_is_refused(text: str, expr: ir.IntExpr) -> None:
    refused(text, let(ir.FromInt(expr, "int64")))


# --------------------------------------------------------------------------- values and stores

P, I = ir.Const(True, "bool"), ir.Const(3, "int32")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("expected add of operands of one dtype (integer or real), with a result of that dtype; got "
         "(float64, float32) -> float64 in 1.0 + 0.5", ir.Op("add", (ONE, HALF), "float64")),
        ("got (float64, float64) -> float32 in 1.0 * 1.0", ir.Op("mul", (ONE, ONE), "float32")),
        ("got (bool, bool) -> bool in True + True", ir.Op("add", (P, P), "bool")),
        ("expected div of operands of one dtype (real)", ir.Op("div", (I, I), "int32")),
        ("expected exp of operands of one dtype (real)", ir.Op("exp", (I,), "int32")),
        ("expected lt of operands of one dtype (integer or real), with a result of bool; got "
         "(float64, float64) -> float64 in 1.0 < 1.0", ir.Op("lt", (ONE, ONE), "float64")),
        ("expected and of operands of one dtype (bool), with a result of bool", ir.Op("and", (ONE, P), "bool")),
        ("expected select of a bool, then two values of the result's dtype; got (float64, float64, float64)",
         ir.Op("select", (ONE, ONE, ONE), "float64")),
        ("expected select of a bool", ir.Op("select", (P, ONE, HALF), "float64")),
        ("expected cast of a value, to a dtype among bool, int32, int64, float32, float64; got (float64) -> int8",
         ir.Op("cast", (ONE,), "int8")),
        ("expected 2 operands of pow; got 1 in pow(1.0)", ir.Op("pow", (ONE,), "float64")),
        ("expected 1 operand of neg; got 2 in neg(1.0, 1.0)", ir.Op("neg", (ONE, ONE), "float64")),
        ("expected an operation of the loop language; got 'airy'", ir.Op("airy", (ONE,), "float64")),
        ("expected a constant of int32; got 1.5", ir.Const(1.5, "int32")),
        ("expected a constant of int32; got 2147483648", ir.Const(2**31, "int32")),
        ("expected a constant of bool; got 1", ir.Const(1, "bool")),
        ("expected a constant of float64; got True", ir.Const(True, "float64")),
        ("expected a constant of float8; got 1.0", ir.Const(1.0, "float8")),
        ("expected a number's dtype for an index; got 'bool'", ir.FromInt(v("i"), "bool")),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused(text: str, value: ir.Value) -> None:
    refused(f"program p, phase only: `let a = {value_text(value)}`: ", let(value))
    refused(text, let(value))


NOT_THERE = ir.IntCondition("lt", v("k"), v("n"))
LONG = replace(R, shape=(v("n"),))


@pytest.mark.parametrize(
    ("text", "bad"),
    [
        ("`y[0] = 0.5`: expected a value of float64 for y; got 0.5 of float32", store(Y, (0,), HALF)),
        ("`y[0] xor= 1.0`: expected combine among None, add, mul, max, min; got 'xor'", store(Y, (0,), ONE, "xor")),
        ("`x[0] = 1.0`: expected stores to outputs, workspace and registers; got the input x", store(X, (0,), ONE)),
        ("(odd):`: expected a loop kind among serial, unroll, vector; got 'odd'", loop("i", "n", kind="odd")),
        ("expected a constant extent, or a bound, to unroll; got n without a bound", loop("i", "n", kind="unroll")),
        ("`for i in 5 (at most 4):`: expected an extent of at most its bound 4; got 5", loop("i", 5, bound=4)),
        ("`register r: float64[n]`: expected constant extents in registers; got r: float64[n]", ir.Alloc(LONG)),
        ("expected a register buffer that is no view; got space workspace", ir.Alloc(buffer("z", 4))),
        ("got space register, a view of w", ir.Alloc(replace(R, view_of="w"))),
        ("expected a new name for w: float64[4]; got w declared twice", ir.Alloc(buffer("w", 4, space="register"))),
        ("expected a condition among lt, le, gt, ge, eq, ne; got '<'", ir.If(replace(NOT_THERE, op="<"), ())),
        ("`if k < n:`: expected integer names in scope (n, block, u); got k in k", ir.If(NOT_THERE, ())),
        ("`for i in k:`: expected integer names in scope (n, block, u); got k", loop("i", "k")),
    ],
)
def test_a_wrong_statement_is_refused(text: str, bad: ir.Stmt) -> None:
    refused(text, whole(WRITE, bad))


def test_a_store_to_a_view_of_an_input_is_refused() -> None:
    seen = replace(buffer("seen", "n"), view_of="x")
    bad = replace(whole(WRITE, store(seen, (0,), ONE)), workspace=(W, seen))
    refused("expected stores to outputs, workspace and registers; got the input seen", bad)


@pytest.mark.parametrize("combine", ["add", "mul"])
def test_bools_are_not_added(combine: str) -> None:
    flag = buffer("flag", dtype="bool", space="output")
    refused("expected numbers to combine; got flag of bool", program([], [flag], store(flag, (), P, combine)))


@pytest.mark.parametrize("combine", ["max", "min"])
def test_the_larger_and_the_smaller_of_bools_are_or_and_and(combine: str) -> None:
    """The places of the largest of a table of truth values are found so, column by column."""
    flag = buffer("flag", dtype="bool", space="output")
    verify(program([], [flag], store(flag, (), P, combine)))


def test_what_is_no_statement_or_value_is_refused() -> None:
    class Jump(ir.Stmt):
        pass

    class Guess(ir.Value):
        dtype = "float64"

    refused("expected a statement of ir.py; got Jump", whole(Jump()))
    refused("expected a value of ir.py; got Guess", whole(ir.Let("a", ir.Op("neg", (Guess(),), "float64"))))


# --------------------------------------------------------------------------- vector loops


def lanes(*body: ir.Stmt) -> ir.Program:
    """A vector loop over i, four lanes, beside a register buffer r."""
    return whole(WRITE, ir.Alloc(R), loop("i", 4, *body, kind="vector"))


GUARD = ir.If(ir.IntCondition("lt", v("i"), ir.IntConst(2)), ())
SCATTER = store(W, (ir.IntLoad(T, (v("i"),)),), ONE)
PAIRED = store(W, (v("i") // 2,), ONE, "add")
INNER = loop("j", 2, kind="vector")
LOCAL = ir.Alloc(buffer("s", 1, space="register"))


@pytest.mark.parametrize(
    ("text", "bad"),
    [
        ("`if i < 2:`: expected Let, Fetch, Store and For inside the vector loop over i; got If", GUARD),
        ("expected Let, Fetch, Store and For inside the vector loop over i; got Alloc", LOCAL),
        ("`for j in 2 (vector):`: expected no vector loop inside the vector loop over i; got j", INNER),
        ("`for j in i:`: expected an inner extent free of the lane variable i", loop("j", "i")),
        ("`w[0] = 1.0`: expected an element of each iteration's own", store(W, (0,), ONE)),
        ("expected a store that the lane variable i itself addresses; got w[t[i]]", SCATTER),
        ("a combine into an element free of i, or one that moves with it; got w[i//2]", PAIRED),
        ("to be indexed by i alone, on its last axis; got r[3 - i]", ir.Let("a", load(R, 3 - v("i")))),
        ("`w[i + 1] = w[i]`: expected independent iterations of the vector loop over i; got iterations 1 apart that "
         "meet, at w[i]", store(W, (v("i") + 1,), load(W, "i"))),
        ("got iterations 2 apart that meet, at w[i + 2]", store(W, ("i",), load(W, v("i") + 2))),
    ],
)  # fmt: skip
def test_a_vector_loop_refuses(text: str, bad: ir.Stmt) -> None:
    refused(text, lanes(bad))


def test_a_register_takes_the_lane_on_no_other_axis() -> None:
    table = buffer("r", 4, 4, space="register")
    bad = whole(WRITE, ir.Alloc(table), loop("i", 4, store(table, ("i", 0), ONE), kind="vector"))
    refused("expected the register buffer r to be indexed by i alone, on its last axis; got r[i, 0]", bad)


def test_a_reduction_may_not_be_read_by_its_own_loop() -> None:
    bad = lanes(store(W, (0,), load(X, "i"), "add"), ir.Let("a", load(W, 0)))
    refused("expected independent iterations of the vector loop over i; got any two iterations that meet, at w[0]", bad)


@pytest.mark.parametrize(
    "good",
    [
        (store(W, (0,), load(X, "i"), "add"), store(W, (0,), load(X, "i"), "add")),
        (store(W, ("i",), op("add", load(W, "i"), ONE)), store(W, ("i",), ONE, "mul")),
        (store(W, (v("i") * 2,), ONE), store(W, (v("i") * 2 + 1,), load(W, v("i") * 2))),
        (store(W, (v("i") + 4,), load(W, "i")),),
        (ir.Let("a", load(X, ir.IntLoad(T, (v("i"),)))), store(R, ("i",), ir.Var("a", "float64"))),
        (loop("j", 2, store(R, ("i",), load(X, "i"), "max")),),
    ],
)
def test_independent_lanes_pass(good: tuple[ir.Stmt, ...]) -> None:
    verify(lanes(*good))


# --------------------------------------------------------------------------- units


def test_units_that_store_to_one_element_are_refused() -> None:
    text = "`w[0] = 1.0`: expected an element of each unit's own (units u run in parallel); got w[0]"
    refused(text, whole(store(Y, ("u",), ONE), store(W, (0,), ONE), units=v("n")))


def test_one_unit_may_store_where_it_is_the_only_one() -> None:
    only = ir.If(ir.IntCondition("eq", v("u"), ir.IntConst(0)), (store(W, (0,), ONE),))
    verify(whole(store(Y, ("u",), ONE), only, ir.Alloc(R), store(R, (0,), ONE), units=v("n")))


# --------------------------------------------------------------------------- test the tester


CORRUPTIONS: dict[str, Callable[[ir.Stmt], ir.Stmt]] = {
    "an index off by one": lambda s: replace(s, index=(s.index[0] + 1, *s.index[1:])),
    "exchanged axes": lambda s: replace(s, index=s.index[::-1]),
    "an axis forgotten": lambda s: replace(s, index=s.index[1:]),
    "another dtype": lambda s: replace(s, value=ir.Op("cast", (s.value,), "float64")),
    "an unknown combine": lambda s: replace(s, combine="sub"),
}


@pytest.mark.parametrize("name", sorted(CORRUPTIONS))
def test_every_corruption_of_a_good_product_is_caught(name: str) -> None:
    def corrupt(stmt: ir.Stmt) -> ir.Stmt:
        is_update = isinstance(stmt, ir.Store) and stmt.combine == "add"
        return CORRUPTIONS[name](stmt) if is_update else stmt

    good = tiled_gemm()
    phase = good.groups[0].phases[0]
    bad = replace(good, groups=(ir.Group((replace(phase, body=map_body(phase.body, corrupt)),)),))
    inputs = {"A": np.ones((8, 3), "float32"), "B": np.ones((3, 16), "float32")}
    run(good, inputs)
    with pytest.raises(CompileError):  # by the verifier, or by the interpreter where extents decide
        run(bad, inputs)
