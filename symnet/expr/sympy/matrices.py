"""SymPy's matrices, part by part: what each class of `sympy.matrices.expressions` becomes.

In: a part and the nodes of its own parts.  Out: a node.  `FORMS` has a line for every class that is converted,
`REFUSED` for those that have no meaning here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import sympy
from sympy import Basic, Symbol
from sympy.matrices import expressions as matrices
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction
from sympy.matrices.expressions.companion import CompanionMatrix
from sympy.matrices.expressions.funcmatrix import FunctionMatrix
from sympy.matrices.expressions.matexpr import MatrixElement
from sympy.matrices.expressions.permutation import MatrixPermute, PermutationMatrix
from sympy.tensor.array.expressions import ArrayElementwiseApplyFunc

from symnet.expr.nodes.constants import identity, number_of
from symnet.expr.nodes.contraction import contract, matmul, trace, transpose
from symnet.expr.nodes.elementwise import elementwise
from symnet.expr.nodes.expansion import fill
from symnet.expr.nodes.linalg import det, inv, matrix_power
from symnet.expr.nodes.movement import concat, reshape
from symnet.expr.nodes.movement import stack as stacked
from symnet.expr.nodes.node import Node
from symnet.expr.sympy import indexed_sums
from symnet.expr.sympy.array_expressions import ARRAYS
from symnet.expr.sympy.conversion import Build, Conversion, Converted, Ranges
from symnet.expr.sympy.indexed_sums import function_matrix, product_over, sum_over
from symnet.expr.sympy.scalars import from_scalar
from symnet.expr.sympy.table import remedy


class ConversionForm(NamedTuple):
    """How a SymPy class is converted: the parts it is made of, and what they make."""

    parts: Callable[[Any], Sequence[Any]]
    build: Callable[..., Any]  # (conversion, part, ranges, *values)


def beside_matrix(part: Basic) -> tuple[str, str, str]:
    if any(isinstance(a, Node) for a in part.args):
        mend = "Convert the matrix first with sn.from_sympy, then write * or @ as you mean it."
        return "SymPy parts beside a matrix", "a symnet expression beside a SymPy matrix", mend
    mend = "For the elementwise function write X.applyfunc(f)."
    return "scalars", f"{type(part).__name__} of a matrix", mend


def _matrix_product(c: Conversion, part: Any, ranges: Ranges, *values: Converted) -> Node:
    """The matrices from left to right, scalars in front."""
    _no_nodes(c, part)
    factors = [c.plain(a, v) for a, v in zip(part.args, values, strict=True)]
    arrays = [f for f in factors if f.rank]
    result = arrays[0]
    for right in arrays[1:]:
        result = matmul(result, right)
    numbers = [f for f in factors if not f.rank]
    return elementwise("mul", *numbers, result) if numbers else result


def _no_nodes(c: Conversion, part: Any) -> None:
    if any(isinstance(a, Node) for a in part.args):
        raise c.refuse(part, *beside_matrix(part))


def _elementwise(op: str) -> Callable[..., Node]:
    def build(c: Conversion, part: Any, ranges: Ranges, *values: Converted) -> Node:
        _no_nodes(c, part)
        return elementwise(op, *(c.plain(a, v) for a, v in zip(part.args, values, strict=True)))

    return build


def _matrix_power(c: Conversion, part: Any, ranges: Ranges, base: Converted) -> Node:
    exponent = part.exp
    if not exponent.is_Integer:
        raise c.refuse(part, "integer powers of matrices", f"exponent {exponent}", "Give the exponent as an integer.")
    return matrix_power(base, int(exponent))


def _applied(c: Conversion, part: Any, ranges: Ranges, x: Converted) -> Node:
    (variable,) = part.function.variables
    body = part.function.expr
    rule = {s: c.atom(s, ()) for s in body.free_symbols if isinstance(s, Symbol) and s.name in c.names}
    return from_scalar(body, {**c.given, **rule, variable: x})


def _diagonal_matrix(c: Conversion, part: Any, ranges: Ranges, x: Node) -> Node:
    """A column (or row) on the diagonal."""
    n = c.extent(part.shape[0])
    vector = contract([[0, 1]], [0 if x.shape[1] == 1 else 1], x)
    return contract([[0], [0, 1]], [0, 1], vector, identity(n))


def _diagonal_of(c: Conversion, part: Any, ranges: Ranges, x: Node) -> Node:
    diagonal = contract([[0, 0]], [0], x)
    return reshape(diagonal, diagonal.shape[0], 1)


def _kronecker(c: Conversion, part: Any, ranges: Ranges, *values: Node) -> Node:
    result = values[0]
    for right in values[1:]:
        shape = tuple(a * b for a, b in zip(result.shape, right.shape, strict=True))
        result = reshape(contract([[0, 1], [2, 3]], [0, 2, 1, 3], result, right), *shape)
    return result


def _blocks(c: Conversion, part: Any, ranges: Ranges, *values: Node) -> Node:
    width = part.blockshape[1]
    rows = [concat(values[k : k + width], axis=1) for k in range(0, len(values), width)]
    return concat(rows, axis=0)


def _slice(c: Conversion, part: Any, ranges: Ranges, x: Node) -> Node:
    def along(bounds: Any) -> slice:
        begin, end, step = (int(b) if b.is_Integer else c.extent(b) for b in map(sympy.sympify, bounds))
        return slice(begin, end, step)

    return x[along(part.rowslice), along(part.colslice)]


def _explicit(c: Conversion, part: Any, ranges: Ranges, *values: Converted) -> Node:
    """The entries, stacked; a matrix of one number is a fill, an identity matrix is δ."""
    entries = [c.plain(p, v) for p, v in zip(_entries(part), values, strict=True)]
    shape = tuple(map(int, part.shape))
    if not entries or (len(set(entries)) == 1 and number_of(entries[0]) is not None):
        return fill(entries[0] if entries else 0, shape)
    if len(shape) == 2 and shape[0] == shape[1] and part == sympy.eye(shape[0]):
        return identity(shape[0])
    for width in reversed(shape):
        entries = [stacked(entries[k : k + width]) for k in range(0, len(entries), width)]
    return entries[0]


def _entries(part: Any) -> list[Any]:
    return list(part.flat()) if isinstance(part, sympy.MatrixBase) else list(sympy.flatten(part.tolist()))


def _args(part: Any) -> Sequence[Any]:
    return part.args


def _first(part: Any) -> Sequence[Any]:
    return part.args[:1]


def _none(part: Any) -> Sequence[Any]:
    return ()


def _unary(function: Callable[[Node], Node]) -> ConversionForm:
    return ConversionForm(_first, lambda c, part, ranges, x: function(c.plain(part.args[0], x)))


def _fill(value: int) -> ConversionForm:
    return ConversionForm(_none, lambda c, part, ranges: fill(value, c.shape(part.shape)))


_WRITTEN_OUT = ConversionForm(lambda part: (part.as_explicit(),), lambda c, part, ranges, x: c.plain(part, x))

FORMS: dict[type, ConversionForm] = {
    sympy.MatrixSymbol: ConversionForm(_none, lambda c, part, ranges: c.leaf(part.name, c.shape(part.shape))),
    matrices.MatAdd: ConversionForm(_args, _elementwise("add")),
    matrices.MatMul: ConversionForm(_args, _matrix_product),
    matrices.MatPow: ConversionForm(_first, _matrix_power),
    matrices.Inverse: ConversionForm(_first, lambda c, part, ranges, x: inv(x)),
    matrices.Determinant: ConversionForm(_first, lambda c, part, ranges, x: det(x)),
    matrices.Transpose: _unary(transpose),
    matrices.Adjoint: _unary(transpose),
    matrices.Trace: _unary(trace),
    matrices.HadamardProduct: ConversionForm(_args, _elementwise("mul")),
    matrices.HadamardPower: ConversionForm(_args, _elementwise("pow")),
    ElementwiseApplyFunction: ConversionForm(lambda part: (part.expr,), _applied),
    matrices.KroneckerProduct: ConversionForm(_args, _kronecker),
    matrices.DotProduct: ConversionForm(_args, lambda c, part, ranges, x, y: (reshape(x, -1) * reshape(y, -1)).sum()),
    matrices.DiagMatrix: ConversionForm(_first, _diagonal_matrix),
    matrices.DiagonalMatrix: ConversionForm(_first, lambda c, part, ranges, x: x * identity(c.extent(part.shape[0]))),
    matrices.DiagonalOf: ConversionForm(_first, _diagonal_of),
    matrices.BlockMatrix: ConversionForm(lambda part: _block_list(part), _blocks),
    matrices.MatrixSlice: ConversionForm(_first, _slice),
    sympy.OneMatrix: _fill(1),
    sympy.ZeroMatrix: _fill(0),
    sympy.Identity: ConversionForm(_none, lambda c, part, ranges: identity(c.extent(part.shape[0]))),
    sympy.MatrixBase: ConversionForm(_entries, _explicit),
    sympy.NDimArray: ConversionForm(_entries, _explicit),
    MatrixElement: ConversionForm(
        _first, lambda c, part, ranges, x: indexed_sums.element(c, part, x, part.args[1:], ranges)
    ),
    sympy.Indexed: ConversionForm(_none, lambda c, part, ranges: indexed_sums.indexed(c, part, ranges)),
    sympy.KroneckerDelta: ConversionForm(_none, lambda c, part, ranges: indexed_sums.kronecker_delta(c, part, ranges)),
    sympy.Sum: ConversionForm(_none, lambda c, part, ranges: sum_over(c, part, ranges)),
    sympy.Product: ConversionForm(_none, lambda c, part, ranges: product_over(c, part, ranges)),
    FunctionMatrix: ConversionForm(_none, lambda c, part, ranges: function_matrix(c, part, ranges)),
    **dict.fromkeys((PermutationMatrix, MatrixPermute, CompanionMatrix), _WRITTEN_OUT),
    **{cls: ConversionForm(*pair) for cls, pair in ARRAYS.items()},
    ArrayElementwiseApplyFunc: ConversionForm(lambda part: (part.expr,), _applied),
}


def _block_list(part: Any) -> list[Any]:
    rows, columns = part.blockshape
    return [part.blocks[i, j] for i in range(rows) for j in range(columns)]


def _unevaluated(c: Conversion, part: Any, ranges: Ranges) -> Node:
    raise c.refuse(part, "an evaluated expression", f"unevaluated {type(part).__name__}", "Call .doit() on it first.")


def unknown(c: Conversion, part: Any, ranges: Ranges) -> Node:
    expected = "SymPy scalars with a primitive, matrices, explicit matrices and sums"
    raise c.refuse(part, expected, type(part).__name__, remedy(part))


def _numeric(c: Conversion, part: Any, ranges: Ranges) -> Node:
    mend = "Compute it beforehand, and give it as a leaf: from_sympy(…, leaves={…})."
    raise c.refuse(part, "sums, products, inverses and determinants of matrices", f"{type(part).__name__}", mend)


def _complex(c: Conversion, part: Any, ranges: Ranges) -> Node:
    mend = "Write real and imaginary parts as two matrices."
    raise c.refuse(part, "real matrices", f"{type(part).__name__}, which is complex", mend)


_FACTORISATIONS = ("LofLU", "UofLU", "LofCholesky", "UofCholesky", "QofQR", "RofQR", "UofSVD", "SofSVD", "VofSVD")

REFUSED: dict[str, Build] = {
    **dict.fromkeys(("Derivative", "Integral", "Limit", "Subs"), _unevaluated),
    **dict.fromkeys((*_FACTORISATIONS, "EigenValues", "EigenVectors", "Permanent"), _numeric),
    **dict.fromkeys(("DFT", "IDFT"), _complex),
}
