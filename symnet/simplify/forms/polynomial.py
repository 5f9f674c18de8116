"""Small polynomials: products of sums multiplied out where that makes terms cancel.

In: a sum in normal form.  Out: the same sum multiplied out, for the caller to compare; or None.
Not handled: products with more than `LARGEST` monomials, powers of sums above the second.
"""

from __future__ import annotations

from collections import Counter
from itertools import product as cartesian

from symnet.expr.nodes.elementwise import elementwise, is_op
from symnet.expr.nodes.node import Axes, Node
from symnet.simplify.forms.broadcast import trailing
from symnet.simplify.forms.factors import Base, Factors
from symnet.simplify.forms.terms import Terms

LARGEST = 16  # monomials of one product
MOST_TERMS = 24  # of the sum


def expanded(node: Node) -> Node | None:
    """The sum with those products multiplied out whose monomials meet others; None when there are none."""
    if len(node.operands) > MOST_TERMS:
        return None
    choices = [monomials(o, node) for o in node.operands]
    seen = Counter(key for choice in choices for key in {_key(f) for f in choice})
    useful = [len(c) > 1 and any(seen[_key(f)] > 1 for f in c) for c in choices]
    if not any(useful):
        return None
    parts = [
        [f.build() for f in choice] if use else [operand]
        for operand, choice, use in zip(node.operands, choices, useful, strict=True)
    ]
    flat = [p for part in parts for p in part]
    return Terms.of(elementwise("add", *flat)).build()


def _key(factors: Factors) -> frozenset[tuple[Base, object]]:
    return frozenset(factors.powers.items())


def monomials(term: Node, whole: Node) -> list[Factors]:
    """A term as a sum of products: the term itself when it has no sum factor, or too many monomials."""
    factors = Factors(whole.shape).times(term, trailing(term.rank, whole.rank))
    sums = [(base, e) for base, e in factors.powers.items() if is_op(base[0], "add") and e in (1, 2)]
    size = 1
    for (core, _), e in sums:
        size *= len(core.operands) ** int(e)
    if not sums or size > LARGEST:
        return [factors]
    plain = factors.copy()
    choices: list[list[tuple[Node, Axes]]] = []
    for (core, axes), e in sums:
        del plain.powers[(core, axes)]
        choices += [[(o, axes[len(axes) - o.rank :]) for o in core.operands]] * int(e)
    out = []
    for pick in cartesian(*choices):
        each = plain.copy()
        for operand, axes in pick:
            each.times(operand, axes)
        out.append(each)
    return out
