"""What a call costs beside its work: plain calls, bound steps, exported functions, and jitted functions of JAX.

    python tests/benchmarks/calls.py [--rounds 40]

`sum` adds six numbers; `digits 32` is the loss and the gradients of the digits network on 32 rows (six arrays in, five
out).  All take and give NumPy arrays, in float32 on one thread, and take turns; JAX's results are waited for, not
copied.  `load` is a plain call of what `sn.load` gave, `stub` one of the exported stub.  Prints the best in
microseconds, and what a plain call takes beyond a bound step: checks, fresh outputs, and handing them back.  The last
line is of processes of their own: the processor's milliseconds to import symnet, load `sum` and call it once, and those
of NumPy's import before.
"""

from __future__ import annotations

import argparse
import importlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
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
    print(f"{'µs':12}{'plain':>9}{'bound':>9}{'beyond':>9}{'load':>9}{'stub':>9}{'JAX':>9}")
    with TemporaryDirectory() as folder:
        for number, (name, case) in enumerate(cases.items()):
            found = best(contenders(case, Path(folder, f"exported_{number}")), options.rounds)
            found["beyond"] = found["plain"] - found["bound"]
            columns = ("plain", "bound", "beyond", "load", "stub", "jax")
            print(f"{name:12}{''.join(f'{found[way]:9.2f}' for way in columns if way in found)}", flush=True)
        ours, numpy = first_result(Path(folder, "exported_0"))
        print(f"from import to the first result: {ours:.0f} ms, beside {numpy:.0f} ms of NumPy's import")


def first_result(path: Path) -> tuple[float, float]:
    """The least of nine processes: symnet's milliseconds, and NumPy's."""
    command = [sys.executable, "-c", FIRST_RESULT, str(path)]
    usual = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    printed = [subprocess.run(command, env=usual, capture_output=True, check=True).stdout.split() for _ in range(9)]
    ours, numpy = (min(map(float, column)) for column in zip(*printed, strict=True))
    return ours, numpy


FIRST_RESULT = """
import sys, time
first = time.process_time()
import numpy as np
begin = time.process_time()
import symnet as sn
sn.load(sys.argv[1])(x=np.ones((2, 3), "float32"), y=np.ones(3, "float32"))
print(1e3 * (time.process_time() - begin), 1e3 * (begin - first))
"""


def contenders(case: Case, path: Path) -> dict[str, Callable[[], Any]]:
    """The ways to call a case, on the same arrays; it is exported to the path."""
    loss, params = case.leaves()
    how: dict[str, Any] = {"dtype": "float32", "threads": 1}
    made = sn.compile(loss, **how) if case.values_only else sn.value_and_grad(loss, params, **how)
    rng = np.random.default_rng(0)
    shapes = {n: [case.rows if e is m else e for e in shape] for n, shape in (case.data | case.params).items()}
    arrays = {name: rng.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
    ways: dict[str, Callable[[], Any]] = {"plain": lambda: made(**arrays), "bound": made.bind(**arrays)}
    made.export(path)
    loaded, stub = sn.load(path), getattr(imported(path), path.name)
    ways |= {"load": lambda: loaded(**arrays), "stub": lambda: stub(**arrays)}
    if installed("jax"):
        ways["jax"] = jax_call(case, arrays)
    return ways


def imported(path: Path) -> Any:
    """The stub of an export."""
    sys.path.insert(0, str(path.parent))
    return importlib.import_module(path.name)


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
