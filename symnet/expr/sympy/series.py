"""Bodies of SymPy functions that SymPy itself does not write in elementary ones.

In: the arguments of the class, nodes or SymPy's numbers.  Out: a node made of primitives.

polygamma(n, x), x > 0: the first terms of (-1)ⁿ⁺¹·n!·Σ 1/(x + k)ⁿ⁺¹, and the asymptotic series of the rest in
1/(x + N); all terms have one sign, so nothing cancels.  For x ≤ 0 the reflection, with derivatives of cot πx.
Spherical Bessel functions, which are the derivatives of sinc: their power series near 0, sines and cosines beyond.
erf⁻¹ and Lambert's W: an approximation, and Halley's steps on the equation they solve.
Not handled: orders above `HIGHEST`; other branches of W; the digits of W that x itself lacks near -1/e.
Source: Abramowitz and Stegun 6.4.7, 6.4.10, 6.4.11, 10.1.2, 10.1.19;
S. Winitzki, "A handy approximation for the error function and its
inverse" (2008), and "Uniform approximations for transcendental functions" (2003) for W.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy

from symnet.errors import ArgumentError, explain
from symnet.expr.nodes.constants import number
from symnet.expr.nodes.elementwise import elementwise, negative, power, reciprocal, sqrt, where
from symnet.expr.nodes.node import Node

HIGHEST = 20  # order of a polygamma function
TERMS = 8  # of the asymptotic series
DIGITS = 2.0**-56  # what the first term left out is below, beside the leading one
WINITZKI = 0.147  # makes his approximation good to 0.2 %
NEAR_BRANCH = sympy.Rational(1, 2000)  # √(2·(e·x + 1)) up to which W's series at -1/e has all the digits that x gives


def polygamma(n: Any, x: Node) -> Node:
    """ψ⁽ⁿ⁾(x), n = 1, 2, …

    Raises:
        ArgumentError: an order that is no whole number from 1 to 20.
    """
    if not (getattr(n, "is_Integer", False) and 1 <= n <= HIGHEST):
        mend = "Give the order as a number."
        raise ArgumentError(explain(f"polygamma({n}, x)", f"a whole order from 1 to {HIGHEST}", str(n), mend))
    n = int(n)
    is_right = elementwise("gt", x, 0)
    right = polygamma_of_positive(n, where(is_right, x, 1 - x))
    return where(is_right, right, (-1) ** n * right - _cotangent_derivative(n, x))


def polygamma_of_positive(n: int, x: Node) -> Node:
    """ψ⁽ⁿ⁾(x) for x > 0: some terms of the sum, then the asymptotic series."""
    shift = _shift(n)
    terms = [power(x + k, -(n + 1)) for k in range(shift)]
    far = x + shift
    small = power(far, -2)
    series: Node = number(_coefficient(n, TERMS))
    for k in range(TERMS - 1, 0, -1):
        series = series * small + _coefficient(n, k)
    tail = sympy.factorial(n - 1) + (sympy.factorial(n) / 2 + series * reciprocal(far)) * reciprocal(far)
    total = sympy.factorial(n) * elementwise("add", *terms) + power(far, -n) * tail
    return total if n % 2 else -total


def _coefficient(n: int, k: int) -> Any:
    """The factor of (x + N)^(-2k) relative to the leading (n - 1)!: B₂ₖ·(2k + n - 1)!/(2k)!."""
    return sympy.bernoulli(2 * k) * sympy.factorial(2 * k + n - 1) / sympy.factorial(2 * k)


def _shift(n: int) -> int:
    """The smallest N for which the first term left out does not show."""
    left_out = abs(_coefficient(n, TERMS + 1)) / sympy.factorial(n - 1)
    return int(sympy.ceiling((left_out / DIGITS) ** sympy.Rational(1, 2 * TERMS + 2)))


def _cotangent_derivative(n: int, x: Node) -> Node:
    """dⁿ/dxⁿ π·cot πx, a polynomial in c = cot πx, for (cot t)′ = -(1 + c²)."""
    c = sympy.Symbol("c")
    polynomial: Any = c
    for _ in range(n):
        polynomial = -(1 + c**2) * sympy.diff(polynomial, c)
    near = x - elementwise("floor", x + number(sympy.S.Half))  # exact, so that poles are where they are
    cotangent = reciprocal(elementwise("tan", number(sympy.pi) * near))
    value: Node = number(0)
    for coefficient in sympy.Poly(polynomial, c).all_coeffs():
        value = value * cotangent + coefficient
    return number(sympy.pi ** (n + 1)) * value


def inverse_error_function(x: Node) -> Node:
    """erf⁻¹(x): Winitzki's approximation, then Halley's steps on erf y = x, on erfc where x is near ±1."""
    size = elementwise("abs", x)
    logarithm = elementwise("log", (1 - size) * (1 + size))
    bend = 2 / (sympy.pi * WINITZKI) + logarithm / 2
    y: Node = sqrt(sqrt(bend * bend - logarithm / WINITZKI) - bend)
    for _ in range(2):
        error = where(
            elementwise("lt", size, number(sympy.S.Half)),
            elementwise("erf", y) - size,
            (1 - size) - elementwise("erfc", y),
        )
        step = error * elementwise("exp", y * y) * number(sympy.sqrt(sympy.pi) / 2)
        y = y - step / (1 + y * step)
    y = where(elementwise("eq", size, 1), number(sympy.oo), y)
    return elementwise("sign", x) * y


def complementary_inverse(x: Node) -> Node:
    """erfc⁻¹(x) = erf⁻¹(1 - x)."""
    return inverse_error_function(negative(x) + 1)


def lambert(x: Node, branch: Any = sympy.S.Zero) -> Node:
    """W(x), the principal branch: Halley's steps on w·eʷ = x, from a series beside -1/e and from logarithms elsewhere.

    Raises:
        ArgumentError: another branch.
    """
    if branch != 0:
        mend = "Give a body for it."
        raise ArgumentError(explain(f"LambertW(x, {branch})", "the principal branch, 0", f"{branch}", mend))
    root = sqrt(elementwise("maximum", 2 * (number(sympy.E) * x + 1), 0))
    beside = -1 + root * (1 - root * (number(sympy.Rational(1, 3)) - root * number(sympy.Rational(11, 72))))
    lifted = elementwise("log1p", elementwise("maximum", x, number(sympy.Rational(-1, 4))))
    away = lifted * (1 - elementwise("log1p", lifted) / (2 + lifted))
    w: Node = where(elementwise("lt", x, number(sympy.Rational(-1, 4))), beside, away)
    for _ in range(3):
        power_of = elementwise("exp", w)
        error = w * power_of - x
        w = w - where(elementwise("eq", error, 0), 0, error / (power_of * (w + 1) - (w + 2) * error / (2 * w + 2)))
    inside = elementwise("ge", x, number(-sympy.exp(-1)))
    return where(inside, where(elementwise("gt", root, number(NEAR_BRANCH)), w, beside), number(sympy.nan))


def sinc(x: Node) -> Node:
    """sin(x)/x, 1 at 0."""
    return where(elementwise("ne", x, 0), elementwise("sin", x) / x, 1)


def spherical_bessel(n: Any, x: Node) -> Node:
    """jₙ(x), n = 0, 1, …: xⁿ·Σ (-x²/2)ᵏ/(k!·(2n + 2k + 1)!!) for |x| < n + 1, and the recurrence upwards beyond.

    Raises:
        ArgumentError: an order that is no whole number from 0 to 20.
    """
    if not (getattr(n, "is_Integer", False) and 0 <= n <= HIGHEST):
        mend = "Give the order as a number."
        raise ArgumentError(explain(f"jn({n}, x)", f"a whole order from 0 to {HIGHEST}", str(n), mend))
    n = int(n)
    near = elementwise("lt", elementwise("abs", x), n + 1)
    if n == 0:
        return sinc(x)
    return where(near, _bessel_series(n, x), _bessel_recurrence(n, where(near, 1, x)))


def _bessel_series(n: int, x: Node) -> Node:
    coefficients = [sympy.Rational((-1) ** k, 2**k * sympy.factorial(k)) / sympy.factorial2(2 * n + 2 * k + 1)
                    for k in range(_bessel_terms(n))]  # fmt: skip
    square = x * x
    series: Node = number(coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        series = series * square + coefficient
    return power(x, n) * series


def _bessel_terms(n: int) -> int:
    """Terms until what is left out does not show at |x| = n + 1."""
    count, term = 1, 1.0
    while term > DIGITS / 16:
        term *= (n + 1) ** 2 / (2 * count * (2 * n + 2 * count + 1))
        count += 1
    return count


def _bessel_recurrence(n: int, x: Node) -> Node:
    """jₖ₊₁ = (2k + 1)/x·jₖ - jₖ₋₁, which is stable for x > n."""
    below, here = elementwise("cos", x) / x, elementwise("sin", x) / x
    for k in range(n):
        below, here = here, here * (2 * k + 1) / x - below
    return here


SERIES: dict[Any, Callable[..., Node]] = {
    sympy.polygamma: polygamma,
    sympy.erfinv: inverse_error_function,
    sympy.erfcinv: complementary_inverse,
    sympy.LambertW: lambert,
    sympy.sinc: sinc,
    sympy.jn: spherical_bessel,
}
