"""The models of `flagships.py`, each written once for symnet, JAX and PyTorch.

In: a namespace of functions (`OURS`, `jax_functions()`, `torch_functions()`), and arrays or leaves by name.  Out: a
loss.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import deep_models
import numpy as np
from deep_models import m

import symnet as sn

Shapes = dict[str, tuple[Any, ...]]
Arrays = dict[str, np.ndarray]
Loss = Callable[[Any, dict[str, Any]], Any]
Step = Callable[[], Any]


@dataclass(frozen=True)
class Flagship:
    """A loss, the shapes of its data and parameters (`m` is symbolic for symnet), and how many rows there are.

    Attributes:
        scale: of the parameters, by name; others have variance 1 over the first extent.
        indices: by the name of integer data, how many values they have.
        one_hot: names of data that are one in one place of the last axis.
    """

    loss: Loss
    data: Shapes
    params: Shapes
    rows: int
    dtype: str = "float32"
    scale: dict[str, float] = field(default_factory=dict)
    indices: dict[str, int] = field(default_factory=dict)
    one_hot: tuple[str, ...] = ()

    def arrays(self) -> Arrays:
        rng = np.random.default_rng(0)
        return {name: self._array(name, shape, rng) for name, shape in (self.data | self.params).items()}

    def _array(self, name: str, shape: tuple[Any, ...], rng: np.random.Generator) -> np.ndarray:
        known = tuple(self.rows if n is m else n for n in shape)
        if name in self.indices:
            return rng.integers(0, self.indices[name], known)
        if name in self.one_hot:
            return np.eye(known[-1], dtype=self.dtype)[rng.integers(0, known[-1], known[:-1])]
        scale = self.scale.get(name, 1 / np.sqrt(known[-2] if len(known) > 1 else known[0]))
        return (rng.normal(size=known) * (scale if name in self.params else 1)).astype(self.dtype)

    def leaves(self) -> dict[str, Any]:
        return {
            name: sn.tensor(name, *shape, dtype="int64" if name in self.indices else self.dtype)
            for name, shape in (self.data | self.params).items()
        }


# --------------------------------------------------------------------------- who takes part


def contenders(model: Flagship, threads: int, compiled: bool) -> tuple[dict[str, Step], float | None]:
    """The steps of everybody who is installed, and symnet's share of the machine's limit on one thread."""
    arrays, leaves = model.arrays(), model.leaves()
    params = list(model.params)
    f = sn.value_and_grad(model.loss(OURS, leaves), [leaves[n] for n in params], dtype=model.dtype, threads=threads)
    step = f.bind(**arrays)
    steps: dict[str, Step] = {"symnet": step}
    if find_spec("jax"):
        steps["JAX"] = jax_step(model, arrays)
    if find_spec("torch"):
        steps["PyTorch"] = torch_step(model, arrays, threads)
        if compiled:
            steps["torch.compile"] = torch_step(model, arrays, threads, compiled=True)
    return steps, share_of_limit(f, step) if threads == 1 else None


def share_of_limit(f: Any, step: Any) -> float:
    from symnet.roofline.measure import measured
    from symnet.roofline.table import joined

    return float(joined(measured(f, f.program, step).rows).share)


def jax_step(model: Flagship, arrays: Arrays) -> Step:
    import jax

    functions, params, data = jax_functions(), list(model.params), list(model.data)

    def loss(p: Any, d: Any) -> Any:
        return model.loss(functions, dict(zip(params, p, strict=True)) | dict(zip(data, d, strict=True)))

    run = jax.jit(jax.value_and_grad(loss))
    given = [[jax.device_put(arrays[name]) for name in names] for names in (params, data)]
    return lambda: jax.block_until_ready(run(*given))


def torch_step(model: Flagship, arrays: Arrays, threads: int, compiled: bool = False) -> Step:
    import torch

    torch.set_num_threads(threads)
    functions = torch_functions()
    given = {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}
    weights = [given[name].requires_grad_() for name in model.params]

    def loss(values: dict[str, Any]) -> Any:
        return model.loss(functions, values)

    run = torch.compile(loss) if compiled else loss

    def step() -> Any:
        value = run(given)
        return value.detach(), torch.autograd.grad(value, weights)

    return step


OURS = SimpleNamespace(
    **vars(deep_models.OURS), min=sn.min, logsumexp=sn.logsumexp, softplus=sn.softplus, take=sn.take,
    cross_entropy=lambda z, d: sn.cross_entropy(z, d, from_logits=True),
)  # fmt: skip


def jax_functions() -> Any:
    """The same names in JAX."""
    import jax
    import jax.numpy as jnp

    return SimpleNamespace(
        **vars(deep_models.jax_functions()), min=jnp.min, logsumexp=jax.nn.logsumexp, softplus=jax.nn.softplus,
        take=lambda x, i, axis: jnp.take(x, i, axis=axis),
        cross_entropy=lambda z, d: -jnp.sum(d * jax.nn.log_softmax(z), axis=-1),
    )  # fmt: skip


def torch_functions() -> Any:
    """The same names in PyTorch."""
    import torch
    from torch.nn import functional

    return SimpleNamespace(
        tanh=torch.tanh, sigmoid=torch.sigmoid, relu=torch.relu, sin=torch.sin, sqrt=torch.sqrt, log=torch.log,
        exp=torch.exp, sum=torch.sum, mean=torch.mean, concat=torch.concatenate, einsum=torch.einsum,
        reshape=torch.reshape, gelu=functional.gelu, min=torch.amin, softplus=functional.softplus,
        softmax=lambda x, axis: torch.softmax(x, axis), logsumexp=lambda x, axis: torch.logsumexp(x, axis),
        take=lambda x, i, axis: torch.index_select(x, axis, i),
        cross_entropy=lambda z, d: -torch.sum(d * torch.log_softmax(z, -1), -1),
    )  # fmt: skip


# --------------------------------------------------------------------------- the models


def dense(widths: tuple[int, ...], activation: str) -> tuple[Loss, Shapes]:
    """Dense layers, softmax and cross-entropy with one-hot targets: the loss, and the shapes of its parameters."""
    pairs = list(pairwise(widths))
    params = {k: s for n, (i, o) in enumerate(pairs) for k, s in ((f"W{n}", (i, o)), (f"b{n}", (o,)))}

    def loss(f: Any, a: dict[str, Any]) -> Any:
        h = a["X"]
        for n in range(len(pairs)):
            h = h @ a[f"W{n}"] + a[f"b{n}"]
            h = getattr(f, activation)(h) if n < len(pairs) - 1 else h
        return f.mean(f.cross_entropy(h, a["D"]))

    return loss, params


def network(widths: tuple[int, ...], activation: str, rows: int) -> Flagship:
    loss, params = dense(widths, activation)
    return Flagship(loss, {"X": (m, widths[0]), "D": (m, widths[-1])}, params, rows, one_hot=("D",))


def regressor() -> Flagship:
    """N3: 64 x 1000 -> 100 relu -> 10, squared errors."""
    return Flagship(
        lambda f, a: f.sum((f.relu(a["X"] @ a["W1"]) @ a["W2"] - a["T"]) ** 2),
        {"X": (m, 1000), "T": (m, 10)},
        {"W1": (1000, 100), "W2": (100, 10)},
        64,
    )


def circle() -> Flagship:
    """N2: the centre and the radius of a circle through 200 points."""

    def loss(f: Any, a: dict[str, Any]) -> Any:
        h = f.tanh(a["X"] @ a["W"] + a["b"])
        return f.mean(f.softplus(-a["t"] * (h @ a["v"])))

    return Flagship(loss, {"X": (m, 2), "t": (m,)}, {"W": (2, 8), "b": (8,), "v": (8,)}, 200, "float64")


def logistic() -> Flagship:
    """Logistic regression, the whole batch: reads of memory."""

    def loss(f: Any, a: dict[str, Any]) -> Any:
        z = a["X"] @ a["w"]
        return f.mean(f.softplus(z) - a["t"] * z)

    return Flagship(loss, {"X": (m, 100), "t": (m,)}, {"w": (100,)}, 100_000)


def mixture(width: int, components: int) -> Flagship:
    """A Gaussian mixture with a triangular factor of each precision, 1 000 points."""
    d, k = width, components
    lower = np.tril(np.ones((d, d)), -1)

    def loss(f: Any, a: dict[str, Any]) -> Any:
        apart = a["X"][:, None, :] - a["μ"]
        scaled = f.exp(a["q"]) * apart + f.einsum("kij,nkj->nki", a["L"] * a["lower"], apart)
        inner = a["α"] + f.sum(a["q"], axis=1) - f.sum(scaled * scaled, axis=2) / 2
        return f.mean(f.logsumexp(inner, axis=1)) - f.logsumexp(a["α"], axis=0)

    made = Flagship(
        loss, {"X": (m, d), "lower": (d, d)}, {"α": (k,), "μ": (k, d), "q": (k, d), "L": (k, d, d)}, 1000, "float64",
        scale={"α": 1.0, "μ": 1.0, "q": 0.1, "L": 0.1 / np.sqrt(d)},
    )  # fmt: skip
    return _WithArrays(**vars(made), fixed={"lower": lower})


@dataclass(frozen=True)
class _WithArrays(Flagship):
    """A model some of whose data are given."""

    fixed: Arrays = field(default_factory=dict)

    def arrays(self) -> Arrays:
        return super().arrays() | self.fixed


def of_case(case: deep_models.Case, one_hot: tuple[str, ...] = ()) -> Flagship:
    """A model whose compile time is measured."""
    return Flagship(case.loss, case.data, case.params, case.rows, one_hot=one_hot)


def gpt_nano() -> Flagship:
    """Three blocks, 48 wide, 3 heads, 11 tokens, batch 64, with a causal mask."""
    made = of_case(deep_models.gpt_nano(), one_hot=("X", "D"))
    mask = np.triu(np.full((11, 11), -1e9, np.float32), 1)
    return _WithArrays(**vars(made), fixed={"M": mask})


def attention(heads: int, tokens: int, width: int) -> Flagship:
    """softmax(QKᵀ/√d)·V of some heads, by all three."""

    def loss(f: Any, a: dict[str, Any]) -> Any:
        weights = f.softmax(f.einsum("hic,hjc->hij", a["Q"], a["K"]) / width**0.5, axis=-1)
        return f.mean((f.einsum("hij,hjc->hic", weights, a["V"]) - a["T"]) ** 2)

    shape = (heads, tokens, width)
    return Flagship(loss, {"T": shape}, {"Q": shape, "K": shape, "V": shape}, 1, scale=dict.fromkeys("QKV", 1.0))


def convolution(size: int) -> Flagship:
    """A convolution of 16 images of 32 x 32 with 8 channels to 16, as products of slices."""
    rest = 32 - size + 1

    def loss(f: Any, a: dict[str, Any]) -> Any:
        taps = [(i, j) for i in range(size) for j in range(size)]
        parts = [a["X"][:, i : i + rest, j : j + rest] @ a["K"][i, j] for i, j in taps]
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        return f.mean(f.tanh(total) ** 2)

    return Flagship(
        loss, {"X": (m, 32, 32, 8)}, {"K": (size, size, 8, 16)}, 16, scale={"K": 1 / np.sqrt(8 * size * size)}
    )


def embedding() -> Flagship:
    """4 096 rows of a table of 10 000 x 64."""
    return Flagship(
        lambda f, a: f.mean(f.tanh(f.take(a["E"], a["i"], axis=0) @ a["w"]) ** 2),
        {"i": (m,)},
        {"E": (10_000, 64), "w": (64,)},
        4096,
        indices={"i": 10_000},
    )


def layer_norm() -> Flagship:
    """4 096 rows of 512, normalised, scaled and moved; by these too."""

    def loss(f: Any, a: dict[str, Any]) -> Any:
        centred = a["X"] - f.mean(a["X"], axis=1, keepdims=True)
        h = centred / f.sqrt(f.mean(centred * centred, axis=1, keepdims=True) + 1e-5) * a["s"] + a["o"]
        return f.mean((h - a["T"]) ** 2)

    return Flagship(loss, {"T": (m, 512)}, {"X": (m, 512), "s": (512,), "o": (512,)}, 4096, scale={"X": 1.0})


def softmax_rows() -> Flagship:
    """Cross-entropy of 10 000 rows of 100 logits, by these."""
    return Flagship(
        lambda f, a: f.mean(f.cross_entropy(a["Z"], a["D"])), {"D": (m, 100)}, {"Z": (m, 100)}, 10_000,
        scale={"Z": 1.0}, one_hot=("D",),
    )  # fmt: skip


def k_means() -> Flagship:
    """10 000 points of 16 numbers and 32 centres."""

    def loss(f: Any, a: dict[str, Any]) -> Any:
        apart = a["X"][:, None, :] - a["C"]
        return f.mean(f.min(f.sum(apart * apart, axis=2), axis=1))

    return Flagship(loss, {"X": (m, 16)}, {"C": (32, 16)}, 10_000, scale={"C": 1.0})


def gram() -> Flagship:
    """A Gaussian kernel between 500 points of 16 numbers, by the points."""

    def loss(f: Any, a: dict[str, Any]) -> Any:
        apart = a["X"][:, None, :] - a["X"][None, :, :]
        return f.mean(f.exp(-f.sum(apart * apart, axis=2) / 16) * a["A"])

    return Flagship(loss, {"A": (500, 500)}, {"X": (500, 16)}, 1, scale={"X": 1.0})


MODELS: dict[str, Callable[[], Flagship]] = {
    "n3": regressor,
    "digits 32": lambda: network((64, 128, 10), "tanh", 32),
    "digits 256": lambda: network((64, 128, 10), "tanh", 256),
    "digits 1797": lambda: network((64, 128, 10), "tanh", 1797),
    "784-512-512-10": lambda: network((784, 512, 512, 10), "relu", 128),
    "circle": circle,
    "logistic 1e5x100": logistic,
    "mixture 10x100": lambda: mixture(10, 100),
    "mixture 64x100": lambda: mixture(64, 100),
    "lstm 10": lambda: of_case(deep_models.lstm(10)),
    "gpt-nano": gpt_nano,
    "attention 8x64x64": lambda: attention(8, 64, 64),
    "attention 2x256x64": lambda: attention(2, 256, 64),
    "conv 3x3": lambda: convolution(3),
    "conv 5x5": lambda: convolution(5),
    "embedding": embedding,
    "layer norm": layer_norm,
    "softmax 1e4x100": softmax_rows,
    "k-means": k_means,
    "gram 500": gram,
}
