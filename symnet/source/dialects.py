"""How NumPy, JAX and PyTorch spell what formulas are made of: tables, nothing else.

In: a primitive or an operation.  Out: text with `{0}`, `{1}`, … for operands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from symnet.expr.nodes.primitives import functions


@dataclass(frozen=True)
class Dialect:
    """One library.

    Attributes:
        name, prefix, imports: the library, what its functions begin with, the lines that import it.
        axis: the keyword for axes.
        functions: primitive → call; helpers are calls of functions in `helpers`.
        helpers: name → definition, written above the function where it is used.
        real: how a real dtype is spelled, with `{}` for its name.
        cast: an array in another dtype: {0} the array, {1} the dtype.
        calls: operations that differ.
    """

    name: str
    prefix: str
    imports: tuple[str, ...]
    axis: str
    functions: Mapping[str, str]
    helpers: Mapping[str, str]
    real: str
    cast: str
    calls: Mapping[str, str] = field(default_factory=dict)


def _common(prefix: str, arc: str) -> dict[str, str]:
    table = {p.name: f"{prefix}.{p.numpy.replace('arc', arc)}({{0}})" for p in functions() if p.numpy}
    table["abs"] = f"{prefix}.abs({{0}})"
    table |= {name: f"{prefix}.{name}({{0}}, {{1}})" for name in ("maximum", "minimum")}
    table["floor_divide"] = f"{prefix}.floor_divide({{0}}, {{1}})"
    table["mod"] = f"{prefix}.remainder({{0}}, {{1}})"
    table["atan2"] = f"{prefix}.{arc}tan2({{0}}, {{1}})"
    table["where"] = f"{prefix}.where({{0}}, {{1}}, {{2}})"
    table["sqrt"] = f"{prefix}.sqrt({{0}})"
    return table


NUMPY = Dialect(
    name="numpy",
    prefix="np",
    imports=("import math", "", "import numpy as np"),
    axis="axis",
    functions={
        **_common("np", "arc"),
        **{name: f"{name}({{0}})" for name in ("erf", "erfc", "gamma", "loggamma", "digamma")},
        "sigmoid": "sigmoid({0})",
        "softplus": "np.logaddexp(0.0, {0})",
        "xlogy": "xlogy({0}, {1})",
        "logsumexp": "logsumexp({0}, axis={1})",
        "softmax": "softmax({0}, axis={1})",
    },
    helpers={
        "softmax": (
            "def softmax(x, axis):\n    e = np.exp(x - np.max(x, axis=axis, keepdims=True))\n"
            "    return e/np.sum(e, axis=axis, keepdims=True)"
        ),
        "erf": "erf = np.vectorize(math.erf, otypes=[float])",
        "erfc": "erfc = np.vectorize(math.erfc, otypes=[float])",
        "gamma": "gamma = np.vectorize(math.gamma, otypes=[float])",
        "loggamma": "loggamma = np.vectorize(math.lgamma, otypes=[float])",
        "digamma": "from scipy.special import digamma",
        "sigmoid": "def sigmoid(x):\n    return np.exp(-np.logaddexp(0.0, -x))",
        "xlogy": "def xlogy(x, y):\n    return x * np.log(np.where(x == 0, 1.0, y))",
        "logsumexp": (
            "def logsumexp(x, axis):\n    top = np.max(x, axis=axis, keepdims=True)\n"
            "    return np.log(np.sum(np.exp(x - top), axis=axis)) + np.squeeze(top, axis=axis)"
        ),
        "linear_recurrence": (
            "def linear_recurrence(a, b, axis):\n    a, r = np.moveaxis(a, axis, 0), np.moveaxis(b.copy(), axis, 0)\n"
            "    for k in range(1, len(r)):\n        r[k] += a[k] * r[k - 1]\n    return np.moveaxis(r, 0, axis)"
        ),
    },
    real="np.{}",
    cast="{0}.astype({1})",
    calls={
        "cumsum": "np.cumsum({0}, axis={1})",
        "cumprod": "np.cumprod({0}, axis={1})",
        "linear_recurrence": "linear_recurrence({0}, {1}, axis={2})",
        "sum": "np.sum({0}, axis={1})", "mean": "np.mean({0}, axis={1})",
        "prod": "np.prod({0}, axis={1})", "max": "np.max({0}, axis={1})",
        "min": "np.min({0}, axis={1})", "argmax": "np.argmax({0}, axis={1})", "permute": "np.transpose({0}, {1})",
        "concat": "np.concatenate(({0}), axis={1})", "einsum": 'np.einsum("{0}", {1})', "outer": "np.outer({0}, {1})",
        "broadcast": "np.broadcast_to({0}, {1})", "full": "np.full({1}, {0}, dtype={2})", "flip": "np.flip({0}, {1})",
        "zeros": "np.zeros({0}, dtype={1})", "eye": "np.eye({0}, dtype={1})", "arange": "np.arange({0})",
        "solve": "np.linalg.solve({0}, {1})", "inv": "np.linalg.inv({0})", "det": "np.linalg.det({0})",
        "logdet": "np.linalg.slogdet({0})[1]", "array": "np.asarray({0}, dtype={1})", "copy": "{0}.copy()",
    },
)  # fmt: skip

JAX = Dialect(
    name="jax",
    prefix="jnp",
    imports=("import math", "", "import jax", "import jax.numpy as jnp"),
    axis="axis",
    functions={
        **_common("jnp", "arc"),
        **{name: f"jax.scipy.special.{name}({{0}})" for name in ("erf", "erfc", "gamma", "digamma")},
        "loggamma": "jax.scipy.special.gammaln({0})",
        "sigmoid": "jax.nn.sigmoid({0})",
        "softplus": "jax.nn.softplus({0})",
        "xlogy": "jax.scipy.special.xlogy({0}, {1})",
        "logsumexp": "jax.scipy.special.logsumexp({0}, axis={1})",
        "softmax": "jax.nn.softmax({0}, axis={1})",
        "log_softmax": "jax.nn.log_softmax({0}, axis={1})",
        "relu": "jnp.maximum({0}, 0)",
    },
    helpers={
        "linear_recurrence": (
            "def linear_recurrence(a, b, axis):\n    def joined(first, second):\n"
            "        return first[0] * second[0], second[0] * first[1] + second[1]\n\n"
            "    return jax.lax.associative_scan(joined, (a, b), axis=axis)[1]"
        ),
    },
    real="jnp.{}",
    cast="{0}.astype({1})",
    calls={key: value.replace("np.", "jnp.") for key, value in NUMPY.calls.items()},
)

TORCH = Dialect(
    name="torch",
    prefix="torch",
    imports=("import math", "", "import torch"),
    axis="dim",
    functions={
        **_common("torch", "a"),
        **{name: f"torch.{name}({{0}})" for name in ("erf", "erfc", "digamma")},
        "loggamma": "torch.lgamma({0})",
        "gamma": "gamma({0})",
        "cbrt": "cbrt({0})",
        "sigmoid": "torch.sigmoid({0})",
        "softplus": "torch.logaddexp({0}, torch.zeros_like({0}))",
        "xlogy": "torch.xlogy({0}, {1})",
        "logsumexp": "torch.logsumexp({0}, dim={1})",
        "softmax": "torch.softmax({0}, dim={1})",
        "log_softmax": "torch.log_softmax({0}, dim={1})",
        "relu": "torch.relu({0})",
    },
    helpers={
        "linear_recurrence": (
            "def linear_recurrence(a, b, dim):\n    r = list(torch.unbind(b, dim))\n"
            "    for k, factor in enumerate(torch.unbind(a, dim)[1:], 1):\n        r[k] = r[k] + factor * r[k - 1]\n"
            "    return torch.stack(r, dim) if r else b"
        ),
        "cbrt": "def cbrt(x):\n    return torch.sign(x) * torch.abs(x)**(1/3)",
        "gamma": (
            "def gamma(x):\n    reflected = math.pi / (torch.sin(math.pi * x) * torch.exp(torch.lgamma(1 - x)))\n"
            "    return torch.where(x > 0, torch.exp(torch.lgamma(x)), reflected)"
        ),
    },
    real="torch.{}",
    cast="{0}.to({1})",
    calls={
        "cumsum": "torch.cumsum({0}, dim={1})",
        "cumprod": "torch.cumprod({0}, dim={1})",
        "linear_recurrence": "linear_recurrence({0}, {1}, dim={2})",
        "sum": "torch.sum({0}, dim={1})", "mean": "torch.mean({0}, dim={1})",
        "max": "torch.amax({0}, dim={1})", "min": "torch.amin({0}, dim={1})",
        "prod": "torch.prod({0}, dim={1})", "argmax": "torch.argmax({0}, dim={1})",
        "permute": "torch.permute({0}, {1})", "concat": "torch.cat(({0}), dim={1})",
        "einsum": 'torch.einsum("{0}", {1})', "outer": "torch.outer({0}, {1})",
        "broadcast": "torch.broadcast_to({0}, {1})", "full": "torch.full({1}, {0}, dtype={2})",
        "flip": "torch.flip({0}, ({1},))", "zeros": "torch.zeros({0}, dtype={1})", "eye": "torch.eye({0}, dtype={1})",
        "arange": "torch.arange({0})", "solve": "torch.linalg.solve({0}, {1})", "inv": "torch.linalg.inv({0})",
        "det": "torch.linalg.det({0})", "logdet": "torch.linalg.slogdet({0})[1]",
        "array": "torch.tensor({0}, dtype={1})", "copy": "{0}.clone()",
    },
)  # fmt: skip

DIALECTS = {dialect.name: dialect for dialect in (NUMPY, JAX, TORCH)}
