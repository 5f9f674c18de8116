"""Every class of SymPy's matrix and array expressions: converted, with SymPy's own value, or refused by name."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from typing import Any

import numpy as np
import pytest
import sympy
from sympy import Lambda, MatrixSymbol, Poly, S, Symbol, symbols
from sympy.combinatorics import Permutation
from sympy.matrices import expressions as me
from sympy.matrices.expressions import blockmatrix, companion, factorizations, fourier, permutation, special
from sympy.matrices.expressions.determinant import Permanent
from sympy.matrices.expressions.funcmatrix import FunctionMatrix
from sympy.matrices.expressions.sets import MatrixSet
from sympy.tensor.array import expressions as arrays

import symnet as sn
from symnet.errors import SymnetError
from symnet.expr.nodes.symbols import leaves
from symnet.expr.sympy.matrices import FORMS, REFUSED
from symnet.reference import evaluate

n = Symbol("n", integer=True, positive=True)
p, t = symbols("p t")
i, j = symbols("i j", integer=True)
A, B, x = MatrixSymbol("A", 3, 3), MatrixSymbol("B", 3, 3), MatrixSymbol("x", 3, 1)
F = MatrixSymbol("F", 6, 5)
T, U = arrays.ArraySymbol("T", (2, 3, 3)), arrays.ArraySymbol("U", (3, 4))
turn = Permutation([1, 2, 0])

CONVERTED: dict[str, Any] = {
    "Adjoint": me.Adjoint(A),
    "BlockDiagMatrix": blockmatrix.BlockDiagMatrix(A, B),
    "BlockMatrix": me.BlockMatrix([[A, x], [x.T, sympy.OneMatrix(1, 1)]]),
    "CompanionMatrix": companion.CompanionMatrix(Poly([1, 2, p, 4], t)),
    "Determinant": me.Determinant(A),
    "DiagMatrix": me.DiagMatrix(x),
    "DiagonalMatrix": me.DiagonalMatrix(A),
    "DiagonalOf": me.DiagonalOf(A),
    "DotProduct": me.DotProduct(x, A * x),
    "ElementwiseApplyFunction": A.applyfunc(Lambda(t, sympy.sin(t) + p)),
    "FunctionMatrix": FunctionMatrix(3, 4, Lambda((i, j), i + 2 * j + p)),
    "HadamardPower": me.HadamardPower(A, 3),
    "HadamardProduct": me.HadamardProduct(A, B),
    "Identity": sympy.Identity(3) + A,
    "Inverse": me.Inverse(A),
    "KroneckerProduct": me.KroneckerProduct(A, x),
    "MatAdd": A + 2 * B,
    "MatMul": p * A * B,
    "MatPow": me.MatPow(A, -2),
    "MatrixElement": A[1, 2] * p,
    "MatrixPermute": permutation.MatrixPermute(A, turn) * B,
    "MatrixSlice": F[0:6:2, 1:4],
    "MatrixSymbol": A,
    "OneMatrix": sympy.OneMatrix(3, 3) * A,
    "PermutationMatrix": permutation.PermutationMatrix(turn) * A,
    "Trace": sympy.Trace(A * B),
    "Transpose": me.Transpose(A),
    "ZeroMatrix": me.MatAdd(sympy.ZeroMatrix(3, 3), A, evaluate=False),
}
NUMERIC = (
    r"expected sums, products, inverses and determinants of matrices; got {0}\(A\).*\({0}\)\. Compute it beforehand"
)
FACTORISATIONS = (
    "LofLU", "UofLU", "LofCholesky", "UofCholesky", "QofQR", "RofQR", "EigenValues", "EigenVectors", "UofSVD", "SofSVD",
    "VofSVD",
)  # fmt: skip
REFUSALS: dict[str, tuple[Any, str]] = {
    **{name: (getattr(factorizations, name)(A), NUMERIC.format(name)) for name in FACTORISATIONS},
    "Permanent": (Permanent(A), NUMERIC.format("Permanent")),
    "DFT": (
        fourier.DFT(n) * MatrixSymbol("Y", n, n),
        r"expected real matrices; got DFT\(n\) \(DFT, which is complex\)",
    ),
    "IDFT": (fourier.IDFT(n) * MatrixSymbol("Y", n, n), r"got IDFT\(n\) \(IDFT, which is complex\)"),
    "MatrixSet": (MatrixSet(2, 2, S.Reals), r"got MatrixSet\(2, 2, Reals\) \(MatrixSet\)"),
}
ABSTRACT = {"MatrixExpr", "Factorization"}
WITHOUT_A_SHAPE = {"GenericIdentity": special.GenericIdentity(), "GenericZeroMatrix": special.GenericZeroMatrix()}


def classes() -> set[str]:
    """The names of all classes that SymPy's modules of matrix expressions define."""
    found = set()
    for module in pkgutil.iter_modules(me.__path__):
        members = vars(importlib.import_module(f"{me.__name__}.{module.name}")) if module.name != "tests" else {}
        found |= {
            name
            for name, cls in members.items()
            if inspect.isclass(cls) and issubclass(cls, sympy.Basic) and cls.__module__.startswith(me.__name__)
        }
    return {name for name in found if not name.startswith("_")}


def test_every_class_has_its_line() -> None:
    assert classes() == {*CONVERTED, *REFUSALS, *ABSTRACT, *WITHOUT_A_SHAPE}
    assert not {cls.__name__ for cls in FORMS} & set(REFUSED)


_ELEMENT = sympy.matrices.expressions.matexpr.MatrixElement
_ARRAY_ELEMENT = arrays.ArrayElement


def draw(node: Any, rng: np.random.Generator) -> dict[str, Any]:
    return {leaf.name: rng.normal(size=tuple(map(int, leaf.shape))) for leaf in leaves(node)}


def explicit(expr: Any, data: dict[str, Any]) -> Any:
    """SymPy's own value of every element."""
    written = expr.as_explicit() if hasattr(expr, "as_explicit") else expr
    whole = isinstance(written, sympy.MatrixBase)
    values = {}
    for name, value in data.items():
        for index in np.ndindex(np.shape(value)):
            values[name, index] = sympy.Float(float(value[index]))

    def number(entry: Any) -> float:
        entry = sympy.sympify(entry)
        rule = {
            e: values[str(e.args[0].name), tuple(map(int, e.indices))] for e in entry.atoms(_ELEMENT, _ARRAY_ELEMENT)
        }
        rule |= {s: values[s.name, ()] for s in entry.free_symbols if (getattr(s, "name", None), ()) in values}
        return float(entry.xreplace(rule).doit())

    entries = written if whole or isinstance(written, sympy.NDimArray) else None
    if entries is None:
        matrices = {s: sympy.Matrix(data[s.name]) for s in expr.free_symbols if isinstance(s, MatrixSymbol)}
        return float(expr.subs(matrices).doit().subs({p: data.get("p", 0)}))
    flat = list(entries.flat()) if whole else sympy.flatten(entries.tolist())
    return np.array([number(e) for e in flat]).reshape(tuple(map(int, written.shape)))


@pytest.mark.parametrize("name", CONVERTED)
def test_a_matrix_expression_has_sympys_value(name: str, rng: np.random.Generator) -> None:
    expr = CONVERTED[name]
    node = sn.from_sympy(expr)
    data = draw(node, rng)
    expected = np.array(explicit(expr, data))
    assert node.shape == expected.shape
    np.testing.assert_allclose(evaluate(node, data), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", REFUSALS)
def test_what_has_no_meaning_is_named(name: str) -> None:
    expr, message = REFUSALS[name]
    with pytest.raises(SymnetError, match=message):
        sn.from_sympy(expr)


@pytest.mark.parametrize("name", WITHOUT_A_SHAPE)
def test_what_has_no_shape_is_refused(name: str) -> None:
    with pytest.raises((SymnetError, TypeError)):
        sn.from_sympy(WITHOUT_A_SHAPE[name])


def test_a_matrix_of_a_function_may_have_symbolic_size() -> None:
    x_ = sympy.IndexedBase("x")
    node = sn.from_sympy(FunctionMatrix(n, n, Lambda((i, j), x_[i + j] * p)))
    data = {"x": np.arange(5.0), "p": 2.0, "n": np.zeros(3)}
    hankel = evaluate(node, {k: v for k, v in data.items() if k != "n"})
    np.testing.assert_array_equal(hankel, [[0, 2, 4], [2, 4, 6], [4, 6, 8]])


ARRAYS: dict[str, Any] = {
    "ArraySymbol": T,
    "ArrayElement": T[1, 2, 0] * p,
    "ArrayTensorProduct": arrays.ArrayTensorProduct(U, T),
    "ArrayContraction": arrays.ArrayContraction(arrays.ArrayTensorProduct(T, U), (2, 3)),
    "ArrayContraction, one symbol": arrays.ArrayContraction(T, (1, 2)),
    "ArrayDiagonal": arrays.ArrayDiagonal(arrays.ArrayTensorProduct(T, U), (1, 3)),
    "PermuteDims": arrays.PermuteDims(T, [2, 0, 1]),
    "ArrayAdd": arrays.ArrayAdd(T, arrays.PermuteDims(T, [0, 2, 1])),
    "ArrayElementwiseApplyFunc": arrays.ArrayElementwiseApplyFunc(Lambda(t, t**2 + 1), U),
    "Reshape": arrays.Reshape(U, (2, 6)),
    "OneArray": arrays.ArrayAdd(arrays.OneArray(3, 4), U),
    "ZeroArray": arrays.ArrayTensorProduct(arrays.ZeroArray(2), arrays.OneArray(2)),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_expression_has_sympys_value(name: str, rng: np.random.Generator) -> None:
    expr = ARRAYS[name]
    node = sn.from_sympy(expr)
    data = draw(node, rng)
    value = evaluate(node, data)
    if name == "ArrayElement":
        expected = data["T"][1, 2, 0] * data["p"]
    else:
        expected = explicit(expr, data)
    assert node.shape == np.shape(expected)
    np.testing.assert_allclose(value, expected, rtol=1e-12)


def test_every_array_class_has_its_line() -> None:
    names = {k for k, v in vars(arrays).items() if inspect.isclass(v)}
    assert names == {name.split(",")[0] for name in ARRAYS}
