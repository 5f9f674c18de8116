"""Functions of sums as sums of products: sin(h + u) → sin(h)·cos(u) + cos(h)·sin(u), exp(h + u) → exp(h)·exp(u).

In: an expression, and the variable u by which it is divided.  Out: the same with functions of u alone, so that what
cancels at u = 0 is seen: (sin(h + u) - sin(h))/u, as of motion along an arc.
Not handled: functions without a formula for sums.
"""

from __future__ import annotations

from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.elementwise import Elementwise, elementwise, is_op
from symnet.expr.nodes.graph import with_operands
from symnet.expr.nodes.movement import broadcast_to
from symnet.expr.nodes.node import Node
from symnet.simplify.forms.coefficients import sum_of_all
from symnet.simplify.numeric.singularities.expansions import BasePowers, order_in

ADDED = ("sin", "cos", "exp")
LEVELS = 10


def with_arguments_added(node: Node, u: BasePowers) -> Node:
    """The expression with every function of a sum, in which a term is a power of u, by functions of the terms."""
    known: dict[Node, Node] = {}

    def changed(x: Node, levels: int) -> Node:
        if not levels or not isinstance(x, (Elementwise, Einsum)):
            return x
        if x not in known:
            inside = (
                _of_terms(x, u)
                if isinstance(x, Elementwise) and x.op in ADDED and is_op(x.operands[0], "add")
                else None
            )
            known[x] = with_operands(x, [changed(o, levels - 1) for o in x.operands]) if inside is None else inside
        return known[x]

    return changed(node, LEVELS)


def _of_terms(x: Elementwise, u: BasePowers) -> Node | None:
    """A function of a sum by functions of its terms; None where none of them, or all, are powers of u."""
    terms = x.operands[0].operands
    near = [o for o in terms if o.rank == x.rank and order_in(o, u) is not None]
    others = [o for o in terms if o not in near]
    if not near or not others:
        return None
    return _of_sum(x.op, *(broadcast_to(sum_of_all(some), x.shape) for some in (others, near)))


def _of_sum(op: str, a: Node, b: Node) -> Node:
    """The function of a + b."""
    if op == "exp":
        return elementwise("mul", elementwise("exp", a), elementwise("exp", b))
    sines, cosines = ([elementwise(name, x) for x in (a, b)] for name in ("sin", "cos"))
    if op == "sin":
        return elementwise("add", elementwise("mul", sines[0], cosines[1]), elementwise("mul", cosines[0], sines[1]))
    product = elementwise("mul", sines[0], sines[1])
    return elementwise("add", elementwise("mul", cosines[0], cosines[1]), -product)
