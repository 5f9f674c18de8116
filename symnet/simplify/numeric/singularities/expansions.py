"""Expressions as power series of one product of their variables, and whether their digits cancel where it is 0.

In: a node, and the variable u as powers of bases.  Out: an `Expansion`, or None where the node is no analytic function
of u alone.  (1 - cos x)/x² has u = x, a·cos(a·x) has u = a·x, sin(‖w‖)/‖w‖ has u = (Σw²)^(1/2).
Not handled: functions with a branch point or a pole of their own at 0, more than `DEEPEST` levels of functions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import reduce

import sympy
from sympy import Expr

from symnet.expr.nodes.constants import number, number_of
from symnet.expr.nodes.elementwise import Elementwise, elementwise, is_op
from symnet.expr.nodes.graph import with_operands
from symnet.expr.nodes.movement import broadcast_to
from symnet.expr.nodes.node import Axes, Node
from symnet.simplify.forms.broadcast import align, trailing
from symnet.simplify.forms.coefficients import beside_one, content, divided
from symnet.simplify.forms.factors import Base, Factors
from symnet.simplify.forms.signs import is_negative, is_positive
from symnet.simplify.forms.terms import Terms
from symnet.simplify.numeric.singularities import power_series
from symnet.simplify.numeric.singularities.power_series import SERIES_OF, Series

DEEPEST = 8
RADII = (2.0, 1.5, 1.0, 0.75, 0.5, 0.375, 0.25, 0.1875, 0.125, 0.09375, 0.0625, 0.046875, 0.03125)
BasePowers = dict[Base, Expr]  # powers of bases, each with the axes along which it varies


@dataclass(frozen=True)
class Expansion:
    """What is known of a function of u about 0.

    Attributes:
        series: its power series.
        low: the lowest power of u in its terms, which may cancel.
        cancels: whether in it, or in what it is made of, terms cancel at 0: more than a power of u beside 1.
        pole: the lowest power of u in anything that it is made of, 0 where all of it is finite at 0.
        within: where |u| is below this, no condition in it changes.
    """

    series: Series
    low: int
    cancels: bool = False
    pole: int = 0
    within: float = math.inf

    def after(self, series: Series | None, low: int | None = None) -> Expansion | None:
        """The expansion of a function of this one: its series, and what is known of this one's terms."""
        if series is None or series.vanishes:
            return None
        start = series.start if low is None else low
        return replace(self, series=series, low=start, pole=min(self.pole, series.start))

    def beside(self, other: Expansion, series: Series, low: int) -> Expansion:
        """The expansion of a sum or a product of two."""
        pole = min(self.pole, other.pole, series.start)
        return Expansion(series, low, self.cancels or other.cancels, pole, min(self.within, other.within))


def zeros_of(u: BasePowers) -> set[Node]:
    """The bases of the variable that make it 0 where they are: x and y of x·y/s."""
    return {core for (core, _), e in u.items() if is_positive(e)}


def product(a: Expansion, b: Expansion) -> Expansion:
    """a·b."""
    return a.beside(b, power_series.multiply(a.series, b.series), a.low + b.low)


def power(x: Expansion, exponent: Expr) -> Expansion | None:
    """x^e."""
    if exponent == 1:
        return x
    return x.after(power_series.power(x.series, exponent))


@dataclass
class Expander:
    """The expansions of nodes by powers of u, each known to `length` coefficients."""

    length: int
    rough: bool = False  # whether a number is rounded to the floating format
    _known: dict[tuple[Node, frozenset[tuple[Base, Expr]]], Expansion | None] = field(default_factory=dict)
    _powers: dict[tuple[Base, Expr, frozenset[tuple[Base, Expr]]], Expansion | None] = field(default_factory=dict)

    def of(self, node: Node, u: BasePowers, deepest: int = DEEPEST) -> Expansion | None:
        """The expansion of a node on whose axes u stands."""
        key = (node, frozenset(u.items()))
        if key not in self._known:
            self._known[key] = self._expanded(node, u, deepest)
        return self._known[key]

    def total(self, parts: list[Expansion]) -> Expansion | None:
        """The expansion of a sum, and whether terms cancel; None where nothing is left of it."""

        def added(a: Expansion, b: Expansion) -> Expansion:
            return a.beside(b, power_series.add(a.series, b.series, self.rough), min(a.low, b.low))

        whole = reduce(added, parts)
        if whole.series.vanishes:
            return None
        return replace(whole, cancels=whole.cancels or _cancels(whole.series.start, whole.low, whole.pole))

    def variable(self, k: int) -> Expansion:
        """The expansion of u^k."""
        return Expansion(power_series.power_of_variable(k, self.length), k, pole=min(k, 0))

    def of_core(self, core: Node, axes: Axes, u: BasePowers, deepest: int = DEEPEST) -> Expansion | None:
        """The expansion of a core that varies along these axes of what u varies along."""
        inside = restricted(u, axes)
        if inside is None:
            return self.of(core, {}, deepest) if number_of(core) is not None else None
        return self.of(core, inside, deepest)

    def _expanded(self, node: Node, u: BasePowers, deepest: int) -> Expansion | None:
        value = number_of(node)
        if value is not None:
            fixed = power_series.fixed(value)
            return None if not fixed else Expansion(power_series.constant(fixed, self.length), 0)
        k = order_in(node, u)
        if k is not None:
            coefficient = power_series.fixed(primitive_of(node)[0])
            power_of_u = power_series.power_of_variable(k, self.length)
            scaled = power_series.multiply(power_series.constant(coefficient or 0, self.length), power_of_u)
            return Expansion(scaled, k, pole=min(k, 0)) if coefficient else None
        if not deepest or not isinstance(node, Elementwise):
            return None
        if node.op == "where":
            return self._of_choice(node, u, deepest)
        if node.op == "pow" and is_general_power(node):
            return self.of(as_exponential(node.operands[0], node.operands[1]), u, deepest)
        if node.op == "pow":
            base = self._operand(node, 0, u, deepest)
            return None if base is None else power(base, number_of(node.operands[1]))
        if node.op == "mul":
            return self._of_product(node, u, deepest)
        if node.op == "add":
            found = (self._operand(node, k, u, deepest) for k in range(len(node.operands)))
            parts = [p for p in found if p is not None]
            return None if len(parts) < len(node.operands) else self.total(parts)
        return self._of_function(node, u, deepest)

    def _operand(self, node: Node, place: int, u: BasePowers, deepest: int) -> Expansion | None:
        return self.of_core(*align(node.operands[place], node.shape), u, deepest - 1)

    def _of_product(self, node: Node, u: BasePowers, deepest: int) -> Expansion | None:
        """The expansion of a product of functions of u and a power of u, whose bases may stand apart."""
        factors = Factors.view(node)
        whole = self.of(number(factors.coefficient), {})
        apart = {b: e for b, e in factors.powers.items() if b in u and len(u) > 1}
        if apart:
            k = _ratio(apart, u)
            whole = None if whole is None or k is None else product(whole, self.variable(k))
        for base in factors.powers:
            if base not in apart:
                factor = None if whole is None else self.of_factor(factors, base, u, deepest - 1)
                whole = None if whole is None or factor is None else product(whole, factor)
        return whole

    def of_factor(self, factors: Factors, base: Base, u: BasePowers, deepest: int = DEEPEST) -> Expansion | None:
        """The expansion of a base to its power."""
        exponent = factors.powers[base]
        if isinstance(exponent, Node):
            core, axes = factors.placed(base)
            return self.of_core(as_exponential(core, exponent), axes, u, deepest)
        key = (base, exponent, frozenset(u.items()))
        if key not in self._powers:
            inner = self.of_core(*base, u, deepest)
            self._powers[key] = None if inner is None else power(inner, exponent)
        return self._powers[key]

    def _of_function(self, node: Elementwise, u: BasePowers, deepest: int) -> Expansion | None:
        function = SERIES_OF.get(node.op)
        inner = None if function is None else self._operand(node, 0, u, deepest)
        if function is None or inner is None or inner.series.start < 0:
            return None
        found = inner.after(function(inner.series))
        if found is None or node.op != "log":
            return found
        return replace(found, cancels=found.cancels or _cancels(found.series.start, 0, inner.pole))

    def _of_choice(self, node: Elementwise, u: BasePowers, deepest: int) -> Expansion | None:
        """The expansion of where(c, x, y): that of the branch taken around 0, or of both, where they are two formulas
        of one function.
        """
        condition, *branches = node.operands
        holds, within = self.settled_around_zero(*align(condition, node.shape), u)
        settled = [settled_in(b, condition, yes) for b, yes in zip(branches, (True, False), strict=True)]
        if holds is not None:
            branch = settled[0 if holds else 1]
            found = self.of_core(*align(branch, node.shape), u, deepest - 1)
            return None if found is None else replace(found, within=min(found.within, within))
        first, second = (self.of_core(*align(b, node.shape), u, deepest - 1) for b in settled)
        if first is None or second is None or not power_series.agree(first.series, second.series):
            return None
        both = first.beside(second, first.series, max(first.low, second.low))
        return replace(both, cancels=first.cancels and second.cancels)

    def settled_around_zero(self, condition: Node, axes: Axes, u: BasePowers) -> tuple[bool | None, float]:
        """Whether a comparison holds at 0, and how far around it that does not change."""
        compared = _COMPARED.get(condition.op) if isinstance(condition, Elementwise) else None
        inside = restricted(u, axes)
        if compared is None or inside is None:
            return None, 0.0
        for radius in RADII:
            sides = [self._bounds(*align(o, condition.shape), inside, radius) for o in condition.operands]
            if sides[0] is None or sides[1] is None:
                break
            if sides[0][1] < sides[1][0] or sides[1][1] < sides[0][0]:
                return compared[sides[0][1] < sides[1][0]], radius
        return None, 0.0

    def _bounds(self, x: Node, axes: Axes, u: BasePowers, radius: float) -> tuple[float, float] | None:
        found = self.of_core(x, axes, u)
        if found is not None:
            return None if found.series.start < 0 or found.within < radius else found.series.around_zero(radius)
        if number_of(x) == 0:
            return 0.0, 0.0
        inside = restricted(u, axes) if is_op(x, "abs") else None
        below = None if inside is None else self._bounds(*align(x.operands[0], x.shape), inside, radius)
        return None if below is None else (max(0.0, below[0], -below[1]), max(-below[0], below[1]))


def _cancels(start: int, low: int, pole: int) -> bool:
    """Whether more is lost than an ulp of 1 by one power of u: exp(x) - 1 has a function of its own."""
    return start > low and (low != 0 or start > 1 or pole < 0)


# A comparison → what it says where the first is larger, where it is smaller.
_COMPARED = {
    "lt": (False, True), "le": (False, True), "gt": (True, False), "ge": (True, False), "eq": (False, False),
    "ne": (True, True),
}  # fmt: skip


def restricted(u: BasePowers, axes: Axes) -> BasePowers | None:
    """The variable on some of the axes, numbered from the first of these; None where it varies along others."""
    inside = {a: k for k, a in enumerate(axes)}
    if not all(a in inside for _, places in u for a in places):
        return None
    return {(b, tuple(inside[a] for a in places)): e for (b, places), e in u.items()}


def settled_in(x: Node, condition: Node, holds: bool, levels: int = 4) -> Node:
    """A branch in which its condition is known."""
    if not levels or not isinstance(x, Elementwise):
        return x
    if x.op == "where" and x.operands[0] is condition:
        return settled_in(x.operands[1 if holds else 2], condition, holds, levels - 1)
    return with_operands(x, [settled_in(o, condition, holds, levels - 1) for o in x.operands])


def primitive_of(node: Node) -> tuple[Expr, BasePowers]:
    """A product as a number and powers, the number and sign of a sum taken out of it, as of the sums that divide: u of
    2·x - 2·y, and of y - x, is x - y.
    """
    factors = Factors.of(node)
    weighted = [base for base, e in factors.powers.items() if e == 1 and is_op(base[0], "xlogy")]
    for core, axes in weighted:  # d·log x; where log x is infinite, neither it nor what it is in is near 0
        del factors.powers[core, axes]
        weight, x = (align(o, core.shape) for o in core.operands)
        for each, places in (weight, (logarithm(x[0]), x[1])):
            factors.times(each, tuple(axes[a] for a in places))
    factors = factors.primitive()
    for (core, axes), e in list(factors.powers.items()) if len(factors.powers) == 1 else ():
        if e == 1 and is_op(core, "add") and content(core) == -1:
            factors = Factors(factors.shape, -factors.coefficient).times(divided(core, sympy.S.NegativeOne), axes)
    return factors.coefficient, factors.powers


def order_on(core: Node, axes: Axes, u: BasePowers) -> int | None:
    """k of a core that is a number times u^k, u on the axes of what the core stands in."""
    inside = restricted(u, axes)
    return None if inside is None else order_in(core, inside)


def order_in(node: Node, u: BasePowers) -> int | None:
    """k of a node that is a number times u^k, k not 0."""
    if not u or (node.kind == "elementwise" and not is_op(node, "mul", "pow", "add", "xlogy")):
        whole = {(node, trailing(node.rank, node.rank)): 1}
    else:
        whole = primitive_of(node)[1]
    return _ratio(whole, u)


def _ratio(powers: Mapping[Base, Expr | Node], u: BasePowers) -> int | None:
    """k of powers that are those of u^k."""
    if powers.keys() != u.keys() or any(isinstance(e, Node) for e in powers.values()):
        return None
    ratio, *others = {powers[b] / u[b] for b in u}
    return int(ratio) if not others and ratio == int(ratio) and ratio != 0 else None


def is_function(node: Node) -> bool:
    """Whether a node is a function with an expansion, a power of a sum that is no polynomial, or xᵃ."""
    if is_op(node, *SERIES_OF) or is_general_power(node):
        return True
    if not is_op(node, "pow") or not is_op(node.operands[0], "add"):
        return False
    exponent = number_of(node.operands[1])
    return exponent is not None and (not exponent.is_Integer or is_negative(exponent))


def is_general_power(node: Node) -> bool:
    """Whether something is raised to what is no number."""
    return is_op(node, "pow") and number_of(node.operands[1]) is None


def as_exponential(base: Node, exponent: Node) -> Node:
    """xᵃ as exp(a·log x), a function of a·log x; where x is not positive that is no number, and so never near 0."""
    return elementwise("exp", _exponent_of_e(base, exponent))


def _exponent_of_e(base: Node, exponent: Node) -> Node:
    return elementwise("mul", Terms.of(exponent).build() if is_op(exponent, "add") else exponent, logarithm(base))


def logarithm(x: Node) -> Node:
    """log x as the numeric form writes it."""
    value = number_of(x)
    if value is not None and is_positive(value):
        return number(sympy.log(value))
    rest = beside_one(x)
    return elementwise("log", x) if rest is None else elementwise("log1p", broadcast_to(rest, x.shape))


def argument_of(function: Node) -> Node:
    """What a function is of; of xᵃ, a·log x."""
    return _exponent_of_e(*function.operands) if is_general_power(function) else function.operands[0]
