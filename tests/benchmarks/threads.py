"""What a second thread brings, and whether `threads=None` chooses as many as pay.

    python tests/benchmarks/threads.py [--only gemm …] [--rounds 60] [--below 0.97]

Bound steps on one thread, on every processor, and on as many as symnet chooses, in turns that are short, so that the
machine's noise falls on all of them; a number is the best of the rounds.  Prints microseconds on one thread, the time
on one thread over the others' (more than 1 is faster), and how many threads were chosen.  Only what is chosen slower
than `--below` is bad; before that is said, the place is measured again, twice at most, since a thread that has to share
its processor with another program makes everyone wait.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

os.environ["SYMNET_CACHE"] = "0"

import numpy as np
from models import digits_network, relu_regressor

import symnet as sn
from symnet.processors import usable_processors

SECONDS_A_TURN = 1.5e-3
AGAIN = 2  # measurements more of a place where the choice looks bad

Shapes = dict[str, tuple[int, ...]]


class Place(NamedTuple):
    """A formula, or a loss and what to differentiate it by, and its data."""

    formula: Any
    params: list[Any] | None
    data: dict[str, np.ndarray]


def drawn(formula: Any, params: list[Any] | None, shapes: Shapes, dtype: str = "float32") -> Place:
    rng = np.random.default_rng(0)
    return Place(formula, params, {name: rng.normal(size=shape).astype(dtype) for name, shape in shapes.items()})


def of_model(model: Any) -> Place:
    return Place(model.loss, model.params, model.data)


def n3() -> Place:
    return of_model(relu_regressor())


def gemm(n: int) -> Place:
    A, B = sn.tensor("A", n, n), sn.tensor("B", n, n)
    return drawn(A @ B, None, {"A": (n, n), "B": (n, n)})


def tall(rows: int) -> Place:
    A, B = sn.tensor("A", sn.dim("m"), 64), sn.tensor("B", 64, 64)
    return drawn(A @ B, None, {"A": (rows, 64), "B": (64, 64)})


def mlp(rows: int) -> Place:
    """784-512-512-10, its loss and gradients."""
    m, widths = sn.dim("m"), (784, 512, 512, 10)
    X, D = sn.tensor("X", m, widths[0]), sn.tensor("D", m, widths[-1])
    weights = [sn.tensor(f"W{k}", a, b) for k, (a, b) in enumerate(pairwise(widths))]
    H = X
    for W in weights[:-1]:
        H = sn.relu(H @ W)
    loss = sn.mean((H @ weights[-1] - D) ** 2)
    shapes: Shapes = {w.name: tuple(map(int, w.shape)) for w in weights}
    return drawn(loss, weights, {"X": (rows, widths[0]), "D": (rows, widths[-1]), **shapes})


def logistic(rows: int, wide: int = 20) -> Place:
    m = sn.dim("m")
    X, d, w = sn.tensor("X", m, wide), sn.tensor("d", m), sn.tensor("w", wide)
    z = X @ w
    loss = sn.mean(sn.softplus(z) - d * z)
    return drawn(loss, [w], {"X": (rows, wide), "d": (rows,), "w": (wide,)}, "float64")


def softmax(rows: int, wide: int) -> Place:
    return drawn(sn.softmax(sn.tensor("X", sn.dim("m"), wide)), None, {"X": (rows, wide)})


def layer_norm(rows: int, wide: int) -> Place:
    X = sn.tensor("X", sn.dim("m"), wide)
    Z = X - sn.mean(X, axis=1, keepdims=True)
    return drawn(Z / sn.sqrt(sn.mean(Z * Z, axis=1, keepdims=True) + 1e-5), None, {"X": (rows, wide)})


def of_vector(function: Callable[[Any], Any], n: int, known: bool = False) -> Place:
    return drawn(function(sn.tensor("x", n if known else sn.dim("n"))), None, {"x": (n,)}, "float64")


def energy(x: Any) -> Any:
    return sn.sum(sn.tanh(x) ** 2)


def gradient_of_energy(n: int) -> Place:
    x = sn.tensor("x", sn.dim("n"))
    return drawn(energy(x), [x], {"x": (n,)}, "float64")


def columns(rows: int, wide: int) -> Place:
    return drawn(sn.sum(sn.tensor("X", sn.dim("m"), wide), axis=0), None, {"X": (rows, wide)})


def pairs(rows: int) -> Place:
    """A term that needs all rows for each of them."""
    x = sn.tensor("X", sn.dim("m"), 3)
    return drawn(sn.sum(sn.tanh(x @ x.T)), None, {"X": (rows, 3)})


def places() -> Iterator[tuple[str, Callable[[], Place]]]:
    yield "n3", n3
    for n in (16, 32, 64, 96, 128, 256, 512, 1024):
        yield f"gemm {n}", lambda n=n: gemm(n)
    for n in (16, 256, 10_000):
        yield f"tall {n}", lambda n=n: tall(n)
    for n in (1, 32, 64, 256, 1797):
        yield f"digits {n}", lambda n=n: of_model(digits_network(n))
    for n in (1, 32, 256):
        yield f"mlp784 {n}", lambda n=n: mlp(n)
    for n in (32, 256, 10_000, 100_000):
        yield f"logistic {n}", lambda n=n: logistic(n)
    for rows, wide in ((10, 10), (256, 10), (1797, 10), (100_000, 10), (256, 1000), (10_000, 1000)):
        yield f"softmax {rows}x{wide}", lambda rows=rows, wide=wide: softmax(rows, wide)
    for rows, wide in ((64, 256), (4096, 256)):
        yield f"layer norm {rows}x{wide}", lambda rows=rows, wide=wide: layer_norm(rows, wide)
    for n in (100, 1000, 10_000, 100_000, 1_000_000, 10_000_000):
        yield f"tanh {n}", lambda n=n: of_vector(sn.tanh, n)
        yield f"sum {n}", lambda n=n: of_vector(sn.sum, n)
    for n in (1000, 100_000, 10_000_000):
        yield f"known sum {n}", lambda n=n: of_vector(sn.sum, n, known=True)
    for n in (1000, 10_000, 1_000_000):
        yield f"energy {n}", lambda n=n: of_vector(energy, n)
        yield f"known energy {n}", lambda n=n: of_vector(energy, n, known=True)
        yield f"energy grad {n}", lambda n=n: gradient_of_energy(n)
    for rows, wide in ((1000, 10), (100_000, 10), (10_000, 1000)):
        yield f"columns {rows}x{wide}", lambda rows=rows, wide=wide: columns(rows, wide)
    for n in (100, 1000):
        yield f"pairs {n}", lambda n=n: pairs(n)


def main() -> None:
    parser = argparse.ArgumentParser(description="what a second thread brings")
    parser.add_argument("--only", nargs="+", default=[""])
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--below", type=float, default=0.97)
    options = parser.parse_args()
    many = usable_processors()
    print(f"{'':26}{'1, us':>11}{many:>8}{'None':>8}{'chosen':>8}")
    bad = 0
    for name, make in places():
        if not any(name.startswith(part) for part in options.only):
            continue
        steps, chosen = bound(make(), many)
        best = interleaved(steps, options.rounds)
        for _ in range(AGAIN):
            if best[0] / best[2] < options.below:
                best = list(map(min, best, interleaved(steps, options.rounds)))
        one, every, none = best
        bad += one / none < options.below
        mark = "  slower" if one / none < options.below else ""
        print(f"{name:26}{1e6 * one:11.2f}{one / every:8.2f}{one / none:8.2f}{chosen:8}{mark}", flush=True)
    print(f"{bad} below {options.below}")


def bound(place: Place, many: int) -> tuple[list[Callable[[], Any]], int]:
    """The steps on one thread, on many and on as many as are chosen; and how many these are."""
    dtype = str(next(iter(place.data.values())).dtype)
    functions = [
        sn.compile(place.formula, dtype=dtype, threads=threads)
        if place.params is None
        else sn.value_and_grad(place.formula, place.params, dtype=dtype, threads=threads)
        for threads in (1, many, None)
    ]
    steps = [f.bind(**{name: place.data[name] for name in f.inputs}) for f in functions]
    return steps, steps[-1].threads


def interleaved(steps: list[Callable[[], Any]], rounds: int) -> list[float]:
    """The best time of each step, in turns."""
    best = [float("inf")] * len(steps)
    counts = [max(1, int(SECONDS_A_TURN / seconds(step, 2))) for step in steps]
    for _ in range(rounds):
        for k, step in enumerate(steps):
            seconds(step, 1)
            best[k] = min(best[k], seconds(step, counts[k]))
    return best


def seconds(step: Callable[[], Any], count: int) -> float:
    """Of one call, of so many."""
    begin = time.perf_counter()
    for _ in range(count):
        step()
    return (time.perf_counter() - begin) / count


if __name__ == "__main__":
    main()
