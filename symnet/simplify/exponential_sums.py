"""A pass of the numeric form: logarithms and quotients of sums of exponentials, which would overflow or cancel.

In: nodes in the algebra form; softmax, log-sum-exp and the logistic function over all of a sum are found there and
have passes of their own.  Out: the rest of the family: sums written out, with weights, with numbers, differences of
two.  A sum is seen as Σ exp(uₖ), a number c among the terms being exp(log c), and everything is taken relative to the
largest uₖ.
Not handled: more than one term with a minus sign; weights that vary in sign.
Source of log(1 - e⁻ˣ): Maechler, "Accurately computing log(1 - exp(-|a|))", 2012.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import sympy
from sympy import Expr

from symnet.expr.assumptions import known
from symnet.expr.constants import number, number_of
from symnet.expr.contraction import Einsum
from symnet.expr.contraction import sum as sum_over
from symnet.expr.elementwise import elementwise, equal, is_op, where
from symnet.expr.movement import broadcast_to
from symnet.expr.node import Node, Shape
from symnet.expr.reduction import along, reduce
from symnet.simplify.broadcast import Axes, cover, restrict
from symnet.simplify.coefficients import ONE, product, split_coefficient
from symnet.simplify.engine import Rewrite
from symnet.simplify.factors import Base, Factors
from symnet.simplify.hyperbolic import exponent_of, minus, take_exponential_in
from symnet.simplify.shifted import distance_below
from symnet.simplify.signs import is_negative, is_positive, is_whole

LOG_HALF = number(-sympy.log(2))


def _is_relative(x: Node) -> bool:
    """Whether x is a distance below the largest, made here."""
    if not is_op(x, "where"):
        return False
    condition, a, b = x.operands
    if is_op(condition, "ne"):
        return number_of(b) == 0 and _is_relative(a)
    return is_op(condition, "eq") and number_of(a) == 0 and x is distance_below(*condition.operands)


def _finite(x: Node) -> Node:
    """x, or 0 where it is not finite, so that ∞ - ∞ does not spoil a sum."""
    return where(elementwise("lt", elementwise("abs", x), number(sympy.oo)), x, 0)


# --------------------------------------------------------------------------- a sum and its parts


@dataclass(frozen=True)
class Part:
    """Σ w·exp(u) over `axes` (none: exp(u) alone); w is None where it is 1."""

    argument: Node
    axes: Axes = ()
    weight: Node | None = None

    @property
    def highest(self) -> Node:
        """The largest u, of those that count."""
        if not self.axes:
            return self.argument
        if self.weight is None:
            return reduce("max", self.argument, self.axes)
        counts = elementwise("ne", self.weight, 0)
        return reduce("max", where(counts, self.argument, number(-sympy.oo)), self.axes)

    def times(self, coefficient: Expr) -> Part:
        """A positive multiple of the part."""
        log = number(sympy.log(coefficient))
        argument = log if number_of(self.argument) == 0 else elementwise("add", self.argument, log)
        return Part(argument, self.axes, self.weight)

    @property
    def is_bounded(self) -> bool:
        """Whether exp(u) cannot overflow: it is a number, a softmax, or was taken relative to the largest."""
        return not self.argument.rank or _is_relative(self.argument) or known(elementwise("exp", self.argument), "unit")

    def distance(self, shift: Node) -> Node:
        """u - shift, 0 where there is no weight (there u may stand above the shift)."""
        away = distance_below(self.argument, along(self.argument, shift, self.axes) if self.axes else shift)
        return away if self.weight is None else where(elementwise("ne", self.weight, 0), away, 0)

    def _summed(self, x: Node) -> Node:
        return sum_over(x, self.axes) if self.axes else x

    def relative(self, shift: Node) -> Node:
        """Σ w·exp(u - shift)."""
        power = elementwise("exp", self.distance(shift))
        return self._summed(power if self.weight is None else elementwise("mul", self.weight, power))

    def below_top(self, shift: Node) -> tuple[Node, Node]:
        """Σ exp(u - shift) over the u below the shift, and how many stand at it."""
        top = equal(self.argument, along(self.argument, shift, self.axes) if self.axes else shift)
        rest = where(top, 0, elementwise("exp", self.distance(shift)))
        return self._summed(rest), self._summed(elementwise("indicator", top))


def parts_of(total: Node) -> list[Part] | None:
    """The parts of a sum of positive multiples of exponentials; None where it is none."""
    parts = [_part(o) for o in (total.operands if is_op(total, "add") else (total,))]
    if any(p is None for p in parts):
        return None
    return parts  # type: ignore[return-value]


def _part(term: Node) -> Part | None:
    coefficient, factors = split_coefficient(term)
    if not is_positive(coefficient) or len(factors) > 1:
        return None
    if not factors:
        return Part(number(sympy.log(coefficient)))
    (core,) = factors
    part = _summed_part(core) if isinstance(core, Einsum) else _exponential(core)
    return part if part is None or coefficient == 1 else part.times(coefficient)


def _exponential(core: Node) -> Part | None:
    argument = exponent_of(core)
    return None if argument is None else Part(argument)


def _summed_part(total: Einsum) -> Part | None:
    """Σ w·exp(u), the weights known not to be negative."""
    if not total.is_sum:
        return None
    inside = total.operands[0]
    factors = inside.operands if is_op(inside, "mul") else (inside,)
    powers = [f for f in factors if exponent_of(f) is not None and f.shape == inside.shape]
    rest = tuple(f for f in factors if f not in powers)
    if len(powers) != 1 or not all(known(f, "nonnegative") for f in rest):
        return None
    kept = set(total.output)
    axes = tuple(a for a, i in enumerate(total.inputs[0]) if i not in kept)
    weight = broadcast_to(product(ONE, rest), inside.shape) if rest else None
    return Part(exponent_of(powers[0]), axes, weight)  # type: ignore[arg-type]


def highest(parts: list[Part]) -> Node:
    """The largest argument of all."""
    top = parts[0].highest
    for part in parts[1:]:
        top = elementwise("maximum", top, part.highest)
    return top


# --------------------------------------------------------------------------- logarithms


def log_of_sum_of_exponentials_by_its_largest(node: Node) -> Node | None:
    """log(exp(a) + 2·exp(b) + Σ exp(z)) → M + log1p(t), M the largest of a, b + log 2, z, the sum exp(M)·(1 + t).

    Condition: a term may overflow or vanish (a softmax does not).
    """
    coefficient, factors = split_coefficient(node.operands[0])
    parts = parts_of(factors[0]) if len(factors) == 1 and is_positive(coefficient) else None
    if parts is None or not _needs_shift(parts):
        return None
    if coefficient != 1:
        parts = [p.times(coefficient) for p in parts]
    if len(parts) == 2 and not any(p.axes for p in parts):
        return broadcast_to(_log_of_two(parts[0].argument, parts[1].argument), node.shape)
    top = broadcast_to(highest(parts), node.shape)
    shift = _finite(top)
    if any(p.weight is not None for p in parts):
        rest = elementwise("log", _total([p.relative(shift) for p in parts]))
        return broadcast_to(elementwise("add", shift, rest), node.shape)
    sums = [p.below_top(shift) for p in parts]
    ties = _total([*(count for _, count in sums), number(-1)])
    rest = elementwise("log1p", elementwise("add", _total([low for low, _ in sums]), ties))
    return broadcast_to(elementwise("add", shift, rest), node.shape)


def _needs_shift(parts: list[Part]) -> bool:
    """Whether a term may overflow, or all that have a weight vanish."""
    if any(p.weight is not None and not _is_relative(p.argument) for p in parts):
        return True
    return len(parts) > 1 and not all(p.is_bounded for p in parts)


def _log_of_two(a: Node, b: Node) -> Node:
    """log(exp(a) + exp(b)): the larger and softplus of what the other lies below it."""
    if number_of(a) == 0:
        return elementwise("softplus", b)
    if number_of(b) == 0:
        return elementwise("softplus", a)
    below = elementwise("mul", -1, elementwise("abs", minus(a, b)))
    apart = elementwise("add", elementwise("maximum", a, b), elementwise("softplus", below))
    return where(equal(a, b), elementwise("add", a, number(sympy.log(2))), apart)  # also for a = b = ∞


def _total(terms: list[Node]) -> Node:
    return terms[0] if len(terms) == 1 else elementwise("add", *terms)


def log_of_difference_of_exponentials(node: Node) -> Node | None:
    """log(c·exp(a) - c·exp(b)) → log c + a + log(1 - exp(b - a)), by expm1 where b is near a, by log1p elsewhere.

    Condition: c is a positive number; a number is an exponential of a number.
    """
    coefficient, factors = split_coefficient(node.operands[0])
    if len(factors) != 1 or not is_positive(coefficient) or not is_op(factors[0], "add"):
        return None
    terms = [split_coefficient(o) for o in factors[0].operands]
    if len(terms) != 2 or is_negative(terms[0][0]) == is_negative(terms[1][0]):
        return None
    upper, lower = sorted(terms, key=lambda term: is_negative(term[0]))
    a, b = (_part(product(abs(c), each)) for c, each in (upper, lower))
    if a is None or b is None or a.axes or b.axes:
        return None
    result = _log_of_complement(minus(b.argument, a.argument))
    heads = [h for h in (number(sympy.log(coefficient)), a.argument) if number_of(h) != 0]
    return broadcast_to(elementwise("add", *heads, result) if heads else result, node.shape)


def _log_of_complement(u: Node) -> Node:
    """log(1 - exp(u)), u < 0."""
    near = elementwise("log", elementwise("mul", -1, elementwise("expm1", u)))
    far = elementwise("log1p", elementwise("mul", -1, elementwise("exp", u)))
    return where(elementwise("gt", u, LOG_HALF), near, far)


# --------------------------------------------------------------------------- quotients


def quotient_of_exponentials_by_its_largest(node: Node) -> Node | None:
    """exp(a)/(exp(a) + exp(b) + exp(c)) → exp(a - M)/(exp(a - M) + …), M the largest of a, b, c; also Σ w·exp(z).

    Condition: as many exponentials (or sums of them) are multiplied as are taken relative to M.
    """
    factors = Factors.view(node)
    for (core, axes), e in factors.powers.items():
        parts = parts_of(core) if is_whole(e) and is_negative(e) else None
        if parts is None or not _needs_shift(parts):
            continue
        shift = _finite(broadcast_to(highest(parts), core.shape))
        new = _shifted_product(factors, (core, axes), parts, shift)
        if new is not None:
            return new
    return None


def _shifted_product(factors: Factors, divisor: Base, parts: list[Part], shift: Node) -> Node | None:
    core, axes = divisor
    left = -factors.powers[divisor]  # type: ignore[operator]
    result = factors.copy()
    for each, places, count, relative in _numerators(factors, axes, parts, shift):
        taken = min(count, left)
        if taken <= 0:
            break
        result.times(each, places, -taken).times(relative, places, taken)
        left -= taken
    if left:
        return None
    total = _total([p.relative(shift) for p in parts])
    return result.times(core, axes, -factors.powers[divisor]).times(total, axes, factors.powers[divisor]).build()  # type: ignore[operator]


def _numerators(
    factors: Factors, axes: Axes, parts: list[Part], shift: Node
) -> Iterator[tuple[Node, Axes, Expr, Node]]:
    """Exponentials and sums of them that the product multiplies by: with axes, exponent and their relative form."""
    weights = {p.weight for p in parts if p.weight is not None}
    for (each, places), e in factors.powers.items():
        if not is_whole(e) or not is_positive(e) or not set(axes) <= set(places):
            continue
        if weights and not _stands_beside(weights, factors, places):
            continue
        same = {p.argument: p.distance(shift) for p in parts}
        relative = _relative(each, cover(shift, restrict(axes, places), each.shape), same)
        if relative is not None:
            yield each, places, e, relative  # type: ignore[misc]


def _stands_beside(weights: set[Node], factors: Factors, places: Axes) -> bool:
    """Whether the product is 0 where the weights are: every factor of theirs is a factor of it."""
    shape = tuple(factors.shape[a] for a in places)
    if not all(_spreads_over(w.shape, shape) for w in weights):
        return False
    wanted = [base for w in weights for base in Factors.view(broadcast_to(w, shape)).powers]
    return all((core, tuple(places[a] for a in axes)) in factors.powers for core, axes in wanted)


def _spreads_over(inner: Shape, outer: Shape) -> bool:
    """Whether an array broadcasts to a shape: a weight varies along what is summed, and a factor may not."""
    last = outer[len(outer) - len(inner) :] if len(inner) <= len(outer) else ()
    return len(last) == len(inner) and all(n in (1, m) for n, m in zip(inner, last, strict=True))


def _relative(x: Node, shift: Node, same: dict[Node, Node]) -> Node | None:
    """x·exp(-shift) for an exponential, or a sum of multiples of exponentials."""
    terms = [_relative_term(o, shift, same) for o in (x.operands if is_op(x, "add") else (x,))]
    return None if any(t is None for t in terms) else _total(terms)  # type: ignore[arg-type]


def _relative_term(term: Node, shift: Node, same: dict[Node, Node]) -> Node | None:
    """c·exp(u - shift); of an argument of the sum itself, in the form that stands in the sum."""
    coefficient, factors = split_coefficient(term)
    argument = exponent_of(factors[0]) if len(factors) == 1 else number(0) if not factors else None
    if argument is None:
        return None
    away = same[argument] if argument in same else minus(argument, shift)
    return product(coefficient, (elementwise("exp", away),))


def exponential_over_difference(node: Node) -> Node | None:
    """exp(a)/(exp(a) - exp(b)) → 1/(1 - exp(b - a)), a or b perhaps 0.

    Always: the exponential is taken in, so that ∞/∞ and 0·∞ do not arise.
    """
    return take_exponential_in(node, -1)


EXPONENTIAL_SUMS: tuple[Rewrite, ...] = (
    Rewrite(log_of_sum_of_exponentials_by_its_largest, ("log",)),
    Rewrite(log_of_difference_of_exponentials, ("log",)),
    Rewrite(quotient_of_exponentials_by_its_largest, ("mul",)),
    Rewrite(exponential_over_difference, ("mul",)),
)
