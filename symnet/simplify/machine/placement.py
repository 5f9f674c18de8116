"""Scalars and signs of products, where they meet the fewest elements.

before: s·t·X,  s·v·X (v one row),  s·(x yᵀ),  -(a - b)·X
after:  (s·t)·X,  (s·v)·X,          (s·x) yᵀ,  (b - a)·X

In: numeric-form roots.  Out: the same values up to rounding, in fewer operations.  A sign that only sums take stays in
front, where it makes a subtraction; a sum is negated only where nothing else uses it.
Not handled: scalars of a contraction that sums (`scale.py` moves extents and numbers into those).
"""

from __future__ import annotations

from collections.abc import Iterable

from symnet.expr.nodes.constants import number_of
from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.elementwise import elementwise, is_op
from symnet.expr.nodes.expansion import Expand
from symnet.expr.nodes.graph import consumers, topological, with_operands
from symnet.expr.nodes.node import Node
from symnet.simplify.forms.coefficients import has_both_signs, negated_sum
from symnet.simplify.machine.contraction import elements


def place_factors(roots: Iterable[Node]) -> list[Node]:
    """c·expand(x)·Y → expand(c·x)·Y, -(a - b)·x → (b - a)·x: scalars stand where they meet the fewest elements."""
    roots = list(roots)
    users = consumers(*roots)
    ends = set(roots)
    new: dict[Node, Node] = {}
    once: set[Node] = set()
    for node in topological(*roots):
        fresh = with_operands(node, (new[o] for o in node.operands))
        if is_op(node, "mul"):
            subtracted = node not in ends and all(is_op(user, "add") for user in users[node])
            fresh = _placed(fresh, subtracted, once)
        new[node] = fresh
        if len(users[node]) == 1 and node not in ends:
            once.add(fresh)
    return [new[root] for root in roots]


def _placed(node: Node, subtracted: bool, once: set[Node]) -> Node:
    """A product, its scalars multiplied into the array where they meet the fewest elements.

    subtracted: only sums use it, so that a sign costs nothing.  once: the values that have one user.
    """
    free = [o for o in node.operands if subtracted and number_of(o) == -1]
    scalars = [o for o in node.operands if not o.rank and o not in free]
    arrays = [o for o in node.operands if o.rank]
    scalars, arrays = _turned(scalars, arrays, once)
    if not arrays:
        parts = [*free, *scalars]
        return parts[0] if len(parts) == 1 else elementwise("mul", *parts)
    place = min(range(len(arrays)), key=lambda k: _room(arrays[k], once))  # one place: an operand may stand twice
    if scalars and _room(arrays[place], once) < elements(node):
        arrays[place] = _times(scalars, arrays[place], once)
    elif len(scalars) > 1:
        arrays = [elementwise("mul", *scalars), *arrays]
    else:
        arrays = [*scalars, *arrays]
    parts = [*free, *arrays]
    return parts[0] if len(parts) == 1 else elementwise("mul", *parts)


def _room(factor: Node, once: set[Node]) -> int:
    """The number of elements that a scalar meets inside a factor."""
    return min(elements(o) for o in _inside(factor, once))


def _inside(factor: Node, once: set[Node]) -> tuple[Node, ...]:
    """What a scalar may be multiplied into: what a factor repeats, an operand of an outer product, or the factor."""
    if isinstance(factor, Expand) or (_is_outer(factor) and factor in once):
        return factor.operands
    return (factor,)


def _is_outer(node: Node) -> bool:
    return isinstance(node, Einsum) and not node.contracted and len(node.operands) > 1


def _times(scalars: list[Node], factor: Node, once: set[Node]) -> Node:
    """The factor times the scalars, which go into the smallest part of it."""
    parts = _inside(factor, once)
    place = min(range(len(parts)), key=lambda k: elements(parts[k]))
    whole = elementwise("mul", *scalars, parts[place])
    return whole if parts[0] is factor else with_operands(factor, [*parts[:place], whole, *parts[place + 1 :]])


def _turned(scalars: list[Node], arrays: list[Node], once: set[Node]) -> tuple[list[Node], list[Node]]:
    """-(a - b)·x as (b - a)·x."""
    if not scalars or number_of(scalars[0]) != -1:
        return scalars, arrays
    factors = [*scalars[1:], *arrays]
    for k, factor in enumerate(factors):
        opposite = _negated(factor, once)
        if opposite is not None:
            factors[k] = opposite
            return factors[: len(scalars) - 1], factors[len(scalars) - 1 :]
    return scalars, arrays


def _negated(factor: Node, once: set[Node]) -> Node | None:
    """-factor at no cost: a sum with both signs, or a contraction of one, that nothing else uses."""
    if factor not in once:
        return None
    if is_op(factor, "add"):
        return negated_sum(factor) if has_both_signs(factor) else None
    for k, operand in enumerate(factor.operands if isinstance(factor, Einsum) else ()):
        if is_op(operand, "add") and operand in once and has_both_signs(operand):
            turned = negated_sum(operand)
            return with_operands(factor, [*factor.operands[:k], turned, *factor.operands[k + 1 :]])
    return None
