"""Indices out of range by every door, between forbidden pages: calls, threads, bound steps, exported libraries.

In: a folder for the exports.  Out: how many values and errors came; a foreign read or write ends the process.  Tables
of 0 rows (whose memory is a forbidden page) and of more, batches around a vector, a unit and a superblock, each wrong
place first, in the middle and last.
"""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import symnet as sn
from symnet.errors import SymnetError
from tests.fuzz.guarded import guarded

n, m = sn.dim("n"), sn.dim("m")
TABLE, NUMBERS = sn.tensor("E", n, 3), sn.tensor("E", n)
LONG, SHORT = sn.tensor("i", m, dtype="int64"), sn.tensor("i", m, dtype="int32")
FORMULAS: dict[str, tuple[Any, Callable[[np.ndarray, np.ndarray], np.ndarray]]] = {  # and what NumPy says
    "rows": (sn.take(TABLE, LONG), lambda e, i: e[i]),
    "rows by int32": (sn.take(TABLE, SHORT), lambda e, i: e[i]),
    "numbers": (sn.take(NUMBERS, LONG), lambda e, i: e[i]),
    "numbers by int32": (sn.take(NUMBERS, SHORT), lambda e, i: e[i]),
    "computed": (sn.take(TABLE, LONG + 1), lambda e, i: e[i + 1]),
    "a sum": (sn.sum(sn.take(NUMBERS, LONG)), lambda e, i: e[i].sum()),
    "two axes": (sn.take(TABLE, sn.stack([LONG, LONG], axis=1)), lambda e, i: e[np.stack([i, i], 1)]),
}
ROWS = (0, 1, 5)  # of the table
BATCHES = (0, 17, 259)
Door = Callable[[dict[str, np.ndarray]], Any]


def doors(name: str, formula: Any, folder: Path) -> dict[str, Door]:
    one, many = sn.compile(formula, threads=1, name="door"), sn.compile(formula, threads=3)
    found: dict[str, Door] = {
        "call": lambda data: one(**data),
        "threads": lambda data: many(**data),
        "step": lambda data: one.bind(**data)(),
    }
    stub = one.export(folder / name.replace(" ", "_") / "door").stub
    spec = importlib.util.spec_from_file_location("door", stub)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return found | {"library": lambda data: module.door(**data)}


def arrays(like: Any, wanted: Any, rows: int, batch: int) -> list[dict[str, np.ndarray]]:
    """Data in range (where the table has rows), and with one wrong place: far and near, on both sides."""
    rng = np.random.default_rng(rows + batch)
    table = rng.normal(size=(rows, 3) if wanted is TABLE else rows)
    index = np.full(batch, -1, like.dtype) if rows else np.zeros(0, like.dtype)
    found = [index] if rows or not batch else []
    for place in {0, batch // 2, batch - 1} if batch else ():
        for value in (rows, -rows - 2, np.iinfo(like.dtype).max - 1, np.iinfo(like.dtype).min):
            wrong = np.full(batch, -1, like.dtype)
            wrong[place] = value
            found.append(wrong)
    return [{"E": table, "i": i} for i in found]


def outcome(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except (SymnetError, ValueError, IndexError) as error:
        return error


def session(folder: Path) -> Counter[str]:
    """Every member once.

    Raises:
        AssertionError: another value than NumPy's, an error where NumPy has none, or the reverse.
    """
    counts: Counter[str] = Counter()
    for name, (formula, numpy) in FORMULAS.items():
        leaves = {leaf.name: leaf for leaf in formula.free_symbols if hasattr(leaf, "dtype")}
        for door, run in doors(name, formula, folder).items():
            for rows in ROWS:
                for batch in BATCHES:
                    for number, data in enumerate(arrays(leaves["i"], leaves["E"], rows, batch)):
                        given = {key: guarded(a, bool(number % 2)) for key, a in data.items()}
                        kind = compared(run, given, partial(numpy, data["E"], data["i"]), f"{name} by {door}")
                        counts.update((kind, door))
    return counts


def compared(run: Door, given: dict[str, np.ndarray], numpy: Callable[[], Any], story: str) -> str:
    """Whether a value or an error came, which must be what NumPy has."""
    got, wanted = outcome(lambda: run(given)), outcome(numpy)
    said = f"{story}, {given}: {got!r} for {wanted!r}"
    assert isinstance(got, Exception) == isinstance(wanted, Exception), said
    if isinstance(got, Exception):
        return "errors"
    np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-12, err_msg=said)
    return "values"
