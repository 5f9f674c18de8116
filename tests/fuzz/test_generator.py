"""The generator draws every kind of node and every primitive, and what it writes down builds the same graph again."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np

from symnet.expr.nodes.elementwise import Elementwise
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.linalg import DETERMINANTS
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.primitives import PRIMITIVES
from symnet.expr.nodes.reduction import REDUCTIONS
from symnet.expr.nodes.symbols import LEAF_ASSUMPTIONS
from tests.fuzz.graphs import RandomGraph, seeded
from tests.fuzz.reproduction import rebuilt, source
from tests.kinds import KINDS

ROOT = Path(__file__).resolve().parents[2]
SEEDS = 1200  # of the graphs that are looked at
RARELY = 3  # how often a kind must come at the least: a tenth of a percent in thousands of graphs is hundreds of times


def _shares(graph: RandomGraph) -> bool:
    uses = Counter(o for node in topological(*graph.roots) for o in set(node.operands))
    return any(n > 1 and isinstance(node, Elementwise) for node, n in uses.items())


def _repeats(node: Node) -> bool:
    return any(len(set(indices)) < len(indices) for indices in getattr(node, "inputs", ()))


FEATURES = {
    "a shared sub-graph": _shares,
    "one node as two operands": lambda g: any(len(set(n.operands)) < len(n.operands) for n in topological(*g.roots)),
    "an index that repeats in one operand": lambda g: any(map(_repeats, topological(*g.roots))),
    "broadcasting": lambda g: any(
        isinstance(n, Elementwise) and len({o.shape for o in n.operands if o.rank}) > 1 for n in topological(*g.roots)
    ),
    "an extent of 0": lambda g: any(0 in g.data[leaf.name].shape for leaf in g.leaves),
    "an extent of 1": lambda g: any(1 in g.data[leaf.name].shape for leaf in g.leaves),
    "several roots": lambda g: len(g.roots) > 1,
    "a value of integers": lambda g: any(n.dtype == "int64" and n.operands for n in topological(*g.roots)),
    "ten operations": lambda g: sum(bool(n.operands) for n in topological(*g.roots)) >= 10,
}


WANTED: dict[str, set[str]] = {
    "kind": KINDS,
    "elementwise": set(PRIMITIVES),
    "reduce": set(REDUCTIONS),
    "determinant": set(DETERMINANTS),
    "assumption": set(LEAF_ASSUMPTIONS),
    "feature": set(FEATURES),
}


def found_in(graph: RandomGraph) -> set[tuple[str, str]]:
    """What a graph has of what is wanted."""
    nodes = topological(*graph.roots)
    found = {("kind", node.kind) for node in nodes}
    found |= {(node.kind, getattr(node, "op", "")) for node in nodes}
    found |= {("assumption", name) for leaf in graph.leaves for name in leaf.assumptions}
    return found | {("feature", name) for name, holds in FEATURES.items() if holds(graph)}


def test_everything_is_drawn() -> None:
    """In one test, for the drawing takes most of the time."""
    counts = Counter(what for seed in range(SEEDS) for what in found_in(seeded(seed)))
    least = {group: SEEDS // 50 if group == "feature" else RARELY for group in WANTED}
    rare = {(group, name) for group, names in WANTED.items() for name in names if counts[group, name] < least[group]}
    assert rare == set()


def test_a_seed_gives_one_graph() -> None:
    for seed in range(20):
        first, again = seeded(seed), seeded(seed)
        assert first.roots == again.roots and first.dims == again.dims
        assert all(np.array_equal(first.data[name], again.data[name]) for name in first.data)


def test_a_reproduction_builds_the_same_nodes_and_data() -> None:
    for graph in map(seeded, range(200)):
        found = rebuilt(source(graph.roots, graph.used_data(), graph.dims))
        assert found["roots"] == graph.roots and found["dims"] == graph.dims
        for name, array in graph.used_data().items():
            assert found["data"][name].dtype == array.dtype and np.array_equal(found["data"][name], array), name


SMALLEST = """
from hypothesis import find, settings
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.symbols import Tensor
from tests.fuzz.graphs import graphs

def solves_something_of_a_leaf(graph):
    return any(n.kind == "solve" and not isinstance(n.operands[1], Tensor) for n in topological(*graph.roots))

often = settings(max_examples=2000, database=None, derandomize=True)
print(len(topological(*find(graphs(), solves_something_of_a_leaf, settings=often).roots)))
"""


def test_hypothesis_shrinks_to_a_small_graph() -> None:
    """In a process of its own: hypothesis draws constants of all modules that are loaded, so that what it finds, and
    how long it shrinks that (seconds, or its limit of minutes), depends on the tests before.
    """
    done = subprocess.run([sys.executable, "-c", SMALLEST], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) <= 8
