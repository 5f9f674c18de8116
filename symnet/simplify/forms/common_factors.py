"""The factors that every term of a sum has.

In: a sum.  Out: the common factors, and what is left of each term.  Numbers are no common factors; `content` reads
those off.
"""

from __future__ import annotations

from sympy import Expr

from symnet.expr.nodes.node import Node
from symnet.simplify.forms.broadcast import trailing
from symnet.simplify.forms.factors import Base, Factors
from symnet.simplify.forms.signs import is_positive

PLACED = ("delta", "one_hot")  # what says where a value stands


def factored(total: Node) -> tuple[Factors, list[Node]] | None:
    """a·x and [b, c] of a·b·x + a·c·x; None where no factor is common, or every term is the common factors."""
    parts = [_factors(o, total) for o in total.operands]
    shared = _shared_powers(parts) | _roots_of_extents(parts)
    if not shared or all(part.powers == shared for part in parts):
        return None
    outside = Factors(total.shape)
    outside.powers = dict(shared)
    return outside, [_without(part, shared) for part in parts]


def _factors(term: Node, whole: Node) -> Factors:
    """The factors of a term, placed in the whole; only to look at."""
    if term.shape == whole.shape:
        return Factors.view(term)
    return Factors(whole.shape).times(term, trailing(term.rank, whole.rank))


def _shared_powers(parts: list[Factors]) -> dict[Base, Expr]:
    """The powers that every part has: the smallest exponent of one sign; diag(x) - x yᵀ stays apart, and so do rows
    that stand at different places.
    """
    deltas = len({frozenset(base for base in part.powers if base[0].kind in PLACED) for part in parts}) > 1
    shared = {b: e for b, e in parts[0].powers.items() if not isinstance(e, Node) and not (deltas and b[1])}
    for part in parts[1:]:
        if not shared:
            break
        narrowed = {}
        for base, e in shared.items():
            other = part.powers.get(base)
            if other is None or isinstance(other, Node) or is_positive(e) != is_positive(other):
                continue
            narrowed[base] = min(e, other) if is_positive(e) else max(e, other)
        shared = narrowed
    return shared


def _roots_of_extents(parts: list[Factors]) -> dict[Base, Expr]:
    """√n of √n·x - y/√n, which leaves x - y/n: the half power of an extent that most terms have, where all have one."""
    found: dict[Base, Expr] = {}
    for base in (b for b in parts[0].powers if b[0].kind == "size"):
        exponents = [part.powers.get(base) for part in parts]
        halves = [e for e in exponents if isinstance(e, Expr) and e.is_Rational and e.q == 2]
        if len(halves) == len(parts) and len({is_positive(e) for e in halves}) == 2:
            found[base] = max(halves, key=lambda e: (halves.count(e), e))
    return found


def _without(part: Factors, shared: dict[Base, Expr]) -> Node:
    left = part.copy()
    for base, exponent in shared.items():
        left.times(*base, -exponent)
    return left.build()
