"""What an export for every x86-64 processor costs, and what its levels are worth, against one for this machine.

    python tests/benchmarks/portable.py [--cases sum digits …] [--rounds 21]

Of value and gradient (float32, no cache): KiB of the object for this machine, for each level alone and for all that
choose where they run; a call (64 rows, one thread) for each level and for the chosen one, as a ratio to one for this
machine, the median of rounds in which all take turns; milliseconds of processor time from the expression to the files,
for this machine, for every one, and for every one after a function for this machine was compiled.  Last, how long the
first call takes to find the level, and how much longer another takes than one that has nothing to choose.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ["SYMNET_CACHE"] = "0"

import numpy as np
from deep_models import CASES, Case, m

import symnet as sn
from symnet.backends.llvm import codegen, loading
from symnet.backends.llvm.named_machines import machine
from symnet.backends.llvm.targets import PORTABLE_LEVELS

LEVELS = ("x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4")
KINDS = ("native", *LEVELS, "x86-64-portable")


def total() -> Case:
    """A function of one line."""
    return Case(lambda f, a: f.sum(f.tanh(a["x"]) ** 2), {}, {"x": (m,)})


TABLE = {"sum": total, **{name: CASES[name] for name in ("digits", "lstm 5", "gpt-nano", "mlp 50")}}


def main() -> None:
    parser = argparse.ArgumentParser(description="exports for every x86-64 processor")
    parser.add_argument("--cases", nargs="+", choices=TABLE, default=list(TABLE))
    parser.add_argument("--rounds", type=int, default=21)
    options = parser.parse_args()
    names = [kind.removeprefix("x86-64-") if kind != "x86-64" else "v1" for kind in KINDS]
    warmed = TABLE["sum"]()
    files(warmed, "x86-64-portable", None)
    for title, line in (("KiB", sizes), ("call", calls)):
        print(f"{title:12}" + "".join(f"{name:>10}" for name in names))
        for name in options.cases:
            print(f"{name:12}" + "".join(f"{x:>10}" for x in line(TABLE[name](), options.rounds)), flush=True)
    print(f"{'ms':12}{'native':>10}{'portable':>10}{'ratio':>10}{'both':>10}{'ratio':>10}")
    routes = ("native", "native"), ("x86-64-portable", None), (None, None)
    for name in options.cases:
        turns = [[files(TABLE[name](), *route) for route in routes] for _ in range(3)]
        one, every, both = map(min, zip(*turns, strict=True))
        ratios = f"{1e3 * every:10.0f}{every / one:10.2f}{1e3 * both:10.0f}{both / one:10.2f}"
        print(f"{name:12}{1e3 * one:10.0f}{ratios}", flush=True)
    first, more = choosing(options.rounds)
    print(f"\nthe level is found in {1e6 * first:.0f} us; each call takes {1e9 * more:.1f} ns more")


def built(case: Case, kind: str | None) -> Any:
    """The function of a case."""
    loss, params = case.leaves()
    return sn.value_and_grad(loss, params, dtype="float32", name="f", target=kind, threads=1)


def files(case: Case, compiled: str | None, exported: str | None) -> float:
    """Seconds of processor time from an expression to object, header, library and stub."""
    with tempfile.TemporaryDirectory() as folder:
        begin = time.process_time()
        built(case, compiled).export(Path(folder) / "f", target=exported)
        return time.process_time() - begin


def sizes(case: Case, rounds: int) -> list[str]:
    """KiB of the object of every kind."""
    return [f"{len(built(case, kind).object_code) / 1024:.0f}" for kind in KINDS]


def calls(case: Case, rounds: int) -> list[str]:
    """A call of every kind that runs here, as a ratio to one for this machine."""
    rng, steps = np.random.default_rng(0), {}
    shapes = {n: [case.rows if e is m else e for e in s] for n, s in (case.data | case.params).items()}
    data = {n: rng.random(shape, np.float32) for n, shape in shapes.items()}
    for kind in KINDS:
        if loading.runs_here(machine(kind, "")):
            f = built(case, kind)
            steps[kind] = f.bind(**{n: data[n] for n in f.inputs})
    count = max(1, int(2e-3 / seconds(steps["native"], 3)))
    found: dict[str, list[float]] = {kind: [] for kind in steps}
    for _ in range(rounds):
        for kind, step in steps.items():
            found[kind].append(seconds(step, count))
    middle = {kind: statistics.median(times) for kind, times in found.items()}
    return [f"{middle[kind] / middle['native']:.2f}" if kind in middle else "-" for kind in KINDS]


def seconds(step: Any, count: int) -> float:
    """Of processor time of one call, of so many."""
    begin = time.process_time()
    for _ in range(count):
        step()
    return (time.process_time() - begin) / count


CALLER = """
define i64 @LOOP(i64 %times) {
entry:
  br label %head
head:
  %k = phi i64 [ 0, %entry ], [ %next, %head ]
  %bytes = call i64 @NAME_workspace_bytes(ptr null)
  %next = add i64 %k, 1
  %again = icmp slt i64 %next, %times
  br i1 %again, label %head, label %done
done:
  ret i64 %bytes
}
"""


def choosing(rounds: int) -> tuple[float, float]:
    """Seconds of the first question, and by which an entry point takes longer."""
    x, found = sn.tensor("x", 8), {}
    highest = [level for level in PORTABLE_LEVELS if loading.runs_here(machine(level, ""))][-1]
    for kind in (highest, "x86-64-portable"):
        f = sn.compile(sn.sum(x), dtype="float32", name="f", target=kind)
        text = f.llvm_ir + CALLER.replace("LOOP", "f_loop").replace("NAME", "f")
        found[kind] = loading.load(codegen.compile_object(text, f.stages.target))
    ask = ctypes.CFUNCTYPE(ctypes.c_int32)(found["x86-64-portable"].address("f_processor"))
    begin = time.perf_counter()
    ask()
    first = time.perf_counter() - begin
    times = 10**7
    loops = [ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(module.address("f_loop")) for module in found.values()]
    pairs = [[seconds(lambda loop=loop: loop(times), 1) / times for loop in loops] for _ in range(rounds)]
    return first, statistics.median(every - one for one, every in pairs)


if __name__ == "__main__":
    main()
