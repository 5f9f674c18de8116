"""Integers follow NumPy: the witnesses of what went wrong, and what else is promised of them."""

import importlib
import re

import numpy as np
import pytest
import sympy

import symnet as sn
from symnet.errors import AllocationError, DTypeError, RangeError, ValueDomainError
from symnet.reference import evaluate
from symnet.simplify.algebra.table import simplify

i, j = sn.tensor("i", 3, dtype="int64"), sn.tensor("j", 3, dtype="int64")
k, p = sn.tensor("k", 3, dtype="int32"), sn.tensor("p", 3, dtype="bool")
x, u, v = sn.tensor("x", 3), sn.scalar("u"), sn.scalar("v")
m, n = sn.dim("m"), sn.dim("n")
ONE_TO_THREE = np.array([1, 2, 3])
LARGEST = np.full(3, 2**31 - 1, "int32")

# --------------------------------------------------------------------------- powers


def test_an_integer_to_integers_is_integers() -> None:
    assert sn.compile(2**i)(i=ONE_TO_THREE).tolist() == [2, 4, 8]
    assert sn.compile(i**j)(i=ONE_TO_THREE, j=ONE_TO_THREE).tolist() == [1, 4, 27]
    assert sn.compile(3**i)(i=np.array([0, 40, 64])).tolist() == (np.int64(3) ** np.array([0, 40, 64])).tolist()
    assert (2**i).dtype == "int64" and (k**k).dtype == "int32"


def test_an_integer_array_times_one_point_zero_is_a_real_exponent() -> None:
    np.testing.assert_array_equal(sn.compile(x ** (i * 1.0))(x=np.full(3, 2.0), i=ONE_TO_THREE), [2.0, 4.0, 8.0])
    np.testing.assert_array_equal(sn.compile(2 ** (i * 1.0))(i=np.array([-1, 0, 3])), [0.5, 1.0, 8.0])


def test_negative_exponents_are_real_as_numbers_and_whole_as_elements() -> None:
    assert sn.compile(k**-2)(k=np.array([1, 2, -4], "int32")).tolist() == [1.0, 0.25, 0.0625]
    got = sn.compile(i**j)(i=np.array([-1, 1, 2]), j=np.array([-3, -2, -1]))
    assert got.tolist() == [-1, 1, 0] and got.dtype == np.int64
    assert evaluate(i**j, {"i": np.array([-1, 1, 2]), "j": np.array([-3, -2, -1])}).tolist() == [-1, 1, 0]


def test_indices_of_sympys_sums_are_real() -> None:
    index, X = sympy.Symbol("k"), sympy.IndexedBase("X", shape=(100,))
    last, ones = np.eye(100)[99], np.ones(100)
    for term, wanted in ((X[index] / 2**index, 2.0), (X[index] * (-1) ** index, 0.0)):
        assert sn.compile(sn.from_sympy(sympy.Sum(term, (index, 0, 99))))(X=ones) == pytest.approx(wanted)
    grown = sn.from_sympy(sympy.Sum(X[index] * index**20, (index, 0, 99)))
    assert sn.compile(grown)(X=last) == pytest.approx(99.0**20, rel=1e-14)
    halves = sn.from_sympy(sympy.Sum(X[index] / 2**index, (index, 0, 99)))
    gradient = sn.compile(sn.grad(halves, sn.tensor("X", 100)))()
    np.testing.assert_array_equal(gradient, 0.5 ** np.arange(100))


# --------------------------------------------------------------------------- reductions

REDUCTIONS = {name: (getattr(sn, name), getattr(np, name)) for name in ("sum", "prod", "cumsum", "cumprod")}


@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions_of_int32_are_int64(name: str) -> None:
    ours, numpys = REDUCTIONS[name]
    got = sn.compile(ours(k))(k=LARGEST)
    assert got.dtype == np.int64
    np.testing.assert_array_equal(got, numpys(LARGEST))


def test_means_of_integers_add_reals() -> None:
    assert sn.compile(sn.mean(k))(k=LARGEST) == 2**31 - 1
    large = np.full(3, 2**63 - 1)
    assert sn.compile(sn.mean(i))(i=large) == np.mean(large) == evaluate(sn.mean(i), {"i": large})
    assert sn.compile(sn.mean(p))(p=np.array([True, False, True])) == pytest.approx(2 / 3)


def test_a_sum_of_one_truth_value_counts_it() -> None:
    q = sn.tensor("q", dtype="bool")
    assert (sn.sum(q).dtype, sn.sum(p, axis=()).dtype, sn.prod(q).dtype) == ("int64", "int64", "int64")
    assert sn.compile(sn.sum(q))(q=True) == 1


def test_products_of_matrices_stay_int32_as_numpys() -> None:
    K = sn.tensor("K", 2, 2, dtype="int32")
    values = np.full((2, 2), 2**30, "int32")
    for node, wanted in ((K @ K, values @ values), (sn.einsum("ij->i", K), np.einsum("ij->i", values))):
        got = sn.compile(node)(K=values)
        assert got.dtype == wanted.dtype == np.int32
        np.testing.assert_array_equal(got, wanted)
    assert sn.compile(sn.trace(K))(K=values) == 2**31 and sn.compile(sn.sum(K @ K))(K=values) == np.sum(values @ values)


@pytest.mark.parametrize("rows", [1, 7, 300])
def test_extremes_of_truth_values_are_right_for_any_number_of_rows(rows: int) -> None:
    q = sn.tensor("q", m, dtype="bool")
    both = sn.compile([sn.max(q), sn.min(q), sn.prod(q), sn.sum(q)])
    for given in (np.zeros(rows, bool), np.ones(rows, bool), np.arange(rows) % 2 == 0):
        wanted = [np.max(given), np.min(given), np.prod(given), np.sum(given)]
        assert [value.item() for value in both(q=given)] == [value.item() for value in wanted]


# --------------------------------------------------------------------------- numbers beside integers


@pytest.mark.parametrize("number", [2**31, -(2**31) - 1, 2**40, 10**30])
@pytest.mark.parametrize(
    "operation",
    [
        lambda a, b: a + b, lambda a, b: a - b, lambda a, b: b - a, lambda a, b: a * b, lambda a, b: a % b,
        lambda a, b: a ** abs(b), lambda a, b: b**a, sn.maximum, sn.minimum, lambda a, b: sn.where(a > 0, a, b),
    ],
)  # fmt: skip
def test_a_python_integer_out_of_range_is_refused_when_the_expression_is_built(operation, number: int) -> None:
    with pytest.raises(
        RangeError, match=r"expected a number that int32 can hold.*got -?\d+\. Declare.*int64"
    ) as caught:
        operation(k, number)
    assert isinstance(caught.value, OverflowError)


def test_the_refusal_names_operation_range_and_value() -> None:
    whole = (
        "add(int64, number): expected a number that int64 can hold, from -9223372036854775808 to 9223372036854775807; "
        f"got {10**30}. Declare"
    )
    with pytest.raises(RangeError, match=re.escape(whole)):
        i + 10**30


COMPARISONS = {
    "<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
    "==": np.equal, "!=": np.not_equal,
}  # fmt: skip


@pytest.mark.parametrize("number", [2**31, 2**32, -(2**31) - 1, 2**63, -(2**63) - 1, 10**30, -(10**30), 2**53 + 1])
@pytest.mark.parametrize("name", COMPARISONS)
def test_comparisons_with_any_integer_are_exact(name: str, number: int) -> None:
    for leaf, values in ((k, [-(2**31), 0, 2**31 - 1]), (i, [-(2**63), 2**53 + 1, 2**63 - 1])):
        given = np.array(values, leaf.dtype)
        wanted = COMPARISONS[name](given, number)
        node = COMPARISONS[name](leaf, number)
        np.testing.assert_array_equal(sn.compile(node)(**{leaf.name: given}), wanted)
        np.testing.assert_array_equal(evaluate(node, {leaf.name: given}), wanted)


def test_large_numbers_keep_all_their_digits() -> None:
    assert sn.compile(i + (2**53 + 1))(i=np.zeros(3, int)).tolist() == [2**53 + 1] * 3
    assert evaluate(i * (2**62 + 1), {"i": np.ones(3, int)}).tolist() == [2**62 + 1] * 3


def test_python_floats_make_reals_and_numpy_scalars_bring_their_dtype() -> None:
    made = [k * 2.0, k + 2.0, 2.0 - k, k - 2.0, k**2.0, sn.maximum(k, 2.0), sn.where(p, k, 2.0), k * np.float64(2)]
    assert {node.dtype for node in made} == {"float64"}
    assert [(k * np.int64(2)).dtype, (k * 2).dtype, (k * np.int16(2)).dtype, (p * np.int32(2)).dtype] == [
        "int64", "int32", "int32", "int32",
    ]  # fmt: skip
    assert [sn.where(p, p, 7).dtype, sn.maximum(p, 5).dtype, sn.where(p, p, False).dtype] == ["int64", "int64", "bool"]
    np.testing.assert_array_equal(sn.compile(k * 2.0)(k=LARGEST), LARGEST * 2.0)


def test_extents_beside_integers_have_all_their_digits_in_float32_programs() -> None:
    w, c = sn.tensor("w", m, dtype="float32"), sn.tensor("c", 1, dtype="int32")
    f = sn.compile([c + m, w.sum()])
    rows = 2**24 + 1
    assert f(w=np.zeros(rows, "float32"), c=np.zeros(1, "int32"))[0].tolist() == [rows]


def test_numpys_float_power_of_integers_is_real() -> None:
    assert np.float_power(k, 2).dtype == "float64" and np.float_power(x, 2).dtype == "float64"
    np.testing.assert_array_equal(sn.compile(np.float_power(k, 2))(k=LARGEST), np.float_power(LARGEST, 2))


def test_numpys_reciprocal_of_integers_is_refused() -> None:
    with pytest.raises(DTypeError, match=r"np\.reciprocal\(x\): expected real numbers; got int32\. Write 1/x"):
        np.reciprocal(k)


# --------------------------------------------------------------------------- rewrites keep to a dtype


@pytest.mark.parametrize(
    "node",
    [(k + 1) * 1.0, (k + k) / 2, k * k / k, (k + 1) * x - k * x, sn.sum(k * 2) * 0.5, abs(k) * x, (k + i) - i, k - k,
     k**0, sn.sum(x * (k * k)), sn.sqrt(k * k), sn.maximum(abs(k), 0), sn.sum((k + 1) * 0.5)],
)  # fmt: skip
def test_no_rewrite_carries_arithmetic_to_another_dtype(node) -> None:
    data = {"k": np.array([-(2**31), 2**31 - 1, 46341], "int32"), "i": ONE_TO_THREE, "x": np.array([0.5, 2.0, -1.0])}
    wanted = evaluate(node, data)
    (short,) = simplify([node])
    assert sn.dtypes.is_real(short.dtype) if wanted.dtype.kind == "f" else short.dtype == wanted.dtype.name
    given = {leaf.name: data[leaf.name] for leaf in sn.expr.symbols.leaves(node)}
    np.testing.assert_allclose(evaluate(short, data), wanted, rtol=1e-15)
    np.testing.assert_allclose(sn.compile(node)(**given), wanted, rtol=1e-15)


def test_gradients_beside_integers_are_real() -> None:
    slope = sn.compile(sn.grad(sn.sum(x * k * k), x))(k=np.full(3, 2**20, "int32"))
    np.testing.assert_array_equal(slope, [2.0**40] * 3)
    assert str(sn.grad(sn.sum(x * x * k), x)) == "2*x*k"


# --------------------------------------------------------------------------- mod

DIVIDENDS = [1.0, 5.0, -5.0, 5.0, -5.0, 1e300, -0.0, 0.0, 5.0, np.inf, 5e-324, -1.7e308, 7.0]
DIVISORS = [0.2, np.inf, np.inf, -np.inf, 0.0, 3.0, 3.0, -3.0, np.nan, 3.0, -1e-310, 5e-324, -0.1]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_mod_of_reals_is_numpys(dtype: str) -> None:
    with np.errstate(all="ignore"):
        a, b = (np.array(values).astype(dtype) for values in (DIVIDENDS * 5, DIVISORS * 5))
        wanted = np.mod(a, b)
    s, t = sn.tensor("s", m, dtype=dtype), sn.tensor("t", m, dtype=dtype)
    got = sn.compile(s % t)(s=a, t=b)
    np.testing.assert_array_equal(got, wanted)
    np.testing.assert_array_equal(
        np.signbit(got), np.signbit(wanted) & ~np.isnan(wanted) | np.signbit(got) & np.isnan(got)
    )


def test_mod_of_sympys_is_mod() -> None:
    a, b = sympy.symbols("a b")
    f = sn.lambdify([a, b], sympy.Mod(a, b))
    assert f(1.0, 0.2) == 1.0 % 0.2 and f(5.0, np.inf) == 5.0 and f(-5.0, np.inf) == np.inf
    assert np.isnan(f(5.0, 0.0))
    np.testing.assert_array_equal(f(np.array([1e300, -7.0]), 3.0), np.mod([1e300, -7.0], 3.0))


def test_mod_of_integers_never_traps() -> None:
    given = np.array([-(2**31), 7, -7], "int32"), np.array([-1, 0, 3], "int32")
    with np.errstate(all="ignore"):
        wanted = given[0] % given[1]
    other = sn.tensor("other", 3, dtype="int32")
    assert sn.compile(k % other)(k=given[0], other=given[1]).tolist() == wanted.tolist() == [0, 0, 2]


def test_slopes_of_mod() -> None:
    assert str(sn.grad(u % v, [u, v])) == "[1, -floor_divide(u, v)]"
    assert sn.compile(sn.grad(u % v, v))(u=7.5, v=2.0) == -3
    assert str(7 % i) == "mod(7, i)" and sympy.latex(u % v) == r"u \bmod v"
    assert np.mod(u, v) is np.remainder(u, v) is sn.mod(u, v)


# --------------------------------------------------------------------------- extents


def test_a_workspace_that_wraps_is_refused_with_the_sizes() -> None:
    X = sn.tensor("X", m, n)
    f = sn.compile(sn.sum(sn.tanh(X @ X.T)), name="squares")
    whole = (
        "squares(…): expected extents for which every array has less than 2**63 bytes; got m = 2147483648, n = 0. Pass"
    )
    with pytest.raises(RangeError, match=re.escape(whole)):
        f(X=np.empty((2**31, 0)))
    with pytest.raises(RangeError, match=r"squares\.workspace_bytes.*m = 2147483648, n = 0"):
        f.workspace_bytes(m=2**31, n=0)
    with pytest.raises(RangeError, match=r"squares\.bind.*m = 2147483648, n = 0"):
        f.bind(X=np.empty((2**31, 0)))
    with pytest.raises(AllocationError, match=r"the workspace.*got shape .* bytes\. Make the extents smaller"):
        f(X=np.empty((2**29, 0)))


@pytest.mark.parametrize("extent", [2**63, 2**64, 2**64 + 7])
def test_an_extent_beyond_int64_is_refused_by_name(extent: int) -> None:
    f = sn.compile(sn.sum(sn.arange(m) * u), name="ramp")
    for call in (
        lambda: f(m=extent, u=1.0),
        lambda: f.workspace_bytes(m=extent),
        lambda: f.bind(m=extent, u=np.ones(())),
    ):
        with pytest.raises(
            RangeError, match=rf"expected an extent m of less than 2\*\*63; got {extent}\. Pass a smaller"
        ):
            call()
    assert f(m=7, u=1.0) == 21


def test_products_of_extents_that_wrap_are_refused() -> None:
    f = sn.compile(sn.sum(sn.arange(m * n) * u), name="pairs")
    with pytest.raises(RangeError, match="m = 4294967296, n = 4294967296"):
        f(m=2**32, n=2**32, u=1.0)
    assert f(m=2**32, n=0, u=1.0) == 0 and f(m=2, n=3, u=1.0) == 15


def test_extents_that_are_numbers_are_refused_when_compiling() -> None:
    with pytest.raises(RangeError, match=r"expected each extent to have less than 2\*\*63.*got 18446744073709551623\."):
        sn.compile(sn.sum(sn.arange(2**64 + 7) * u))
    with pytest.raises(RangeError, match=r"S of shape \(1099511627776, 1099511627776\) float64: \d+ bytes"):
        sn.compile(sn.tensor("S", 2**40, 2**40) * 2)


def test_a_stub_refuses_what_the_function_refuses(tmp_path, monkeypatch) -> None:
    import importlib

    X = sn.tensor("X", m, n)
    sn.compile(sn.sum(sn.tanh(X @ X.T)) * sn.sum(sn.arange(sn.dim("q")) * u), name="sizes_stub").export(
        tmp_path / "sizes_stub"
    )
    monkeypatch.syspath_prepend(tmp_path)
    stub = importlib.import_module("sizes_stub")
    with pytest.raises(OverflowError, match="expected an extent q of less than"):
        stub.sizes_stub(X=np.ones((2, 2)), u=1.0, q=2**64 + 7)
    with pytest.raises(OverflowError, match="m = 2147483648, n = 0, q = 3"):
        stub.sizes_stub(X=np.empty((2**31, 0)), u=1.0, q=3)


def test_the_header_adds_and_multiplies_extents_with_saturation(tmp_path) -> None:
    a, b = sn.tensor("a", m), sn.tensor("b", n)
    sn.compile(sn.mean(a[:, None] * b[None, :]), name="means").export(tmp_path / "means")
    text = (tmp_path / "means.h").read_text()
    assert "means_times(m, n) < 1" in text and "if (a > 0 && b > INT64_MAX / a) return INT64_MAX;" in text
    assert "if (means_workspace_bytes(dims) == SIZE_MAX) return means_BAD_EXTENT;" in text


COUNTED = {
    "added": lambda z, n: z + n * 2**30,
    "subtracted": lambda z, n: z - 3 * n * 2**29,
    "multiplied": lambda z, n: z * (n * 2**30),
    "the larger": lambda z, n: sn.maximum(z, n * 2**30),
    "the remainder": lambda z, n: z % (n * 2**30),
    "chosen": lambda z, n: sn.where(z > 0, n * 2**30, z),
    "a square": lambda z, n: z + n**2 * 2**28,
    "a difference": lambda z, n: z + (n - 7 * n * 2**28),
    "joined": lambda z, n: sn.concat([z, sn.broadcast_to(sn.constant(1) * n * 2**30, (2,))]),
    "spread over an array": lambda z, n: z + sn.ones(n) * n * 2**30,
    "a sum of ones": lambda z, n: z + sn.sum(sn.ones(n)) * 2**30,
}


@pytest.mark.parametrize("name", COUNTED)
def test_a_count_that_its_integers_cannot_hold_is_refused_when_the_function_is_called(name: str) -> None:
    """As NumPy refuses the Python integer; int64 has room for it, and a count that fits is added exactly."""
    n = sn.dim("n")
    build = COUNTED[name]
    for dtype, rows, fits in (("int32", 1, True), ("int32", 3, False), ("int64", 3, True)):
        function = sn.compile(build(sn.tensor("z", n, dtype=dtype), n))
        given = np.arange(rows).astype(dtype)
        if fits:
            wanted = evaluate(build(sn.tensor("z", rows, dtype=dtype), sympy.Integer(rows)), {"z": given})
            assert function(z=given).dtype == wanted.dtype and np.array_equal(function(z=given), wanted), rows
        else:
            with pytest.raises(ValueDomainError, match=r"for the count .* among int32, which holds -2147483648 to"):
                function(z=given)


def test_a_count_beyond_the_digits_of_float64_is_refused_among_int64() -> None:
    n = sn.dim("n")
    function = sn.compile(sn.tensor("z", n, dtype="int64") + 3 * n**21)
    assert function(z=np.zeros(2, "int64")).tolist() == [3 * 2**21] * 2
    with pytest.raises(ValueDomainError, match=r"for the count 3\*n\*\*21 among int64, which holds -9007199254740992"):
        function(z=np.zeros(6, "int64"))


def test_a_stub_and_the_header_refuse_such_a_count_too(tmp_path, monkeypatch) -> None:
    n = sn.dim("n")
    function = sn.compile(sn.tensor("z", n, dtype="int32") + n * 2**30, name="counts")
    function.export(tmp_path / "counts")
    monkeypatch.syspath_prepend(tmp_path)
    stub = importlib.import_module("counts")
    assert stub.counts(z=np.ones(1, "int32")).tolist() == [2**30 + 1]
    with pytest.raises(ValueError, match="for the count 1073741824\\*n among int32"):
        stub.counts(z=np.ones(2, "int32"))
    assert "2147483647" in (tmp_path / "counts.h").read_text()


TRUTHS = {"b": np.array([True, True, False, False]), "c": np.array([True, False, True, False])}
LOGIC = (
    "b + c", "b * c", "b ^ c", "b | c", "b & c", "b + True", "True + b", "False * b", "b * True", "b ^ True",
    "False ^ b", "b + np.True_",
    "np.array(True) * b", "b + np.array([True, False, False, True])", "np.add(b, c)", "b @ c",
    "np.multiply(b, False)", "np.logical_xor(b, c)", "np.dot(b, c)", "np.dot(b, True)", "np.outer(b, c)",
    "np.kron(b, c)", "np.einsum('i,i->', b, c)",
    "np.einsum('i->', b)", "np.einsum('i,j->ij', b, c)", "np.diag(b)", "abs(b)",
    "np.outer(b, c) @ np.outer(c, b)", "np.maximum(b, c)", "np.floor(b)", "b < c", "np.max(b)",
    "b + 1", "b * 2", "1 - b", "b - 1", "b % 2", "b ** 3", "b + np.int32(1)", "(b + c) + 0", "sum([b, c])", "b + 0 - c",
    "np.sum(b)", "np.prod(b)", "np.cumsum(b)", "np.cumprod(b)", "np.trace(np.outer(b, b))", "b @ np.arange(4)",
    "np.clip(b, 0, 1)",
    "b / 2", "b + 0.5", "b // 2", "np.mean(b)", "np.mean(np.max(b))", "np.linalg.norm(b)",
    "b % c", "b // c", "b ** c", "b ** 2", "np.square(b)",
)  # fmt: skip


@pytest.mark.parametrize("text", LOGIC)
def test_truth_values_are_numpys_in_every_operation(text: str) -> None:
    """Arithmetic of truth values alone is logic; NumPy's int8 is int64 here."""
    names = {"np": np, "sum": sum}
    with np.errstate(divide="ignore"):
        wanted = np.asarray(eval(text, names | TRUTHS))
    node = eval(text, names | {name: sn.tensor(name, 4, dtype="bool") for name in "bc"})
    given = {leaf.name: TRUTHS[leaf.name] for leaf in sn.expr.symbols.leaves(node)}
    for got in (sn.compile(node)(**given), evaluate(node, given)):
        assert np.asarray(got).dtype == ("int64" if wanted.dtype == "int8" else wanted.dtype)
        np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize(
    ("text", "message"),
    {
        "b - c": r"a - b: expected numbers; got two truth values. Write a \^ b .*logical_xor",
        "True - b": r"a - b: expected numbers; got two truth values",
        "-b": "-a: expected numbers; got truth values. Write ~a",
        "+b": "expected numbers; got truth values",
        "np.sign(b)": r"sign\(x\): expected numbers; got truth values",
    }.items(),
)
def test_what_numpy_refuses_of_truth_values_is_refused(text: str, message: str) -> None:
    names = {"np": np}
    with pytest.raises(TypeError):
        eval(text, names | TRUTHS)
    with pytest.raises(DTypeError, match=message):
        eval(text, names | {name: sn.tensor(name, 4, dtype="bool") for name in "bc"})


SPECIAL = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.1,
    0.3,
    -0.7,
    7.0,
    -7.0,
    3.0,
    1e16,
    2.0**53 + 2,
    1e300,
    5e-324,
    -1e-30,
    np.inf,
    -np.inf,
    np.nan,
]
DIVIDED = {
    "float64": np.array(SPECIAL),
    "float32": np.array([x for x in SPECIAL if abs(x) < 1e38 or not np.isfinite(x)], "float32"),
    "int64": np.array([-(2**63), 1 - 2**63, -7, -2, -1, 0, 1, 2, 3, 7, 2**53 + 1, 2**63 - 1]),
    "int32": np.array([-(2**31), 1 - 2**31, -7, -2, -1, 0, 1, 2, 3, 7, 2**31 - 1], "int32"),
    "bool": np.array([False, True]),
}


@pytest.mark.parametrize("dtype", DIVIDED)
def test_whole_quotients_are_numpys_bit_for_bit(dtype: str, rng: np.random.Generator) -> None:
    """Signs, divisors of 0 and infinity, the smallest integer over -1, and that a is (a // b)·b + a % b."""
    x, y = (grid.ravel() for grid in np.meshgrid(DIVIDED[dtype], DIVIDED[dtype]))
    if dtype.startswith("float"):
        scale = 10.0 ** rng.integers(-8, 9, (2, 300))
        x, y = (
            np.concatenate([v, r.astype(dtype)]) for v, r in zip((x, y), rng.normal(size=(2, 300)) * scale, strict=True)
        )
    a, b = (sn.tensor(name, len(x), dtype=dtype) for name in "ab")
    nodes = [a // b, np.floor_divide(a, b), *divmod(a, b), *np.divmod(a, b), 7 // b, sn.floor_divide(a, 2)]
    with np.errstate(all="ignore"):
        wanted = [x // y, x // y, *np.divmod(x, y), *np.divmod(x, y), 7 // y, x // 2]
    for node, got, want in zip(nodes, sn.compile(nodes)(a=x, b=y), wanted, strict=True):
        for found in (got, evaluate(node, {"a": x, "b": y})):
            assert found.dtype == ("int64" if want.dtype == "int8" else want.dtype)
            np.testing.assert_array_equal(found, want)
            if dtype.startswith("float"):
                is_number = ~np.isnan(want)
                np.testing.assert_array_equal(np.signbit(found)[is_number], np.signbit(want)[is_number])


def test_a_whole_quotient_is_an_index_and_has_no_slope() -> None:
    x, v = sn.tensor("x", 3), sn.tensor("v", m)
    assert sn.compile(sn.take(v, sn.arange(m) // 2))(v=np.arange(5.0)).tolist() == [0, 0, 1, 1, 2]
    assert sn.grad(sn.sum(x // 2 * x), x) is sn.simplify(x // 2)
    slope = sn.compile(sn.grad(sn.sum(1 % x), x))(x=np.array([0.1, 0.3, -0.7]))
    assert slope.tolist() == [-9, -3, 2]


def test_xor_of_numbers_is_refused() -> None:
    with pytest.raises(DTypeError, match=r"a \^ b: expected two truth values; got int64 and a number. Compare first"):
        i ^ 3


def test_masks_in_derivatives_still_count() -> None:
    """Indicators are numbers, and gradients through masks are products of numbers."""
    x, b, c = sn.tensor("x", 4), sn.tensor("b", 4, dtype="bool"), sn.tensor("c", 4, dtype="bool")
    slope = sn.grad(sn.sum(b * x + x * (c + 0) + sn.indicator(b) * sn.indicator(c) * x), x)
    wanted = TRUTHS["b"] + 0.0 + TRUTHS["c"] + TRUTHS["b"] * TRUTHS["c"]
    np.testing.assert_array_equal(sn.compile(slope)(**TRUTHS), wanted)


@pytest.mark.parametrize("truth", [bool, np.bool_])
@pytest.mark.parametrize("a", [False, True])
@pytest.mark.parametrize("b", [False, True])
def test_a_choice_of_two_truth_values_is_one(truth, a: bool, b: bool) -> None:
    x, given = sn.tensor("x", 3), np.array([-1.0, np.nan, 2.0])
    for where in (sn.where, np.where):
        node = where(x > 0, truth(a), truth(b))
        for got in (sn.compile(node)(x=given), evaluate(node, {"x": given})):
            wanted = np.where(given > 0, a, b)
            assert got.dtype == wanted.dtype and np.array_equal(got, wanted)
    assert np.array_equal(sn.compile(sn.where(node, x, 7.0))(x=given), np.where(wanted, given, 7.0), equal_nan=True)


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**30])
@pytest.mark.parametrize("compare", [np.less, np.greater_equal, np.equal, np.not_equal])
def test_truth_values_are_not_compared_beyond_int64(compare, number: int) -> None:
    with pytest.raises(OverflowError):
        compare(np.array([True]), number)
    with pytest.raises(RangeError, match=rf"int64 can hold.*{number}"):
        compare(sn.tensor("b", 1, dtype="bool"), number)
