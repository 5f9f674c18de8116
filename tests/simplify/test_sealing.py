"""Seals: where they are put, and that nothing else sees them.

That work grows with depth no faster than the value is shown in `tests/calculus/test_bound.py`.
"""

from __future__ import annotations

import math
import pickle

import numpy as np

import symnet as sn
from symnet.calculus.cheapest import MOST_OF_GRADIENT
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.symbols import Sealed
from symnet.reference import evaluate
from symnet.simplify.algebra.table import simplify
from symnet.simplify.numeric.passes import numeric
from symnet.simplify.sealing import OPEN, in_pairs, sealed, unsealed
from tests.recurrences import STEPS, unrolled

x, a = sn.scalar("x"), sn.scalar("a")


def test_a_graph_of_few_steps_is_never_sealed() -> None:
    for name, step in STEPS.items():
        L = unrolled(step, OPEN, x)
        assert sealed([L]) == [L], name
        if sn.flops(L, sn.grad(L, x)) <= MOST_OF_GRADIENT * sn.flops(L):
            assert not any(isinstance(n, Sealed) for n in topological(sn.grad(L, x))), name


def test_seals_are_put_on_far_steps_and_taken_off_again() -> None:
    L = unrolled(STEPS["scaled sum"], 12, x)
    (marked,) = sealed([L])
    seals = [n for n in topological(marked) if isinstance(n, Sealed)]
    assert len(seals) == 11 - OPEN  # of the steps 1 … 11, for the last is the root
    assert unsealed([marked]) == [L]
    assert sealed(unsealed([marked])) == [marked]
    assert pickle.loads(pickle.dumps(marked)) is marked
    assert str(Sealed(x + a)) == str(x + a)


def test_a_seal_keeps_its_sum_closed_and_what_it_holds_is_simplified() -> None:
    y = sn.sin(x)
    (kept,) = simplify([Sealed(y + y + a) + a])
    assert kept.op == "add" and any(isinstance(o, Sealed) for o in kept.operands)
    assert simplify([Sealed(y + y - 2 * y) + a]) == [a]
    assert simplify([Sealed(y) + a]) == simplify([y + a])
    assert not any(isinstance(n, Sealed) for n in topological(*numeric([kept])))


def test_a_product_of_many_becomes_products_of_two() -> None:
    factors = [sn.scalar(f"x{k}") for k in range(7)]
    (product,) = simplify([-3 * math.prod(factors)])
    (tree,) = in_pairs([product])
    values = [n for n in topological(tree) if isinstance(n, Sealed)]
    assert len(values) == 6 and all(len(n.operands[0].operands) == 2 for n in values)
    data = {f"x{k}": k + 2.0 for k in range(7)}
    assert evaluate(tree, data) == evaluate(product, data) == -3 * math.factorial(8)
    y = sn.tensor("y", 3)
    (mixed,) = in_pairs([simplify([factors[0] * factors[1] * factors[2] * y * sn.exp(y)])[0]])
    assert sorted(n.rank for n in topological(mixed) if isinstance(n, Sealed)) == [0, 0, 1]  # scalars by themselves


def test_derive_reaches_the_gradient_of_a_deep_recurrence() -> None:
    L = unrolled(STEPS["residual"], 10, x)
    d = sn.derive(L, x)
    f = sn.compile([d.result, sn.grad(L, x)])
    one, other = f(x=np.float64(0.3))
    np.testing.assert_allclose(one, other, rtol=1e-14)
