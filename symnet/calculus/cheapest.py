"""Which form a derivative has: what people read, unless that takes too many operations.

In: a value, and how its derivative is made, more or less open.  Out: the derivative.
The open form collects terms across the whole derivative; products and sums that several paths share are opened in it.
In closed forms the values that are used twice stay one (`diff/closing.py`, `simplify/sealing.py`), first those far from
the root, then all, so that they take what reverse mode takes.  The open form is what is read; where it takes more than
a bound, the next one is chosen, by counted operations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from symnet.diff.closing import DEEP, FAR, NEAR, depth
from symnet.expr.nodes.node import Node
from symnet.simplify.cost import typical_operations
from symnet.simplify.machine.arrangement import arrange
from symnet.simplify.numeric.guard_cost import operations_of_guards
from symnet.simplify.sealing import unsealed
from symnet.simplify.sharing import share

MOST_OF_GRADIENT = 5  # operations of value and gradient, in those of the value
MOST_OF_PRODUCT = 10  # operations of a product with the Hessian, in those of the value

Derived = tuple[list[Node], list[Node]]  # a derivative, and what it is computed beside


def cheap(value: Node, by: Sequence[Node], most: int, derive: Callable[[int], Derived]) -> list[Node]:
    """The first form of a derivative that takes at most `most` times the operations of the value, with what will guard
    it against overflow; where none does, the one that takes the fewest.

    Args:
        value: as written.
        by: what it is differentiated by.
        most: the bound.
        derive: how many values are opened → the derivative.
    """
    opened, beside = derive(FAR)
    written = typical_operations([value])
    if depth(unsealed([value]), by) < DEEP:
        return opened
    if typical_operations([*beside, *opened]) + operations_of_guards([*beside, *opened]) <= most * written:
        return opened
    written = min(written, typical_operations(arrange(share(unsealed([value])))))
    taken = _taken([*beside, *opened])
    for far in (NEAR, 0):
        if taken <= most * written:
            break
        closed, beside = derive(far)
        if (fewer := _taken([*beside, *closed])) < taken:
            opened, taken = closed, fewer
    return opened


def _taken(roots: Iterable[Node]) -> int:
    """The operations as they are computed, with what guards them."""
    plain = share(unsealed(roots))
    return typical_operations(arrange(plain)) + operations_of_guards(plain)
