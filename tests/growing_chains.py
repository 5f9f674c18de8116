"""Chains of any depth, for the bound on the work of a derivative: every kind of step, and random mixes of them.

In: the name of a family and a depth.  Out: a `Chain`: a scalar and the leaves to differentiate by.
A step is a function of the value before it, of the one before that, and of operands that all steps share; a mix takes
two random steps at every level, of which the second sees the value before the first.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import reduce
from typing import Any, NamedTuple

import numpy as np

import symnet as sn
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Tensor

WIDTH = 8


class Chain(NamedTuple):
    """A value and what it is differentiated by."""

    value: Node
    leaves: list[Tensor]


class Shared(NamedTuple):
    """The operands that all steps share: of the shape of the values, scalars, and a matrix (None for scalars)."""

    x: Tensor
    a: Tensor
    A: Tensor | None


Step = Callable[[Any, Any, Shared], Any]


def _runge_kutta(u: Any, _: Any, s: Shared) -> Any:
    f = lambda t: s.a * t * (1 - t)
    k1 = f(u)
    k2 = f(u + k1 / 20)
    k3 = f(u + k2 / 20)
    return u + (k1 + 2 * k2 + 2 * k3 + f(u + k3 / 10)) / 60


def _layer_norm(u: Any) -> Any:
    centred = u - sn.mean(u)
    return centred / sn.sqrt(sn.mean(centred**2) + 1e-5)


def _shifted(u: Any) -> Any:
    return sn.concat([u[1:], u[:1]])


# steps of one number, which act on arrays element by element
ELEMENTWISE: dict[str, Step] = {
    "logistic map": lambda u, _, s: s.a * u * (1 - u),
    "logistic map by x": lambda u, _, s: s.x * u * (1 - u),
    "times a shared operand": lambda u, _, s: u * s.x,
    "times its sine": lambda u, _, s: u * sn.sin(u) + s.x,
    "sine": lambda u, _, s: sn.sin(u),
    "exponential": lambda u, _, s: sn.exp(-s.a * u),
    "logarithm": lambda u, _, s: sn.log(1 + u * u),
    "log of sum of exponentials": lambda u, _, s: sn.log(sn.exp(u) + sn.exp(s.x)),
    "root": lambda u, _, s: sn.sqrt(u * u + s.x * s.x),
    "Horner": lambda u, _, s: u * s.x + s.a,
    "residual sine": lambda u, _, s: u + s.x * sn.sin(u) / 10,
    "residual product": lambda u, _, s: u + s.a * u * s.x / 10,
    "square": lambda u, _, s: u**2 + s.a,
    "cube of a sum": lambda u, _, s: (u + s.x) ** 3 / 20,
    "power": lambda u, _, s: (u * u + 1) ** 1.5 / 3 + s.x,
    "continued fraction": lambda u, _, s: s.x / (1 + u * u),
    "quotient of itself": lambda u, _, s: u / (1 + u * u) + s.x,
    "Newton's": lambda u, _, s: (u + s.x**2 / (u * u + 1)) / 2,
    "Runge and Kutta": _runge_kutta,
    "where": lambda u, _, s: sn.where(u > 0.3, u * s.x, u + s.a) / 2,
    "where of products": lambda u, _, s: sn.where(u > 0, u * u + s.a, u - s.a * u) / 3,
    "maximum": lambda u, _, s: sn.maximum(s.a * u, u - s.x),
    "residual maximum": lambda u, _, s: u + sn.maximum(s.a * u, sn.sin(u)) / 3,
    "relu": lambda u, _, s: sn.relu(u * s.a + s.x),
    "absolute": lambda u, _, s: sn.abs(u - s.x) * s.a,
    "clip": lambda u, _, s: sn.clip(u * s.a, -1, 1) + s.x * u / 3,
    "swish": lambda u, _, s: u * sn.sigmoid(u) + s.x,
    "times its tanh": lambda u, _, s: u * sn.tanh(u) - s.x,
    "gelu": lambda u, _, s: sn.gelu(u + s.x),
    "softplus": lambda u, _, s: sn.softplus(u) - s.x,
    "gated": lambda u, _, s: s.x * sn.sigmoid(u) + u * (1 - sn.sigmoid(u)),
    "two terms": lambda u, w, s: u * w + sn.sin(w),
    "Chebyshev": lambda u, w, s: 2 * s.x * u - w,
    "Fibonacci": lambda u, w, s: s.a * u + s.x * w,
    "leapfrog": lambda u, w, s: 2 * u - w - s.a * sn.sin(u) / 10,
    "product of two": lambda u, w, s: u * w * s.x,
}

# steps of vectors
OF_VECTORS: dict[str, Step] = {
    "norm": lambda u, _, s: u / sn.norm(u) + s.x,
    "norm times x": lambda u, _, s: u / sn.norm(u) * s.x + u,
    "mean": lambda u, _, s: u - sn.mean(u) * s.x,
    "centred square": lambda u, _, s: (u - sn.mean(u)) ** 2 + s.x,
    "sum of squares": lambda u, _, s: u + s.x * sn.sum(u * u) / 20,
    "over its sum": lambda u, _, s: u * u / sn.sum(u * u) + s.x,
    "layer norm": lambda u, _, s: _layer_norm(u) * s.x + s.a,
    "layer norm and residual": lambda u, _, s: _layer_norm(u) * s.x + u,
    "softmax": lambda u, _, s: sn.softmax(u) * s.x + u,
    "log-sum-exp": lambda u, _, s: u - sn.logsumexp(u) * s.x,
    "largest": lambda u, _, s: u - sn.max(u) * s.x / 3,
    "product of all": lambda u, _, s: u * sn.prod(1 + u / 10) / 3 + s.x,
    "running sum": lambda u, _, s: sn.cumsum(u) * s.x / 5 + s.a,
    "running product": lambda u, _, s: sn.cumprod(1 + u / 10) * s.x / 3 + s.a,
    "recurrence": lambda u, _, s: sn.linear_recurrence(s.x / 2, u) / 2 + s.a,
    "stencil": lambda u, _, s: u + s.a * (_shifted(u) - u) / 3,
    "stencil by x": lambda u, _, s: u * s.x + s.a * _shifted(u),
    "nonlinear stencil": lambda u, _, s: u + s.x * _shifted(u) * u / 10,
    "Burgers": lambda u, _, s: u[1:-1] - s.a * u[1:-1] * (u[2:] - u[:-2]) / 3,
    "halves": lambda u, _, s: sn.concat([u[4:] * u[:4], u[:4] + u[4:]]) / 2,
    "contraction": lambda u, _, s: s.x * (u @ s.x) / 8 + u,
    "times a contraction": lambda u, _, s: u * (u @ s.x) / 8 + s.x,
    "outer": lambda u, _, s: sn.outer(u, s.x) @ u / 8 + s.x,
    "layer": lambda u, _, s: sn.tanh(s.A @ u + s.x),
    "residual layer": lambda u, _, s: u + sn.tanh(s.A @ u),
    "linear layer": lambda u, _, s: s.A @ u + s.x,
    "residual linear": lambda u, _, s: u + s.A @ u * s.x / 8,
    "gated layer": lambda u, _, s: u * sn.sigmoid(s.A @ u) + s.x,
    "power of a matrix": lambda u, _, s: s.A @ (s.A @ u) - u,
    "quadratic form": lambda u, _, s: u - s.x * (u @ s.A @ u) / 8,
    "two layers": lambda u, w, s: sn.tanh(s.A @ u) + w * s.x,
}

# steps of matrices
OF_MATRICES: dict[str, Step] = {
    "Newton and Schulz": lambda u, _, s: u @ (2 * sn.eye(WIDTH) - s.A @ u) / 2,
    "square of a matrix": lambda u, _, s: u @ u / 8 + s.A,
    "elementwise product": lambda u, _, s: (u @ s.A) * u / 8 + s.A,
    "row softmax": lambda u, _, s: sn.softmax(u @ s.A, axis=1) + u,
    "attention": lambda u, _, s: sn.softmax(u @ u.T, axis=1) @ u + s.A,
    "row norms": lambda u, _, s: u / sn.norm(u, axis=1, keepdims=True) + s.A,
    "residual of matrices": lambda u, _, s: u + sn.tanh(u @ s.A),
}
SHAPES: tuple[tuple[str, dict[str, Step], tuple[int, ...]], ...] = (
    ("scalar", ELEMENTWISE, ()),
    ("vector", ELEMENTWISE, (WIDTH,)),
    ("vector", OF_VECTORS, (WIDTH,)),
    ("matrix", OF_MATRICES, (WIDTH, WIDTH)),
)


def chain_of(steps: Callable[[int], list[Step]], shape: tuple[int, ...], depth: int, label: str) -> Chain:
    """The steps of every level, one after another, and the sum of the last value."""
    wide = (WIDTH + 2 * depth,) if steps(0)[0] is OF_VECTORS["Burgers"] else shape
    shared = Shared(
        sn.tensor(f"x{label}", *shape), sn.tensor(f"a{label}"), sn.tensor(f"A{label}", WIDTH, WIDTH) if shape else None
    )
    u = sn.tensor(f"u{label}", *wide)
    before, now = u, sn.sin(u)
    for level in range(depth):
        for step in steps(level):
            before, now = now, step(now, before, shared)
    value = sn.sum(now**2) if shape else now
    inside = set(topological(value))
    return Chain(value, [leaf for leaf in (u, *shared) if leaf is not None and leaf in inside])


def _of_leaves(op: Callable[[Any, Any], Any], wrap: Callable[[Any], Any]) -> Callable[[int, str], Chain]:
    def built(depth: int, label: str) -> Chain:
        xs = [sn.tensor(f"x{k}{label}") for k in range(depth)]
        return Chain(reduce(op, map(wrap, xs)), xs)

    return built


def _product_of_all(depth: int, label: str) -> Chain:
    x = sn.tensor(f"x{label}", depth)
    return Chain(sn.prod(x), [x])


def _product_of_functions(depth: int, label: str) -> Chain:
    x = sn.tensor(f"x{label}", depth)
    return Chain(sn.prod(sn.sin(x) + 2), [x])


def _minors(depth: int, label: str) -> Chain:
    """A determinant by minors, those of the same rows and columns computed once."""
    A = [[sn.tensor(f"a{i}_{j}{label}") for j in range(depth)] for i in range(depth)]
    known: dict[tuple[int, ...], Any] = {}

    def minor(columns: tuple[int, ...]) -> Any:
        if columns not in known:
            row = depth - len(columns)
            parts = [
                (-1) ** k * A[row][j] * (minor((*columns[:k], *columns[k + 1 :])) if len(columns) > 1 else 1)
                for k, j in enumerate(columns)
            ]
            known[columns] = reduce(operator.add, parts)
        return known[columns]

    return Chain(minor(tuple(range(depth))), [a for row in A for a in row])


def _of(step: Step, shape: tuple[int, ...]) -> Callable[[int, str], Chain]:
    return lambda depth, label: chain_of(lambda level: [step], shape, depth, label)


FAMILIES: dict[str, Callable[[int, str], Chain]] = {
    "Speelpenning": _of_leaves(operator.mul, lambda x: x),
    "product of sums": _of_leaves(operator.mul, lambda x: x + 2),
    "product of sines": _of_leaves(operator.mul, sn.sin),
    "prod": _product_of_all,
    "prod of sines": _product_of_functions,
    "determinant by minors": _minors,
    **{f"{kind}: {name}": _of(step, shape) for kind, steps, shape in SHAPES for name, step in steps.items()},
}
POOLS = {"scalar": ELEMENTWISE, "vector": {k: s for k, s in {**ELEMENTWISE, **OF_VECTORS}.items() if k != "Burgers"}}


def mixed(kind: str, seed: int) -> Callable[[int, str], Chain]:
    """Two random steps at every level."""
    rng = np.random.default_rng(seed)
    pool = list(POOLS[kind].values())
    drawn = rng.integers(len(pool), size=(1000, 2))
    shape = () if kind == "scalar" else (WIDTH,)
    return lambda depth, label: chain_of(lambda level: [pool[k] for k in drawn[level]], shape, depth, label)
