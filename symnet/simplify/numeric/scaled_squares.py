"""Roots of sums of squares beyond the square roots of the range: a pass of the numeric form, after the one at zero.

In: S^(1/2), S^(-1/2) and log S, S a sum of squares; `quotients_by_squares.py` has the products with S^(-n/2).  Out: the
same with the squares of s·x, where s is a power of two: 1 where S is well inside the floating range, so that the bits
there are what they were, and otherwise one of two numbers that bring it back.  ‖x‖ is then right from the smallest
normal number to the largest, and so is x/‖x‖.  Norms of another order p take s = 1/max |x| outside the safe range.
The scale belongs to each value of S: of a norm of rows, each row has its own.
Source: the thresholds of J. L. Blue, A portable Fortran program to find the Euclidean norm of a vector (1978).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import sympy
from sympy import Expr

from symnet.expr.facts.assumptions import known
from symnet.expr.nodes.constants import number, number_of
from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.elementwise import elementwise, is_op, operands_of, where
from symnet.expr.nodes.expansion import Expand
from symnet.expr.nodes.graph import with_operands
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.reduction import top_along
from symnet.simplify.forms.broadcast import cover, without_repetition
from symnet.simplify.forms.factors import power_of
from symnet.simplify.forms.magnitudes import largest
from symnet.simplify.forms.signs import is_negative, is_positive
from symnet.simplify.rewrite import Rewrite


@dataclass(frozen=True)
class SafeRange:
    """Binary exponents: S is safe between 2^low and 2^high; x is scaled by 2^step or 2^-step outside."""

    low: int
    high: int
    step: int


RANGES = {"float32": SafeRange(-80, 100, 90), "float64": SafeRange(-900, 1000, 600)}
OVERFLOWING = {"float32": 64, "float64": 512}  # binary exponents of the least numbers whose squares are infinite
_TWO = sympy.Integer(2)
# (Σ|x|ᵖ)^(1/p), p ≠ 2: the exponent is rounded, which costs digits in proportion to the logarithm of the sum
NARROW = SafeRange(-20, 20, 0)
HIGHEST = 3  # of n in S^(-n/2): higher powers are taken apart


def root_of_squares(node: Node) -> Node | None:
    """(Σx²)^(1/2) → (Σ(s·x)²)^(1/2)/s, (Σx²)^(-1/2) → s·(Σ(s·x)²)^(-1/2), (Σ|x|ᵖ)^(1/p) so too.  Always."""
    base, exponent = node.operands[0], number_of(node.operands[1])
    degree = degree_of(base)
    sign = 0 if exponent is None or degree is None else _unit(exponent * degree)
    if not sign or degree is None:
        return None
    return elementwise("mul", power_of(scaled(base, degree), exponent), scale_of(base, degree, -sign))


def _unit(product: Expr) -> int:
    """1 or -1 where this is that number, be it that of a rounded third; otherwise 0."""
    for sign in (1, -1):
        if product == sign or (product.has(sympy.Float) and abs(product - sign) < 1e-15):
            return sign
    return 0


def log_of_squares(node: Node) -> Node | None:
    """log Σx² → log Σ(s·x)² - 2·log s.  Condition: it is a sum over an axis, or of two squares or more."""
    total = node.operands[0]
    squares = isinstance(total, Einsum) or (is_op(total, "add") and all(number_of(o) is None for o in total.operands))
    if not squares or degree_of(total) != 2:
        return None
    limits = RANGES[str(total.dtype)]
    lost = number(2 * limits.step * sympy.log(2))
    above = where(elementwise("lt", number(_TWO**limits.high), total), lost, 0)
    less = where(elementwise("lt", total, number(_TWO**limits.low)), elementwise("mul", -1, lost), above)
    return elementwise("add", elementwise("log", scaled(total, _TWO)), less)


def log_of_even_power(node: Node) -> Node | None:
    """log x² → 2·log|x|, for every even power: x² leaves the range long before its logarithm does.  Always."""
    base, exponent = node.operands[0], sympy.Integer(1)
    while is_op(base, "pow") and (inner := number_of(base.operands[1])) is not None and inner.is_Integer:
        base, exponent = base.operands[0], exponent * inner
    if exponent == 0 or exponent % 2 or base.shape != node.shape:
        return None
    return elementwise("mul", number(exponent), elementwise("log", elementwise("abs", base)))


def zero_of_squares(node: Node) -> Node | None:
    """Σx² = 0 → Σ(s·x)² = 0: squares of small numbers vanish, the numbers do not.  Always."""
    base, zero = node.operands
    inner = base.operands[0] if isinstance(base, Expand) else base
    degree = degree_of(inner)
    if number_of(zero) != 0 or degree is None:
        return None
    new = scaled(inner, degree)
    return elementwise("eq", with_operands(base, [new]) if isinstance(base, Expand) else new, zero)


# --------------------------------------------------------------------------- sums of powers


def degree_of(total: Node) -> Expr | None:
    """q of a sum of terms c·|x|^q, c > 0, and of numbers; None where it is none, or scaled already."""
    if total.dtype not in RANGES or is_bounded(total):
        return None
    terms = operands_of("add", total)
    if any(t.shape != total.shape and number_of(t) is None for t in terms):
        return None
    degrees = {_degree(t) for t in terms}
    degrees.discard(sympy.S.Zero)
    return degrees.pop() if len(degrees) == 1 else None


def is_bounded(total: Node) -> bool:
    """Whether a sum with a number in it is in the safe range whatever its variables are."""
    limits = RANGES[str(total.dtype)]
    if not any(_keeps_above(o, limits) for o in operands_of("add", total)):
        return False
    bound = largest(total)
    return bound is not None and bound < 2.0**limits.high


def _degree(term: Node) -> Expr | None:
    """q of c·|x|^q; 0 of a number that is not negative."""
    value = number_of(term)
    if value is not None:
        return None if is_negative(value) else sympy.S.Zero
    if isinstance(term, Einsum):
        return _degree_of_sum(term)
    if is_op(term, "mul"):
        found = _squared_factor(term)
        return None if found is None else _degree(found)
    if not is_op(term, "pow") or _is_scaled(term.operands[0]):
        return None
    exponent = number_of(term.operands[1])
    even = exponent is not None and exponent.is_Integer and exponent % 2 == 0
    return exponent if is_positive(exponent) and exponent != 1 and (even or is_op(term.operands[0], "abs")) else None


def _degree_of_sum(total: Einsum) -> Expr | None:
    first = total.inputs[0]
    if len(set(first)) != len(first) or not set(total.output) <= set(first):
        return None
    if places_of(total) != tuple(sorted(places_of(total))):
        return None
    if len(total.operands) == 1:
        return degree_of(total.operands[0])
    is_square = len(total.operands) == 2 and total.operands[0] is total.operands[1] and first == total.inputs[1]
    return _TWO if is_square and not _is_scaled(total.operands[0]) else None


def places_of(total: Einsum) -> tuple[int, ...]:
    """Where the axes of the result stand among those that are summed over."""
    return tuple(total.inputs[0].index(i) for i in total.output)


def _squared_factor(product: Node) -> Node | None:
    """The one factor that is a power or a sum of powers; the others are numbers, or known to be positive."""
    powers = [o for o in product.operands if _degree(o) not in (None, 0) and o.shape == product.shape]
    if len(powers) != 1:
        return None
    rest = [o for o in product.operands if o is not powers[0]]
    return powers[0] if all(is_positive(number_of(o)) or known(o, "positive") for o in rest) else None


def _is_scaled(x: Node) -> bool:
    """Whether x is s·y with a scale of this pass."""
    if not is_op(x, "mul"):
        return False
    return is_scale(without_repetition(x.operands[0]))


def is_scale(x: Node) -> bool:
    """Whether x is s or 1/s of this pass."""
    return is_op(x, "where") and is_op(x.operands[0], "lt", "le") and _is_limit(x.operands[0])


def _is_limit(comparison: Node) -> bool:
    return any(number_of(o) in _LIMITS for o in comparison.operands)


# --------------------------------------------------------------------------- scales


def scale_of(total: Node, degree: Expr, sign: int, count: int = 1) -> Node:
    """s (sign 1) or 1/s (sign -1) for each value of a sum of powers.

    count: n of the S^(-n/2) that is to stay in range.  For n > 2 that is a narrower range than that of S itself, with a
    smaller step between the two.
    """
    if degree != 2:
        return _scale_beyond(total, NARROW, _largest_as_scale(total, sign), _largest_as_scale(total, sign), number(1))
    scale: Node = number(1)
    for limits in ranges_of(str(total.dtype), count):
        small, large = (number(_TWO ** (k * sign * limits.step)) for k in (1, -1))
        scale = _scale_beyond(total, limits, small, large, scale)
    return scale


def _scale_beyond(total: Node, limits: SafeRange, small: Node, large: Node, inside: Node) -> Node:
    """One number where the sum is below a range, another where it is above; a sum with a number may never be below."""
    above = where(elementwise("lt", number(_TWO**limits.high), total), large, inside)
    if is_op(total, "add") and any(_keeps_above(o, limits) for o in total.operands):
        return above
    return where(elementwise("lt", total, number(_TWO**limits.low)), small, above)


def _keeps_above(term: Node, limits: SafeRange) -> bool:
    """Whether a sum of squares with this term is never below a range."""
    value = number_of(term)
    return value is not None and not is_negative(value - _TWO**limits.low)


def ranges_of(dtype: str, count: int) -> tuple[SafeRange, ...]:
    """Where S^(-n/2) is safe, then where S is; S'^(-n/2) is safe between the two and beyond.

    The step beyond takes the largest number to one whose cube is in range, of a sum of a thousand terms, too.
    """
    whole = RANGES[dtype]
    if count < HIGHEST:
        return (whole,)
    inner = SafeRange(*(2 * k // count for k in (whole.low, whole.high, whole.step)))
    step = max(whole.step, 11 * OVERFLOWING[dtype] // 8)
    return inner, SafeRange(min(whole.low, inner.high - 2 * step), whole.high, step)


_LIMITS = {
    _TWO**k
    for r in (NARROW, *(r for dtype in RANGES for n in range(1, HIGHEST + 1) for r in ranges_of(dtype, n)))
    for k in (r.low, r.high)
} | {_TWO**k for k in OVERFLOWING.values()}


def _safe(total: Node, degree: Expr, count: int) -> SafeRange:
    """Where the sum lies in the safe range, so that its scale s is 1."""
    return ranges_of(str(total.dtype), count)[0] if degree == 2 else NARROW


def _is_outside(total: Node, limits: SafeRange) -> Node:
    """Whether a sum is outside a range."""
    below, above = number(_TWO**limits.low), number(_TWO**limits.high)
    return elementwise("or", elementwise("lt", total, below), elementwise("lt", above, total))


def _largest_as_scale(total: Node, sign: int) -> Node:
    """1/max |x|, or max |x| for sign -1; 1 where that is no number to divide by."""
    size = _largest(total, _is_outside(total, NARROW))
    usable = elementwise("and", elementwise("lt", 0, size), elementwise("lt", size, number(sympy.oo)))
    return where(usable, elementwise("pow", size, -1) if sign == 1 else size, 1)


def _largest(total: Node, outside: Node) -> Node:
    """The largest |x| of a sum of |x|^q; 1 where a sum over axes is inside the safe range."""
    if is_op(total, "add"):
        sizes = [_largest(o, outside) for o in total.operands if number_of(o) is None]
        return functools.reduce(lambda a, b: elementwise("maximum", a, b), sizes)
    if is_op(total, "mul"):
        factor = _squared_factor(total)
        assert factor is not None
        return _largest(factor, outside)
    if isinstance(total, Einsum):
        inner = total.operands[0]
        size = _largest(inner, outside) if len(total.operands) == 1 else elementwise("abs", inner)
        largest = top_along(size, tuple(a for a in range(inner.rank) if a not in places_of(total)))
        return where(outside, largest, 1) if outside.shape == largest.shape else largest
    base = total.operands[0]
    return base if is_op(base, "abs") else elementwise("abs", base)


def scaled(total: Node, degree: Expr, count: int = 1) -> Node:
    """The sum of powers of s·x.  A sum over axes is taken as it was where s is 1: the second is an exception."""
    outside = _is_outside(total, _safe(total, degree, count))
    return _scaled(total, scale_of(total, degree, 1, count), degree, outside)


def _scaled(total: Node, scale: Node, degree: Expr, outside: Node) -> Node:
    if number_of(total) is not None:
        return elementwise("mul", total, elementwise("pow", scale, number(degree)))
    if is_op(total, "add"):
        return elementwise("add", *(_scaled(o, scale, degree, outside) for o in total.operands))
    if is_op(total, "mul"):
        factor = _squared_factor(total)
        assert factor is not None
        return elementwise("mul", *(_scaled(o, scale, degree, outside) if o is factor else o for o in total.operands))
    if isinstance(total, Einsum):
        inner = total.operands[0]
        wide = cover(scale, places_of(total), inner.shape) if scale.rank else scale
        squares = elementwise("mul", wide, inner) if len(total.operands) > 1 else _scaled(inner, wide, degree, outside)
        new = with_operands(total, [squares] * len(total.operands))
        return where(outside, new, total) if outside.shape == total.shape else new
    base, exponent = total.operands
    return elementwise("pow", elementwise("mul", scale, base), exponent)


SCALED_SQUARES = (
    Rewrite(log_of_even_power, ("log",), domain="equal", role="stable"),
    Rewrite(log_of_squares, ("log",), needs=("positive",), domain="equal", role="stable"),
    Rewrite(root_of_squares, ("pow",), needs=("positive",), domain="equal", role="stable"),
    Rewrite(zero_of_squares, ("eq",), needs=("positive",), domain="equal", role="stable"),
)
