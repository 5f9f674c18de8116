"""Time of every graph stage against the number of nodes: it should grow linearly.

    python tests/benchmarks/graph_scaling.py [--rounds 5]

Chains of 100, 1 000 and 10 000 operations go through building, digesting, printing, pickling, differentiation,
simplification and lowering.  Prints microseconds per node (best of the rounds) and the ratio of the longest chain's
figure to the shortest's: near 1 is linear, near 100 quadratic.
"""

from __future__ import annotations

import argparse
import gc
import pickle
import time
from collections.abc import Callable
from typing import Any

import symnet as sn
from symnet.expr.nodes.graph import topological
from symnet.simplify.algebra.table import simplify
from symnet.simplify.numeric.passes import numeric

LENGTHS = (100, 1_000, 10_000)


def chain(length: int) -> Any:
    """sin and products in turn: nothing collapses when simplified."""
    value = x = sn.tensor("x", 4)
    for step in range(length):
        value = sn.sin(value) if step % 2 else value * x
    return value


STAGES: dict[str, Callable[[Any], Any]] = {
    "print": repr,
    "pickle": lambda y: pickle.loads(pickle.dumps(y)),
    "free symbols": lambda y: y.free_symbols,
    "simplify": lambda y: simplify([y]),
    "grad": lambda y: sn.grad(sn.sum(y), sn.tensor("x", 4)),
    "numeric": lambda y: numeric([y]),
    "lower": lambda y: sn.compile(y, stop_after="loops"),
}


def seconds(work: Callable[[], Any], rounds: int) -> float:
    """The best of several runs, each with a clean collector."""
    best = float("inf")
    for _ in range(rounds):
        gc.collect()
        begin = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - begin)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description="graph stages against the number of nodes")
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    print(f"{'µs per node':14}" + "".join(f"{n:>10}" for n in LENGTHS) + f"{'ratio':>8}")
    built = {n: chain(n) for n in LENGTHS}
    rows = {"build": [seconds(lambda n=n: chain(n), rounds) / n for n in LENGTHS]}
    for name, work in STAGES.items():
        rows[name] = [
            seconds(lambda n=n, work=work: work(built[n]), rounds) / len(topological(built[n])) for n in LENGTHS
        ]
    for name, figures in rows.items():
        print(f"{name:14}" + "".join(f"{1e6 * f:10.1f}" for f in figures) + f"{figures[-1] / figures[0]:8.2f}")


if __name__ == "__main__":
    main()
