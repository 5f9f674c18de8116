"""NumPy's functions of expressions are NumPy's, by the reference and in native code, or are refused in four parts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.errors import ArgumentError, ShapeError, SymnetError
from symnet.reference import evaluate

m = sn.dim("m")
RNG = np.random.default_rng(7)
DATA: dict[str, Any] = {
    "x": RNG.normal(size=(4, 3)),
    "y": RNG.normal(size=(4, 3)) * 3,
    "i": RNG.integers(-5, 5, (4, 3)),
    "b": RNG.random((4, 3)) < 0.5,
    "s": np.array([np.nan, np.inf, -np.inf, -0.0]),
    "e": np.array([-(2**63), 2**63 - 1, -(2**63), 0]),
}
CALLS = (
    "square(x)", "square(i)", "clip(x, -1, 1)", "clip(i, None, 2)", "var(x)", "var(x, axis=0)", "var(x, 1, ddof=1)",
    "std(x, axis=(0, 1))", "std(i)", "var(b)", "std(x, axis=0, keepdims=True)", "any(b)", "any(b, axis=0)", "any(x)",
    "triu(b, 1)", "all(b, axis=1)", "all(i, axis=0, keepdims=True)", "any(s)", "diff(x)", "diff(x, axis=0)",
    "diff(i, n=2)", "diff(b)", "isnan(s)", "isinf(s)", "isfinite(s)", "isnan(i)", "isfinite(i)", "isfinite(b)",
    "isinf(i)", "isnan(b)", "hypot(x, y)", "hypot(i, x)", "hypot(x, 2.0)", "hypot(i, i)", "sign(x)",
    "where(x > 0, x, y)", "logaddexp(x, y)", "exp2(x)", "exp2(i)", "log2(abs(x))", "log10(abs(y))", "ceil(x)",
    "ceil(i)", "argmin(x)", "argmin(x, axis=0)", "argmin(i, axis=1)", "argmin(b, axis=0)", "argmin(s)", "argmin(e)",
    "argmax(e)", "count_nonzero(i)", "count_nonzero(b, axis=0)", "average(x, axis=0)", "tril(x)", "triu(x, 1)",
    "tril(i, -1)", "triu(b)", "squeeze(x[:1])", "squeeze(x[:, :1], axis=1)", "expand_dims(x, 1)",
    "expand_dims(x, (0, -1))", "swapaxes(x, 0, -1)", "flip(x)", "flip(x, 0)", "inner(x, y)", "inner(s[3:], s[3:])",
    "vdot(x, y)", "vdot(b, b)", "inner(b, b)", "logical_xor(b, x > 0)", "floor_divide(i, 3)", "max(b, axis=0)",
    "argmax(b, axis=0)",
)  # fmt: skip


@pytest.mark.parametrize("rows", [4, m], ids=str)
@pytest.mark.parametrize("call", CALLS)
def test_it_is_numpys(call: str, rows: Any) -> None:
    leaves = {k: sn.tensor(k, rows, *v.shape[1:], dtype=str(v.dtype)) for k, v in DATA.items()}
    names = {n: getattr(np, n) for n in dir(np)} | {"abs": abs}
    wanted = np.asarray(eval(call, names | DATA))
    node = eval(call, names | leaves)
    function = sn.compile(node)
    given = {name: DATA[name] for name in function.inputs}
    for got in (np.asarray(function(**given)), evaluate(node, given)):
        assert (got.dtype, got.shape) == (wanted.dtype, wanted.shape)
        np.testing.assert_allclose(got, wanted, rtol=1e-13, atol=1e-15)


def test_those_of_symnet_are_the_same_ones() -> None:
    x, b = sn.tensor("x", m, 3), sn.tensor("b", m, 3, dtype="bool")
    for name in ("square", "isnan", "isinf", "isfinite", "ceil", "any", "all", "var", "std", "tril", "triu"):
        assert getattr(sn, name)(x) is getattr(np, name)(x)
    assert sn.argmin(x, axis=0) is np.argmin(x, axis=0) and sn.clip(x, 0, 1) is np.clip(x, 0, 1)
    assert sn.hypot(x, x) is np.hypot(x, x) and sn.logical_and(b, b) is np.logical_and(b, b)


def test_of_no_rows_nothing_is_true_and_everything_holds() -> None:
    b = sn.tensor("b", m, 2, dtype="bool")
    got = sn.compile([sn.any(b), sn.all(b), sn.any(b, axis=0), sn.all(b, axis=0)])(b=np.ones((0, 2), bool))
    assert [np.asarray(g).tolist() for g in got] == [False, True, [False, False], [True, True]]


def test_slopes_of_variance_and_distance() -> None:
    x, y = sn.tensor("x", 5), sn.tensor("y", 5)
    given = RNG.normal(size=5)
    slope = sn.compile(sn.grad(sn.var(x), x))(x=given)
    np.testing.assert_allclose(slope, 2 * (given - given.mean()) / 5, rtol=1e-13)
    far = sn.compile(sn.hypot(x, y))(x=given * 1e200, y=given * 1e200)
    np.testing.assert_allclose(far, np.hypot(given * 1e200, given * 1e200), rtol=1e-13)
    near = sn.compile(sn.logaddexp(x + 800, y + 800))(x=given, y=given)
    np.testing.assert_allclose(near, given + 800 + np.log(2), rtol=1e-13)
    far = sn.compile(sn.grad(sn.sum(sn.hypot(x, y)), x))(x=given * 1e200, y=given * 1e200)
    np.testing.assert_allclose(far, np.sign(given) / np.sqrt(2), rtol=1e-13)


REFUSED = (
    "median(x)", "sort(x)", "rint(x)", "round(x)", "tile(x, 2)", "roll(x, 1)", "nan_to_num(x)",
    "pad(x, 1)", "trunc(x)", "copysign(x, y)", "unique(x)", "max(x, initial=0)", "sum(x, where=b)", "add.reduce(x)",
    "modf(x)", "isclose(x, y)", "average(x, weights=y)", "linalg.svd(x)", "interp(x, y, y)", "left_shift(i, 1)",
    "size(x)",
)  # fmt: skip


@pytest.mark.parametrize("call", REFUSED)
def test_what_symnet_lacks_is_refused_in_four_parts(call: str) -> None:
    leaves = {k: sn.tensor(k, *v.shape, dtype=str(v.dtype)) for k, v in DATA.items()}
    with pytest.raises(SymnetError, match=r"(?s)^.+: expected .+; got .+\. \S.+"):
        eval(f"np.{call}", {"np": np} | leaves)


def test_wrong_arguments_are_refused() -> None:
    x = sn.tensor("x", 3, 2)
    with pytest.raises(ArgumentError, match=r"expected a whole number as ddof; got 0\.5"):
        sn.var(x, ddof=0.5)
    with pytest.raises(ShapeError, match="expected an axis; got a scalar"):
        np.diff(sn.scalar("a"))
    with pytest.raises(ArgumentError, match=r"expected how many times, 0 or more; got -1"):
        np.diff(x, n=-1)
    with pytest.raises(ShapeError, match=r"diff\(x, axis=\(0, 1\)\)"):
        np.diff(x, axis=(0, 1))
    with pytest.raises(ShapeError, match=r"expected a matrix, or a stack of them; got shape \(3,\)"):
        sn.tril(x[:, 0])
    with pytest.raises(ShapeError, match=r"expected axes of extent 1; got shape \(3, 2\)"):
        np.squeeze(x, axis=0)
