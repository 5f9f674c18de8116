import re
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symnet as sn
from symnet.errors import ArgumentError, DTypeError, ShapeError, ValueDomainError
from tests.runtime.programs import native

x = np.arange(12, dtype=np.float32).reshape(4, 3)
b = np.array([1, 10, 100], np.float32)


@pytest.fixture(scope="module")
def f():
    return native("affine")


def refuses(error, *parts):
    """The error, with every part of its message in order."""
    return pytest.raises(error, match="(?s)" + ".*".join(re.escape(part) for part in parts))


def test_a_call_by_keyword_returns_what_the_program_computes(f):
    Y, s = f(X=x, b=b, a=np.float32(2))
    np.testing.assert_array_equal(Y, 2 * x + b)
    assert s == Y.sum()
    assert type(s) is np.float32


def test_outputs_are_fresh_at_every_call(f):
    first, _ = f(X=x, b=b, a=1)
    second, _ = f(X=x, b=b, a=2)
    assert not np.shares_memory(first, second)
    np.testing.assert_array_equal(first, x + b)


def test_inputs_are_not_changed(f):
    before = x.copy()
    f(X=x, b=b, a=3)
    np.testing.assert_array_equal(x, before)


# ----- names


def test_an_unknown_name_is_refused_with_a_suggestion(f):
    with refuses(ArgumentError, "affine(x=float32[4, 3], …)", "the inputs X, b, a", "got 'x'", "Did you mean 'X'?"):
        f(x=x, b=b, a=1)
    with refuses(ArgumentError, "got 'extra'", "Drop 'extra', or list it in compile(…, inputs=[extra])."):
        f(X=x, b=b, a=1, extra=3)


def test_a_missing_argument_is_named_with_its_shape(f):
    with refuses(
        ArgumentError, "affine(X=…, b=…, a=…)", "got X, a, without b", "Pass b= an array of shape (3,) float32"
    ):
        f(X=x, a=1)
    with refuses(ArgumentError, "got nothing, without X, b, a"):
        f()


def test_positional_arguments_need_declared_names(f):
    with refuses(ArgumentError, "keywords only", "got 3 positional arguments", "Write affine(X=…, b=…, a=…)"):
        f(x, b, 1)
    g = native("affine", positional=("X", "b"))
    np.testing.assert_array_equal(g(x, b, a=1)[0], x + b)
    np.testing.assert_array_equal(g(x, a=1, b=b)[0], x + b)
    with refuses(ArgumentError, "at most 2 positional arguments", "got 3"):
        g(x, b, 1)
    with refuses(ArgumentError, "b once", "by position (argument 2) and by keyword"):
        g(x, b, b=b, a=1)


# ----- shapes


def test_a_wrong_rank_is_refused(f):
    with refuses(ShapeError, "affine(X=float32[3], …)", "rank 2, shape (m, 3)", "got rank 1, shape (3,)", "X[None, :]"):
        f(X=x[0], b=b, a=1)
    with refuses(ShapeError, "rank 1, shape (3,)", "got rank 2, shape (3, 1)", "b.squeeze()"):
        f(X=x, b=b[:, None], a=1)
    with refuses(ShapeError, "rank 0, shape ()", "got rank 1, shape (3,)", "a is a scalar"):
        f(X=x, b=b, a=b)
    with refuses(ShapeError, "rank 1", "got rank 0", ""):
        f(X=x, b=2.5, a=1)


def test_a_wrong_concrete_extent_is_refused(f):
    with refuses(ShapeError, "axis 1 of X (m, 3) to have extent 3", "got 2 in shape (4, 2)"):
        f(X=x[:, :2].copy(), b=b, a=1)


def test_two_inputs_that_disagree_on_a_dim_are_both_named():
    from symnet.loops.ir import Buffer, IntVar
    from symnet.loops.signature import Signature
    from symnet.runtime.arguments import Arguments

    m = IntVar("m")
    inputs = (Buffer("X", "float64", (m,), "input"), Buffer("D", "float64", (m, m), "input"))
    checks = Arguments(Signature("risk", ("m",), inputs, ()))
    arrays = checks.arrays([np.zeros(32), np.zeros((32, 31))])
    with refuses(
        ShapeError,
        "risk(D=float64[32, 31], …)",
        "axis 1 of D (m, m) to have extent m = 32, as axis 0 of X (32,)",
        "got 31 in shape (32, 31)",
        "Make X and D agree",
    ):
        checks.dims(arrays, {})
    with refuses(ShapeError, "extent m = 5", "got 32 in shape (32,)", "the extent passed by keyword"):
        checks.dims(arrays, {"m": 5})


def test_a_dim_is_solved_from_a_linear_extent():
    f = native("scaled")
    np.testing.assert_array_equal(f(x=np.ones(7), k=1, flag=True), np.full(7, 2.0))
    with refuses(ArgumentError, "the extent m, which no array has as an axis", "Pass m= as a keyword"):
        f(x=np.ones(6), k=1, flag=True)
    with refuses(ShapeError, "axis 0 of x (2*m + 1,) to have extent 2*m + 1 = 5", "got 7 in shape (7,)"):
        f(x=np.ones(7), k=1, flag=True, m=2)


def test_a_dim_that_no_array_says_is_passed_by_keyword():
    f = native("iota")
    np.testing.assert_array_equal(f(a=2.0, m=3), [2, 2, 2])
    with refuses(ArgumentError, "the extent m", "no value for it"):
        f(a=2.0)
    for wrong in (-1, 2.5, True, "3"):
        with refuses(ShapeError, "an extent of 0 or more", f"got {wrong!r}", "Write m=32"):
            f(a=2.0, m=wrong)


def test_no_rows_are_legal_unless_a_mean_runs_over_them(f):
    assert native("column_sums")(X=np.zeros((0, 2))).tolist() == [0, 0]
    with refuses(ValueDomainError, "affine(…)", "m >= 1 for the mean over m", "got m = 0", "Pass at least 1 along m"):
        f(X=x[:0], b=b, a=1)


# ----- dtypes


@pytest.mark.parametrize("wrong", [np.float64, np.complex64])
def test_nothing_is_cast_in_silence(f, wrong):
    name = np.dtype(wrong).name
    with refuses(DTypeError, f"affine(X={name}[4, 3], …)", "dtype float32", f"got {name}[4, 3]", 'X.astype("float32")'):
        f(X=x.astype(wrong), b=b, a=1)


def test_strong_scalars_keep_their_dtype(f):
    with refuses(DTypeError, "a=float64[]", "dtype float32", "got float64[]", 'a.astype("float32")'):
        f(X=x, b=b, a=np.float64(2))
    assert f(X=x, b=b, a=np.asarray(2, np.float32))[1] == f(X=x, b=b, a=2)[1]


@pytest.mark.parametrize("two", [2, 2.0, Fraction(2)])
def test_python_numbers_are_weak(f, two):
    np.testing.assert_array_equal(f(X=x, b=b, a=two)[0], 2 * x + b)


def test_sympy_numbers_are_weak(f):
    sympy = pytest.importorskip("sympy")
    np.testing.assert_array_equal(f(X=x, b=b, a=sympy.Rational(1, 2))[0], x / 2 + b)


@pytest.mark.parametrize("wrong", [2j])
def test_numbers_of_another_kind_are_refused(f, wrong):
    with refuses(DTypeError, "dtype float32", f"got {wrong!r}", "np.float32(…)"):
        f(X=x, b=b, a=wrong)


def test_a_number_that_the_dtype_cannot_hold_is_refused(f):
    for huge, text in ((1e300, "1e+300"), (10**400, "1" + 36 * "0" + "…")):
        with refuses(ValueDomainError, f"a={text}", "a number that float32 can hold", f"got {text}"):
            f(X=x, b=b, a=huge)
    assert f(X=x, b=b, a=float("inf"))[0][1, 1] == np.inf
    g = native("scaled")
    with refuses(ValueDomainError, "a number that int64 can hold", str(2**70)):
        g(x=np.ones(3), k=2**70, flag=False)
    with refuses(DTypeError, "dtype int64", "got 1.5"):
        g(x=np.ones(3), k=1.5, flag=False)
    with refuses(DTypeError, "dtype bool", "got 1"):
        g(x=np.ones(3), k=1, flag=1)


def test_object_arrays_are_refused(f):
    with refuses(DTypeError, "X=object[4, 3]", "dtype float32", 'np.array(X.tolist(), "float32")'):
        f(X=x.astype(object), b=b, a=1)


@pytest.mark.parametrize("value", [["a", "b", "c"], [1.0, 2.0j, 3.0], [[1.0], [1.0, 2.0]], "abc", None, {"a": 1}])
def test_arrays_must_be_arrays(f, value):
    with refuses(DTypeError, "a NumPy array (3,) float32", 'np.asarray(b, "float32")'):
        f(X=x, b=value, a=1)


def test_masked_arrays_are_refused(f):
    masked = np.ma.masked_array(b, mask=[0, 1, 0])
    with refuses(DTypeError, "a NumPy array (3,) float32", "Masks have no meaning here"):
        f(X=x, b=masked, a=1)


def test_the_other_byte_order_is_converted_but_not_referred_to(f):
    swapped = x.astype(x.dtype.newbyteorder())
    np.testing.assert_array_equal(f(X=swapped, b=b, a=1)[0], f(X=x, b=b, a=1)[0])
    with refuses(DTypeError, "dtype float32", "in the other byte order", 'X.astype("float32")'):
        f.bind(X=swapped, b=b, a=1)


# ----- memory


def test_arrays_that_are_not_contiguous_are_copied(f):
    expected = f(X=x, b=b, a=1)[0]
    for other in (np.asfortranarray(x), np.repeat(x, 2, axis=1)[:, ::2], x[::-1].copy()[::-1]):
        np.testing.assert_array_equal(f(X=other, b=b, a=1)[0], expected)


def test_unaligned_arrays_are_copied(f):
    raw = np.zeros(x.nbytes + 1, np.uint8)
    unaligned = raw[1:].view(np.float32).reshape(4, 3)
    unaligned[:] = x
    assert not unaligned.flags.aligned
    np.testing.assert_array_equal(f(X=unaligned, b=b, a=1)[0], x + b)


def test_read_only_inputs_and_subclasses_are_fine(f, tmp_path):
    frozen = x.copy()
    frozen.flags.writeable = False
    np.testing.assert_array_equal(f(X=frozen, b=b, a=1)[0], x + b)
    mapped = np.memmap(tmp_path / "x", np.float32, "w+", shape=(4, 3))
    mapped[:] = x
    np.testing.assert_array_equal(f(X=mapped, b=b, a=1)[0], x + b)


# ----- values


@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_labels_out_of_range_are_refused(dtype):
    f = native("gather", dtype)
    table = np.linspace(0, 1, 10)
    t = np.array([3, 9, 0], dtype)
    np.testing.assert_array_equal(f(table=table, t=t), table[t])
    with refuses(ValueDomainError, "every element of t in 0 … 9 (labels of 10 classes)", "10 at t[1]", "from 0"):
        f(table=table, t=np.array([3, 10, 11], dtype))
    with refuses(ValueDomainError, "got -1 at t[2]", "Mend the data"):
        f(table=table, t=np.array([3, 9, -1], dtype))
    assert f(table=table, t=t[:0]).shape == (0,)


def test_nan_is_refused_on_request(f):
    bad = x.copy()
    bad[2, 1] = np.nan
    assert np.isnan(f(X=bad, b=b, a=1)[1])
    with refuses(ValueDomainError, "affine(…)", "finite numbers in X", "got nan at X[2, 1]", "check_finite=False"):
        f(X=bad, b=b, a=1, check_finite=True)
    strict = native("affine", check_finite=True)
    with refuses(ValueDomainError, "finite numbers in a", "got inf at a"):
        strict(X=x, b=b, a=float("inf"))
    assert np.isnan(strict(X=bad, b=b, a=1, check_finite=False)[1])


# ----- outputs of the caller


def test_outputs_may_be_the_callers(f):
    Y, s = np.empty((4, 3), np.float32), np.empty((), np.float32)
    got, total = f(X=x, b=b, a=1, out=(Y, s))
    assert got is Y
    assert total == s == (x + b).sum()
    assert f(X=x, b=b, a=2, out={"Y": Y})[0] is Y
    assert f(X=x, b=b, a=2, out=(None, s))[1] == s
    r = np.empty(3)
    assert native("iota")(a=1.0, m=3, out=r) is r


def test_unusable_outputs_are_refused(f):
    Y, s = np.empty((4, 3), np.float32), np.empty((), np.float32)
    frozen = Y.copy()
    frozen.flags.writeable = False
    for error, out, parts in [
        (ArgumentError, (frozen, s), ("affine(…, out=…)", "a writable array for output Y", "read-only")),
        (ArgumentError, (np.asfortranarray(Y), s), ("C-contiguous, aligned array for output Y", "strides (4, 16)")),
        (
            DTypeError,
            (Y.astype(np.float64), s),
            ("output Y of dtype float32", "float64[4, 3]", 'np.empty((4, 3), "float32")'),
        ),
        (ShapeError, (Y[:2].copy(), s), ("output Y of shape (m, 3) = (4, 3)", "got (2, 3)")),
        (ArgumentError, ([[1.0]], s), ("an array for output Y", "a list")),
        (ArgumentError, (Y,), ("one array for each of Y, s", "1 values")),
        (ArgumentError, 3, ("one array for each of Y, s", "got 3")),
        (ArgumentError, {"Z": Y}, ("outputs named Y, s", "got 'Z'")),
    ]:
        with refuses(error, *parts):
            f(X=x, b=b, a=1, out=out)


def test_outputs_that_overlap_are_refused(f):
    s = np.empty((), np.float32)
    with refuses(ArgumentError, "output Y in memory of its own", "shared with input X", "a separate array for Y"):
        f(X=x, b=b, a=1, out=(x, s))
    Y = np.empty((4, 3), np.float32)
    with refuses(ArgumentError, "output s in memory of its own", "shared with output Y"):
        f(X=x, b=b, a=1, out=(Y, Y[0, 0:1].reshape(())))


# ----- laws


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(0, 9),
    columns=st.integers(0, 9),
    layout=st.sampled_from(["C", "F", "strided", "reversed"]),
    seed=st.integers(0, 99),
)
def test_the_layout_of_an_argument_does_not_change_the_result(rows, columns, layout, seed):
    f = native("column_sums")
    X = np.random.default_rng(seed).normal(size=(rows, columns))
    same = {
        "C": X,
        "F": np.asfortranarray(X),
        "strided": np.repeat(X, 2, axis=0)[::2],
        "reversed": X[::-1, ::-1].copy()[::-1, ::-1],
    }[layout]
    expected = np.zeros(columns)
    for row in X:
        expected += row * row
    np.testing.assert_allclose(f(X=same), expected, rtol=1e-14)
    np.testing.assert_array_equal(f(X=same), f(X=X))


@settings(max_examples=60, deadline=None)
@given(
    shape=st.lists(st.integers(0, 4), max_size=3).map(tuple),
    dtype=st.sampled_from(["float32", "float64", "int64", "bool", "complex128"]),
)
def test_an_array_is_accepted_exactly_when_dtype_and_shape_fit(shape, dtype):
    f = native("affine")
    fits = dtype in ("float32", "int64", "bool") and len(shape) == 2 and shape[1] == 3 and shape[0] > 0
    try:
        f(X=np.zeros(shape, dtype), b=b, a=1)
    except (DTypeError, ShapeError, ValueDomainError):
        assert not fits
    else:
        assert fits


@pytest.mark.parametrize(
    ("key", "short", "expected"),
    [
        (slice(None, 3), 2, "m >= 3 for the slice of an axis of extent m; got m = 2. Pass at least 3 along m."),
        (slice(4, -1), 4, "m >= 5 for the slice of an axis of extent m; got m = 4. Pass at least 5 along m."),
        (slice(-3, None), 1, "m >= 3 for the slice of an axis of extent m; got m = 1. Pass at least 3 along m."),
    ],
    ids=str,
)
def test_a_slice_says_how_long_its_axis_must_be(key, short, expected):
    f = sn.compile(sn.tensor("x", sn.dim("m"))[key] * 2.0, name="part")
    with pytest.raises(ValueDomainError, match=re.escape(f"part(…): expected {expected}")):
        f(x=np.ones(short))
