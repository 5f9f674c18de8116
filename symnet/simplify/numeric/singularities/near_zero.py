"""The polynomial that a function is near 0, and how far it is that.

In: a power series, the floating format, and how far no condition in it changes.  Out: the coefficients of Taylor, in u²
where it is even, of at most `MOST` terms, and the largest radius within which they are right to the last bit.
Not handled: functions that need more terms; they stay as they are written.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import reduce

from symnet.expr.facts.assumptions import known
from symnet.expr.nodes.constants import number
from symnet.expr.nodes.elementwise import elementwise, equal
from symnet.expr.nodes.node import Node
from symnet.simplify.numeric.scaled_squares import RANGES
from symnet.simplify.numeric.singularities.expansions import RADII, Expansion
from symnet.simplify.numeric.singularities.function_parts import FunctionPart
from symnet.simplify.numeric.singularities.power_series import Series

MOST = {"float32": 16, "float64": 26}  # terms of a polynomial
DIGITS = {"float32": 26, "float64": 55}  # bits behind which a term is nothing
LAST = 4  # known coefficients that must be far below the digits


@dataclass(frozen=True)
class SeriesNearZero:
    """What a function is near 0: u^start times Σ c[n]·u^(step·n), right where |u| < radius."""

    coefficients: tuple[float, ...]
    step: int
    radius: float


def polynomial_of_part(part: FunctionPart, expansion: Expansion) -> SeriesNearZero | None:
    return polynomial_of(expansion.series, str(part.node.dtype), expansion.within)


def polynomial_of(series: Series, dtype: str, within: float) -> SeriesNearZero | None:
    """The polynomial on the largest of the intervals on which few terms are enough."""
    sizes = [c.bit_length() if c else None for c in series.coefficients]
    step = 1 if any(size is not None for size in sizes[1::2]) else 2
    known = [(n, size) for n, size in enumerate(sizes) if size is not None]
    for radius in (r for r in RADII if r <= within):
        lowest = known[0][1] - DIGITS[dtype]
        reach = [n for n, size in known if size + n * math.log2(radius) > lowest]
        degree = reach[-1]
        ends = degree == known[-1][0] if len(known) <= LAST else known[-LAST][0] > degree
        if degree // step < MOST[dtype] and (ends or degree < len(sizes) // 3):
            return SeriesNearZero(tuple(series.number(n) for n in range(0, degree + 1, step)), step, radius)
    return None


def line_near_zero(series: Series) -> SeriesNearZero:
    """The first three terms of a series, for |u| < 2⁻²⁰, where a fourth is nothing: beyond, x² in a divisor is far from
    0.
    """
    return SeriesNearZero(tuple(series.number(n) for n in range(3)), 1, 2.0**-20)


def where_limit_holds(w: Node, series: Series, dtype: str) -> Node:
    """w = 0; for squares and other powers, w < 2^low, where what follows the limit is nothing.

    Sums of powers are 0 to a function long before what they are powers of is (`scaled_squares.py`): below 2^low they
    are not what stands in the divisor.
    """
    if not w.operands or not known(w, "nonnegative"):
        return equal(w, 0)
    if series.start:
        return elementwise("le", w, 0)
    size, below = abs(series.number(0)), 2.0 ** RANGES[dtype].low
    others = (abs(series.number(n)) * below**n for n in range(1, len(series.coefficients)))
    is_nothing = all(other <= size * 2.0 ** -DIGITS[dtype] for other in others)
    return elementwise("lt", w, number(below)) if is_nothing else elementwise("le", w, 0)


def evaluated(polynomial: SeriesNearZero, w: Node) -> Node:
    """Horner's scheme in w = u^step."""
    first, *others = reversed([number(c) for c in polynomial.coefficients])
    return reduce(lambda total, c: elementwise("add", c, elementwise("mul", w, total)), others, first)
