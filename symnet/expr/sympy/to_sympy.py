"""Back to SymPy: the values of a graph over concrete shapes, element by element.

In: a node whose extents are numbers.  Out: a SymPy scalar, or an array of them.  Leaves of rank 0 become symbols of
their names; an array's elements become symbols x_0, x_1, … (x_0_1 in a matrix), with the leaf's assumptions.
For solving and for looking at small systems: an array of a thousand elements becomes a thousand expressions.
Not handled: symbolic extents, integer indices, linear algebra beyond 8 × 8.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import sympy

from symnet.arrays import Array
from symnet.errors import ArgumentError, explain
from symnet.expr.nodes.constants import exact, power_of_number
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.primitives import functions
from symnet.expr.nodes.result_dtypes import CASTS
from symnet.expr.nodes.symbols import Tensor
from symnet.expr.sympy.abstract import abstract_values
from symnet.expr.sympy.functions import ScalarFunction, function_of
from symnet.expr.sympy.whole import ROOT, Whole

LARGEST_MATRIX = 8  # of a symbolic inverse or determinant
MOST = 4096  # elements of one value
_ASSUMPTIONS = ("positive", "nonnegative", "nonzero", "integer")


_SCALARS: dict[str, Callable[..., Any]] = {
    "add": lambda *xs: functools.reduce(lambda a, b: a + b, xs),
    "mul": lambda *xs: functools.reduce(lambda a, b: a * b, xs),
    "pow": power_of_number,
    "maximum": lambda a, b: sympy.Max(a, b),
    "minimum": lambda a, b: sympy.Min(a, b),
    **{p.name: p.sympy for p in functions() if p.sympy},
    "atan2": lambda y, x: sympy.atan2(y, x),
    "mod": lambda a, b: sympy.Mod(a, b),
    "floor_divide": lambda a, b: sympy.floor(a / b),
    **dict.fromkeys(CASTS, lambda x: x),
    "xlogy": lambda x, y: sympy.Piecewise((0, sympy.Eq(x, 0)), (x * sympy.log(y), True)),
    "lt": lambda a, b: sympy.Lt(a, b), "le": lambda a, b: sympy.Le(a, b), "gt": lambda a, b: sympy.Gt(a, b),
    "ge": lambda a, b: sympy.Ge(a, b), "eq": lambda a, b: sympy.Eq(a, b), "ne": lambda a, b: sympy.Ne(a, b),
    "and": lambda a, b: sympy.And(a, b), "or": lambda a, b: sympy.Or(a, b), "not": lambda a: sympy.Not(a),
    "where": lambda c, a, b: sympy.Piecewise((a, c), (b, True)),
    "indicator": lambda c: sympy.Piecewise((1, c), (0, True)),
}  # fmt: skip


def symbols_of(leaf: Tensor) -> Array:
    """The SymPy symbols that stand for a leaf's elements, in an array of its shape."""
    known = {name: True for name in _ASSUMPTIONS if name in leaf.assumptions}
    shape = _concrete(leaf)
    out = np.empty(shape, object)
    for index in itertools.product(*map(range, shape)):
        out[index] = sympy.Symbol("_".join([leaf.name, *map(str, index)]), real=True, **known)
    return out


def to_sympy(node: Node, rule: Mapping[Node, Any] | None = None) -> Any:
    """The SymPy scalar that a node of rank 0 is, or an array of scalars.

    Args:
        node: with extents that are numbers.
        rule: what stands for leaves, arrays of SymPy scalars; their own symbols otherwise.

    Raises:
        ArgumentError: a symbolic extent, or a kind of node that has no meaning here.

    Example:
        >>> import symnet as sn
        >>> a, x = sn.scalar("a"), sn.tensor("x", 2)
        >>> to_sympy(a * (x * x).sum())
        a*(x_0**2 + x_1**2)
    """
    if not isinstance(node, Node):
        mend = "Pass an expression of sn.scalar and sn.tensor leaves."
        raise ArgumentError(explain("to_sympy(…)", "an expression", type(node).__name__, mend))
    rule = rule or {}
    values: dict[Node, Array] = {}
    for each in topological(node):
        given = rule.get(each)
        values[each] = (
            np.array(given, object) if given is not None else _value(each, [values[o] for o in each.operands])
        )
    result = values[node]
    return result[()] if not result.ndim else result


def _concrete(node: Node) -> tuple[int, ...]:
    if not all(isinstance(n, int) for n in node.shape) or np.prod([1, *map(int, filter(_is_int, node.shape))]) > MOST:
        expected = f"concrete extents, at most {MOST} elements"
        mend = "Give numbers for the dims, as in node.subs({m: 3})."
        raise ArgumentError(explain("to_sympy(node)", expected, f"shape {node.shape}", mend))
    return node.shape


def _is_int(extent: Any) -> bool:
    return isinstance(extent, int)


def _value(node: Node, operands: list[Array]) -> Array:
    if node.kind not in _KINDS:
        expected = "sums, products, functions and moves of scalars"
        mend = "Rewrite that part, or compile it and solve numerically."
        raise ArgumentError(explain("to_sympy(node)", expected, f"{node} ({node.kind})", mend))
    _concrete(node)
    return np.array(_KINDS[node.kind](node, *operands), object)


def _elementwise(node: Any, *operands: Array) -> Any:
    carried = function_of(node)
    if carried is None and node.op not in _SCALARS:
        mend = "Rewrite that part, or compile it and solve numerically."
        raise ArgumentError(explain("to_sympy(node)", "functions that SymPy knows", node.op, mend))
    scalar = _SCALARS[node.op] if carried is None else _application_of(carried)
    function = np.frompyfunc(scalar, len(operands), 1)
    return function(*(_sympified(o) for o in operands))


def _application_of(function: ScalarFunction) -> Callable[..., Any]:
    """The function of SymPy's scalars that a node carries: by its body where it has one, which SymPy can solve."""
    expr = function.application if function.body is None else function.body(*function.application.args)
    if isinstance(expr, Whole):
        return lambda z: expr.formula.xreplace({ROOT: sympy.sqrt(z)})
    return lambda *xs: expr.xreplace(dict(zip(function.variables, xs, strict=True)))


def _sympified(array: Array) -> Array:
    return np.array(np.frompyfunc(sympy.sympify, 1, 1)(array), object)


def _einsum(node: Any, *operands: Array) -> Any:
    """Σ over the contracted indices of the product, index by index."""
    extents = node.extents
    out = np.empty(tuple(extents[i] for i in node.output), object)
    summed = [range(extents[i]) for i in node.contracted]
    for index in itertools.product(*(range(n) for n in out.shape)):
        at = dict(zip(node.output, index, strict=True))
        terms = []
        for inner in itertools.product(*summed):
            at |= dict(zip(node.contracted, inner, strict=True))
            factors = [o[tuple(at[i] for i in ix)] for o, ix in zip(operands, node.inputs, strict=True)]
            terms.append(sympy.Mul(*factors))
        out[index] = sympy.Add(*terms)
    return out


def _reduce(node: Any, x: Array) -> Any:
    if node.op not in _REDUCTIONS:
        mend = "Rewrite that part, or compile it and solve numerically."
        raise ArgumentError(explain("to_sympy(node)", f"reductions among {', '.join(_REDUCTIONS)}", node.op, mend))
    kept = [a for a in range(x.ndim) if a not in node.axes]
    count = int(np.prod([x.shape[a] for a in node.axes], dtype=int))
    rows = x.transpose(*kept, *node.axes).reshape(*(x.shape[a] for a in kept), count)
    out = np.empty(rows.shape[:-1], object)
    for index in itertools.product(*map(range, out.shape)):
        out[index] = _REDUCTIONS[node.op](list(rows[index]))
    return out


_REDUCTIONS: dict[str, Callable[[list[Any]], Any]] = {
    "max": lambda xs: sympy.Max(*xs),
    "min": lambda xs: sympy.Min(*xs),
    "prod": lambda xs: sympy.Mul(*xs),
    "logsumexp": lambda xs: sympy.log(sympy.Add(*map(sympy.exp, xs))),
}


def _expand(node: Any, x: Array) -> Any:
    kept = tuple(n if a in node.axes else 1 for a, n in enumerate(node.shape))
    return np.broadcast_to(x.reshape(kept), node.shape)


def _mesh(node: Any, sizes: tuple[int, ...]) -> Any:
    along = [int(s) + t * np.arange(n) for s, n, t in zip(node.starts, sizes, node.steps, strict=True)]
    return np.ix_(*along)


def _place(node: Any, x: Array) -> Any:
    out = np.full(node.shape, sympy.S.Zero, object)
    out[_mesh(node, x.shape)] = x
    return out


def _small_matrix(x: Array) -> sympy.Matrix:
    if len(x) > LARGEST_MATRIX:
        expected, mend = f"a matrix of at most {LARGEST_MATRIX} rows", "Solve it numerically."
        raise ArgumentError(explain("to_sympy(node)", expected, f"{len(x)} rows", mend))
    return sympy.Matrix(x.tolist())


def _det(a: sympy.Matrix) -> Any:
    return a.det(method="laplace") if a.free_symbols else a.det()


def _solved(a: sympy.Matrix, b: sympy.Matrix) -> sympy.Matrix:
    """a⁻¹·b; of symbols by cofactors, for elimination divides by pivots that may be 0 where a has an inverse."""
    return a.adjugate(method="laplace") * b / _det(a) if a.free_symbols else a.LUsolve(b)


def _solve(node: Any, a: Array, b: Array) -> Any:
    out = np.empty(b.shape, object)
    for which in np.ndindex(a.shape[:-2]):
        columns = sympy.Matrix(len(b[which]), b[which].size // max(len(b[which]), 1), b[which].reshape(-1).tolist())
        found = _solved(_small_matrix(a[which]), columns)
        out[which] = np.array(found.tolist(), object).reshape(b[which].shape)
    return out


def _determinant(node: Any, a: Array) -> Any:
    out = np.empty(a.shape[:-2], object)
    for which in np.ndindex(out.shape):
        det = _det(_small_matrix(a[which]))
        out[which] = det if node.op == "det" else sympy.log(sympy.Abs(det))
    return out


def _array(node: Any) -> Any:
    """The elements as SymPy's numbers and truth values, exact where floats are short fractions."""
    convert = sympy.sympify if node.dtype == "bool" else exact
    out = np.empty(node.shape, object)
    out.reshape(-1)[:] = [convert(v) for v in node.contents.array.reshape(-1).tolist()]
    return out


def _cumsum(node: Any, x: Array) -> Any:
    if node.operands[0].dtype == "bool":
        x = np.frompyfunc(_SCALARS["indicator"], 1, 1)(x)
    return np.flip(np.flip(x, node.axis).cumsum(node.axis), node.axis) if node.reverse else x.cumsum(node.axis)


def _scan(node: Any, *operands: Array) -> Any:
    """A cumulative product, or a recurrence, step by step; the factor of the first step is not used."""
    count = np.frompyfunc(_SCALARS["indicator"], 1, 1)
    numbers = [count(x) if o.dtype == "bool" else x for o, x in zip(node.operands, operands, strict=True)]
    factors, *added = (np.moveaxis(np.flip(x, node.axis) if node.reverse else x, node.axis, 0) for x in numbers)
    after = np.array(added[0] if added else factors, object)
    for k in range(1, len(after)):
        after[k] = factors[k] * after[k - 1] + (added[0][k] if added else 0)
    found = after
    if node.exclusive:
        found = np.full_like(after, sympy.S.Zero if added else sympy.S.One)
        found[1:] = after[:-1]
    back = np.moveaxis(found, 0, node.axis)
    return np.flip(back, node.axis) if node.reverse else back


_KINDS: dict[str, Callable[..., Any]] = {
    "tensor": lambda node: symbols_of(node),
    "named": lambda node, x: x,
    "barrier": lambda node, x: x,
    "sealed": lambda node, x: x,
    "number": lambda node: node.value,
    "size": lambda node: node.extent,
    "array": _array,
    "delta": lambda node: np.array(sympy.eye(node.extent).tolist(), object).reshape(node.shape),
    "iota": lambda node: [sympy.Integer(k) for k in range(node.shape[0])],
    "elementwise": _elementwise,
    "einsum": _einsum,
    "reduce": _reduce,
    "expand": _expand,
    "reshape": lambda node, x: x.reshape(node.shape),
    "slice": lambda node, x: x[_mesh(node, node.shape)],
    "place": _place,
    "concat": lambda node, *xs: np.concatenate(xs, axis=node.axis),
    "cumsum": _cumsum,
    "cumprod": _scan,
    "linear_recurrence": _scan,
    "solve": _solve,
    "determinant": _determinant,
    "abstract": abstract_values,
}
