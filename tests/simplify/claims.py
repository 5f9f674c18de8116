"""Where the two sides of a rewrite part: for the check of what is claimed of it.

In: what a rewrite saw and what it gave.  Out: a `Verdict`: whether one side has another value than the other, and
whether only the new one has a value, at data of special points (0, 1, equal leaves, ±∞, NaN, large and small ones).
Doubles are compared first; where they part, numbers without limits decide.
Not handled: infinite and undefined values of solutions and determinants, which have no exact meaning here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
from mpmath import mpf

from symnet.errors import SingularMatrixError
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import Node
from symnet.reference import evaluate
from tests.simplify.extremes import INF, UNKNOWN, Pools, draw, exact_value
from tests.simplify.graphs import ANCHOR, M, data_for, m

Data = dict[str, np.ndarray]
ORDINARY_POOLS: Pools = {
    "": (0, 1, -1, 2.5, -0.7, 0.3, -2),
    "positive": (1, 2.5, 0.3, 30, 1e-30),
    "nonnegative": (0, 1, 2.5, 0.3, 30),
    "unit": (0, 1, 0.5, 0.3),
    "open_unit": (0.5, 0.3, 0.9),
    "integer": (0, 1, -1, 3, -4),
    "nonzero": (1, -1, 2.5, -0.7),
}
WIDE_POOLS: Pools = {
    **ORDINARY_POOLS,
    "": (0, 1, -1, 2.5, -0.7, 30, -30, 1e-30, np.inf, -np.inf, np.nan),
    "nonzero": (1, -1, 2.5, -0.7, np.inf, -np.inf),
}


@dataclass
class Verdict:
    """Where two formulas part: a story for each way, empty where they never do.

    differs: the old one has a value and the new one another or none, and every value in the old one is finite.
    differs_beyond: the same, where a value in the old one is infinite or NaN.
    extends: only the new one has a value.
    """

    differs: str = ""
    differs_beyond: str = ""
    extends: str = ""


def parted(before: Node, after: Node, seed: int, trials: int) -> Verdict:
    """Where a formula and another one that shall stand for it part."""
    verdict = Verdict()
    for data, finite in _draws(before, after, seed, trials):
        for old, new in _where_they_part(before, after, data):
            story = f"{before} is {mpmath.nstr(old, 8)} and {after} is {mpmath.nstr(new, 8)} at {_shown(data)}"
            name = "extends" if old != old else "differs" if finite else "differs_beyond"
            setattr(verdict, name, getattr(verdict, name) or story)
    return verdict


def _draws(before: Node, after: Node, seed: int, trials: int) -> Iterator[tuple[Data, bool]]:
    """Data, and whether every value in the old formula is finite there; ordinary and wide ones by turns."""
    leaves: list[Any] = sorted(
        (n for n in topological(before, after, ANCHOR) if n.kind == "tensor"), key=lambda n: n.name
    )
    inside = topological(before)
    unknown = any(n.kind in UNKNOWN for n in topological(before, after))
    rng = np.random.default_rng(seed)
    for trial in range(trials):
        pools = WIDE_POOLS if trial % 2 else ORDINARY_POOLS
        if unknown:
            data = data_for(before, after, seed=seed + trial)
            if trial % 4 == 3:  # every matrix singular
                data = {name: np.full_like(value, rng.integers(-1, 2)) for name, value in data.items()}
        else:
            data = draw(leaves, trial // 2, rng, pools)
        yield data, all(np.isfinite(value).all() for value in _values(inside, data))


def _values(nodes: list[Node], data: Data) -> list[np.ndarray]:
    """The values in doubles; of what needs the inverse of a singular matrix NaN."""
    with np.errstate(all="ignore"):
        try:
            return [np.asarray(v, float) for v in evaluate([*nodes, ANCHOR], data)[:-1]]
        except SingularMatrixError:
            return [_values([n], data)[0] for n in nodes] if len(nodes) > 1 else [np.full(_shape(nodes[0]), np.nan)]


def _shape(node: Node) -> tuple[int, ...]:
    return tuple(M if n == m else int(n) for n in node.shape)


def _where_they_part(before: Node, after: Node, data: Data) -> Iterator[tuple[Any, Any]]:
    """The values of both where they are not the same."""
    old, new = _values([before, after], data)
    assert old.shape == new.shape
    places = np.argwhere(~(np.isclose(old, new, rtol=1e-10, atol=0, equal_nan=True)))
    if not len(places):
        return
    if any(n.kind in UNKNOWN for n in topological(before, after)):
        pairs = [(old[p], new[p]) for p in map(tuple, places)]
        yield from ((a, b) for a, b in pairs if a != a or b != b or not np.isclose(a, b, rtol=1e-6, atol=1e-6))
        return
    shape = old.shape
    exact = [np.broadcast_to(exact_value(node, data), shape) for node in (before, after)]
    zero = any((v == 0).any() for v in data.values())
    for place in map(tuple, places):
        one, other = (mpf(values[place]) for values in exact)
        if one != one and other != other:
            continue
        if not _close(one, other) and not (zero and abs(one) == INF == abs(other)):
            yield one, other


def _close(a: Any, b: Any) -> bool:
    """Equal up to what series and continued fractions leave out; the sign of an infinite value counts."""
    if a == b:
        return True
    if a != a or b != b or INF in (abs(a), abs(b)):
        return False
    return bool(abs(a - b) <= mpf("1e-12") * max(abs(a), abs(b)) + mpf("1e-40"))


def _shown(data: Data) -> dict[str, Any]:
    return {name: array.tolist() for name, array in data.items() if name != "anchor"}
