"""Two checkouts on the same formulas: steps, compile time, import time, lines.

    git worktree add ../before COMMIT
    python tests/benchmarks/checkouts.py ../before [--pairs 9] [--models n3 lstm …]

Each checkout is a process of its own that holds its compiled steps; the two take turns of some milliseconds, in
changing order, so that the machine's noise falls on both.  Their results must agree before anything is timed.  Bound
steps on one thread, nothing from the cache.  Ratios are the other's time ÷ this one's (above 1: it is faster), the
median over several pairs of fresh processes and its quartiles: the same code is faster or slower by where its stack and
its buffers happen to lie.  Compile times are of whole builds in fresh processes, in turns, the best of each.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parents[2]
SECONDS_A_TURN = 4e-3
Made = tuple[list[Any], dict[str, np.ndarray]]  # what is compiled, and its data


def trained(name: str) -> Callable[..., Made]:
    """A model of `models.py`, which imports the `symnet` of the checkout that this process is of."""

    def made(sn: Any, rng: np.random.Generator) -> Made:
        sys.path.append(str(Path(__file__).parent))
        import models

        model = models.MODELS[name]()
        return with_gradients(sn, model.loss, model.params), model.data

    return made


def lstm(sn: Any, rng: np.random.Generator) -> Made:
    """Five steps of 32 units over a batch of 16."""
    units, rows, steps = 32, 16, 5
    U, V, b = sn.tensor("U", units, 4 * units), sn.tensor("V", units, 4 * units), sn.tensor("b", 4 * units)
    h, c = sn.tensor("h", rows, units), sn.tensor("c", rows, units)
    inputs = [sn.tensor(f"x{t}", rows, units) for t in range(steps)]
    state, cell = h, c
    for x in inputs:
        z = x @ U + state @ V + b
        i, f, o = (sn.sigmoid(z[:, k * units : (k + 1) * units]) for k in range(3))
        cell = f * cell + i * sn.tanh(z[:, 3 * units :])
        state = o * sn.tanh(cell)
    shapes: dict[str, tuple[int, ...]] = {"U": (units, 4 * units), "V": (units, 4 * units), "b": (4 * units,)}
    shapes |= dict.fromkeys(("h", "c", *(f"x{t}" for t in range(steps))), (rows, units))
    return with_gradients(sn, sn.mean(state**2), [U, V, b]), normal(rng, shapes, np.float32, 0.2)


def attention(sn: Any, rng: np.random.Generator) -> Made:
    """One causal-free head, layer norm and a residual: 32 tokens of width 48."""
    tokens, width = 32, 48
    X = sn.tensor("X", tokens, width)
    names = ("Q", "K", "V", "O")
    params = [sn.tensor(name, width, width) for name in names]
    Q, K, V, out = params
    C = X - sn.mean(X, axis=1)[:, None]
    Z = C / sn.sqrt(sn.mean(C**2, axis=1) + 1e-5)[:, None]
    A = sn.softmax((Z @ Q) @ (Z @ K).T / math.sqrt(width))
    loss = sn.mean((X + A @ (Z @ V) @ out) ** 2)
    data = normal(rng, {"X": (tokens, width)} | dict.fromkeys(names, (width, width)), np.float32, 0.2)
    return with_gradients(sn, loss, params), data


def mixture(sn: Any, rng: np.random.Generator) -> Made:
    """Log-likelihood of 8 Gaussians in 3 dimensions at 1000 points, float64."""
    X, M, a, s = sn.tensor("X", sn.dim("m"), 3), sn.tensor("M", 8, 3), sn.tensor("a", 8), sn.tensor("s", 8)
    squares = sn.sum((X[:, None, :] - M[None]) ** 2, axis=2)
    loss = -sn.mean(sn.logsumexp(sn.log_softmax(a) - squares * sn.exp(-2 * s) / 2 - 3 * s, axis=1))
    return with_gradients(sn, loss, [M, a, s]), normal(rng, {"X": (1000, 3), "M": (8, 3), "a": (8,), "s": (8,)})


def logistic_hessian(sn: Any, rng: np.random.Generator) -> Made:
    X, y, w = sn.tensor("X", sn.dim("m"), 12), sn.tensor("y", sn.dim("m")), sn.tensor("w", 12)
    loss = sn.mean(sn.softplus(X @ w) - y * (X @ w))
    data = normal(rng, {"X": (500, 12), "w": (12,)}) | {"y": rng.integers(0, 2, 500).astype(float)}
    return [loss, sn.grad(loss, w), sn.hessian(loss, w)], data


def cox(sn: Any, rng: np.random.Generator) -> Made:
    X, w = sn.tensor("X", sn.dim("m"), 8), sn.tensor("w", 8)
    eta = X @ w
    loss = -sn.mean(eta - sn.log(sn.cumsum(sn.exp(eta))))
    return with_gradients(sn, loss, [w]), normal(rng, {"X": (1000, 8), "w": (8,)})


def scalar_field(sn: Any, rng: np.random.Generator) -> Made:
    """Rosenbrock's function of many variables: stencils."""
    x = sn.tensor("x", 1000)
    loss = sn.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)
    return with_gradients(sn, loss, [x]), normal(rng, {"x": (1000,)})


def embedding(sn: Any, rng: np.random.Generator) -> Made:
    E, i, t = sn.tensor("E", 5000, 32), sn.tensor("i", sn.dim("m"), dtype="int64"), sn.tensor("t", sn.dim("m"), 32)
    loss = sn.mean((sn.take(E, i) - t) ** 2)
    data = normal(rng, {"E": (5000, 32), "t": (1000, 32)}, np.float32)
    return with_gradients(sn, loss, [E]), data | {"i": rng.integers(0, 5000, 1000)}


def solve(sn: Any, rng: np.random.Generator) -> Made:
    A, b = sn.tensor("A", 32, 32), sn.tensor("b", 32)
    loss = sn.sum(sn.solve(A, b) ** 2)
    data = normal(rng, {"A": (32, 32), "b": (32,)})
    data["A"] += 8 * np.eye(32)
    return with_gradients(sn, loss, [A, b]), data


def mapped(name: str, dtype: type, positive: bool = False) -> Callable[..., Made]:
    """One function of 4000 numbers."""

    def made(sn: Any, rng: np.random.Generator) -> Made:
        x = sn.tensor("x", 4000)
        data = normal(rng, {"x": (4000,)}, dtype)
        return [getattr(sn, name)(x)], {"x": np.abs(data["x"]) + dtype(0.1)} if positive else data

    return made


def reduced(name: str, *shape: int, axis: int | None = None) -> Callable[..., Made]:
    def made(sn: Any, rng: np.random.Generator) -> Made:
        x = sn.tensor("x", sn.dim("m"), *shape[1:])
        return [getattr(sn, name)(x, axis=axis)], normal(rng, {"x": shape})

    return made


def product(dtype: type, *sizes: int) -> Callable[..., Made]:
    def made(sn: Any, rng: np.random.Generator) -> Made:
        rows, inner, columns = sizes
        A, B = sn.tensor("A", rows, inner), sn.tensor("B", inner, columns)
        return [A @ B], normal(rng, {"A": (rows, inner), "B": (inner, columns)}, dtype)

    return made


MODELS: dict[str, Callable[..., Made]] = {
    **{name: trained(name) for name in ("n3", "digits32", "digits256")},
    "lstm": lstm,
    "attention": attention,
    "mixture": mixture,
    "logistic_hessian": logistic_hessian,
    "cox": cox,
    "rosenbrock": scalar_field,
    "embedding": embedding,
    "solve": solve,
    "product_f32": product(np.float32, 128, 128, 128),
    "product_f64": product(np.float64, 128, 128, 128),
    "product_thin": product(np.float64, 1000, 32, 1),
    "sum": reduced("sum", 10_000, 8, axis=0),
    "sum_rows": reduced("sum", 1000, 64, axis=1),
    "max": reduced("max", 1000, 64, axis=1),
    "softmax": reduced("softmax", 500, 10, axis=1),
    "logsumexp": reduced("logsumexp", 500, 10, axis=1),
    "cumsum": reduced("cumsum", 1000, 16, axis=0),
    **{f"{name}_f32": mapped(name, np.float32) for name in ("exp", "tanh", "sin", "erf", "sigmoid")},
    **{f"{name}_f64": mapped(name, np.float64) for name in ("exp", "tanh", "sin", "erf", "sigmoid")},
    **{f"{name}_f64": mapped(name, np.float64, positive=True) for name in ("log", "sqrt", "loggamma", "log1p")},
}


def with_gradients(sn: Any, loss: Any, params: list[Any]) -> list[Any]:
    return [loss, *(sn.grad(loss, p) for p in params)]


def normal(
    rng: np.random.Generator, shapes: dict[str, tuple[int, ...]], dtype: type = np.float64, size: float = 1
) -> dict[str, np.ndarray]:
    return {name: (rng.normal(size=shape) * size).astype(dtype) for name, shape in shapes.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=Path, help="a folder that holds the other checkout")
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=list(MODELS))
    parser.add_argument("--pairs", type=int, default=9, help="pairs of fresh processes for each model")
    parser.add_argument("--rounds", type=int, default=6, help="turns of either process")
    parser.add_argument("--compiles", type=int, default=3, help="builds of each model in fresh processes; 0 for none")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        serve()
        return
    trees = [options.other.resolve(), HERE]
    print(f"lines of symnet/: {lines(trees[0])}, {lines(trees[1])}; ratios are {trees[0].name} / this\n")
    print(f"import: {ratio_of_imports(trees)}\n")
    print("| model | this, µs | step | compiled in, s | compile |\n|---|---|---|---|---|")
    steps, compiles = [], []
    for name in options.models:
        quotients, own = ratios_of_steps(trees, name, options)
        built = best_builds(trees, name, options.compiles)
        steps.append(statistics.median(quotients))
        low, _, high = statistics.quantiles(quotients, n=4)
        cells = [name, f"{own * 1e6:.3g}", f"{steps[-1]:.2f} ({low:.2f} … {high:.2f})"]
        if built:
            compiles.append(built[0] / built[1])
            cells += [f"{built[1]:.2f}", f"{compiles[-1]:.2f}"]
        print("| " + " | ".join(cells) + " |", flush=True)
    print(f"\ngeometric mean: steps {statistics.geometric_mean(steps):.2f}", end="")
    print(f", compile {statistics.geometric_mean(compiles):.2f}" if compiles else "")


class Child:
    """A process that holds the steps of one checkout."""

    def __init__(self, tree: Path) -> None:
        one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        environment = os.environ | one | {"PYTHONPATH": str(tree), "SYMNET_CACHE": "0"}
        command = [sys.executable, "-P", __file__, str(tree), "--child"]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=tree
        )

    def ask(self, *question: Any) -> Any:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit("a checkout's process has ended")
        return json.loads(answer)

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def serve() -> None:
    """Answers `build MODEL` by seconds and a checksum, `run SECONDS` by the seconds of a call."""
    step: Any = None
    for line in sys.stdin:
        order, argument = json.loads(line)
        if order == "build":
            seconds, step = built(argument)
            answer: Any = [seconds, checksum(step)]
        else:
            answer = turn(step, argument)
        print(json.dumps(answer), flush=True)


def built(name: str) -> tuple[float, Any]:
    """A bound step, and how long it took from the formula."""
    import symnet as sn

    begin = time.perf_counter()
    formulas, data = MODELS[name](sn, np.random.default_rng(0))
    dtype = "float32" if any(a.dtype == np.float32 for a in data.values()) else "float64"
    function = sn.compile(formulas, dtype=dtype, threads=1)
    return time.perf_counter() - begin, function.bind(**data)


def checksum(step: Any) -> list[float]:
    """The sum of the magnitudes of each result."""
    results = step()
    results = results if isinstance(results, list | tuple) else [results]
    return [float(np.sum(np.abs(np.asarray(r, dtype=float)))) for r in results]


def turn(step: Any, seconds: float) -> float:
    """Of one call, within a turn: the least of its batches."""
    begin = time.perf_counter()
    step()
    count = max(1, int(seconds / 4 / max(time.perf_counter() - begin, 1e-7)))
    least = math.inf
    for _ in range(4):
        begin = time.perf_counter()
        for _ in range(count):
            step()
        least = min(least, (time.perf_counter() - begin) / count)
    return least


def ratios_of_steps(trees: list[Path], name: str, options: Any) -> tuple[list[float], float]:
    """The other's time ÷ this one's for every pair of processes, and this one's median."""
    pairs = [pair(trees, name, options.rounds, turned=bool(k % 2)) for k in range(options.pairs)]
    # the k-th best of one is set against the k-th best of the other, for where the stack lies decides on some kernels
    before, after = (sorted(times) for times in zip(*pairs, strict=True))
    return [b / a for b, a in zip(before, after, strict=True)], statistics.median(after)


def pair(trees: list[Path], name: str, rounds: int, turned: bool) -> tuple[float, float]:
    """The median over rounds of either checkout, each in a fresh process."""
    with Child(trees[0]) as before, Child(trees[1]) as after:
        sums = [child.ask("build", name)[1] for child in (before, after)]
        np.testing.assert_allclose(sums[0], sums[1], rtol=2e-4, err_msg=f"the checkouts differ in {name}")
        times: dict[Child, list[float]] = {before: [], after: []}
        for round_ in range(rounds + 1):
            for child in (before, after) if turned == bool(round_ % 2) else (after, before):
                times[child].append(child.ask("run", SECONDS_A_TURN))
        return statistics.median(times[before][1:]), statistics.median(times[after][1:])  # the first warms up


def best_builds(trees: list[Path], name: str, count: int) -> list[float]:
    """The best time of a build for each checkout, each in a fresh process."""
    times: list[list[float]] = [[], []]
    for _ in range(count):
        for found, tree in zip(times, trees, strict=True):
            with Child(tree) as child:
                found.append(child.ask("build", name)[0])
    return [min(found) for found in times] if count else []


def ratio_of_imports(trees: list[Path], rounds: int = 9) -> str:
    """`import symnet` in fresh processes, in turns."""
    times: list[list[float]] = [[], []]
    code = "import time; t = time.perf_counter(); import symnet; print(time.perf_counter() - t)"
    for _ in range(rounds):
        for found, tree in zip(times, trees, strict=True):
            command = [sys.executable, "-P", "-c", code]
            environment = os.environ | {"PYTHONPATH": str(tree)}
            done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tree, env=environment)
            found.append(float(done.stdout))
    before, after = (min(found) for found in times)
    return f"{after * 1e3:.0f} ms, ratio {before / after:.2f}"


def lines(tree: Path) -> int:
    return sum(len(path.read_text().splitlines()) for path in (tree / "symnet").rglob("*.py"))


if __name__ == "__main__":
    main()
