"""Rewrites of sums and quotients of two exponentials: they are hyperbolic functions or logistic ones.

In: sums and products in normal form.  Out: cosh, sinh, tanh, σ: fewer operations, and slopes that
use the value again.
Not handled: exponentials with coefficients of different size (the numeric form keeps those finite).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

import sympy
from sympy import Expr

from symnet.expr.nodes.constants import number, number_of
from symnet.expr.nodes.elementwise import elementwise, is_op
from symnet.expr.nodes.movement import broadcast_to
from symnet.expr.nodes.node import Axes, Node
from symnet.simplify.forms.coefficients import ONE, complement, negated, opposite_argument, product, split_coefficient
from symnet.simplify.forms.factors import Base, Factors, split_power
from symnet.simplify.forms.signs import is_negative, is_positive, is_whole
from symnet.simplify.forms.terms import Terms
from symnet.simplify.rewrite import Rewrite

HALF = sympy.S.Half


def exponent_of(x: Node) -> Node | None:
    """u of x = exp(u), also of exp(v)ⁿ = exp(n·v); None where x is no exponential."""
    base, n = split_power(x)
    if not is_op(base, "exp") or isinstance(n, Node):
        return None
    return base.operands[0] if n == 1 else elementwise("mul", number(n), base.operands[0])


def _exponent(x: Node) -> Node:
    argument = exponent_of(x)
    assert argument is not None
    return argument


def sum_of_opposite_exponentials(node: Node) -> Node | None:
    """exp(x) + exp(-x) → 2·cosh(x), exp(x) - exp(-x) → 2·sinh(x), also with equal factors beside them.  Always."""
    seen: dict[tuple[tuple[Node, ...], Node], tuple[int, Expr]] = {}
    for n, term in enumerate(node.operands):
        coefficient, factors = split_coefficient(term)
        places = [k for k, f in enumerate(factors) if is_op(f, "exp")]
        if len(places) != 1:
            continue
        others = factors[: places[0]] + factors[places[0] + 1 :]
        argument = factors[places[0]].operands[0]
        partner = seen.get((others, negated(argument)))
        if partner is None or abs(partner[1]) != abs(coefficient):
            seen[(others, argument)] = (n, coefficient)
            continue
        m, other = partner
        function = elementwise("cosh" if other == coefficient else "sinh", argument)
        rest = [o for k, o in enumerate(node.operands) if k not in (m, n)]
        joined = product(2 * coefficient, (*others, function))
        return broadcast_to(elementwise("add", joined, *rest) if rest else joined, node.shape)
    return None


def exponential_over_cosine_is_logistic(node: Node) -> Node | None:
    """exp(x)/cosh(x) → 2·σ(2·x), exp(-x)/cosh(x) → 2·σ(-2·x).  Always."""
    factors = Factors.view(node)
    for (core, axes), e in factors.powers.items():
        if not is_op(core, "cosh") or not _divides(e):
            continue
        for sign in (ONE, -ONE):
            argument = core.operands[0] if sign == 1 else negated(core.operands[0])
            above = (elementwise("exp", argument), axes)
            if is_positive(factors.powers.get(above)):
                logistic = elementwise("sigmoid", elementwise("mul", 2, argument))
                quotient = factors.copy().times(*above, -ONE).times(core, axes)
                quotient.coefficient = quotient.coefficient * 2
                return quotient.times(logistic, axes).build()
    return None


def exponential_over_sum_of_two_is_logistic(node: Node) -> Node | None:
    """exp(a)/(exp(a) + exp(b)) → σ(a - b).  Always."""
    factors = Factors.view(node)
    for total, axes in _divisors(factors):
        for above, below in permutations(total.operands):
            base, power = split_power(above)
            have = factors.powers.get((base, axes))
            if is_whole(have) and have / power >= 1:
                logistic = elementwise("sigmoid", minus(*map(_exponent, (above, below))))
                return factors.copy().times(base, axes, -power).times(total, axes).times(logistic, axes).build()
    return None


def difference_over_sum_is_tanh(node: Node) -> Node | None:
    """(exp(a) - exp(b))/(exp(a) + exp(b)) → tanh((a - b)/2); (exp(x) - 1)·σ(-x) → tanh(x/2).  Always."""
    factors = Factors.view(node)
    for (core, axes), e in factors.powers.items():
        found = exponential_difference(core)
        if found is None or not is_positive(e):
            continue
        for below, power in _sums_beside(*found):
            exponent = factors.powers.get((below, axes))
            if exponent is not None and is_whole(exponent) and is_positive(exponent * power):
                half = elementwise("mul", number(HALF), minus(*found))
                quotient = factors.copy().times(core, axes, -ONE).times(below, axes, -power)
                return quotient.times(elementwise("tanh", half), axes).build()
    return None


def exponential_difference(total: Node) -> tuple[Node, Node] | None:
    """a and b of exp(a) - exp(b); a number 1 is exp(0)."""
    if not is_op(total, "add") or len(total.operands) != 2:
        return None
    terms = [_signed_exponential(o) for o in total.operands]
    (c, a), (d, b) = terms
    if a is None or b is None or {c, d} != {1, -1}:
        return None
    return (a, b) if c == 1 else (b, a)


def _signed_exponential(term: Node) -> tuple[Expr, Node | None]:
    """±1 and u of ±exp(u); ±1 alone has u = 0."""
    coefficient, factors = split_coefficient(term)
    if not factors:
        return coefficient, number(0)
    return coefficient, (exponent_of(factors[0]) if len(factors) == 1 else None)


def _sums_beside(a: Node, b: Node) -> Iterator[tuple[Node, Expr]]:
    """The spellings of 1/(exp(a) + exp(b)) up to a factor that makes the quotient whole: (core, exponent)."""
    if number_of(a) == 0 or number_of(b) == 0:
        inner = negated(a if number_of(b) == 0 else b)  # 1/(1 + exp(u)) = σ(-u)
        flipped = opposite_argument(inner)
        yield (elementwise("sigmoid", inner) if flipped is None else complement(elementwise("sigmoid", flipped))), ONE
        return
    shape = elementwise("add", a, b).shape
    yield Terms.of(broadcast_to(elementwise("add", elementwise("exp", a), elementwise("exp", b)), shape)).build(), -ONE


def _divisors(factors: Factors) -> Iterator[tuple[Node, Axes]]:
    """Sums of two exponentials that the product divides by, with their axes."""
    for (core, axes), e in factors.powers.items():
        pair = is_op(core, "add") and len(core.operands) == 2 and _divides(e)
        if pair and all(exponent_of(o) is not None for o in core.operands):
            yield core, axes


def _divides(exponent: Expr | Node) -> bool:
    return is_whole(exponent) and is_negative(exponent)


def minus(a: Node, b: Node) -> Node:
    """a - b, without a zero."""
    if number_of(b) == 0:
        return a
    return negated(b) if number_of(a) == 0 else elementwise("add", a, negated(b))


# --------------------------------------------------------------------------- differences of exponentials


def exponential_times_difference(node: Node) -> Node | None:
    """exp(x)·(1 - exp(-x)) → exp(x) - 1, (exp(a) - exp(b))/exp(a) → 1 - exp(b - a).  Always."""
    return take_exponential_in(node, 1)


def take_exponential_in(node: Node, side: int) -> Node | None:
    """(exp(a) - exp(b))ᵏ·exp(w)ⁿ with the exponential taken into the difference, k of the sign of `side`.

    An even power in a divisor is taken in by even counts, then as exp(a)·exp(b)/(exp(a) - exp(b))² → 1/(2·sinh)², last
    as two absolute values: the zeros of two spellings of one difference have any sign, and the quotient would have it.
    """
    factors = Factors.view(node)
    for (core, axes), k in factors.powers.items():
        found = exponential_difference(core) if is_whole(k) and is_positive(k * side) else None
        taken = list(_takeable(factors, axes, k, _taken_in(*found))) if found else []
        if not taken:
            continue
        assert found is not None
        even = side < 0 and not k % 2
        taken.sort(key=lambda each: bool(even and each[3] < 2))
        argument, sign, inside, count = taken[0]
        odd = even and count < 2
        to_one = any(number_of(u) == 0 for u in found)
        if odd and (to_one or len(taken) > 1):
            return _by_half_difference(factors, (core, axes), found, taken[:1] if to_one else taken)
        count = side * (count - count % 2 if even and not odd else count)
        result = factors.copy().times(elementwise("exp", argument), axes, -count * sign)
        if not odd:
            return result.times(core, axes, -count).times(inside, axes, count).build()
        result = result.times(core, axes, -k).times(elementwise("abs", inside), axes, count)
        return result.times(elementwise("abs", core), axes, k - count).build()
    return None


_Taken = tuple[Node, int, Node, Expr]


def _takeable(
    factors: Factors, axes: Axes, k: Expr | Node, spellings: Iterator[tuple[Node, int, Node]]
) -> Iterator[_Taken]:
    """The spellings whose exponential stands in the product, with how many can be taken."""
    for argument, sign, inside in spellings:
        n = factors.powers.get((elementwise("exp", argument), axes))
        if n is not None and is_whole(n) and is_positive(n) == is_positive(k * sign):
            yield argument, sign, inside, min(abs(n), abs(k))


def _by_half_difference(factors: Factors, base: Base, found: tuple[Node, Node], taken: list[_Taken]) -> Node:
    """exp(a)·exp(b)/(exp(a) - exp(b))² → 1/(2·sinh((a - b)/2))²; an exponential of 0 stands in every product."""
    core, axes = base
    result = factors.copy().times(core, axes, sympy.Integer(2))
    for argument, sign, _, _ in taken:
        result.times(elementwise("exp", argument), axes, sign * ONE)
    half = elementwise("sinh", elementwise("mul", number(HALF), minus(*found)))
    result.coefficient = result.coefficient / 4
    return result.times(half, axes, sympy.Integer(-2)).build()


def _taken_in(a: Node, b: Node) -> Iterator[tuple[Node, int, Node]]:
    """(w, sign, d): (exp(a) - exp(b))ᵏ·exp(w)ⁿ, n of the sign of k·sign, is dᵏ where |n| = |k|."""
    one = number(1)
    if number_of(a) != 0:
        yield a, -1, minus(one, elementwise("exp", minus(b, a)))
    if number_of(b) != 0:
        yield b, -1, minus(elementwise("exp", minus(a, b)), one)
    if number_of(b) == 0:
        yield negated(a), 1, minus(one, elementwise("exp", negated(a)))
    if number_of(a) == 0:
        yield negated(b), 1, minus(elementwise("exp", negated(b)), one)


# --------------------------------------------------------------------------- half angles


def sine_over_one_and_cosine_is_tangent(node: Node) -> Node | None:
    """sinh(x)/(1 + cosh(x)) → tanh(x/2), sin(x)/(1 + cos(x)) → tan(x/2).  Always."""
    factors = Factors.view(node)
    for (core, axes), e in factors.powers.items():
        function = _beside_one(core)
        if function is None or not is_op(function, *_TANGENTS) or not _divides(e):
            continue
        sine, tangent = _TANGENTS[str(function.args[0])]
        above = (elementwise(sine, function.operands[0]), axes)
        if is_positive(factors.powers.get(above)):
            half = elementwise("mul", number(HALF), function.operands[0])
            return factors.copy().times(*above, -ONE).times(core, axes).times(elementwise(tangent, half), axes).build()
    return None


_TANGENTS = {"cosh": ("sinh", "tanh"), "cos": ("sin", "tan")}


def _beside_one(total: Node) -> Node | None:
    """f for the sum 1 + f; None for others."""
    if not is_op(total, "add") or len(total.operands) != 2 or 1 not in map(number_of, total.operands):
        return None
    return next((o for o in total.operands if number_of(o) != 1), None)


_QUOTIENTS = {"sinh": ("cosh", "tanh"), "sin": ("cos", "tan")}


def quotient_of_sine_and_cosine(node: Node) -> Node | None:
    """sinh(x)/cosh(x) → tanh(x), cosh(x)/sinh(x) → 1/tanh(x), sin(x)/cos(x) → tan(x), cos(x)/sin(x) → 1/tan(x).

    sinh(x)/√cosh(x) is tanh(x)·√cosh(x), for sinh may be negative.  Always: ∞/∞ becomes ±1.
    """
    factors = Factors.view(node)
    for (core, axes), exponent in factors.powers.items():
        if not is_op(core, *_QUOTIENTS) or isinstance(exponent, Node):
            continue
        cosine, quotient = _QUOTIENTS[str(core.args[0])]
        other = (elementwise(cosine, core.operands[0]), axes)
        found = factors.powers.get(other)
        if found is None or isinstance(found, Node) or not is_negative(exponent * found):
            continue
        size = min(abs(exponent), abs(found))
        count = size if is_positive(exponent) else -size
        if is_whole(exponent) != is_whole(found) and not is_whole(count):
            if cosine != "cosh":  # a root of one has no value where the other, to a whole power, has one
                continue
            count = exponent
        new = elementwise(quotient, core.operands[0])
        return factors.copy().times(core, axes, -count).times(*other, count).times(new, axes, count).build()
    return None


HYPERBOLICS = (
    Rewrite(quotient_of_sine_and_cosine, ("mul",), below=("sinh|sin", "cosh|cos"), domain="extends", role="shorter"),
    Rewrite(sum_of_opposite_exponentials, ("add",), below=("exp",), domain="extends", role="shorter"),
    Rewrite(exponential_over_cosine_is_logistic, ("mul",), below=("exp", "cosh"), domain="extends", role="shorter"),
    Rewrite(exponential_over_sum_of_two_is_logistic, ("mul",), below=("exp",), domain="extends", role="shorter"),
    Rewrite(difference_over_sum_is_tanh, ("mul",), below=("exp",), domain="extends", role="shorter"),
    Rewrite(exponential_times_difference, ("mul",), below=("exp",), domain="extends", role="shorter"),
    Rewrite(sine_over_one_and_cosine_is_tangent, ("mul",), below=("cosh|cos",), domain="extends", role="shorter"),
)
