"""Padding: what no operand writes is cleared, and nothing else."""

from __future__ import annotations

import math

import numpy as np
import pytest

import symnet as sn
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import leaves
from symnet.loops import interpreter
from symnet.loops.ir import Const, Store
from symnet.lower.nest import Nest
from symnet.lower.program import Lowered, lower, naive_program
from symnet.reference import evaluate

x, X, S = sn.tensor("x", 5), sn.tensor("X", 3, 4), sn.tensor("S", sn.dim("n"), 4)
CLEARED = {  # a padded value: how many elements are cleared (None: as many as n says)
    "in front": (sn.pad(x, (2, 0)), 2),
    "behind": (sn.pad(x, (0, 3)), 3),
    "on both sides": (sn.pad(x, (2, 3)), 5),
    "rows": (sn.pad(X, [(1, 2), (0, 0)]), 12),
    "a slice's gradient": (sn.grad(sn.sum(sn.exp(X[1:])), X), 4),
    "within each row: everything": (sn.pad(X, [(0, 0), (1, 0)]), 15),
    "both axes: everything": (sn.pad(X, [(1, 0), (0, 1)]), 20),
    "rows apart: everything": (sn.grad(sn.sum(sn.exp(x[::2])), x), 5),
    "a symbolic axis: everything": (sn.pad(S, [(1, 2), (0, 0)]), None),
}


def lowered(root: Node) -> Lowered:
    return lower("f", [root], ["out"], leaves(root), "float64", [root])


def cleared(nest: Nest) -> int | None:
    """How many elements a nest sets to 0, None where an extent is symbolic."""
    (store,) = (s for s in nest.outer if isinstance(s, Store))
    if store.value != Const(0.0, "float64"):
        return 0
    extents = [axis.constant for axis in nest.axes]
    return None if None in extents else math.prod(n for n in extents if n is not None)


@pytest.mark.parametrize("name", CLEARED)
def test_what_is_cleared_lies_around_the_operand(name: str, rng: np.random.Generator) -> None:
    root, count = CLEARED[name]
    made = lowered(root)
    counts = [cleared(nest) for nest in made.nests]
    assert (None if None in counts else sum(c for c in counts if c is not None)) == count
    data = {leaf.name: rng.normal(size=[n if isinstance(n, int) else 3 for n in leaf.shape]) for leaf in leaves(root)}
    got = interpreter.run(naive_program(made), data, {"n": 3})["out"]  # its buffers begin as NaN
    np.testing.assert_allclose(got, evaluate(root, data), rtol=1e-14)
