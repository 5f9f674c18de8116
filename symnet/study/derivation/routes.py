"""The routes from a variable up to the root: multiply along a route, add over routes.

In: the steps.  Out: for each variable its routes, where they are few; otherwise none, for the backward pass adds them
up without ever listing them.  Between scalars the local derivatives multiply; between arrays what one value passes back
is passed on by the next, and a single route is the backward pass itself, so that only several are listed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symnet.diff.elementwise import times
from symnet.expr.nodes.constants import number
from symnet.expr.nodes.graph import substitute
from symnet.expr.nodes.node import Node
from symnet.simplify.algebra.table import simplify
from symnet.study.derivation.model import BackwardStep, Edge, Route

_MOST = 8
_LONGEST = 8  # edges of one route


def find_routes(steps: Sequence[BackwardStep], root: str, variables: Sequence[str]) -> dict[str, tuple[Route, ...]]:
    """variable → its routes; a variable that has none, too many or too long ones is left out."""
    edges = {step.label: step.edges for step in steps}
    bars = {step.label: step.bar for step in steps}
    scalars = all(e.kind == "scalar" for step in steps for e in step.edges)
    found: dict[str, tuple[Route, ...]] = {}
    for v in variables:
        ways = _ways(v, root, edges) if v != root else None
        if ways is None or (not scalars and len(ways) < 2):
            continue
        made = [(_factors(way), _product(way)) if scalars else ((), _passed(way, bars)) for way in ways]
        found[v] = tuple(Route((v, *(e.user for e in w)), *m) for w, m in zip(ways, made, strict=True))
    return found


def _ways(variable: str, root: str, edges: Mapping[str, Sequence[Edge]]) -> list[tuple[Edge, ...]] | None:
    """Every way up, shortest first; None when they are too many to be listed."""
    if not _few(variable, root, edges):
        return None
    ways: list[tuple[Edge, ...]] = []
    stack: list[tuple[Edge, ...]] = [(e,) for e in reversed(edges[variable])]
    while stack:
        way = stack.pop()
        if way[-1].user == root:
            ways.append(way)
        else:
            stack.extend((*way, e) for e in reversed(edges[way[-1].user]))
    live = [way for way in ways if all(e.passed is not None for e in way)]
    return sorted(live, key=len) or None


def _few(variable: str, root: str, edges: Mapping[str, Sequence[Edge]]) -> bool:
    """Whether the ways up are few and short, found without walking them: the steps stand root first."""
    count: dict[str, int] = {root: 1}
    length: dict[str, int] = {root: 0}
    for label, above in edges.items():
        if label != root:
            count[label] = sum(count[e.user] for e in above)
            length[label] = 1 + max((length[e.user] for e in above), default=0)
        if label == variable:
            break
    return 0 < count[variable] <= _MOST and length[variable] <= _LONGEST


def _factors(way: Sequence[Edge]) -> tuple[Node, ...]:
    return tuple(e.local for e in way if e.local is not None)


def _passed(way: Sequence[Edge], bars: Mapping[str, Node]) -> Node:
    """What a route passes back: from the root's 1 down, each value on to the next."""
    arrived: Node = number(1)
    for edge in reversed(way):
        assert edge.passed is not None
        (arrived,) = simplify(substitute([edge.passed], {bars[edge.user]: arrived}))
    return arrived


def _product(way: Sequence[Edge]) -> Node:
    (product,) = simplify([times(*_factors(way)) if way else number(1)])
    return product
