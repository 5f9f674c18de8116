"""The routes from a variable up to the root: multiply along a route, add over routes.

In: the steps.  Out: for each variable its routes, where all values are scalars and the routes are few; otherwise none,
for the backward pass adds them up without ever listing them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symnet.calculus.derivation.model import Edge, Route, Step
from symnet.diff.elementwise import times
from symnet.expr.constants import number
from symnet.expr.node import Node
from symnet.simplify.algebra import simplify

_MOST = 8
_LONGEST = 8  # edges of one route


def find_routes(steps: Sequence[Step], root: str, variables: Sequence[str]) -> dict[str, tuple[Route, ...]]:
    """variable → its routes; a variable that has none, too many or too long ones is left out."""
    edges = {step.label: step.edges for step in steps}
    if any(e.kind != "scalar" for step in steps for e in step.edges):
        return {}
    return {
        v: tuple(Route((v, *(e.user for e in way)), _factors(way), _product(way)) for way in ways)
        for v in variables
        if v != root and (ways := _ways(v, root, edges)) is not None
    }


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
    live = [way for way in ways if all(e.local is not None for e in way)]
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


def _product(way: Sequence[Edge]) -> Node:
    (product,) = simplify([times(*_factors(way)) if way else number(1)])
    return product
