"""Sums of exponentials inside sums of exponentials: recurrences, quotients of quotients, and random ones of both.

Every formula is compared with its exact value (`exact.py`), and so are its gradient and, of most, its second
derivative.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.expr.nodes.node import Node
from tests.stability.test_log_domain import Data, check

STEPS, STATES = 3, 2
A = sn.tensor("A", STATES)
T = sn.tensor("T", STATES, STATES)
E = sn.tensor("E", STEPS, STATES)
P = sn.tensor("P", STATES, STATES, positive=True)
Q = sn.tensor("Q", STATES, STATES)

# --------------------------------------------------------------------------- recurrences


def _logarithms_of_scalars() -> Node:
    a: list[Any] = [A[0], A[1]]
    for t in range(STEPS):
        a = [sn.log(sn.exp(a[0] + T[0, j]) + sn.exp(a[1] + T[1, j])) + E[t, j] for j in range(STATES)]
    return sn.log(sn.exp(a[0]) + sn.exp(a[1]))


def _weighted_scalars() -> Node:
    a, b = A[0], A[1]
    for t in range(STEPS):
        a, b = (sn.log(P[0, j] * sn.exp(a) + P[1, j] * sn.exp(b)) + E[t, j] for j in range(STATES))
    return sn.log(sn.exp(a) + sn.exp(b))


def _matrix(weights: Node) -> Node:
    a = A
    for t in range(STEPS):
        a = sn.log(sn.exp(a) @ weights) + E[t]
    return sn.logsumexp(a)


def _probabilities() -> Node:
    a = sn.exp(A)
    for t in range(STEPS):
        a = (a @ P) * sn.exp(E[t])
    return sn.log(sn.sum(a))


def _normalised() -> Node:
    a, total = sn.exp(A), sn.constant(0.0)
    for t in range(STEPS):
        a = (a @ P) * sn.exp(E[t])
        total, a = total + sn.log(sn.sum(a)), a / sn.sum(a)
    return total


def _soft_minimum() -> Node:
    a, b = A[0], A[1]
    for t in range(STEPS):
        a, b = -sn.log(sn.exp(-a) + sn.exp(-b)) + E[t, 0], -sn.log(sn.exp(-a) + sn.exp(b)) + E[t, 1]
    return a + b


def _at_a_temperature() -> Node:
    a, b = A[0], A[1]
    for t in range(STEPS):
        a, b = 2 * sn.log(sn.exp(a / 2) + sn.exp(b / 2)) + E[t, 0], sn.log(sn.exp(3 * a) + sn.exp(b)) / 3 + E[t, 1]
    return a + b


RECURRENCES: dict[str, Callable[[], Node]] = {
    "logarithms of scalars": _logarithms_of_scalars,
    "weighted scalars": _weighted_scalars,
    "a positive matrix": lambda: _matrix(P),
    "a matrix": lambda: _matrix(Q),
    "probabilities": _probabilities,
    "probabilities made to add up to one": _normalised,
    "a soft minimum": _soft_minimum,
    "at a temperature": _at_a_temperature,
}


def _data(scale: float) -> Data:
    rng = np.random.default_rng(3)
    data = {name: scale * rng.normal(size=shape) for name, shape in {"A": 2, "T": (2, 2), "E": (STEPS, 2)}.items()}
    return {**data, "P": rng.uniform(0.1, 1, (2, 2)), "Q": rng.uniform(0.1, 1, (2, 2))}


@pytest.mark.parametrize("scale", [1, 1000, -1000])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", RECURRENCES)
def test_a_recurrence_in_logarithms_is_finite_with_its_gradient(name: str, scale: float, dtype: str) -> None:
    formula = RECURRENCES[name]()
    for leaf in (A, E):
        check(formula, leaf, _data(scale), dtype, second=leaf is A and dtype == "float64", least=1.0)


# --------------------------------------------------------------------------- quotients

S = sn.tensor("S", 3, 3)
V = sn.tensor("V", 3, 2)
M = sn.tensor("M", 3, 3)
p = sn.tensor("p", 3, positive=True)
z, e = sn.tensor("z", 3), sn.tensor("e", 3)
o = sn.sigmoid(z)
_weighted = p * sn.exp(S)
_share = _weighted / sn.sum(_weighted, axis=1, keepdims=True)
_masked = sn.exp(S) * M
_attention = (_masked / sn.sum(_masked, axis=1, keepdims=True)) @ V
_chosen = sn.sum(sn.softmax(S) * M, axis=1)
_bells = sn.sum(V[:, :1] * sn.exp(-(S**2) / 2), axis=1)  # no exponential is larger than 1
_sums = sn.sum(sn.exp(S), axis=1)

QUOTIENTS = {
    "attention with a mask as a factor": _attention,
    "its square": sn.sum(_attention**2, axis=1),
    "shares of a mixture": _share,
    "one share": _share[:, 1],
    "shares squared": sn.sum(_share**2, axis=1),
    "logarithms of shares": sn.sum(sn.log(_share) * M, axis=1),
    "zero-inflated counts": sn.log(o + (1 - o) * sn.exp(-sn.exp(e / 1000))),
    "focal": -((1 - _chosen) ** 2) * sn.log(_chosen),
    "a mixture of mixtures": sn.log(sn.sum(_weighted, axis=1) * o + (1 - o) * sn.exp(e)),
    "products of experts": sn.log(sn.sum(sn.exp(S) * sn.exp(S[:, ::-1]), axis=1)),
    "two sums": sn.log(sn.sum(sn.exp(S), axis=1) / (1 + sn.sum(sn.exp(-S), axis=1))),
    "a product of sums": sn.log(1 + sn.sum(sn.exp(S), axis=1) * sn.sum(sn.exp(-S), axis=1)),
    "a contrast": -sn.log(sn.exp(z) / (sn.exp(z) + sn.sum(M * sn.exp(S), axis=1))),
    "a soft mean": sn.sum(S * sn.exp(-S), axis=1) / sn.sum(sn.exp(-S), axis=1),
    "a product of three": sn.einsum("ij,i,ik->jk", sn.exp(S), 1 / sn.sum(sn.exp(S), axis=1), V),
    "risk sets": sn.log(M @ sn.exp(z)),
    "bells by their size": _bells / (sn.sqrt(z**2 + _bells**2) + p),
    "bells by their size alone": _bells / sn.sqrt(p + _bells**2),
    "sums by their size": _sums / (sn.sqrt(1 + _sums**2) + p),
    "a share of shares": _share[:, 0] / (_share[:, 0] + _share[:, 1] * sn.exp(e)),
    "chosen": sn.log(sn.where(M[:, 1] > 0, sn.sum(_weighted, axis=1), sn.sum(sn.exp(S), axis=1) * sn.exp(e))),
}


def _quotient_data(scale: float) -> Data:
    rng = np.random.default_rng(4)
    data = {n: np.round(scale * rng.normal(size=s), 3) for n, s in {"S": (3, 3), "z": 3, "e": 3}.items()}
    mask = np.array([[1, 1, 0], [0, 1, 1], [1, 0, 0]])
    return {**data, "V": rng.normal(size=(3, 2)), "M": mask, "p": np.array([0.2, 0.3, 0.5])}


@pytest.mark.parametrize("scale", [1, 1000, -1000])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", QUOTIENTS)
def test_a_quotient_of_sums_of_exponentials_is_finite_with_its_derivatives(name: str, scale: float, dtype: str) -> None:
    formula = QUOTIENTS[name]
    for leaf in (S, z, e):
        if leaf in formula.free_symbols:
            check(formula, leaf, _quotient_data(scale), dtype, second=dtype == "float64", least=1.0)


# --------------------------------------------------------------------------- random ones

x, y = sn.tensor("x", 3), sn.tensor("y", 3)
B = sn.tensor("B", 3, 3, positive=True)


class _Sums:
    """Positive values of shape (3,) made of exponentials by sums, products, quotients, contractions and choices."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def value(self, depth: int) -> Node:
        """A positive value, sums `depth` deep at most."""
        if depth == 0:
            u = (x, y, x + y, -x, x - 2 * y, x / 3)[self.rng.integers(6)]
            return sn.exp(u)
        a, b = self.value(depth - 1), self.value(int(self.rng.integers(depth)))
        steps: list[Callable[[], Node]] = [
            lambda: a + b,
            lambda: 2 * a + p * b,
            lambda: a * b + 1,
            lambda: a / (a + b),
            lambda: B @ a,
            lambda: a * sn.sum(b),
            lambda: a / sn.sum(b),
            lambda: sn.exp(sn.log(a + b) + y),
            lambda: sn.sqrt(a + b),
            lambda: sn.where(x > y, a, b),
            lambda: (a + b)[::-1] * b,
            lambda: sn.sum(B * a, axis=1) / (p @ b),
        ]
        return steps[int(self.rng.integers(len(steps)))]()


@pytest.mark.parametrize("scale", [1, -1000])
@pytest.mark.parametrize("seed", range(24))
def test_random_sums_of_exponentials_have_their_logarithm_and_its_slope(seed: int, scale: float) -> None:
    formula = sn.log(_Sums(seed).value(3))
    rng = np.random.default_rng(seed)
    data = {"x": scale * rng.normal(size=3), "y": scale * rng.normal(size=3)}
    data |= {"p": rng.uniform(0.1, 1, 3), "B": rng.uniform(0.1, 1, (3, 3))}
    for leaf in (x, y):
        if leaf in formula.free_symbols:
            check(formula, leaf, data, "float64", least=1.0)
