"""Values as m·exp(s): a mantissa, and an exponent known as a sum of terms.

In: a node, its operands already taken apart.  Out: the node taken apart.  A product adds the exponents of its factors,
a power multiplies them, a move moves them, and a sum takes the largest (`largest.py`):
Σ mᵢ·exp(sᵢ) = (Σ mᵢ·exp(sᵢ - N))·exp(N).  What all the sᵢ share is taken out before, so that what multiplies and what
divides cancel as terms, exactly.
Not handled: products of matrices that both hold exponentials (each is taken relative to its own largest).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import sympy
from sympy import Expr

from symnet.expr.facts.assumptions import known
from symnet.expr.nodes.constants import number, number_of
from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.elementwise import elementwise, is_op, where
from symnet.expr.nodes.expansion import Expand
from symnet.expr.nodes.graph import with_operands
from symnet.expr.nodes.movement import broadcast_to
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Sealed
from symnet.simplify.algebra.hyperbolic import exponential_difference
from symnet.simplify.forms.broadcast import without_repetition
from symnet.simplify.forms.coefficients import ONE, negated, product, sum_of_all
from symnet.simplify.forms.exponential_numbers import split_number
from symnet.simplify.forms.factors import split_power
from symnet.simplify.forms.shifted import distance_below
from symnet.simplify.forms.terms import Terms
from symnet.simplify.numeric.exponentials.exponential_parts import largest
from symnet.simplify.numeric.exponentials.largest import Largest, times_power, where_it_counts
from symnet.simplify.numeric.exponentials.scaled_contractions import of_contraction
from symnet.simplify.numeric.exponentials.shifts import Scaled, added, is_repeated_one, joined, without_shared

MOVES = ("expand", "reshape", "slice", "take", "place", "concat")


def unmoved(x: Node, transposes: bool = False) -> Node:
    """The array whose elements x takes somewhere else: y, for x = pad(y[1:]).

    transposes: y for x = yᵀ, too.
    """
    while (x.kind in MOVES and x.kind != "concat") or (transposes and isinstance(x, Einsum) and x.is_transpose):
        x = x.operands[0]
    return x


@dataclass
class Apart:
    """The values that were taken apart so far, and the largest exponents that they are relative to."""

    scaled: dict[Node, Scaled] = field(default_factory=dict)
    largest: Largest = field(default_factory=Largest)

    def take(self, node: Node, plain: dict[Node, Node], exact: bool) -> None:
        """Take a value apart.

        Args:
            node: a product, sum, power, choice, move or contraction of exponentials, or one of those.
            plain: its operands as they are computed where they are not taken apart.
            exact: whether it matters where it vanishes: it divides, or its logarithm is asked for.
        """
        self.scaled[node] = self._apart(node, plain, exact)

    def value(self, node: Node) -> Node:
        """The value m·exp(s) of a node that was taken apart."""
        whole = self.scaled[node]
        power = elementwise("exp", where_it_counts(whole.mantissa, whole.shift.build()))
        return broadcast_to(
            times_power(whole.mantissa, power) if whole.shift.coefficients else whole.mantissa, node.shape
        )

    def logarithm(self, node: Node) -> Node:
        """log m + s of a node that was taken apart."""
        shift, log = self.scaled[node].shift, elementwise("log", self.scaled[node].mantissa)
        return broadcast_to(elementwise("add", shift.build(), log), shift.shape) if shift.coefficients else log

    def _apart(self, node: Node, plain: dict[Node, Node], exact: bool) -> Scaled:
        if is_op(node, *TAKEN_APART):
            scaled: Scaled = TAKEN_APART[node.op](plain[node.operands[0]])
            if known(node, "unit"):
                self.largest.keep(scaled.shift, with_operands(node, [plain[node.operands[0]]]))
            return scaled
        operands = [self.scaled.get(o) or _of_other(plain[o]) for o in node.operands]
        if node.kind == Sealed.kind:
            return operands[0]
        if isinstance(node, Einsum):
            return of_contraction(node, operands, self.largest, exact)
        if isinstance(node, Expand):
            return _repeated(node, operands[0])
        if node.kind in MOVES:
            return _moved(node, operands)
        if is_op(node, "add"):
            return _of_sum(node, operands, self.largest, exact)
        return ELEMENTWISE[node.op](node, operands)


# --------------------------------------------------------------------------- elementwise


def _of_other(value: Node) -> Scaled:
    """A value without exponentials, which has an exponent where it is a number that is not moderate."""
    fixed = number_of(without_repetition(value))
    mantissa, exponent = (fixed, sympy.S.Zero) if fixed is None else split_number(fixed)
    if exponent == 0:
        return Scaled(value, Terms(value.shape))
    return Scaled(broadcast_to(number(mantissa), value.shape), Terms(value.shape).plus(number(exponent), ()))


def _of_exponential(u: Node) -> Scaled:
    return Scaled(broadcast_to(number(1), u.shape), Terms.of(u))


def _of_logistic(u: Node) -> Scaled:
    """σ(u) = exp(-softplus(-u))."""
    return Scaled(
        broadcast_to(number(1), u.shape), Terms.of(elementwise("mul", -1, elementwise("softplus", negated(u))))
    )


def _of_hyperbolic_cosine(u: Node) -> Scaled:
    """cosh(u) = (1 + exp(-2·|u|))/2·exp(|u|)."""
    size = elementwise("abs", u)
    below = elementwise("exp", elementwise("mul", -2, size))
    return Scaled(elementwise("mul", number(sympy.S.Half), elementwise("add", 1, below)), Terms.of(size))


def _of_hyperbolic_sine(u: Node) -> Scaled:
    """sinh(u) = -sign(u)·expm1(-2·|u|)/2·exp(|u|)."""
    size = elementwise("abs", u)
    below = elementwise("expm1", elementwise("mul", -2, size))
    return Scaled(elementwise("mul", number(-sympy.S.Half), elementwise("sign", u), below), Terms.of(size))


def _of_product(node: Node, operands: list[Scaled]) -> Scaled:
    shift = Terms(node.shape)
    for each in operands:
        added(shift, each.shift)
    mantissas = [o.mantissa for o in operands if number_of(without_repetition(o.mantissa)) != 1]
    return Scaled(broadcast_to(product(ONE, tuple(mantissas)), node.shape), shift)


def _of_power(node: Node, operands: list[Scaled]) -> Scaled:
    _, exponent = split_power(node)
    assert isinstance(exponent, Expr)
    base = operands[0]
    mantissa = (
        base.mantissa
        if number_of(without_repetition(base.mantissa)) == 1
        else with_operands(node, [base.mantissa, node.operands[1]])
    )
    return Scaled(broadcast_to(mantissa, node.shape), added(Terms(node.shape), base.shift, exponent))


def _of_sum(node: Node, operands: list[Scaled], tops: Largest, exact: bool) -> Scaled:
    shifts = [added(Terms(node.shape), o.shift) for o in operands]
    shared, rests = without_shared(shifts)
    mantissas = [o.mantissa for o in operands]
    if not any(r.coefficients for r in rests):
        return Scaled(with_operands(node, mantissas), shared)
    if exponential_difference(node) is not None:
        exponents = [r.build() for r in rests]
        return Scaled(_difference(operands, exponents), joined(shared, largest(exponents)))
    terms, top = tops.among(mantissas, rests, exact)
    return Scaled(broadcast_to(sum_of_all(terms), node.shape), joined(shared, top))


def _difference(operands: list[Scaled], exponents: list[Node]) -> Node:
    """exp(a) - exp(b) below the larger: sign(a - b)·(1 - exp(-|a - b|))."""
    a, b = exponents if number_of(without_repetition(operands[0].mantissa)) == 1 else exponents[::-1]
    away = distance_below(a, b)
    below = elementwise("expm1", elementwise("mul", -1, elementwise("abs", away)))
    return elementwise("mul", -1, elementwise("sign", away), below)


def _of_choice(node: Node, operands: list[Scaled]) -> Scaled:
    condition, *branches = operands
    mantissa = with_operands(node, [condition.mantissa, *(b.mantissa for b in branches)])
    if branches[0].mantissa is branches[1].mantissa:
        mantissa = broadcast_to(branches[0].mantissa, node.shape)
    shifts = [added(Terms(node.shape), b.shift) for b in branches]
    chosen = [
        number(0) if number_of(without_repetition(b.mantissa)) == 0 else s.build()
        for b, s in zip(branches, shifts, strict=True)
    ]
    if shifts[0].coefficients == shifts[1].coefficients:
        return Scaled(mantissa, shifts[0])
    return Scaled(mantissa, joined(Terms(node.shape), where(condition.mantissa, *chosen)))


def _repeated(node: Expand, operand: Scaled) -> Scaled:
    shift = Terms(node.shape)
    for (factors, axes), c in operand.shift.coefficients.items():
        shift.plus(product(ONE, factors), tuple(node.axes[a] for a in axes), c)
    return Scaled(with_operands(node, [operand.mantissa]), shift)


def _moved(node: Node, operands: list[Scaled]) -> Scaled:
    shapes = [o.shape for o in node.operands]
    if node.kind in ("take", "slice", "reshape") and is_repeated_one(operands[0].mantissa):
        mantissa = broadcast_to(number(1), node.shape)
    else:
        mantissa = with_operands(node, [o.mantissa for o in operands])
    if not any(o.shift.coefficients for o in operands):
        return Scaled(mantissa, Terms(node.shape))
    if node.kind == "concat":
        moved = with_operands(node, [broadcast_to(o.shift.build(), s) for o, s in zip(operands, shapes, strict=True)])
    else:
        moved = with_operands(node, [broadcast_to(operands[0].shift.build(), shapes[0]), *node.operands[1:]])
    return Scaled(mantissa, joined(Terms(node.shape), moved))


TAKEN_APART: dict[str, Callable[[Node], Scaled]] = {
    "exp": _of_exponential,
    "sigmoid": _of_logistic,
    "cosh": _of_hyperbolic_cosine,
    "sinh": _of_hyperbolic_sine,
}
ELEMENTWISE: dict[str, Callable[[Node, list[Scaled]], Scaled]] = {
    "mul": _of_product,
    "pow": _of_power,
    "where": _of_choice,
}
