"""Random graphs: as a hypothesis strategy, whose failures shrink to a small graph, and from plain seeds.

In: choices.  Out: `RandomGraph`: roots, data for their leaves, and the extents.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Tensor, leaves
from tests.fuzz.growing import Array, Choose, Grower, try_to_grow
from tests.fuzz.operations import OPERATIONS
from tests.fuzz.reproduction import source

STEPS = (1, 2, 3, 4, 6, 8, 8, 10, 12, 12, 16, 16, 20)  # how many operations are tried


@dataclass(frozen=True)
class RandomGraph:
    """Roots, data for all leaves the grower knows, and the values of the symbolic extents by name."""

    roots: list[Node]
    data: dict[str, Array]
    dims: dict[str, int]

    @property
    def leaves(self) -> list[Tensor]:
        return leaves(*self.roots)

    @property
    def targets(self) -> list[Tensor]:
        """What it can be differentiated by."""
        free = {"one_hot", "simplex", "integer"}
        return [leaf for leaf in self.leaves if leaf.dtype == "float64" and not leaf.assumptions & free]

    def __repr__(self) -> str:
        return "\n" + source(self.roots, self.used_data(), self.dims)

    def used_data(self) -> dict[str, Array]:
        return {leaf.name: self.data[leaf.name] for leaf in self.leaves}


def _step(grower: Grower) -> None:
    try_to_grow(grower, OPERATIONS[grower.choose(len(OPERATIONS))])


def _finished(grower: Grower) -> RandomGraph:
    """The last value or two that were made."""
    count = 1 + grower.choose(2)
    roots = grower.made[-count:] or [grower.leaves[0] * 2]
    roots = [*roots, *grower.anchors(roots)]
    used = {d.name: v for d, v in grower.dims.items() if any(d in leaf.shape for leaf in leaves(*roots))}
    return RandomGraph(roots, grower.data, used)


@functools.cache
def _below(n: int) -> st.SearchStrategy[int]:
    return st.integers(0, n - 1)


def _chooser(draw: Callable[..., Any]) -> Choose:
    return lambda n: draw(_below(n)) if n > 1 else 0


@st.composite
def _steps(draw: Callable[..., Any], grower: Grower) -> None:
    """One step, a span of choices that hypothesis can delete as a whole."""
    grower.choose = _chooser(draw)
    _step(grower)


@st.composite
def graphs(draw: Callable[..., Any]) -> RandomGraph:
    """A strategy of random graphs."""
    grower = Grower(_chooser(draw))
    for _ in range(draw(st.sampled_from(STEPS))):
        draw(_steps(grower))
    grower.choose = _chooser(draw)
    return _finished(grower)


def seeded(seed: int) -> RandomGraph:
    """The random graph of a seed, without hypothesis."""
    rng = random.Random(seed)
    grower = Grower(rng.randrange)
    for _ in range(rng.choice(STEPS)):
        _step(grower)
    return _finished(grower)
