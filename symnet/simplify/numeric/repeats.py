"""The last pass of the numeric form: what is repeated is scaled before it is repeated.

In: numeric-form products.  Out: the same with scalars inside a repetition: one product for each value, not for each
place where it stands.  A sign stays outside, where a sum takes it as a subtraction.
"""

from __future__ import annotations

from symnet.expr.nodes.constants import number, number_of
from symnet.expr.nodes.elementwise import elementwise
from symnet.expr.nodes.expansion import Expand
from symnet.expr.nodes.graph import with_operands
from symnet.expr.nodes.node import Node
from symnet.simplify.rewrite import Rewrite


def scale_before_repeating(node: Node) -> Node | None:
    """s·expand(x) → expand(s·x).  Condition: s is a scalar other than -1, and nothing else is in the product."""
    *scalars, last = node.operands
    if not isinstance(last, Expand) or not last.operands[0].rank or any(o.rank for o in scalars):
        return None
    inside = [o for o in scalars if number_of(o) != -1]
    if not inside:
        return None
    scaled = with_operands(last, [elementwise("mul", *inside, last.operands[0])])
    return scaled if len(inside) == len(scalars) else elementwise("mul", number(-1), scaled)


REPEATS = (Rewrite(scale_before_repeating, ("mul",), below=("expand",), domain="equal", role="shorter"),)
