"""Laws of simplification over random graphs: values, fixed points, independence of order, of brackets, of names."""

from __future__ import annotations

import numpy as np
import pytest

from symnet.expr.nodes.elementwise import elementwise
from symnet.expr.nodes.graph import topological
from symnet.simplify.algebra.table import TABLE, simplify
from symnet.simplify.engine import Normalizer
from symnet.simplify.numeric.passes import numeric
from tests.simplify.checking import is_finite, values
from tests.simplify.graphs import Grower, data_for, rebracketed, shuffled

SIZES = [(seed, 6 + seed % 11) for seed in range(120)]


def close(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape == b.shape and bool(np.all(np.abs(a - b) <= 1e-6 * (1 + np.abs(a))))


@pytest.mark.parametrize(("seed", "steps"), SIZES)
def test_both_normal_forms_keep_values_and_shape(seed, steps):
    root = Grower(seed).grow(steps)
    (simple,) = simplify([root])
    (stable,) = numeric([simple])
    assert simple.shape == root.shape == stable.shape
    data = data_for(root, seed=seed)
    if is_finite(root, data):
        assert close(values(root, data), values(simple, data)), (root, simple)
        assert close(values(root, data), values(stable, data)), (root, stable)


@pytest.mark.parametrize(("seed", "steps"), SIZES)
def test_simplification_is_idempotent(seed, steps):
    (simple,) = simplify([Grower(seed).grow(steps)])
    assert simplify([simple])[0] is simple


@pytest.mark.parametrize(("seed", "steps"), SIZES)
def test_the_result_does_not_depend_on_order_or_brackets(seed, steps):
    root = Grower(seed).grow(steps)
    (simple,) = simplify([root])
    assert simplify([shuffled(root, seed)])[0] is simple
    assert simplify([rebracketed(root, seed)])[0] is simple


@pytest.mark.parametrize(("seed", "steps"), SIZES)
def test_rewriting_ends_everywhere(seed, steps):
    normalizer = Normalizer(TABLE)
    normalizer([Grower(seed).grow(steps)])
    assert normalizer.unsettled == []


@pytest.mark.parametrize(("seed", "steps"), SIZES[:40])
def test_several_roots_simplify_as_each_alone(seed, steps):
    grower = Grower(seed)
    grower.grow(steps)
    roots = grower.pool[-3:]
    assert simplify(roots) == [simplify([root])[0] for root in roots]


@pytest.mark.parametrize(("seed", "steps"), SIZES[:40])
def test_names_are_transparent(seed, steps):
    root = Grower(seed).grow(steps)
    named = elementwise("mul", 2, root.named("u"))
    (simple,) = simplify([named])
    assert simple is simplify([elementwise("mul", 2, root)])[0]
    assert all(node.kind != "named" for node in topological(simple))
