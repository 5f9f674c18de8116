"""A pass of the numeric form: logarithms and quotients of sums of exponentials, which would overflow or cancel.

In: nodes in the algebra form; softmax, log-sum-exp and the logistic function over all of a sum are found there and
have passes of their own.  Out: the rest of the family: sums written out, with weights of either sign, with numbers and
other terms, differences of two.  A sum is seen as Σ w·exp(u) (`exponential_parts.py`), relative to the largest u.
Not handled: digits that cancel between terms of opposite sign, but for the difference of two.
Source of log(1 - e⁻ˣ): Maechler, "Accurately computing log(1 - exp(-|a|))", 2012.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import sympy
from sympy import Expr

from symnet.expr.constants import number, number_of
from symnet.expr.elementwise import elementwise, equal, is_op, where
from symnet.expr.movement import broadcast_to
from symnet.expr.node import Node, Shape
from symnet.expr.reduction import reduce
from symnet.simplify.broadcast import Axes, cover, restrict, trailing
from symnet.simplify.coefficients import product, split_coefficient
from symnet.simplify.engine import Rewrite
from symnet.simplify.exponential_parts import Part, finite, highest, needs_shift, parts_of, sum_of_all
from symnet.simplify.factors import Base, Factors
from symnet.simplify.hyperbolic import exponential_difference, minus, take_exponential_in
from symnet.simplify.logarithms import logarithm_of
from symnet.simplify.shifted import distance_below
from symnet.simplify.signs import is_negative, is_positive, is_whole

LOG_HALF = number(-sympy.log(2))


# --------------------------------------------------------------------------- logarithms


def log_of_sum_of_exponentials_by_its_largest(node: Node) -> Node | None:
    """log(exp(a) + 2·exp(b) + Σ w·exp(z) + y) → M + log1p(t), M the largest of a, b + log 2, z, 0; the sum is
    exp(M)·(1 + t).

    Condition: an exponential stands in the sum, and a term may overflow or all may vanish.
    """
    coefficient, factors = split_coefficient(node.operands[0])
    parts = parts_of(factors[0]) if len(factors) == 1 and is_positive(coefficient) else None
    if parts is None or not needs_shift(parts):
        return None
    parts = [p.times(coefficient).folded() for p in parts]
    if len(parts) == 1 and parts[0].weight is None:
        return broadcast_to(reduce("logsumexp", parts[0].argument, parts[0].axes), node.shape)
    if len(parts) == 2 and not any(p.axes or p.weight is not None for p in parts):
        return broadcast_to(_log_of_two(parts[0].argument, parts[1].argument), node.shape)
    shift = broadcast_to(highest(parts), node.shape)
    if any(p.weight is not None for p in parts):
        rest = elementwise("log", sum_of_all([p.relative(shift) for p in parts]))
        return broadcast_to(elementwise("add", shift, rest), node.shape)
    sums = [p.below_top(shift) for p in parts]
    ties = sum_of_all([*(count for _, count in sums), number(-1)])
    rest = elementwise("log1p", elementwise("add", sum_of_all([low for low, _ in sums]), ties))
    return broadcast_to(elementwise("add", shift, rest), node.shape)


def log_of_product_with_sums_of_exponentials(node: Node) -> Node | None:
    """log(x·Σ w·exp(u)/Σ v·exp(z)) → M - N + log(x·Σ w·exp(u - M)/Σ v·exp(z - N)), M the largest u, N the largest z.

    Condition: a sum of exponentials, to a whole power, is a factor among others, and may overflow or vanish.
    """
    factors = Factors.view(node.operands[0])
    rest, shifts = factors.copy(), []
    for (core, axes), e in factors.powers.items() if len(factors.powers) > 1 else ():
        parts = parts_of(core) if is_whole(e) and exponential_difference(core) is None else None
        if parts is None or not needs_shift(parts):
            continue
        shift = broadcast_to(highest(parts), core.shape)
        within = finite(shift)
        total = sum_of_all([p.relative(within) for p in parts])
        rest.times(core, axes, -e).times(total, axes, e)  # type: ignore[operator]
        shifts.append(cover(elementwise("mul", number(e), within), axes, factors.shape))  # type: ignore[arg-type]
    if not shifts:
        return None
    return broadcast_to(sum_of_all([*shifts, elementwise("log", rest.build())]), node.shape)


def _log_of_two(a: Node, b: Node) -> Node:
    """log(exp(a) + exp(b)): the larger and softplus of what the other lies below it."""
    if number_of(a) == 0:
        return elementwise("softplus", b)
    if number_of(b) == 0:
        return elementwise("softplus", a)
    below = elementwise("mul", -1, elementwise("abs", minus(a, b)))
    apart = elementwise("add", elementwise("maximum", a, b), elementwise("softplus", below))
    return where(equal(a, b), elementwise("add", a, number(sympy.log(2))), apart)  # also for a = b = ∞


def log_of_difference_of_exponentials(node: Node) -> Node | None:
    """log(c·exp(a) - c·exp(b)) → log c + a + log(1 - exp(b - a)), by expm1 where b is near a, by log1p elsewhere.

    Condition: c is a positive number; a number is an exponential of a number.  It is -∞ where a = b, also at -∞.
    """
    coefficient, factors = split_coefficient(node.operands[0])
    if len(factors) != 1 or not is_positive(coefficient) or not is_op(factors[0], "add"):
        return None
    terms = [split_coefficient(o) for o in factors[0].operands]
    if len(terms) != 2 or is_negative(terms[0][0]) == is_negative(terms[1][0]):
        return None
    upper, lower = sorted(terms, key=lambda term: is_negative(term[0]))
    a, b = (_exponent_with(abs(c), each) for c, each in (upper, lower))
    if a is None or b is None:
        return None
    result = _log_of_complement(b, a)
    heads = [h for h in (number(sympy.log(coefficient)), a) if number_of(h) != 0]
    return broadcast_to(elementwise("add", *heads, result) if heads else result, node.shape)


def _exponent_with(coefficient: Expr, factors: tuple[Node, ...]) -> Node | None:
    """u of c·exp(u'), as one exponent."""
    logs = [logarithm_of(f) for f in factors]
    if any(log is None for log in logs):
        return None
    heads = [number(sympy.log(coefficient))] if coefficient != 1 or not factors else []
    return sum_of_all([*logs, *heads])  # type: ignore[list-item]


def _log_of_complement(b: Node, a: Node) -> Node:
    """log(1 - exp(b - a)), b < a."""
    u = minus(b, a) if number_of(a) == 0 or number_of(b) == 0 else distance_below(b, a)
    if is_op(u, "add") and len(u.operands) == 2:  # x - y, which is no number where both are infinite
        (c, x), (d, y) = map(split_coefficient, u.operands)
        u = where(equal(product(abs(c), x), product(abs(d), y)), 0, u) if c * d < 0 and x and y else u
    near = elementwise("log", elementwise("mul", -1, elementwise("expm1", u)))
    far = elementwise("log1p", elementwise("mul", -1, elementwise("exp", u)))
    return where(elementwise("gt", u, LOG_HALF), near, far)


# --------------------------------------------------------------------------- quotients


def quotient_of_exponentials_by_its_largest(node: Node) -> Node | None:
    """exp(a)/(exp(a) + exp(b) + y) → exp(a - M)/(exp(a - M) + exp(b - M) + y·exp(-M)), M the largest of a, b, 0.

    Also exp(a)/(exp(a) + exp(b))² → exp(a - 2·M)/(…)², and Σ w·exp(z).  Condition: the product holds an exponential,
    or a sum of them, and a term of the divisor, which is no single product, may overflow or all may vanish
    (exp(a) - exp(b) has rules of its own).
    """
    factors = Factors.view(node)
    for (core, axes), e in factors.powers.items():
        divides = is_whole(e) and is_negative(e) and exponential_difference(core) is None
        parts = parts_of(core) if divides else None
        if parts is None or not needs_shift(parts) or (len(parts) == 1 and not parts[0].axes):
            continue
        new = _shifted_product(factors, (core, axes), parts)
        if new is not None:
            return new
    return None


def exponential_joins_power_of_its_product(node: Node) -> Node | None:
    """exp(b)/(a·exp(b))⁸ → 1/(a·exp(7·b/8))⁸.

    Condition: the product under the power holds an exponential of a multiple of b, whose exponent becomes smaller:
    apart, the power or the exponential may leave the floating range where the whole does not.
    """
    factors = Factors.view(node)
    for (core, axes), e in factors.powers.items():
        if not is_op(core, "mul") or not is_whole(e) or abs(e) == 1:  # type: ignore[operator, arg-type]
            continue
        inside = Factors.view(core)
        for (inner, places), k in inside.powers.items():
            if not is_op(inner, "exp") or k != 1:
                continue
            scale, argument = split_coefficient(inner.operands[0])
            where_it_stands = tuple(axes[a] for a in places)
            for (outer, others), count in factors.powers.items():
                if not is_op(outer, "exp") or others != where_it_stands or isinstance(count, Node):
                    continue
                multiple, same = split_coefficient(outer.operands[0])
                left = scale + multiple * count / e
                if same == argument and abs(left) < abs(scale):
                    joined = elementwise("exp", product(left, argument))
                    new = inside.copy().times(inner, places, -sympy.S.One).times(joined, places)
                    rest = factors.copy().times(core, axes, -e).times(outer, others, -count)  # type: ignore[operator]
                    return rest.times(new.build(), axes, e).build()
    return None


@dataclass(frozen=True)
class Numerator:
    """A factor that holds exponentials: base^count, and what each of its parts lies above the shift.

    is_below: whether every part is one of the divisor's, so that none lies above the shift.
    """

    base: Base
    count: Expr
    parts: list[Part]
    distances: list[Node]
    is_below: bool

    @property
    def is_single(self) -> bool:
        """Whether it is one exponential."""
        return len(self.parts) == 1 and not self.parts[0].axes and self.parts[0].weight is None

    def relative(self) -> Node:
        """base·exp(-shift)."""
        pairs = zip(self.parts, self.distances, strict=True)
        return sum_of_all([part.weighted_sum(elementwise("exp", away)) for part, away in pairs])

    @property
    def stands_apart(self) -> bool:
        """Whether it is a sum that may overflow relative to the divisor, however small the whole product is."""
        return not self.is_single and not self.is_below

    @property
    def own_shift(self) -> Node | None:
        """The largest of its own parts, 0 where that is not finite; None where the sum cannot overflow nor vanish."""
        if not needs_shift(self.parts):
            return None
        return finite(broadcast_to(highest(self.parts), self.base[0].shape))


def _shifted_product(factors: Factors, divisor: Base, parts: list[Part]) -> Node | None:
    """Each power of the divisor takes its exp(-M) from an exponential above."""
    core, axes = divisor
    shift = broadcast_to(highest(parts), core.shape)
    left: Expr = -factors.powers[divisor]  # type: ignore[operator]
    above = list(_numerators(factors, axes, parts, shift))
    apart = _exponentials_of_fewer_axes(factors, axes)
    if not above and not apart:
        return None
    total = sum_of_all([p.relative(shift) for p in parts])
    result = factors.copy().times(core, axes, left).times(total, axes, -left)
    for each in above:
        result.times(*each.base, -each.count)
    count = sum((each.count for each in above), sympy.S.Zero)
    joins = apart or (any(each.is_single for each in above) and any(each.stands_apart for each in above))
    if count == left and not joins:
        for each in above:
            result.times(each.relative(), each.base[1], each.count)
        return result.build()
    for base, e in apart:
        result.times(*base, -e)
    return _unbalanced(result, above, apart, count - left, cover(shift, axes, factors.shape))


def _exponentials_of_fewer_axes(factors: Factors, axes: Axes) -> list[tuple[Base, Expr]]:
    """Exponentials that repeat along axes of the divisor: exp(a) in exp(a)·exp(b[i])/(exp(a)·exp(b[i]) + …)."""
    return [
        ((core, places), e) for (core, places), e in factors.powers.items()
        if is_op(core, "exp") and is_whole(e) and is_positive(e) and not set(axes) <= set(places)
    ]  # type: ignore[misc]  # fmt: skip


def _unbalanced(
    result: Factors, above: list[Numerator], apart: list[tuple[Base, Expr]], excess: Expr, shift: Node
) -> Node:
    """The exponentials above joined in one, exp(Σ distances + excess·M): none overflows where their product does not.

    Sums of exponentials stay factors of their own, relative to the largest of their own terms where that may lie above
    M; where there is nothing else, one of them takes the rest.
    """
    shape = result.shape
    singles = [each for each in above if each.is_single]
    extra = [share for each in above if singles and each.stands_apart for share in _own_share(result, each)]
    excess -= sum((each.count for each in above if singles and each.stands_apart), sympy.S.Zero)
    above = [each for each in above if not (singles and each.stands_apart)]
    extra += [elementwise("mul", number(excess), shift)] if excess != 0 else []
    extra += [elementwise("mul", number(e), cover(core.operands[0], places, shape)) for (core, places), e in apart]
    for each in above:
        if each not in singles:
            gone = 1 if not singles and each is above[0] else 0
            result.times(each.relative(), each.base[1], each.count - gone)
    if above and not singles:
        whole = above[0]
        inside = (
            Factors(shape)
            .times(whole.relative(), whole.base[1])
            .times(elementwise("exp", sum_of_all(extra)), trailing(len(shape), len(shape)))
        )
        return result.times(inside.build(), trailing(len(shape), len(shape))).build()
    exponents = [cover(elementwise("mul", number(e.count), e.distances[0]), e.base[1], shape) for e in singles]
    return result.times(elementwise("exp", sum_of_all([*exponents, *extra])), trailing(len(shape), len(shape))).build()


def _own_share(result: Factors, sum_above: Numerator) -> Iterator[Node]:
    """N of the sum's exp(N), if there is one, after the sum relative to N became a factor of the result."""
    (core, axes), shift = sum_above.base, sum_above.own_shift
    total = core if shift is None else sum_of_all([p.relative(shift) for p in sum_above.parts])
    result.times(total, axes, sum_above.count)
    if shift is not None:
        yield elementwise("mul", number(sum_above.count), cover(shift, axes, result.shape))


def _numerators(factors: Factors, axes: Axes, parts: list[Part], shift: Node) -> Iterator[Numerator]:
    """Exponentials and sums of them that the product multiplies by."""
    weights = {p.weight for p in parts if p.weight is not None and not p.always_counts}
    for (each, places), e in factors.powers.items():
        if not is_whole(e) or not is_positive(e) or not set(axes) <= set(places):
            continue
        inside = parts_of(each)
        if inside is None:
            continue
        beside = not weights or _stands_beside(weights, factors, places)
        same = {p.argument: p.distance(shift) for p in parts} if beside else {}
        near = cover(shift, restrict(axes, places), each.shape)
        guards = [] if beside else _weights_beside(weights, factors, places)
        distances = [same[p.argument] if p.argument in same else _above(p, near, guards) for p in inside]
        below = all(p.argument in same for p in inside)
        yield Numerator((each, places), e, inside, distances, below)  # type: ignore[arg-type]


def _above(part: Part, shift: Node, guards: list[Node]) -> Node:
    """u - shift, of either sign; 0 where both are infinite, where the part has no weight, and where a guard is 0."""
    away = distance_below(part.argument, part.beside(shift))
    for weight in [*([] if part.always_counts else [part.weight]), *([] if part.axes else guards)]:
        away = where(elementwise("ne", weight, 0), away, 0)
    return away


def _stands_beside(weights: set[Node], factors: Factors, places: Axes) -> bool:
    """Whether the product is 0 where the weights are: every factor of theirs is a factor of it."""
    shape = tuple(factors.shape[a] for a in places)
    if not all(_spreads_over(w.shape, shape) for w in weights):
        return False
    return all(base in factors.powers for base in _bases(weights, shape, places))


def _weights_beside(weights: set[Node], factors: Factors, places: Axes) -> list[Node]:
    """Factors of the weights that are factors of the product too: where one is 0, so is the product."""
    shape = tuple(factors.shape[a] for a in places)
    bases = _bases({w for w in weights if _spreads_over(w.shape, shape)}, shape, places)
    met = [base for base in bases if is_positive(factors.powers.get(base))]
    return [cover(core, restrict(axes, places), shape) for core, axes in dict.fromkeys(met)]


def _bases(weights: set[Node], shape: Shape, places: Axes) -> list[Base]:
    """The factors of the weights, as factors of a product in which they stand at these axes."""
    found = [base for w in weights for base in Factors.view(broadcast_to(w, shape)).powers]
    return [(core, tuple(places[a] for a in axes)) for core, axes in found]


def _spreads_over(inner: Shape, outer: Shape) -> bool:
    """Whether an array broadcasts to a shape: a weight varies along what is summed, and a factor may not."""
    last = outer[len(outer) - len(inner) :] if len(inner) <= len(outer) else ()
    return len(last) == len(inner) and all(n in (1, m) for n, m in zip(inner, last, strict=True))


def exponential_over_difference(node: Node) -> Node | None:
    """exp(a)/(exp(a) - exp(b)) → 1/(1 - exp(b - a)), a or b perhaps 0.

    Always: the exponential is taken in, so that ∞/∞ and 0·∞ do not arise.
    """
    return take_exponential_in(node, -1)


EXPONENTIAL_SUMS: tuple[Rewrite, ...] = (
    Rewrite(log_of_difference_of_exponentials, ("log",)),
    Rewrite(log_of_sum_of_exponentials_by_its_largest, ("log",)),
    Rewrite(log_of_product_with_sums_of_exponentials, ("log",)),
    Rewrite(exponential_joins_power_of_its_product, ("mul",)),
    Rewrite(quotient_of_exponentials_by_its_largest, ("mul",)),
    Rewrite(exponential_over_difference, ("mul",)),
)
