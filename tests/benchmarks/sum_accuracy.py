"""How many digits sums over many rows keep: symnet against NumPy, JAX and PyTorch, float32 and float64.

    python tests/benchmarks/sum_accuracy.py [--rows 1000 100000 10000000 100000000] [--dtypes float32 float64]

For columns of `rows` equal numbers (0.7/3) and of uniform random ones: the relative error of sum, mean, variance,
squared loss mean((c·w − 2)²) and its gradient by w, against long double (float32: float64) sums by pairs over the same
numbers.  Prints a table in Markdown; 1e8 rows take some 3 GB.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from typing import Any

import numpy as np

QUANTITIES = ("sum", "mean", "variance", "MSE", "its gradient")
WEIGHT = 0.75
Array = np.ndarray[Any, Any]


def data(kind: str, rows: int, dtype: str) -> Array:
    if kind == "constant":
        return np.full(rows, 0.7 / 3, dtype)
    return np.random.default_rng(0).random(rows, np.dtype(dtype).type)


def exact(c: Array) -> list[float]:
    """In a wider type, block by block, so that nothing of the whole length is stored."""
    wide = np.float64 if c.dtype == np.float32 else np.longdouble
    blocks = [c[k : k + 2**20].astype(wide) for k in range(0, len(c), 2**20)]
    total = sum(b.sum() for b in blocks)
    mean = total / len(c)
    variance = sum(((b - mean) ** 2).sum() for b in blocks) / len(c)
    loss = sum(((b * wide(WEIGHT) - 2) ** 2).sum() for b in blocks) / len(c)
    slope = sum((2 * (b * wide(WEIGHT) - 2) * b).sum() for b in blocks) / len(c)
    return [total, mean, variance, loss, slope]


def symnet(dtype: str) -> Callable[[Array], list[Any]]:
    import symnet as sn

    c, w = sn.tensor("c", sn.dim("m")), sn.tensor("w")
    loss = sn.mean((c * w - 2) ** 2)
    outputs = [sn.sum(c), sn.mean(c), sn.mean((c - sn.mean(c)) ** 2), loss, sn.grad(loss, w)]
    f = sn.compile(outputs, dtype=dtype)
    return lambda x: list(f(c=x, w=np.dtype(dtype).type(WEIGHT)))


def numpy(dtype: str) -> Callable[[Array], list[Any]]:
    w = np.dtype(dtype).type(WEIGHT)

    def run(x: Array) -> list[Any]:
        rest = x * w - 2
        return [x.sum(), x.mean(), x.var(), (rest * rest).mean(), 2 * (rest @ x) / len(x)]

    return run


def jax(dtype: str) -> Callable[[Array], list[Any]]:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", dtype == "float64")

    def loss(w: Any, x: Any) -> Any:
        return jnp.mean((x * w - 2) ** 2)

    f = jax.jit(lambda w, x: [x.sum(), x.mean(), x.var(), *jax.value_and_grad(loss)(w, x)])
    return lambda x: [np.asarray(v) for v in f(np.dtype(dtype).type(WEIGHT), x)]


def torch(dtype: str) -> Callable[[Array], list[Any]]:
    import torch

    def run(x: Array) -> list[Any]:
        t = torch.from_numpy(x)
        w = torch.tensor(WEIGHT, dtype=t.dtype, requires_grad=True)
        loss = ((t * w - 2) ** 2).mean()
        loss.backward()
        return [v.detach().numpy() for v in (t.sum(), t.mean(), t.var(correction=0), loss, w.grad)]

    return run


CONTENDERS = {"symnet": symnet, "NumPy": numpy, "JAX": jax, "PyTorch": torch}


def relative(got: Any, want: Any, kind: str, number: int, mean: Any) -> float:
    """Of a constant column, whose variance is 0, the standard deviation over the mean."""
    if number == QUANTITIES.index("variance") and kind == "constant":
        return float(np.sqrt(abs(float(got))) / mean)
    return float(abs(np.longdouble(np.asarray(got).item()) - want) / abs(want))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, nargs="+", default=[10**3, 10**5, 10**7, 10**8])
    parser.add_argument("--dtypes", nargs="+", default=["float32", "float64"])
    options = parser.parse_args()
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    print("| dtype | data | rows | |", " | ".join(QUANTITIES), "|")
    print("|---|---|---|---|" + "---|" * len(QUANTITIES))
    for dtype in options.dtypes:
        runs = {name: make(dtype) for name, make in CONTENDERS.items()}
        for kind in ("constant", "random"):
            for rows in options.rows:
                table(dtype, kind, rows, runs)


def table(dtype: str, kind: str, rows: int, runs: dict[str, Callable[[Array], list[Any]]]) -> None:
    x = data(kind, rows, dtype)
    want = exact(x)
    for name, run in runs.items():
        errors = [relative(g, w, kind, k, want[1]) for k, (g, w) in enumerate(zip(run(x), want, strict=True))]
        print(f"| {dtype} | {kind} | {rows:.0e} | {name} |", " | ".join(f"{e:.0e}" for e in errors), "|", flush=True)


if __name__ == "__main__":
    main()
