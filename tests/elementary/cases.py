"""Elementary functions, by name: the bound, mpmath's function, where it is measured, and its special values."""

import math
from fractions import Fraction

import mpmath as mp
import numpy as np

from symnet.elementary.table import FUNCTIONS

KINDS = {"float": np.float32, "double": np.float64}
FAR = ("cos", "sin", "tan")  # of huge angles
ARITY = {"mod": 2, "floor_divide": 2, "pow": 2, "xlogy": 2, "atan2": 2}
inf, nan = math.inf, math.nan

# ulp, for float and double: what the docstrings promise on every target
BOUNDS = {
    "acos": (1.3, 1.3),
    "acosh": (2.5, 2.5),
    "asin": (2.5, 2.5),
    "asinh": (2.5, 2.5),
    "atan": (2.0, 2.0),
    "atan2": (3.0, 3.0),
    "atanh": (2.5, 2.5),
    "cbrt": (0.75, 0.75),
    "cos": (1.4, 1.4),
    "cosh": (1.8, 1.8),
    "digamma": (0.6, 4.0),  # x > 0; the left half has a test of its own
    "erf": (1.2, 1.2),
    "erfc": (3.0, 3.0),
    "exp": (1.2, 1.2),
    "expm1": (1.8, 2.4),
    "floor": (0.0, 0.0),
    "gamma": (0.6, 3.5),
    "log": (1.0, 1.0),
    "log1p": (1.0, 1.0),
    "loggamma": (0.6, 3.0),  # x > 0
    "mod": (0.5, 0.5),
    "floor_divide": (2.0, 2.0),
    "pow": (0.6, 1.5),
    "rsqrt": (1.5, 1.5),
    "sigmoid": (2.5, 2.5),
    "sin": (1.4, 1.4),
    "sinh": (1.8, 1.8),
    "softplus": (2.0, 2.4),
    "sqrt": (0.5, 0.5),
    "tan": (3.0, 3.0),
    "tanh": (1.4, 1.4),
    "xlogy": (2.0, 2.0),
}
# and where products are fused with sums
FUSED_BOUNDS = {"exp": (0.9, 0.95), "erf": (1.0, 1.0), "pow": (0.6, 1.2)}

# ----------------------------------------------------------------------------- the oracle


def exact_mod(x, y):
    """Python's fractions know it for quotients of any size."""
    found = Fraction(float(x)) % Fraction(float(y))
    return mp.mpf(found.numerator) / found.denominator


ORACLE = {
    "mod": exact_mod,
    "floor_divide": lambda x, y: mp.mpf(Fraction(float(x)) // Fraction(float(y))),
    "pow": mp.power,
    "atan2": mp.atan2,
    "cbrt": lambda x: mp.sign(x) * mp.cbrt(abs(x)),
    "loggamma": lambda x: mp.log(abs(mp.gamma(x))) if x < 1e6 else mp.loggamma(x),
    "xlogy": lambda x, y: x * mp.log(y) if x else mp.mpf(0),
    "rsqrt": lambda x: 1 / mp.sqrt(x),
    "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
    "softplus": lambda x: mp.log1p(mp.exp(x)) if x < 100 else x + mp.exp(-x),
}
ORACLE |= {name: getattr(mp, name) for name in FUNCTIONS if name not in ORACLE}


def spread(rng, low, high, count=400):
    return rng.uniform(low, high, count)


def powers(rng, low, high, count=400):
    """Magnitudes spread evenly over the exponents."""
    return 2.0 ** rng.uniform(low, high, count)


def both_signs(x):
    return np.concatenate([x, -x])


# doubles and floats that lie closest to a multiple of π/2 (J.-M. Muller, Elementary Functions, section 11)
HARD_ANGLES = {
    "double": [6381956970095103 * 2.0**797, 5319372648326541 * 2.0**-53, 6411027962775774 * 2.0**-48, 2.0**1023, 1e22],
    "float": [16367173 * 2.0**72, 8249776 * 2.0**6, 13254561 * 2.0**-13, 2.0**127],
}


def angles(rng, kind):
    """Angles of every size, and those beside multiples of π/2, near the seam of the two reductions and far beyond."""
    mantissa, top = (23, 128) if kind == "float" else (52, 1024)
    turns = [2.0 ** rng.integers(0, 40, 200), rng.integers(1, 2**20, 200), 2.0 ** rng.integers(40, top - 1, 200)]
    beside = [nearest_angles(n, mantissa) for each in turns for n in each]
    seam = 2.0**25 + both_signs(powers(rng, -3, 20, 100))
    return both_signs(powers(rng, -3, top)), seam, np.array(beside), both_signs(np.array(HARD_ANGLES[kind]))


def nearest_angles(n, mantissa):
    """The number of this format that is nearest to n·π/2."""
    with mp.workprec(1200):
        angle = int(n) * mp.pi / 2
        exponent = mp.frexp(angle)[1] - mantissa - 1
        return float(mp.ldexp(mp.nint(mp.ldexp(angle, -exponent)), exponent))


def points(name, kind):
    """Where a function is measured: ordinary arguments, its whole range, and the neighbourhood of every seam."""
    rng = np.random.default_rng(7)
    top, bottom = (128, -149) if kind == "float" else (1024, -1074)
    exp_top, exp_bottom = top * math.log(2), (bottom - 1) * math.log(2)
    anything = both_signs(powers(rng, bottom, top))
    near_zero = both_signs(powers(rng, -60, 2))
    ordinary = np.concatenate([spread(rng, -1, 1), spread(rng, -12, 12), near_zero])
    steps = np.arange(-40, 41) * math.pi / 4
    table = {
        "exp": [ordinary, spread(rng, exp_bottom, exp_top, 400)],
        "expm1": [ordinary, spread(rng, 0.3, 0.45), spread(rng, -40, exp_top)],
        "sigmoid": [ordinary, spread(rng, exp_bottom, -exp_bottom, 300)],
        "softplus": [ordinary, spread(rng, -1000, 1000), spread(rng, exp_bottom, 0)],
        "tanh": [ordinary, spread(rng, 0.5, 0.6), spread(rng, -20, 20), anything],
        "sinh": [ordinary, spread(rng, 0.9, 1.5), spread(rng, -exp_top, exp_top)],
        "cosh": [ordinary, spread(rng, -exp_top, exp_top)],
        "log": [powers(rng, bottom, top), spread(rng, 0.4, 2.5, 300)],
        "log1p": [
            both_signs(powers(rng, -60, -1)),
            spread(rng, -1, 2, 300),
            powers(rng, -1, top),
            powers(rng, -20, -1) - 1,
        ],
        "sqrt": [powers(rng, bottom, top)],
        "rsqrt": [powers(rng, bottom, top)],
        "floor": [anything, ordinary, spread(rng, -1e9, 1e9), np.arange(-9, 9) / 2],
        "sin": [ordinary, steps, spread(rng, -1e5, 1e5), *angles(rng, kind)],
        "cos": [ordinary, steps, spread(rng, -1e5, 1e5), *angles(rng, kind)],
        "tan": [ordinary, steps, spread(rng, -1e5, 1e5), *angles(rng, kind)],
        "atan": [ordinary, anything, spread(rng, 0.35, 0.5), spread(rng, 2.3, 2.5)],
        "asin": [spread(rng, -1, 1, 300), spread(rng, 0.45, 0.6), both_signs(powers(rng, -60, 0))],
        "acos": [spread(rng, -1, 1, 300), spread(rng, 0.45, 0.6), both_signs(powers(rng, -60, 0))],
        "asinh": [ordinary, anything],
        "acosh": [1 + powers(rng, -40, 2), powers(rng, 0, top), spread(rng, 1, 3)],
        "atanh": [spread(rng, -1, 1), both_signs(powers(rng, -60, 0)), 1 - powers(rng, -40, -1)],
        "cbrt": [anything, ordinary],
        "erfc": [spread(rng, -7, 9, 300), spread(rng, 0, 26), near_zero, powers(rng, -20, 4)],
        "gamma": [
            spread(rng, 0, 12, 300),
            spread(rng, -12, 0, 300),
            powers(rng, bottom + 20, 5),
            -powers(rng, -30, 3),
            spread(rng, 12, 33 if kind == "float" else 171.6),
            spread(rng, -177, -30) if kind == "double" else [],
            np.arange(1, 30),
        ],
        "loggamma": [
            spread(rng, 0, 4, 400),
            spread(rng, 4, 100),
            powers(rng, bottom, top - 11),
            1 + both_signs(powers(rng, -40, -1)),
            2 + both_signs(powers(rng, -40, -1)),
            powers(rng, 50, 62),
        ],
        "digamma": [
            spread(rng, 0, 8, 500),
            powers(rng, bottom + 30, top),
            1.4616321449683622 + both_signs(powers(rng, -40, -2)),
        ],
        "erf": [ordinary, spread(rng, 0.8, 1.2, 300), spread(rng, -6, 6, 300), anything],
    }
    with np.errstate(over="ignore"):
        return np.concatenate(table[name]).astype(KINDS[kind])


def pairs(name, kind):
    rng = np.random.default_rng(8)
    top, bottom = (128, -149) if kind == "float" else (1024, -1074)
    x = np.concatenate([powers(rng, bottom, top, 200), powers(rng, -3, 3, 400), spread(rng, 0.7, 1.5, 200)])
    if name == "atan2":
        y = np.concatenate([x, -x[::-1], rng.permutation(x)])
        return y.astype(KINDS[kind]), (np.concatenate([x[::-1], -x, x]) * rng.choice([-1, 1], len(y))).astype(
            KINDS[kind]
        )
    if name == "floor_divide":
        a, b = both_signs(powers(rng, -8, 60, 600)), both_signs(powers(rng, -8, 8, 600))
        a = np.concatenate([a, np.arange(-40, 40) * 0.1])
        return a.astype(KINDS[kind]), np.concatenate([b, np.tile([0.1, 0.2, 0.3, -0.7], 20)]).astype(KINDS[kind])
    if name == "mod":
        anything, near = both_signs(powers(rng, bottom, top, 600)), both_signs(powers(rng, -8, 8, 600))
        a = np.concatenate([anything, near, np.arange(-40, 40) * 0.1])
        b = np.concatenate([rng.permutation(anything), rng.permutation(near), np.tile([0.1, 0.2, 0.3, -0.7], 20)])
        return a.astype(KINDS[kind]), b.astype(KINDS[kind])
    if name == "xlogy":
        return rng.uniform(-9, 9, len(x)).astype(KINDS[kind]), x.astype(KINDS[kind])
    y = rng.uniform(bottom, top, len(x)) / np.log2(x)  # the powers fill the range
    small_integers = rng.integers(-9, 10, 200).astype(float)
    x, y = np.concatenate([x, rng.uniform(-9, 9, 200)]), np.concatenate([y, small_integers])
    limit = 1e30
    return x.astype(KINDS[kind]), np.clip(y, -limit, limit).astype(KINDS[kind])


def arguments(name, kind):
    args = pairs(name, kind) if name in ARITY else (points(name, kind),)
    usable = np.all([np.isfinite(a) & ((a != 0) | (name not in ("mod", "floor_divide"))) for a in args], axis=0)
    return [a[usable] for a in args]


# ----------------------------------------------------------------------------- special values

SPECIAL = {
    "asinh": [(inf, inf), (-inf, -inf), (nan, nan), (0.0, 0.0), (-0.0, -0.0)],
    "acosh": [(inf, inf), (-inf, nan), (nan, nan), (1.0, 0.0), (0.5, nan), (-2.0, nan)],
    "atanh": [(1.0, inf), (-1.0, -inf), (nan, nan), (0.0, 0.0), (-0.0, -0.0), (2.0, nan), (-inf, nan)],
    "cbrt": [(inf, inf), (-inf, -inf), (nan, nan), (0.0, 0.0), (-0.0, -0.0), (8.0, 2.0), (-27.0, -3.0)],
    "erfc": [(inf, 0.0), (-inf, 2.0), (nan, nan), (0.0, 1.0), (-0.0, 1.0), (1e30, 0.0), (-1e30, 2.0)],
    "gamma": [
        (inf, inf), (-inf, nan), (nan, nan), (0.0, inf), (-0.0, -inf), (1.0, 1.0), (2.0, 1.0), (5.0, 24.0), (-3.0, nan),
        (-1e30, nan), (1e30, inf), (-250.5, -0.0), (-251.5, 0.0),
    ],
    "loggamma": [
        (inf, inf), (-inf, inf), (nan, nan), (0.0, inf), (-0.0, inf), (1.0, -0.0), (2.0, 0.0), (-3.0, inf),
        (-1e30, inf),
    ],
    "digamma": [(inf, inf), (-inf, nan), (nan, nan), (0.0, -inf), (-0.0, inf), (-3.0, nan), (-1e30, nan)],
    "atan2": [
        ((0.0, 1.0), 0.0), ((-0.0, 1.0), -0.0), ((0.0, -1.0), math.pi), ((-0.0, -1.0), -math.pi), ((0.0, 0.0), 0.0),
        ((0.0, -0.0), math.pi), ((1.0, 0.0), math.pi / 2), ((-1.0, -0.0), -math.pi / 2), ((inf, inf), math.pi / 4),
        ((-inf, -inf), -3 * math.pi / 4), ((1.0, inf), 0.0), ((1.0, -inf), math.pi), ((inf, 1.0), math.pi / 2),
        ((nan, 1.0), nan), ((1.0, nan), nan), ((nan, inf), nan),
    ],
    "exp": [(inf, inf), (-inf, 0.0), (nan, nan), (0.0, 1.0), (-0.0, 1.0), (1000.0, inf), (-1000.0, 0.0)],
    "expm1": [(inf, inf), (-inf, -1.0), (nan, nan), (0.0, 0.0), (-0.0, -0.0), (1000.0, inf), (-1000.0, -1.0)],
    "log": [(inf, inf), (-inf, nan), (nan, nan), (0.0, -inf), (-0.0, -inf), (-1.0, nan), (1.0, 0.0)],
    "log1p": [(inf, inf), (-inf, nan), (nan, nan), (0.0, 0.0), (-0.0, -0.0), (-1.0, -inf), (-1.5, nan)],
    "tanh": [(inf, 1.0), (-inf, -1.0), (nan, nan), (0.0, 0.0), (-0.0, -0.0), (1e30, 1.0)],
    "sigmoid": [(inf, 1.0), (-inf, 0.0), (nan, nan), (0.0, 0.5), (-0.0, 0.5), (1000.0, 1.0), (-1000.0, 0.0)],
    "softplus": [(inf, inf), (-inf, 0.0), (nan, nan), (1000.0, 1000.0), (-1000.0, 0.0), (1e30, 1e30)],
    "sin": [(inf, nan), (-inf, nan), (nan, nan), (0.0, 0.0), (-0.0, -0.0)],
    "cos": [(inf, nan), (-inf, nan), (nan, nan), (0.0, 1.0), (-0.0, 1.0)],
    "tan": [(inf, nan), (-inf, nan), (nan, nan), (0.0, 0.0), (-0.0, -0.0)],
    "asin": [(1.5, nan), (-1.5, nan), (inf, nan), (nan, nan), (0.0, 0.0), (-0.0, -0.0)],
    "acos": [(1.5, nan), (-1.5, nan), (inf, nan), (nan, nan), (1.0, 0.0)],
    "atan": [(inf, math.pi / 2), (-inf, -math.pi / 2), (nan, nan), (0.0, 0.0), (-0.0, -0.0)],
    "sinh": [(inf, inf), (-inf, -inf), (nan, nan), (0.0, 0.0), (-0.0, -0.0), (1e3, inf), (-1e3, -inf)],
    "cosh": [(inf, inf), (-inf, inf), (nan, nan), (0.0, 1.0), (-0.0, 1.0), (-1e3, inf)],
    "erf": [(inf, 1.0), (-inf, -1.0), (nan, nan), (0.0, 0.0), (-0.0, -0.0), (1e30, 1.0)],
    "sqrt": [(inf, inf), (-1.0, nan), (nan, nan), (0.0, 0.0), (-0.0, -0.0), (4.0, 2.0)],
    "rsqrt": [(inf, 0.0), (-1.0, nan), (nan, nan), (0.0, inf), (4.0, 0.5)],
    "floor": [(inf, inf), (-inf, -inf), (nan, nan), (-0.0, -0.0), (-0.5, -1.0), (0.5, 0.0), (2.0**60, 2.0**60)],
    "xlogy": [
        ((0.0, 0.0), 0.0), ((0.0, -1.0), 0.0), ((0.0, inf), 0.0), ((-0.0, 0.0), 0.0), ((0.0, nan), nan),
        ((nan, 1.0), nan), ((1.0, 0.0), -inf), ((1.0, -1.0), nan), ((2.0, inf), inf), ((nan, 0.0), nan),
    ],
    "floor_divide": [
        ((5.0, inf), 0.0), ((-5.0, inf), -1.0), ((5.0, -inf), -1.0), ((-5.0, -inf), 0.0), ((0.0, inf), 0.0),
        ((-0.0, 3.0), -0.0), ((0.0, -3.0), -0.0), ((1.0, 0.0), inf), ((0.0, 0.0), nan), ((1.0, -0.0), -inf),
        ((inf, 3.0), nan), ((inf, 0.0), inf), ((-inf, 3.0), nan), ((inf, inf), nan), ((nan, 3.0), nan),
        ((3.0, nan), nan), ((nan, inf), nan), ((nan, 0.0), nan), ((-1.0, 3.0), -1.0), ((1.0, -3.0), -1.0),
        ((7.5, 2.0), 3.0), ((-7.5, 2.0), -4.0), ((6.0, -3.0), -2.0), ((-1e-30, 1.0), -1.0),
    ],
    "mod": [
        ((5.0, inf), 5.0), ((-5.0, inf), inf), ((5.0, -inf), -inf), ((-5.0, -inf), -5.0), ((0.0, inf), 0.0),
        ((0.0, -inf), -0.0), ((-0.0, inf), 0.0), ((-0.0, 3.0), 0.0), ((0.0, -3.0), -0.0), ((6.0, -3.0), -0.0),
        ((-6.0, 3.0), 0.0), ((1.0, 0.0), nan), ((0.0, 0.0), nan), ((1.0, -0.0), nan), ((inf, 3.0), nan),
        ((-inf, 3.0), nan), ((inf, inf), nan), ((nan, 3.0), nan), ((3.0, nan), nan), ((nan, inf), nan),
        ((-1.0, 3.0), 2.0), ((1.0, -3.0), -2.0), ((7.5, 2.0), 1.5), ((-7.5, 2.0), 0.5),
    ],
    "pow": [
        ((nan, 0.0), 1.0), ((1.0, nan), 1.0), ((nan, 1.0), nan), ((2.0, nan), nan), ((0.0, 0.0), 1.0),
        ((-1.0, inf), 1.0), ((-1.0, -inf), 1.0), ((2.0, inf), inf), ((2.0, -inf), 0.0), ((0.5, inf), 0.0),
        ((0.5, -inf), inf), ((0.0, 3.0), 0.0), ((-0.0, 3.0), -0.0), ((-0.0, 2.0), 0.0), ((-0.0, -3.0), -inf),
        ((0.0, -2.0), inf), ((0.0, 0.5), 0.0), ((-0.0, 0.5), 0.0), ((0.0, inf), 0.0), ((0.0, -inf), inf),
        ((inf, 2.0), inf), ((inf, -1.0), 0.0), ((-inf, 3.0), -inf), ((-inf, 2.0), inf), ((-inf, -3.0), -0.0),
        ((-inf, 0.5), inf), ((-2.0, 0.5), nan), ((-2.0, 3.0), -8.0), ((-2.0, 2.0), 4.0), ((-2.0, 1e20), inf),
        ((-3.0, -1.0), -1 / 3), ((3.0, 1.0), 3.0), ((-0.5, 1e20), 0.0), ((1e30, 1e30), inf), ((-2.0, inf), inf),
    ],
}  # fmt: skip
