"""Runs the source of every case in one library, in a process of its own.

In: the library's name on the command line.  Out: the number of cases that agree with the reference; exit status 1 and
the cases that do not.  A process of its own, because neither library belongs in the one that tests symnet.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import symnet as sn
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import leaves
from symnet.reference import evaluate
from symnet.source.module import source
from tests.cases import CASES, Case

# Cases whose reference overflows where the text does not.
BEYOND_THE_REFERENCE = {"cross entropy far out"}
CHOSEN = [case for case in CASES if case.name not in BEYOND_THE_REFERENCE]


def with_gradients(case: Case) -> list[Node]:
    """The roots of a case, and the gradients of the first."""
    roots = list(case.roots)
    targets = [t for t in case.targets if t in leaves(roots[0])]
    return [*roots, *sn.grad(sn.sum(roots[0]), targets)] if targets else roots


def agree(case: Case, library: str, convert: Callable[[Any], Any], wrap: Callable[[Any], Any] = lambda f: f) -> None:
    """Runs the source of a case and compares every value.

    Raises:
        AssertionError: where a value differs from the reference.
    """
    roots = with_gradients(case)
    data = case.data(np.random.default_rng(0))
    names = [f"out{k}" for k in range(len(roots))]
    module: dict[str, Any] = {}
    exec(source("f", library, roots, case.leaves, names, tuple(range(len(roots))), "float64"), module)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # libraries warn where a branch not taken divides by zero
        values = wrap(module["f"])(**{key: convert(value) for key, value in data.items()})
    single = any(leaf.dtype == "float32" for leaf in case.leaves)
    for value, expected in zip(values, evaluate(roots, data, leaves=case.leaves), strict=True):
        array = np.asarray(value)
        assert array.shape == expected.shape, (array.shape, expected.shape)
        np.testing.assert_allclose(array, expected, rtol=2e-6 if single else 1e-9, atol=1e-12)


def main(library: str) -> int:
    convert, wrap, cases = _torch() if library == "torch" else _jax()
    failed = []
    for case in cases:
        try:
            agree(case, library, convert, wrap)
        except Exception as error:
            failed.append(f"{case}: {type(error).__name__}: {str(error).strip()[:500]}")
    print(f"{len(cases) - len(failed)} cases agree", *failed, sep="\n")
    return 1 if failed else 0


def _torch() -> tuple[Any, Any, list[Case]]:
    import torch

    return (lambda a: torch.as_tensor(np.array(a))), (lambda f: f), CHOSEN


def _jax() -> tuple[Any, Any, list[Case]]:
    import jax

    jax.config.update("jax_enable_x64", True)
    return jax.numpy.asarray, jax.jit, CHOSEN[::4]  # each is compiled: a fourth of them


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
