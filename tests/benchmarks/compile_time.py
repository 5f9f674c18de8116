"""Compile time, cold and warm, stage by stage, against JAX's jit: networks of 1 to 200 layers, other deep graphs.

    python tests/benchmarks/compile_time.py [--cases "mlp 1" digits …] [--rounds 3] [--warm] [--jax] [--before ../other]

Each figure is of a fresh process: symnet's value and gradient (float32, no cache) from expression to callable code, and
JAX's `jit(value_and_grad)` of the same model from the trace to the executable.  Imports, and what either library loads
and compiles once, are not counted: a tiny function is compiled first.  Prints the median in ms of processor time, and
of the clock's: LLVM works on all processors.
`--warm` reads what a first process has put into the cache: in a process that compiles nothing else, what comes after
`import symnet` and `import numpy`, with the bytecode of symnet there, as an installation has it.  `--before` adds the
total of another checkout, in turns with this one; of both the least of the rounds is shown then, in the place of the
median.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from types import SimpleNamespace
from typing import Any

TIMES = ("total", "clock")
STAGES = ("differentiate", "simplify", "numeric", "lower", "schedule", "emit", "assemble")


def main() -> None:
    parser = argparse.ArgumentParser(description="compile time by stage")
    parser.add_argument("--cases", nargs="+")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jax", action="store_true")
    parser.add_argument("--warm", action="store_true")
    parser.add_argument("--before", metavar="CHECKOUT")
    parser.add_argument("--child", choices=("cold", "total", "warm", "jax"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    sys.path.insert(0, os.path.dirname(__file__))
    from deep_models import CASES

    if options.child:
        work = {"cold": cold, "total": total, "warm": warm, "jax": jax_compile}[options.child]
        print(json.dumps(work(CASES[options.cases[0]]())))
        return
    print(line("ms", [each[:9] for each in (*TIMES, *STAGES, "warm", "JAX", "clock", "before")]))
    for name in options.cases or list(CASES):
        print(line(name, row(name, options)), flush=True)


def line(name: str, cells: list[str]) -> str:
    return f"{name:12}" + "".join(f"{cell:>10}" for cell in cells)


def row(name: str, options: Any) -> list[str]:
    """One line of the table."""
    rounds, before = [], []
    for _ in range(options.rounds):
        rounds.append(child("cold", name))
        if options.before:
            before.append(child("total", name, tree=options.before))
    of = min if before else statistics.median
    cells = [milliseconds(of([r.get(key, 0.0) for r in rounds])) for key in (*TIMES, *STAGES)]
    warm, jax = "", ["", ""]
    if options.warm:
        with tempfile.TemporaryDirectory() as folder:
            child("warm", name, folder)
            warm = milliseconds(statistics.median(child("warm", name, folder)["total"] for _ in rounds))
    if options.jax:
        theirs = [child("jax", name) for _ in rounds]
        jax = [milliseconds(statistics.median(r[key] for r in theirs)) for key in TIMES]
    return [*cells, warm, *jax, milliseconds(min(r["total"] for r in before)) if before else ""]


def milliseconds(seconds: float) -> str:
    return f"{1e3 * seconds:.0f}"


def child(kind: str, name: str, cache: str = "0", tree: str = "") -> dict[str, float]:
    """Measure in a fresh process, which imports the symnet of another checkout where one is named."""
    found = {"PYTHONPATH": os.path.abspath(tree)} if tree else {}
    found |= {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": os.path.join(tempfile.gettempdir(), "bytecode")}
    found |= {"SYMNET_CACHE": cache, "JAX_PLATFORMS": "cpu", "JAX_ENABLE_COMPILATION_CACHE": "0"}
    environment = os.environ | found
    command = [sys.executable, __file__, "--child", kind, "--cases", name]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def build(case: Any) -> Any:
    """symnet's function."""
    import symnet as sn

    loss, params = case.leaves()
    if case.values_only:
        return sn.compile(loss, dtype="float32")
    return sn.value_and_grad(loss, params, dtype="float32")


def timed(case: Any) -> tuple[Any, dict[str, float]]:
    """The function, and the seconds of the whole, in processor time and by the clock."""
    import symnet as sn

    x = sn.tensor("warming", 3)
    sn.value_and_grad(sn.sum(sn.tanh(x) * x), x, dtype="float32")
    begin, clock = time.process_time(), time.perf_counter()
    function = build(case)
    return function, {"total": time.process_time() - begin, "clock": time.perf_counter() - clock}


def total(case: Any) -> dict[str, float]:
    """Seconds of the whole alone, of any checkout."""
    return timed(case)[1]


def cold(case: Any) -> dict[str, float]:
    """Seconds of every stage, in processor time; `assemble` is what is left of the whole: LLVM's work, and loading."""
    from symnet import stages

    stages.time = SimpleNamespace(perf_counter=time.thread_time)  # type: ignore[attr-defined]  # LLVM works beside it
    function, whole = timed(case)
    seconds = {verb: spent for verb, spent in function.stages.seconds.items() if verb != "assemble"}
    return {**whole, **seconds, "assemble": whole["total"] - sum(seconds.values())}


def warm(case: Any) -> dict[str, float]:
    """Seconds with what the cache holds; whoever has data has loaded NumPy, whose own threads are not counted."""
    import numpy  # noqa: F401

    begin = time.thread_time()
    build(case)
    return {"total": time.thread_time() - begin}


def jax_compile(case: Any) -> dict[str, float]:
    """Seconds of JAX for the same function."""
    import jax
    import numpy as np
    from deep_models import jax_functions, m

    def arrays(shapes: dict[str, tuple[Any, ...]]) -> dict[str, Any]:
        return {n: np.ones([case.rows if e is m else e for e in s], np.float32) for n, s in shapes.items()}

    functions = jax_functions()
    data, params = arrays(case.data), arrays(case.params)

    def loss(params: dict[str, Any], data: dict[str, Any]) -> Any:
        return case.loss(functions, data | params)

    jax.jit(jax.value_and_grad(lambda x: (x * x).sum()))(np.ones(3, np.float32))
    step = jax.jit(loss if case.values_only else jax.value_and_grad(loss))
    begin, clock = time.process_time(), time.perf_counter()
    step.lower(params, data).compile()
    return {"total": time.process_time() - begin, "clock": time.perf_counter() - clock}


if __name__ == "__main__":
    main()
