"""Spellings of an expression in which what cancels may meet: multiplied out, contractions opened, seals taken off.

In: a sum or product, and the variable by which it may be 0/0.  Out: the same, as sums of terms, those that open least
first.
Not handled: more terms than `joined_sums.MOST_TERMS`; what would have to be factored in order to cancel.
"""

from __future__ import annotations

from collections.abc import Iterator

from sympy import Expr

from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.elementwise import Elementwise, is_op
from symnet.expr.nodes.graph import with_operands
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Sealed
from symnet.simplify.algebra.hoisting import is_rearranged
from symnet.simplify.forms.broadcast import align
from symnet.simplify.forms.factors import Base, Factors, distributed
from symnet.simplify.forms.signs import is_negative
from symnet.simplify.numeric.singularities.expansions import BasePowers, order_on, stands_near
from symnet.simplify.numeric.singularities.joined_sums import multiplied_out
from symnet.simplify.numeric.singularities.opened_contractions import with_contractions_opened

LEVELS_OF_TERMS = 4  # sums of products of sums that are looked into


def spellings(node: Node, u: BasePowers) -> Iterator[Node]:
    """A node, what it is multiplied out, and these with the functions of u in front of contractions."""
    plain = [node, *_multiplied_out(node, u)]
    yield from plain
    for spelling in plain:
        opened = with_contractions_opened(spelling, u)
        if opened is not None:
            yield from reversed([opened, *_multiplied_out(opened, u)])


def _multiplied_out(node: Node, u: BasePowers) -> list[Node]:
    """(f(x)·w + g(x))/x → f(x)·w/x + g(x)/x, f(x)·(1 - w/x) + … → f(x) - f(x)·w/x + …: a quotient taken to the terms
    that vanish with it, and from a sum to what it stands beside.
    """
    deep = is_op(node, "mul") or _divides_by_variable(node, u)
    if is_op(node, "add"):
        return _wholly_multiplied_out(node, u, deep)
    if not is_op(node, "mul"):
        return []
    factors = Factors.view(node)
    sums = [base for base, e in factors.powers.items() if e == 1 and is_op(base[0], "add")]
    below = [b for b, e in factors.powers.items() if is_negative(e) and (b in u or order_on(*b, u) is not None)]
    if len(sums) != 1 or not below:
        return []
    once = distributed(factors, sums[0], below)
    return [once, *(w for w in _wholly_multiplied_out(node, u, deep) if w is not once)]


def _wholly_multiplied_out(node: Node, u: BasePowers, deep: bool) -> list[Node]:
    """The node multiplied out, first the sums in which the variable stands, then all."""
    bases = {core for core, _ in u}
    needed = multiplied_out(node, deep, lambda total: stands_near(total, bases)) if deep else None
    return [w for w in dict.fromkeys((needed, multiplied_out(node, deep))) if w is not None]


def _divides_by_variable(node: Node, u: BasePowers) -> bool:
    """Whether u, or one of its bases, divides anything in a sum."""
    bases = {core for core, _ in u}
    return any(is_negative(e) and core in bases for (core, _), e in close_powers(node))


def close_powers(node: Node) -> Iterator[tuple[Base, Expr | Node]]:
    """The factors of a node, of the terms of sums among them, and so on."""
    level = [node]
    for _ in range(LEVELS_OF_TERMS):
        powers = [item for n in level for item in Factors.view(n).powers.items()]
        yield from powers
        level = [align(o, core.shape)[0] for (core, _), _ in powers if is_op(core, "add") for o in core.operands]


def without_seals(x: Node, levels: int, known: dict[Node, Node]) -> Node:
    """The node without the seals close below it: steps that are shared, and may have to cancel."""
    if x not in known:
        if isinstance(x, Sealed):
            known[x] = without_seals(x.operands[0], levels, known)
        elif not levels or not (isinstance(x, (Elementwise, Einsum)) or is_rearranged(x)):
            return x
        else:
            known[x] = with_operands(x, [without_seals(o, levels - 1, known) for o in x.operands])
    return known[x]
