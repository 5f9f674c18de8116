"""`lambdify` in the place of SymPy's: the same values, shapes and structures."""

from __future__ import annotations

import inspect
import sys
import threading
from typing import Any

import numpy as np
import pytest
import sympy

import symnet as sn
from symnet.errors import ArgumentError, DTypeError, SymnetError

x, y, z = sympy.symbols("x y z")
GAUSS = sympy.exp(-(x**2) / 2) * sympy.sin(3 * x) + sympy.sqrt(1 + x**2) * y
EXPRESSIONS: list[Any] = [
    GAUSS,
    x / (1 + y**2),
    sympy.Max(x, y) + sympy.Abs(x - y) - sympy.sign(y),
    sympy.Piecewise((x**2, x > y), (y, True)),
    sympy.log(1 + x**2) * sympy.atan(y) + sympy.tanh(x * y) + sympy.pi,
]
ARGUMENTS: list[tuple[Any, Any]] = [
    (0.5, 1.5),
    (1, 2),
    (np.float64(0.5), 2),
    (np.linspace(0, 1, 5), 2.0),
    (np.arange(3), np.arange(4)[:, None]),
    (np.linspace(-1, 1, 6).reshape(2, 1, 3), np.ones((4, 1))),
    (np.linspace(0, 3, 5000), 0.5),
    (np.linspace(0, 3, 90)[:, None], np.linspace(-1, 1, 80)),
    (np.zeros((0, 3)), 1.0),
    (np.ones((1, 1)), np.array([2.0])),
    (np.asfortranarray(np.arange(12.0).reshape(3, 4)), np.arange(8.0)[::2]),
    (np.bool_(True), np.array([True, False])),
]


@pytest.mark.parametrize("expr", EXPRESSIONS, ids=str)
def test_values_and_shapes_are_numpys(expr: Any) -> None:
    ours, theirs = sn.lambdify([x, y], expr), sympy.lambdify([x, y], expr, "numpy")
    for arguments in ARGUMENTS:
        value = ours(*arguments)
        expected = theirs(*(np.asarray(a, dtype=float) for a in arguments))
        assert np.shape(value) == np.shape(expected)
        np.testing.assert_allclose(value, expected, rtol=1e-13, atol=1e-15)


def test_numbers_give_a_number() -> None:
    f = sn.lambdify(x, x + 1)
    assert [type(f(2.0)), type(f(np.float64(2))), type(f(2))] == [float, float, np.float64]
    assert type(sn.lambdify(x, x + 1, dtype="float32")(2.0)) is np.float32


def test_floats_take_the_short_way_and_agree_with_it() -> None:
    expressions = [GAUSS, sympy.Integer(3), {"a": x * y, "b": [y, sympy.Matrix([[x, 1], [y, x]])]}]
    for expr in expressions:
        f = sn.lambdify([x, y], expr)
        short, long = f(0.25, -1.5), f(np.array([0.25]), -1.5)
        assert str(type(short)) != str(type(long)) or isinstance(short, (dict, np.float64))
        for mine, theirs in zip(_numbers(f(0.25, -1.5)), _numbers(long), strict=True):
            assert mine == theirs
    assert f.numbers is not None and f.numbers.call(0.25, -1.5) == (0.25 * -1.5, -1.5, 0.25, 1.0, -1.5, 0.25)


def _numbers(value: Any) -> list[float]:
    if isinstance(value, dict):
        return [v for part in value.values() for v in _numbers(part)]
    if isinstance(value, list):
        return [v for part in value for v in _numbers(part)]
    return [float(v) for v in np.ravel(value)]


def test_the_short_way_leaves_everything_else_to_the_long_one() -> None:
    f = sn.lambdify([x, y], x * y)
    assert f(2.0, 3.0) == 6.0 and f.numbers is not None
    short = f.numbers.call
    others: list[Any] = [(2, 3.0), (np.array(2.0), 3.0), (np.float32(2), 3.0), (True, 3.0), (2.0,), (2.0, 3.0, 4.0), ()]
    assert [short(*arguments) for arguments in others] == [None] * len(others)
    assert f(2, 3.0) == 6.0 and f(np.array([2.0]), 3.0).tolist() == [6.0] and f(x=2.0, y=3.0) == 6.0
    with pytest.raises(ArgumentError, match="expected 2 arguments; got 3 by position"):
        f(1.0, 2.0, 3.0)
    nested = sn.lambdify([[x, y]], x * y)
    assert nested([2.0, 3.0]) == 6.0 and nested((2.0, 4.0)) == 8.0
    with pytest.raises(ArgumentError, match="expected 1 arguments; got 2 by position"):
        nested(2.0, 3.0)
    unused = sn.lambdify([x, y, z], z)
    assert [unused(1.0, 2.0, 3.0) for _ in range(3)] == [3.0] * 3


def test_the_short_way_keeps_no_references(monkeypatch: pytest.MonkeyPatch) -> None:
    f = sn.lambdify([x, y], [x * y, x + y])
    f(1.5, 2.5)
    assert f.numbers is not None
    value, before = 1234.5678, sys.getrefcount(None)
    count = sys.getrefcount(value)
    for _ in range(1000):
        f.numbers.call(value, value)
        f.numbers.call(value, 1)
    assert sys.getrefcount(value) == count
    assert abs(sys.getrefcount(None) - before) < 100


def test_threads_may_call_the_short_way_at_once() -> None:
    f, wrong = sn.lambdify([x, y], [x * y, x - y]), []
    f(1.0, 1.0)

    def work(k: float) -> None:
        wrong.extend(k for j in range(5000) if f(k, float(j)) != [k * j, k - j])

    workers = [threading.Thread(target=work, args=(float(k),)) for k in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert wrong == []


def test_a_result_is_not_overwritten_by_the_next_call() -> None:
    f = sn.lambdify(x, 2 * x)
    first = f(np.ones(3))
    f(np.zeros(3))
    assert first.tolist() == [2.0, 2.0, 2.0]


def test_each_pattern_is_compiled_once() -> None:
    f = sn.lambdify([x, y], x * y)
    for size in (3, 4, 5000):
        f(np.ones(size), 2.0)
        f(2.0, 3.0)
    assert sorted(f.compiled) == [((False, False), "float64"), ((True, False), "float64")]


def test_float32_arrays_stay_so_and_mixed_ones_do_not() -> None:
    f = sn.lambdify([x, y], x * y)
    single = np.ones(3, "float32")
    assert f(single, 2.0).dtype == np.float32 and f(single, np.ones(3)).dtype == np.float64
    assert sn.lambdify([x, y], x * y, dtype="float32")(np.ones(3), 2).dtype == np.float32


def test_structures_and_matrices_come_back_as_they_were() -> None:
    f = sn.lambdify([x, (y, z)], [x + y, (z, {"a": x}), 3])
    first, (second, named), three = f(1.0, (2.0, np.arange(2.0)))
    assert first.tolist() == [3.0, 3.0] and second.tolist() == [0.0, 1.0]
    assert named["a"].tolist() == [1.0, 1.0] and three.tolist() == [3.0, 3.0]
    matrix = sympy.Matrix([[x, y], [1, x * y]])
    np.testing.assert_array_equal(sn.lambdify((x, y), matrix)(2.0, 3.0), [[2, 3], [1, 6]])
    assert sn.lambdify((x, y), matrix)(np.arange(3.0), 3.0).shape == (2, 2, 3)
    assert sn.lambdify(x, sympy.Array([x, x**2, x**3]))(2.0).tolist() == [2, 4, 8]


def test_arguments_may_be_matrices_functions_and_names() -> None:
    vector = sympy.Matrix([x, y])
    assert sn.lambdify([vector], x - y)(np.array([[3.0], [1.0]])) == 2.0
    f, t = sympy.Function("f"), sympy.Symbol("t")
    assert sn.lambdify([f(t), t], f(t) ** 2 + t)(3.0, 1.0) == 10.0
    assert sn.lambdify("x y", x * y)(y=2.0, x=3.0) == 6.0


def test_matrix_symbols_take_whole_arrays(rng: np.random.Generator) -> None:
    A, v = sympy.MatrixSymbol("A", 3, 3), sympy.MatrixSymbol("v", 3, 1)
    a, b = rng.normal(size=(3, 3)), rng.normal(size=(3, 1))
    np.testing.assert_allclose(sn.lambdify([A, v, x], x * A * v)(a, b, 2.0), 2 * a @ b, rtol=1e-13)


def test_what_sympy_takes_is_taken() -> None:
    f = sn.lambdify([x, y], x * y, "numpy", None, True, True, 4)
    assert f(2.0, 3.0) == 6.0 and sn.lambdify(x, x, modules=["scipy", "numpy"], cse=False)(1.0) == 1.0
    assert str(inspect.signature(f)) == "(x, y)" and f.__name__ == "lambdified"
    assert str(f.__doc__).startswith("f(x, y) = x*y\n")
    assert "x**2" not in str(sn.lambdify(x, x**2 + 1, docstring_limit=3).__doc__)
    assert "x**2 + 1" in str(sn.lambdify(x, x**2 + 1, docstring_limit=None).__doc__)


def test_threads_may_call_one_function_at_once() -> None:
    f, wrong = sn.lambdify([x, y], x + y), []

    def work(k: int) -> None:
        for _ in range(200):
            if f(np.full(7, float(k)), 1.0).tolist() != [k + 1.0] * 7:
                wrong.append(k)

    workers = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert wrong == []


BUILD_REFUSED: list[tuple[Any, Any, dict[str, Any], type[SymnetError], str]] = [
    (x, x + y, {}, ArgumentError, r"expected expressions in x; got y in x \+ y\. Add y"),
    ([x, x], x, {}, ArgumentError, "got x twice"),
    (2, x, {}, ArgumentError, r"expected SymPy symbols as arguments; got 2"),
    (x, sympy.Integral(x, x), {}, ArgumentError, r"got Integral\(x, x\)"),
    (x, sympy.zeta(x), {}, sn.MissingRuleError, r"compiling zeta\(x\): .* for which it knows no formula"),
    (x, x, {"modules": {"sin": abs}}, ArgumentError, "expected names of modules.* got modules="),
    (x, x, {"modules": [{"sin": abs}, "numpy"]}, ArgumentError, "expected names of modules"),
    (x, x, {"modules": ["mpmath"]}, ArgumentError, "got 'mpmath'. Drop it, or use sympy.lambdify for more digits"),
    (x, x, {"modules": "sympy"}, ArgumentError, "got 'sympy'. Drop it, or use sympy.lambdify for exact values"),
    (x, x, {"printer": str}, ArgumentError, "and no printer; got printer="),
    (x, x, {"dtype": "int64"}, DTypeError, "expected float32 or float64; got int64"),
    (x, sn.scalar("x") + 1, {}, ArgumentError, r"got a symnet expression\. Compile it with sn\.compile"),
]


@pytest.mark.parametrize(("args", "expr", "options", "error", "message"), BUILD_REFUSED, ids=lambda v: str(v)[:30])
def test_what_cannot_be_made_is_refused(args: Any, expr: Any, options: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        sn.lambdify(args, expr, **options)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((1.0,), ArgumentError, "expected 2 arguments; got 1 by position. Give y"),
        ((1.0, 2.0, 3.0), ArgumentError, "got 3 by position"),
        ((1j, 2.0), DTypeError, r"f\(x=complex128\[\]\): expected real numbers; got complex128"),
        ((np.ones(2), np.ones(3)), ArgumentError, r"expected shapes that broadcast; got x: \(2,\), y: \(3,\)"),
    ],
)
def test_a_wrong_call_is_refused(arguments: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        sn.lambdify([x, y], x * y)(*arguments)


def test_a_nested_argument_needs_all_its_values() -> None:
    with pytest.raises(ArgumentError, match="expected 2 values; got 1"):
        sn.lambdify([[x, y]], x)([1.0])


def test_a_keyword_is_given_once_and_known() -> None:
    f = sn.lambdify([x, y], x * y)
    with pytest.raises(ArgumentError, match="got 1 by position and x by keyword"):
        f(1.0, x=2.0)
    with pytest.raises(ArgumentError, match="and q by keyword"):
        f(1.0, 2.0, q=2.0)


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        (x > y, lambda a, b: a > b),
        (sympy.And(x > 0, y > 0), lambda a, b: (a > 0) & (b > 0)),
        (sympy.Or(x > 0, y > 0), lambda a, b: (a > 0) | (b > 0)),
        (sympy.Not(sympy.Eq(x, y)), lambda a, b: a != b),
        (sympy.Eq(x, y), lambda a, b: a == b),
        (sympy.true, lambda a, b: (a == a) & (b == b)),
        (sympy.false, lambda a, b: (a != a) & (b != b)),
    ],
)
def test_a_truth_value_is_one_for_whatever_the_arguments_are(condition: Any, wanted: Any) -> None:
    alone, beside = sn.lambdify([x, y], condition), sn.lambdify([x, y], [condition, x + y, sympy.true])
    for a, b in [(1.0, 2.0), (2.0, 2.0), (-1.0, 2.0), (2.0, -3.0)]:
        for kind in (float, int, np.float64, np.float32, lambda v: np.array([v, -v])):
            for _ in range(2):  # the second call on floats may take a shorter way
                got, listed = alone(kind(a), kind(b)), beside(kind(a), kind(b))
                np.testing.assert_array_equal(got, wanted(kind(a), kind(b)))
                np.testing.assert_array_equal(listed[0], wanted(kind(a), kind(b)))
                np.testing.assert_array_equal(listed[1], kind(a) + kind(b))
                assert {np.asarray(v).dtype for v in (got, listed[0], listed[2])} == {np.dtype(bool)}
                assert np.all(listed[2])


def test_truth_values_of_large_arrays_and_of_single_precision_are_truth_values() -> None:
    many = np.linspace(-1, 1, 5001, dtype="float32")
    above, always, twice = sn.lambdify(x, [x > 0, sympy.true, 2 * x])(many)
    np.testing.assert_array_equal(above, many > 0)
    assert always.dtype == bool and always.shape == many.shape and always.all()
    assert twice.dtype == np.float32
