"""Exponentials of an array relative to its maximum, and their sum: the parts of log-sum-exp and softmax.

In: x and the axes of classes.  Out: `Shifted`: the finite maximum, d = x - max, e = exp(d), and t with Σ e = 1 + t.
t is summed without the 1 that the largest element contributes: log(1 + t) = log1p(t) then keeps its digits when one
class holds nearly all the probability.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy

from symnet.expr.facts.softmax import softmax_axes
from symnet.expr.nodes.constants import number, number_of
from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.contraction import sum as sum_over
from symnet.expr.nodes.elementwise import elementwise, is_op
from symnet.expr.nodes.node import Axes, Node
from symnet.expr.nodes.reduction import Reduce, along, top_along
from symnet.simplify.forms.broadcast import align
from symnet.simplify.forms.coefficients import split_coefficient


def distance_below(x: Node, top: Node) -> Node:
    """x - top, exactly 0 where they are equal."""
    away = elementwise("add", x, elementwise("mul", -1, top))
    return elementwise("where", elementwise("eq", x, top), 0, away)


def softmax_argument(softmax: Node) -> Node:
    """x of the canonical softmax exp(x - logsumexp(x)): the operand of its log-sum-exp."""
    (axes,) = softmax_axes(softmax)
    for term in softmax.operands[0].operands:
        factors = split_coefficient(align(term, softmax.shape)[0])[1]
        total = factors[0] if len(factors) == 1 else None
        if isinstance(total, Reduce) and total.op == "logsumexp" and total.axes == axes:
            return total.operands[0]
    raise AssertionError("a softmax has its log-sum-exp")


def is_total(node: Node) -> bool:
    """Whether a node is 1 + t with t the `excess` of an array: the exponential of its largest element is the 1."""
    if not is_op(node, "add") or len(node.operands) != 2 or number_of(node.operands[0]) != 1:
        return False
    excess = node.operands[1]
    others = excess.operands[0] if is_op(excess, "add") else excess
    if not isinstance(others, Einsum) or not others.is_sum or not is_op(others.operands[0], "where"):
        return False
    is_top = others.operands[0].operands[0]
    axes = tuple(a for a, i in enumerate(others.inputs[0]) if i not in others.output)
    return is_op(is_top, "eq") and Shifted(is_top.operands[0], axes).excess is excess


@dataclass(frozen=True)
class Shifted:
    """The parts for x over `axes`; every user of one x builds the same nodes, so they are computed once."""

    x: Node
    axes: Axes

    @property
    def maximum(self) -> Node:
        """max x, or 0 where that is not finite (so that ∞ - ∞ does not spoil the sum)."""
        highest = top_along(self.x, self.axes)
        finite = elementwise("lt", elementwise("abs", highest), number(sympy.oo))
        return elementwise("where", finite, highest, 0)

    @property
    def is_top(self) -> Node:
        """Where x is its maximum."""
        return elementwise("eq", self.x, self.repeated(self.maximum))

    @property
    def distance(self) -> Node:
        """x - max x <= 0, exactly 0 at the top: a fused 3·z - max(3·z) would be what max(3·z) was rounded by."""
        return distance_below(self.x, self.repeated(self.maximum))

    @property
    def exponential(self) -> Node:
        """exp(x - max x), in [0, 1]."""
        return elementwise("exp", self.distance)

    @property
    def excess(self) -> Node:
        """t = Σ exp(x - max x) - 1: the other classes, and ties beyond the first."""
        others = sum_over(elementwise("where", self.is_top, 0, self.exponential), self.axes)
        ties = sum_over(elementwise("indicator", self.is_top), self.axes)
        return elementwise("add", others, elementwise("add", ties, -1))

    @property
    def log_total(self) -> Node:
        """log Σ exp(x - max x) = log1p(t)."""
        return elementwise("log1p", self.excess)

    def repeated(self, reduced: Node) -> Node:
        """A value per row, repeated along the classes."""
        return along(self.x, reduced, self.axes)

    @property
    def reciprocal_total(self) -> Node:
        """1/(1 + t), repeated to x's shape."""
        return self.repeated(elementwise("pow", elementwise("add", 1, self.excess), -1))

    @property
    def softmax(self) -> Node:
        return elementwise("mul", self.exponential, self.reciprocal_total)
