"""The cost of derivatives is linear in the depth of a graph: work is counted, nothing is timed.

Below the bounds at which long sums and products close (`simplify/terms.py`, `simplify/factors.py`) a flat sum of n
products of n factors is what a reader wants; the bounds are small here, so that few layers lie far beyond them.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import reduce
from typing import Any

import pytest

import symnet as sn
from symnet.expr.node import Node
from symnet.simplify import factors, terms
from symnet.simplify.engine import Normalizer

Built = tuple[Node, list[Node]]
m = sn.dim("m")


def network(depth: int, residual: bool) -> Built:
    h, params = sn.tensor(f"X{depth}", m, 8), []
    for k in range(depth):
        W, b = sn.tensor(f"W{k}of{depth}", 8, 8), sn.tensor(f"b{k}of{depth}", 8)
        params += [W, b]
        step = sn.tanh(h @ W + b)
        h = h + step if residual else step
    return sn.mean(sn.cross_entropy(sn.softmax(h), sn.tensor("D", m, 8, one_hot=True))), params


def log_partitions(depth: int) -> Built:
    """h W - logsumexp(h W), again and again."""
    h, params = sn.tensor(f"X{depth}", m, 8), [sn.tensor(f"W{k}of{depth}", 8, 8) for k in range(depth)]
    for W in params:
        h = h @ W
        h = h - sn.logsumexp(h, axis=1, keepdims=True)
    return sn.mean((h * sn.tensor("T", m, 8)).sum(axis=1)), params


def chain(step: Callable[[Any, Any, int], Any]) -> Callable[[int], Built]:
    def built(depth: int) -> Built:
        y = x = sn.tensor(f"x{depth}", 3)
        for k in range(depth):
            y = step(y, x, k)
        return y.sum(), [x]

    return built


def over_leaves(op: Callable[[Any, Any], Any]) -> Callable[[int], Built]:
    def built(depth: int) -> Built:
        xs = [sn.tensor(f"x{k}of{depth}", 3) for k in range(depth)]
        return sn.tanh(reduce(op, xs)).sum(), xs

    return built


BOUNDS = ((factors, "MANY", 4), (terms, "MANY", 6), (terms, "MOST", 12))
# family → (how it is built, a depth)
FAMILIES: dict[str, tuple[Callable[[int], Built], int]] = {
    "network": (lambda depth: network(depth, residual=False), 16),
    "residual network": (lambda depth: network(depth, residual=True), 24),
    "log-sum-exp": (log_partitions, 12),
    "tanh": (chain(lambda y, x, k: sn.tanh(y)), 24),
    "sine and product": (chain(lambda y, x, k: sn.sin(y) if k % 2 else y * x), 24),
    "softplus": (chain(lambda y, x, k: sn.log(1 + sn.exp(y + x))), 24),
    "product": (over_leaves(operator.mul), 24),
    "sum": (over_leaves(operator.add), 24),
}
DERIVATIVES = {"grad": lambda loss, params, vectors: sn.grad(loss, params), "hvp": sn.hvp}


def work(monkeypatch: pytest.MonkeyPatch, derivative: str, family: str, depth: int) -> tuple[int, int]:
    """Visits of the normalizer, and arguments of the nodes that are built, from door to door."""
    loss, params = FAMILIES[family][0](depth)
    vectors = [sn.tensor(f"v{k}of{depth}", *p.shape) for k, p in enumerate(params)]
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
    depth = FAMILIES[family][1]
    once, twice = work(monkeypatch, derivative, family, depth), work(monkeypatch, derivative, family, 2 * depth)
    for few, many in zip(once, twice, strict=True):
        assert many <= 2.4 * few, (once, twice)
