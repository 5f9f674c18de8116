"""The cliff hunter: a grid of operations and sizes against NumPy and JAX, of which every slow place is listed.

    python tests/benchmarks/cliffs.py [--only sum …] [--below 0.8] [--threads 1 2] [--dtypes float32 float64] [--all]

Each operation is written once and given each library's functions: bound steps of symnet with known and with symbolic
extents, NumPy, and JAX's jit where it is installed, in turns; symnet on as many threads as asked, NumPy on one, JAX on
one where `--threads 1` is all that is asked for.
Prints what is slower than the best of the peers: peer / symnet, of the best of the rounds; `--all` prints every place.
NumPy writes transposes in order, as symnet and JAX do, and does not leave them to whoever reads them.
A place is the operation, its shapes, the dtype, the threads, and whether the extents are known or symbolic.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before NumPy is loaded
os.environ["SYMNET_CACHE"] = "0"
os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_multi_thread_eigen=false"

import numpy as np
from linear_algebra import timed

import symnet as sn

ROUNDS, SECONDS_A_TURN = 7, 1.5e-3
LENGTHS = (1, 7, 17, 101, 1000, 10_000, 100_000, 1_000_000)
MATRICES = ((100_000, 7), (10_000, 17), (1000, 101), (1000, 1000), (101, 10_000), (7, 100_000))
PRODUCTS = (
    (1, 100, 100), (7, 100, 100), (15, 64, 64), (16, 64, 64), (17, 101, 101), (100, 100, 1), (1000, 100, 1),
    (100, 7, 100), (128, 128, 128), (101, 101, 101), (1000, 100, 10), (1000, 7, 7), (512, 512, 512), (10, 1000, 10),
)  # fmt: skip
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Operation:
    """A formula of leaves, the shapes to try, the range of the data, and whether extents may be symbolic."""

    formula: Callable[..., Any]
    shapes: Sequence[tuple[Shape, ...]]
    low: float = 0.1
    high: float = 0.9
    symbolic: bool = True


def lengths(count: int = 1) -> list[tuple[Shape, ...]]:
    return [((n,),) * count for n in LENGTHS]


MATRIX = [(shape,) for shape in MATRICES]
OPERATIONS: dict[str, Operation] = {
    **{
        name: Operation(lambda xp, x, name=name: getattr(xp, name)(x), lengths())
        for name in ("exp", "log", "sin", "cos", "tan", "tanh", "sqrt", "abs", "log1p", "expm1", "cbrt", "arctan")
    },
    "power": Operation(lambda xp, x, y: x**y, lengths(2)),
    "divide": Operation(lambda xp, x, y: x / y, lengths(2)),
    "multiply-add": Operation(lambda xp, x, y: x * y + x, lengths(2)),
    "maximum": Operation(lambda xp, x, y: xp.maximum(x, y), lengths(2)),
    "where": Operation(lambda xp, x, y: xp.where(x > y, x, y), lengths(2)),
    "ten tanh": Operation(lambda xp, x: _repeated(xp.tanh, x, 10), lengths()),
    "polynomial": Operation(lambda xp, x: ((((x * 0.5 - 0.3) * x + 0.1) * x - 0.7) * x + 0.2) * x, lengths()),
    "sum": Operation(lambda xp, x: xp.sum(x), lengths()),
    "max": Operation(lambda xp, x: xp.max(x), lengths()),
    "argmax": Operation(lambda xp, x: xp.argmax(x), lengths()),
    "dot": Operation(lambda xp, x, y: xp.sum(x * y), lengths(2)),
    "cumsum": Operation(lambda xp, x: xp.cumsum(x, 0), lengths()),
    "logsumexp": Operation(lambda xp, x: xp.logsumexp(x), lengths()),
    "sum of rows": Operation(lambda xp, x: xp.sum(x, axis=1), MATRIX),
    "sum of columns": Operation(lambda xp, x: xp.sum(x, axis=0), MATRIX),
    "max of rows": Operation(lambda xp, x: xp.max(x, axis=1), MATRIX),
    "argmax of rows": Operation(lambda xp, x: xp.argmax(x, axis=1), MATRIX),
    "logsumexp of rows": Operation(lambda xp, x: xp.logsumexp(x, axis=1), MATRIX),
    "softmax of rows": Operation(lambda xp, x: xp.softmax(x), MATRIX),
    "layer norm": Operation(lambda xp, x: _layer_norm(xp, x), MATRIX),
    "row plus column": Operation(lambda xp, x, r: x + r, [(s, s[1:]) for s in MATRICES]),
    "outer": Operation(lambda xp, x, y: x[:, None] * y[None, :], [((a,), (b,)) for a, b in MATRICES]),
    "reversed": Operation(lambda xp, x: x[:, ::-1] * 2.0, MATRIX),
    "every second": Operation(lambda xp, x: x[:, ::2] * 2.0, MATRIX, symbolic=False),
    "transposed": Operation(lambda xp, x: xp.ascontiguousarray(x.T) * 2.0, MATRIX),
    "differences": Operation(lambda xp, x: x[1:] - x[:-1], lengths()),
    "concat": Operation(lambda xp, x, y: xp.concatenate([x, y]), lengths(2)),
    "product": Operation(lambda xp, a, b: a @ b, [((m, k), (k, n)) for m, k, n in PRODUCTS]),
    "product, transposed": Operation(lambda xp, a, b: a.T @ b, [((k, m), (k, n)) for m, k, n in PRODUCTS]),
    "product by a transpose": Operation(lambda xp, a, b: a @ b.T, [((m, k), (n, k)) for m, k, n in PRODUCTS]),
    "Gram of rows": Operation(lambda xp, a: a @ a.T, [((64, 64),), ((128, 1000),), ((512, 256),)]),
    "Gram of columns": Operation(lambda xp, a: a.T @ a, [((64, 64),), ((1000, 128),), ((512, 256),)]),
    "matrix times vector": Operation(lambda xp, a, x: a @ x, [((m, k), (k,)) for m, k in MATRICES]),
    "vector times matrix": Operation(lambda xp, x, a: x @ a, [((m,), (m, k)) for m, k in MATRICES]),
    "solve": Operation(lambda xp, a, b: xp.solve(a + 3.0, b), [((n, n), (n, 1)) for n in (2, 3, 8, 17, 64, 256)]),
    "solves": Operation(lambda xp, a, b: xp.solve(a, b), [((1000, n, n), (1000, n, 1)) for n in (2, 3, 8)]),
}  # fmt: skip


def _repeated(function: Callable[[Any], Any], x: Any, times: int) -> Any:
    for _ in range(times):
        x = function(x)
    return x


def _layer_norm(xp: Any, x: Any) -> Any:
    away = x - xp.mean(x, axis=1, keepdims=True)
    return away / xp.sqrt(xp.mean(away * away, axis=1, keepdims=True) + 1e-5)


# --------------------------------------------------------------------------- libraries


def ours() -> SimpleNamespace:
    names = (
        "exp log sin cos tan tanh sqrt abs log1p expm1 cbrt maximum where sum max argmax cumsum logsumexp softmax mean "
        "solve"
    )
    spelled = {"arctan": sn.atan, "concatenate": sn.concat, "ascontiguousarray": lambda x: x}
    return SimpleNamespace(**{name: getattr(sn, name) for name in names.split()}, **spelled)


def numpy_functions() -> SimpleNamespace:
    def logsumexp(x: Any, axis: int | None = None) -> Any:
        most = np.max(x, axis=axis, keepdims=True)
        return np.log(np.sum(np.exp(x - most), axis=axis)) + np.squeeze(most, axis)

    def softmax(x: Any) -> Any:
        e = np.exp(x - np.max(x, axis=-1, keepdims=True))
        return e / np.sum(e, axis=-1, keepdims=True)

    return SimpleNamespace(**{**vars(np), **vars(np.linalg), "logsumexp": logsumexp, "softmax": softmax})


def jax_functions() -> SimpleNamespace | None:
    try:
        import jax
        import jax.numpy as jnp
    except ImportError:
        return None
    jax.config.update("jax_enable_x64", True)
    more = {"logsumexp": jax.nn.logsumexp, "softmax": jax.nn.softmax, "solve": jnp.linalg.solve}
    more["ascontiguousarray"] = jnp.asarray
    return SimpleNamespace(**{**vars(jnp), **more}, jit=jax.jit)


# --------------------------------------------------------------------------- measuring


def steps(op: Operation, shapes: tuple[Shape, ...], dtype: str, threads: int) -> dict[str, Callable[[], Any]]:
    """The contenders; of symnet's, `symbolic` has a dim for the first extent of every leaf that shares it."""
    rng = np.random.default_rng(0)
    data = [rng.uniform(op.low, op.high, shape).astype(dtype) for shape in shapes]
    for array in data:  # diagonals for what is solved
        if array.ndim >= 2 and array.shape[-1] == array.shape[-2]:
            array += 3 * np.eye(array.shape[-1], dtype=dtype)
    found: dict[str, Callable[[], Any]] = {}
    for kind in ("known", "symbolic") if op.symbolic else ("known",):
        leaves = _leaves(shapes, symbolic=kind == "symbolic")
        made = sn.compile(op.formula(ours(), *leaves), dtype=dtype, threads=threads)
        found[kind] = made.bind(**{leaf.name: array for leaf, array in zip(leaves, data, strict=True)})
    found["NumPy"] = lambda: op.formula(numpy_functions_, *data)
    if jax_ is not None:
        traced = jax_.jit(lambda *arrays: op.formula(jax_, *arrays))
        arrays = [jax_.asarray(array) for array in data]
        found["JAX"] = lambda: traced(*arrays).block_until_ready()
    return found


def _leaves(shapes: tuple[Shape, ...], symbolic: bool) -> list[Any]:
    dims: dict[int, Any] = {}
    made = []
    for number, shape in enumerate(shapes):
        extents: list[Any] = [dims.setdefault(n, sn.dim(f"n{n}")) if symbolic and n > 1 else n for n in shape]
        made.append(sn.tensor(f"x{number}", *extents))
    return made


numpy_functions_ = numpy_functions()
jax_ = jax_functions()


def best_times(works: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """Microseconds of a call, the best of some turns."""
    return dict(zip(works, timed(list(works.values()), ROUNDS, SECONDS_A_TURN), strict=True))


def places(options: argparse.Namespace) -> Iterator[tuple[str, str, dict[str, float]]]:
    for name, op in OPERATIONS.items():
        if options.only and name not in options.only:
            continue
        for shapes in op.shapes:
            for dtype in options.dtypes:
                for threads in options.threads:
                    where = f"{' '.join(map(_text, shapes))} {dtype} {threads}"
                    yield name, where, best_times(steps(op, shapes, dtype, threads))


def _text(shape: Shape) -> str:
    return "×".join(map(str, shape))


def main() -> None:
    parser = argparse.ArgumentParser(description="where symnet is slower than its peers")
    parser.add_argument("--only", nargs="+", choices=list(OPERATIONS))
    parser.add_argument("--below", type=float, default=0.8)
    parser.add_argument("--threads", type=int, nargs="+", default=[1])
    parser.add_argument("--dtypes", nargs="+", default=["float32", "float64"])
    parser.add_argument("--all", action="store_true")
    options = parser.parse_args()
    if options.threads == [1] and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # JAX has no other way to be told
    tried = slow = 0
    print(f"{'operation':24}{'place':34}{'extents':10}{'µs':>10}{'NumPy':>8}{'JAX':>8}")
    for name, where, times in places(options):
        for kind in (k for k in ("known", "symbolic") if k in times):
            ratios = {peer: times[peer] / times[kind] for peer in ("NumPy", "JAX") if peer in times}
            tried, is_slow = tried + 1, min(ratios.values()) < options.below
            slow += is_slow
            if is_slow or options.all:
                line = "".join(f"{ratios[p]:8.2f}" if p in ratios else f"{'':>8}" for p in ("NumPy", "JAX"))
                print(f"{name:24}{where:34}{kind:10}{times[kind]:10.2f}{line}", flush=True)
    print(f"{slow} of {tried} places are below {options.below}")


if __name__ == "__main__":
    main()
