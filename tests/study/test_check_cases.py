"""Functions in pieces, attention, and powers with the variable in both places: the reason fits the mistake."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

import symnet as sn
from symnet.reading.formula import declarations, formula, names_in

HUBER = "sum(where(abs(r) <= delta, r**2/2, delta*(abs(r) - delta/2)))"
RESIDUAL = "r = X@w - y; " + HUBER
LINEAR = ("X:m,n", "w:n", "y:m", "delta::positive")
NAMED = ("r:n", "delta::positive")


def reason(f: str, shapes: Sequence[str], wrt: str, mine: str) -> str:
    names = declarations(shapes)
    root = formula(f, names)
    verdict = sn.check(formula(mine, names | names_in(root)), root, names[wrt])
    if not verdict.right:
        assert verdict.counterexample is not None
        shown = verdict.counterexample
        assert shown.mine.shape != shown.gradient.shape or abs(shown.mine - shown.gradient).max() > 0
    return "right" if verdict.right else verdict.reason


PIECES: list[tuple[str, Sequence[str], str, str, str]] = [
    (HUBER, NAMED, "r", "where(abs(r) < delta, r, delta*sign(r))", "right"),
    (HUBER, NAMED, "r", "clip(r, -delta, delta)", "right"),
    (HUBER, NAMED, "r", "where(abs(r) <= delta, r, delta)", "where abs(r) > delta, delta should be delta*sign(r)"),
    (HUBER, NAMED, "r", "where(r <= delta, r, delta*sign(r))", "the condition r <= delta should be abs(r) <= delta"),
    (HUBER, NAMED, "r", "where(abs(r) <= 2*delta, r, delta*sign(r))", "the condition abs(r) <= 2*delta should be"),
    (HUBER, NAMED, "r", "where(abs(r) <= delta, 2*r, delta*sign(r))", "where abs(r) <= delta, 2*r should be r"),
    (HUBER, NAMED, "r", "r", "a case is missing: where abs(r) > delta, it should be delta*sign(r)"),
    (HUBER, NAMED, "r", "delta*sign(r)", "a case is missing: where abs(r) <= delta, it should be r"),
    (
        RESIDUAL,
        LINEAR,
        "w",
        "X.T@where(abs(r) <= delta, r, -delta*sign(r))",
        "the sign of -delta*sign(r) is wrong, where",
    ),
    (
        RESIDUAL,
        LINEAR,
        "w",
        "X.T@where(abs(r) >= delta, r, delta*sign(r))",
        "the two cases of where(abs(r) >= delta, r",
    ),
    (RESIDUAL, LINEAR, "w", "X.T@r", "a case is missing: where abs(r) > delta, it should be delta*sign(r)"),
    (
        RESIDUAL,
        LINEAR,
        "w",
        "-X.T@where(abs(r) <= delta, r, delta*sign(r))",
        "the sign is wrong: it is minus the gradient",
    ),
    ("sum(relu(x))", ("x:n",), "x", "where(x < 0, 1, 0)", "the two cases of where(x < 0, 1, 0) are exchanged"),
    ("sum(relu(x))", ("x:n",), "x", "where(x > 0, x, 0)", "where x > 0, x should be 1"),
    ("sum(relu(x))", ("x:n",), "x", "where(x > 0, 1, -1)", "where x <= 0, -1 should be 0"),
    ("sum(relu(x))", ("x:n",), "x", "relu(x)", "relu(x) stands where its derivative, 1[x >= 0], should"),
]


@pytest.mark.parametrize(("f", "shapes", "wrt", "mine", "said"), PIECES, ids=[p[3] for p in PIECES])
def test_a_wrong_case_is_named(f: str, shapes: Sequence[str], wrt: str, mine: str, said: str) -> None:
    assert reason(f, shapes, wrt, mine).startswith(said)


# condition, and both pieces with their derivatives
FUNCTIONS = {
    "Huber": ("abs(x) <= c", ("x**2/2", "x"), ("c*abs(x) - c**2/2", "c*sign(x)")),
    "leaky": ("x > 0", ("x**2", "2*x"), ("c*x", "c*ones(n)")),
    "a hinge": ("x < c", ("(c - x)**3", "-3*(c - x)**2"), ("x*sin(x - c)", "sin(x - c) + x*cos(x - c)")),
    "exponential": ("x >= 0", ("exp(-c*x)", "-c*exp(-c*x)"), ("cos(x) - 3*x", "-sin(x) - 3")),
}
PLACES = {"alone": ("sum({})", "{}"), "scaled": ("2*mean({})", "2*({})/x.size"), "weighted": ("v@({})", "v*({})")}


def slipped(condition: str, one: str, other: str) -> Iterator[tuple[str, str]]:
    """Wrong derivatives, and what is to be said of each."""
    yield f"where({condition}, {other}, {one})", "are exchanged"
    yield f"where({condition}, -({one}), {other})", "the sign of"
    yield f"where({condition}, {one}, -({other}))", "the sign of"
    yield one, "a case is missing"
    yield other, "a case is missing"
    yield f"where({condition}, 3*({one}), {other})", "should be"
    yield f"where({condition}, {one}, ({other})*(1 + x**2))", "should be"
    yield f"where(x**2 < 0.3, {one}, {other})", "the condition"


SAID = {"should be": ("should be", "is wrong", "is too many")}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_slip_in_a_function_in_pieces_is_found(name: str, place: str) -> None:
    condition, (first, one), (second, other) = FUNCTIONS[name]
    f, gradient = PLACES[place]
    function, shapes = f.format(f"where({condition}, {first}, {second})"), ("x:n", "v:n", "c::positive")
    assert reason(function, shapes, "x", gradient.format(f"where({condition}, {one}, {other})")) == "right"
    for mine, said in slipped(condition, one, other):
        found = reason(function, shapes, "x", gradient.format(mine))
        assert any(word in found for word in SAID.get(said, (said,))), (mine, found)


# --------------------------------------------------------------------------- attention

ATTENTION = "P = softmax(Q@K.T/sqrt({d})); sum(T*(P@V))"
BY_Q = "(P*(T@V.T - sum(P*(T@V.T), axis=1, keepdims=True)))@K/sqrt({d})"
WIDE, SQUARE = ("Q:m,d", "K:n,d", "V:n,p", "T:m,p"), ("Q:n,n", "K:n,n", "V:n,n", "T:n,n")
SLIPS: list[tuple[Sequence[str], str, str]] = [
    (WIDE, BY_Q, "right"),
    (WIDE, BY_Q.replace("/sqrt({d})", ""), "the factor 1/sqrt(d) is missing"),
    (WIDE, BY_Q.replace("/sqrt({d})", "/{d}"), "1/d should be 1/sqrt(d)"),
    (WIDE, "-" + BY_Q, "the sign is wrong: it is minus the gradient"),
    (WIDE, BY_Q.replace("(P*(T", "((T", 1), "the factor P is missing"),
    (WIDE, BY_Q.replace("sum(P*(T@V.T)", "sum((T@V.T)"), "the factor P is missing in (T @ V.T)*P"),
    (WIDE, f"({BY_Q}).T", "transposed"),
    (SQUARE, BY_Q.replace("@K/", "@K.T/"), "@ K.T should be (P*"),
    (SQUARE, BY_Q.replace("V.T", "V"), "T @ V should be T @ V.T"),
    (SQUARE, "K.T@" + BY_Q.replace("@K/", "/"), "@ K"),
    (SQUARE, "K@" + BY_Q.replace("@K/", "/"), "@ K"),
    (SQUARE, f"({BY_Q}).T", "transposed"),
]


@pytest.mark.parametrize(("shapes", "mine", "said"), SLIPS, ids=[f"{len(s[0][0])}: {s[1]}" for s in SLIPS])
def test_attention_by_its_queries(shapes: Sequence[str], mine: str, said: str) -> None:
    found = reason(ATTENTION.format(d="Q.shape[1]"), shapes, "Q", mine.format(d="Q.shape[1]"))
    assert said in found and "softmax" not in found and ".T.T" not in found


# --------------------------------------------------------------------------- xˣ

POWERS = [
    ("x*x**(x - 1)", "x**x*(log(x) + 1)", "right"),
    ("x**x", "x*x**(x - 1) + x**x*log(x)", "right"),
    ("x**x", "x*x**(x - 1)", "x**x is no power with a fixed exponent"),
    ("x**x", "x**x", "it is the function itself, not its derivative"),
    ("x*x**(x - 1)", "x**x*log(x)", "the term x**x is missing"),
    ("x**(2*x)", "2*x*x**(2*x - 1)", "x**(2*x) is no power with a fixed exponent"),
    ("x**sin(x)", "sin(x)*x**(sin(x) - 1)", "is no power with a fixed exponent"),
    ("(x**2 + 1)**x", "(x**2 + 1)**x*log(x**2 + 1)", "the term 2*x**2*(x**2 + 1)**(x - 1) is missing"),
]


@pytest.mark.parametrize(("f", "mine", "said"), POWERS)
def test_powers_with_the_variable_above_and_below(f: str, mine: str, said: str) -> None:
    assert said in reason(f, ("x::positive",), "x", mine)


def test_a_broken_rule_that_gives_the_function_says_both() -> None:
    found = reason("x**x", ("x::positive",), "x", "x*x**(x - 1)")
    assert found.endswith("the rule for u**n does not hold; what it gives is the function itself")


def test_who_wrote_something_else_is_not_told_that_nearly_all_is_missing() -> None:
    quotient = "(a*x**3 + b*x**2 + c*x + d)/(p*x**4 + q*x**3 + r*x**2 + s*x + t)"
    names = sorted("abcdpqrstx")
    for mine in ("a", "x", "2*a*x"):
        assert reason(quotient, names, "x", mine) == "another function"
