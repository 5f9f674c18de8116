"""Members of one kind: a branch that is not taken, with whatever is in it.

`FUNCTIONS` × `MASKS` × `CONTEXTS` give losses L = g(where(c, f(X, W), other)).  The rows of X that no taken place
depends on are spoilt (`FILLINGS`: NaN, infinities, zeros, the edges of exp) and the loss, its derivatives by X, by W
and by U, and products with its Hessian must be bit for bit those of benign rows, and 0 by the spoilt rows.

In: names of members.  Out: `disagreements`, the sentences about what differs; [] where nothing leaks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

import symnet as sn
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import leaves
from symnet.reference import evaluate
from symnet.simplify.algebra.table import simplify
from symnet.simplify.numeric.passes import numeric

M, N = 4, 3
ROWS = sn.dim("m")
TAKEN = np.array([True, False, True, False])  # rows of X that a taken place depends on
FILLINGS = {
    "nan": np.nan,
    "inf": np.inf,
    "-inf": -np.inf,
    "zero": 0.0,
    "negative": -1.5,
    "large": 800.0,
    "-large": -800.0,
    "huge": 1e30,
}

Function = Callable[[Node, Node], Node]
FUNCTIONS: dict[str, Function] = {
    # elementwise
    "log": lambda X, W: sn.log(X),
    "reciprocal": lambda X, W: 1 / X,
    "quotient": lambda X, W: W[0] / (X * X),
    "root": lambda X, W: sn.sqrt(X),
    "power": lambda X, W: X**2.5,
    "power by leaf": lambda X, W: X ** W[0, 0],
    "xlogx": lambda X, W: X * sn.log(X),
    "exp": lambda X, W: sn.exp(X),
    "logistic": lambda X, W: sn.log(sn.sigmoid(X)),
    "complement": lambda X, W: sn.log(1 - sn.sigmoid(X)) * sn.sigmoid(X),
    "sine": lambda X, W: sn.sin(X) / X,
    "softplus": lambda X, W: sn.log(1 + sn.exp(X)),
    "gamma": lambda X, W: sn.loggamma(X),
    "arcsine": lambda X, W: sn.asin(X / 10),
    "tanh": lambda X, W: sn.tanh(X),
    "log of relu": lambda X, W: sn.log(sn.relu(X)),
    # along a row
    "softmax": lambda X, W: sn.softmax(X),
    "log softmax": lambda X, W: sn.log(sn.softmax(X)),
    "centred": lambda X, W: X - sn.mean(X, axis=1, keepdims=True),
    "normalised": lambda X, W: X / sn.norm(X, axis=1)[:, None],
    "standardised": lambda X, W: (X - sn.mean(X, 1, True)) / sn.sqrt(sn.mean((X - sn.mean(X, 1, True)) ** 2, 1, True)),
    "running sum": lambda X, W: sn.cumsum(sn.log(X), axis=1),
    "running product": lambda X, W: sn.cumprod(sn.log(X), axis=1),
    "recurrence": lambda X, W: sn.linear_recurrence(sn.sqrt(X) / 2, sn.log(X), axis=1, exclusive=True),
    "reversed": lambda X, W: sn.sqrt(X)[:, ::-1] / X,
    "transposed": lambda X, W: sn.log(X.T).T,
    "joined": lambda X, W: sn.concat([1 / X, sn.log(X)], axis=1)[:, 1:4],
    "taken": lambda X, W: 1 / sn.take(X, np.array([2, 0, 1]), axis=1),
    # contracted
    "product": lambda X, W: X @ W,
    "product of logs": lambda X, W: sn.log(X) @ W,
    "log of product": lambda X, W: sn.log(X @ W**2),
    "layers": lambda X, W: sn.relu(sn.tanh(X @ W) @ W.T) @ W,
    "einsum": lambda X, W: sn.einsum("ij,jk,ik->ik", X, W, X),
    "inverse": lambda X, W: X @ sn.inv(W @ W.T + sn.eye(N)),
    # reduced
    "logsumexp": lambda X, W: sn.logsumexp(X, axis=1),
    "norm": lambda X, W: sn.norm(X, axis=1),
    "product of elements": lambda X, W: sn.prod(1 / X, axis=1),
    "variance": lambda X, W: sn.mean((X - sn.mean(X, axis=1, keepdims=True)) ** 2, axis=1),
    "squares": lambda X, W: sn.sum(X**2, axis=1),
    "quadratic form": lambda X, W: sn.einsum("ij,jk,ik->i", X, W, X),
    "largest": lambda X, W: sn.max(X**3, axis=1),
    "distance": lambda X, W: sn.norm(X - W[0], axis=1),
    "entropy": lambda X, W: -sn.sum(sn.softmax(X) * sn.log(sn.softmax(X)), axis=1),
    "angle": lambda X, W: X @ W[:, 0] / (sn.norm(X, axis=1) * sn.norm(W[:, 0])),
}


def _column(c: Node, rank: int) -> Node:
    return c[:, None] if rank == 2 else c


# what c is, over (m, 3) and over (m,)
MASKS: dict[str, Callable[[Node, int], Node]] = {
    "column": lambda c, rank: (c > 0)[:, None] if rank == 2 else c > 0,
    "column compared": lambda c, rank: c[:, None] > 0 if rank == 2 else c > 0,
    "whole": lambda c, rank: c[:, None] * N > sn.arange(N) if rank == 2 else c > 0,
    "negated": lambda c, rank: ~(_column(c, rank) <= 0),
    "both": lambda c, rank: (_column(c, rank) > 0) & (_column(c, rank) > -1),
    "either": lambda c, rank: (_column(c, rank) > 0) | (_column(c, rank) > 0.5),
}

Context = Callable[[Node, Node, Node], Node]  # condition, branch, U: (m, 3) or (m,) → the loss
CONTEXTS: dict[str, Context] = {
    "sum": lambda c, y, U: sn.sum(sn.where(c, y, 0)),
    "squares": lambda c, y, U: sn.sum(sn.where(c, y, 0) ** 2),
    "other side": lambda c, y, U: sn.sum(sn.where(~c, U, y) ** 2),
    "two branches": lambda c, y, U: sn.sum(sn.where(c, y, U) * U),
    "mean of the taken": lambda c, y, U: sn.sum(sn.where(c, y, 0)) / sn.sum(sn.indicator(c)),
    "norm": lambda c, y, U: sn.norm(sn.where(c, y, 0)),
    "exp": lambda c, y, U: sn.sum(sn.exp(-sn.where(c, y, 0) / 8)),
    "log": lambda c, y, U: sn.sum(sn.log(1 + sn.where(c, y, 1) ** 2)),
    "logsumexp": lambda c, y, U: sn.logsumexp(sn.where(c, y / 8, -np.inf)),
    "nested": lambda c, y, U: sn.sum(sn.where(U > 0, sn.where(c, y, U), U) * U),
    "nested outside": lambda c, y, U: sn.sum(sn.where(c, sn.where(U > 0, y, y * U), 0) ** 2),
    "twice": lambda c, y, U: sn.sum(sn.where(c, y * U, 0) * sn.where(c, 1 / y, 1)),
    "used outside": lambda c, y, U: sn.sum(sn.where(c, y, 0) * U) + sn.sum(sn.where(c, y, 1) ** 2),
    "contracted": lambda c, y, U: sn.sum(sn.tanh(sn.where(c, y, 0).T @ U) ** 2),
    "relu": lambda c, y, U: sn.sum(sn.relu(sn.where(c, y, 0)) * U),
    "largest": lambda c, y, U: sn.max(sn.where(c, y, -np.inf)),
    "running": lambda c, y, U: sn.sum(sn.cumsum(sn.where(c, y, 0), 0) ** 2),
    "running product": lambda c, y, U: sn.sum(sn.cumprod(sn.where(c, y, 1), 0, reverse=True) * U),
    "recurrence": lambda c, y, U: sn.sum(sn.linear_recurrence(sn.where(c, y, 0), sn.where(c, U, 1), 0) ** 2),
    "moved": lambda c, y, U: sn.sum(sn.reshape(sn.where(c, y, 0), -1)[1:] ** 2),
    "scaled": lambda c, y, U: sn.sum(sn.where(c, y * U[-1:], 0) ** 2) / sn.sum(U**2),
}


@dataclass(frozen=True)
class Member:
    function: str
    mask: str
    context: str

    def loss(self, dtype: str = "float64", rows: Any = ROWS) -> tuple[Node, list[Node]]:
        """The loss, and what it is differentiated by."""
        X, W, c = sn.tensor("X", rows, N, dtype=dtype), sn.tensor("W", N, N, dtype=dtype), sn.tensor("c", rows)
        y = FUNCTIONS[self.function](X, W)
        U = sn.tensor("U", *y.shape, dtype=dtype)
        L = CONTEXTS[self.context](MASKS[self.mask](c.retyped(dtype), y.rank), y, U)
        inside = L.free_symbols
        return L, [t for t in (X, W, U) if t in inside]


def members() -> Iterator[Member]:
    return (Member(*names) for names in product(FUNCTIONS, MASKS, CONTEXTS))


def data(filling: float, rank: int, dtype: str) -> dict[str, np.ndarray]:
    """Values of the leaves, and of the vectors of the Hessian's product; X spoilt in the rows not taken."""
    rng = np.random.default_rng(5)
    shape = (M, N) if rank == 2 else (M,)
    X = rng.uniform(0.3, 1.2, (M, N))
    X[~TAKEN] = filling
    return {
        "X": X.astype(dtype),
        "W": rng.uniform(0.2, 1.0, (N, N)).astype(dtype),
        "U": rng.uniform(-1.0, 1.0, shape).astype(dtype),
        "c": np.where(TAKEN, 1.0, -1.5).astype(dtype),
        "vX": rng.normal(size=(M, N)).astype(dtype),
        "vW": rng.normal(size=(N, N)).astype(dtype),
        "vU": rng.normal(size=shape).astype(dtype),
    }


def derivatives(L: Node, wrt: list[Node]) -> dict[str, Node]:
    """The value and its derivatives, forward and reverse, of first and second order."""
    vectors = {t: sn.tensor(f"v{t.name}", *t.shape, dtype=t.dtype) for t in wrt}  # type: ignore[attr-defined]
    outputs = {"L": L, "tangent": sn.jvp(L, vectors)}
    for t, g, h in zip(wrt, sn.grad(L, wrt), sn.hvp(L, wrt, list(vectors.values())), strict=True):
        outputs |= {f"by {t.name}": g, f"twice by {t.name}": h}  # type: ignore[attr-defined]
    return outputs


def by_reference(outputs: dict[str, Node]) -> Callable[[dict[str, np.ndarray]], dict[str, Any]]:
    roots = numeric(simplify(list(outputs.values())))
    told = leaves(*outputs.values())
    return lambda given: dict(zip(outputs, evaluate(roots, given, leaves=told), strict=True))


def natively(outputs: dict[str, Node]) -> Callable[[dict[str, np.ndarray]], dict[str, Any]]:
    compiled = sn.compile(outputs)
    return lambda given: compiled(**{name: given[name] for name in compiled.inputs})


def disagreements(
    member: Member, *, native: bool = False, dtype: str = "float64", rows: Any = ROWS, fillings: Any = FILLINGS
) -> list[str]:
    """What the spoilt rows change."""
    L, wrt = member.loss(dtype, rows)
    rank = len(wrt[-1].shape) if wrt[-1].name == "U" else 2  # type: ignore[attr-defined]
    rank = FUNCTIONS[member.function](sn.tensor("X", M, N), sn.tensor("W", N, N)).rank
    outputs = derivatives(L, wrt)
    run = (natively if native else by_reference)(outputs)
    found = []
    with np.errstate(all="ignore"):
        right = run(data(0.7, rank, dtype))
        for name, value in right.items():
            if not np.all(np.isfinite(value)):
                found.append(f"{member} {dtype}: {name} is {value} for benign rows")
        for filling in fillings:
            came = run(data(FILLINGS[filling], rank, dtype))
            for name, value in came.items():
                spoilt = np.asarray(value)[~TAKEN] if name.endswith("by X") else np.zeros(1)
                if not np.array_equal(value, right[name]) or spoilt.any():
                    found.append(f"{member} {dtype}, {filling}: {name} is {value}, not {right[name]}")
    return found
