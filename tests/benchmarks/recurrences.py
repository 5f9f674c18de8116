"""Products, products so far and linear recurrences, with their derivatives: symnet against JAX, in one interleaved run.

    python tests/benchmarks/recurrences.py [--sizes 10000 1000000] [--rounds 15]

float64, one thread, over a symbolic axis; rows have 64 elements each.  JAX's recurrence is `lax.associative_scan`, its
products are `jnp.prod` and `jnp.cumprod`.  Prints best and median in microseconds, and the ratio of the medians to
symnet's.  No time without the same numbers.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from typing import Any

from second_order import Arrays, Step, Task, jax_step, measure  # sets up one thread, before the libraries start

import numpy as np  # isort: skip

import symnet as sn  # isort: skip

WIDTH = 64


def vectors(size: int) -> Arrays:
    rng = np.random.default_rng(0)
    return {"x": rng.uniform(0.99, 1.01, size), "v": rng.normal(size=size)}


def rows(size: int) -> Arrays:
    return {name: each.reshape(-1, WIDTH) for name, each in vectors(size - size % WIDTH).items()}


def bound(made: Callable[[Any, Any], Any], *shape: Any) -> Callable[[Arrays], dict[str, Step]]:
    def ours(data: Arrays) -> dict[str, Step]:
        f = sn.compile(made(sn.tensor("x", *shape), sn.tensor("v", *shape)), threads=1)
        return {"symnet": f.bind(**{name: data[name] for name in f.inputs})}

    return ours


def by_jax(made: Callable[..., Any]) -> dict[str, Callable[[Arrays], Step]]:
    return {"jax": lambda data: jax_step(made(), data["x"], data["v"])}


def _product() -> Any:
    import jax
    import jax.numpy as jnp

    return jax.grad(lambda x, v: jnp.prod(x))


def _curved_product() -> Any:
    import jax
    import jax.numpy as jnp

    return lambda x, v: jax.jvp(jax.grad(jnp.prod), (x,), (v,))[1]


def _products_of_rows() -> Any:
    import jax
    import jax.numpy as jnp

    return jax.grad(lambda x, v: jnp.sum(jnp.prod(x, 1) ** 2))


def _products_so_far() -> Any:
    import jax
    import jax.numpy as jnp

    return jax.grad(lambda x, v: jnp.sum(jnp.cumprod(x) * v))


def _recurrence(axis: int) -> Any:
    import jax
    import jax.numpy as jnp

    def joined(first: Any, second: Any) -> Any:
        return first[0] * second[0], second[0] * first[1] + second[1]

    return jax.grad(lambda x, v: jnp.sum(jax.lax.associative_scan(joined, (x / 2, v), axis=axis)[1] ** 2), (0, 1))


n = sn.dim("n")
WORK: dict[str, tuple[Callable[[int], Arrays], Any, Any]] = {
    "gradient of a product": (vectors, bound(lambda x, v: sn.grad(sn.prod(x), x), n), by_jax(_product)),
    "its Hessian times a vector": (vectors, bound(lambda x, v: sn.hvp(sn.prod(x), x, v), n), by_jax(_curved_product)),
    f"products of rows of {WIDTH}, gradient": (
        rows,
        bound(lambda x, v: sn.grad(sn.sum(sn.prod(x, 1) ** 2), x), n, WIDTH),
        by_jax(_products_of_rows),
    ),
    "products so far, gradient": (
        vectors,
        bound(lambda x, v: sn.grad(sn.sum(sn.cumprod(x) * v), x), n),
        by_jax(_products_so_far),
    ),
    "recurrence, both gradients": (
        vectors,
        bound(lambda x, v: sn.grad(sn.sum(sn.linear_recurrence(x / 2, v) ** 2), [x, v]), n),
        by_jax(lambda: _recurrence(0)),
    ),
    f"recurrence of rows of {WIDTH}, both gradients": (
        rows,
        bound(lambda x, v: sn.grad(sn.sum(sn.linear_recurrence(x / 2, v) ** 2), [x, v]), n, WIDTH),
        by_jax(lambda: _recurrence(1)),
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    print(f"{'task':40} {'contender':30} {'best µs':>9} {'median µs':>10} {'÷ symnet':>9}")
    for size in options.sizes:
        print(f"{size} elements")
        for name, (data, ours, peers) in WORK.items():
            measure(Task(name, data(size), ours, peers), options.rounds)


if __name__ == "__main__":
    sys.exit(main())
