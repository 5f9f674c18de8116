"""What the guards of sums of squares will take, told before the numeric form is made.

In: roots in the algebra form.  Out: the operations that the scales of `quotients_by_squares.py` and the choices of
`norms.py` add to them, of every element of a product one for each factor s, two for a choice.
An estimate, to compare forms of a derivative by: an open form divides by the same sum of squares in many products, each
of which meets the scale by itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.elementwise import is_op
from symnet.expr.nodes.extents import typical
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import Node
from symnet.simplify.forms.broadcast import without_repetition
from symnet.simplify.numeric.norms import is_reciprocal_root, slope_of_norm_at_zero
from symnet.simplify.numeric.quotients_by_squares import Quotient, negative_powers

CHOICE = 2  # a comparison, and what it decides
SCALE = 6  # two choices, what they ask for, the scale's reciprocal or its use on a root


def operations_of_guards(roots: Iterable[Node]) -> int:
    """Products with scales and choices, and the scales themselves, of the roots together, each distinct one once."""
    products = [node for node in topological(*roots) if is_op(node, "mul")]
    sums = {(found.base, found.count % 2) for node in products for found in negative_powers(node) if found.count}
    added = sum(_added(node) * _elements(node) for node in products)
    return added + sum(SCALE * _elements(total) + _elements(_squared(total)) for total, _ in sums)


def _elements(node: Node) -> int:
    return math.prod(map(typical, node.shape))


def _squared(total: Node) -> Node:
    """What is squared in a sum over axes, each element of which is scaled; the sum itself if it is over none."""
    inside = (total, *total.operands, *(part for term in total.operands for part in term.operands))
    sums = (x for x in inside if isinstance(x, Einsum) and x.shape == total.shape)
    return next((x.operands[0] for x in sums), total)


def _added(product: Node) -> int:
    """Operations that an element of a product will take more."""
    return sum(map(_scales, negative_powers(product))) + CHOICE * _is_chosen(product)


def _scales(found: Quotient) -> int:
    """The number of factors s beside S^(-n/2), n for n > 1."""
    return found.count if found.count > 1 else 0


def _is_chosen(product: Node) -> bool:
    """Whether a root divides that may be of 0, and not where what is above vanishes with it."""
    roots = any(is_reciprocal_root(without_repetition(o)) for o in product.operands)
    return roots and slope_of_norm_at_zero(product) is None
