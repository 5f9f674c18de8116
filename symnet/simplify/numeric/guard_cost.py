"""What the guards of sums of squares will take, told before the numeric form is made.

In: roots in the algebra form.  Out: the operations that the scales of `quotients_by_squares.py` and the choices of
`norms.py` add to them, of every element of a product one for each factor s, two for each choice.
An estimate, to compare forms of a derivative by: an open form divides by the same sum of squares in many products, each
of which meets the scale by itself.
Not counted: what each sum takes once, its comparisons and its scale.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from symnet.expr.nodes.elementwise import is_op
from symnet.expr.nodes.extents import typical
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import Node
from symnet.simplify.numeric.quotients_by_squares import negative_powers


def operations_of_guards(roots: Iterable[Node]) -> int:
    """Products with scales of the roots together, each distinct product once."""
    return sum(_scales(node) * math.prod(map(typical, node.shape)) for node in topological(*roots) if is_op(node, "mul"))


def _scales(product: Node) -> int:
    """The number of factors s that a product will have: n for S^(-n/2), for n > 1."""
    counts = (found.count for found in negative_powers(product))
    return sum(count for count in counts if count > 1)
