"""SymPy at the door: every conversion against SymPy's own explicit evaluation, and every refusal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy
from sympy import (
    HadamardPower,
    HadamardProduct,
    Idx,
    IndexedBase,
    KroneckerDelta,
    MatrixSymbol,
    Sum,
    Symbol,
    hadamard_product,
)
from sympy.matrices.expressions import DiagMatrix, DiagonalMatrix, DiagonalOf, DotProduct, KroneckerProduct, MatPow

import symnet as sn
from symnet.errors import ArgumentError, DTypeError, SymnetError
from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import leaves
from symnet.reference import evaluate

n, m = sympy.symbols("n m", integer=True, positive=True)
a, b = sympy.symbols("a b")
i, j, k = sympy.symbols("i j k", integer=True)
A, B = MatrixSymbol("A", m, n), MatrixSymbol("B", m, n)
S, R = MatrixSymbol("S", n, n), MatrixSymbol("R", n, n)
x, y, z = MatrixSymbol("x", n, 1), MatrixSymbol("y", n, 1), MatrixSymbol("z", m, 1)
SIZES = {n: 3, m: 4}
t = Symbol("t")

MATRICES: list[tuple[str, Any]] = [
    ("sum", A + 2 * B - B),
    ("product", A * S * x),
    ("scalar coefficients", a * b * A * x / 3),
    ("a scalar over a size", A * x / n),
    ("powers", S**3 + S**1),
    ("zeroth power", MatPow(S, 0) + S),
    ("transpose", (A.T * B).T),
    ("Hadamard product", hadamard_product(A, B, A)),
    ("Hadamard power", HadamardPower(A, 3)),
    ("Hadamard power by a scalar", HadamardPower(HadamardProduct(A, A), a)),
    ("applyfunc", A.applyfunc(sympy.Lambda(t, sympy.exp(t) + t * a))),
    ("applyfunc twice", (A * x).applyfunc(sympy.sin).applyfunc(sympy.tanh)),
    ("trace", sympy.Trace(A.T * B)),
    ("a scalar of traces", sympy.exp(-(sympy.Trace(S) ** 2)) * a + n),
    ("ones, zeros, identity", sympy.OneMatrix(m, n) * x + sympy.ZeroMatrix(m, 1) + A * sympy.Identity(n) * x),
    ("quadratic form", x.T * S * x),
    ("element", A[1, 2] + S[0, 0] * x[2, 0]),
    ("element of a product", (A * S)[1, 2]),
    ("element of a quadratic form", (x.T * S * x)[0, 0]),
    ("slice", A[1:3, 0:2]),
    ("stepped slice", MatrixSymbol("F", 6, 5)[0:6:2, 1:4]),
    ("blocks", sympy.BlockMatrix([[S, x], [A, z]])),
    ("diagonal of a column", DiagMatrix(x) * x),
    ("diagonal matrix", DiagonalMatrix(S) + S),
    ("diagonal of a matrix", DiagonalOf(S)),
    ("Kronecker product", KroneckerProduct(A, S)),
    ("dot product", DotProduct(x, y)),
    ("explicit matrix", sympy.Matrix([[a, 1], [b**2, sympy.sin(a)], [3, 0]])),
    ("explicit times explicit", sympy.Matrix([[1, 2], [3, 4]]) * sympy.Matrix([a, b])),
    ("explicit ones", sympy.ones(2, 3)),
    ("explicit identity", sympy.eye(3)),
    ("explicit array", sympy.Array([[[a, 1], [2, b]], [[0, a], [a * b, 4]]])),
    ("explicit beside symbolic", sympy.Matrix([[1, 2, 3]]) * MatrixSymbol("G", 3, 2)),
    ("trace of ones", 2 * sympy.Trace(sympy.OneMatrix(3, 3))),
    ("inverse", (S.T * S + sympy.Identity(n)).I * x),
    ("negative power", MatPow(S.T * S + sympy.Identity(n), -2)),
    ("determinant", sympy.Determinant(S * R) * a),
]


def explicit(expr: Any, data: dict[str, Any]) -> Any:
    """SymPy's own value: sizes put in, symbols replaced by explicit matrices, evaluated."""
    expr = expr.subs(SIZES) if not isinstance(expr, sympy.NDimArray) else expr
    if isinstance(expr, sympy.MatrixExpr) and expr.has(DiagonalOf, DiagonalMatrix):
        expr = expr.as_explicit()  # SymPy cannot, once they are explicit
    symbols = {s for s in getattr(expr, "free_symbols", set()) if isinstance(s, MatrixSymbol)}
    expr = expr.subs({s: sympy.Matrix(data[s.name]) for s in symbols}) if symbols else expr
    expr = expr.doit() if not isinstance(expr, (sympy.NDimArray, sympy.MatrixBase)) else expr
    expr = expr.as_explicit() if isinstance(expr, sympy.MatrixExpr) else expr
    expr = expr.subs({s: data[s.name] for s in getattr(expr, "free_symbols", set()) if s.name in data})
    return np.array(expr.applyfunc(sympy.N).tolist(), dtype=float) if hasattr(expr, "tolist") else float(expr)


def draw(node: Node, rng: np.random.Generator) -> dict[str, Any]:
    sizes = {sn.dim(str(s)): v for s, v in SIZES.items()}
    shapes = {leaf.name: [int(sympy.sympify(e).xreplace(sizes)) for e in leaf.shape] for leaf in leaves(node)}
    return {name: rng.normal(size=shape) if shape else abs(rng.normal()) for name, shape in shapes.items()}


@pytest.mark.parametrize(("name", "expr"), MATRICES, ids=[name for name, _ in MATRICES])
def test_matrix_algebra_means_what_sympy_means(name: str, expr: Any, rng: np.random.Generator) -> None:
    node = sn.from_sympy(expr)
    data = draw(node, rng)
    value = evaluate(node, data)
    expected = np.array(explicit(expr, data))
    assert value.shape == expected.shape
    np.testing.assert_allclose(value, expected, rtol=1e-9, atol=1e-12)


def test_sizes_become_dims_and_columns_keep_their_rank() -> None:
    node = sn.from_sympy(A * x)
    assert node.shape == (sn.dim("m"), 1)
    assert sn.from_sympy(MatrixSymbol("W", 2 * n, n + 1)).shape == (2 * sn.dim("n"), sn.dim("n") + 1)


# --------------------------------------------------------------------------- sums

u, v, M = IndexedBase("u", shape=(n,)), IndexedBase("v", shape=(n,)), IndexedBase("M", shape=(m, n))
free, long = IndexedBase("w"), IndexedBase("l", shape=(2 * n,))
five, kernel, G = IndexedBase("f", shape=(5,)), IndexedBase("kernel", shape=(n + 1,)), IndexedBase("G", shape=(3, 3))

SUMS: list[tuple[str, Any, Callable[[dict[str, Any]], Any]]] = [
    ("inner product", Sum(u[i] * v[i], (i, 0, n - 1)), lambda d: d["u"] @ d["v"]),
    ("by Idx", Sum(u[Idx("i", n)] * v[Idx("i", n)], Idx("i", n)), lambda d: d["u"] @ d["v"]),
    ("bilinear", Sum(M[i, j] * u[j] * a, (j, 0, n - 1), (i, 0, m - 1)), lambda d: d["a"] * (d["M"] @ d["u"]).sum()),
    ("nested", Sum(Sum(M[i, j] * u[j], (j, 0, n - 1)) ** 2, (i, 0, m - 1)), lambda d: ((d["M"] @ d["u"]) ** 2).sum()),
    ("trace of a matrix", Sum(S[i, i], (i, 0, n - 1)), lambda d: np.trace(d["S"])),
    (
        "elements",
        Sum(A[i, j] * x[j, 0] * z[i, 0], (i, 0, m - 1), (j, 0, n - 1)),
        lambda d: (d["z"].T @ d["A"] @ d["x"])[0, 0],
    ),
    ("a function", sympy.log(Sum(sympy.exp(u[i]), (i, 0, n - 1))), lambda d: np.log(np.exp(d["u"]).sum())),
    (
        "a sum under a sum",
        Sum(u[i] + M[k, i] * a, (i, 0, n - 1), (k, 0, m - 1)),
        lambda d: 4 * d["u"].sum() + d["a"] * d["M"].sum(),
    ),
    ("an index as a number", Sum(i * u[i] / 2, (i, 0, n - 1)), lambda d: (np.arange(3) * d["u"]).sum() / 2),
    ("nothing of the index", Sum(a, (i, 0, n - 1), (j, 1, m)), lambda d: 12 * d["a"]),
    ("neighbours", Sum((u[i + 1] - u[i]) ** 2, (i, 0, n - 2)), lambda d: (np.diff(d["u"]) ** 2).sum()),
    ("without a shape", Sum(free[i] ** 2, (i, 0, n - 1)), lambda d: (d["w"] ** 2).sum()),
    ("a delta", Sum(S[i, j] * KroneckerDelta(i, j), (i, 0, n - 1), (j, 0, n - 1)), lambda d: np.trace(d["S"])),
    (
        "one index twice",
        Sum(u[i], (i, 0, n - 1)) * Sum(M[i, 0], (i, 0, m - 1)),
        lambda d: d["u"].sum() * d["M"][:, 0].sum(),
    ),
    (
        "a Piecewise",
        Sum(sympy.Piecewise((u[i], u[i] > 0), (0, True)), (i, 0, n - 1)),
        lambda d: np.maximum(d["u"], 0).sum(),
    ),
    ("every other element", Sum(five[2 * i] * a, (i, 0, 2)), lambda d: d["a"] * d["f"][::2].sum()),
    ("backwards", Sum(u[i] * v[n - 1 - i], (i, 0, n - 1)), lambda d: d["u"] @ d["v"][::-1]),
    (
        "every other element of a symbolic axis",
        Sum(long[2 * i + 1] ** 2, (i, 0, n - 1)),
        lambda d: (d["l"][1::2] ** 2).sum(),
    ),
    (
        "a convolution",
        Sum(Sum(free[j] * u[i + j], (j, 0, 1)) ** 2, (i, 0, n - 2)),
        lambda d: (np.correlate(d["u"], d["w"], "valid") ** 2).sum(),
    ),
    (
        "a convolution of a symbolic kernel",
        Sum(kernel[j] * long[i + j] * v[i], (i, 0, n - 1), (j, 0, n)),
        lambda d: d["v"] @ np.correlate(d["l"], d["kernel"], "valid"),
    ),
    (
        "a difference of indices",
        Sum(long[i - j + n - 1] * u[i] * v[j], (i, 0, n - 1), (j, 0, n - 1)),
        lambda d: sum(d["l"][p - q + 2] * d["u"][p] * d["v"][q] for p in range(3) for q in range(3)),
    ),
    (
        "indices on two axes",
        Sum(G[i + j, j + k] * five[i], (i, 0, 1), (j, 0, 1), (k, 0, 1)),
        lambda d: sum(d["G"][p + q, q + r] * d["f"][p] for p in range(2) for q in range(2) for r in range(2)),
    ),
    ("without a shape, affine", Sum(free[2 * i + j], (i, 0, n - 1), (j, 0, 1)), lambda d: d["w"].sum()),
    (
        "a product over an index",
        sympy.Product(u[i] + a, (i, 0, n - 1)) * b,
        lambda d: np.prod(d["u"] + d["a"]) * d["b"],
    ),
    (
        "a product under a sum",
        Sum(sympy.Product(M[j, i] * a, (i, 0, n - 1)), (j, 0, m - 1)),
        lambda d: np.prod(d["M"] * d["a"], axis=1).sum(),
    ),
    ("a product of one number", sympy.Product(a, (i, 1, n)), lambda d: d["a"] ** 3),
    ("a number as index", u[1] * M[2, 0], lambda d: d["u"][1] * d["M"][2, 0]),
]


@pytest.mark.parametrize(("name", "expr", "expected"), SUMS, ids=[s[0] for s in SUMS])
def test_sums_over_indices_are_contractions(name: str, expr: Any, expected: Any, rng: np.random.Generator) -> None:
    node = sn.from_sympy(expr)
    data = draw(node, rng)
    assert node.shape == ()
    known = [sn.tensor("sizes", sn.dim("m"), sn.dim("n"))]
    data["sizes"] = np.zeros((SIZES[m], SIZES[n]))
    np.testing.assert_allclose(evaluate(node, data, leaves=known), expected(data), rtol=1e-12)


def test_a_convolution_compiles_with_its_gradient(rng: np.random.Generator) -> None:
    loss = sn.from_sympy(Sum(Sum(kernel[j] * long[i + j], (j, 0, n)) ** 2, (i, 0, n - 1)))
    inputs = [sn.tensor("kernel", sn.dim("n") + 1), sn.tensor("l", 2 * sn.dim("n"))]
    data = {"kernel": rng.normal(size=6), "l": rng.normal(size=10)}
    value, (by_kernel, by_signal) = sn.value_and_grad(loss, inputs)(**data)
    valid = np.correlate(data["l"], data["kernel"], "valid")
    assert value == pytest.approx((valid**2).sum())
    np.testing.assert_allclose(by_kernel, 2 * np.correlate(data["l"], valid, "valid"), rtol=1e-12)
    np.testing.assert_allclose(by_signal, 2 * np.convolve(valid, data["kernel"]), rtol=1e-12)


def test_a_product_under_a_sum_is_one_contraction() -> None:
    node = sn.from_sympy(Sum(A[i, j] * x[j, 0] * y[j, 0], (i, 0, m - 1), (j, 0, n - 1)))
    assert sum(isinstance(each, Einsum) and len(each.operands) == 3 for each in topological(node)) == 1


def test_the_gradient_of_a_quadratic_form_from_sympy_reads_as_in_a_book() -> None:
    node = sn.from_sympy(Sum(u[i] * sympy.IndexedBase("Q", (n, n))[i, j] * u[j], (i, 0, n - 1), (j, 0, n - 1)))
    assert str(sn.grad(node, sn.tensor("u", sn.dim("n")))) in ("Q @ u + Q.T @ u", "(Q + Q.T) @ u")


# --------------------------------------------------------------------------- leaves, sharing, nodes inside


def test_leaves_may_be_given_with_assumptions() -> None:
    given = sn.tensor("S", sn.dim("n"), sn.dim("n"), symmetric=True)
    assert leaves(sn.from_sympy(sympy.Trace(S * S), leaves={S: given})) == [given]
    with pytest.raises(ArgumentError, match=r"expected a node of shape \(n, n\); got one of shape \(3,\)"):
        sn.from_sympy(S, leaves={S: sn.tensor("S", 3)})


def test_the_dtype_is_that_of_the_leaves() -> None:
    assert sn.from_sympy(A * x, dtype="float32").dtype == "float32"
    with pytest.raises(DTypeError, match="'complex64'"):
        sn.from_sympy(A, dtype="complex64")


def test_shared_parts_are_converted_once() -> None:
    expr = S
    for _ in range(60):
        expr = sympy.MatAdd(expr, sympy.HadamardProduct(expr, expr, evaluate=False), evaluate=False)
    assert len(topological(sn.from_sympy(expr))) == 121


def test_a_deep_chain_does_not_recurse() -> None:
    expr: Any = a
    for _ in range(400):
        expr = sympy.sin(expr, evaluate=False) + 1
    assert sn.from_sympy(expr).shape == ()


def test_a_node_inside_a_scalar_expression_is_elementwise() -> None:
    X = sn.tensor("X", 2, 3)
    node = sn.from_sympy(sympy.Symbol("c") * X)
    assert node.shape == (2, 3) and sn.from_sympy(X) is X


# --------------------------------------------------------------------------- refusals

REFUSED: list[tuple[Any, str]] = [
    (sympy.exp(x), r"expected scalars; got exp\(x\) \(exp of a matrix\).*applyfunc"),
    (S**a, r"expected integer powers of matrices; got S\*\*a \(exponent a\)"),
    (sympy.hyper((a,), (b,), x), r"got hyper\("),
    (sympy.Integral(a, (a, 0, b)), r"unevaluated Integral\)\. Call \.doit\(\)"),
    (sympy.Derivative(sympy.Function("f")(a), a), r"unevaluated Derivative"),
    (u[i], r"free index i"),
    (Sum(u[i * j], (i, 0, 1), (j, 0, 1)), r"expected numbers or affine indices of sums; got u\[i\*j\] \(index i\*j\)"),
    (Sum(u[i / 2], (i, 0, 1)), r"got u\[i/2\] \(index i/2\)\. Use sums of indices with whole coefficients"),
    (Sum(u[i + j], (i, 0, 1), (j, 0, n - 1)), r"an index from 0 to n on an axis of extent n"),
    (Sum(u[2 * i], (i, 0, n - 1)), r"an index from 0 to 2\*n - 2 on an axis of extent n"),
    (Sum(u[i - 1], (i, 0, n - 1)), r"an index from -1 to n - 2 on an axis of extent n"),
    (sympy.Product(A, (i, 1, 2)), r"Product"),
    (Sum(u[i], (i, 1, n)), r"an index from 1 to n on an axis of extent n"),
    (Sum(u[i], (i, 0, m - 1)), r"an index from 0 to m - 1 on an axis of extent n"),
    (free[0], r"expected a shape of the indexed base"),
    (Sum(free[i], (i, 0, n - 1)) + Sum(free[i], (i, 0, m - 1)), r"expected one shape of an indexed base"),
    (Sum(u[i], (i, 3, 0)), r"expected a range of at least no elements; .*from 3 to 0"),
    (sympy.I * a, r"expected a real number; got I"),
    (MatrixSymbol("2x", 2, 2), r"expected an identifier as the name; got '2x'"),
    (Sum(u[i] * KroneckerDelta(i, k), (i, 0, n - 1)), r"indices of different ranges, or free ones"),
]


@pytest.mark.parametrize(("expr", "message"), REFUSED, ids=lambda v: str(v)[:40])
def test_what_cannot_be_converted_is_named(expr: Any, message: str) -> None:
    with pytest.raises(SymnetError, match=message):
        sn.from_sympy(expr)


@pytest.mark.parametrize(
    "beside", [lambda X: X * S, lambda X: S * X, lambda X: S + X], ids=["node*S", "S*node", "S+node"]
)
def test_a_node_beside_a_matrix_symbol_raises(beside: Callable[[Node], Any]) -> None:
    with pytest.raises(ArgumentError, match=r"got S \(MatrixSymbol\)\. Convert it first, with sn\.from_sympy"):
        beside(sn.tensor("X", 3, 3))


def test_a_node_inside_a_matrix_product_raises() -> None:
    inside = sympy.Basic.__new__(sympy.MatMul, sn.tensor("X", 3, 3), S)
    with pytest.raises(ArgumentError, match="a symnet expression beside a SymPy matrix"):
        sn.from_sympy(inside)
