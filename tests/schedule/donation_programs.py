"""Training steps as expressions, state in and state out: what `donate=` is for.

In: nothing.  Out: `PROGRAMS`: by name, what makes the outputs and the pairs of input and output.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import symnet as sn

m = sn.dim("m")
X, D = sn.tensor("X", m, 12), sn.tensor("D", m, 4, one_hot=True)
W1, b1, W2, b2 = sn.tensor("W1", 12, 8), sn.tensor("b1", 8), sn.tensor("W2", 8, 4), sn.tensor("b2", 4)
lr = sn.scalar("lr")
PARAMS = (W1, b1, W2, b2)
NETWORK = sn.mean(sn.cross_entropy(sn.softmax(sn.relu(X @ W1 + b1) @ W2 + b2), D))
w, y = sn.tensor("w", 12), sn.tensor("y", m)
LINE = sn.mean((X @ w - y) ** 2)
B = sn.tensor("B", 300, 20)
E, i, t, V = (
    sn.tensor("E", 100, 16),
    sn.tensor("i", m, dtype="int32"),
    sn.labels("t", m, classes=5),
    sn.tensor("V", 16, 5),
)
XK, YK, WK = sn.tensor("XK", 300, 16), sn.tensor("YK", 300, 8), sn.tensor("WK", 16, 8)
KNOWN = sn.mean(sn.sum((XK @ WK - YK) ** 2, axis=1))  # the gradient is a long product, of known rows
P, Q, R = sn.tensor("P", 64, 260), sn.tensor("Q", 260, 32), sn.tensor("R", 64, 32)
EMBEDDED = sn.mean(sn.cross_entropy(sn.softmax(sn.take(E, i) @ V), t))


def sgd(loss: Any, params: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """A step downhill."""
    found = sn.grad(loss, list(params))
    new = {f"{p.name}_new": p - lr * g for p, g in zip(params, found, strict=True)}
    return {"loss": loss, **new}, {p.name: f"{p.name}_new" for p in params}


def adam(loss: Any, params: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """A step of Adam, whose two moments are state as well."""
    outputs: dict[str, Any] = {"loss": loss}
    pairs: dict[str, str] = {}
    for p, g in zip(params, sn.grad(loss, list(params)), strict=True):
        first, second = sn.tensor(f"u_{p.name}", *p.shape), sn.tensor(f"v_{p.name}", *p.shape)
        u, v = 0.9 * first + 0.1 * g, 0.999 * second + 0.001 * g * g
        outputs |= {f"{p.name}_new": p - lr * u / (sn.sqrt(v) + 1e-8)}
        outputs |= {f"{first.name}_new": u, f"{second.name}_new": v}
        pairs |= {leaf.name: f"{leaf.name}_new" for leaf in (p, first, second)}
    return outputs, pairs


PROGRAMS: dict[str, Callable[[], tuple[dict[str, Any], dict[str, str]]]] = {
    "network, SGD": lambda: sgd(NETWORK, PARAMS),
    "network, Adam": lambda: adam(NETWORK, PARAMS),
    "network, weight decay": lambda: sgd(NETWORK + 0.01 * sn.sum(W1 * W1), PARAMS),
    "line, SGD": lambda: sgd(LINE, [w]),
    "line, Adam": lambda: adam(LINE, [w]),
    "embedding, SGD": lambda: sgd(EMBEDDED, [E, V]),  # a tile and the rows that are left, side by side
    "known rows, SGD": lambda: sgd(KNOWN, [WK]),
    "known rows, Adam": lambda: adam(KNOWN, [WK]),
    "a long product": lambda: ({"new": R - 0.1 * (P @ Q)}, {"R": "new"}),
    "a map": lambda: ({"new": sn.tanh(B) * 2 + lr}, {"B": "new"}),
    "rows": lambda: ({"new": X * 2 + 1}, {"X": "new"}),
    "rows less their mean": lambda: ({"new": X - sn.mean(X, axis=0)}, {"X": "new"}),
    "running sums": lambda: ({"new": sn.cumsum(y)}, {"y": "new"}),
}
