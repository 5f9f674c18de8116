"""Graphs whose phases wait for one another: through indices, totals of the batch, and what follows a reduction.

In: a seed.  Out: counts of what was composed; and where native code differs from the reference, or threads change bits.
Data are whole numbers and halves in the parts that decide an argmax, so that every order of summation gives the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

import symnet as sn
from symnet.loops.order import early_read
from symnet.reference import evaluate
from tests.fuzz.seeds import over_seeds
from tests.llvm.native import differing, meant

ROWS = (1, 5, 16, 255, 256, 257, 600, 1100)  # around a block of rows and a superblock
COLUMNS = 5
Table = dict[str, Callable[[Any], Any]]
INDICES: Table = {  # of each row, from rows x
    "largest": lambda x: sn.argmax(x, axis=1),
    "largest of rows less a total": lambda x: sn.argmax(x - sn.sum(x, axis=0), axis=1),
    "largest of a total": lambda x: sn.argmax(x, axis=1) * 0 + sn.argmax(sn.sum(x, axis=0), axis=0),
    "taken by the largest": lambda x: sn.take(sn.argmax(x.T @ x, axis=1), sn.argmax(x, axis=1)),
    "from the end": lambda x: sn.argmax(x, axis=1) - COLUMNS,
}


def _chosen(i: Any, x: Any) -> Any:
    """An index that needs the totals of every row."""
    return sn.argmax(sn.one_hot(i % COLUMNS, COLUMNS).T @ x, axis=0)


USES: Table = {  # of indices i and rows x
    "rows of a product": lambda a: sn.take(a[1].T @ a[1], a[0]),
    "softmax of rows": lambda a: sn.softmax(sn.take(a[1].T @ a[1] / 64, a[0])),
    "one-hot times totals": lambda a: sn.take(sn.eye(COLUMNS), a[0]) * sn.sum(a[1], axis=0),
    "rows less their mean": lambda a: sn.take(a[1], a[0]) - sn.mean(a[1], axis=0),
    "a total of rows": lambda a: sn.sum(sn.tanh(sn.take(a[1].T @ a[1] / 64, a[0])), axis=0),
    "a second phase": lambda a: a[1] @ sn.take(a[1].T @ a[1] / 64, _chosen(*a)),
}


def check(seed: int) -> Counter[str]:
    """One graph.

    Raises:
        AssertionError: a value is read before it is written; native code differs from the reference, or in a bit
            from its loops interpreted or between numbers of threads.
    """
    rng = np.random.default_rng(seed)
    rows = int(rng.choice([r for r in ROWS if r >= COLUMNS]))
    extent = sn.dim("m") if rng.integers(2) else rows
    x = sn.tensor("X", extent, COLUMNS)
    index, use = str(rng.choice(list(INDICES))), str(rng.choice(list(USES)))
    root = USES[use]((INDICES[index](x), x))
    if rng.integers(2):
        root = root + sn.sum(root)
    data = {"X": rng.integers(-8, 9, (rows, COLUMNS)) / 2.0}
    wanted = evaluate(root, data)
    assert early_read(sn.compile(root, stop_after="schedule")) is None, f"seed {seed}: {root}"
    functions = [sn.compile(root, threads=threads) for threads in (1, int(rng.integers(2, 4)))]
    results = [np.asarray(f(**data)) for f in functions]
    story = f"seed {seed}: {use} of {index}, {rows} rows: {root}"
    assert results[0].tobytes() == results[1].tobytes(), story
    (interpreted,) = meant(functions[0].program, data).values()
    assert not differing(results[0], interpreted).any(), story
    np.testing.assert_allclose(results[0], wanted, rtol=1e-11, atol=1e-9, err_msg=story)
    return Counter({"members": 1, index: 1, use: 1})


def session(seed: int, seconds: float, most: int = 0) -> tuple[Counter[str], list[str]]:
    """Graphs from a seed on until the time is over, at most `most` (0: no bound): counts, and what was wrong."""
    return over_seeds(seed, seconds, most, _checked)


def _checked(seed: int, counts: Counter[str]) -> list[str]:
    counts.update(check(seed))
    return []
