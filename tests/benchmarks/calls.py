"""What a call costs beside its work: plain calls, bound steps, and jitted functions of JAX, in one interleaved run.

    python tests/benchmarks/calls.py [--rounds 40]

`sum` adds six numbers; `digits 32` is the loss and the gradients of the digits network on 32 rows (six arrays in, five
out).  All take and give NumPy arrays, in float32 on one thread; JAX's results are waited for, not copied.  Prints the
best in microseconds, and what a plain call takes beyond a bound step: checks, fresh outputs, and handing them back.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from typing import Any

os.environ |= {"JAX_PLATFORMS": "cpu", "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false"}

import numpy as np
from deep_models import CASES, Case, jax_functions, m
from models import installed

import symnet as sn

REPEATS = 200


def main() -> None:
    parser = argparse.ArgumentParser(description="what a call costs")
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    total = Case(lambda f, a: f.sum(a["x"] * a["y"]), {"x": (m, 3), "y": (3,)}, {}, rows=2, values_only=True)
    digits = CASES["digits"]()
    cases = {"sum": total, "digits 32": Case(digits.loss, digits.data, digits.params, rows=32)}
    print(f"{'µs':12}{'plain':>9}{'bound':>9}{'beyond':>9}{'JAX':>9}")
    for name, case in cases.items():
        found = best(contenders(case), options.rounds)
        peer = f"{found['jax']:9.2f}" if "jax" in found else ""
        beyond = found["plain"] - found["bound"]
        print(f"{name:12}{found['plain']:9.2f}{found['bound']:9.2f}{beyond:9.2f}{peer}", flush=True)


def contenders(case: Case) -> dict[str, Callable[[], Any]]:
    """The ways to call a case, on the same arrays."""
    loss, params = case.leaves()
    how: dict[str, Any] = {"dtype": "float32", "threads": 1}
    made = sn.compile(loss, **how) if case.values_only else sn.value_and_grad(loss, params, **how)
    rng = np.random.default_rng(0)
    shapes = {n: [case.rows if e is m else e for e in shape] for n, shape in (case.data | case.params).items()}
    arrays = {name: rng.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
    ways: dict[str, Callable[[], Any]] = {"plain": lambda: made(**arrays), "bound": made.bind(**arrays)}
    if installed("jax"):
        ways["jax"] = jax_call(case, arrays)
    return ways


def jax_call(case: Case, arrays: dict[str, Any]) -> Callable[[], Any]:
    """The jitted function of JAX."""
    import jax

    functions = jax_functions()
    data, params = ({name: arrays[name] for name in names} for names in (case.data, case.params))

    def loss(params: dict[str, Any], data: dict[str, Any]) -> Any:
        return case.loss(functions, data | params)

    jitted = jax.jit(loss if case.values_only else jax.value_and_grad(loss))
    return lambda: jax.block_until_ready(jitted(params, data))


def best(ways: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """The least time of each in microseconds; they take turns."""
    found = dict.fromkeys(ways, float("inf"))
    for _ in range(rounds):
        for name, call in ways.items():
            call()
            begin = time.perf_counter()
            for _ in range(REPEATS):
                call()
            found[name] = min(found[name], (time.perf_counter() - begin) / REPEATS)
    return {name: 1e6 * seconds for name, seconds in found.items()}


if __name__ == "__main__":
    main()
