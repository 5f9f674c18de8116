"""A gradient shipped into another program: symnet beside CasADi, SymPy, heyoka, JAX and PyTorch, by size and speed.

    python tests/benchmarks/shipping.py [--ways symnet,casadi] [--cases plan]

`plan` is the cost of 12 steps of a pendulum and its gradient by 12 torques, in double precision; `digits` the loss and
the gradients of the network 64-32-10 on 32 rows, in single precision (CasADi has but double).  Each way makes what one
would ship; what is C or an object is linked into a C program that calls it and keeps the time, by `cc -O3
-march=native`; what needs its own library is called from Python, where the price of that call counts.

Prints for each: seconds to make it, microseconds of a call (best of some rounds), the files and their bytes, and what
is needed at run time: beside C's library, with the bytes of the stripped program, or the package with its size on disk.
What is not installed, or cannot make it, says so.  Needs cc, and for the peers `pip install casadi heyoka jax torch
flatbuffers`.
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

os.environ |= {"JAX_PLATFORMS": "cpu", "OMP_NUM_THREADS": "1", "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false"}

import numpy as np

HORIZON, DT, ROWS = 12, 0.02, 32
CALLS = {"plan": 20000, "digits": 2000}
RNG = np.random.default_rng(0)
PLAN = {"angle": 0.4, "speed": 0.1, "target": 0.0, "plan": RNG.standard_normal(HORIZON)}
DIGITS = {
    "X": RNG.uniform(0, 1, (ROWS, 64)), "D": np.eye(10)[RNG.integers(0, 10, ROWS)],
    "W1": 0.2 * RNG.standard_normal((64, 32)), "b1": np.zeros(32),
    "W2": 0.2 * RNG.standard_normal((32, 10)), "b2": np.zeros(10),
}  # fmt: skip
DIGITS32 = {name: array.astype(np.float32) for name, array in DIGITS.items()}
PARAMS = ("W1", "b1", "W2", "b2")


class Shipped(NamedTuple):
    """What a way made: files, what is needed beside them, and how to call it: a C program's text, or Python."""

    files: list[Path]
    needs: str
    call: str | Callable[[], Any]
    linked: tuple[Path, ...] = ()


def pendulum(sin: Callable[[Any], Any], angle: Any, speed: Any, target: Any, plan: Any) -> Any:
    """The cost of a plan."""
    a, v, cost = angle, speed, 0.0
    for k in range(HORIZON):
        v = v + DT * (9.81 * sin(a) - 0.3 * v + plan[k])
        a = a + DT * v
        cost = cost + 20 * (a - target) ** 2 + 0.3 * v**2 + 0.001 * plan[k] ** 2
    return cost


# --------------------------------------------------------------------------- programs in C

TIMED = """
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
@BEFORE@
static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e6 * (double)t.tv_sec + 1e-3 * (double)t.tv_nsec;
}
int main(void)
{
@ARRAYS@
    double best = INFINITY;
    for (int round = 0; round < 30; ++round) {
        const double begin = now();
        for (int k = 0; k < @CALLS@; ++k) { @CALL@ }
        const double took = (now() - begin) / @CALLS@;
        best = took < best ? took : best;
    }
    printf("%.4f %.9g\\n", best, (double)@VALUE@);
    return 0;
}
"""


def timed(case: str, before: str, arrays: str, call: str, value: str) -> str:
    words = {"BEFORE": before, "ARRAYS": arrays, "CALLS": CALLS[case], "CALL": call, "VALUE": value}
    text = TIMED
    for word, found in words.items():
        text = text.replace(f"@{word}@", str(found))
    return text


def array(kind: str, name: str, values: Any) -> str:
    flat = np.ravel(values)
    return f"    static {kind} {name}[{max(1, flat.size)}] = {{{', '.join(repr(float(x)) for x in flat)}}};"


# --------------------------------------------------------------------------- the ways


def with_symnet(case: str, folder: Path) -> Shipped:
    import symnet as sn

    if case == "plan":
        leaves = [sn.scalar("angle"), sn.scalar("speed"), sn.scalar("target"), sn.tensor("plan", HORIZON)]
        f = sn.value_and_grad(pendulum(sn.sin, *leaves), leaves[-1], inputs=leaves, dtype="float64", name="grad")
        data, kind, extents = PLAN, "double", ""
    else:
        m = sn.dim("m")
        X, D = sn.tensor("X", m, 64), sn.tensor("D", m, 10, one_hot=True)
        W1, b1, W2, b2 = sn.tensor("W1", 64, 32), sn.tensor("b1", 32), sn.tensor("W2", 32, 10), sn.tensor("b2", 10)
        loss = sn.mean(sn.cross_entropy(sn.softmax(sn.relu(X @ W1 + b1) @ W2 + b2), D))
        f = sn.value_and_grad(loss, [W1, b1, W2, b2], inputs=[X, D, W1, b1, W2, b2], dtype="float32", name="grad")
        data, kind, extents = DIGITS32, "float", f"{ROWS}, "
    made = f.export(folder / "grad", files=["o", "h"], target="native")
    inputs = [b.name for b in f.signature.inputs]
    outputs = [b.name for b in f.signature.outputs]
    arrays = [array(kind, name, data[name]) for name in inputs]
    sizes = {name: np.size(data[name.removeprefix("grad_")]) if name != "value" else 1 for name in outputs}
    arrays += [f"    static {kind} {name}[{size}];" for name, size in sizes.items()]
    arrays += ["    static _Alignas(64) unsigned char workspace[1 << 20];"]
    given = [name if np.ndim(data[name]) else f"{name}[0]" for name in inputs]
    call = f"if (grad_call({', '.join([*given, *outputs])}, {extents}workspace, sizeof workspace)) return 1;"
    program = timed(case, '#include "grad.h"', "\n".join(arrays), call, "value[0]")
    return Shipped([made.object, made.header], "", program, (made.object,))


def with_casadi(case: str, folder: Path) -> Shipped:
    import casadi as ca

    if case == "plan":
        leaves = [ca.SX.sym("angle"), ca.SX.sym("speed"), ca.SX.sym("target"), ca.SX.sym("plan", HORIZON)]
        cost = pendulum(ca.sin, *leaves)
        f, data = ca.Function("grad", leaves, [cost, ca.gradient(cost, leaves[-1])]), PLAN
    else:
        leaves = [ca.MX.sym(name, *np.atleast_2d(values).shape) for name, values in DIGITS.items()]
        X, D, W1, b1, W2, b2 = leaves
        Z = ca.mtimes(ca.fmax(ca.mtimes(X, W1) + ca.repmat(b1, ROWS, 1), 0), W2) + ca.repmat(b2, ROWS, 1)
        shift = ca.mmax(Z)
        rows = ca.log(ca.sum2(ca.exp(Z - shift))) + shift - ca.sum2(Z * D)
        loss = ca.sum1(rows) / ROWS
        f, data = ca.Function("grad", leaves, [loss, *(ca.gradient(loss, p) for p in leaves[2:])]), DIGITS
    before = os.getcwd()
    os.chdir(folder)  # CasADi writes here
    f.generate("grad.c", {"with_header": True})
    os.chdir(before)
    names = list(data)
    arrays = [array("double", name, np.asarray(data[name]).T) for name in names]  # column by column
    results = [f"r{k}" for k in range(f.n_out())]
    arrays += [f"    static double {name}[{f.nnz_out(k)}];" for k, name in enumerate(results)]
    arrays += [f"    static double w[{max(1, f.sz_w())}]; static casadi_int iw[{max(1, f.sz_iw())}];"]
    arrays += [f"    const double *arg[{f.sz_arg()}] = {{{', '.join(names)}}};"]
    arrays += [f"    double *res[{f.sz_res()}] = {{{', '.join(results)}}};"]
    program = timed(case, '#include "grad.h"', "\n".join(arrays), "grad(arg, res, iw, w, 0);", "r0[0]")
    return Shipped([folder / "grad.c", folder / "grad.h"], "", program, (folder / "grad.c",))


def with_sympy(case: str, folder: Path) -> Shipped:
    import sympy as sp
    from sympy.printing.c import ccode

    if case != "plan":
        raise NotImplementedError("SymPy's code has scalars alone: 20 000 formulas")
    angle, speed, target = sp.symbols("angle speed target")
    plan = sp.symbols(f"plan:{HORIZON}")
    cost = pendulum(sp.sin, angle, speed, target, plan)
    shared, found = sp.cse([cost, *(sp.diff(cost, p) for p in plan)], optimizations=None)
    lines = [f"    const double {name} = {ccode(value)};" for name, value in shared]
    lines += [f"    out[{k}] = {ccode(value)};" for k, value in enumerate(found)]
    lines = [line.replace("plan", "plan_") for line in lines]
    names = "\n".join(f"#define plan_{k} plan[{k}]" for k in range(HORIZON))
    head = "void grad(double angle, double speed, double target, const double *plan, double *out)"
    body = "\n".join(lines)
    (folder / "grad.c").write_text(f"#include <math.h>\n{names}\n{head}\n{{\n{body}\n}}\n")
    arrays = [array("double", "plan", PLAN["plan"]), f"    static double out[{HORIZON + 1}];"]
    call = f"grad({PLAN['angle']}, {PLAN['speed']}, {PLAN['target']}, plan, out);"
    program = timed(case, f"{head};", "\n".join(arrays), call, "out[0]")
    return Shipped([folder / "grad.c"], "", program, (folder / "grad.c",))


def with_heyoka(case: str, folder: Path) -> Shipped:
    import pickle

    import heyoka as hy

    if case != "plan":
        raise NotImplementedError("heyoka compiles scalars: no arrays")
    names = ["angle", "speed", "target", *(f"plan{k}" for k in range(HORIZON))]
    leaves = hy.make_vars(*names)
    cost = pendulum(hy.sin, *leaves[:3], leaves[3:])
    derivatives = hy.diff_tensors([cost], diff_args=leaves[3:], diff_order=1)
    made = hy.cfunc([cost, *derivatives.gradient], leaves)
    (folder / "grad.pickle").write_bytes(pickle.dumps(made))
    loaded = pickle.loads((folder / "grad.pickle").read_bytes())
    values, out = np.array([PLAN["angle"], PLAN["speed"], PLAN["target"], *PLAN["plan"]]), np.zeros(HORIZON + 1)
    return Shipped([folder / "grad.pickle"], package("heyoka", "heyoka.libs"), lambda: loaded(values, outputs=out)[0])


def with_jax(case: str, folder: Path) -> Shipped:
    import jax
    import jax.numpy as jnp
    from jax import export

    if case == "plan":
        jax.config.update("jax_enable_x64", True)
        given = [jnp.asarray(PLAN[name]) for name in ("angle", "speed", "target", "plan")]
        f = jax.jit(jax.value_and_grad(lambda *leaves: pendulum(jnp.sin, *leaves), argnums=3))
    else:
        given = [jnp.asarray(array) for array in DIGITS32.values()]

        def loss(X: Any, D: Any, W1: Any, b1: Any, W2: Any, b2: Any) -> Any:
            Z = jax.nn.relu(X @ W1 + b1) @ W2 + b2
            return -jnp.mean(jnp.sum(D * jax.nn.log_softmax(Z), axis=1))

        f = jax.jit(jax.value_and_grad(loss, argnums=(2, 3, 4, 5)))
    (folder / "grad.bin").write_bytes(export.export(f)(*given).serialize())
    loaded = jax.jit(export.deserialize(bytearray((folder / "grad.bin").read_bytes())).call)
    return Shipped([folder / "grad.bin"], package("jax", "jaxlib"), lambda: jax.block_until_ready(loaded(*given))[0])


def with_torch(case: str, folder: Path) -> Shipped:
    import torch

    torch.set_num_threads(1)
    if case == "plan":
        given = tuple(torch.tensor(PLAN[name], dtype=torch.float64) for name in ("angle", "speed", "target", "plan"))

        def value(*leaves: Any) -> Any:
            return pendulum(torch.sin, *leaves)

        wrt: tuple[int, ...] = (3,)
    else:
        given = tuple(torch.tensor(array) for array in DIGITS32.values())

        def value(X: Any, D: Any, W1: Any, b1: Any, W2: Any, b2: Any) -> Any:
            Z = torch.relu(X @ W1 + b1) @ W2 + b2
            return -(D * torch.log_softmax(Z, 1)).sum(1).mean()

        wrt = (2, 3, 4, 5)

    class Model(torch.nn.Module):
        def forward(self, *leaves: Any) -> Any:
            found, value_ = torch.func.grad_and_value(value, argnums=wrt)(*leaves)
            return value_, *found

    graph = torch.fx.experimental.proxy_tensor.make_fx(Model())(*given)
    program = torch.export.export(graph, given)
    path = torch._inductor.aoti_compile_and_package(program, package_path=str(folder / "grad.pt2"))
    loaded = torch._inductor.aoti_load_package(path)
    return Shipped([Path(path)], package("torch"), lambda: loaded(*given)[0])


WAYS = {
    "symnet": with_symnet,
    "casadi": with_casadi,
    "sympy": with_sympy,
    "heyoka": with_heyoka,
    "jax": with_jax,
    "torch": with_torch,
}

# --------------------------------------------------------------------------- measuring


def package(*names: str) -> str:
    """A package that is needed at run time, with its size on disk."""
    total, first = 0, importlib.util.find_spec(names[0])
    assert first is not None and first.origin is not None
    site = Path(first.origin).parent.parent
    for name in names:
        total += sum(file.stat().st_size for file in (site / name).rglob("*") if file.is_file())
    return f"Python and {names[0]}, {total / 1e6:.0f} MB"


def of_program(shipped: Shipped, folder: Path) -> tuple[float, float, str]:
    """Microseconds of a call, the value, and what the program needs."""
    (folder / "main.c").write_text(str(shipped.call))
    linked = [str(path) for path in shipped.linked]
    options = ["-std=gnu11", "-O3", "-march=native", "-ffp-contract=fast", f"-I{folder}"]
    program = str(folder / "main")
    subprocess.run(["cc", *options, str(folder / "main.c"), *linked, "-lm", "-o", program], check=True)
    found = subprocess.run([program], capture_output=True, text=True, check=True).stdout.split()
    subprocess.run(["strip", program], check=True)
    libraries = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    asks = "libm" if needs_libm(shipped, folder) else "nothing"
    others = [word for word in ("libstdc++", "libgomp") if word in libraries]
    return float(found[0]), float(found[1]), f"{', '.join([asks, *others])}; program {Path(program).stat().st_size} B"


def needs_libm(shipped: Shipped, folder: Path) -> bool:
    """Whether what was shipped calls functions of the mathematical library."""
    objects = []
    for path in shipped.linked:
        if path.suffix == ".c":
            subprocess.run(["cc", "-O3", "-march=native", "-c", str(path), "-o", str(folder / "part.o")], check=True)
            path = folder / "part.o"
        objects.append(str(path))
    asked = subprocess.run(["nm", "-u", *objects], capture_output=True, text=True, check=True).stdout.split()
    return bool({"sin", "cos", "exp", "log", "sincos", "fmax", "pow"} & set(asked))


def of_python(call: Callable[[], Any], calls: int) -> tuple[float, float]:
    value, best = float(np.asarray(call())), math.inf
    for _ in range(15):
        begin = time.perf_counter()
        for _ in range(calls // 20):
            call()
        best = min(best, (time.perf_counter() - begin) / (calls // 20))
    return 1e6 * best, value


def main() -> None:
    parser = argparse.ArgumentParser(description="what is shipped, and how fast it is")
    parser.add_argument("--ways", default=",".join(WAYS))
    parser.add_argument("--cases", default="plan,digits")
    options = parser.parse_args()
    if shutil.which("cc") is None:
        parser.error("needs cc")
    print(f"{'':8}{'':8}{'made in s':>10}{'µs a call':>11}  {'files in bytes':34}needs at run time")
    for case in options.cases.split(","):
        for way in options.ways.split(","):
            with tempfile.TemporaryDirectory() as folder:
                try:
                    print(row(case, way, Path(folder)), flush=True)
                except ImportError as error:
                    print(f"{case:8}{way:8}  not installed: {error}", flush=True)
                except Exception as error:
                    print(f"{case:8}{way:8}  {type(error).__name__}: {str(error).splitlines()[0][:110]}", flush=True)


def row(case: str, way: str, folder: Path) -> str:
    begin = time.perf_counter()
    shipped = WAYS[way](case, folder)
    made = time.perf_counter() - begin
    if isinstance(shipped.call, str):
        took, value, needs = of_program(shipped, folder)
    else:
        took, value = of_python(shipped.call, CALLS[case])
        needs = shipped.needs
    files = ", ".join(f"{path.name} {path.stat().st_size}" for path in shipped.files)
    return f"{case:8}{way:8}{made:10.2f}{took:11.2f}  {files:34}{needs}  (value {value:.6f})"


if __name__ == "__main__":
    main()
