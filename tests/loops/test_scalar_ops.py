"""Every operation of the loop language against NumPy, in both float dtypes, in lanes and one by one."""

import math

import mpmath
import numpy as np
import pytest

from symnet.loops import ir
from symnet.loops.interpreter import run
from symnet.loops.op_types import OPS, TYPING
from symnet.loops.operands import COMBINED_BY
from symnet.loops.scalar_ops import MEANING
from tests.loops.programs import buffer, load, loop, op, program, store

SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.3, -0.7, 2.5, -3.25, 30.0, -30.0, 1000.0, -1000.0, np.inf, -np.inf, np.nan]
NUMPY_NAME = {
    "add": "add", "sub": "subtract", "mul": "multiply", "div": "divide", "neg": "negative", "abs": "abs",
    "maximum": "maximum", "minimum": "minimum", "floor": "floor", "sign": "sign", "sqrt": "sqrt", "pow": "power",
    "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal", "eq": "equal", "ne": "not_equal",
    "exp": "exp", "log": "log", "log1p": "log1p", "expm1": "expm1", "tanh": "tanh", "sin": "sin", "cos": "cos",
    "tan": "tan", "asin": "arcsin", "acos": "arccos", "atan": "arctan", "sinh": "sinh", "cosh": "cosh",
}  # fmt: skip
LOGICAL = {"and": np.logical_and, "or": np.logical_or, "not": np.logical_not}


def apply_op(name: str, arrays: list[np.ndarray], dtype: str, result: str, together: bool) -> np.ndarray:
    """One operation over vectors, as a program."""
    inputs = [buffer(f"x{i}", "n", dtype=array.dtype.name, space="input") for i, array in enumerate(arrays)]
    out = buffer("y", "n", dtype=result, space="output")
    value = op(name, *(load(x, "i") for x in inputs), dtype=result)
    whole = program(inputs, [out], loop("i", "n", store(out, ("i",), value)), dims=("n",))
    return run(whole, {f"x{i}": array for i, array in enumerate(arrays)}, together=together)["y"]


def operands(arity: int, dtype: str) -> list[np.ndarray]:
    """Every combination of the special values."""
    grid = np.meshgrid(*[np.array(SPECIAL, dtype)] * arity, indexing="ij")
    return [axis.ravel() for axis in grid]


def check(name: str, dtype: str, expected: np.ndarray, result: str, rtol: float = 0.0) -> None:
    """The operation in lanes and one by one against the expected numbers, their dtype too."""
    arrays = operands(TYPING[name].arity, dtype)
    for together in (True, False):
        got = apply_op(name, arrays, dtype, result, together)
        assert got.dtype.name == result
        np.testing.assert_allclose(got, expected, rtol=rtol, atol=0)


def test_every_operation_has_a_meaning_and_a_typing() -> None:
    assert set(TYPING) == OPS
    assert set(MEANING) | {"cast"} == OPS
    assert set(COMBINED_BY) | {None} == set(ir.COMBINES)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", sorted(NUMPY_NAME))
def test_an_operation_is_numpys(name: str, dtype: str) -> None:
    with np.errstate(all="ignore"):
        expected = getattr(np, NUMPY_NAME[name])(*operands(TYPING[name].arity, dtype))
    check(name, dtype, expected, "bool" if name in ir.COMPARISON else dtype, rtol=2 * np.finfo(dtype).eps)


@pytest.mark.parametrize("name", sorted(LOGICAL))
def test_a_logical_operation_is_numpys(name: str) -> None:
    arrays = [np.array(side) for side in ([True, True, False, False], [True, False, True, False])]
    arrays = arrays[: TYPING[name].arity]
    got = apply_op(name, arrays, "bool", "bool", True)
    np.testing.assert_array_equal(got, LOGICAL[name](*arrays))


REFERENCE = {
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
    "erf": mpmath.erf,
    "rsqrt": lambda x: 1 / mpmath.sqrt(x) if x > 0 else mpmath.nan,
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", sorted(REFERENCE))
def test_an_operation_numpy_lacks_agrees_with_high_precision(name: str, dtype: str) -> None:
    finite = np.array([x for x in SPECIAL if math.isfinite(x) and abs(x) < 100 and (x > 0 or name != "rsqrt")], dtype)
    with mpmath.workdps(60):
        expected = np.array([float(REFERENCE[name](mpmath.mpf(float(x)))) for x in finite])
    got = apply_op(name, [finite], dtype, dtype, True)
    np.testing.assert_allclose(got, expected.astype(dtype), rtol=4 * np.finfo(dtype).eps, atol=0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sigmoid_and_softplus_neither_overflow_nor_lose_nan(dtype: str) -> None:
    x = np.array([1000, -1000, np.inf, -np.inf, np.nan], dtype)
    np.testing.assert_array_equal(apply_op("sigmoid", [x], dtype, dtype, True), [1, 0, 1, 0, np.nan])
    np.testing.assert_array_equal(apply_op("softplus", [x], dtype, dtype, True), [1000, 0, np.inf, 0, np.nan])


def test_maximum_propagates_nan_and_comparisons_with_nan_are_false_but_for_ne() -> None:
    x, y = np.array([np.nan, 1.0]), np.array([1.0, np.nan])
    assert np.isnan(apply_op("maximum", [x, y], "float64", "float64", True)).all()
    assert np.isnan(apply_op("minimum", [x, y], "float64", "float64", False)).all()
    for name in ir.COMPARISON:
        assert (apply_op(name, [x, y], "float64", "bool", True) == (name == "ne")).all()


def test_xlogy_is_zero_at_zero_and_nan_where_y_is_nan() -> None:
    x, y = np.array([0.0, 0.0, 0.0, 2.0, 2.0]), np.array([0.0, np.inf, np.nan, 3.0, 0.0])
    got = apply_op("xlogy", [x, y], "float64", "float64", True)
    np.testing.assert_array_equal(got, [0, 0, np.nan, 2 * math.log(3), -np.inf])


@pytest.mark.parametrize("together", [True, False])
def test_fma_multiplies_then_adds(together: bool) -> None:
    a, b, c = (np.array(x, "float32") for x in ([1.5, 2.0], [4.0, -1.0], [0.25, 7.0]))
    np.testing.assert_array_equal(apply_op("fma", [a, b, c], "float32", "float32", together), [6.25, 5.0])


@pytest.mark.parametrize("together", [True, False])
def test_select_takes_the_second_operand_where_the_first_is_true(together: bool) -> None:
    choice, a, b = np.array([True, False]), np.array([1, 2], "int32"), np.array([3, 4], "int32")
    np.testing.assert_array_equal(apply_op("select", [choice, a, b], "int32", "int32", together), [1, 4])


@pytest.mark.parametrize("target", ["bool", "int32", "int64", "float32", "float64"])
@pytest.mark.parametrize("source", ["bool", "int32", "int64", "float32", "float64"])
def test_cast_is_numpys_astype(source: str, target: str) -> None:
    x = np.array([0, 1, 1.75, 100.5], source)
    for together in (True, False):
        np.testing.assert_array_equal(apply_op("cast", [x], source, target, together), x.astype(target))


def test_integers_stay_integers() -> None:
    x, y = np.array([7, -3], "int32"), np.array([2, 5], "int32")
    for name, expected in (("add", [9, 2]), ("mul", [14, -15]), ("maximum", [7, 5]), ("sign", None)):
        arrays = [x, y][: TYPING[name].arity]
        got = apply_op(name, arrays, "int32", "int32", True)
        np.testing.assert_array_equal(got, [1, -1] if expected is None else expected)


def test_float32_rounds_in_float32() -> None:
    x, y = np.array([1.0], "float32"), np.array([2.0**-25], "float32")
    assert apply_op("add", [x, y], "float32", "float32", False)[0] == 1.0
