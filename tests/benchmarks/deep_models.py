"""The models whose compile time is measured, each written once for symnet and for JAX.

In: a namespace of functions (`OURS`, `jax_functions()`) and arrays or leaves by name.  Out: the loss.  `CASES` gives
the shapes of data and parameters and, where the batch of symnet's leaves is symbolic, its extent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import symnet as sn

Shapes = dict[str, tuple[Any, ...]]
Loss = Callable[[Any, dict[str, Any]], Any]
m = sn.dim("m")
OURS = SimpleNamespace(
    tanh=sn.tanh, sigmoid=sn.sigmoid, relu=sn.relu, sin=sn.sin, sqrt=sn.sqrt, log=sn.log, exp=sn.exp, sum=sn.sum,
    mean=sn.mean, concat=sn.concat, softmax=sn.softmax, gelu=sn.gelu, einsum=sn.einsum, reshape=sn.reshape,
)  # fmt: skip


def jax_functions() -> Any:
    """The same names in JAX."""
    import jax
    import jax.numpy as jnp

    return SimpleNamespace(
        tanh=jnp.tanh, sigmoid=jax.nn.sigmoid, relu=jax.nn.relu, sin=jnp.sin, sqrt=jnp.sqrt, log=jnp.log, exp=jnp.exp,
        sum=jnp.sum, mean=jnp.mean, concat=jnp.concatenate, softmax=jax.nn.softmax, gelu=jax.nn.gelu,
        einsum=jnp.einsum, reshape=jnp.reshape,
    )  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A loss of some depth.  `data` and `params` are shapes by name; `m` in them is symbolic for symnet."""

    loss: Loss
    data: Shapes
    params: Shapes
    rows: int = 64
    values_only: bool = False

    def leaves(self) -> tuple[Any, list[Any]]:
        """The loss in symnet, and its parameters."""
        made = {name: sn.tensor(name, *shape) for name, shape in (self.data | self.params).items()}
        return self.loss(OURS, made), [made[name] for name in self.params]


def mlp(depth: int) -> Case:
    """tanh layers of width 32."""
    params = {name: shape for k in range(depth) for name, shape in ((f"W{k}", (32, 32)), (f"b{k}", (32,)))}

    def loss(f: Any, a: dict[str, Any]) -> Any:
        h = a["X"]
        for k in range(depth):
            h = f.tanh(h @ a[f"W{k}"] + a[f"b{k}"])
        return f.mean(f.sum(h * h, axis=1))

    return Case(loss, {"X": (m, 32)}, params)


def digits() -> Case:
    """64-128-10, tanh, softmax, cross-entropy."""
    params = {"W1": (64, 128), "b1": (128,), "W2": (128, 10), "b2": (10,)}

    def loss(f: Any, a: dict[str, Any]) -> Any:
        z = f.tanh(a["X"] @ a["W1"] + a["b1"]) @ a["W2"] + a["b2"]
        return -f.mean(f.sum(a["D"] * f.log(f.softmax(z, axis=-1)), axis=1))

    return Case(loss, {"X": (m, 64), "D": (m, 10)}, params)


def lstm(steps: int) -> Case:
    """An LSTM of 32 cells, unrolled."""
    params = {"W": (16 + 32, 128), "b": (128,)}

    def loss(f: Any, a: dict[str, Any]) -> Any:
        h, c = a["h0"], a["c0"]
        for t in range(steps):
            z = f.concat([a["X"][t], h], axis=1) @ a["W"] + a["b"]
            i, g, o, r = (z[:, 32 * k : 32 * k + 32] for k in range(4))
            c = f.sigmoid(r) * c + f.sigmoid(i) * f.tanh(g)
            h = f.sigmoid(o) * f.tanh(c)
        return f.mean(f.sum(h * h, axis=1))

    return Case(loss, {"X": (steps, m, 16), "h0": (m, 32), "c0": (m, 32)}, params)


def gpt_nano(blocks: int = 3) -> Case:
    """A decoder 48 wide with 3 heads over 11 tokens of 3 kinds: 53 parameters with 3 blocks."""
    tokens, width, heads, kinds = 11, 48, 3, 3
    params: Shapes = {"E": (kinds, width), "P": (tokens, width)}
    for k in range(blocks):
        params |= {f"{n}{k}": (width,) for n in ("s1_", "o1_", "s2_", "o2_", "bq", "bk", "bv", "bo", "b2_")}
        params |= {f"W{n}{k}": (width, width) for n in "qkvo"}
        params |= {f"W1_{k}": (width, 4 * width), f"b1_{k}": (4 * width,), f"W2_{k}": (4 * width, width)}
    params |= {"s": (width,), "o": (width,), "H": (width, kinds)}

    def norm(f: Any, x: Any, scale: Any, offset: Any) -> Any:
        c = x - f.mean(x, axis=-1, keepdims=True)
        return c / f.sqrt(f.mean(c * c, axis=-1, keepdims=True) + 1e-5) * scale + offset

    def split(f: Any, x: Any) -> Any:
        return f.reshape(x, (x.shape[0], tokens, heads, width // heads))

    def loss(f: Any, a: dict[str, Any]) -> Any:
        h = a["X"] @ a["E"] + a["P"]
        for k in range(blocks):
            x = norm(f, h, a[f"s1_{k}"], a[f"o1_{k}"])
            q, key, v = (split(f, x @ a[f"W{n}{k}"] + a[f"b{n}{k}"]) for n in "qkv")
            weights = f.softmax(f.einsum("bihc,bjhc->bhij", q, key) * (width // heads) ** -0.5 + a["M"], axis=-1)
            mixed = f.reshape(f.einsum("bhij,bjhc->bihc", weights, v), (x.shape[0], tokens, width))
            h = h + mixed @ a[f"Wo{k}"] + a[f"bo{k}"]
            x = norm(f, h, a[f"s2_{k}"], a[f"o2_{k}"])
            h = h + f.gelu(x @ a[f"W1_{k}"] + a[f"b1_{k}"]) @ a[f"W2_{k}"] + a[f"b2_{k}"]
        y = f.softmax(norm(f, h, a["s"], a["o"]) @ a["H"], axis=-1)
        return -f.mean(f.sum(a["D"] * f.log(y), axis=-1))

    return Case(loss, {"X": (m, tokens, kinds), "M": (tokens, tokens), "D": (m, tokens, kinds)}, params)


def nested_sines(depth: int) -> Case:
    """sin(sin(… x))."""

    def loss(f: Any, a: dict[str, Any]) -> Any:
        y = a["x"]
        for _ in range(depth):
            y = f.sin(y)
        return f.sum(y)

    return Case(loss, {}, {"x": (4,)})


def chain(depth: int) -> Case:
    """sin and products in turn, of a vector; the value alone."""

    def loss(f: Any, a: dict[str, Any]) -> Any:
        y = a["x"]
        for k in range(depth):
            y = f.sin(y) if k % 2 else y * a["x"]
        return f.sum(y)

    return Case(loss, {}, {"x": (4,)}, values_only=True)


def many_outputs(count: int) -> Case:
    """As many values of one vector: a list is what the loss gives."""

    def loss(f: Any, a: dict[str, Any]) -> Any:
        return [f.sin(a["x"] * (k + 1)) + k for k in range(count)]

    return Case(loss, {}, {"x": (m,)}, values_only=True)


CASES: dict[str, Callable[[], Case]] = {
    "digits": digits,
    **{f"mlp {depth}": (lambda depth=depth: mlp(depth)) for depth in (1, 2, 5, 10, 20, 50, 100, 200)},
    "lstm 5": lambda: lstm(5),
    "lstm 20": lambda: lstm(20),
    "gpt-nano": gpt_nano,
    "400 sines": lambda: nested_sines(400),
    "chain 3000": lambda: chain(3000),
    "200 outputs": lambda: many_outputs(200),
}
