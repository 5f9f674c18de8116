"""SymPy at the door: scalars, matrix algebra, explicit matrices and contractions become graphs, with SymPy's meaning.

In: a SymPy expression.  Out: a node.  There `*` of matrices is a matrix product; vectors of shape (n, 1) stay columns;
symbols in shapes and in the limits of sums become dims of the same name.
`sympy_scalars.py` holds the scalar functions, `indexed_sums.py` sums over indices.  Linear in the distinct parts.
Not handled: symbolic powers of matrices, functions of matrices other than elementwise ones, integrals, unevaluated
derivatives.  The error names the part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import sympy
from sympy import Basic, Symbol
from sympy.matrices import expressions as matrices
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction
from sympy.matrices.expressions.matexpr import MatrixElement

from symnet import dtypes
from symnet.errors import ArgumentError, SymnetError, explain
from symnet.expr import indexed_sums
from symnet.expr.constants import Number, as_node, identity, number_of
from symnet.expr.contraction import contract, matmul, trace, transpose
from symnet.expr.elementwise import elementwise
from symnet.expr.extents import as_extent, dim, same_shape
from symnet.expr.indexed_sums import Labelled, Range, broadcast, product_of, sum_over
from symnet.expr.linalg import det, inv, matrix_power
from symnet.expr.movement import concat, fill, reshape
from symnet.expr.movement import stack as stacked
from symnet.expr.node import Node, Shape
from symnet.expr.symbols import check_leaves, tensor
from symnet.expr.sympy_scalars import atom_of, builder, from_scalar

Ranges = tuple[Range, ...]
LARGEST_SHOWN = 200  # parts of an expression that an error still writes out: SymPy's printing is exponential
Value = Any  # a Node, a Labelled inside a sum, or what BUILD passes between its entries (a pair of a Piecewise)


def from_sympy(expr: Any, *, dtype: Any = dtypes.DEFAULT_REAL, leaves: Mapping[Any, Any] | None = None) -> Node:
    """The node of a SymPy expression, with SymPy's meaning.

    Takes scalars; `MatrixSymbol` algebra with concrete or symbolic sizes: sums, products, integer powers, transpose,
    inverse, determinant, trace, Hadamard products and powers, `applyfunc`, Kronecker products, blocks, slices and
    elements; `OneMatrix`, `ZeroMatrix`, `Identity`, diagonal matrices; explicit matrices and arrays; and `Sum` over
    elements and `Indexed`, whose products become contractions.

    Args:
        expr: a SymPy expression or matrix.
        dtype: of the leaves that matrix symbols and indexed bases become.
        leaves: what stands for symbols, matrix symbols and indexed bases: nodes of the same shape, where the leaf of
            that name will not do (assumptions, dtypes).

    Returns:
        a node; matrices have rank 2, and so have columns (n, 1) and rows (1, n).

    Raises:
        ArgumentError: naming the part that has no meaning here, and why.

    Example:
        >>> import sympy, symnet as sn
        >>> n = sympy.Symbol("n")
        >>> A, x = sympy.MatrixSymbol("A", n, n), sympy.MatrixSymbol("x", n, 1)
        >>> sn.from_sympy(sympy.Trace(A.T * A) + 1)
        trace(A.T @ A) + 1
        >>> sn.from_sympy(A * x).shape
        (n, 1)
    """
    if isinstance(expr, Node):
        return expr
    if not isinstance(expr, Basic):
        expr = sympy.sympify(expr) if not isinstance(expr, sympy.MatrixBase) else expr.as_immutable()
    node = Converter(expr, dtypes.check(dtype, "from_sympy(…, dtype)"), leaves or {}).converted()
    check_leaves("from_sympy(…)", [node])
    return node


def described(part: Any) -> str:
    """A part as an error writes it."""
    stack, count = [part], 0
    while stack and count <= LARGEST_SHOWN:
        inner = stack.pop()
        stack.extend(getattr(inner, "args", ()))
        count += LARGEST_SHOWN if isinstance(inner, Node) else 1
    return str(part) if count <= LARGEST_SHOWN else f"{type(part).__name__}(…)"


class Form(NamedTuple):
    """How a SymPy class is converted: the parts it is made of, and what they make."""

    parts: Callable[[Any], Sequence[Any]]
    build: Callable[..., Any]  # (converter, part, ranges, *values)


class Converter:
    """One conversion: remembers what every part became, for each set of ranges it stands under."""

    def __init__(self, expr: Basic, dtype: str, leaves: Mapping[Any, Any]) -> None:
        self.expr, self.dtype = expr, dtype
        self.names = {str(s): dim(str(s)) for s in _extent_symbols(expr)}
        self.given = {sympy.sympify(k): as_node(v) for k, v in leaves.items()}
        self.bases: dict[Any, Node] = {}
        self.known: dict[Ranges, dict[Basic, Value]] = {}

    def converted(self) -> Node:
        value = self.convert(self.expr, ())
        assert isinstance(value, Node), value
        return value

    def convert(self, expr: Basic, ranges: Ranges) -> Value:
        built = self.known.setdefault(ranges, {})
        stack: list[tuple[Basic, bool]] = [(expr, False)]
        while stack:
            part, ready = stack.pop()
            if part in built and not ready:
                continue
            atom = None if ready else self.atom(part, ranges)
            if atom is not None:
                built[part] = atom
                continue
            form = self.form(part)
            parts = form.parts(part)
            if ready or not parts:
                built[part] = self.built(form, part, ranges, [built[p] for p in parts])
            else:
                stack.append((part, True))
                stack.extend((p, False) for p in reversed(parts))
        return built[expr]

    def built(self, form: Form, part: Basic, ranges: Ranges, values: list[Value]) -> Value:
        try:
            return form.build(self, part, ranges, *values)
        except SymnetError as error:
            if str(error).startswith("from_sympy"):
                raise
            raise type(error)(f"from_sympy({described(part)}): {error}") from error

    def form(self, part: Basic) -> Form:
        for cls in type(part).__mro__:
            if cls in FORMS:
                return FORMS[cls]
        if builder(part) is not None:
            return Form(lambda p: p.args, Converter.scalar)
        return Form(lambda p: (), _REFUSED.get(type(part).__name__, _unknown))

    def refuse(self, part: Any, expected: str, why: str, mend: str) -> ArgumentError:
        got = f"{described(part)} ({why})"
        return ArgumentError(explain(f"from_sympy({described(self.expr)})", expected, got, mend))

    # ---- parts

    def atom(self, part: Basic, ranges: Ranges) -> Any:
        if part in self.given:
            return self.given_leaf(part)
        found = next((r for r in ranges if r.index == part), None)
        if found is not None:
            return found.as_scalar()
        if any(cls in FORMS for cls in type(part).__mro__) or (part.args and builder(part) is not None):
            return None
        if isinstance(part, Symbol) and part.name in self.names:
            return atom_of(self.names[part.name], {})
        return atom_of(part, {})

    def given_leaf(self, part: Any) -> Node:
        node, shape = self.given[part], getattr(part, "shape", None)
        if shape is not None and not same_shape(node.shape, self.shape(shape)):
            got = f"one of shape {node.shape}"
            mend = "Declare the tensor with that shape."
            raise ArgumentError(explain(f"from_sympy(…, leaves={{{part}: …}})", f"a node of shape {shape}", got, mend))
        return node

    def extent(self, value: Any) -> Any:
        value = sympy.sympify(value)
        value = value.xreplace({s: self.names.get(str(s), s) for s in value.free_symbols})
        return as_extent(value, "from_sympy(…)")

    def shape(self, shape: Iterable[Any]) -> Shape:
        return tuple(map(self.extent, shape))

    def leaf(self, name: str, shape: Shape) -> Node:
        return tensor(name, *shape, dtype=self.dtype)

    def scalar(self, part: Basic, ranges: Ranges, *values: Value) -> Value:
        """A scalar function of scalars; inside a sum, of arrays along its indices."""
        if any(getattr(a, "is_Matrix", False) for a in part.args):
            name = type(part).__name__
            if name in ("Add", "Mul") and not any(isinstance(a, Node) for a in part.args):
                return FORMS[{"Add": matrices.MatAdd, "Mul": matrices.MatMul}[name]].build(self, part, ranges, *values)
            raise self.refuse(part, *_beside_matrix(part))
        if not any(isinstance(v, Labelled) or (isinstance(v, tuple) and _labelled(v)) for v in values):
            return combine(part, values)
        if isinstance(part, sympy.Mul):
            return product_of(values)
        return broadcast(build_of(part), values, ranges)

    def plain(self, part: Basic, value: Value) -> Node:
        """A value that depends on no index of a sum."""
        if isinstance(value, Node):
            return value
        mend = "Write its elements, as X[i, j]."
        raise self.refuse(part, "matrices that do not depend on the index of a sum", "it does", mend)


def combine(part: Any, values: Sequence[Any]) -> Any:
    """The node of a scalar part whose own parts are `values`; constants stay one number."""
    if isinstance(part, sympy.Expr) and all(isinstance(v, Number) for v in values):
        constant = atom_of(part, {})
        if constant is not None:
            return constant
    return build_of(part)(*values)


def build_of(part: Any) -> Callable[..., Any]:
    """What makes the node of a part that has a form."""
    build = builder(part)
    assert build is not None, part
    return build


def _labelled(pair: tuple[Any, ...]) -> bool:
    return any(isinstance(v, Labelled) for v in pair)


def _beside_matrix(part: Basic) -> tuple[str, str, str]:
    if any(isinstance(a, Node) for a in part.args):
        mend = "Convert the matrix first with sn.from_sympy, then write * or @ as you mean it."
        return "SymPy parts beside a matrix", "a symnet expression beside a SymPy matrix", mend
    mend = "For the elementwise function write X.applyfunc(f)."
    return "scalars", f"{type(part).__name__} of a matrix", mend


def _extent_symbols(expr: Basic) -> set[Symbol]:
    """The symbols in shapes and in limits of sums."""
    found: set[Symbol] = set()
    seen: set[Basic] = set()
    stack: list[Any] = [expr]
    while stack:
        part = stack.pop()
        if part in seen or isinstance(part, Node) or not isinstance(part, Basic):
            continue
        seen.add(part)
        limits = [bound for limit in getattr(part, "limits", ()) for bound in limit[1:]]
        shape = part.shape if isinstance(part, (sympy.MatrixExpr, sympy.IndexedBase)) else ()
        for extent in (*limits, *(shape or ())):
            found |= getattr(sympy.sympify(extent), "free_symbols", set())
        stack.extend(part.args)
    return {s for s in found if isinstance(s, Symbol)}


# --------------------------------------------------------------------------- matrices


def _matrix_product(c: Converter, part: Any, ranges: Ranges, *values: Value) -> Node:
    """The matrices from left to right, scalars in front."""
    _no_nodes(c, part)
    factors = [c.plain(a, v) for a, v in zip(part.args, values, strict=True)]
    arrays = [f for f in factors if f.rank]
    result = arrays[0]
    for right in arrays[1:]:
        result = matmul(result, right)
    numbers = [f for f in factors if not f.rank]
    return elementwise("mul", *numbers, result) if numbers else result


def _no_nodes(c: Converter, part: Any) -> None:
    if any(isinstance(a, Node) for a in part.args):
        raise c.refuse(part, *_beside_matrix(part))


def _elementwise(op: str) -> Callable[..., Node]:
    def build(c: Converter, part: Any, ranges: Ranges, *values: Value) -> Node:
        _no_nodes(c, part)
        return elementwise(op, *(c.plain(a, v) for a, v in zip(part.args, values, strict=True)))

    return build


def _matrix_power(c: Converter, part: Any, ranges: Ranges, base: Value) -> Node:
    exponent = part.exp
    if not exponent.is_Integer:
        raise c.refuse(part, "integer powers of matrices", f"exponent {exponent}", "Give the exponent as an integer.")
    return matrix_power(base, int(exponent))


def _applied(c: Converter, part: Any, ranges: Ranges, x: Value) -> Node:
    (variable,) = part.function.variables
    body = part.function.expr
    rule = {s: c.atom(s, ()) for s in body.free_symbols if isinstance(s, Symbol) and s.name in c.names}
    return from_scalar(body, {**c.given, **rule, variable: x})


def _diagonal_matrix(c: Converter, part: Any, ranges: Ranges, x: Node) -> Node:
    """A column (or row) on the diagonal."""
    n = c.extent(part.shape[0])
    vector = contract([[0, 1]], [0 if x.shape[1] == 1 else 1], x)
    return contract([[0], [0, 1]], [0, 1], vector, identity(n))


def _diagonal_of(c: Converter, part: Any, ranges: Ranges, x: Node) -> Node:
    diagonal = contract([[0, 0]], [0], x)
    return reshape(diagonal, diagonal.shape[0], 1)


def _kronecker(c: Converter, part: Any, ranges: Ranges, *values: Node) -> Node:
    result = values[0]
    for right in values[1:]:
        shape = tuple(a * b for a, b in zip(result.shape, right.shape, strict=True))
        result = reshape(contract([[0, 1], [2, 3]], [0, 2, 1, 3], result, right), *shape)
    return result


def _blocks(c: Converter, part: Any, ranges: Ranges, *values: Node) -> Node:
    width = part.blockshape[1]
    rows = [concat(values[k : k + width], axis=1) for k in range(0, len(values), width)]
    return concat(rows, axis=0)


def _slice(c: Converter, part: Any, ranges: Ranges, x: Node) -> Node:
    def along(bounds: Any) -> slice:
        begin, end, step = (int(b) if b.is_Integer else c.extent(b) for b in map(sympy.sympify, bounds))
        return slice(begin, end, step)

    return x[along(part.rowslice), along(part.colslice)]


def _explicit(c: Converter, part: Any, ranges: Ranges, *values: Value) -> Node:
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
    return part.args  # type: ignore[no-any-return]


def _first(part: Any) -> Sequence[Any]:
    return part.args[:1]  # type: ignore[no-any-return]


def _none(part: Any) -> Sequence[Any]:
    return ()


def _unary(function: Callable[[Node], Node]) -> Form:
    return Form(_first, lambda c, part, ranges, x: function(c.plain(part.args[0], x)))


def _fill(value: int) -> Form:
    return Form(_none, lambda c, part, ranges: fill(value, c.shape(part.shape)))


FORMS: dict[type, Form] = {
    sympy.MatrixSymbol: Form(_none, lambda c, part, ranges: c.leaf(part.name, c.shape(part.shape))),
    matrices.MatAdd: Form(_args, _elementwise("add")),
    matrices.MatMul: Form(_args, _matrix_product),
    matrices.MatPow: Form(_first, _matrix_power),
    matrices.Inverse: Form(_first, lambda c, part, ranges, x: inv(x)),
    matrices.Determinant: Form(_first, lambda c, part, ranges, x: det(x)),
    matrices.Transpose: _unary(transpose),
    matrices.Adjoint: _unary(transpose),
    matrices.Trace: _unary(trace),
    matrices.HadamardProduct: Form(_args, _elementwise("mul")),
    matrices.HadamardPower: Form(_args, _elementwise("pow")),
    ElementwiseApplyFunction: Form(lambda part: (part.expr,), _applied),
    matrices.KroneckerProduct: Form(_args, _kronecker),
    matrices.DotProduct: Form(_args, lambda c, part, ranges, x, y: (reshape(x, -1) * reshape(y, -1)).sum()),
    matrices.DiagMatrix: Form(_first, _diagonal_matrix),
    matrices.DiagonalMatrix: Form(_first, lambda c, part, ranges, x: x * identity(c.extent(part.shape[0]))),
    matrices.DiagonalOf: Form(_first, _diagonal_of),
    matrices.BlockMatrix: Form(lambda part: _block_list(part), _blocks),
    matrices.MatrixSlice: Form(_first, _slice),
    sympy.OneMatrix: _fill(1),
    sympy.ZeroMatrix: _fill(0),
    sympy.Identity: Form(_none, lambda c, part, ranges: identity(c.extent(part.shape[0]))),
    sympy.MatrixBase: Form(_entries, _explicit),
    sympy.NDimArray: Form(_entries, _explicit),
    MatrixElement: Form(_first, lambda c, part, ranges, x: indexed_sums.element(c, part, x, part.args[1:], ranges)),
    sympy.Indexed: Form(_none, lambda c, part, ranges: indexed_sums.indexed(c, part, ranges)),
    sympy.KroneckerDelta: Form(_none, lambda c, part, ranges: indexed_sums.kronecker_delta(c, part, ranges)),
    sympy.Sum: Form(_none, lambda c, part, ranges: sum_over(c, part, ranges)),
}


def _block_list(part: Any) -> list[Any]:
    rows, columns = part.blockshape
    return [part.blocks[i, j] for i in range(rows) for j in range(columns)]


def _unevaluated(c: Converter, part: Any, ranges: Ranges) -> Node:
    raise c.refuse(part, "an evaluated expression", f"unevaluated {type(part).__name__}", "Call .doit() on it first.")


def _unknown(c: Converter, part: Any, ranges: Ranges) -> Node:
    expected = "SymPy scalars with a primitive, matrices, explicit matrices and sums"
    mend = "Rewrite that part, as in expr.rewrite(sympy.exp), or evaluate it with .doit()."
    raise c.refuse(part, expected, type(part).__name__, mend)


_REFUSED = dict.fromkeys(("Derivative", "Integral", "Limit", "Product", "Subs"), _unevaluated)
