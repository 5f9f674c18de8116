"""A step of training, in whole epochs: `sn.fit` against JAX and PyTorch, in one interleaved run.

    python tests/benchmarks/training.py [--models "digits SGD" …] [--threads 1] [--rounds 5] [--compile]

Every contender shuffles the samples for each epoch, gathers the batches, computes the loss and the gradients, and moves
the parameters, in float32:

- symnet: `sn.fit`, the time of its loop;
- JAX, a loop of Python's over a jitted step that gathers, with buffers donated;
- JAX, one jitted `lax.scan` over an epoch, the best that it can do: nothing can look at a run in the middle of one;
- PyTorch with its own optimiser, in eager mode; with `--compile` also the gradient by `torch.compile`.

Prints the best time of a step in microseconds, and the ratio to symnet's.  Before that the losses of an epoch without
shuffling are compared.  Each number of threads runs in a process of its own, because the peers read theirs when they
start.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
SECONDS_A_ROUND = 0.3
DECAY = 0.01  # of weights, by AdamW
Losses = Callable[[int, bool], list[float]]  # epochs, whether to shuffle → the losses of all steps


@dataclass(frozen=True)
class Training:
    """A loss in terms of a namespace of functions, parameters by shape, data, and how they are trained."""

    loss: Callable[[Any, dict[str, Any]], Any]
    params: dict[str, tuple[int, ...]]
    data: dict[str, np.ndarray]
    batch: int
    rule: str = "SGD"
    fixed: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        return 0.05 if self.rule == "SGD" else 1e-3

    @property
    def decay(self) -> float:
        return DECAY if self.rule == "AdamW" else 0.0

    def start(self) -> dict[str, np.ndarray]:
        rng = np.random.default_rng(1)
        return {
            name: (rng.standard_normal(shape) / np.sqrt(shape[0])).astype(np.float32) * (len(shape) > 1)
            + np.float32(name[:1] == "s")  # scales begin with 1
            for name, shape in self.params.items()
        }

    @property
    def count(self) -> int:
        return len(next(iter(self.data.values())))

    def orders(self, epochs: int, shuffle: bool) -> list[np.ndarray]:
        rng = np.random.default_rng(0)
        return [rng.permutation(self.count) if shuffle else np.arange(self.count) for _ in range(epochs)]

    def batches(self, order: np.ndarray) -> np.ndarray:
        """The full batches of an epoch, one in a row."""
        full = len(order) // self.batch
        return order[: full * self.batch].reshape(full, self.batch).astype(np.int32)


def network(widths: tuple[int, ...], activation: str, count: int, batch: int, rule: str = "SGD") -> Training:
    """Dense layers, softmax, cross-entropy with one-hot targets."""
    from flagship_models import dense

    rng, (loss, params) = np.random.default_rng(0), dense(widths, activation)
    data = {
        "X": rng.random((count, widths[0]), np.float32),
        "D": np.eye(widths[-1], dtype=np.float32)[rng.integers(0, widths[-1], count)],
    }
    return Training(loss, params, data, batch, rule)


def logistic() -> Training:
    """Logistic regression of 100 features."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((100_000, 100), np.float32)
    data = {"X": x, "t": (x @ rng.standard_normal(100) > 0).astype(np.float32)}

    def loss(f: Any, a: dict[str, Any]) -> Any:
        z = a["X"] @ a["w"][:, None]
        return f.mean(f.softplus(z[:, 0]) - a["t"] * z[:, 0])

    return Training(loss, {"w": (100,)}, data, 256)


def gpt_nano() -> Training:
    """Three blocks, 48 wide, 3 heads, 11 tokens (`deep_models.py`), trained with AdamW."""
    from deep_models import gpt_nano

    case, rng = gpt_nano(), np.random.default_rng(0)
    kinds = np.eye(3, dtype=np.float32)
    data = {name: kinds[rng.integers(0, 3, (8192, 11))] for name in ("X", "D")}
    mask = np.triu(np.full((11, 11), -1e9, np.float32), 1)
    return Training(case.loss, case.params, data, 64, "AdamW", {"M": mask})


MODELS: dict[str, Callable[[], Training]] = {
    "digits SGD": lambda: network((64, 128, 10), "tanh", 1797, 32),
    "digits Adam": lambda: network((64, 128, 10), "tanh", 1797, 32, "Adam"),
    "logistic": logistic,
    "784-512-512-10": lambda: network((784, 512, 512, 10), "relu", 4096, 128),
    "gpt-nano AdamW": gpt_nano,
}


# --------------------------------------------------------------------------- contenders


def of_symnet(training: Training, threads: int) -> Losses:
    from flagship_models import OURS as f

    import symnet as sn

    m = sn.dim("m")
    leaves = {name: sn.tensor(name, m, *array.shape[1:]) for name, array in training.data.items()}
    leaves |= {name: sn.tensor(name, *shape) for name, shape in training.params.items()}
    leaves |= {name: sn.constant(array.astype(np.float64)) for name, array in training.fixed.items()}
    loss, start = training.loss(f, leaves), training.start()
    more = {"weight_decay": DECAY} if training.rule == "AdamW" else {}
    optimizer = getattr(sn, training.rule)(training.rate, **more)

    def run(epochs: int, shuffle: bool) -> list[float]:
        found = sn.fit(
            loss, start, training.data, optimizer=optimizer, batch_size=training.batch, epochs=epochs, shuffle=shuffle,
            drop_last=True, dtype="float32", threads=threads, progress=False,
        )  # fmt: skip
        return found.history.step_loss

    return run


def of_jax(training: Training, scan: bool) -> Losses:
    import jax
    import jax.numpy as jnp
    from flagship_models import jax_functions

    f = jax_functions()
    fixed = {name: jnp.asarray(array) for name, array in training.fixed.items()}
    data = {name: jnp.asarray(array) for name, array in training.data.items()}
    tree, rate = jax.tree_util.tree_map, training.rate

    def step(state: Any, chosen: Any, data: Any) -> Any:
        params, mean, square, t = state
        batch = {name: array[chosen] for name, array in data.items()}
        value, g = jax.value_and_grad(lambda p: training.loss(f, {**p, **batch, **fixed}))(params)
        if training.rule == "SGD":
            return (tree(lambda w, g: w - rate * g, params, g), mean, square, t), value
        t = t + 1
        mean = tree(lambda m, g: m + 0.1 * (g - m), mean, g)
        square = tree(lambda v, g: v + 0.001 * (g * g - v), square, g)
        fix1, fix2 = 1 / (1 - 0.9**t), 1 / (1 - 0.999**t)
        params = tree(
            lambda w, m, v: w - rate * training.decay * w - rate * (m * fix1) / (jnp.sqrt(v * fix2) + 1e-8),
            params,
            mean,
            square,
        )
        return (params, mean, square, t), value

    one = jax.jit(step, donate_argnums=0)
    whole = jax.jit(
        lambda state, rows, data: jax.lax.scan(lambda s, r: step(s, r, data), state, rows), donate_argnums=0
    )

    def begin() -> Any:
        params = {name: jnp.asarray(array) for name, array in training.start().items()}
        zeros = [tree(jnp.zeros_like, params) if training.rule != "SGD" else 0.0 for _ in range(2)]
        return params, *zeros, jnp.zeros((), jnp.float32)

    def run(epochs: int, shuffle: bool) -> list[float]:
        state, losses = begin(), []
        for order in training.orders(epochs, shuffle):
            rows = training.batches(order)
            if scan:
                state, found = whole(state, rows, data)
                losses.append(found)
            else:
                for chosen in rows:
                    state, found = one(state, chosen, data)
                    losses.append(found[None])
        return list(np.concatenate([np.asarray(x) for x in losses]).tolist())

    return run


def of_torch(training: Training, compiled: bool = False) -> Losses:
    import torch
    from flagship_models import torch_functions

    f = torch_functions()
    fixed = {name: torch.from_numpy(array) for name, array in training.fixed.items()}
    loss = torch.compile(training.loss) if compiled else training.loss
    data = {name: torch.from_numpy(array) for name, array in training.data.items()}

    def run(epochs: int, shuffle: bool) -> list[float]:
        params = {name: torch.tensor(array, requires_grad=True) for name, array in training.start().items()}
        more = {"weight_decay": DECAY} if training.rule == "AdamW" else {}
        optimizer = getattr(torch.optim, training.rule)(list(params.values()), lr=training.rate, **more)
        losses = []
        for order in training.orders(epochs, shuffle):
            for chosen in torch.from_numpy(training.batches(order)):
                optimizer.zero_grad()
                value = loss(f, {**params, **fixed, **{name: array[chosen] for name, array in data.items()}})
                value.backward()
                optimizer.step()
                losses.append(value.detach())
        return [float(value) for value in losses]

    return run


# --------------------------------------------------------------------------- measuring


def measure(name: str, threads: int, rounds: int, compiled: bool) -> dict[str, float]:
    """The best seconds of a step, by contender."""
    sys.path.insert(0, os.path.dirname(__file__))
    from models import installed

    if threads == 1 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    training = MODELS[name]()
    ways = {"symnet": of_symnet(training, threads)}
    if installed("jax"):
        ways |= {"JAX loop": of_jax(training, scan=False), "JAX scan": of_jax(training, scan=True)}
    if installed("torch"):
        import torch

        torch.set_num_threads(threads)
        ways["PyTorch"] = of_torch(training)
        if compiled:
            ways["torch.compile"] = of_torch(training, compiled=True)
    check_agreement(ways)
    steps = training.count // training.batch
    epochs = {}
    for way, run in ways.items():
        run(1, True)
        epochs[way] = max(1, int(SECONDS_A_ROUND / seconds_of(run, 1)))
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(rounds):
        for way, run in ways.items():
            best[way] = min(best[way], seconds_of(run, epochs[way]) / (epochs[way] * steps))
    return best


def seconds_of(run: Losses, epochs: int) -> float:
    begin = time.perf_counter()
    run(epochs, True)
    return time.perf_counter() - begin


def check_agreement(ways: dict[str, Losses]) -> None:
    """No speed without the same numbers."""
    found = {way: np.array(run(1, False)) for way, run in ways.items()}
    for way, losses in found.items():
        error = np.max(np.abs(losses - found["symnet"])) / np.max(found["symnet"])
        assert error < 1e-3, (way, error)


def main() -> None:
    parser = argparse.ArgumentParser(description="a step of training")
    parser.add_argument("--models", nargs="+", default=list(MODELS))
    parser.add_argument("--threads", type=int, nargs="+", default=[1])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--compile", action="store_true", help="PyTorch compiled, too")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(measure(options.models[0], options.threads[0], options.rounds, options.compile)))
        return
    for threads in options.threads:
        for name in options.models:
            found = child(name, threads, options)
            times = "  ".join(
                f"{way} {1e6 * t:.1f}" + (f" ({t / found['symnet']:.2f}×)" if way != "symnet" else "")
                for way, t in found.items()
            )
            print(f"{name:16} {threads} thread{'s' if threads > 1 else ''}: {times} µs", flush=True)


def child(name: str, threads: int, options: argparse.Namespace) -> dict[str, float]:
    """Measure in a fresh process whose libraries use so many threads."""
    environment = os.environ | {variable: str(threads) for variable in THREAD_VARIABLES}
    environment |= {"JAX_PLATFORMS": "cpu"}
    if threads == 1:
        environment |= {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"}
    command = [sys.executable, __file__, "--child", "--models", name, "--threads", str(threads)]
    done = subprocess.run(
        [*command, "--rounds", str(options.rounds), *(["--compile"] if options.compile else [])],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(done.stderr)
    return dict(json.loads(done.stdout.splitlines()[-1]))


if __name__ == "__main__":
    main()
