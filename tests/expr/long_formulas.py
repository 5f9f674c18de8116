"""Losses whose derivations have long lines."""

from __future__ import annotations

import symnet as sn
from symnet.expr.nodes.node import Node

m, n, k = sn.dim("m"), sn.dim("n"), sn.dim("k")


def layer_norm() -> tuple[Node, list[Node]]:
    X, T, g, b = sn.tensor("X", m, n), sn.tensor("T", m, n), sn.tensor("gamma", n), sn.tensor("beta", n)
    mu = sn.mean(X, axis=1, keepdims=True).named("mu")
    sigma = sn.sqrt(sn.mean((X - mu) ** 2, axis=1, keepdims=True) + sn.scalar("epsilon")).named("sigma")
    return sn.sum((((X - mu) / sigma).named("h") * g + b - T) ** 2) / 2, [X, g, b]


def network() -> tuple[Node, list[Node]]:
    X, D = sn.tensor("X", m, n), sn.labels("D", m, classes=10)
    W, b, V, c = sn.tensor("W", n, k), sn.tensor("b", k), sn.tensor("V", k, 10), sn.tensor("c", 10)
    Y = sn.softmax(sn.tanh(X @ W + b).named("H") @ V + c).named("Y")
    return (-sn.sum(D * sn.log(Y)) / m).named("L"), [W, b, V, c]


def nested_sines() -> tuple[Node, list[Node]]:
    x = sn.scalar("x")
    value = x
    for number in range(1, 8):
        value = sn.sin(value * x + number)
    return value, [x]


def polynomial() -> tuple[Node, list[Node]]:
    x = sn.tensor("x", 5)
    return sum((x[i] - 2 * x[j]) ** 2 * (1 + x[i] * x[j]) for i in range(5) for j in range(i)), [x]
