"""The check of rewrites: every step of a simplification keeps the values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import Node
from symnet.reference import evaluate
from symnet.simplify.engine import Normalizer, Table
from symnet.simplify.trace import Step
from tests.simplify.graphs import ANCHOR, data_for


def values(node: Node, data: dict[str, np.ndarray]) -> np.ndarray:
    with np.errstate(all="ignore"):
        return np.asarray(evaluate([node, ANCHOR], data)[0], float)


def is_finite(root: Node, data: dict[str, np.ndarray]) -> bool:
    """Whether every node under the root is finite: where it is not, a rewrite may extend the domain."""
    nodes = topological(root)
    with np.errstate(all="ignore"):
        return all(np.isfinite(np.asarray(v, float)).all() for v in evaluate([*nodes, ANCHOR], data))


def disagreement(before: Node, after: Node, seed: int) -> str:
    """Empty where the two agree on random data that satisfy their assumptions; else what differs."""
    data = data_for(before, after, seed=seed)
    old, new = values(before, data), values(after, data)
    if old.shape != new.shape:
        return f"shape {old.shape} became {new.shape}"
    close = np.isclose(old, new, rtol=1e-7, atol=1e-9) | ~np.isfinite(old)
    return "" if close.all() else f"{before} is {old}, {after} is {new}"


def wrong_steps(trace: Iterable[Step], seeds: Sequence[int] = (0, 1, 2)) -> list[str]:
    """The steps that change a value, with the name of their rewrite."""
    return [
        f"{step.name}: {found}"
        for step in trace
        for before, after in {(step.place, step.result), (step.before, step.after)}
        for found in [next(filter(None, (disagreement(before, after, seed) for seed in seeds)), "")]
        if found
    ]


def traced(table: Table, node: Node) -> tuple[Node, list[Step]]:
    """The normal form under a table, and the steps to it; nothing may be left unsettled."""
    trace: list[Step] = []
    normalizer = Normalizer(table, trace)
    (result,) = normalizer([node])
    assert normalizer.unsettled == []
    return result, trace
