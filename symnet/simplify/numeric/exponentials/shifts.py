"""Exponents of values that are taken apart: sums of terms, moved and added up with the values' axes.

In: exponents as `Terms`, and where their axes stand.  Out: exponents of products, contractions and of what is moved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sympy import Expr

from symnet.expr.nodes.constants import number, number_of
from symnet.expr.nodes.contraction import contract
from symnet.expr.nodes.elementwise import elementwise, operands_of
from symnet.expr.nodes.movement import broadcast_to
from symnet.expr.nodes.node import Axes, Node, Shape
from symnet.simplify.forms.broadcast import spread, trailing, without_repetition
from symnet.simplify.forms.coefficients import ONE, product
from symnet.simplify.forms.terms import Terms

Placed = tuple[Node, Axes]  # a value, and where its axes stand


@dataclass(frozen=True)
class Scaled:
    """mantissa·exp(shift), the mantissa of the value's shape."""

    mantissa: Node
    shift: Terms


def added(total: Terms, shift: Terms, coefficient: Expr = ONE) -> Terms:
    """The total with a multiple of a shift whose shape broadcasts to its own."""
    lead = len(total.shape) - len(shift.shape)
    for (factors, axes), c in shift.coefficients.items():
        total.plus(product(ONE, factors), tuple(a + lead for a in axes), c * coefficient)
    return total


def placed(total: Terms, shift: Terms, places: Axes, coefficient: Expr = ONE) -> Terms:
    """The total with a multiple of a shift whose axes stand at `places`."""
    for (factors, axes), c in shift.coefficients.items():
        plus_in_order(total, product(ONE, factors), tuple(places[a] for a in axes), c * coefficient)
    return total


def plus_in_order(total: Terms, core: Node, axes: Axes, coefficient: Expr) -> Terms:
    """The exponent with one more term, whose axes may stand in another order than in the whole."""
    ordered = tuple(sorted(axes))
    if ordered != axes:
        core = contract([axes], ordered, broadcast_to(core, tuple(total.shape[a] for a in axes)))
    return total.plus(core, ordered, coefficient)


def joined(shift: Terms, node: Node, count: Expr = ONE) -> Terms:
    """The exponent with `count` times one more term."""
    return copied(shift).plus(node, trailing(node.rank, len(shift.shape)), count)


def copied(shift: Terms) -> Terms:
    """A copy of an exponent, to which terms may be added."""
    new = Terms(shift.shape)
    new.coefficients = dict(shift.coefficients)
    return new


def over_places(shift: Terms, places: Axes) -> Terms:
    """The exponent over the axes at `places` alone, in that order."""
    new = Terms(tuple(shift.shape[p] for p in places))
    for (factors, axes), c in shift.coefficients.items():
        plus_in_order(new, product(ONE, factors), tuple(places.index(a) for a in axes), c)
    return new


def live_axes(shift: Terms) -> Axes:
    """The axes along which the shift varies."""
    return tuple(sorted({a for _, axes in shift.coefficients for a in axes}))


def without_shared(shifts: list[Terms]) -> tuple[Terms, list[Terms]]:
    """The terms that all shifts have, and what is left of each."""
    shared = Terms(shifts[0].shape)
    first = shifts[0].coefficients
    shared.coefficients = {k: c for k, c in first.items() if all(s.coefficients.get(k) == c for s in shifts)}
    rests = []
    for each in shifts:
        rest = Terms(each.shape)
        rest.coefficients = {k: c for k, c in each.coefficients.items() if k not in shared.coefficients}
        rests.append(rest)
    return shared, rests


def placed_product(values: Sequence[Placed], axes: Axes, shape: Shape) -> Node:
    """The product of values over these axes, of this shape; each value comes with the axes, or indices, that its own
    stand at.
    """
    factors = []
    for value, own in values:
        if not is_repeated_one(value):
            ordered = tuple(i for i in axes if i in own)
            core = value if ordered == own else contract([own], ordered, value)
            factors.append(spread(core, tuple(axes.index(i) for i in ordered), shape))
    if not factors:
        return broadcast_to(number(1), shape)
    factors = [f for o in factors for f in operands_of("mul", o)]
    return broadcast_to(factors[0] if len(factors) == 1 else elementwise("mul", *factors), shape)


def is_repeated_one(value: Node) -> bool:
    """Whether a value is 1, repeated perhaps."""
    return number_of(without_repetition(value)) == 1
