"""The flagships: value and all gradients of models that people train, against JAX and PyTorch, in one interleaved run.

    python tests/benchmarks/flagships.py [--threads 1 2] [--models n3 gpt-nano …] [--rounds 15] [--compile]

Each model is written once, in terms of a namespace of functions that all three have (`flagship_models.py`).  symnet
is a bound step with a symbolic batch, JAX `jit(value_and_grad)`, PyTorch eager, with `--compile` also `torch.compile`.
Each number of threads runs in a process of its own, because the peers read theirs when they start; inside it, the
contenders take turns in every round.  No time without the same numbers.

Prints medians and spreads (from the lower to the upper quartile) in microseconds, the ratio peer / symnet, and what
share of this machine's limit symnet reaches on one thread: multiply-adds, or reads of arrays, whichever binds, phase by
phase (`f.report(step)`).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from typing import Any

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
TOLERANCE = {"float32": 2e-3, "float64": 1e-9}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--models", nargs="+")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--compile", action="store_true", help="PyTorch compiled, too")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        of_child(options)
        return
    for threads in options.threads:
        run_child(threads, options)


def run_child(threads: int, options: argparse.Namespace) -> None:
    """Measure in a fresh process whose libraries use so many threads."""
    environment = os.environ | {name: str(threads) for name in THREAD_VARIABLES}
    environment |= {"JAX_PLATFORMS": "cpu", "JAX_ENABLE_X64": "1", "SYMNET_CACHE": "0"}
    if threads == 1:
        environment |= {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"}
    command = [sys.executable, __file__, "--child", "--threads", str(threads), "--rounds", str(options.rounds)]
    command += ["--models", *options.models] if options.models else []
    command += ["--compile"] if options.compile else []
    print(f"\n{threads} thread{'s' if threads > 1 else ''}")
    print(f"{'':24} {'symnet µs':>16} {'of limit':>8}   peers ÷ symnet")
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for line in child.stdout:
            if line.startswith("{"):
                print(row(json.loads(line)), flush=True)
    if child.returncode:
        sys.exit(child.returncode)


def row(found: dict[str, Any]) -> str:
    times = {name: statistics.quantiles(t, n=4) for name, t in found["times"].items()}
    low, own, high = times.pop("symnet")
    peers = "  ".join(f"{name} {q[1] / own:.2f} ({q[0] / own:.2f}–{q[2] / own:.2f})" for name, q in times.items())
    share = "" if found["share"] is None else f"{found['share']:.0%}"
    return f"{found['model']:24} {1e6 * own:8.0f} ±{1e6 * (high - low) / 2:5.0f} {share:>8}   {peers}"


def of_child(options: argparse.Namespace) -> None:
    """Print a line of JSON for each model."""
    sys.path.insert(0, os.path.dirname(__file__))
    from flagship_models import MODELS, contenders
    from gradient_steps import interleaved

    threads = options.threads[0]
    if threads == 1 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    for name in options.models or MODELS:
        model = MODELS[name]()
        steps, share = contenders(model, threads, options.compile)
        check_agreement(name, model.dtype, steps)
        print(json.dumps({"model": name, "times": interleaved(steps, options.rounds), "share": share}), flush=True)


def check_agreement(name: str, dtype: str, steps: dict[str, Any]) -> None:
    """The same value and gradients from everybody."""
    import numpy as np

    ours = steps["symnet"]()
    wanted = [np.array(ours[0]), *(np.array(g) for g in ours[1])]
    largest = max(float(np.max(np.abs(g))) for g in wanted[1:])  # some slopes are nothing but rounding
    for peer, step in steps.items():
        value, gradients = step()
        for w, g in zip(wanted, [value, *gradients], strict=True):
            error = float(np.max(np.abs(np.asarray(g) - w)) / max(np.max(np.abs(w)), 1e-2 * largest))
            assert error < TOLERANCE[dtype], (name, peer, w.shape, error)


if __name__ == "__main__":
    main()
