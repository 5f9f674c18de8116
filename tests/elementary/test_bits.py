"""Every function means the same in NumPy as in machine code, to the last bit, with fused products and without.

What is compared is the definition, written once, on two sorts of lanes: an error of its own neither of them shows
(`test_accuracy.py` does), but one of the lanes, of LLVM's passes or of its code for this machine.
"""

import math
from fractions import Fraction

import numpy as np
import pytest

from symnet.elementary import exponential
from symnet.elementary.table import FUNCTIONS, INTEGER_FUNCTIONS
from symnet.loops.array_lanes import BITS, ArrayLanes
from symnet.loops.fused import multiply_add, rounded_once
from tests.elementary.cases import ARITY, KINDS, SPECIAL, arguments
from tests.elementary.machine import TARGETS, Compiled, Machine, emit, fuses
from tests.llvm.native import differing

WIDTH = 8


@pytest.fixture(params=TARGETS)
def compiled(request):
    return Machine(request.param)


def everywhere(rng, name, kind):
    """Where the error is measured, the special values, and numbers of all bit patterns."""
    arity, dtype = ARITY.get(name, 1), KINDS[kind]
    usual = [a[:: len(a) // 400 or 1] for a in arguments(name, kind)]
    rows = [np.atleast_1d(given) for given, _ in SPECIAL[name]]
    patterns = [rng.integers(0, 1 << np.dtype(dtype).itemsize * 8, 300, BITS[kind]).view(dtype) for _ in range(arity)]
    return [
        np.concatenate([usual[k], np.array([row[k] for row in rows], dtype), patterns[k]]).astype(dtype)
        for k in range(arity)
    ]


def defined(function, lanes, *args):
    with np.errstate(all="ignore"):
        return function(lanes, *args)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_numpy_and_machine_code_agree_to_the_last_bit(rng, compiled, name, kind):
    args = everywhere(rng, name, kind)
    got = compiled(name, WIDTH, *args)
    want = defined(FUNCTIONS[name], ArrayLanes(kind, fuses(compiled.which)), *args)
    assert want.dtype == got.dtype
    wrong = differing(got, want)
    assert not wrong.any(), f"{name} of {[a[wrong][0] for a in args]}: {got[wrong][0]!r}, in NumPy {want[wrong][0]!r}"


@pytest.mark.parametrize("bits", [32, 64])
def test_powers_of_integers_are_numpys(rng, compiled, bits):
    x, y = rng.integers(-(2 ** (bits - 1)), 2 ** (bits - 1), (2, 200), f"int{bits}")
    small = rng.integers(-3, 4, 200), rng.integers(-70, 70, 200)
    x, y = (np.concatenate([a, b]).astype(f"int{bits}") for a, b in zip((x, y), small, strict=True))
    got = compiled("pow", WIDTH, x, y)
    lanes = ArrayLanes("float" if bits == 32 else "double", fused=False)
    want = defined(INTEGER_FUNCTIONS["pow"], lanes, *(a.view(f"uint{bits}") for a in (x, y)))
    np.testing.assert_array_equal(got, want.view(x.dtype))
    np.testing.assert_array_equal(got[y >= 0], x[y >= 0] ** y[y >= 0])


# ----------------------------------------------------------------------------- the testers


@pytest.mark.parametrize("kind", KINDS)
def test_one_rounding_more_is_seen(rng, kind):
    args = everywhere(rng, "exp", kind)
    once, twice = (defined(FUNCTIONS["exp"], ArrayLanes(kind, fused), *args) for fused in (True, False))
    assert differing(once, twice).any()


def test_a_constant_that_is_one_bit_wrong_in_machine_code_is_seen(rng, monkeypatch):
    args = everywhere(rng, "exp", "double")
    want = defined(FUNCTIONS["exp"], ArrayLanes("double", fuses("host")), *args)
    right = exponential.EXP["double"]
    monkeypatch.setitem(exponential.EXP, "double", (*right[:2], math.nextafter(right[2], 1.0), *right[3:]))
    wrong = Compiled(str(emit(["exp"], [WIDTH], ["float64"], fuses("host"))), "host")
    assert differing(wrong("exp", WIDTH, *args), want).any()


def test_a_fused_product_of_doubles_is_rounded_once(rng):
    """Near ties, in cancellations, among subnormals and beyond the largest number."""
    a, b = rng.uniform(-2, 2, (2, 2000)) * 2.0 ** rng.integers(-540, 510, (2, 2000))
    close = -a * b * (1 + rng.choice([0.0, 2.0**-53, -(2.0**-52)], 2000))
    far = rng.uniform(-2, 2, 2000) * 2.0 ** rng.integers(-1074, 1023, 2000)
    tie = a * b * 2.0 ** rng.integers(-60, 60, 2000).astype(float)
    with np.errstate(all="ignore"):
        for c in (close, far, tie, np.full(2000, 5e-324)):
            c = np.where(np.isfinite(c), c, 1.0)
            got = multiply_add(a, b, c)
            want = np.array([rounded_once(*row) for row in zip(a, b, c, strict=True)])
            np.testing.assert_array_equal(got, want)
            one_by_one(a, b, c, got)


def one_by_one(a, b, c, together):
    """Single numbers have the bits that arrays of them have, and stay of their dtype."""
    got = [multiply_add(*row) for row in zip(a, b, c, strict=True)]
    assert {type(each) for each in got} == {together.dtype.type}
    assert not differing(np.array(got), together).any()


def test_a_fused_product_of_floats_is_rounded_once(rng):
    a, b, c = (rng.uniform(-2, 2, (3, 3000)) * 2.0 ** rng.integers(-70, 63, (3, 3000))).astype(np.float32)
    with np.errstate(all="ignore"):
        for addend in (c, -a * b, np.full(3000, 1e-45, np.float32), (a * b * 2.0**24).astype(np.float32)):
            addend = np.where(np.isfinite(addend), addend, np.float32(1))
            got = multiply_add(a, b, addend)
            exact = [
                Fraction(float(x)) * Fraction(float(y)) + Fraction(float(z))
                for x, y, z in zip(a, b, addend, strict=True)
            ]
            assert all(_is_nearest(g, e) for g, e in zip(got.tolist(), exact, strict=True))
            one_by_one(a, b, addend, got)


def _is_nearest(got, exact):
    """No float is nearer than the one that was given, and of two that are as near it is the even one."""
    if not math.isfinite(got):
        return abs(exact) >= Fraction(2) ** 128 - Fraction(2) ** 103
    value = np.float32(got)
    away = abs(Fraction(got) - exact)
    beside = [np.nextafter(value, np.float32(side)) for side in (-np.inf, np.inf)]
    others = [abs(Fraction(float(other)) - exact) for other in beside if np.isfinite(other)]
    return away < min(others) or (away == min(others) and not int(value.view(np.uint32)) & 1)


def test_special_numbers_pass_through_a_fused_product():
    inf, nan, huge = math.inf, math.nan, 1e300
    rows = [(inf, 0.0, 1.0), (inf, 1.0, -inf), (inf, 2.0, 1.0), (huge, huge, -inf), (huge, -huge, 1.0), (nan, 1.0, 1.0),
            (0.0, -1.0, 0.0), (0.0, -1.0, -0.0), (1.0, -1.0, 1.0), (2.0, 3.0, nan), (huge, huge, nan)]  # fmt: skip
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    with np.errstate(all="ignore"):
        got = multiply_add(*columns)
        one_by_one(*columns, got)
        one_by_one(*(parts := [column.astype(np.float32) for column in columns]), multiply_add(*parts))
    np.testing.assert_array_equal(got, [nan, nan, inf, -inf, -inf, nan, 0.0, -0.0, 0.0, nan, nan])
    assert np.signbit(got).tolist()[6:9] == [False, True, False]


# ----------------------------------------------------------------------------- what processors are slow at


class SinkingLanes(ArrayLanes):
    """Lanes that know whether a product or quotient left the normal numbers at their lower end: processors stop there
    for 150 cycles, a masked element of attention among 4 096 others or not.
    """

    sank = False

    def mul(self, a, b):
        return self._seen(super().mul(a, b), a, b)

    def div(self, a, b):
        return self._seen(super().div(a, b), a, b)

    def _seen(self, result, *args):
        below = np.abs(result) < np.finfo(result.dtype).tiny
        for a in args:
            below &= (np.asarray(a) != 0) & ~np.isinf(a)
        self.sank |= bool(below.any())
        return result


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["exp", "expm1", "sigmoid", "softplus", "tanh", "sinh", "cosh", "erf", "erfc"])
def test_what_is_far_out_costs_no_more(name, kind):
    """Where the result is no subnormal number, nothing on the way to it is."""
    lowest = {"float": 105, "double": 747}[kind]
    far = [0.5, 1, 3, 9, 20, 27.5, 50, 80, lowest, 200, 800, 1e4, 1e9, 1e30, np.inf]
    for x in (*far, *(-x for x in far)):
        lanes = SinkingLanes(kind, fused=True)
        value = defined(FUNCTIONS[name], lanes, np.full(WIDTH, x, KINDS[kind]))[0]
        assert not lanes.sank or 0 < abs(value) < np.finfo(KINDS[kind]).tiny, (x, value)
    lanes = SinkingLanes(kind, fused=True)
    defined(FUNCTIONS["exp"], lanes, np.full(WIDTH, 1 - lowest, KINDS[kind]))  # a subnormal: what is counted is seen
    assert lanes.sank
