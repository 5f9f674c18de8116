"""Compare with one library, in a process of its own: `python -m tests.compare.peers jax`.

Prints JSON: for each kind of derivative and each method its error, and what the library's settings are afterwards.  A
process apart, because these libraries start threads, and tests of forks run in the others.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np

import symnet as sn

FAST = {"XLA_FLAGS": "--xla_backend_optimization_level=0"}  # what is called a few times is not worth XLA's passes
METHODS = {
    "jax": {"gradient": "jax, jax eager, jax forward", "hvp": "jax, jax eager", "hessian": "jax"},
    "torch": {"gradient": "torch, torch forward", "hvp": "torch", "hessian": "torch"},
}


def main(library: str) -> None:
    rng = np.random.default_rng(0)
    m = sn.dim("m")
    X, t = sn.tensor("X", m, 6), sn.labels("t", m, classes=3)
    Z, params = sn.nn.mlp(X, [4, 3])
    L = sn.mean(sn.cross_entropy(sn.softmax(Z), t))
    data = {"X": rng.normal(size=(7, 6)), "t": rng.integers(0, 3, 7)}
    found: dict[str, Any] = {"settings": settings(library)}
    for of, names in METHODS[library].items():
        for dtype in ("float64", "float32"):
            rows = sn.compare(L, params, data, of=of, against=names, dtype=dtype, repeats=1).rows[1:]
            for row in rows:
                found[f"{of}, {dtype}, {row.method}"] = [row.error, row.peak_bytes, row.failed]
    assert settings(library) == found["settings"]
    print(json.dumps(found))


def settings(library: str) -> Any:
    """What a comparison must leave as it was."""
    if library == "jax":
        import jax

        return [str(jax.numpy.ones(3).dtype), bool(jax.config.jax_enable_x64)]
    import torch

    return [torch.get_num_threads(), str(torch.get_default_dtype())]


if __name__ == "__main__":
    main(sys.argv[1])
