"""SymPy at the door: scalars, matrix algebra, explicit matrices and contractions become graphs, with SymPy's meaning.

In: a SymPy expression.  Out: a node.  There `*` of matrices is a matrix product; vectors of shape (n, 1) stay columns;
symbols in shapes and in the limits of sums become dims of the same name.
`scalars.py` holds the scalar functions, `matrices.py` the forms of matrices, `indexed_sums.py` sums over
indices, `array_expressions.py` symbolic arrays; what they ask of the conversion, `conversion.py` says.  Linear in the
distinct parts.
Not handled: symbolic powers of matrices, functions of matrices other than elementwise ones, factorisations, complex
numbers, integrals, unevaluated derivatives.  The error names the part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import sympy
from sympy import Basic, Symbol
from sympy.matrices import expressions as matrices
from sympy.tensor.array import expressions as arrays

from symnet import dtypes
from symnet.errors import ArgumentError, SymnetError, explain
from symnet.expr.nodes.constants import Number, as_node
from symnet.expr.nodes.extents import as_extent, dim, same_shape
from symnet.expr.nodes.node import Node, Shape
from symnet.expr.nodes.symbols import SymbolNames, check_leaves, tensor
from symnet.expr.sympy.conversion import Conversion, Converted, Ranges
from symnet.expr.sympy.labelled import Labelled, broadcast, product_of
from symnet.expr.sympy.matrices import FORMS, REFUSED, ConversionForm, beside_matrix, unknown
from symnet.expr.sympy.scalars import atom_of, builder

_WITH_SHAPE = (sympy.MatrixExpr, sympy.IndexedBase, arrays.ArraySymbol, arrays.OneArray, arrays.ZeroArray)
LARGEST_SHOWN = 200  # parts of an expression that an error still writes out: SymPy's printing is exponential


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
    expr = sympified(f"from_sympy({'…' if isinstance(expr, Basic) else repr(expr)})", expr)
    node = Converter(expr, dtypes.check(dtype, "from_sympy(…, dtype)"), leaves or {}).converted()
    check_leaves("from_sympy(…)", [node])
    return node


def sympified(call: str, given: Any) -> Basic:
    """A SymPy expression of what the caller gave.

    Raises:
        ArgumentError: something that SymPy does not take, or a function without its arguments.
    """
    mend = "Give an expression, a number, or a matrix of them."
    try:
        expr = given.as_immutable() if isinstance(given, sympy.MatrixBase) else sympy.sympify(given)
    except (sympy.SympifyError, TypeError, AttributeError) as error:
        raise ArgumentError(explain(call, "a SymPy expression", repr(given), mend)) from error
    if isinstance(expr, sympy.NDimArray) and not all(isinstance(e, Basic) for e in expr):
        got = f"one with {next(e for e in expr if not isinstance(e, Basic))!r} among its elements"
        raise ArgumentError(explain(call, "a SymPy expression", got, mend))
    if not isinstance(expr, Basic):
        raise ArgumentError(explain(call, "a SymPy expression", type(given).__name__, mend))
    if isinstance(expr, sympy.Lambda):
        mend = "Apply it to its arguments, or use sn.apply(function, x)."
        raise ArgumentError(explain(call, "a SymPy expression", f"the function {expr}", mend))
    return expr


def described(part: Any) -> str:
    """A part as an error writes it."""
    stack, count = [part], 0
    while stack and count <= LARGEST_SHOWN:
        inner = stack.pop()
        stack.extend(getattr(inner, "args", ()))
        count += LARGEST_SHOWN if isinstance(inner, Node) else 1
    return str(part) if count <= LARGEST_SHOWN else f"{type(part).__name__}(…)"


class Converter(Conversion):
    """One conversion: remembers what every part became, for each set of ranges it stands under."""

    def __init__(self, expr: Basic, dtype: str, leaves: Mapping[Any, Any]) -> None:
        self.expr, self.dtype = expr, dtype
        self.names = {str(s): dim(str(s)) for s in _extent_symbols(expr)}
        self.given = {sympy.sympify(k): as_node(v) for k, v in leaves.items()}
        self.leaves = SymbolNames(expr)
        self.bases: dict[Any, Node] = {}
        self.known: dict[Ranges, dict[Basic, Converted]] = {}

    def converted(self) -> Node:
        value = self.convert(self.expr, ())
        if not isinstance(value, Node):  # a truth value, which no part of an expression has to be
            call, mend = f"from_sympy({described(self.expr)})", "Write 1 or 0, or the condition itself: x > 0."
            raise ArgumentError(explain(call, "an expression with values", f"the constant {value}", mend))
        return value

    def convert(self, expr: Basic, ranges: Ranges) -> Converted:
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

    def built(self, form: ConversionForm, part: Basic, ranges: Ranges, values: list[Converted]) -> Converted:
        try:
            return form.build(self, part, ranges, *values)
        except SymnetError as error:
            if str(error).startswith("from_sympy"):
                raise
            raise type(error)(f"from_sympy({described(part)}): {error}") from error

    def form(self, part: Basic) -> ConversionForm:
        for cls in type(part).__mro__:
            if cls in FORMS:
                return FORMS[cls]
        if builder(part) is not None:
            return ConversionForm(lambda p: p.args, Converter.scalar)
        return ConversionForm(lambda p: (), REFUSED.get(type(part).__name__, unknown))

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
        return atom_of(part, {}, names=self.leaves)

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

    def scalar(self, part: Basic, ranges: Ranges, *values: Converted) -> Converted:
        """A scalar function of scalars; inside a sum, of arrays along its indices."""
        if any(getattr(a, "is_Matrix", False) for a in part.args):
            name = type(part).__name__
            if name in ("Add", "Mul") and not any(isinstance(a, Node) for a in part.args):
                return FORMS[{"Add": matrices.MatAdd, "Mul": matrices.MatMul}[name]].build(self, part, ranges, *values)
            raise self.refuse(part, *beside_matrix(part))
        if not any(isinstance(v, Labelled) or (isinstance(v, tuple) and _labelled(v)) for v in values):
            return combine(part, values)
        if isinstance(part, sympy.Mul):
            return product_of(values)
        return broadcast(build_of(part), values, ranges)

    def plain(self, part: Basic, value: Converted) -> Node:
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
        shape = part.shape if isinstance(part, _WITH_SHAPE) else ()
        for extent in (*limits, *(shape or ())):
            found |= getattr(sympy.sympify(extent), "free_symbols", set())
        stack.extend(part.args)
    return {s for s in found if isinstance(s, Symbol)}
