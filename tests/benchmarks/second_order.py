"""Hessians, products with them, and gradients sample by sample: symnet against NumPy by hand and JAX, in one run.

    python tests/benchmarks/second_order.py [--rounds 20] [--only logistic factorisation per_sample hvp]

One thread.  The contenders take turns in every round, so that noise of the machine falls on all of them.  Prints best
and median in microseconds, and the ratio of the medians to symnet's.  No time without the same numbers.
"""

# ruff: noqa: E402  (libraries read the environment when they are imported)

from __future__ import annotations

import argparse
import os
import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):  # read when the libraries start
    os.environ.setdefault(_name, "1")
os.environ |= {"JAX_PLATFORMS": "cpu", "JAX_ENABLE_X64": "1", "SYMNET_CACHE": "0"}
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import numpy as np
from gradient_steps import interleaved
from models import installed

import symnet as sn

Arrays = dict[str, np.ndarray]
Step = Callable[[], Any]


@dataclass(frozen=True)
class Task:
    """What is measured: symnet's steps (the first is the yardstick), and those of the peers, from the same data."""

    name: str
    data: Arrays
    ours: Callable[[Arrays], dict[str, Step]]
    peers: dict[str, Callable[[Arrays], Step]]


# --------------------------------------------------------------------------- the Hessian of logistic regression


def logistic(rng: np.random.Generator) -> Task:
    data = {"X": rng.normal(size=(512, 256)), "w": rng.normal(size=256) / 16, "d": rng.integers(0, 2, 512) * 1.0}
    return Task("logistic Hessian, 512 x 256", data, logistic_symnet, {"numpy": logistic_numpy, "jax": logistic_jax})


def logistic_symnet(data: Arrays) -> dict[str, Step]:
    m = sn.dim("m")
    X, w, d = sn.tensor("X", m, 256), sn.tensor("w", 256), sn.tensor("d", m, unit=True)
    f = sn.compile(sn.hessian(sn.mean(sn.binary_cross_entropy(sn.sigmoid(X @ w), d)), w), threads=1)
    return {"symnet": f.bind(**{name: data[name] for name in f.inputs})}


def logistic_numpy(data: Arrays) -> Step:
    X, w = data["X"], data["w"]

    def step() -> Any:
        s = 1 / (1 + np.exp(-(X @ w)))
        return X.T @ (X * (s * (1 - s) / len(X))[:, None])

    return step


def logistic_jax(data: Arrays) -> Step:
    import jax
    import jax.numpy as jnp

    def loss(w: Any, X: Any, d: Any) -> Any:
        z = X @ w
        return jnp.mean(jnp.logaddexp(0, z) - d * z)

    return jax_step(jax.hessian(loss), data["w"], data["X"], data["d"])


# --------------------------------------------------------------------------- the Hessian of a factorisation


def factorisation(rng: np.random.Generator) -> Task:
    shapes = {"T": (100, 80), "U": (100, 5), "V": (80, 5)}
    data = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    peers = {"numpy": factorisation_numpy, "jax": factorisation_jax}
    return Task("Hessian of ‖T - UVᵀ‖², U 100 x 5", data, factorisation_symnet, peers)


def factorisation_symnet(data: Arrays) -> dict[str, Step]:
    T, U, V = (sn.tensor(name, *array.shape) for name, array in data.items())
    H = sn.hessian(((T - U @ V.T) ** 2).sum(), U)
    dense, compressed = (
        sn.compile(H, threads=1).bind(V=data["V"]),
        sn.compile(H, compressed=True, threads=1).bind(V=data["V"]),
    )
    vector = data["U"]
    return {
        "symnet": dense,
        "symnet, factors": compressed,
        "symnet, factors, then dense()": lambda: compressed().dense(),
        "symnet, factors, then matvec": lambda: compressed().matvec(vector),
    }


def factorisation_numpy(data: Arrays) -> Step:
    V = data["V"]

    def step() -> Any:
        out = np.zeros((100, 5, 100, 5))
        np.einsum("ijil->ijl", out)[...] = 2 * V.T @ V
        return out

    return step


def factorisation_jax(data: Arrays) -> Step:
    import jax
    import jax.numpy as jnp

    return jax_step(jax.hessian(lambda U, V, T: jnp.sum((T - U @ V.T) ** 2)), data["U"], data["V"], data["T"])


# --------------------------------------------------------------------------- a gradient for every sample


def per_sample(rng: np.random.Generator) -> Task:
    shapes = {"X": (100_000, 2), "t": (100_000, 1), "W1": (2, 4), "b1": (4,), "W2": (4, 1), "b2": (1,)}
    data = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    return Task("per-sample gradients, 2-4-1, 1e5", data, per_sample_symnet, {"jax": per_sample_jax})


def per_sample_symnet(data: Arrays) -> dict[str, Step]:
    m = sn.dim("m")
    leaves = {name: sn.tensor(name, *((m, a.shape[1]) if name in "Xt" else a.shape)) for name, a in data.items()}
    X, t, W1, b1, W2, b2 = leaves.values()
    losses = sn.l2(sn.tanh(X @ W1 + b1) @ W2 + b2, t)  # (m,)
    f = sn.compile(sn.jacobian(losses, [W1, b1, W2, b2]), threads=1)
    return {"symnet": f.bind(**{name: data[name] for name in f.inputs})}


def per_sample_jax(data: Arrays) -> Step:
    import jax
    import jax.numpy as jnp

    def loss(params: Any, x: Any, t: Any) -> Any:
        W1, b1, W2, b2 = params
        return jnp.sum((jnp.tanh(x @ W1 + b1) @ W2 + b2 - t) ** 2) / 2

    each = jax.vmap(jax.grad(loss), in_axes=(None, 0, 0))
    return jax_step(each, [data[name] for name in ("W1", "b1", "W2", "b2")], data["X"], data["t"])


# --------------------------------------------------------------------------- a Hessian-vector product


PARAMS = ("W1", "b1", "W2", "b2")


def hvp(rng: np.random.Generator) -> Task:
    shapes = {"W1": (64, 128), "b1": (128,), "W2": (128, 10), "b2": (10,)}
    data = {"X": rng.random((256, 64)), "D": np.eye(10)[rng.integers(0, 10, 256)]}
    data |= {name: rng.normal(size=shape) / 8 for name, shape in shapes.items()}
    data |= {f"v{name}": rng.normal(size=shape) for name, shape in shapes.items()}
    data = {name: array.astype(np.float32) for name, array in data.items()}
    return Task("Hessian-vector product, 64-128-10, 256", data, hvp_symnet, {"jax": hvp_jax})


def hvp_symnet(data: Arrays) -> dict[str, Step]:
    m = sn.dim("m")
    X, D = sn.tensor("X", m, 64), sn.tensor("D", m, 10, one_hot=True)
    W1, b1, W2, b2 = params = [sn.tensor(name, *data[name].shape) for name in PARAMS]
    loss = sn.mean(sn.cross_entropy(sn.softmax(sn.tanh(X @ W1 + b1) @ W2 + b2), D))
    vectors = [sn.tensor(f"v{name}", *data[name].shape) for name in PARAMS]
    f = sn.compile(sn.hvp(loss, params, vectors), dtype="float32", threads=1)
    return {"symnet": f.bind(**{name: data[name] for name in f.inputs})}


def hvp_jax(data: Arrays) -> Step:
    import jax
    import jax.numpy as jnp

    def loss(params: Any, x: Any, t: Any) -> Any:
        w1, b1, w2, b2 = params
        return -jnp.mean(jnp.sum(t * jax.nn.log_softmax(jnp.tanh(x @ w1 + b1) @ w2 + b2), axis=1))

    def product(params: Any, vectors: Any, x: Any, t: Any) -> Any:
        return jax.jvp(lambda p: jax.grad(loss)(p, x, t), (params,), (vectors,))[1]

    vectors = [data[f"v{name}"] for name in PARAMS]
    return jax_step(product, [data[name] for name in PARAMS], vectors, data["X"], data["D"])


# --------------------------------------------------------------------------- measuring


def jax_step(function: Callable[..., Any], *args: Any) -> Step:
    import jax

    compiled, on_device = jax.jit(function), jax.device_put(args)
    return lambda: jax.block_until_ready(compiled(*on_device))


TASKS = {"logistic": logistic, "factorisation": factorisation, "per_sample": per_sample, "hvp": hvp}


def as_list(result: Any) -> list[np.ndarray]:
    return [np.asarray(a) for a in (result if isinstance(result, (list, tuple)) else [result])]


def check_agreement(ours: Step, peer: Step, name: str) -> None:
    for a, b in zip(as_list(ours()), as_list(peer()), strict=True):
        error = np.max(np.abs(a - b)) / np.max(np.abs(b))
        assert error < 1e-4, (name, float(error))


def measure(task: Task, rounds: int) -> None:
    steps = task.ours(task.data)
    for peer, make in task.peers.items():
        if installed(peer):
            steps[peer] = make(task.data)
            check_agreement(steps["symnet"], steps[peer], peer)
    times = interleaved(steps, rounds)
    own = statistics.median(times["symnet"])
    for name, each in times.items():
        median = statistics.median(each)
        print(f"{task.name:40} {name:30} {1e6 * min(each):9.1f} {1e6 * median:10.1f} {median / own:9.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--only", nargs="+", choices=TASKS, default=list(TASKS))
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    print(f"{'task':40} {'contender':30} {'best µs':>9} {'median µs':>10} {'÷ symnet':>9}")
    for name in options.only:
        measure(TASKS[name](np.random.default_rng(0)), options.rounds)


if __name__ == "__main__":
    sys.exit(main())
