"""Polynomials with conditions on extents: sums and products have the values of what they are made of."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symnet.loops import ir
from symnet.loops.extent_terms import (
    CountTerms,
    Variable,
    constant,
    integer,
    number_in,
    plus,
    positive,
    put,
    times,
    zero,
)

M, N = Variable("m"), Variable("n")
m, n = (integer(ir.IntVar(name)) for name in ("m", "n"))
ATOMS = st.one_of(
    st.integers(-3, 3).map(constant),
    st.sampled_from([m, n]),
    st.tuples(st.sampled_from([m, n]), st.integers(-4, 4)).map(lambda x: positive(plus(x[0], constant(x[1])))),
    st.tuples(st.sampled_from([m, n]), st.integers(-4, 0)).map(lambda x: zero(plus(x[0], constant(x[1])))),
    st.just(positive(times(m, n))),
)
TERMS = st.lists(st.tuples(ATOMS, st.integers(-2, 2)), min_size=1, max_size=4)


def added(parts: list[tuple[CountTerms, int]]) -> CountTerms:
    total: CountTerms = {}
    for terms, factor in parts:
        total = plus(total, terms, factor)
    return total


def value(terms: CountTerms, at: dict[Variable, int]) -> Fraction:
    found = number_in(put(terms, {variable: constant(number) for variable, number in at.items()}))
    assert found is not None
    return found


@given(TERMS, TERMS)
@settings(max_examples=200, deadline=None)
def test_a_product_has_the_product_of_the_values(
    left: list[tuple[CountTerms, int]], right: list[tuple[CountTerms, int]]
) -> None:
    a, b = added(left), added(right)
    product, total = times(a, b), plus(a, b)
    for i in range(6):
        for j in range(6):
            at = {M: i, N: j}
            assert value(product, at) == value(a, at) * value(b, at)
            assert value(total, at) == value(a, at) + value(b, at)


@pytest.mark.parametrize("above", [0, 3])
def test_a_condition_and_its_opposite_never_hold_together(above: int) -> None:
    holds = positive(plus(m, constant(-above)))
    assert times(holds, plus(constant(1), holds, -1)) == {}


def test_a_condition_that_another_implies_is_left_out() -> None:
    long, some = positive(plus(m, constant(-256))), positive(m)
    assert times(long, some) == long
