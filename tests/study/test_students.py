"""Functions drawn at random, differentiated as students do: rightly in many spellings, and with one mistake each.

The derivatives, right and wrong, are SymPy's work; symnet is given text.  What is said of a wrong one is believed only
where it mends it: the term, factor or sign that is blamed is taken back, and the right derivative must come out.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy
from sympy import cos, diff, exp, log, sin, sqrt, tanh

import symnet as sn
from symnet.reading.formula import formula

x, a = sympy.symbols("x a", positive=True)
INNER = (x**2, sin(x), exp(x), 3 * x + 1, cos(x), x**3, exp(2 * x), x**2 + 1, sqrt(x), log(x), a * x, x**2 - 5 * x)
OUTER = (sin, cos, exp, tanh, sympy.atan, lambda u: u**3, lambda u: u**5, lambda u: 1 / u, lambda u: 1 / u**2)
POINTS = ({x: 0.7, a: 1.3}, {x: 1.9, a: 0.6}, {x: 0.31, a: 2.1})
SPELLINGS: tuple[Callable[[sympy.Expr], sympy.Expr], ...] = (
    lambda e: e,
    sympy.expand,
    sympy.factor,
    sympy.together,
    sympy.simplify,
    lambda e: sympy.expand(sympy.expand_trig(e)),
)


def differs(one: sympy.Expr, other: sympy.Expr) -> bool:
    """Whether two formulas have different values."""
    gaps = [sympy.N((one - other).subs(point)) / (1 + abs(sympy.N(other.subs(point)))) for point in POINTS]
    return any(not gap.is_finite or abs(gap) > 1e-9 for gap in gaps)


# A mistake is a name, the function it was made with, the wrong derivative, and a word of the reason.
Mistake = tuple[str, sympy.Expr, sympy.Expr, str]


def mistakes(u: sympy.Expr, v: sympy.Expr, f: Callable[[sympy.Expr], sympy.Expr], n: int) -> list[Mistake]:
    """Twenty-six of them, made with two factors, an outer function and an exponent."""
    du, dv, product, quotient, chain = diff(u, x), diff(v, x), u * v, u / v, f(u)
    z = sympy.Dummy()
    outer = diff(f(z), z)
    found = [
        ("u'v'", product, du * dv, "product rule"),
        ("u'v − uv'", product, du * v - u * dv, "product rule"),
        ("u'v, and nothing else", product, du * v, "product rule"),
        ("uv', and nothing else", product, u * dv, "product rule"),
        ("u' + v'", product, du + dv, "product rule"),
        ("u'/v'", quotient, du / dv, "quotient rule"),
        ("(uv' − u'v)/v²", quotient, (u * dv - du * v) / v**2, "quotient rule"),
        ("(u'v + uv')/v²", quotient, (du * v + u * dv) / v**2, "quotient rule"),
        ("(u'v − uv')/v", quotient, (du * v - u * dv) / v, "quotient rule"),
        ("u'v − uv'", quotient, du * v - u * dv, "quotient rule"),
        ("u'/v", quotient, du / v, "quotient rule"),
        ("f'(u)", chain, outer.subs(z, u), "chain rule"),
        ("f'(u')", chain, outer.subs(z, du), "chain rule|power rule"),
        ("f(u')", chain, f(du), "chain rule"),
        ("f'(u) + u'", chain, outer.subs(z, u) + du, "chain rule|power rule"),
        ("f(u) u'", chain, chain * du, "its derivative, .*, should|power rule"),
        ("n uⁿ u'", u**n, n * u**n * du, "power rule"),
        ("uⁿ⁻¹ u'", u**n, u ** (n - 1) * du, "power rule"),
        ("n uⁿ⁻¹", u**n, n * u ** (n - 1), "chain rule"),
        ("n (u')ⁿ⁻¹", u**n, n * du ** (n - 1), "power rule|chain rule"),
        ("x aˣ⁻¹", a**x, x * a ** (x - 1), "no power"),
        ("2ᵘ u', without log", 2**u, 2**u * du, "rule for exponentials"),
        ("a constant kept", u + v + 7, du + dv + 7, "the term 7 is"),
        ("a sign turned", u + v, du - dv, "the signs? of the terms? "),
        ("a term twice", u + v, du + 2 * dv, "the terms? "),
        ("a term left out", u + v, du, "the terms? "),
    ]
    return [mistake for mistake in found if not mistake[2].has(sympy.zoo) and shows(mistake[1], u, v)]


def shows(function: sympy.Expr, u: sympy.Expr, v: sympy.Expr) -> bool:
    """Whether the function is still written with u, which SymPy may have merged: (x²)³ is x⁶ at once."""
    if isinstance(function, sympy.Mul):
        return {u, v} <= set(function.args) or (isinstance(1 / v, sympy.Pow) and {u, 1 / v} <= set(function.args))
    if isinstance(function, sympy.Add):
        count = len(sympy.Add.make_args(u)) + len(sympy.Add.make_args(v))
        return len(function.args) - function.has(sympy.Integer(7)) in (count, count + 1)
    return u in function.args[:1] or function == a**x or function == 2**u


def drawn(seed: int) -> list[Mistake]:
    rng = random.Random(seed)
    u, v = rng.sample(INNER, 2)
    return mistakes(u, v, rng.choice(OUTER), rng.choice((2, 3, 4, 5)))


@pytest.mark.parametrize("seed", range(12))
def test_a_right_derivative_is_accepted_in_every_spelling(seed: int) -> None:
    for function in dict.fromkeys(function for _, function, _, _ in drawn(seed)):
        for spelling in SPELLINGS:
            mine = spelling(diff(function, x))
            verdict = sn.check(str(mine), str(function), "x")
            assert verdict.right, (function, mine, verdict)


@pytest.mark.parametrize("seed", range(12))
def test_a_wrong_derivative_is_never_accepted_and_what_is_blamed_is_wrong(seed: int) -> None:
    told = 0
    for name, function, wrong, spoken in drawn(seed):
        right = diff(function, x)
        if not differs(wrong, right):
            continue
        verdict = sn.check(str(wrong), str(function), "x")
        story = (name, function, wrong, verdict.reason)
        assert not verdict.right, story
        mended = mend(verdict.reason, wrong)
        assert mended is None or not differs(mended, right), story
        assert mended is not None or re.search(spoken, verdict.reason) or "function itself" in verdict.reason, story
        told += bool(re.search(spoken, verdict.reason))
    assert told > 8


m, n = sn.dim("m"), sn.dim("n")
NODES = {
    "m": m,
    "n": n,
    "a": sn.scalar("a", positive=True),
    "x": sn.tensor("x", n),
    "X": sn.tensor("X", m, n, positive=True),
    "w": sn.tensor("w", n, positive=True),
}
ARRAYS = {  # the loss, by what, its gradient, and what stands in the place of x
    "a sum over a vector": ("sum({})", "x", "{} + 0*x", "x"),
    "a mean over samples": ("mean({})", "w", "X.T @ ({} + 0*(X@w))/m", "(X@w)"),
}


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize("seed", range(5))
def test_mistakes_inside_losses_of_arrays_are_found_and_right_gradients_accepted(seed: int, name: str) -> None:
    loss, by, gradient, inner = ARRAYS[name]

    def written(frame: str, expr: sympy.Expr) -> Any:
        return formula(frame.format(re.sub(r"\bx\b", inner, str(expr))), NODES)

    for mistake, function, wrong, _ in drawn(seed):
        right = diff(function, x)
        L = written(loss, function)
        assert sn.check(written(gradient, sympy.expand(right)), L, by).right, (function, right)
        if differs(wrong, right):
            verdict = sn.check(written(gradient, wrong), L, by)
            assert not verdict.right, (mistake, function, wrong)
            assert "another function" not in verdict.reason, (mistake, function, wrong)


def test_numbers_that_overflow_are_drawn_smaller() -> None:
    verdict = sn.check("exp(exp(5*x))*exp(5*x)", "exp(exp(5*x))", "x")
    assert verdict.reason.startswith("1/5 times the gradient") and np.isfinite(verdict.counterexample.mine)


PART, OFF = r"(.+?)", "and then it is off by a factor:"
NAMES = {"x": x, "a": a}


def mend(reason: str, wrong: sympy.Expr) -> sympy.Expr | None:
    """The wrong derivative with what the reason blames put right; None where it blames a rule or a part inside."""
    plain = re.sub(r" \((the|\S+ is no power).*\)$", "", reason)
    for pattern, change in MENDS:
        found = re.fullmatch(pattern, plain)
        if found:
            return change(wrong, *(sympy.sympify(part, locals=NAMES) for part in found.groups()))
    return None


MENDS: tuple[tuple[str, Callable[..., sympy.Expr]], ...] = (
    (rf"the sign of the term {PART} is wrong", lambda w, t: w - 2 * t),
    (rf"the signs of the terms {PART} and {PART} are wrong", lambda w, s, t: w - 2 * s - 2 * t),
    (
        rf"the term {PART} is {PART} times what it should be: a factor {PART} is lost",
        lambda w, t, c, _: w - t + t / c,
    ),
    (rf"the term {PART} should be {PART}: the factor .+", lambda w, s, t: w - s + t),
    (rf"the term {PART} should be ([^:]+)", lambda w, s, t: w - s + t),
    (
        rf"the terms {PART} and {PART} are {PART} times what they should be: .+",
        lambda w, s, t, c: w - (s + t) * (1 - 1 / c),
    ),
    (r"the term ((?:(?! in ).)+) is missing", lambda w, t: w + t),
    (r"the term ((?:(?! in ).)+) is too many", lambda w, t: w - t),
    (rf"the terms {PART} and {PART} are missing", lambda w, s, t: w + s + t),
    ("the sign is wrong: it is minus the gradient", lambda w: -w),
    (rf"the sign is wrong, and it is {PART} times the gradient; a factor .+ is lost", lambda w, c: -w / c),
    (rf"{PART} times the gradient; a factor .+ is lost", lambda w, c: w / c),
    (r"the factor ((?:(?! in ).)+) is missing", lambda w, f: w * f),
    (r"the factor ((?:(?! in ).)+) is too many", lambda w, f: w / f),
    (rf"the factor {PART} is missing, and the sign is wrong", lambda w, f: -w * f),
    (rf"the factor {PART} is too many, and the sign is wrong", lambda w, f: -w / f),
    (rf"the factor {PART} is missing, {OFF} {PART} times the gradient", lambda w, f, c: w * f / c),
    (rf"the factor {PART} is too many, {OFF} {PART} times the gradient", lambda w, f, c: w / f / c),
)
