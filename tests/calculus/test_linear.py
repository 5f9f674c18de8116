"""The cost of derivatives is linear in the depth of a graph: work is counted, nothing is timed.

Below the bounds at which long sums and products close (`simplify/forms/terms.py`, `simplify/forms/factors.py`) a flat
sum of n products of n factors is what a reader wants; the bounds are small here, so that few layers lie beyond them.
"""

from __future__ import annotations

import sys
import warnings
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.expr.nodes.node import Node
from symnet.simplify.engine import Normalizer
from symnet.simplify.forms import factors, terms
from tests.deep_graphs import FAMILIES, directions

BOUNDS = ((factors, "MANY", 4), (terms, "MANY", 6), (terms, "MOST", 12))
DEPTHS = dict.fromkeys(FAMILIES, 24) | {"network": 16, "log-sum-exp": 12, "tanh": 48}  # tanh: where it is closed
DERIVATIVES = {"grad": lambda loss, params, vectors: sn.grad(loss, params), "hvp": sn.hvp}


def work(monkeypatch: pytest.MonkeyPatch, derivative: str, family: str, depth: int) -> tuple[int, int]:
    """Visits of the normalizer, and arguments of the nodes that are built, from door to door."""
    label = f"_{derivative}_of_{depth}"
    loss, params = FAMILIES[family](depth, label)
    vectors = directions(params, label)
    count = {"visits": 0, "arguments": 0}
    advance, build = Normalizer._advance, Node.__new__

    def counted_advance(self: Normalizer, node: Node) -> None:
        count["visits"] += 1
        advance(self, node)

    def counted_build(cls: type[Node], *args: Any) -> Node:
        count["arguments"] += len(args)
        return build(cls, *args)

    with monkeypatch.context() as patch:
        for module, name, bound in BOUNDS:
            patch.setattr(module, name, bound)
        patch.setattr(Normalizer, "_advance", counted_advance)
        patch.setattr(Node, "__new__", counted_build)
        DERIVATIVES[derivative](loss, params, vectors)
    return count["visits"], count["arguments"]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("derivative", DERIVATIVES)
def test_twice_as_deep_takes_about_twice_the_work(monkeypatch, derivative, family):
    """Quadratic work would be four times; a fifth is left for where long sums happen to be divided."""
    depth = DEPTHS[family]
    once, twice = work(monkeypatch, derivative, family, depth), work(monkeypatch, derivative, family, 2 * depth)
    for few, many in zip(once, twice, strict=True):
        assert many <= 2.4 * few, (once, twice)


def steps(depth: int) -> int:
    """Calls of Python's and of C's functions for all gradients of a network with small biases."""
    x, label = sn.tensor(f"x_{depth}", 7, 5), f"of_{depth}"
    params = [sn.tensor(f"W{k}_{label}", 5, 5) for k in range(depth)]
    params += [sn.tensor(f"b{k}_{label}", 5) for k in range(depth)]
    for weight, bias in zip(params[:depth], params[depth:], strict=True):
        x = sn.tanh(x @ weight + bias)
    count, loss = [0], sn.mean(x**2)

    def profile(frame: Any, event: str, argument: Any) -> None:
        count[0] += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        sn.grad(loss, params)
    finally:
        sys.setprofile(before)
    return count[0]


def test_no_walk_over_the_graph_is_made_for_each_variable():
    steps(2)  # what is imported and remembered once
    once, twice = steps(24), steps(48)
    assert twice <= 2.2 * once, (once, twice)


def test_the_gradient_of_a_long_recurrence_comes_to_rest() -> None:
    """By a bias it is a sum of as many terms as there are steps, which are gathered one by one."""
    X, W, b = sn.tensor("X", sn.dim("m"), 130, 2), sn.tensor("W", 2, 2), sn.tensor("b", 2)
    h = sn.tanh(X[:, 0] + b)
    for t in range(1, 130):
        h = sn.tanh(X[:, t] + h @ W + b)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sn.grad(sn.mean(h**2), [W, b])


def test_a_filter_of_many_steps_is_no_tree() -> None:
    """Each step uses the variance of the one before several times, under squares and exponentials."""
    a, q, r = sn.scalar("a"), sn.scalar("q"), sn.scalar("r")
    variance: Any = 1.0
    for _ in range(15):
        variance = a**2 * variance + sn.exp(q)
        variance = (1 - variance / (variance + sn.exp(r))) * variance
    f = sn.value_and_grad(variance, [a, q, r])
    value, slopes = f(a=0.9, q=-1.0, r=-0.5)
    step = 1e-6
    moved = [f(a=0.9 + s, q=-1.0, r=-0.5)[0] for s in (step, -step)]
    np.testing.assert_allclose(slopes[0], (moved[0] - moved[1]) / (2 * step), rtol=1e-6)
    assert np.isfinite(value)
