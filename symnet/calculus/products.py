"""Products with Jacobians and Hessians, without building them.

In: y, variables, and vectors.  Out: J·v (`jvp`), y_bar·J (`vjp`), H·v (`hvp`).
Source: B. Pearlmutter, "Fast exact multiplication by the Hessian", Neural Computation 6, 1994, for forward over
reverse.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from symnet.calculus.cheapest import MOST_OF_PRODUCT, Derived, cheap
from symnet.calculus.grad import gradients, scalar_root
from symnet.calculus.problem import Problem, open_problem, project
from symnet.calculus.structure import Restore, Structure, flatten
from symnet.diff.closing import FAR, kept_cotangents, kept_tangents
from symnet.diff.contraction import add_up
from symnet.diff.forward import pushforward
from symnet.diff.reverse import pullback
from symnet.errors import ArgumentError, ShapeError, explain
from symnet.expr.nodes.constants import as_node, is_scalar
from symnet.expr.nodes.extents import same_shape
from symnet.expr.nodes.node import Node
from symnet.simplify.algebra.table import simplify
from symnet.simplify.sealing import in_pairs
from symnet.simplify.sharing import share


def jvp(y: Any, x: Any, v: Any = None, absent: str = "error") -> Node:
    """The Jacobian-vector product: y_dot[i…] = Σ ∂y[i…]/∂x[j…] · v[j…], of y's shape, added over the variables.

    By a `symmetric` leaf, v counts as its symmetric part (V + Vᵀ)/2: only along that can the leaf move.

    Args:
        y: any shape.
        x: a node, a list of nodes, or a dict of nodes; or, without v, a dict {x: v, …}.
        v: a node, a list or a dict, as x; each of its variable's shape.
        absent: "error", or "zero": what a derivative by a variable is that y does not contain.

    Returns:
        a node of y's shape.

    Raises:
        ArgumentError: no tangent, or y does not contain x, unless absent="zero".
        ShapeError: a tangent of another shape than its variable's.
        AssumptionError: x is one-hot, a simplex or integer.

    Example:
        >>> import symnet as sn
        >>> x, v = sn.tensor("x", 3), sn.tensor("v", 3)
        >>> sn.jvp(x * x, x, v), sn.jvp(x * x, {x: v})
        (2*v*x, 2*v*x)
    """
    call = "jvp(y, x, v)"
    targets, vectors, _ = _tangents(call, x, v)
    root = as_node(y)
    problem = open_problem(call, [root], targets, vectors, absent=absent)
    moves = _moves(problem)
    y_dot = pushforward(problem.roots, moves, kept_tangents(problem.roots, moves, problem.far))
    return problem.finish(y_dot, [root.shape])[0]


def vjp(y: Any, x: Structure, y_bar: Any, absent: str = "error") -> Any:
    """The vector-Jacobian product: x_bar[j…] = Σ y_bar[i…] · ∂y[i…]/∂x[j…], of x's shape.

    Args:
        y: any shape.
        x: a node, a list of nodes, or a dict of nodes.
        y_bar: y's shape.
        absent: "error", or "zero": what a derivative by a variable is that y does not contain.

    Returns:
        a node, a list, or a dict, as x.

    Raises:
        ArgumentError: y does not contain x, unless absent="zero".
        ShapeError: y_bar of another shape than y's.
        AssumptionError: x is one-hot, a simplex or integer.

    Example:
        >>> import symnet as sn
        >>> A, x, u = sn.tensor("A", 3, 4), sn.tensor("x", 4), sn.tensor("u", 3)
        >>> sn.vjp(A @ x, x, u).shape
        (4,)
    """
    call = "vjp(y, x, y_bar)"
    targets, restore = flatten(call, x)
    root = as_node(y)
    problem = open_problem(call, [root], targets, [_vector(call, "y_bar", y_bar, root, "y")], absent=absent)
    closed = kept_cotangents(problem.roots[0], problem.targets, problem.far)
    found = pullback(problem.roots[0], problem.extra[0], problem.targets, closed=closed)
    results = [project(found[t], t) for t in problem.targets]
    return restore(problem.finish(problem.parted(results), [t.shape for t in targets], problem.targets))


def hvp(L: Any, x: Any, v: Any = None, absent: str = "error") -> Any:
    """The Hessian-vector product: Σ ∂²L/∂x[i…]∂x[j…] · v[j…], of x's shape; forward over reverse.

    Args:
        L: rank 0.
        x: a node, a list of nodes, or a dict of nodes; or, without v, a dict {x: v, …}.
        v: a node, a list or a dict, as x; each of its variable's shape.
        absent: "error", or "zero": what a derivative by a variable is that L does not contain.

    Returns:
        a node, a list, or a dict, as x.

    Raises:
        ShapeError: L is no scalar, or v has another shape than x.
        ArgumentError: L does not contain x, unless absent="zero".
        AssumptionError: x is one-hot, a simplex or integer.

    Example:
        >>> import symnet as sn
        >>> x, v = sn.tensor("x", 3), sn.tensor("v", 3)
        >>> sn.hvp((x**2).sum(), x, v)
        2*v
    """
    call = "hvp(L, x, v)"
    targets, vectors, restore = _tangents(call, x, v)
    root = scalar_root(call, L)
    return restore(cheap(root, targets, MOST_OF_PRODUCT, partial(_products, call, root, targets, vectors, absent)))


def _products(call: str, root: Node, targets: list[Node], vectors: list[Node], absent: str, far: int) -> Derived:
    """The products with the Hessian, forward over reverse."""
    problem = open_problem(call, [root], targets, vectors, absent=absent, far=far)
    first = gradients(problem)
    present = share(simplify([g for g in first if g is not None]))
    present = in_pairs(present) if far < FAR else present
    moves = _moves(problem)
    dots = iter(pushforward(present, moves, kept_tangents(present, moves, problem.far)))
    results = [None if g is None else project(next(dots), t) for g, t in zip(first, problem.targets, strict=True)]
    return problem.finish(problem.parted(results), [t.shape for t in targets], problem.targets), []


def _tangents(call: str, x: Any, v: Any) -> tuple[list[Node], list[Node], Restore]:
    """The variables, a vector for each, and how results for them are put together."""
    if v is None:
        if not isinstance(x, Mapping) or not all(isinstance(key, Node) or is_scalar(key) for key in x):
            mend = f"Write {call}, or give a dict whose keys are the variables."
            raise ArgumentError(explain(call, "v, or a dict {x: v}", f"x as a {type(x).__name__} and no v", mend))
        targets, _ = flatten(call, list(x))
        given, keys = list(x.values()), list(x)
        restore: Restore = lambda results: dict(zip(keys, results, strict=True))
    else:
        targets, restore = flatten(call, x)
        given = _same_structure(call, x, v)
    return targets, [_vector(call, "v", a, t, "x") for a, t in zip(given, targets, strict=True)], restore


def _moves(problem: Problem) -> dict[Node, Node]:
    """Variable → tangent, symmetric where the variable is; tangents of parts of one variable are added up."""
    moves: dict[Node, list[Node]] = {}
    for target, part, v in zip(problem.targets, problem.parts, problem.extra, strict=True):
        move = project(v if part is None else part.tangent(v), target)
        moves.setdefault(target, []).extend([] if move is None else [move])
    return {target: total for target, terms in moves.items() if (total := add_up(terms)) is not None}


def _same_structure(call: str, x: Any, v: Any) -> list[Any]:
    if isinstance(x, Mapping) and isinstance(v, Mapping) and set(x) == set(v):
        return [v[k] for k in x]
    if isinstance(x, (list, tuple)) and isinstance(v, (list, tuple)) and len(x) == len(v):
        return list(v)
    if isinstance(x, (Mapping, list, tuple)):
        got = f"{type(v).__name__}" + (f" of {len(v)}" if isinstance(v, (Mapping, list, tuple)) else "")
        raise ArgumentError(
            explain(call, f"v as a {type(x).__name__} of {len(x)}, like x", got, "Give one vector for each variable.")
        )
    return [v]


def _vector(call: str, name: str, given: Any, like: Node, like_name: str) -> Node:
    node = as_node(given)
    if not same_shape(node.shape, like.shape):
        raise ShapeError(
            explain(
                call,
                f"{name} of {like_name}'s shape {like.shape}",
                f"shape {node.shape}",
                f"Reshape {name}, or use sn.broadcast_to.",
            )
        )
    return node
