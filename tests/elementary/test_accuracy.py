"""Every function of `symnet.elementary` against mpmath, with fused products and without, for every number of lanes."""

import math

import mpmath as mp
import numpy as np
import pytest

from symnet.elementary import exponential, far_angles
from symnet.elementary.table import FUNCTIONS
from tests.elementary.cases import (
    ARITY,
    BOUNDS,
    FAR,
    FUSED_BOUNDS,
    KINDS,
    ORACLE,
    SPECIAL,
    arguments,
    inf,
    powers,
    spread,
)  # fmt: skip
from tests.elementary.machine import TARGETS, WIDTHS, Compiled, Machine, emit, fuses


@pytest.fixture(params=TARGETS)
def compiled(request):
    return Machine(request.param)


# ----------------------------------------------------------------------------- the error


def ulps(got, want, kind):
    """|got - want| in units of the last place of `want`, the subnormals' last place being the smallest number."""
    mantissa, lowest = (23, -126) if kind == "float" else (52, -1022)
    largest = mp.mpf(float(np.finfo(KINDS[kind]).max))
    if not math.isfinite(got):
        return 0.0 if abs(want) > largest and got == mp.sign(want) * inf else inf
    exponent = max(mp.frexp(want)[1] - 1, lowest) if want else lowest
    return float(abs(mp.mpf(float(got)) - want) / mp.mpf(2) ** (exponent - mantissa))


_WANTED: dict = {}


def wanted(name, kind):
    """The arguments and mpmath's results, computed once for all targets."""
    if (name, kind) not in _WANTED:
        args = arguments(name, kind)
        with mp.workprec(1300 if name in FAR else 140):
            rows = zip(*[a.tolist() for a in args], strict=True)
            _WANTED[name, kind] = args, [ORACLE[name](*map(mp.mpf, row)) for row in rows]
    return _WANTED[name, kind]


def worst(run, name, kind):
    args, want = wanted(name, kind)
    got = run(name, 8, *args)
    with mp.workprec(140):
        errors = [ulps(g, w, kind) for g, w in zip(got.tolist(), want, strict=True)]
    k = int(np.argmax(errors))
    return errors[k], [a[k] for a in args], got[k]


# ----------------------------------------------------------------------------- accuracy


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_error_stays_within_the_documented_bound(compiled, name, kind):
    bound = (FUSED_BOUNDS if fuses(compiled.which) and name in FUSED_BOUNDS else BOUNDS)[name][list(KINDS).index(kind)]
    error, at, got = worst(compiled, name, kind)
    assert error <= bound, f"{name} of {at} gives {got!r}: {error:.3f} ulp"


def test_a_coefficient_that_is_slightly_wrong_is_caught(monkeypatch):
    right = exponential.EXP["double"]
    monkeypatch.setitem(exponential.EXP, "double", (*right[:4], right[4] * (1 + 1e-12), *right[5:]))
    error, _, _ = worst(Compiled(str(emit(["exp"], widths=(8,), fused=fuses("host"))), "host"), "exp", "double")
    assert error > 3


def test_every_function_of_the_table_has_a_bound_and_an_oracle():
    assert set(FUNCTIONS) == set(BOUNDS) == set(ORACLE)


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name != "floor"])
def test_the_docstring_says_the_bound_that_is_tested(name):
    for bound in {*BOUNDS[name], *FUSED_BOUNDS.get(name, ())}:
        assert f"{bound:g} ulp" in FUNCTIONS[name].__doc__


# ----------------------------------------------------------------------------- special values


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_special_values_are_those_of_the_standard(compiled, name, kind):
    rows = [(np.atleast_1d(given), want) for given, want in SPECIAL[name]]
    args = [np.array([row[0][k] for row in rows], KINDS[kind]) for k in range(ARITY.get(name, 1))]
    want = np.array([row[1] for row in rows], KINDS[kind])
    got = compiled(name, 4, *args)
    np.testing.assert_array_almost_equal_nulp(got[np.isfinite(want)], want[np.isfinite(want)], nulp=1)
    np.testing.assert_array_equal(got[~np.isfinite(want)], want[~np.isfinite(want)])
    signs_matter = ~np.isnan(want)
    np.testing.assert_array_equal(np.signbit(got[signs_matter]), np.signbit(want[signs_matter]))


LEFT = {"loggamma": (3, lambda x: 1), "digamma": (4, lambda x: mp.log(2 - x))}


@pytest.mark.parametrize("name", LEFT)
def test_left_of_zero_the_error_is_a_few_ulp_of_what_the_value_is_the_difference_of(compiled, name):
    bound, scale = LEFT[name]
    rng = np.random.default_rng(9)
    x = np.concatenate([-spread(rng, 0, 12, 400), -powers(rng, -40, 6), -spread(rng, 12, 4000)])
    got = compiled(name, 8, x)
    with mp.workprec(140):
        want = [ORACLE[name](mp.mpf(float(v))) for v in x]
        sizes = [max(scale(float(v)), abs(w)) for v, w in zip(x, want, strict=True)]
        errors = [float(abs(g - w) / s) * 2**52 for g, w, s in zip(got.tolist(), want, sizes, strict=True)]
    k = int(np.argmax(errors))
    assert errors[k] <= bound, f"{name} of {x[k]} gives {got[k]}: {errors[k]:.2f}"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["exp", "sigmoid", "softplus"])
def test_the_far_tail_sinks_through_the_subnormals(compiled, name, kind):
    x = np.array([-88.0, -95.0, -103.0] if kind == "float" else [-709.0, -730.0, -744.4], KINDS[kind])
    got = compiled(name, 4, x)
    assert (got > 0).all() and (got < np.finfo(KINDS[kind]).tiny).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["sin", "tan", "expm1", "log1p", "tanh", "sinh", "asin", "atan"])
def test_the_smallest_numbers_pass_unchanged(compiled, name, kind):
    tiny = float(np.finfo(KINDS[kind]).smallest_subnormal)
    x = np.array([tiny, -tiny, 5 * tiny, float(np.finfo(KINDS[kind]).tiny)], KINDS[kind])
    np.testing.assert_array_equal(compiled(name, 4, x), x)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_lane_has_the_same_bits_at_every_width(compiled, name, kind):
    args = arguments(name, kind)
    results = [compiled(name, width, *args) for width in WIDTHS]
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])
        np.testing.assert_array_equal(np.signbit(result), np.signbit(results[0]))


def test_the_bits_of_two_over_pi_are_right():
    with mp.workprec(1400):
        bits = int(mp.floor(mp.ldexp(2 / mp.pi, 64 * len(far_angles.TWO_OVER_PI) - 32)))
    words = reversed([bits >> 64 * k & (2**64 - 1) for k in range(len(far_angles.TWO_OVER_PI))])
    assert tuple(words) == far_angles.TWO_OVER_PI
