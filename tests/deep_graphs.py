"""Losses of any depth, for what must be linear in it: the tests that count work, and the benchmark that times it.

In: a depth.  Out: a loss and its parameters.  Every leaf carries a label in its name: equal nodes are one object and
remember their normal form, so only graphs over new leaves cost what they cost the first time.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import reduce
from typing import Any

import symnet as sn
from symnet.expr.nodes.node import Node

Built = tuple[Node, list[Node]]
Family = Callable[[int, str], Built]
m = sn.dim("m")
WIDTH = 8


def network(residual: bool) -> Family:
    """tanh layers with biases under a softmax with cross-entropy."""

    def built(depth: int, label: str) -> Built:
        h, params = sn.tensor(f"X{label}", m, WIDTH), []
        for k in range(depth):
            W, b = sn.tensor(f"W{k}{label}", WIDTH, WIDTH), sn.tensor(f"b{k}{label}", WIDTH)
            params += [W, b]
            step = sn.tanh(h @ W + b)
            h = h + step if residual else step
        targets = sn.tensor(f"D{label}", m, WIDTH, one_hot=True)
        return sn.mean(sn.cross_entropy(sn.softmax(h), targets)), params

    return built


def log_partitions(depth: int, label: str) -> Built:
    """h W - logsumexp(h W), again and again."""
    h, params = sn.tensor(f"X{label}", m, WIDTH), [sn.tensor(f"W{k}{label}", WIDTH, WIDTH) for k in range(depth)]
    for W in params:
        h = h @ W
        h = h - sn.logsumexp(h, axis=1, keepdims=True)
    return sn.mean((h * sn.tensor(f"T{label}", m, WIDTH)).sum(axis=1)), params


def chain(step: Callable[[Any, Any, int], Any]) -> Family:
    """One function of a vector after another."""

    def built(depth: int, label: str) -> Built:
        y = x = sn.tensor(f"x{label}", WIDTH)
        for k in range(depth):
            y = step(y, x, k)
        return y.sum(), [x]

    return built


def over_leaves(op: Callable[[Any, Any], Any]) -> Family:
    """tanh of a sum or product of as many leaves."""

    def built(depth: int, label: str) -> Built:
        xs = [sn.tensor(f"x{k}{label}", WIDTH) for k in range(depth)]
        return sn.tanh(reduce(op, xs)).sum(), xs

    return built


FAMILIES: dict[str, Family] = {
    "network": network(residual=False),
    "residual network": network(residual=True),
    "log-sum-exp": log_partitions,
    "tanh": chain(lambda y, x, k: sn.tanh(y)),
    "sine and product": chain(lambda y, x, k: sn.sin(y) if k % 2 else y * x),
    "softplus": chain(lambda y, x, k: sn.log(1 + sn.exp(y + x))),
    "product": over_leaves(operator.mul),
    "sum": over_leaves(operator.add),
}


def directions(params: list[Node], label: str) -> list[Node]:
    """A vector for each parameter."""
    return [sn.tensor(f"v{k}{label}", *p.shape) for k, p in enumerate(params)]
