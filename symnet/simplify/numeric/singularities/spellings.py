"""Spellings of an expression in which what cancels may meet: multiplied out, contractions opened, seals taken off.

In: a sum or product, and the variable by which it may be 0/0.  Out: the same, as sums of terms, those that open least
first.
Not handled: more terms than were asked for; what would have to be factored in order to cancel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.elementwise import Elementwise, is_op
from symnet.expr.nodes.graph import with_operands
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Sealed
from symnet.simplify.algebra.hoisting import is_rearranged
from symnet.simplify.forms.factors import Base, Factors, distributed
from symnet.simplify.forms.signs import is_negative
from symnet.simplify.numeric.singularities.added_arguments import with_arguments_added
from symnet.simplify.numeric.singularities.expansions import BasePowers, order_on, zeros_of
from symnet.simplify.numeric.singularities.joined_sums import multiplied_out
from symnet.simplify.numeric.singularities.opened_contractions import hides_divisor, with_contractions_opened
from symnet.simplify.numeric.singularities.variables import close_powers, has_divisors, stands_near


def spellings(node: Node, u: BasePowers, most: int, vanishes: Callable[[Base], bool]) -> Iterator[Node]:
    """A node, what it is multiplied out, and these with the functions of u in front of contractions.

    Args:
        node: the sum or product.
        u: the variable.
        most: how many terms may be made.
        vanishes: whether a base is 0 where u is.
    """
    plain = {node: None}
    yield node
    added = with_arguments_added(node, u) if _divides_by_variable(node, u) else node
    if added is not node:
        yield from spellings(added, u, most, vanishes)
        return
    for spelling in _multiplied_out(node, u, most, vanishes):
        if spelling not in plain:
            plain[spelling] = None
            yield spelling
    bases, seen = zeros_of(u), set(plain)
    for spelling in plain:
        divides = _divides_by_variable(spelling, u) or hides_divisor(spelling, bases)
        opened = with_contractions_opened(spelling, u) if divides else None
        if opened is not None:
            for each in (*_multiplied_out(opened, u, most, vanishes), opened):
                if each not in seen:
                    seen.add(each)
                    yield each


def _multiplied_out(node: Node, u: BasePowers, most: int, vanishes: Callable[[Base], bool]) -> Iterator[Node]:
    """(f(x)·w + g(x))/x → f(x)·w/x + g(x)/x, f(x)·(1 - w/x) + … → f(x) - f(x)·w/x + …: a quotient taken to the terms
    that vanish with it, and from a sum to what it stands beside; sums in which the variable stands, small ones, all.
    """
    if is_op(node, "add"):
        deep = any(is_negative(e) and (b[0] in zeros_of(u) or vanishes(b)) for b, e in close_powers(node))
    elif not is_op(node, "mul"):
        return
    else:
        factors = Factors.view(node)
        sums = [base for base, e in factors.powers.items() if e == 1 and is_op(base[0], "add")]
        below = [
            b for b, e in factors.powers.items() if is_negative(e) and (order_on(*b, u) is not None or vanishes(b))
        ]
        deep = bool(below) or any(has_divisors(core) for (core, _), e in factors.powers.items() if e in (1, 2))
        if not deep:
            return
        if len(sums) == 1 and below:
            yield distributed(factors, sums[0], below)
    bases = {core for core, _ in u}
    if deep:
        held = multiplied_out(node, deep, lambda total: total not in bases and stands_near(total, bases), most)
        yield from _if_any(held)
    yield from _if_any(multiplied_out(node, deep))
    if deep:
        yield from _if_any(multiplied_out(node, deep, lambda total: True, most))


def _if_any(node: Node | None) -> list[Node]:
    return [] if node is None else [node]


def _divides_by_variable(node: Node, u: BasePowers) -> bool:
    """Whether u, or one of its bases, divides anything in a sum."""
    bases = zeros_of(u)
    return any(is_negative(e) and core in bases for (core, _), e in close_powers(node))


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
