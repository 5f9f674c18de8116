"""The models that benchmarks measure, each in symnet and by hand in NumPy, JAX and PyTorch.

A model is a name, its loss and parameters in symnet, its data, and for each peer a function without arguments that
computes the loss and all gradients from the same arrays.  Peers that are not installed are left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

import symnet as sn

Arrays = dict[str, np.ndarray]
Step = Callable[[], Any]


@dataclass(frozen=True)
class Model:
    """A loss to measure."""

    name: str
    loss: Any
    params: list[Any]
    data: Arrays
    peers: dict[str, Callable[[Arrays], Step]]


def relu_regressor() -> Model:
    """N3: 64 x 1000 -> 100 relu -> 10, sum of squared errors, float32."""
    rng = np.random.default_rng(0)
    X, T = sn.tensor("X", sn.dim("m"), 1000), sn.tensor("T", sn.dim("m"), 10)
    W1, W2 = sn.tensor("W1", 1000, 100), sn.tensor("W2", 100, 10)
    loss = sn.sum((sn.relu(X @ W1) @ W2 - T) ** 2)
    shapes = {"X": (64, 1000), "T": (64, 10), "W1": (1000, 100), "W2": (100, 10)}
    data = {name: rng.standard_normal(shape, dtype=np.float32) for name, shape in shapes.items()}
    peers = {"numpy": relu_numpy, "jax": relu_jax, "torch": relu_torch}
    return Model("N3 64x1000x100x10 relu", loss, [W1, W2], data, peers)


def relu_numpy(d: Arrays) -> Step:
    x, t, w1, w2 = d["X"], d["T"], d["W1"], d["W2"]

    def step() -> Any:
        h = x @ w1
        r = np.maximum(h, 0)
        e = r @ w2 - t
        g = 2 * e
        gh = g @ w2.T
        gh[h < 0] = 0
        return np.square(e).sum(), x.T @ gh, r.T @ g

    return step


def relu_jax(d: Arrays) -> Step:
    import jax
    import jax.numpy as jnp

    def loss(params: Any, x: Any, t: Any) -> Any:
        return jnp.sum((jnp.maximum(x @ params[0], 0) @ params[1] - t) ** 2)

    return _jax_step(loss, [d["W1"], d["W2"]], [d["X"], d["T"]], jax)


def relu_torch(d: Arrays) -> Step:
    def loss(params: Any, x: Any, t: Any) -> Any:
        return ((x @ params[0]).clamp(min=0) @ params[1] - t).pow(2).sum()

    return _torch_step(loss, [d["W1"], d["W2"]], [d["X"], d["T"]])


def digits_network(rows: int) -> Model:
    """64-128-10, tanh, softmax and cross-entropy, float32, one mini-batch."""
    rng = np.random.default_rng(0)
    X, D = sn.tensor("X", sn.dim("m"), 64), sn.tensor("D", sn.dim("m"), 10, one_hot=True)
    W1, b1, W2, b2 = sn.tensor("W1", 64, 128), sn.tensor("b1", 128), sn.tensor("W2", 128, 10), sn.tensor("b2", 10)
    loss = sn.mean(sn.cross_entropy(sn.softmax(sn.tanh(X @ W1 + b1) @ W2 + b2), D))
    data = {
        "X": rng.random((rows, 64), dtype=np.float32),
        "D": np.eye(10, dtype=np.float32)[rng.integers(0, 10, rows)],
        "W1": rng.standard_normal((64, 128), dtype=np.float32) / 8,
        "b1": np.zeros(128, np.float32),
        "W2": rng.standard_normal((128, 10), dtype=np.float32) / 11,
        "b2": np.zeros(10, np.float32),
    }
    peers = {"numpy": digits_numpy, "jax": digits_jax, "torch": digits_torch}
    return Model(f"digits 64-128-10, batch {rows}", loss, [W1, b1, W2, b2], data, peers)


def digits_numpy(d: Arrays) -> Step:
    x, t, w1, b1, w2, b2 = (d[k] for k in ("X", "D", "W1", "b1", "W2", "b2"))
    scale = np.float32(1 / len(x))

    def step() -> Any:
        h = np.tanh(x @ w1 + b1)
        z = h @ w2 + b2
        z -= z.max(1, keepdims=True)
        e = np.exp(z)
        s = e.sum(1, keepdims=True)
        loss = -(t * (z - np.log(s))).sum() * scale
        g = (e / s - t) * scale
        gh = (g @ w2.T) * (1 - h * h)
        return loss, x.T @ gh, gh.sum(0), h.T @ g, g.sum(0)

    return step


def digits_jax(d: Arrays) -> Step:
    import jax
    import jax.numpy as jnp

    def loss(params: Any, x: Any, t: Any) -> Any:
        w1, b1, w2, b2 = params
        return -jnp.mean(jnp.sum(t * jax.nn.log_softmax(jnp.tanh(x @ w1 + b1) @ w2 + b2), axis=1))

    return _jax_step(loss, [d[k] for k in ("W1", "b1", "W2", "b2")], [d["X"], d["D"]], jax)


def digits_torch(d: Arrays) -> Step:
    def loss(params: Any, x: Any, t: Any) -> Any:
        import torch

        w1, b1, w2, b2 = params
        z = torch.tanh(x @ w1 + b1) @ w2 + b2
        return -(t * torch.log_softmax(z, dim=1)).sum(1).mean()

    return _torch_step(loss, [d[k] for k in ("W1", "b1", "W2", "b2")], [d["X"], d["D"]])


def _jax_step(loss: Any, params: list[np.ndarray], inputs: list[np.ndarray], jax: Any) -> Step:
    compiled = jax.jit(jax.value_and_grad(loss))
    on_device = [jax.device_put(p) for p in params], [jax.device_put(i) for i in inputs]

    def step() -> Any:
        value, gradients = jax.block_until_ready(compiled(on_device[0], *on_device[1]))
        return (value, *gradients)

    return step


def _torch_step(loss: Any, params: list[np.ndarray], inputs: list[np.ndarray]) -> Step:
    import torch

    weights = [torch.from_numpy(p.copy()).requires_grad_() for p in params]
    batch = [torch.from_numpy(i) for i in inputs]

    def step() -> Any:
        value = loss(weights, *batch)
        return (value.detach(), *torch.autograd.grad(value, weights))

    return step


def installed(peer: str) -> bool:
    return find_spec(peer) is not None


MODELS: dict[str, Callable[[], Model]] = {
    "n3": relu_regressor,
    "digits32": lambda: digits_network(32),
    "digits256": lambda: digits_network(256),
}
