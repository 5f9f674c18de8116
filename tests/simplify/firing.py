"""Every rewrite there is, by form and pass; and where each fires on the examples.

In: the tables of the three forms, and the examples.  Out: `FORMS`, `EVERY`; `firings`, what each rewrite saw and gave.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from symnet.expr.nodes.node import Node
from symnet.simplify.algebra import table as algebra
from symnet.simplify.engine import Normalizer, Table
from symnet.simplify.machine.arrangement import ARRANGEMENTS
from symnet.simplify.numeric import equations
from symnet.simplify.numeric.passes import PASSES, WHOLE_GRAPHS, numeric
from symnet.simplify.rewrite import Claims, Rewrite
from symnet.simplify.trace import Step
from tests.simplify.examples import EXAMPLES, NUMERIC
from tests.simplify.stable_examples import NESTED, REMOVABLE, SHIFTED

_OPENINGS = {equations.EQUATIONS: equations.OPENING}


def _of_pass(rewrites: tuple[Rewrite, ...]) -> tuple[Claims, ...]:
    """What comes before the operands, what looks at the whole graph, and the rewrites of one pass."""
    first = [WHOLE_GRAPHS.get(rewrites), _OPENINGS.get(rewrites)]
    return (*(each for each in first if each is not None), *rewrites)


FORMS: dict[str, tuple[Claims, ...]] = {
    "The algebra form": (algebra.OPENING, *algebra.ALGEBRA),
    "The numeric form": (),
    **{f"Pass {n}": _of_pass(rewrites) for n, rewrites in enumerate(PASSES, 1)},
    "The machine form": ARRANGEMENTS,
}
EVERY: tuple[Claims, ...] = tuple(rewrite for rewrites in FORMS.values() for rewrite in rewrites)


@dataclass(frozen=True)
class Firing:
    """A rewrite, what it saw and what it gave."""

    rewrite: Claims
    before: Node
    after: Node


@cache
def firings() -> dict[str, list[Firing]]:
    """Where each rewrite fires, its own examples first."""
    found: dict[str, dict[Node, Firing]] = {rewrite.name: {} for rewrite in EVERY}
    for own in (True, False):
        for name, step in _steps():
            if own == (name == step.name):
                found[step.name].setdefault(step.before, Firing(step.rewrite, step.before, step.after))
    return {name: list(mine.values()) for name, mine in found.items()}


def firings_of(node: Node) -> Iterator[Firing]:
    """What fires on the way of a formula through the three forms."""
    return (Firing(step.rewrite, step.before, step.after) for step in _way(node))


@cache
def _steps() -> list[tuple[str, Step]]:
    """Every step on the way of an example through the three forms, with the name that the example stands under."""
    return [(name, step) for name, nodes in _EXAMPLES for node in nodes for step in _way(node)]


_EXAMPLES = tuple(item for examples in (EXAMPLES, NUMERIC, NESTED, REMOVABLE, SHIFTED) for item in examples.items())


def _way(node: Node) -> Iterator[Step]:
    trace: list[Step] = []
    roots = numeric(Normalizer(Table(algebra.ALGEBRA, algebra.OPENING), trace)([node]), trace)
    yield from trace
    for rewrite in ARRANGEMENTS:
        before, (after,) = roots[0], rewrite.apply(roots)
        if after is not before:
            yield Step(rewrite, before, after, before, after)
        roots = [after]
