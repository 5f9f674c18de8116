"""Computed indices, in range and out of it: native code gives NumPy's values or an error, and touches nothing else.

In: a seed.  Out: a count of what was compared; an error where native code and the reference disagree.
An index grows from integer leaves by arithmetic, slices, joins, choices, bounds, quotients, truth values, other takes
and argmax; it selects rows or columns, makes one-hot rows, and stands in values, sums over rows and gradients.  Arrays
stand between forbidden pages (`guarded.py`), so that a foreign read ends the process.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

import symnet as sn
from symnet.errors import SymnetError, ValueDomainError
from symnet.reference import evaluate
from tests.fuzz.guarded import guarded
from tests.fuzz.seeds import over_seeds

Rng = np.random.Generator
m, n = sn.dim("m"), sn.dim("n")
SIZES = (1, 2, 3, 17, 40, 300, 700)  # of the batch: below a block of rows, and beyond it
WIDTHS = (1, 5, 5, 5, 16, 17, 40)  # of a row of the table: below a vector, and beyond it


class Grown:
    """An index with its data."""

    def __init__(self, rng: Rng) -> None:
        self.rng = rng
        known = bool(rng.integers(2))
        self.rows, self.table = int(rng.choice(SIZES)), int(rng.integers(1, 9))
        self.m, self.n = (self.rows, self.table) if known else (m, n)
        wide = int(rng.choice(WIDTHS))
        dtype = str(rng.choice(["int32", "int64"]))
        self.leaves = {
            "i": sn.tensor("i", self.m, dtype=dtype),
            "j": sn.tensor("j", self.m, dtype=dtype),
            "X": sn.tensor("X", self.m, self.n),
            "E": sn.tensor("E", self.n, wide),
            "V": sn.tensor("V", 5, self.n),
            "w": sn.tensor("w", wide),
            "B": sn.tensor("B", wide, 3),
            "q": sn.tensor("q", self.n, dtype=dtype),
            "N": sn.tensor("N", self.n),
        }
        far = float(rng.choice([1.0, 1.0, 1.2, 3.0]))
        low = int(rng.choice([0, 0, -1, -self.table, -self.table - 1]))
        integers = lambda size: rng.integers(low, max(1, int(far * self.table)), size).astype(dtype)
        self.data = {
            "i": integers(self.rows),
            "j": integers(self.rows),
            "X": rng.normal(size=(self.rows, self.table)),
            "E": rng.normal(size=(self.table, wide)),
            "V": rng.normal(size=(5, self.table)),
            "w": rng.normal(size=wide),
            "B": rng.normal(size=(wide, 3)),
            "q": integers(self.table),
            "N": rng.normal(size=self.table),
        }

    def index(self) -> Any:
        """At most four steps from a leaf."""
        at: Any = self.leaves[str(self.rng.choice(["i", "j"]))]
        for _ in range(self.rng.integers(0, 5)):
            at = STEPS[str(self.rng.choice(list(STEPS)))](self, at)
        return at

    def small(self) -> int:
        return int(self.rng.integers(-2, 3))


STEPS: dict[str, Callable[[Grown, Any], Any]] = {
    "moved": lambda g, a: a + g.small(),
    "scaled": lambda g, a: a * g.small(),
    "turned": lambda g, a: a[::-1],
    "cut": lambda g, a: a[1:] if g.rows > 4 else a,
    "joined": lambda g, a: sn.concat([a, g.leaves["i"]]) if a.rank == 1 else a,
    "chosen": lambda g, a: sn.where(a > g.small(), a, g.small()),
    "bounded": lambda g, a: sn.minimum(sn.maximum(a, 0), g.table - 1),
    "bounded below": lambda g, a: sn.maximum(a, 0),
    "taken": lambda g, a: sn.take(g.leaves["q"], a),
    "largest": lambda g, a: sn.argmax(g.leaves["X"] * g.small(), axis=1),
    "largest of a sum": lambda g, a: a * 0 + sn.argmax(sn.sum(g.leaves["X"], axis=0), axis=0) if a.rank == 1 else a,
    "counted": lambda g, a: sn.arange(g.m) + g.small(),
    "folded": lambda g, a: sn.reshape(a, a.shape[0], 1) if a.rank == 1 else a,
    "sum": lambda g, a: a + a,
    "halved": lambda g, a: a // (g.small() or 2),
    "wrapped around": lambda g, a: a % g.table,
    "clipped": lambda g, a: sn.clip(a, g.small(), g.table),
    "smallest": lambda g, a: sn.argmin(g.leaves["X"] * g.small(), axis=1),
    "number of truths": lambda g, a: sn.sum(g.leaves["X"] > g.small(), axis=1),
    "two truths": lambda g, a: (a > 0) + (a < g.small()) + 0,
    "one of two truths": lambda g, a: a * ((a > 0) ^ (a < 2)),
    "running": lambda g, a: sn.cumsum(a, axis=0),
    "recurrence": lambda g, a: sn.linear_recurrence(-1, a, axis=0, reverse=True),
    "differences": lambda g, a: np.diff(a, axis=0) if g.rows > 4 else a,
}
USES: dict[str, Callable[[Grown, Any], Any]] = {
    "rows": lambda g, a: sn.take(g.leaves["E"], a),
    "numbers": lambda g, a: sn.take(g.leaves["N"], a),
    "numbers by two": lambda g, a: sn.take(g.leaves["N"], g.leaves["j"]) - sn.sum(sn.take(g.leaves["N"], a)),
    "numbers of two tables": lambda g, a: sn.take(g.leaves["N"], a) * sn.take(g.leaves["V"][0], a),
    "columns": lambda g, a: sn.take(g.leaves["V"], a, axis=1),
    "one-hot": lambda g, a: sn.one_hot(a, g.n),
    "one-hot product": lambda g, a: sn.one_hot(a, g.n) @ g.leaves["E"],
    "integers": lambda g, a: sn.take(g.leaves["q"], a) * 2,
    "in a function": lambda g, a: sn.tanh(sn.take(g.leaves["E"], a)) + 1,
    "a sum": lambda g, a: sn.sum(sn.tanh(sn.take(g.leaves["E"], a))),
    "a gradient": lambda g, a: sn.grad(sn.sum(sn.take(g.leaves["E"], a) ** 2), g.leaves["E"]),
    "two": lambda g, a: sn.sum(sn.take(g.leaves["E"], a)) + sn.sum(sn.one_hot(a, g.n)),
    "rows times a vector": lambda g, a: sn.take(g.leaves["E"], a) @ g.leaves["w"],
    "rows times a matrix": lambda g, a: sn.take(g.leaves["E"], a) @ g.leaves["B"],
    "rows times rows": lambda g, a: sn.sum(sn.take(g.leaves["E"], a) * sn.take(g.leaves["E"], a * 0), axis=-1),
    "norms of rows": lambda g, a: sn.norm(sn.take(g.leaves["E"], a), axis=-1),
    "largest of rows": lambda g, a: sn.max(sn.take(g.leaves["E"], a) * 2, axis=-1),
    "softmax of rows": lambda g, a: sn.softmax(sn.take(g.leaves["E"], a), axis=-1) @ g.leaves["w"],
    "columns times a vector": lambda g, a: sn.take(g.leaves["V"], a, axis=1) @ sn.take(g.leaves["N"], a),
    "a gradient of rows times a vector": lambda g, a: sn.grad(
        sn.sum(sn.tanh(sn.take(g.leaves["E"], a) @ g.leaves["w"])), g.leaves["w"]
    ),
}


def check(seed: int) -> Counter[str]:
    """One index in one use.

    Raises:
        AssertionError: native code gives other values, or no error where the reference has one, or the reverse.
    """
    rng = np.random.default_rng(seed)
    grown = Grown(rng)
    use = str(rng.choice(list(USES)))
    try:
        root = USES[use](grown, grown.index())
        function = sn.compile(root, threads=int(rng.integers(1, 3)))
    except ValueDomainError:
        raise
    except SymnetError as refused:
        return Counter({"members": 1, f"refused: {type(refused).__name__}": 1})
    data = {name: guarded(grown.data[name], bool(rng.integers(2))) for name in function.inputs}
    dims = {} if isinstance(grown.m, int) else {d: v for d, v in (("m", grown.rows), ("n", grown.table)) if d in
                                                 function.signature.dims}  # fmt: skip
    wanted: Any
    try:
        # The algebra form: what simplifies away asks for nothing.
        wanted = evaluate(function.formula, grown.data, leaves=list(grown.leaves.values()))
    except SymnetError as error:
        wanted = error
    try:
        got: Any = function(**data, **dims)
    except SymnetError as error:
        got = error
    story = f"seed {seed}, {use}: {root} with {grown.rows} rows, a table of {grown.table}: {got!r} for {wanted!r}"
    if isinstance(got, SymnetError):
        # What a user wrote is asked of leaves even where it simplified away.
        assert isinstance(wanted, SymnetError) or function.signature.index_bounds, story
        assert isinstance(got, ValueError), story
        return Counter({"members": 1, use: 1, "errors": 1})
    assert not isinstance(wanted, SymnetError), story
    np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-12, err_msg=story)
    return Counter({"members": 1, use: 1, "values": 1})


def session(seed: int, seconds: float, most: int = 0) -> tuple[Counter[str], list[str]]:
    """Members from a seed on until the time is over.

    Args:
        seed: of the first member; the next has the next seed.
        seconds: how long.
        most: members at most; 0 for no bound.

    Returns:
        how many were tried in which uses; and what was wrong, with its seed.
    """
    return over_seeds(seed, seconds, most, _checked)


def _checked(seed: int, counts: Counter[str]) -> list[str]:
    counts.update(check(seed))
    return []
