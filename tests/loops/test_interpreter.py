"""The meaning of the loop language: programs built by hand against NumPy."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symnet.errors import ArgumentError, CompileError, DTypeError, ShapeError
from symnet.loops import ir
from symnet.loops.integers import is_multiple
from symnet.loops.interpreter import run
from symnet.loops.substitute import Substitution
from tests.loops.programs import buffer, load, loop, naive_gemm, op, program, store, tiled_gemm, v

EXTENT = st.integers(0, 13)


def one(dtype: str = "float64") -> ir.Const:
    return ir.Const(1.0, dtype)


@given(m=EXTENT, k=EXTENT, n=EXTENT, together=st.booleans())
def test_a_naive_product_is_numpys(m: int, k: int, n: int, together: bool) -> None:
    rng = np.random.default_rng(m * 400 + k * 20 + n)
    a, b = rng.normal(size=(m, k)), rng.normal(size=(k, n))
    got = run(naive_gemm(), {"A": a, "B": b}, together=together)["C"]
    np.testing.assert_allclose(got, a @ b, rtol=1e-13, atol=1e-13)


@given(m=EXTENT, k=EXTENT, n=EXTENT, rows=st.integers(1, 5), columns=st.integers(1, 9), together=st.booleans())
def test_a_register_tiled_product_is_numpys(m: int, k: int, n: int, rows: int, columns: int, together: bool) -> None:
    rng = np.random.default_rng(m * 400 + k * 20 + n)
    a, b = rng.normal(size=(m, k)).astype("float32"), rng.normal(size=(k, n)).astype("float32")
    got = run(tiled_gemm(rows, columns), {"A": a, "B": b}, unit_order="reversed", together=together)["C"]
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, a @ b, rtol=1e-5, atol=1e-5)


def test_lanes_and_single_steps_give_the_same_bits(rng: np.random.Generator) -> None:
    a, b = rng.normal(size=(7, 30)).astype("float32"), rng.normal(size=(30, 9)).astype("float32")
    for whole in (naive_gemm("float32"), tiled_gemm()):
        quick, slow = (run(whole, {"A": a, "B": b}, together=together)["C"] for together in (True, False))
        assert quick.tobytes() == slow.tobytes()


@pytest.mark.parametrize("combine", ["add", "mul", "max", "min"])
@pytest.mark.parametrize("kind", ["serial", "vector"])
def test_a_combine_reduces_in_the_order_of_the_loop(combine: str, kind: str, rng: np.random.Generator) -> None:
    x, y = buffer("x", "n", dtype="float32", space="input"), buffer("y", dtype="float32", space="output")
    reduce = loop("i", "n", store(y, (), load(x, "i"), combine), kind=kind)
    data = rng.normal(size=1000).astype("float32")
    got = run(program([x], [y], store(y, (), one("float32")), reduce, dims=("n",)), {"x": data})["y"]
    expected = np.float32(1)
    step = {"add": np.add, "mul": np.multiply, "max": np.maximum, "min": np.minimum}[combine]
    for element in data:
        expected = step(expected, element)
    assert got == expected
    assert got.shape == ()


def test_max_keeps_nan() -> None:
    x, y = buffer("x", "n", space="input"), buffer("y", space="output")
    body = (store(y, (), load(x, 0)), loop("i", "n", store(y, (), load(x, "i"), "max")))
    assert np.isnan(run(program([x], [y], *body, dims=("n",)), {"x": np.array([1.0, np.nan, 3.0])})["y"])


def test_rows_are_normalised_with_lets_and_a_workspace(rng: np.random.Generator) -> None:
    z, y = buffer("Z", "m", 5, space="input"), buffer("Y", "m", 5, space="output")
    top, total = buffer("top", "m"), buffer("total", "m")
    shifted = op("exp", op("sub", load(z, "i", "j"), load(top, "i")))
    body = loop(
        "i",
        "m",
        store(top, ("i",), load(z, "i", 0)),
        loop("j", 5, store(top, ("i",), load(z, "i", "j"), "max")),
        store(total, ("i",), ir.Const(0.0, "float64")),
        loop(
            "j",
            5,
            ir.Let("e", shifted),
            store(y, ("i", "j"), ir.Var("e", "float64")),
            store(total, ("i",), ir.Var("e", "float64"), "add"),
        ),
        loop("j", 5, store(y, ("i", "j"), op("div", load(y, "i", "j"), load(total, "i")))),
    )
    softmax = program([z], [y], body, dims=("m",), workspace=[top, total])
    data = rng.normal(size=(6, 5)) * 100
    expected = np.exp(data - data.max(1, keepdims=True))
    for together in (True, False):
        got = run(softmax, {"Z": data}, together=together)["Y"]
        np.testing.assert_allclose(got, expected / expected.sum(1, keepdims=True), rtol=1e-14)


def test_integer_loads_gather_and_scatter_with_collisions(rng: np.random.Generator) -> None:
    label, x = buffer("t", "m", dtype="int64", space="input"), buffer("X", "m", 3, space="input")
    table, taken = buffer("S", 4, 3, space="output"), buffer("G", "m", space="output")
    row = ir.IntLoad(label, (v("i"),))
    body = (
        loop("c", 4, loop("j", 3, store(table, ("c", "j"), ir.Const(0.0, "float64")))),
        loop("i", "m", loop("j", 3, store(table, (row, "j"), load(x, "i", "j"), "add"))),
        loop("i", "m", store(taken, ("i",), load(table, row, 2))),
    )
    data, labels = rng.normal(size=(10, 3)), rng.integers(0, 4, 10)
    for together in (True, False):
        whole = program([label, x], [table, taken], *body, dims=("m",))
        got = run(whole, {"t": labels, "X": data}, together=together)
        np.testing.assert_allclose(got["S"], np.eye(4)[labels].T @ data, atol=1e-14)
        np.testing.assert_array_equal(got["G"], got["S"][labels, 2])


def test_a_view_shares_memory_under_another_shape() -> None:
    x, y = buffer("x", 2, 6, space="input"), buffer("y", 3, 4, space="output")
    flat = replace(buffer("flat", 12), view_of="y")
    again = replace(buffer("again", 2, 6), view_of="flat")
    body = (
        loop("i", 2, loop("j", 6, store(again, ("i", "j"), load(x, "i", "j")))),
        loop("i", 12, store(flat, ("i",), one(), "add")),
    )
    got = run(program([x], [y], *body, workspace=[again, flat]), {"x": np.arange(12.0).reshape(2, 6)})
    np.testing.assert_array_equal(got["y"], np.arange(1.0, 13).reshape(3, 4))


def test_a_view_of_another_size_at_run_time_is_refused() -> None:
    x, y = buffer("x", "m", space="input"), buffer("y", space="output")
    pairs = replace(buffer("pairs", v("m") // 2, 2), view_of="x")
    whole = program([x], [y], store(y, (), load(pairs, 0, 1)), dims=("m",), workspace=[pairs])
    assert run(whole, {"x": np.arange(4.0)})["y"] == 1
    with pytest.raises(CompileError, match=r"expected 5 elements; got 4, in shape \(2, 2\)\. A view of x keeps"):
        run(whole, {"x": np.arange(5.0)})


def test_groups_repeat_their_phases_in_order() -> None:
    y = buffer("y", 8, space="output")
    fill = ir.Phase("fill", (store(y, (v("block") * 2 + v("u"),), ir.FromInt(v("block"), "float64")),), ir.IntConst(2))
    double = ir.Phase("double", (store(y, (v("block") * 2,), load(y, v("block") * 2), "add"),))
    whole = ir.Program("blocks", (), (), (y,), (), (ir.Group((fill, double), ir.IntConst(4)),))
    for order in ("forward", "reversed", 7):
        np.testing.assert_array_equal(run(whole, {}, unit_order=order)["y"], [0, 0, 2, 1, 4, 2, 6, 3])


def test_conditions_guard_a_tail() -> None:
    y = buffer("y", "n", space="output")
    i = v("t") * 4 + v("l")
    inside = ir.If(ir.IntCondition("lt", i, v("n")), (store(y, (i,), ir.FromInt(i, "float64")),))
    body = loop("t", ir.ceil_div(v("n"), 4), loop("l", 4, inside))
    np.testing.assert_array_equal(run(program([], [y], body, dims=("n",)), {}, {"n": 6})["y"], np.arange(6))


@pytest.mark.parametrize(("name", "expected"), [("lt", 0), ("le", 1), ("gt", 0), ("ge", 1), ("eq", 1), ("ne", 0)])
def test_every_condition_is_the_integers_own(name: str, expected: int) -> None:
    y = buffer("y", space="output")
    test = ir.IntCondition(name, v("n") - 3, v("n") % 3)
    body = ir.If(test, (store(y, (), one()),), (store(y, (), ir.Const(0.0, "float64")),))
    assert run(program([], [y], body, dims=("n",)), {}, {"n": 3})["y"] == expected


@given(a=st.integers(-50, 50), b=st.integers(-50, 50), d=st.integers(1, 9))
def test_integers_are_pythons(a: int, b: int, d: int) -> None:
    y = buffer("y", 3, dtype="int64", space="output")
    left, right = v("i") + a, v("i") * b - 3
    exprs = [ir.int_floordiv(left, d) + right * 2, ir.int_mod(right, d), ir.int_min(left, right)]
    numbers = [ir.FromInt(expr, "int64") for expr in exprs]
    for together in (True, False):
        for number, meaning in zip(numbers, _MEANINGS, strict=True):
            whole = program([], [y], loop("i", 3, store(y, ("i",), number)))
            expected = [meaning(i + a, i * b - 3, d) for i in range(3)]
            np.testing.assert_array_equal(run(whole, {}, together=together)["y"], expected)


FEW = st.integers(-40, 40)
INTEGERS = st.recursive(
    st.one_of(FEW.map(ir.IntConst), st.sampled_from([v("i"), v("k")])),
    lambda inner: st.one_of(
        st.builds(ir.int_add, inner, inner),
        st.builds(ir.int_mul, inner, FEW.map(ir.IntConst)),
        st.builds(ir.int_min, inner, inner),
        st.builds(ir.int_mod, inner, st.integers(1, 9)),
        st.builds(ir.int_floordiv, inner, st.integers(1, 9)),
    ),
    max_leaves=8,
)


@given(value=INTEGERS, divisor=st.integers(1, 9), i=FEW, k=FEW)
def test_what_is_a_multiple_leaves_nothing(value: ir.IntExpr, divisor: int, i: int, k: int) -> None:
    at = Substitution({"i": ir.IntConst(i), "k": ir.IntConst(k)}).integer
    number = at(value)
    assert isinstance(number, ir.IntConst)
    assert at(ir.int_mod(value, divisor)) == ir.IntConst(number.value % divisor)
    assert not is_multiple(value, divisor) or number.value % divisor == 0


def test_multiples_are_seen_through_sums_products_and_least_values() -> None:
    share = ir.int_min(64, ir.IntConst(784) + v("u") * -64)
    assert [is_multiple(share, d) for d in (1, 8, 16, 32, 3)] == [True, True, True, False, False]
    assert ir.int_mod(share, 8) == ir.IntConst(0) and ir.int_mod(share, 32) != ir.IntConst(0)


_MEANINGS = (lambda x, y, d: x // d + y * 2, lambda x, y, d: y % d, lambda x, y, d: min(x, y))


# --------------------------------------------------------------------------- strictness


def test_reading_before_writing_shows_as_nan() -> None:
    w, y = buffer("w", 3), buffer("y", 3, space="output")
    whole = program([], [y], loop("i", 3, store(y, ("i",), load(w, "i"))), workspace=[w])
    got = run(whole, {}, check=False)["y"]
    assert np.isnan(got).all()


def test_a_register_is_poisoned_again_at_every_alloc() -> None:
    r, y = buffer("r", 1, space="register"), buffer("y", 3, space="output")
    first = ir.If(ir.IntCondition("eq", v("i"), ir.IntConst(0)), (store(r, (0,), one()),))
    got = run(program([], [y], loop("i", 3, ir.Alloc(r), first, store(y, ("i",), load(r, 0)))), {})["y"]
    np.testing.assert_array_equal(got, [1, np.nan, np.nan])


def test_an_unwritten_integer_is_no_index() -> None:
    w, x, y = buffer("w", 1, dtype="int32"), buffer("x", 3, space="input"), buffer("y", space="output")
    whole = program([x], [y], store(y, (), load(x, ir.IntLoad(w, (ir.IntConst(0),)))), workspace=[w])
    with pytest.raises(CompileError, match=r"expected 0 <= index < 3 on axis 0 of x\[w\[0\]\]; got 2147483640"):
        run(whole, {"x": np.zeros(3)}, check=False)


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize(("shift", "got"), [(-1, -1), (2, 4)])
def test_an_index_out_of_range_is_refused_and_quoted(shift: int, got: int, together: bool) -> None:
    x, t = buffer("x", 4, space="input"), buffer("t", "m", dtype="int64", space="input")
    y = buffer("y", "m", space="output")
    at = ir.IntLoad(t, (v("i"),)) + shift
    whole = program([x, t], [y], loop("i", "m", store(y, ("i",), load(x, at))), dims=("m",))
    text = (
        rf"program p, phase only: `y\[i\] = x\[t\[i\] [+-] \d\]`: expected 0 <= index < 4 on axis 0 of x.*got {got}\."
    )
    with pytest.raises(CompileError, match=text):
        run(whole, {"x": np.zeros(4), "t": np.array([1, 2, 0])}, together=together)


def test_lanes_that_store_to_one_element_are_refused() -> None:
    y = buffer("y", 8, space="output")
    whole = program([], [y], loop("i", 8, store(y, (v("i") // 2,), one()), kind="vector"))
    with pytest.raises(CompileError, match=r"store to different elements; got i = 0 and 1 at element 0\. Store with"):
        run(whole, {})


def test_lanes_that_meet_nowhere_pass_though_it_cannot_be_proved() -> None:
    y = buffer("y", 2, 4, space="output")
    body = loop("i", 8, store(y, (v("i") // 4, v("i") % 4), ir.FromInt(v("i"), "float64")), kind="vector")
    np.testing.assert_array_equal(run(program([], [y], body), {})["y"], np.arange(8.0).reshape(2, 4))


def test_a_loop_longer_than_its_bound_is_refused() -> None:
    y = buffer("y", "n", space="output")
    whole = program([], [y], loop("i", "n", store(y, ("i",), one()), bound=4), dims=("n",))
    assert run(whole, {}, {"n": 4})["y"].sum() == 4
    with pytest.raises(CompileError, match=r"expected an extent of at most 4; got n = 5\. Raise `bound`"):
        run(whole, {}, {"n": 5})


def test_units_that_are_not_independent_show_in_another_order() -> None:
    y = buffer("y", 5, space="output")
    first = ir.If(ir.IntCondition("eq", v("u"), ir.IntConst(0)), (store(y, (0,), one()),))
    chain = ir.If(ir.IntCondition("gt", v("u"), ir.IntConst(0)), (store(y, ("u",), load(y, v("u") - 1)),))
    whole = program([], [y], first, chain, units=5)
    assert run(whole, {})["y"].sum() == 5
    assert np.isnan(run(whole, {}, unit_order="reversed")["y"]).any()


def test_inputs_are_never_written_and_may_have_any_strides() -> None:
    a, b = np.arange(12.0).reshape(4, 3)[::2].T, np.arange(10.0)[::2].reshape(1, 5)
    b = np.broadcast_to(b, (2, 5))
    before = a.copy()
    np.testing.assert_array_equal(run(naive_gemm(), {"A": a, "B": b})["C"], a @ b)
    np.testing.assert_array_equal(a, before)


# --------------------------------------------------------------------------- arguments


def test_a_missing_input_is_named() -> None:
    with pytest.raises(ArgumentError, match=r"run\(gemm\), B: float64\[k, n\]: .*got inputs A\. Pass 'B' as well\."):
        run(naive_gemm(), {"A": np.zeros((2, 2))})


def test_an_input_of_another_dtype_is_refused() -> None:
    with pytest.raises(DTypeError, match=r"A: float64\[m, k\]: expected float64; got float32\. Convert it with"):
        run(naive_gemm(), {"A": np.zeros((2, 2), "float32"), "B": np.zeros((2, 2))})


def test_an_input_of_another_rank_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"expected rank 2; got rank 1, shape \(2,\)"):
        run(naive_gemm(), {"A": np.zeros(2), "B": np.zeros((2, 2))})


def test_extents_that_disagree_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"one extent k; got 3 elsewhere and 4 in an input of shape \(4, 2\)"):
        run(naive_gemm(), {"A": np.zeros((2, 3)), "B": np.zeros((4, 2))})


def test_a_constant_extent_is_checked() -> None:
    x, y = buffer("x", 3, space="input"), buffer("y", space="output")
    with pytest.raises(ShapeError, match=r"expected shape \(3,\); got \(4,\)"):
        run(program([x], [y], store(y, (), load(x, 0))), {"x": np.zeros(4)})


def test_an_extent_no_input_shows_must_be_given() -> None:
    y = buffer("y", "n", space="output")
    with pytest.raises(ArgumentError, match=r"expected the extents n; got nothing that says n\. Pass dims=\{'n': …\}"):
        run(program([], [y], loop("i", "n", store(y, ("i",), one())), dims=("n",)), {})
