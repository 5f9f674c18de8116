"""Random graphs: the truth settles, symnet has it, and so has every calculus that does not meet 0·∞ on its way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.compare.agreement import agreement, worst
from symnet.compare.kinks import kinks
from symnet.compare.method import Method
from symnet.compare.methods.complex_step import ComplexStep
from symnet.compare.methods.duals import DualNumbers
from symnet.compare.methods.scalar_tape import ScalarTaped
from symnet.compare.methods.symbolic import Symbolic
from symnet.compare.methods.tape import Taped
from symnet.compare.problem import LossAtPoint, problem_of
from symnet.compare.truth import Truth, exact_truth, loss_operations
from symnet.expr.nodes.symbols import leaves
from tests.fuzz.graphs import seeded

SEEDS = range(7000, 7040)
MOST = 5_000  # operations


def smooth_problem(seed: int) -> LossAtPoint | None:
    """The sum of a random graph's real roots, where there is anything to differentiate and no kink."""
    graph = seeded(seed)
    sums = [sn.sum(root * sn.constant(1.0)) for root in graph.roots if root.dtype in ("float64", None)]
    loss = sum(sums[1:], sums[0]) if sums else None
    names = {leaf.name for leaf in leaves(loss)} if loss is not None else set()
    wrt = [leaf for leaf in graph.targets if leaf.name in names]
    if not wrt:
        return None
    problem = problem_of(loss, wrt, {n: a for n, a in graph.data.items() if n in names}, None, "gradient")
    return None if kinks(problem) or loss_operations(problem.unbound).total > MOST else problem


def error(kind: type[Method], problem: LossAtPoint, truth: Truth) -> float:
    """The largest error, relative to the largest element, or to 1 of what is zero."""
    found: Any = kind(problem).answer()
    masks = found.computed or [None] * len(found.arrays)
    every = zip(problem.results, found.arrays, truth.arrays, masks, strict=True)
    return worst(agreement(n, a, t, "float64", c, 1.0).relative for n, a, t, c in every)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_truth_is_what_symnet_computes(seed: int) -> None:
    with np.errstate(all="ignore"):
        problem = smooth_problem(seed)
        if problem is None:
            return
        truth = exact_truth(problem.unbound)
        assert error(Symbolic, problem, truth) < 1e-7
        for kind in (Taped, ScalarTaped, DualNumbers, ComplexStep):
            found = error(kind, problem.unbound, truth)
            assert found < 1e-7 or np.isnan(found), kind.name


def test_most_graphs_take_part() -> None:
    with np.errstate(all="ignore"):
        assert sum(smooth_problem(seed) is not None for seed in SEEDS) > len(SEEDS) / 2
