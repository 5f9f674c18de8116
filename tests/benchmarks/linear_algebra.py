"""Linear algebra against `numpy.linalg` (LAPACK): run by hand, one thread each.

In: nothing.  Out: for each operation and size the best time of a bound step, of a call, of NumPy, in µs, and NumPy's
time over the bound step's.  The contenders take turns, so that a busy machine hurts all of them alike.

    python tests/benchmarks/linear_algebra.py
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before NumPy is loaded

import numpy as np

import symnet as sn

SIZES = (4, 16, 64, 256)
STACKS = ((10_000, 3), (1000, 8), (100, 32))
TURNS, TURN_SECONDS = 25, 0.01

n, m = sn.dim("n"), sn.dim("m")
A, B, b = sn.tensor("A", n, n), sn.tensor("B", n, n), sn.tensor("b", n)
OPERATIONS: dict[str, tuple[Any, Callable[[Any], Any]]] = {
    "solve, one column": (sn.solve(A, b), lambda d: np.linalg.solve(d["A"], d["b"])),
    "solve, n columns": (sn.solve(A, B), lambda d: np.linalg.solve(d["A"], d["B"])),
    "inv": (sn.inv(A), lambda d: np.linalg.inv(d["A"])),
    "det": (sn.det(A), lambda d: np.linalg.det(d["A"])),
}


def timed(works: list[Callable[[], Any]], turns: int = TURNS, seconds: float = TURN_SECONDS) -> list[float]:
    """The best time of each, in µs, of so many turns of so many seconds."""
    best = [float("inf")] * len(works)
    counts = []
    for work in works:
        work()
        start = time.perf_counter()
        work()
        counts.append(max(1, int(seconds / max(time.perf_counter() - start, 1e-7))))
    for _ in range(turns):
        for k, work in enumerate(works):
            start = time.perf_counter()
            for _ in range(counts[k]):
                work()
            best[k] = min(best[k], (time.perf_counter() - start) / counts[k])
    return [1e6 * t for t in best]


def row(name: str, size: str, f: Any, theirs: Callable[[Any], Any], data: dict[str, Any]) -> None:
    given = {k: data[k] for k in f.inputs}
    step, call, peer = timed([f.bind(**given), lambda: f(**given), lambda: theirs(data)])
    print(f"{name:20}{size:>14}{step:12.1f}{call:12.1f}{peer:12.1f}{peer / step:8.2f}", flush=True)


def main() -> None:
    rng = np.random.default_rng(0)
    print(f"{'operation':20}{'size':>14}{'bound µs':>12}{'call µs':>12}{'NumPy µs':>12}{'ratio':>8}")
    for name, (formula, theirs) in OPERATIONS.items():
        f = sn.compile(formula, threads=1)
        for size in SIZES:
            data = {"A": rng.normal(size=(size, size)), "B": rng.normal(size=(size, size)), "b": rng.normal(size=size)}
            row(name, str(size), f, theirs, data)
    for count, size in STACKS:
        S, C = sn.tensor("A", m, size, size), sn.tensor("B", m, size, 1)
        data = {"A": rng.normal(size=(count, size, size)), "B": rng.normal(size=(count, size, 1))}
        shape = f"{count}×{size}×{size}"
        row("stack: solve", shape, sn.compile(sn.solve(S, C), threads=1), OPERATIONS["solve, n columns"][1], data)
        row("stack: inv", shape, sn.compile(sn.inv(S), threads=1), OPERATIONS["inv"][1], data)
        row("stack: det", shape, sn.compile(sn.det(S), threads=1), OPERATIONS["det"][1], data)


if __name__ == "__main__":
    main()
