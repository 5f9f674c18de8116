"""The gradient: of a scalar by anything, through one reverse pass.

In: a rank-0 expression, and a node, a list or a dict.  Out: for each a node of its shape.
Method: reverse mode (`diff/reverse.py`) between two simplifications (`problem.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from symnet.calculus.cheapest import MOST_OF_GRADIENT, Derived, cheap
from symnet.calculus.problem import Problem, open_problem, project, strip_barriers
from symnet.calculus.structure import Structure, flatten
from symnet.diff.closing import kept_cotangents
from symnet.diff.reverse import BackwardEdge, pullback
from symnet.errors import ShapeError, explain
from symnet.expr.nodes.constants import as_node, number
from symnet.expr.nodes.node import Node


def grad(L: Any, w: Structure, absent: str = "error") -> Any:
    """The gradient ∂L/∂w: an array of w's shape, whose elements are ∂L/∂w[i, j, …].

    It is the transpose of the derivative in numerator layout (`derivative`).  By an intermediate node it is the
    adjoint: L is seen as a function of that node, whatever it is made of, and several targets come from one
    backward pass.  By a part of a variable, x[2], X[1:] or W[j, k], it is that part of the gradient.  A leaf declared
    `symmetric` gets the projection (G + Gᵀ)/2.

    Args:
        L: rank 0.
        w: a node, a list of nodes, or a dict of nodes.
        absent: "error", or "zero": what a derivative by a variable is that L does not contain.

    Returns:
        a node, a list, or a dict, as w; each of the shape of its variable.

    Raises:
        ShapeError: L is no scalar.
        ArgumentError: L does not contain w, unless absent="zero".
        AssumptionError: w is one-hot, a simplex or integer, so that its elements are not free.

    Example:
        >>> import symnet as sn
        >>> a, b = sn.scalar("a"), sn.scalar("b")
        >>> c = (a + b).named("c")
        >>> sn.grad(a * c, [a, b, c])
        [a + c, a, a]
    """
    targets, restore = flatten("grad(L, w)", w)
    root = scalar_root("grad(L, w)", L)
    return restore(cheap(root, targets, MOST_OF_GRADIENT, partial(_derived, root, targets, absent)))


def _derived(root: Node, targets: Sequence[Node], absent: str, far: int) -> Derived:
    """The gradients, and what they are computed beside: the root in the form that they share values with."""
    problem = open_problem("grad(L, w)", [root], targets, absent=absent, far=far)
    results = problem.finish(problem.parted(gradients(problem)), [t.shape for t in targets], problem.targets)
    return results, strip_barriers(problem.roots)


def scalar_root(call: str, L: Any) -> Node:
    """L as a node of rank 0.

    Raises:
        ShapeError: when it has axes, suggesting what to do with them.
    """
    root = as_node(L)
    if root.rank:
        raise ShapeError(
            explain(
                call,
                "a scalar L (rank 0)",
                f"shape {root.shape}",
                "Reduce it with sn.sum(L) or sn.mean(L), or take sn.jacobian(L, w).",
            )
        )
    return root


def gradients(problem: Problem, routes: list[BackwardEdge] | None = None) -> list[Node | None]:
    """The cotangents of the problem's targets for its one scalar root; None where zero."""
    (root,) = problem.roots
    found = pullback(root, number(1), problem.targets, routes, kept_cotangents(root, problem.targets, problem.far))
    return [project(found[target], target) for target in problem.targets]
