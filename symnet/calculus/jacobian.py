"""Jacobians and derivatives of arrays by arrays, as formulas.

In: y of any shape and x of any shape.  Out: ∂y/∂x, of shape y.shape + x.shape (`jacobian`) or in numerator or
denominator layout (`derivative`).

Method: one vector-Jacobian product x_bar(y_bar) with a placeholder for y_bar; it is linear in y_bar, so `diff/batching`
puts the basis of y's space (a product of deltas) in its place, with extra leading axes, where the elementwise products
become einsums.  Reverse mode is chosen because its leading axes are y's, which is the order wanted, and because a
scalar y needs no delta at all; where x has fewer axes than y, forward mode needs fewer deltas and is taken.  The
deltas then cancel against contracted indices in `simplify`, and what remains is compact: ∂(W x)/∂W is a delta times x.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symnet import dtypes
from symnet.calculus.problem import open_problem, project
from symnet.calculus.structure import Structure, flatten
from symnet.diff.batching import basis, batch
from symnet.diff.forward import pushforward
from symnet.diff.reverse import pullback
from symnet.errors import one_of
from symnet.expr.nodes.constants import as_node, number
from symnet.expr.nodes.contraction import transpose
from symnet.expr.nodes.expansion import keep_axes
from symnet.expr.nodes.extents import shape_arg
from symnet.expr.nodes.node import Node, Shape, static_name
from symnet.expr.nodes.symbols import Tensor

LAYOUTS = ("numerator", "denominator")


def jacobian(y: Any, x: Structure, absent: str = "error") -> Any:
    """The Jacobian: J[i…, j…] = ∂y[i…]/∂x[j…], of shape y.shape + x.shape.

    It is a formula: einsums with deltas, compact until it is evaluated.

    Args:
        y: any shape.
        x: a node, a list of nodes, or a dict of nodes; leaves or intermediate.
        absent: "error", or "zero": what a derivative by a variable is that y does not contain.

    Returns:
        a node, a list, or a dict, as x.

    Raises:
        ArgumentError: y does not contain x, unless absent="zero".
        AssumptionError: x is one-hot, a simplex or integer.

    Example:
        >>> import symnet as sn
        >>> A, x = sn.tensor("A", 3, 4), sn.tensor("x", 4)
        >>> sn.jacobian(A @ x, x)
        A
    """
    targets, restore = flatten("jacobian(y, x)", x)
    root = as_node(y)
    problem = open_problem("jacobian(y, x)", [root], targets, absent=absent)
    results = problem.parted(jacobians(problem.roots[0], problem.targets), root.rank)
    return restore(problem.finish(results, [(*root.shape, *t.shape) for t in targets], problem.targets))


def derivative(y: Any, x: Structure, layout: str = "numerator", absent: str = "error") -> Any:
    """The derivative of y by x, in numerator layout unless told otherwise.

    Numerator layout: the shape of y, then the shape of x reversed: a vector by a vector is the Jacobian (rows follow
    y), a scalar by a vector (n,) is the row (1, n), a scalar by a matrix (n, m) is (m, n).
    Denominator layout: all axes reversed: a vector by a vector (rows follow x), a scalar by a vector the column
    (n, 1), a scalar by a matrix its gradient (n, m).

    Args:
        y: any shape.
        x: a node, a list of nodes, or a dict of nodes.
        layout: "numerator" or "denominator".
        absent: "error", or "zero": what a derivative by a variable is that y does not contain.

    Returns:
        a node, a list, or a dict, as x.

    Raises:
        ArgumentError: an unknown layout; y does not contain x, unless absent="zero".
        AssumptionError: x is one-hot, a simplex or integer.

    Example:
        >>> import symnet as sn
        >>> W, x = sn.tensor("W", 3, 4), sn.tensor("x", 4)
        >>> sn.derivative((W @ x).sum(), x).shape, sn.derivative(W @ x, x, layout="denominator").shape
        ((1, 4), (4, 3))
    """
    call = f"derivative(y, x, layout={layout!r})"
    one_of(call, layout, LAYOUTS, '"numerator" or "denominator"', 'Leave it out for "numerator".')
    targets, restore = flatten(call, x)
    root = as_node(y)
    problem = open_problem(call, [root], targets, absent=absent)
    results: list[Node | None] = []
    shapes: list[Shape] = []
    found = problem.parted(jacobians(problem.roots[0], problem.targets), root.rank)
    for target, result in zip(targets, found, strict=True):
        shapes.append(laid_out_shape(root.shape, target.shape, layout))
        results.append(None if result is None else laid_out(result, root.rank, layout))
    return restore(problem.finish(results, shapes, problem.targets))


def laid_out_shape(y: Shape, x: Shape, layout: str) -> Shape:
    """The shape of a derivative in a layout."""
    shape = (1, *x) if not y and len(x) == 1 else (*y, *reversed(x))
    return shape if layout == "numerator" else tuple(reversed(shape))


def laid_out(result: Node, y_rank: int, layout: str) -> Node:
    """A derivative of shape y.shape + x.shape with its axes in the order of a layout."""
    if not y_rank and result.rank == 1:
        return keep_axes(result, (0,) if layout == "numerator" else (1,))
    ys, xs = range(y_rank), range(y_rank, result.rank)
    order = [*ys, *reversed(xs)] if layout == "numerator" else [*xs, *reversed(ys)]
    return transpose(result, *order)


# --------------------------------------------------------------------------- method


def jacobians(y: Node, targets: Sequence[Node]) -> list[Node | None]:
    """∂y/∂target of shape y.shape + target.shape for each target, unsimplified; None where zero."""
    reverse = [t for t in targets if t.rank >= y.rank]
    found = _reverse(y, reverse) if reverse else {}
    for target in targets:
        if target not in found:
            found[target] = _forward(y, target)
    return [project(found[target], target) for target in targets]


def _placeholder(name: str, like: Node) -> Tensor:
    """A leaf of another node's shape and dtype; a name with a space is no user's."""
    dtype = like.dtype if like.dtype in dtypes.REAL else dtypes.DEFAULT_REAL
    return Tensor(static_name(f"the {name}"), shape_arg(like.shape), static_name(dtype), shape_arg(()), static_name(""))


def _reverse(y: Node, targets: Sequence[Node]) -> dict[Node, Node | None]:
    if not y.rank:
        return pullback(y, number(1), targets)
    y_bar = _placeholder("cotangent", y)
    linear = pullback(y, y_bar, targets)
    present = {t: bar for t in targets if (bar := linear[t]) is not None}
    rows = batch(list(present.values()), {y_bar: basis(y.shape)}, y.shape)
    return {**dict.fromkeys(targets), **dict(zip(present, rows, strict=True))}


def _forward(y: Node, x: Node) -> Node | None:
    x_dot = _placeholder("tangent", x)
    (linear,) = pushforward([y], {x: x_dot})
    if linear is None or not x.rank:
        return linear if linear is None else pushforward([y], {x: number(1)})[0]
    (columns,) = batch([linear], {x_dot: basis(x.shape)}, x.shape)
    return transpose(columns, *range(x.rank, columns.rank), *range(x.rank))
