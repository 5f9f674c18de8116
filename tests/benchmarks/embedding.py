"""Value and gradient of an embedding: symnet against NumPy's `add.at` and JAX, for tables of several sizes.

    python tests/benchmarks/embedding.py [--rounds 50] [--indices 4096]

The loss is the mean squared distance of the rows that 4096 indices take to given ones, in float32, on one thread.
NumPy's share is the gradient alone.  The contenders take turns in every round.  Prints in microseconds symnet's lower
quartile, and the ratios peer / symnet: the median over rounds, and its quartiles.
"""

from __future__ import annotations

import argparse
import os
import statistics
from collections.abc import Callable
from typing import Any

os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_multi_thread_eigen=false"

import numpy as np
from gather import measure, ratio

SIZES = ((1000, 64), (10_000, 64), (50_000, 64), (1000, 8), (50_000, 8), (1000, 1), (50_000, 1))


def data(rows: int, width: int, count: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "E": rng.normal(size=(rows, width)).astype("float32"),
        "i": rng.integers(0, rows, count),
        "t": rng.normal(size=(count, width)).astype("float32"),
    }


def symnet_step(given: dict[str, np.ndarray]) -> Callable[[], Any]:
    import symnet as sn

    m = sn.dim("m")
    table, i = sn.tensor("E", *given["E"].shape), sn.tensor("i", m, dtype="int64")
    away = sn.take(table, i) - sn.tensor("t", m, given["t"].shape[1])
    return sn.value_and_grad(sn.mean(sn.sum(away**2, axis=1)), [table], dtype="float32", threads=1).bind(**given)


def numpy_step(given: dict[str, np.ndarray]) -> Callable[[], Any]:
    table, i, t = given["E"], given["i"], given["t"]
    scale = np.float32(2 / len(i))

    def step() -> Any:
        out = np.zeros_like(table)
        np.add.at(out, i, (table[i] - t) * scale)
        return out

    return step


def jax_step(given: dict[str, np.ndarray]) -> Callable[[], Any] | None:
    try:
        import jax
        import jax.numpy as jnp
    except ImportError:
        return None
    i, t = jnp.asarray(given["i"]), jnp.asarray(given["t"])
    both = jax.jit(jax.value_and_grad(lambda table: jnp.mean(jnp.sum((table[i] - t) ** 2, axis=1))))
    table = jnp.asarray(given["E"])
    return lambda: jax.block_until_ready(both(table))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--indices", type=int, default=4096)
    options = parser.parse_args()
    print("| table | symnet, µs | NumPy / symnet | JAX / symnet |\n|---|---|---|---|")
    for rows, width in SIZES:
        given = data(rows, width, options.indices)
        steps = {"symnet": symnet_step(given), "NumPy": numpy_step(given), "JAX": jax_step(given)}
        works = {name: step for name, step in steps.items() if step is not None}
        (gradient,) = works["symnet"]()[1]
        np.testing.assert_allclose(gradient, works["NumPy"](), rtol=1e-4, atol=1e-6)
        times = measure(works, options.rounds)
        peers = [ratio(times[name], times["symnet"]) if name in times else "" for name in ("NumPy", "JAX")]
        quartile = statistics.quantiles(times["symnet"], n=4)[0] * 1e6
        print(f"| {rows} × {width} | {quartile:.1f} | {' | '.join(peers)} |", flush=True)


if __name__ == "__main__":
    main()
