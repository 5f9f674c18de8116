"""Derivative rules of abstract functions: what the derivative is called, and nothing else.

    of elements: y = f(x), x_bar = y_bar·f'(x)           of arrays: y = h(z), z_bar = y_bar·∂h/∂z

Second derivatives are symmetric, so that the positions differentiated by stand in rising order.
"""

from __future__ import annotations

from collections.abc import Sequence

from symnet.diff.contraction import add_up, unbroadcast
from symnet.diff.elementwise import times
from symnet.diff.rules import Maybe
from symnet.diff.support import Where
from symnet.errors import MissingRuleError, explain
from symnet.expr.nodes.abstract import Application
from symnet.expr.nodes.contraction import contract, transpose
from symnet.expr.nodes.expansion import keep_axes
from symnet.expr.nodes.movement import broadcast_to
from symnet.expr.nodes.node import Node, Shape


def jacobian_of(node: Application, k: int) -> Node:
    """The derivative by operand k by name: of elements of the node's shape; of arrays with the axes of the operand
    behind those of the node.
    """
    place = sum(order <= k for order in node.orders)
    found = node.by((*node.orders[:place], k, *node.orders[place:]))
    if node.is_elementwise:
        return found
    first = len(node.value_shape) + sum(node.operands[j].rank for j in node.orders[:place])
    moved = range(first, first + node.operands[k].rank)
    axes = [a for a in range(found.rank) if a not in moved] + list(moved)
    return found if axes == list(range(found.rank)) else transpose(found, *axes)


def abstract_vjp(node: Application, y_bar: Node, k: int) -> Maybe:
    """x_bar = y_bar · ∂y/∂x."""
    slope = jacobian_of(node, k)
    if node.is_elementwise:
        return unbroadcast(times(y_bar, slope), node.operands[k].shape)
    if not node.rank and not slope.rank:
        return times(y_bar, slope)
    axes = range(slope.rank)
    return contract([axes[: node.rank], axes], axes[node.rank :], y_bar, slope)


def abstract_support(node: Application, support: Where, k: int) -> Where:
    """Anywhere: what the function does with its arguments is not known."""
    return None


def abstract_jvp(node: Application, x_dots: Sequence[Maybe]) -> Maybe:
    """Σₖ ∂y/∂xₖ · x_dotₖ."""
    terms = [_moved(node, k, x_dot) for k, x_dot in enumerate(x_dots) if x_dot is not None]
    y_dot = add_up(terms)
    return None if y_dot is None else broadcast_to(y_dot, node.shape)


def _moved(node: Application, k: int, x_dot: Node) -> Node:
    slope = jacobian_of(node, k)
    if node.is_elementwise or not slope.rank:
        return times(slope, x_dot)
    axes = range(slope.rank)
    return contract([axes, axes[node.rank :]], axes[: node.rank], slope, x_dot)


def abstract_batch(node: Application, batched: Sequence[Maybe], batch: Shape) -> Node:
    """A function of elements at operands with the extra axes in front.

    Raises:
        MissingRuleError: for one of arrays, which is not linear: no cotangent stands in its arguments.
    """
    if not node.is_elementwise:
        call, expected = f"batching {node.name}(…)", "a function of elements"
        raise MissingRuleError(explain(call, expected, "one of arrays", "Differentiate its value by its arguments."))
    aligned = list(node.operands)
    for k, x in enumerate(batched):
        if x is not None:
            missing = len(batch) + node.rank - x.rank
            aligned[k] = keep_axes(x, tuple(range(len(batch), len(batch) + missing)))
    return broadcast_to(node.func(*node.args[:4], *aligned), (*batch, *node.shape))
