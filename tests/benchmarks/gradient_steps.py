"""Loss and all gradients of one step: symnet against NumPy by hand, JAX and PyTorch, in one interleaved run.

    python tests/benchmarks/gradient_steps.py [--threads 1 2] [--models n3 digits32 digits256] [--rounds 40]

Each thread count runs in a process of its own, because the peers read theirs when they start; inside it, the
contenders take turns in every round, so that noise of the machine falls on all of them.  Prints best and median in
microseconds, the ratio peer / symnet of the medians, and the cold compile time of symnet (differentiate, simplify,
lower, emit, LLVM).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
SECONDS_A_ROUND = 0.01
REST = 0.06  # seconds between turns: the thread pools of some libraries keep spinning that long, on everybody's cores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--models", nargs="+", default=["n3", "digits32", "digits256"])
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps([measure(model, options.threads[0], options.rounds) for model in options.models]))
        return
    for threads in options.threads:
        report(threads, run_child(threads, options.models, options.rounds))


def run_child(threads: int, models: list[str], rounds: int) -> list[dict[str, Any]]:
    """Measure in a fresh process whose libraries use `threads` threads."""
    environment = os.environ | {name: str(threads) for name in THREAD_VARIABLES}
    environment |= {"JAX_PLATFORMS": "cpu", "SYMNET_CACHE": "0"}
    if threads == 1:
        environment |= {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"}
    command = [sys.executable, __file__, "--child", "--threads", str(threads), "--rounds", str(rounds)]
    command += ["--models", *models]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return list(json.loads(done.stdout.splitlines()[-1]))


def measure(name: str, threads: int, rounds: int) -> dict[str, Any]:
    """Times of every contender on one model, and symnet's cold compile time."""
    sys.path.insert(0, os.path.dirname(__file__))
    from models import MODELS, installed

    if threads == 1 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    import symnet as sn
    import symnet.compiler  # the import is not part of compiling

    model = MODELS[name]()
    begin = time.perf_counter()
    function = sn.value_and_grad(model.loss, model.params, dtype="float32", threads=threads)
    compile_seconds = time.perf_counter() - begin
    steps: dict[str, Callable[[], Any]] = {"symnet": function.bind(**model.data)}
    steps |= {peer: make(model.data) for peer, make in model.peers.items() if installed(peer)}
    if "torch" in steps:
        import torch

        torch.set_num_threads(threads)
    check_agreement(steps)
    return {"model": model.name, "compile": compile_seconds, "times": interleaved(steps, rounds)}


def check_agreement(steps: dict[str, Callable[[], Any]]) -> None:
    """No speed without the same numbers."""
    wanted = [np.asarray(a) for a in steps["numpy"]()]
    for name, step in steps.items():
        value, *rest = step()
        got = [value, *(rest[0] if name == "symnet" else rest)]
        for w, g in zip(wanted, got, strict=True):
            error = np.max(np.abs(np.asarray(g) - w)) / np.max(np.abs(w))
            assert error < 1e-4, (name, float(error))


def interleaved(steps: dict[str, Callable[[], Any]], rounds: int) -> dict[str, list[float]]:
    """Seconds per call: one figure per contender and round."""
    counts = {name: calls_for(step) for name, step in steps.items()}
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            time.sleep(REST)
            time_calls(step, 1)
            times[name].append(time_calls(step, counts[name]))
    return times


def calls_for(step: Callable[[], Any]) -> int:
    time_calls(step, 3)
    return max(1, int(SECONDS_A_ROUND / time_calls(step, 10)))


def time_calls(step: Callable[[], Any], count: int) -> float:
    begin = time.perf_counter()
    for _ in range(count):
        step()
    return (time.perf_counter() - begin) / count


def report(threads: int, results: list[dict[str, Any]]) -> None:
    print(f"\n{threads} thread{'s' if threads > 1 else ''}")
    print(f"{'model':28} {'contender':10} {'best µs':>9} {'median µs':>10} {'÷ symnet':>9}")
    for result in results:
        own = statistics.median(result["times"]["symnet"])
        for name, times in result["times"].items():
            median = statistics.median(times)
            print(f"{result['model']:28} {name:10} {1e6 * min(times):9.1f} {1e6 * median:10.1f} {median / own:9.2f}")
        print(f"{'':28} cold compile {1e3 * result['compile']:.0f} ms")


if __name__ == "__main__":
    main()
