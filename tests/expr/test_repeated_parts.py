"""Factors and terms that stand more than once in a formula, as it was built, are written as often.

What simplifies never holds them twice, but steps of derivations and formulas that are merely printed do.
"""

from __future__ import annotations

import random
from functools import reduce
from operator import add, mul

import numpy as np
import pytest

import symnet as sn
from symnet.expr.nodes.constants import as_node
from symnet.expr.nodes.node import Node
from symnet.expr.printing import latex, text
from symnet.reference import evaluate
from tests.expr.paper_reading import read_on_paper
from tests.expr.reading import names_of, read_back

DATA = {"x": np.array([0.5, 1.25, -0.75, 2.0]), "X": np.arange(12.0).reshape(3, 4) / 8 + 0.3, "s": np.array(1.5)}


def repeating(choice: random.Random, known: bool) -> Node:
    """A sum of products of a few parts, so that many stand twice."""
    m, n = (3, 4) if known else (sn.dim("m"), sn.dim("n"))
    x, X, s = sn.tensor("x", n), sn.tensor("X", m, n), sn.tensor("s")
    scalars = [1 / as_node(n), sn.sum(x), sn.mean(x), s, 1 / s, as_node(0.25), sn.sum(x**3)]
    vectors = [x, sn.sum(X, axis=0), sn.mean(X, axis=0), sn.softmax(x)]
    few = choice.sample(scalars, 3)

    def product() -> Node:
        factors = [choice.choice(few) for _ in range(choice.randint(1, 4))]
        return reduce(mul, [*factors, *choice.sample(vectors, choice.randint(0, 1))])

    terms = [product() for _ in range(choice.randint(1, 3))]
    if choice.random() < 0.4:
        terms += [x, *[-sn.logsumexp(x)] * choice.randint(1, 2)]
    return reduce(add, terms)


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("seed", range(60))
def test_what_stands_twice_is_written_twice(seed: int, known: bool) -> None:
    root = repeating(random.Random(seed), known)
    wanted = evaluate(root, DATA, leaves=[sn.tensor(k, *v.shape) for k, v in DATA.items()] if known else _leaves())
    names, written = names_of(root), text(root, full=True)
    again = evaluate(read_back(written, names), DATA, leaves=_leaves() if not known else ())
    np.testing.assert_allclose(np.broadcast_to(again, wanted.shape), wanted, rtol=1e-12, err_msg=written)
    on_paper = latex(root)
    if known and r"\operatorname" not in on_paper:  # functions of whole vectors, which the reader does not know
        found = np.reshape(read_on_paper(on_paper, DATA, root.rank), wanted.shape)
        np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9, err_msg=on_paper)


def _leaves() -> list[Node]:
    return [sn.tensor("x", sn.dim("n")), sn.tensor("X", sn.dim("m"), sn.dim("n")), sn.tensor("s")]
