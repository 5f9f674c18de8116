"""Formulas in which one square matrix stands moved in several ways, zeros among its elements: x.T**2/(x**2 + y**2).

In: a seed.  Out: how many formulas were tried, and what differed: values and slopes of the numeric form against the
formula as written and as differentiated, by the reference.  A rewrite that takes what is moved for what it is moved
from shows at elements, above all at zeros, where the two differ.
Where the formula as written is NaN somewhere, its infinities are not compared, nor its slopes: a rewrite may extend the
domain; and infinities only where all sums are exact.  The sign of an infinity that comes of a division by 0 is free.
Not handled: native code, which `session.py` runs on random graphs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np

import symnet as sn
from symnet.diff import pullback
from symnet.errors import SymnetError
from symnet.expr.nodes.expansion import fill
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import Node
from symnet.reference import evaluate
from symnet.simplify.algebra.table import simplify
from symnet.simplify.numeric.passes import numeric
from tests.fuzz.seeds import over_seeds

N = 3
X, Y = sn.tensor("X", N, N), sn.tensor("Y", N, N)
V, S = sn.tensor("v", N), sn.tensor("s")
VALUES = [0.0, 0.0, 1.0, -1.0, 2.0, 0.5, -0.5, 1.5]
DEEPEST = 4  # levels of a formula; of a quotient instead
LARGEST = 1e8  # numbers beyond this are rounded too coarsely to compare
Function = Callable[[Node], Node]
MOVES: list[Function] = [
    *[lambda a: a] * 3,
    *[lambda a: a.T] * 3,
    lambda a: a[::-1],
    lambda a: a[:, ::-1],
    lambda a: sn.take(a, np.array([2, 0, 1]), axis=0),
    lambda a: a[1:2] + 0 * a,
    lambda a: a[:, :1],
    lambda a: a[0],
    lambda a: sn.concat([a[1:], a[:1]], axis=0),
    lambda a: sn.where(Y > 0.5, a, 0),
]
FUNCTIONS: list[Function] = [
    *[lambda a: a] * 2,
    *[lambda a: a**2] * 3,
    *[lambda a: 1 + a**2] * 2,
    sn.exp, sn.log, sn.sqrt, sn.sigmoid, sn.tanh, sn.abs, sn.softplus, sn.relu,
    lambda a: sn.exp(-a),
    lambda a: sn.log(1 + a**2),
    lambda a: 1 - sn.sigmoid(a),
    lambda a: 1 / a,
    lambda a: a**-2,
    lambda a: a**3,
    lambda a: sn.softmax(a, axis=-1) if a.rank else a,
    lambda a: sn.sum(a**2),
    lambda a: sn.sum(a, axis=0) if a.rank else a,
    lambda a: sn.sum(a**2, axis=-1, keepdims=True) if a.rank == 2 else a,
    lambda a: sn.norm(a, axis=-1, keepdims=True) if a.rank == 2 else a,
    lambda a: sn.logsumexp(a, axis=-1, keepdims=True) if a.rank == 2 else a,
]  # fmt: skip


def _leaf(rng: np.random.Generator) -> Node:
    leaf = [X, X, X, Y, S, V][rng.integers(6)]
    return MOVES[rng.integers(len(MOVES))](leaf) if leaf.rank == 2 else leaf


def quotient(rng: np.random.Generator) -> Node:
    """Functions of what is moved over a function, or a sum of two: where moves are looked through."""

    def part() -> Node:
        return FUNCTIONS[rng.integers(len(FUNCTIONS))](_leaf(rng))

    above = part() * part() if rng.integers(2) else part()
    below = part() ** 2 + [1, part() ** 2][rng.integers(2)]
    whole = above / [below, sn.sqrt(below), below**2][rng.integers(3)]
    return whole.T if rng.integers(2) else whole


def grown(rng: np.random.Generator, depth: int) -> Node:
    """A formula of some depth."""
    if depth == DEEPEST:
        return quotient(rng)
    if not depth:
        return _leaf(rng)
    if rng.integers(3) == 0:
        return FUNCTIONS[rng.integers(len(FUNCTIONS))](grown(rng, depth - 1))
    a, b = grown(rng, depth - 1), grown(rng, depth - 1)
    whole = [a + b, a - b, a * b, a * b, a / b, a / b][rng.integers(6)]
    if whole.shape == (N, N) and rng.integers(3) == 0:
        return MOVES[rng.integers(len(MOVES))](whole)
    return whole


def _data(rng: np.random.Generator, leaves: dict[str, tuple[int, ...]], exact: bool) -> dict[str, np.ndarray]:
    """Arrays, where `exact` of numbers whose sums are: what is 0 then is 0 in any order of the terms."""
    if exact:
        return {name: np.asarray(rng.choice(VALUES, shape)) for name, shape in leaves.items()}
    return {name: np.asarray(rng.normal(size=shape)) for name, shape in leaves.items()}


def _problems(seed: int, counts: Counter[str]) -> Iterator[str]:
    rng = np.random.default_rng(seed)
    try:
        root = grown(rng, int(rng.integers(2, DEEPEST + 1)))
    except SymnetError:  # shapes that do not fit
        return
    W = sn.tensor("w", *root.shape)
    exact = bool(rng.integers(2))
    data = _data(rng, {"X": (N, N), "Y": (N, N), "v": (N,), "s": ()}, exact) | {"w": rng.normal(size=root.shape)}
    roots = [root]
    total = sn.sum(W * root)
    if X in topological(total):
        slope = pullback(total, fill(1, ()), [X])[X]
        roots += [] if slope is None else [slope]
    with np.errstate(all="ignore"):
        wanted = evaluate(roots, data)
        got = evaluate(numeric(simplify(roots)), data, leaves=[X, Y, V, S, W], identities=True)
    counts["members"] += 1
    defined = not np.isnan(wanted[0]).any()
    for number, (want, have) in enumerate(zip(wanted, got, strict=True)):
        if number == 0 or defined:
            counts["slopes" if number else "values"] += 1
            where = _differs(want, have, infinities=exact and defined and not number)
            if where:
                yield f"{'the slope' if number else 'the value'} {where} of {root}"


def _differs(want: np.ndarray, have: np.ndarray, infinities: bool) -> str:
    """Where and how two arrays differ, beyond what rounding does; "" where they do not."""
    if want.shape != have.shape:
        return f"has shape {have.shape}, not {want.shape},"
    finite = np.isfinite(want)
    size = float(np.abs(want[finite]).max(initial=1.0))
    if size > LARGEST:
        return ""
    with np.errstate(invalid="ignore"):
        wrong = finite & ~(np.abs(want - have) <= 1e-9 * size)
    if infinities:
        wrong |= np.isinf(want) & ~np.isinf(have)
    if not wrong.any():
        return ""
    at = tuple(int(i) for i in np.argwhere(wrong)[0])
    return f"is {have[at]!r} at {at}, not {want[at]!r},"


def session(seed: int, seconds: float, most: int) -> tuple[Counter[str], list[str]]:
    """Formulas from a seed on."""
    return over_seeds(seed, seconds, most, _problems)
