"""Softmax and its kind as the graph spells them: e^(x - logsumexp x), and E / Σ E.

In: a node.  Out: the axes over which it is a distribution, or the sum that it is divided by.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from sympy import Expr

from symnet.expr.nodes.constants import number, number_of
from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.elementwise import elementwise, is_op, operands_of
from symnet.expr.nodes.expansion import Expand
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.reduction import Reduce


def softmax_axes(node: Node) -> list[tuple[int, ...]]:
    """The axes over which exp(x - expand(logsumexp x)) is a softmax; empty when it is none."""
    total = _logsumexp_in(node, lambda rest, x: is_op(x, "add") and rest == x.operands)
    return [] if total is None else [total.axes]


def read_softmax(node: Node) -> Reduce | None:
    """The logsumexp x of what reads as softmax x: of exp(x - expand(logsumexp x)), the terms of x opened or not."""
    return _logsumexp_in(node, lambda rest, x: Counter(rest) == Counter(terms_of(x)))


def _logsumexp_in(node: Node, adds_up: Callable[[tuple[Node, ...], Node], bool]) -> Reduce | None:
    if not is_op(node, "exp"):
        return None
    argument = node.operands[0]
    if not is_op(argument, "add"):
        return None
    for place, term in enumerate(argument.operands):
        total = _negated_logsumexp(term)
        if total is None:
            continue
        rest = argument.operands[:place] + argument.operands[place + 1 :]
        if rest == (total.operands[0],) or adds_up(rest, total.operands[0]):
            return total
    return None


def terms_of(x: Node) -> tuple[Node, ...]:
    """The terms of a sum, of -(a + b)/2 those of -a/2 - b/2; any other node itself."""
    if is_op(x, "add"):
        return x.operands
    value, total = (number_of(x.operands[0]), x.operands[1]) if is_op(x, "mul") and len(x.operands) == 2 else (None, x)
    return tuple(_times(value, t) for t in total.operands) if value is not None and is_op(total, "add") else (x,)


def _times(value: Expr, term: Node) -> Node:
    """A term with another number before it."""
    first, *others = operands_of("mul", term)
    own = number_of(first)
    factors = [first, *others] if own is None else others
    value = value if own is None else value * own
    numbers: list[Node] = [] if value == 1 and factors else [number(value)]
    return _product([*numbers, *factors])


def _product(factors: list[Node]) -> Node:
    return factors[0] if len(factors) == 1 else elementwise("mul", *factors)


def _negated_logsumexp(term: Node) -> Reduce | None:
    """The node logsumexp(x), where the term is -1·expand(logsumexp(x)) and repeats along the axes that were reduced."""
    if not is_op(term, "mul") or len(term.operands) != 2 or number_of(term.operands[0]) != -1:
        return None
    repeated = term.operands[1]
    total = repeated.operands[0] if isinstance(repeated, Expand) else repeated
    if not isinstance(total, Reduce) or total.op != "logsumexp":
        return None
    if isinstance(repeated, Expand):
        return total if repeated.new_axes == total.axes and repeated.rank == total.operands[0].rank else None
    return total if total.axes == tuple(range(len(total.axes))) else None  # repeated by broadcasting


def reciprocal_total(factor: Node) -> Einsum | None:
    """The total s that a factor divides by: of (expand s)⁻¹ and of expand(s⁻¹); None for other factors."""
    seen_power = False
    while True:
        if is_op(factor, "pow") and number_of(factor.operands[1]) == -1 and not seen_power:
            seen_power, factor = True, factor.operands[0]
        elif isinstance(factor, Expand) and factor.rank - 1 not in factor.axes:
            factor = factor.operands[0]
        else:
            return factor if seen_power and isinstance(factor, Einsum) else None


def sums_last_axis(total: Einsum) -> bool:
    """Whether an einsum is the sum over its operand's last axis."""
    indices = total.inputs[0]
    return total.is_sum and total.output == indices[:-1]
