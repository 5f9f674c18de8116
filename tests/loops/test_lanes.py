"""Iterations run together only where that gives the bits of one after the other."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symnet.loops import interpreter, ir
from symnet.loops.interpreter import run
from symnet.loops.lanes import may_run_at_once
from tests.loops.programs import buffer, load, loop, op, program, store, v

SIZE = 5
X = buffer("x", SIZE, SIZE, dtype="float32", space="input")
T = buffer("t", SIZE, dtype="int32", space="input")
A = buffer("a", SIZE, dtype="float32", space="output")
B = buffer("b", SIZE, SIZE, dtype="float32", space="output")
ZERO = ir.Const(0.0, "float32")


def index_exprs(variables: list[str]) -> st.SearchStrategy[ir.IntExpr]:
    """Expressions in 0 … SIZE-1 over the loops around."""
    base = [ir.IntConst(c) for c in (0, 2)]
    for var in variables:
        base += [v(var), v(var), ir.int_mod(v(var) + 1, SIZE), v(var) // 2, ir.int_min(v(var) + 1, SIZE - 1)]
        base.append(ir.IntLoad(T, (v(var),)))
        base.append(ir.int_add(ir.IntConst(SIZE - 1), ir.int_mul(v(var), ir.IntConst(-1))))
    return st.sampled_from(base)


@st.composite
def elements(
    draw: st.DrawFn, variables: list[str], buffers: tuple[ir.Buffer, ...]
) -> tuple[ir.Buffer, tuple[ir.IntExpr, ...]]:
    target = draw(st.sampled_from(buffers))
    return target, tuple(draw(index_exprs(variables)) for _ in target.shape)


@st.composite
def stores(draw: st.DrawFn, variables: list[str], cells: tuple[ir.Buffer, ...]) -> tuple[ir.Stmt, ...]:
    target, index = draw(elements(variables, (A, B, *cells)))
    loads = [ir.Load(*draw(elements(variables, (X, A, B, *cells)))) for _ in range(draw(st.integers(1, 2)))]
    value: ir.Value = loads[0] if len(loads) == 1 else op(draw(st.sampled_from(["add", "mul"])), *loads)
    combine = draw(st.sampled_from([None, None, "add", "mul", "max"]))
    if draw(st.booleans()):
        name = f"w{len(variables)}"
        return ir.Let(name, value), ir.Store(target, index, ir.Var(name, "float32"), combine)
    return (ir.Store(target, index, value, combine),)


def fresh_cell(name: str) -> tuple[ir.Buffer, tuple[ir.Stmt, ...]]:
    """A register buffer, and statements that make and fill it."""
    cell = buffer(name, SIZE, dtype="float32", space="register")
    return cell, (ir.Alloc(cell), loop(f"{name}_i", SIZE, store(cell, (f"{name}_i",), ir.Const(0.5, "float32"))))


@st.composite
def bodies(draw: st.DrawFn, variables: list[str], depth: int, cells: tuple[ir.Buffer, ...] = ()) -> tuple[ir.Stmt, ...]:
    body: list[ir.Stmt] = []
    if draw(st.booleans()):
        cell, made = fresh_cell(f"c{len(variables)}")
        cells, body = (*cells, cell), list(made)
    for position in range(draw(st.integers(1, 3))):
        if depth and draw(st.booleans()):
            var = f"i{len(variables)}{position}"
            body.append(loop(var, SIZE, *draw(bodies([*variables, var], depth - 1, cells))))
        elif not any(isinstance(stmt, ir.Let) for stmt in body):
            body.extend(draw(stores(variables, cells)))
    return tuple(body)


@given(nest=bodies(["i"], 2))
@settings(max_examples=200)
def test_random_nests_give_the_same_bits_together_and_one_by_one(nest: tuple[ir.Stmt, ...]) -> None:
    rng = np.random.default_rng(0)
    inputs = {"x": rng.normal(size=(SIZE, SIZE)).astype("float32"), "t": rng.integers(0, SIZE, SIZE, dtype="int32")}
    fill = loop("p", SIZE, store(A, ("p",), load(X, 0, "p")), loop("q", SIZE, store(B, ("p", "q"), load(X, "q", "p"))))
    whole = program([X, T], [A, B], fill, loop("i", SIZE, *nest))
    one_by_one, together = run(whole, inputs, together=False), run(whole, inputs)
    for name in ("a", "b"):
        np.testing.assert_array_equal(together[name], one_by_one[name])


def verdict(nest: ir.For) -> bool:
    return may_run_at_once(nest, {})


def test_independent_rows_with_their_own_reduction_run_together() -> None:
    reduce = loop("j", SIZE, store(A, ("i",), load(X, "i", "j"), "add"))
    divide = loop("j", SIZE, store(B, ("i", "j"), op("div", load(X, "i", "j"), load(A, "i"))))
    assert verdict(loop("i", SIZE, store(A, ("i",), ZERO), reduce, divide))


BY_DATA = ir.IntLoad(T, (v("i"),))
FIRST_ROWS = ir.IntCondition("lt", v("i"), ir.IntConst(2))


def test_a_register_made_in_the_nest_is_each_iterations_own() -> None:
    cell = buffer("cell", 1, dtype="float32", space="register")
    body = (
        ir.Alloc(cell),
        store(cell, (0,), ZERO),
        loop("j", SIZE, store(cell, (0,), load(X, "i", "j"), "add")),
        store(A, ("i",), load(cell, 0)),
    )
    assert verdict(loop("i", SIZE, *body))
    assert not verdict(loop("i", SIZE, *body[1:]))
    reused = loop("j", SIZE, store(cell, (0,), load(X, "i", "j")), store(B, ("i", "j"), load(cell, 0)))
    assert not verdict(loop("i", SIZE, ir.Alloc(cell), reused))


@pytest.mark.parametrize(
    ("reason", "body"),
    [
        ("a recurrence", (store(A, (v("i") + 1,), load(A, "i")),)),
        ("a scalar reused", (store(A, (0,), load(X, 0, "i")), store(B, ("i", 0), load(A, 0)))),
        ("a running sum that is read", (store(A, (0,), load(X, 0, "i"), "add"), store(B, ("i", 0), load(A, 0)))),
        ("steps that differ", (store(A, ("i",), load(A, (v("i") + 1) % 5)),)),
        ("an index that data decides", (store(A, (BY_DATA,), load(A, BY_DATA)),)),
        ("a guard", (ir.If(FIRST_ROWS, (store(A, ("i",), ZERO),)),)),
        ("an uneven inner loop", (loop("j", "i", store(A, ("j",), load(X, "i", "j"), "add")),)),
        ("an extent that data decides", (loop("j", ir.IntLoad(T, (v("n"),)), store(A, ("j",), ZERO)),)),
    ],
)
def test_a_nest_does_not_run_together_with(reason: str, body: tuple[ir.Stmt, ...]) -> None:
    assert not verdict(loop("i", 4, *body)), reason


def test_a_buffer_under_two_shapes_is_not_run_together() -> None:
    flat = ir.Buffer("flat", "float32", (ir.IntConst(25),), "workspace", view_of="b")
    nest = loop("i", SIZE, store(B, ("i", 0), ZERO), store(flat, ("i",), load(X, 0, "i")))
    assert not may_run_at_once(nest, {"flat": "b"})


def test_a_wrong_verdict_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = loop("i", SIZE - 1, store(A, (v("i") + 1,), load(A, "i")))
    whole = program([X], [A], loop("p", SIZE, store(A, ("p",), load(X, 0, "p"))), chain)
    inputs = {"x": np.arange(25, dtype="float32").reshape(5, 5)}
    expected = run(whole, inputs, together=False)["a"]
    np.testing.assert_array_equal(run(whole, inputs)["a"], expected)
    monkeypatch.setattr(interpreter, "may_run_at_once", lambda nest, roots: True)
    assert (run(whole, inputs)["a"] != expected).any()


def test_a_nest_too_large_for_its_temporaries_runs_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreter, "LANE_LIMIT", 7)
    nest = loop("i", SIZE, loop("j", SIZE, store(A, ("i",), load(X, "i", "j"), "add")))
    whole = program([X], [A], loop("p", SIZE, store(A, ("p",), ZERO)), nest)
    x = np.arange(25, dtype="float32").reshape(5, 5)
    np.testing.assert_array_equal(run(whole, {"x": x})["a"], x.sum(1))
