"""Norms and their gradients: symnet against NumPy by hand, in one interleaved run on one thread.

    python tests/benchmarks/norms.py [--sizes 4000 100000 2000000] [--rounds 15]

float64, a bound step.  A norm looks for sums of squares outside the safe range; where there are none, an array is read
once.  Prints the best time of each in microseconds, and NumPy's over symnet's.
"""

from __future__ import annotations

import argparse
import os
import timeit
from collections.abc import Callable
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

import symnet as sn

COLUMNS = 20
SECONDS_A_TURN = 0.02


def vectors(size: int) -> tuple[Any, Any, np.ndarray, np.ndarray]:
    n = sn.dim("n")
    rng = np.random.default_rng(0)
    return sn.tensor("x", n), sn.tensor("y", n), rng.normal(size=size), rng.normal(size=size)


def norm(size: int) -> tuple[Callable[[], Any], Callable[[], Any]]:
    x, _, a, _ = vectors(size)
    return sn.compile(sn.norm(x), threads=1).bind(x=a), lambda: np.sqrt(a @ a)


def norm_and_gradient(size: int) -> tuple[Callable[[], Any], Callable[[], Any]]:
    x, _, a, _ = vectors(size)

    def by_hand() -> Any:
        value = np.sqrt(a @ a)
        return value, a / value

    return sn.value_and_grad(sn.norm(x), x, threads=1).bind(x=a), by_hand


def rows(size: int) -> tuple[Any, np.ndarray]:
    X = sn.tensor("X", sn.dim("n"), COLUMNS)
    return X, np.random.default_rng(0).normal(size=(size // COLUMNS, COLUMNS))


def norms_of_rows(size: int) -> tuple[Callable[[], Any], Callable[[], Any]]:
    X, a = rows(size)
    return sn.compile(sn.norm(X, axis=1), threads=1).bind(X=a), lambda: np.sqrt((a * a).sum(axis=1))


def unit_rows(size: int) -> tuple[Callable[[], Any], Callable[[], Any]]:
    X, a = rows(size)
    f = sn.compile(X / sn.norm(X, axis=1, keepdims=True), threads=1)
    return f.bind(X=a), lambda: a / np.sqrt((a * a).sum(axis=1, keepdims=True))


def hypotenuses_and_gradients(size: int) -> tuple[Callable[[], Any], Callable[[], Any]]:
    x, y, a, b = vectors(size)

    def by_hand() -> Any:
        h = np.hypot(a, b)
        return h.sum(), a / h, b / h

    return sn.value_and_grad(sn.sum(sn.sqrt(x**2 + y**2)), [x, y], threads=1).bind(x=a, y=b), by_hand


WORK = {
    "norm": norm,
    "norm and gradient": norm_and_gradient,
    f"norms of rows of {COLUMNS}": norms_of_rows,
    f"unit rows of {COLUMNS}": unit_rows,
    "sum of hypotenuses and gradients": hypotenuses_and_gradients,
}


def best(calls: list[Callable[[], Any]], rounds: int) -> list[float]:
    """The best time of each, in seconds; they take turns."""
    counts = [max(1, int(SECONDS_A_TURN / max(timeit.timeit(call, number=1), 1e-9))) for call in calls]
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(rounds):
        for own, call, count in zip(times, calls, counts, strict=True):
            own.append(timeit.timeit(call, number=count) / count)
    return [min(own) for own in times]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--sizes", type=int, nargs="+", default=[4000, 100_000, 2_000_000])
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    for size in options.sizes:
        for name, make in WORK.items():
            ours, numpy = best(list(make(size)), options.rounds)
            print(f"{size:9} {name:34} {ours * 1e6:10.2f} µs   NumPy × {numpy / ours:5.2f}", flush=True)


if __name__ == "__main__":
    main()
