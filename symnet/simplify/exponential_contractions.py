"""Exponentials taken into the sums and contractions beside them, where a quotient waits for them.

In: a product of an exponential and a sum, or a contraction, of quotients by sums of exponentials: what differentiation
makes of log(M @ exp(x)).  Out: the sum of the products, in which each quotient is finite (`exponential_sums.py`).
Not handled: a contraction of which no operand has every index.
"""

from __future__ import annotations

from collections.abc import Iterator

import sympy
from sympy import Expr

from symnet.expr.constants import number, number_of
from symnet.expr.contraction import Einsum, contract
from symnet.expr.cumulative import CumulativeSum
from symnet.expr.elementwise import elementwise, is_op, where
from symnet.expr.movement import Place, broadcast_to, expand
from symnet.expr.node import Node
from symnet.expr.reduction import along, reduce
from symnet.simplify.broadcast import Axes, cover, trailing
from symnet.simplify.engine import Rewrite
from symnet.simplify.exponential_parts import as_one_operand, finite, is_relative, needs_shift, parts_of
from symnet.simplify.factors import Base, Factors, distributed
from symnet.simplify.logarithms import logarithm_of
from symnet.simplify.movement import multiply_before_placing
from symnet.simplify.shifted import distance_below
from symnet.simplify.signs import is_negative, is_positive, is_whole

DEEPEST = 3  # sums in a term of a sum that are looked into


def exponential_into_sum_of_quotients(node: Node) -> Node | None:
    """exp(a)·(x/(exp(a) + exp(b)) - y) → exp(a)/(exp(a) + exp(b))·x - exp(a)·y, and σ(a)·(x/σ(a) - y) → x - σ(a)·y.

    Condition: a divisor in the sum may overflow or vanish, a sum of exponentials or the exponential itself: what
    stands beside the sum is what keeps it finite.
    """
    factors = Factors.view(node)
    for base, e in factors.powers.items():
        if e != 1 or not is_op(base[0], "add"):
            continue
        above = [b for b, k in factors.powers.items() if b != base and is_whole(k) and _has_exponential(b[0], k)]
        cores = frozenset(core for core, _ in above)
        if above and any(_holds_quotient(term, cores) for term in base[0].operands):
            return distributed(factors, base, above)
    return None


def _holds_quotient(term: Node, cores: frozenset[Node], deepest: int = DEEPEST) -> bool:
    """Whether a term divides by one of the cores or by a sum of exponentials, itself or in a sum that it holds."""
    placed = term.operands[0] if isinstance(term, Place) else term
    return any(
        _is_hot_divisor(core, e)
        or (core in cores and is_whole(e) and is_negative(e))
        or _sums_quotients(core, e)
        or (
            e == 1
            and deepest
            and is_op(core, "add")
            and any(_holds_quotient(o, cores, deepest - 1) for o in core.operands)
        )
        for (core, _), e in Factors.view(_chosen(placed)).powers.items()
    )


def _is_hot_divisor(core: Node, exponent: Expr | Node) -> bool:
    if not is_whole(exponent) or not is_negative(exponent):
        return False
    parts = parts_of(core.operands[0] if isinstance(core, CumulativeSum) else core)
    return parts is not None and (isinstance(core, CumulativeSum) or needs_shift(parts))


def _sums_quotients(core: Node, exponent: Expr | Node) -> bool:
    if exponent != 1:
        return False
    if isinstance(core, CumulativeSum):
        return _divides(core.operands[0])
    inside = whole_product(core) if isinstance(core, Einsum) else None
    return inside is not None and _divides(_chosen(inside))


def _divides(product: Node) -> bool:
    return any(_is_hot_divisor(core, e) for (core, _), e in Factors.view(product).powers.items())


def _has_exponential(core: Node, exponent: Expr | Node) -> bool:
    return is_positive(exponent) and parts_of(core) is not None


def whole_product(total: Einsum) -> Node | None:
    """The product that a contraction or a sum adds up; None where no operand has every index."""
    return total.operands[0] if total.is_sum else as_one_operand(total)


def _chosen(inside: Node) -> Node:
    """x of where(c, x, 0)."""
    return inside.operands[1] if is_op(inside, "where") and number_of(_repeated(inside.operands[2])) == 0 else inside


def _repeated(x: Node) -> Node:
    return x.operands[0] if x.kind == "expand" else x


def exponential_into_choice_of_quotients(node: Node) -> Node | None:
    """exp(a)·where(c, x/(exp(a) + exp(b)), 0) → where(c, exp(a)·x/(exp(a) + exp(b)), 0), and so for 1/erfc.

    Condition: the divisor may overflow or vanish; one of the two branches is 0.
    """
    factors = Factors.view(node)
    for base, e in factors.powers.items():
        core = base[0]
        zero = [number_of(_repeated(o)) == 0 for o in core.operands[1:]] if is_op(core, "where") and e == 1 else []
        if sum(zero) != 1:
            continue
        branch = core.operands[1 + zero.index(False)]
        above = [b for b, k in factors.powers.items() if b != base and is_whole(k) and _has_exponential(b[0], k)]
        if above and (_divides(branch) or _divides_by_tail(branch)):
            return _chosen_with(factors, base, branch, above)
    return None


def _divides_by_tail(product: Node) -> bool:
    return any(
        is_op(core, "erfc") and is_whole(e) and is_negative(e) for (core, _), e in Factors.view(product).powers.items()
    )


def _chosen_with(factors: Factors, base: Base, branch: Node, above: list[Base]) -> Node:
    """The product with the factors `above` taken into the branch of the choice `base` that is not 0."""
    (core, axes), shape = base, factors.shape
    inside = Factors(shape).times(branch, axes[len(axes) - branch.rank :])
    rest = factors.copy().times(*base, -1)  # type: ignore[arg-type]
    for each in above:
        inside.times(*each, factors.powers[each])
        del rest.powers[each]
    condition = cover(broadcast_to(core.operands[0], core.shape), axes, shape)
    new = [inside.build() if o is branch else 0 for o in core.operands[1:]]
    return rest.times(broadcast_to(where(condition, *new), shape), trailing(len(shape), len(shape))).build()


def exponential_into_contraction_of_quotients(node: Node) -> Node | None:
    """exp(x[j])·Σ over i of w[i, j]/S[i] → Σ over i of w[i, j]·exp(x[j])/S[i], 0 where w[i, j] is; and
    exp(x[j])·Σ over i of w[i]/S[i] → exp(x[j] - N)·Σ over i of w[i]·exp(N)/S[i], N the largest x.

    Condition: S is a sum of exponentials that may overflow or all vanish: S[i] = Σ over j of w[i, j]·exp(x[j]).
    """
    factors = Factors.view(node)
    for base, e in factors.powers.items():
        inside = whole_product(base[0]) if e == 1 and isinstance(base[0], Einsum) else None
        if inside is None or not _divides(_chosen(inside)):
            continue
        for above in _exponentials_along(factors, base):
            rest = factors.copy().times(*base, -1).times(*above, -1)  # type: ignore[arg-type]
            return rest.times(_with_exponential(base, inside, above), base[1]).build()
        for above in _exponentials_across(factors, base):
            rest = factors.copy().times(*base, -1).times(*above, -1)  # type: ignore[arg-type]
            top, below = _largest_and_rest(above, base[1])
            return rest.times(_with_exponential(base, inside, top), base[1]).times(*below).build()
    return None


def _exponentials_across(factors: Factors, base: Base) -> Iterator[Base]:
    """The exponentials that vary along other axes, too."""
    for (core, places), k in factors.powers.items():
        if is_op(core, "exp") and k == 1 and not set(places) <= set(base[1]) and not is_relative(core.operands[0]):
            yield core, places


def _largest_and_rest(above: Base, axes: Axes) -> tuple[Base, Base]:
    """exp(u) as exp(N)·exp(u - N), N the largest u along all but `axes`."""
    places, u = above[1], above[0].operands[0]
    others = tuple(k for k, a in enumerate(places) if a not in axes)
    top = finite(reduce("max", u, others))
    rest = elementwise("exp", distance_below(u, along(u, top, others)))
    return (elementwise("exp", top), tuple(a for a in places if a in axes)), (rest, places)


def _exponentials_along(factors: Factors, base: Base) -> Iterator[Base]:
    """The exponentials of the product that vary along axes of the contraction's result only."""
    for (core, places), k in factors.powers.items():
        if is_op(core, "exp") and is_whole(k) and is_positive(k) and set(places) <= set(base[1]):
            yield core, places


def _with_exponential(base: Base, inside: Node, above: Base) -> Node:
    total: Einsum = base[0]  # type: ignore[assignment]
    indices = max(total.inputs, key=len)
    places = [indices.index(total.output[base[1].index(a)]) for a in above[1]]
    ordered = sorted(range(len(places)), key=places.__getitem__)
    exponent = above[0].operands[0]
    turned = exponent if ordered == sorted(ordered) else contract([range(exponent.rank)], ordered, exponent)
    spread = expand(turned, inside.shape, tuple(sorted(places)))
    chosen, weight = _chosen(inside), _weight(inside)
    counts = inside.operands[0] if chosen is not inside else elementwise("ne", weight, 0)
    always = chosen is inside and number_of(weight) is not None
    power = elementwise("exp", spread if always else where(counts, spread, number(-sympy.oo)))
    full = trailing(inside.rank, inside.rank)
    product = Factors.of(chosen).times(power, full).build()
    new = product if chosen is inside else where(counts, product, 0)
    return contract([indices], total.output, new)


def _weight(inside: Node) -> Node:
    """The product without what it divides by and without exponentials, which are not 0, but may be rounded to it."""
    factors = Factors.of(inside)
    for base, e in Factors.view(inside).powers.items():
        if _is_hot_divisor(base[0], e) or logarithm_of(base[0]) is not None:
            del factors.powers[base]
    return factors.build()


def contraction_of_exponentials_and_quotients(node: Node) -> Node | None:
    """Σ over i of exp(x)[i, j]·(1/S)[i] → Σ over i of (exp(x)/S)[i, j], as products in one sum.

    Condition: S is a sum of exponentials that may overflow or all vanish.
    """
    if not isinstance(node, Einsum) or len(node.operands) < 2:
        return None
    divides = [_divides(o) for o in node.operands]
    if all(divides) or not any(divides):
        return None
    if not any(_multiplies_exponentials(o) for o in node.operands):
        return None
    inside = as_one_operand(node)
    return None if inside is None else contract([max(node.inputs, key=len)], node.output, inside)


def _multiplies_exponentials(product: Node) -> bool:
    return any(is_whole(e) and _has_exponential(core, e) for (core, _), e in Factors.view(product).powers.items())


EXPONENTIALS_TAKEN_IN = (
    Rewrite(multiply_before_placing, ("mul",)),
    Rewrite(exponential_into_sum_of_quotients, ("mul",)),
    Rewrite(exponential_into_choice_of_quotients, ("mul",)),
    Rewrite(exponential_into_contraction_of_quotients, ("mul",)),
    Rewrite(contraction_of_exponentials_and_quotients, ("einsum",)),
)
