"""What checking indices costs: symnet against itself without checks, and against NumPy.

    python tests/benchmarks/gather.py [--rounds 200] [--kernels 512 labels …] [--cpu x86-64-v3]

Unchecked code is made by taking every index for one that is surely in range.  Bound steps on one thread; the contenders
take turns in every round, so that noise of the machine falls on all of them; where their arrays lie is chance, once for
a process, so figures are those of several.  With --cpu code is made for another processor, an older one.  Prints in
microseconds the lower quartile of the checked step, and the ratios checked / unchecked and NumPy / checked: the median
over rounds, and its quartiles.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import numpy as np

os.environ["SYMNET_CACHE"] = "0"  # code without checks is kept by nobody

SECONDS_A_TURN = 0.5e-3
Data = dict[str, np.ndarray]
Kernel = Callable[[np.random.Generator], tuple[Any, Data, Callable[[Data, list[np.ndarray]], Any] | None]]


def take(count: int, *shape: int) -> Kernel:
    """So many rows (or numbers) of a table."""

    def made(rng: np.random.Generator) -> tuple[Any, Data, Any]:
        import symnet as sn

        table, i = sn.tensor("E", *shape), sn.tensor("i", sn.dim("m"), dtype="int64")
        data = {"E": rng.normal(size=shape), "i": rng.integers(0, shape[0], count)}
        return sn.take(table, i), data, lambda d, out: np.take(d["E"], d["i"], axis=0, out=out[0], mode="wrap")

    return made


def labels(rows: int) -> Kernel:
    """Loss and gradient of a softmax classifier of 64 features and 10 classes, by labels."""

    def made(rng: np.random.Generator) -> tuple[Any, Data, Any]:
        import symnet as sn

        m = sn.dim("m")
        X, W, t = sn.tensor("X", m, 64), sn.tensor("W", 64, 10), sn.labels("t", m, classes=10)
        loss = sn.mean(sn.cross_entropy(sn.softmax(X @ W), t))
        data = {"X": rng.normal(size=(rows, 64)), "W": rng.normal(size=(64, 10)), "t": rng.integers(0, 10, rows)}
        return [loss, sn.grad(loss, W)], data, None

    return made


KERNELS: dict[str, Kernel] = {  # the small ones stay in the cache of a core
    "4096 rows of 64, table of 50 000": take(4096, 50_000, 64),
    "512 rows of 64, table of 500": take(512, 500, 64),
    "512 rows of 8, table of 500": take(512, 500, 8),
    "4096 numbers, table of 1 000 000": take(4096, 1_000_000),
    "4096 numbers, table of 1000": take(4096, 1000),
    "labels, m = 8": labels(8),
    "labels, m = 256": labels(256),
}


@contextmanager
def unchecked() -> Iterator[None]:
    """Every index is taken for one in range, by native code and before the call."""
    with ExitStack() as stack:
        for place in ("symnet.lower.program", "symnet.lower.storage"):
            stack.enter_context(mock.patch(f"{place}.surely_in_range", lambda *_: True))
        stack.enter_context(mock.patch("symnet.lower.program._bounds", lambda _: []))
        yield


@contextmanager
def made_for(cpu: str) -> Iterator[None]:
    """Code of this machine is that of another processor ("" leaves it), as LLVM calls it."""
    import symnet.compiler  # noqa: F401  with all that asks for the machine
    from symnet.backends.llvm.targets import host_target, target_for

    with ExitStack() as stack:
        target = target_for(host_target().triple, cpu) if cpu else host_target()
        for module in [m for name, m in sys.modules.items() if name.startswith("symnet") and "host_target" in vars(m)]:
            stack.enter_context(mock.patch.object(module, "host_target", lambda: target))
        yield


def step(formula: Any, data: Data, checks: bool) -> Any:
    import symnet as sn

    function = sn.compile(formula, threads=1)
    assert ("fail" in function.loops) == checks
    return function.bind(**data)


def contenders(kernel: Kernel) -> dict[str, Callable[[], Any]]:
    """Checked, unchecked, and NumPy where it has the same kernel."""
    formula, data, peer = kernel(np.random.default_rng(0))
    checked = step(formula, data, checks=True)
    with unchecked():
        bare = step(formula, data, checks=False)
    assert all(np.array_equal(a, b) for a, b in zip(outputs(checked), outputs(bare), strict=True))
    found = {"checked": checked, "unchecked": bare}
    if peer is not None:
        out = [np.empty_like(a) for a in outputs(checked)]
        found["NumPy"] = lambda: peer(data, out)
    return found


def outputs(bound: Any) -> list[np.ndarray]:
    found = bound()
    return [np.array(a) for a in (found if isinstance(found, tuple | list) else [found])]


def measure(works: dict[str, Callable[[], Any]], rounds: int) -> dict[str, list[float]]:
    """Seconds a call, by turns; who begins changes from round to round."""
    counts = {}
    for name, work in works.items():
        work()
        begin = time.perf_counter()
        work()
        counts[name] = max(1, int(SECONDS_A_TURN / (time.perf_counter() - begin)))
    times: dict[str, list[float]] = {name: [] for name in works}
    for number in range(rounds):
        for name in list(works)[:: 1 if number % 2 else -1]:
            work, count = works[name], counts[name]
            begin = time.perf_counter()
            for _ in range(count):
                work()
            times[name].append((time.perf_counter() - begin) / count)
    return times


def ratio(above: list[float], below: list[float]) -> str:
    low, middle, high = statistics.quantiles([a / b for a, b in zip(above, below, strict=True)], n=4)
    return f"{middle:.2f} ({low:.2f} … {high:.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--kernels", nargs="+", default=[""], help="kernels whose names begin so")
    parser.add_argument("--cpu", default="", help="a processor whose instructions this one has, as LLVM calls it")
    options = parser.parse_args()
    with made_for(options.cpu):
        table(options.kernels, options.rounds)


def table(kernels: list[str], rounds: int) -> None:
    print("| kernel | checked, µs | checked / unchecked | NumPy / checked |\n|---|---|---|---|")
    for name, kernel in KERNELS.items():
        if not name.startswith(tuple(kernels)):
            continue
        times = measure(contenders(kernel), rounds)
        peer = ratio(times["NumPy"], times["checked"]) if "NumPy" in times else ""
        quartile = statistics.quantiles(times["checked"], n=4)[0] * 1e6
        print(f"| {name} | {quartile:.1f} | {ratio(times['checked'], times['unchecked'])} | {peer} |", flush=True)


if __name__ == "__main__":
    main()
