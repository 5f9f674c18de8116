"""The Hessian: second derivatives of a scalar, as a formula.

In: a rank-0 expression and its variables.  Out: ∂²L/∂xᵢ∂xⱼ of shape x.shape + x.shape; blocks for several variables.
Method: the Jacobian (`jacobian.py`) of the simplified gradient (`grad.py`), with barriers left in place between.
"""

from __future__ import annotations

from typing import Any

from symnet.calculus.grad import gradients, scalar_root
from symnet.calculus.jacobian import jacobians
from symnet.calculus.problem import open_problem
from symnet.calculus.structure import Structure, flatten
from symnet.expr.nodes.node import Node, Shape
from symnet.simplify.algebra.table import simplify


def hessian(L: Any, x: Structure, absent: str = "error") -> Any:
    """The Hessian: H[i…, j…] = ∂²L/∂x[i…]∂x[j…], of shape x.shape + x.shape.

    Args:
        L: rank 0.
        x: a node; or a list or dict of nodes, for the blocks ∂²L/∂xₐ∂x_b.
        absent: "error", or "zero": what a derivative by a variable is that L does not contain.

    Returns:
        a node; or a list of lists, or a dict of dicts: `hessian(L, [u, v])[0][1]` has shape u.shape + v.shape.

    Raises:
        ShapeError: L is no scalar.
        ArgumentError: L does not contain x, unless absent="zero".
        AssumptionError: x is one-hot, a simplex or integer.

    Example:
        >>> import symnet as sn
        >>> x = sn.tensor("x", 3)
        >>> sn.hessian((x**2).sum(), x).shape
        (3, 3)
    """
    targets, restore = flatten("hessian(L, x)", x)
    problem = open_problem("hessian(L, x)", [scalar_root("hessian(L, x)", L)], targets, absent=absent)
    first = gradients(problem)
    present = [g for g in first if g is not None]
    simple = iter(simplify(present))
    blocks: list[Node | None] = []
    shapes: list[Shape] = []
    for g, part, row in zip(first, problem.parts, targets, strict=True):
        y = None if g is None else next(simple)
        y = y if y is None or part is None else part.of(y)
        blocks += [None] * len(targets) if y is None else problem.parted(jacobians(y, problem.targets), row.rank)
        shapes += [(*row.shape, *column.shape) for column in targets]
    done = problem.finish(blocks, shapes)
    n = len(targets)
    return restore([restore(done[k * n : (k + 1) * n]) for k in range(n)])
