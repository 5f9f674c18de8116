"""Vector loops of independent elements: every dtype, every odd extent, on the host and on narrower targets."""

import numpy as np
import pytest

from symnet.backends.llvm.loading import runs_here
from symnet.backends.llvm.targets import host_target, target_for
from symnet.loops import ir
from symnet.loops.op_types import OPS
from symnet.loops.scalar_ops import MEANING
from tests.llvm.native import agree, native
from tests.loops.programs import buffer, load, loop, op, program, store, v

SIZES = (0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 100, 130, 1000)
REALS = ("float32", "float64")
HOST = host_target()
IS_X86 = HOST.architecture == "x86_64"
TARGETS = {"host": HOST}
if IS_X86:
    TARGETS["sse2"] = target_for(HOST.triple, "x86-64")
    TARGETS["avx2"] = target_for(HOST.triple, "x86-64-v3")


@pytest.fixture(params=TARGETS.values(), ids=TARGETS)
def target(request):
    return request.param


def numbers(rng, size, dtype):
    """Of either sign, with zeros among them."""
    if dtype == "bool":
        return rng.random(size) < 0.5
    values = rng.standard_normal(size) * 3
    values[::5] = 0
    return values.astype(dtype)


def pointwise(value, *inputs, dtype, extent):
    """y[i] = value, over vectors."""
    y = buffer("y", extent, dtype=dtype, space="output")
    dims = [extent] if isinstance(extent, str) else []
    return program(inputs, [y], loop("i", extent, store(y, ("i",), value), kind="vector"), dims=dims)


@pytest.mark.parametrize("features", ["", "+avx2,+fma"])
def test_a_product_of_constants_is_rounded_as_on_the_machine(features):
    """LLVM computes it, with the roundings of the target."""
    target = target_for("x86_64-unknown-linux-gnu", features=features)
    if not runs_here(target):
        pytest.skip("this machine lacks its instructions")
    near = ir.Const(1 + 2.0**-30, "float64")
    body = pointwise(op("add", op("mul", near, near), ir.Const(-1.0, "float64")), dtype="float64", extent=3)
    lost = 0.0 if target.fma else 2.0**-60
    assert native(body, target).run({})["y"].tolist() == [2.0**-29 + 2.0**-60 - lost] * 3


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64"])
@pytest.mark.parametrize("run_time", [False, True])
def test_a_sum_of_products_is_right_for_every_extent(rng, dtype, run_time, target):
    sizes = [] if run_time else SIZES
    for size in sizes:
        check_sum_of_products(rng, dtype, size, size, target)
    if run_time:
        a, b = (buffer(name, "n", dtype=dtype, space="input") for name in "ab")
        made = native(sum_of_products(a, b, dtype, "n"), target)
        for size in SIZES:
            x, y = numbers(rng, size, dtype), numbers(rng, size, dtype)
            np.testing.assert_allclose(made.run({"a": x, "b": y})["y"], x * y + x, rtol=1e-6, atol=1e-6)


def sum_of_products(a, b, dtype, extent):
    value = op("add", op("mul", load(a, "i"), load(b, "i")), load(a, "i"))
    return pointwise(value, a, b, dtype=dtype, extent=extent)


def check_sum_of_products(rng, dtype, size, extent, target):
    a, b = (buffer(name, extent, dtype=dtype, space="input") for name in "ab")
    inputs = {"a": numbers(rng, size, dtype), "b": numbers(rng, size, dtype)}
    agree(sum_of_products(a, b, dtype, extent), inputs, target=target)


EXACT = ("add", "sub", "mul", "neg", "abs", "maximum", "minimum", "floor", "sign")


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64"])
@pytest.mark.parametrize("name", EXACT)
def test_exact_operations_match_numpy_bit_for_bit(rng, name, dtype, target):
    arity = 1 if name in ("neg", "abs", "floor", "sign") else 2
    inputs = [buffer(n, 37, dtype=dtype, space="input") for n in "ab"[:arity]]
    values = {b.name: numbers(rng, 37, dtype) for b in inputs}
    agree(pointwise(op(name, *(load(b, "i") for b in inputs)), *inputs, dtype=dtype, extent=37), values, target=target)


@pytest.mark.parametrize("dtype", REALS)
def test_quotients_and_roots_are_correctly_rounded(rng, dtype, target):
    a, b = (buffer(name, 37, dtype=dtype, space="input") for name in "ab")
    values = {"a": np.abs(numbers(rng, 37, dtype)) + 1, "b": numbers(rng, 37, dtype) + 10}
    for value in (op("div", load(a, "i"), load(b, "i")), op("sqrt", load(a, "i")), op("rsqrt", load(a, "i"))):
        used = [a, b] if value.name == "div" else [a]
        agree(pointwise(value, *used, dtype=dtype, extent=37), {u.name: values[u.name] for u in used}, target=target)


SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.5, -1.5, 2.0**60, -(2.0**60), 0.5, -0.5, 7.0])


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("name", ["maximum", "minimum", "lt", "le", "gt", "ge", "eq", "ne"])
def test_nan_and_infinity_meet_as_in_numpy(name, dtype, target):
    x, y = (grid.ravel().astype(dtype) for grid in np.meshgrid(SPECIAL, SPECIAL))
    a, b = (buffer(n, len(x), dtype=dtype, space="input") for n in "ab")
    result = dtype if name.endswith("imum") else "bool"
    agree(
        pointwise(op(name, load(a, "i"), load(b, "i"), dtype=result), a, b, dtype=result, extent=len(x)),
        {"a": x, "b": y},
        target=target,
    )


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("name", ["floor", "sign", "abs", "neg"])
def test_special_values_pass_through_unary_operations(name, dtype, target):
    x = np.concatenate([SPECIAL, SPECIAL * 0.3]).astype(dtype)
    a = buffer("a", len(x), dtype=dtype, space="input")
    agree(pointwise(op(name, load(a, "i")), a, dtype=dtype, extent=len(x)), {"a": x}, target=target)


@pytest.mark.parametrize("dtype", REALS)
def test_relu_keeps_nan_on_either_side(dtype):
    x = SPECIAL.astype(dtype)
    a = buffer("a", len(x), dtype=dtype, space="input")
    zero = ir.Const(0.0, dtype)
    for value in (op("maximum", zero, load(a, "i")), op("maximum", load(a, "i"), zero)):
        agree(pointwise(value, a, dtype=dtype, extent=len(x)), {"a": x})


@pytest.mark.parametrize("source", ["bool", "int32", "int64", "float32", "float64"])
@pytest.mark.parametrize("result", ["bool", "int32", "int64", "float32", "float64"])
def test_every_dtype_casts_to_every_dtype(rng, source, result, target):
    a = buffer("a", 37, dtype=source, space="input")
    value = op("cast", load(a, "i"), dtype=result)
    agree(pointwise(value, a, dtype=result, extent=37), {"a": numbers(rng, 37, source)}, target=target)


def test_reals_beyond_an_integer_saturate_and_nan_becomes_zero():
    a = buffer("a", 4, dtype="float64", space="input")
    made = native(pointwise(op("cast", load(a, "i"), dtype="int32"), a, dtype="int32", extent=4))
    got = made.run({"a": np.array([np.nan, 1e20, -1e20, -2.9])})["y"]
    np.testing.assert_array_equal(got, [0, 2**31 - 1, -(2**31), -2])


def test_logic_and_selection_on_booleans(rng, target):
    p, q = (buffer(name, 37, dtype="bool", space="input") for name in "pq")
    a = buffer("a", 37, dtype="float32", space="input")
    values = {"p": numbers(rng, 37, "bool"), "q": numbers(rng, 37, "bool")}
    both = op("and", load(p, "i"), op("not", op("or", load(q, "i"), ir.Const(False, "bool"))))
    agree(pointwise(both, p, q, dtype="bool", extent=37), values, target=target)
    choice = op("select", both, load(a, "i"), ir.Const(-1.0, "float32"))
    agree(
        pointwise(choice, p, q, a, dtype="float32", extent=37),
        {**values, "a": numbers(rng, 37, "float32")},
        target=target,
    )


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64"])
def test_an_index_becomes_a_number(dtype, target):
    value = ir.FromInt(v("i") * 3 + (v("i") + 1) // 4 + (v("i") % 5) - 7, dtype)
    agree(pointwise(value, dtype=dtype, extent=37), {}, target=target)


@pytest.mark.parametrize("dtype", REALS)
def test_fma_is_multiply_and_add(rng, dtype, target):
    a, b, c = (buffer(name, 37, dtype=dtype, space="input") for name in "abc")
    value = op("fma", load(a, "i"), load(b, "i"), load(c, "i"))
    values = {name: numbers(rng, 37, dtype) for name in "abc"}
    agree(pointwise(value, a, b, c, dtype=dtype, extent=37), values, target=target)


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("name", ["exp", "log", "tanh", "sigmoid", "softplus", "log1p", "expm1", "xlogy"])
def test_math_functions_are_called_and_inlined(rng, name, dtype, target):
    inputs = [buffer(n, 37, dtype=dtype, space="input") for n in ("ab" if name == "xlogy" else "a")]
    values = {b.name: (np.abs(numbers(rng, 37, dtype)) + 0.1).astype(dtype) for b in inputs}
    value = op(name, *(load(b, "i") for b in inputs))
    agree(pointwise(value, *inputs, dtype=dtype, extent=37), values, target=target)


def test_single_and_double_share_a_loop_at_the_width_of_the_wider(rng):
    a, b = buffer("a", 37, dtype="float32", space="input"), buffer("b", 37, space="input")
    value = op("add", op("cast", load(a, "i"), dtype="float64"), load(b, "i"))
    agree(
        pointwise(value, a, b, dtype="float64", extent=37),
        {"a": numbers(rng, 37, "float32"), "b": numbers(rng, 37, "float64")},
    )


def test_every_operation_of_the_language_can_be_emitted():
    from symnet.backends.llvm.ops import OPERATIONS
    from symnet.elementary.table import FUNCTIONS

    assert set(OPERATIONS) | set(FUNCTIONS) == OPS == {*MEANING, "cast"}
