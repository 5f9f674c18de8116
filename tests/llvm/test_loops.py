"""Loops, accesses and reductions: machine code against the interpreter."""

import numpy as np
import pytest

from symnet.backends.llvm.targets import host_target, target_for
from symnet.loops import ir
from tests.llvm.native import agree, native
from tests.loops.programs import buffer, load, loop, naive_gemm, op, program, store, tiled_gemm, v

HOST = host_target()
TARGETS = {"host": HOST}
if HOST.architecture == "x86_64":
    TARGETS["sse2"] = target_for(HOST.triple, "x86-64")
    TARGETS["avx2"] = target_for(HOST.triple, "x86-64-v3")
    TARGETS["avx512"] = target_for(HOST.triple, "x86-64-v4") if HOST.vector_bits == 512 else TARGETS["avx2"]
EXTENTS = (0, 1, 3, 7, 16, 17, 37, 128, 300)


@pytest.fixture(params=TARGETS.values(), ids=TARGETS)
def target(request):
    return request.param


@pytest.fixture(params=["float32", "float64"])
def dtype(request):
    return request.param


def normal(rng, *shape, dtype="float64"):
    return rng.standard_normal(shape).astype(dtype)


def one(dtype):
    return ir.Const(1.0, dtype)


def zero(dtype):
    return ir.Const(0.0, dtype)


# --------------------------------------------------------------------------- accesses


def test_rows_are_gathered_by_a_shared_index(rng, target):
    table, labels = buffer("table", 5, 37, space="input"), buffer("labels", 9, dtype="int32", space="input")
    y = buffer("y", 9, 37, space="output")
    row = ir.IntLoad(labels, (v("i"),))
    nest = loop("i", 9, loop("j", 37, store(y, ("i", "j"), load(table, row, "j")), kind="vector"))
    labelled = {"table": normal(rng, 5, 37), "labels": rng.integers(0, 5, 9).astype(np.int32)}
    agree(program([table, labels], [y], nest), labelled, target=target)


@pytest.mark.parametrize("integer", ["int32", "int64"])
def test_elements_are_gathered_lane_by_lane(rng, integer, dtype, target):
    table, labels = (
        buffer("table", 37, 5, dtype=dtype, space="input"),
        buffer("labels", 37, dtype=integer, space="input"),
    )
    y = buffer("y", 37, dtype=dtype, space="output")
    pick = load(table, "i", ir.IntLoad(labels, (v("i"),)))
    inputs = {"table": normal(rng, 37, 5, dtype=dtype), "labels": rng.integers(0, 5, 37).astype(integer)}
    agree(program([table, labels], [y], loop("i", 37, store(y, ("i",), pick), kind="vector")), inputs, target=target)


@pytest.mark.parametrize("integer", ["int32", "int64"])
@pytest.mark.parametrize("columns", [1, 5])
@pytest.mark.parametrize("start", [0, 3])
def test_elements_are_gathered_by_neighbouring_indices(rng, integer, columns, start, dtype, target):
    """In whole vectors and in tails; where the indices begin at no vector's boundary too."""
    for extent in (1, 3, 16, 37):
        table = buffer("table", 29, columns, dtype=dtype, space="input")
        labels = buffer("labels", extent + start, dtype=integer, space="input")
        y = buffer("y", extent, dtype=dtype, space="output")
        pick = load(table, ir.IntLoad(labels, (v("i") + start,)), columns - 1)
        given = rng.integers(0, 29, extent + start).astype(integer)
        inputs = {"table": normal(rng, 29, columns, dtype=dtype), "labels": given}
        nest = loop("i", extent, store(y, ("i",), pick), kind="vector")
        agree(program([table, labels], [y], nest), inputs, target=target)


def test_a_transpose_strides_on_one_side(rng, dtype, target):
    x, y = buffer("x", 21, 37, dtype=dtype, space="input"), buffer("y", 37, 21, dtype=dtype, space="output")
    inputs = {"x": normal(rng, 21, 37, dtype=dtype)}
    for lane, other, n, m in (("j", "i", 37, 21), ("i", "j", 21, 37)):
        inner = loop(lane, n, store(y, ("j", "i"), load(x, "i", "j")), kind="vector")
        agree(program([x], [y], loop(other, m, inner)), inputs, target=target)


def test_an_axis_is_reversed(rng, dtype, target):
    x, y = buffer("x", 37, dtype=dtype, space="input"), buffer("y", 37, dtype=dtype, space="output")
    inner = loop("i", 37, store(y, ("i",), load(x, 36 - v("i"))), kind="vector")
    agree(program([x], [y], inner), {"x": normal(rng, 37, dtype=dtype)}, target=target)


def test_a_window_steps_through_floor_division_and_remainder(rng, target):
    x, y = buffer("x", 40, space="input"), buffer("y", 37, space="output")
    where = (v("i") + 3) // 4 + v("i") % 7
    inner = loop("i", 37, store(y, ("i",), load(x, where)), kind="vector")
    agree(program([x], [y], inner), {"x": normal(rng, 40)}, target=target)


def test_division_of_a_negative_integer_rounds_down(target):
    y = buffer("y", 20, 3, dtype="int64", space="output")
    number = v("i") - 9
    forms = (number // 4, number // 3, number % 5)
    body = [store(y, ("i", column), ir.FromInt(form, "int64")) for column, form in enumerate(forms)]
    for kind in ("serial", "vector"):
        agree(program([], [y], loop("i", 20, *body, kind=kind)), {}, target=target)


def test_booleans_are_bytes_in_memory(rng, target):
    x, y = buffer("x", 5, 37, dtype="bool", space="input"), buffer("y", 5, 37, dtype="bool", space="output")
    nest = loop("i", 5, loop("j", 37, store(y, ("i", "j"), op("not", load(x, "i", "j"))), kind="vector"))
    agree(program([x], [y], nest), {"x": rng.random((5, 37)) < 0.5}, target=target)


def test_a_view_reads_what_its_buffer_stored(rng, dtype, target):
    x, y = buffer("x", 4, 6, dtype=dtype, space="input"), buffer("y", 24, dtype=dtype, space="output")
    kept = buffer("kept", 4, 6, dtype=dtype)
    flat = ir.Buffer("flat", dtype, (ir.IntConst(24),), "workspace", "kept")
    fill = loop("i", 4, loop("j", 6, store(kept, ("i", "j"), op("add", load(x, "i", "j"), one(dtype))), kind="vector"))
    read = loop("k", 24, store(y, ("k",), load(flat, "k")), kind="vector")
    agree(program([x], [y], fill, read, workspace=[kept, flat]), {"x": normal(rng, 4, 6, dtype=dtype)}, target=target)


def test_a_value_stored_is_seen_by_the_next_load_but_not_by_the_one_before(rng):
    x, y, t = (buffer(n, 8, space=s) for n, s in (("x", "input"), ("y", "output"), ("t", "workspace")))
    body = [
        store(t, ("i",), load(x, "i")),
        ir.Let("before", load(t, "i")),
        store(t, ("i",), op("mul", load(t, "i"), load(t, "i"))),
        store(y, ("i",), op("add", ir.Var("before", "float64"), load(t, "i"))),
    ]
    for kind in ("serial", "vector"):
        agree(program([x], [y], loop("i", 8, *body, kind=kind), workspace=[t]), {"x": normal(rng, 8)})


def test_a_load_leaves_a_loop_only_where_nothing_stores_it(rng):
    x, y = buffer("x", 6, space="input"), buffer("y", 6, space="output")
    first = store(y, (0,), load(x, 0))
    step = loop(
        "i", 5, store(y, (v("i") + 1,), op("add", load(y, 0), load(x, v("i") + 1))), store(y, (0,), load(x, "i"))
    )
    agree(program([x], [y], first, step), {"x": normal(rng, 6)})


# --------------------------------------------------------------------------- control


def test_a_condition_guards_its_arms(rng):
    x, y = buffer("x", 12, space="input"), buffer("y", 12, space="output")
    low = ir.IntCondition("lt", v("i"), ir.IntConst(5))
    odd = ir.IntCondition("eq", v("i") % 2, ir.IntConst(1))
    then = (store(y, ("i",), load(x, "i")),)
    orelse = (ir.If(odd, (store(y, ("i",), one("float64")),), (store(y, ("i",), zero("float64")),)),)
    agree(program([x], [y], loop("i", 12, ir.If(low, then, orelse))), {"x": normal(rng, 12)})


@pytest.mark.parametrize("name", ["lt", "le", "gt", "ge", "eq", "ne"])
def test_every_comparison_of_a_condition(name):
    y = buffer("y", 7, space="output")
    test = ir.IntCondition(name, v("i"), ir.IntConst(3))
    body = ir.If(test, (store(y, ("i",), one("float64")),), (store(y, ("i",), zero("float64")),))
    agree(program([], [y], loop("i", 7, body)), {})
    agree(program([], [y], loop("i", 7, body, kind="unroll")), {})


def test_triangular_loops_have_extents_of_outer_variables(rng):
    x, y = buffer("x", 9, 9, space="input"), buffer("y", 9, 9, space="output")
    clear = loop("a", 9, loop("b", 9, store(y, ("a", "b"), zero("float64")), kind="vector"))
    nest = loop("i", 9, loop("j", v("i") + 1, store(y, ("i", "j"), load(x, "i", "j")), kind="vector", bound=9))
    agree(program([x], [y], clear, nest), {"x": normal(rng, 9, 9)})


def test_a_minimum_bounds_the_last_block(rng):
    x, y = buffer("x", "n", space="input"), buffer("y", "n", space="output")
    size = ir.int_min(16, v("n") - v("b") * 16)
    row = v("b") * 16 + v("i")
    body = loop("i", size, store(y, (row,), op("add", load(x, row), one("float64"))), kind="vector", bound=16)
    blocks = loop("b", ir.ceil_div(v("n"), 16), body)
    for n in EXTENTS:
        agree(program([x], [y], blocks, dims=["n"]), {"x": normal(rng, n)})


def test_an_inner_loop_runs_inside_each_vector(rng, dtype, target):
    x, y = buffer("x", 6, 37, dtype=dtype, space="input"), buffer("y", 37, dtype=dtype, space="output")
    add = loop("k", 6, store(y, ("i",), load(x, "k", "i"), "add"))
    body = loop("i", 37, store(y, ("i",), zero(dtype)), add, kind="vector")
    agree(program([x], [y], body), {"x": normal(rng, 6, 37, dtype=dtype)}, target=target)


# --------------------------------------------------------------------------- reductions


@pytest.mark.parametrize("run_time", [False, True])
@pytest.mark.parametrize("combine", ["add", "mul", "max", "min"])
def test_lanes_are_reduced_whatever_the_extent(rng, combine, run_time, dtype, target):
    def reduction(extent):
        x, y = buffer("x", extent, dtype=dtype, space="input"), buffer("y", dtype=dtype, space="output")
        body = loop("i", extent, store(y, (), load(x, "i"), combine), kind="vector")
        return program([x], [y], store(y, (), one(dtype)), body, dims=["n"] if run_time else [])

    made = native(reduction("n"), target) if run_time else None
    for size in EXTENTS:
        values = (1 + rng.random(size) * 0.1).astype(dtype)
        if made is None:
            agree(reduction(size), {"x": values}, target=target)
        else:
            whole = {"add": np.sum, "mul": np.prod, "max": np.max, "min": np.min}[combine]
            expected = whole(np.append(values, 1).astype("float64"))
            np.testing.assert_allclose(
                made.run({"x": values})["y"], expected, rtol=1e-4 if dtype == "float32" else 1e-12
            )


@pytest.mark.parametrize("combine", ["add", "mul", "max", "min"])
def test_integers_are_reduced_exactly(rng, combine, target):
    for integer in ("int32", "int64"):
        x, y = buffer("x", 37, dtype=integer, space="input"), buffer("y", dtype=integer, space="output")
        body = loop("i", 37, store(y, (), load(x, "i"), combine), kind="vector")
        values = {"x": rng.integers(-9, 9, 37).astype(integer)}
        agree(program([x], [y], store(y, (), ir.Const(3, integer)), body), values, target=target)


def test_nan_wins_a_maximum_wherever_it_stands(dtype, target):
    x, y = buffer("x", 37, dtype=dtype, space="input"), buffer("y", dtype=dtype, space="output")
    body = loop("i", 37, store(y, (), load(x, "i"), "max"), kind="vector")
    made = native(program([x], [y], store(y, (), zero(dtype)), body), target)
    for position in range(37):
        values = np.arange(37, dtype=dtype)
        assert made.run({"x": values})["y"] == 36
        values[position] = np.nan
        assert np.isnan(made.run({"x": values})["y"])


def test_a_dot_product_per_row(rng, dtype, target):
    x, w, y = (
        buffer(n, *shape, dtype=dtype, space=s)
        for n, shape, s in (("x", (5, 101), "input"), ("w", (101,), "input"), ("y", (5,), "output"))
    )
    dot = loop("j", 101, store(y, ("i",), op("mul", load(x, "i", "j"), load(w, "j")), "add"), kind="vector")
    values = {"x": normal(rng, 5, 101, dtype=dtype), "w": normal(rng, 101, dtype=dtype)}
    agree(program([x, w], [y], loop("i", 5, store(y, ("i",), zero(dtype)), dot)), values, target=target)


def test_several_reductions_share_a_loop(rng, dtype, target):
    x = buffer("x", 75, dtype=dtype, space="input")
    total, most, squares = (buffer(n, dtype=dtype, space="output") for n in ("total", "most", "squares"))
    start = [store(b, (), zero(dtype)) for b in (total, most, squares)]
    body = loop(
        "i",
        75,
        ir.Let("a", load(x, "i")),
        store(total, (), ir.Var("a", dtype), "add"),
        store(most, (), ir.Var("a", dtype), "max"),
        store(squares, (), op("mul", ir.Var("a", dtype), ir.Var("a", dtype)), "add"),
        kind="vector",
    )
    values = {"x": normal(rng, 75, dtype=dtype)}
    agree(program([x], [total, most, squares], *start, body), values, target=target)


def test_a_reduction_moves_with_an_inner_loop(rng, dtype, target):
    x, y = buffer("x", 4, 37, dtype=dtype, space="input"), buffer("y", 4, dtype=dtype, space="output")
    clear = loop("c", 4, store(y, ("c",), zero(dtype)))
    for kind in ("serial", "unroll"):
        body = loop("i", 37, loop("k", 4, store(y, ("k",), load(x, "k", "i"), "add"), kind=kind), kind="vector")
        agree(program([x], [y], clear, body), {"x": normal(rng, 4, 37, dtype=dtype)}, target=target)


def test_a_constant_is_summed_over_masked_lanes(target):
    y = buffer("y", dtype="float32", space="output")
    body = loop("i", 37, store(y, (), one("float32"), "add"), kind="vector")
    assert agree(program([], [y], store(y, (), zero("float32")), body), {}, target=target)["y"] == 37


def test_a_combine_into_each_lane_of_its_own(rng, dtype, target):
    x, y = buffer("x", 3, 37, dtype=dtype, space="input"), buffer("y", 37, dtype=dtype, space="output")
    clear = loop("c", 37, store(y, ("c",), one(dtype)), kind="vector")
    for combine in ("add", "mul", "max", "min"):
        add = loop("k", 3, loop("i", 37, store(y, ("i",), load(x, "k", "i"), combine), kind="vector"))
        agree(program([x], [y], clear, add), {"x": normal(rng, 3, 37, dtype=dtype)}, target=target)


def test_a_histogram_counts_in_a_serial_loop(rng):
    labels, y = buffer("labels", 50, dtype="int64", space="input"), buffer("y", 5, space="output")
    clear = loop("c", 5, store(y, ("c",), zero("float64")))
    count = loop("i", 50, store(y, (ir.IntLoad(labels, (v("i"),)),), one("float64"), "add"))
    agree(program([labels], [y], clear, count), {"labels": rng.integers(0, 5, 50)})


# --------------------------------------------------------------------------- registers


def test_a_register_row_keeps_what_a_shorter_loop_leaves_alone(rng, dtype, target):
    x, y = buffer("x", 37, dtype=dtype, space="input"), buffer("y", 37, dtype=dtype, space="output")
    row = buffer("row", 37, dtype=dtype, space="register")
    body = [
        ir.Alloc(row),
        loop("i", 37, store(row, ("i",), load(x, "i")), kind="vector"),
        loop("j", 19, store(row, ("j",), one(dtype), "add"), kind="vector"),
        loop("k", 37, store(y, ("k",), load(row, "k")), kind="vector"),
    ]
    agree(program([x], [y], *body), {"x": normal(rng, 37, dtype=dtype)}, target=target)


def test_a_register_row_of_run_time_length_has_masked_chunks(rng, dtype, target):
    x, y = buffer("x", "n", dtype=dtype, space="input"), buffer("y", "n", dtype=dtype, space="output")
    row = buffer("row", 40, dtype=dtype, space="register")
    body = [
        ir.Alloc(row),
        loop("i", "n", store(row, ("i",), load(x, "i")), kind="vector", bound=40),
        loop("k", "n", store(y, ("k",), op("mul", load(row, "k"), load(row, "k"))), kind="vector", bound=40),
    ]
    made = native(program([x], [y], *body, dims=["n"]), target)
    for n in (0, 1, 8, 16, 33, 40):
        values = normal(rng, n, dtype=dtype)
        np.testing.assert_array_equal(made.run({"x": values})["y"], values * values)


def test_a_register_scalar_carries_a_running_value(rng):
    x, y = buffer("x", 9, space="input"), buffer("y", 9, space="output")
    total = buffer("total", space="register")
    step = loop("i", 9, store(total, (), load(x, "i"), "add"), store(y, ("i",), load(total)))
    agree(program([x], [y], ir.Alloc(total), store(total, (), zero("float64")), step), {"x": normal(rng, 9)})


def test_a_register_tile_holds_booleans_and_integers(rng, target):
    x, y = buffer("x", 37, dtype="int64", space="input"), buffer("y", 37, dtype="bool", space="output")
    row = buffer("row", 37, dtype="bool", space="register")
    body = [
        ir.Alloc(row),
        loop("i", 37, store(row, ("i",), op("gt", load(x, "i"), ir.Const(0, "int64"), dtype="bool")), kind="vector"),
        loop("k", 37, store(y, ("k",), load(row, "k")), kind="vector"),
    ]
    agree(program([x], [y], *body), {"x": rng.integers(-3, 3, 37)}, target=target)


def test_a_register_allocated_in_a_loop_is_read_after_it_is_stored(rng):
    """The load once left the loop: the buffer's alias was not yet known when the loop began."""
    x, y = buffer("x", 9, space="input"), buffer("y", 9, space="output")
    kept = buffer("kept", 2, space="register")
    body = [
        ir.Alloc(kept),
        store(kept, (1,), load(x, "i")),
        store(kept, (1,), load(kept, 1), "add"),
        store(y, ("i",), load(kept, 1)),
    ]
    agree(program([x], [y], loop("i", 9, *body)), {"x": normal(rng, 9)})


# --------------------------------------------------------------------------- products


@pytest.mark.parametrize("make", [naive_gemm, tiled_gemm])
def test_run_time_products_match_numpy(rng, make, dtype, target):
    made = native(make(dtype=dtype), target)
    for m, k, n in ((1, 1, 1), (4, 8, 8), (5, 3, 11), (9, 17, 30), (0, 3, 4), (3, 0, 4)):
        a, b = normal(rng, m, k, dtype=dtype), normal(rng, k, n, dtype=dtype)
        tolerance = 1e-5 if dtype == "float32" else 1e-12
        np.testing.assert_allclose(made.run({"A": a, "B": b})["C"], a @ b, rtol=tolerance, atol=tolerance)
