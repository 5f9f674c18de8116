"""Cost of the algebra: gradients and Hessian-vector products as formulas, simplified, against JAX's traces of the same.

    python tests/benchmarks/algebra_cost.py [--layers 1 10 100] [--rounds 5] [--families] [--imports 15]

In: depths of a network (tanh layers of width 8 with biases, softmax, cross-entropy).  Out: a table, ms of processor
time per layer, best of the rounds and in brackets the median; each round over new leaves, for what was simplified is
remembered:

    grad     `sn.grad` of the loss by all weights and biases, simplified from door to door
    hvp      `sn.hvp`, the same for products with the Hessian
    nodes    of the loss, of the gradients together, of the products together
    × JAX    the time over that of `jax.make_jaxpr` of the same derivative in the same round: JAX traces, but simplifies
             nothing

`--families` adds other deep graphs (`tests/deep_graphs.py`), in ms per link: the last column is the time per link of
the deepest over that of the shallowest, 1 where it is linear.  `--imports` compares `import symnet` with
`import sympy`, in new processes that take turns.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import symnet as sn
from symnet.expr.nodes.graph import topological
from tests.deep_graphs import FAMILIES, WIDTH, Built, directions

LAYERS = (1, 2, 5, 10, 20, 50, 100, 200)
DEEP = (50, 100, 200, 400)
_LABELS = (f"_{n}" for n in itertools.count())


def seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    """The processor time of one call, with a clean collector, and what it gives."""
    gc.collect()
    begin = time.process_time()
    result = work()
    return time.process_time() - begin, result


def ours(built: Built, label: str) -> tuple[list[float], list[int]]:
    """Seconds for gradient and Hessian-vector product, and nodes of loss, gradient, product."""
    loss, params = built
    vectors = directions(params, label)
    first, gradient = seconds(lambda: sn.grad(loss, params))
    del gradient  # the second derivative starts from the loss, not from what is remembered of the first
    second, product = seconds(lambda: sn.hvp(loss, params, vectors))
    gradient = sn.grad(loss, params)
    return [first, second], [len(topological(*roots)) for roots in ([loss], gradient, product)]


def jax_traces(layers: int) -> Callable[[], list[float]] | None:
    """Seconds that JAX takes to trace the same derivatives; None without JAX."""
    try:
        import jax
        import jax.numpy as jnp
    except ImportError:
        return None
    X, D = np.ones((32, WIDTH)), np.eye(WIDTH)[np.zeros(32, int)]
    params = [np.ones(shape) for _ in range(layers) for shape in ((WIDTH, WIDTH), (WIDTH,))]

    def measure() -> list[float]:
        def loss(params: Sequence[Any]) -> Any:
            h = X
            for W, b in zip(params[::2], params[1::2], strict=True):
                h = jnp.tanh(h @ W + b)
            return -jnp.mean(jnp.sum(D * jax.nn.log_softmax(h), axis=1))

        def product(params: Sequence[Any], vectors: Sequence[Any]) -> Any:
            return jax.jvp(jax.grad(loss), (params,), (vectors,))[1]

        return [
            seconds(lambda: jax.make_jaxpr(jax.grad(loss))(params))[0],
            seconds(lambda: jax.make_jaxpr(product)(params, params))[0],
        ]

    measure()  # what JAX loads and compiles once
    return measure


def figure(times: Sequence[float], count: int) -> str:
    return f"{1e3 * min(times) / count:8.2f} ({1e3 * statistics.median(times) / count:5.2f})"


def network_table(layers: Sequence[int], rounds: int) -> None:
    print(f"{'layers':>6}{'nodes':>20}{'grad ms/layer':>18}{'× JAX':>8}{'hvp ms/layer':>18}{'× JAX':>8}")
    for depth in layers:
        peer = jax_traces(depth)
        mine: list[list[float]] = []
        theirs: list[list[float]] = []
        for label in itertools.islice(_LABELS, rounds):
            times, nodes = ours(FAMILIES["network"](depth, label), label)
            mine.append(times)
            theirs.append(peer() if peer else [float("nan")] * 2)
        columns = ""
        for a, b in zip(zip(*mine, strict=True), zip(*theirs, strict=True), strict=True):
            columns += figure(a, depth).rjust(18) + f"{min(a) / min(b):8.2f}"
        print(f"{depth:6}{' → '.join(map(str, nodes)):>20}{columns}", flush=True)


def family_table(rounds: int) -> None:
    print("".join([f"\n{'hvp, ms per link':18}", *(f"{depth:>9}" for depth in DEEP), f"{'growth':>9}"]))
    for name, build in FAMILIES.items():
        best = []
        for depth in DEEP:
            labels = list(itertools.islice(_LABELS, rounds))
            best.append(min(ours(build(depth, label), label)[0][1] for label in labels) / depth)
        print(f"{name:18}" + "".join(f"{1e3 * b:9.2f}" for b in best) + f"{best[-1] / best[0]:9.2f}", flush=True)


def import_seconds(module: str) -> float:
    """The processor time of an import in a new process, as that process measures it."""
    code = f"import time; begin = time.process_time(); import {module}; print(time.process_time() - begin)"
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)


def import_line(turns: int) -> None:
    pairs = [(import_seconds("symnet"), import_seconds("sympy")) for _ in range(turns)]
    mine, sympys = zip(*pairs, strict=True)
    print(
        f"\nimport symnet {1e3 * min(mine):.0f} ms, import sympy {1e3 * min(sympys):.0f} ms, best of {turns}: "
        f"× {min(mine) / min(sympys):.2f} (median × {statistics.median(a / b for a, b in pairs):.2f})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="cost of the algebra against depth")
    parser.add_argument("--layers", type=int, nargs="+", default=LAYERS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--families", action="store_true", help="other deep graphs too")
    parser.add_argument("--imports", type=int, default=15, help="turns of the imports; 0 for none")
    args = parser.parse_args()
    network_table(args.layers, args.rounds)
    if args.families:
        family_table(min(args.rounds, 2))
    if args.imports:
        import_line(args.imports)


if __name__ == "__main__":
    main()
