"""Which values of a graph a derivation shows: the stations, as a teacher would choose them.

In: a root as written and what it is differentiated by.  Out: the stations, operands first, and to which station every
node between them belongs.  `z = w·x + b; y = σ(z); L = -d log y - (1-d) log(1-y)` has eleven nodes and three stations.
The rule: along a way from one station to the next there is at most one step that is not obvious (a function, a
product of variables, a contraction); signs, constant factors and terms, sums, means and broadcasting go with it.
A value with a name, one that is used twice, a variable, an element of one and the root are always stations.
Not handled: choosing by the length of the formula, but for a limit on the number of nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from symnet.expr.nodes.constants import number_of
from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.elementwise import is_op
from symnet.expr.nodes.graph import depends_on, topological, with_operands
from symnet.expr.nodes.movement import Slice
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Barrier, Tensor

LIGHT, TOTAL, SUM, LINEAR, CURVED = "light", "total", "sum", "linear", "curved"
_WEIGHT = {LIGHT: 0, TOTAL: 0, SUM: 0, LINEAR: 1, CURVED: 1}
_MOVES = frozenset({"expand", "reshape", "slice", "place", "barrier", "sealed"})
_LARGEST = 24  # nodes of one station


@dataclass
class OpenStation:
    """A station's nodes so far: the heaviest way through them, the kinds of step among them."""

    nodes: int
    weight: int
    steps: frozenset[str]


@dataclass(frozen=True)
class Stations:
    """The stations of a graph.

    Attributes:
        order: the stations that depend on a variable, operands first, the variables among them.
        given: the named values that depend on none, operands first.
        active: every node that depends on a variable.
        stops: where a formula ends: the stations and the given values.
    """

    order: list[Node]
    given: list[Node]
    active: set[Node]
    stops: frozenset[Node]

    def formula(self, station: Node, tag: Callable[[Node], Node]) -> Node:
        """The station over the tags of the values it is computed from."""
        new: dict[Node, Node] = {}
        for node in self._between(station):
            stop = node in self.stops and node is not station
            if stop:
                new[node] = tag(node)
            elif node is station and isinstance(node, Barrier):
                new[node] = new[node.operands[0]]
            else:
                new[node] = with_operands(node, (new[o] for o in node.operands))
        return new[station]

    def inputs(self, station: Node) -> list[Node]:
        """The stations that a station is computed from, in the order in which they are met."""
        between = self._between(station)
        return [n for n in between if n in self.stops and n in self.active and n is not station]

    def _between(self, station: Node) -> list[Node]:
        """The nodes under a station down to where its formula ends, operands first."""
        return topological(station, opens=lambda node: node is station or node not in self.stops)


def find_stations(root: Node, targets: Sequence[Node], named: Iterable[Node]) -> Stations:
    """The stations of `root` by `targets`.

    Args:
        root: as written, without names.
        targets: leaves, or barriers around intermediate values.
        named: the values that carry a name.
    """
    active = depends_on([root], targets)
    everything = topological(root)
    named = set(named)
    order = [node for node in everything if node in active]
    fixed = {root, *targets, *(n for n in order if n.kind == "tensor")}
    fixed.update(named, (n for n in order if is_element(n)))
    fixed -= {o for t in targets for o in t.operands}  # a value that is differentiated by is one station
    uses: dict[Node, int] = {}
    for node in order:
        for operand in node.operands:
            uses[operand] = uses.get(operand, 0) + 1
    absorbed: set[Node] = set()
    groups: dict[Node, OpenStation] = {}
    for node in order:
        groups[node] = _grow(node, active, fixed, uses, groups, absorbed)
    stations = [n for n in order if n not in absorbed]
    inner = {o for t in targets for o in t.operands}
    given = [n for n in everything if n in named and n not in active and n.operands and n not in inner]
    return Stations(stations, given, active, frozenset([*stations, *given]))


def _grow(
    node: Node,
    active: set[Node],
    fixed: set[Node],
    uses: dict[Node, int],
    groups: dict[Node, OpenStation],
    taken: set[Node],
) -> OpenStation:
    """The group of a node with those operands that it takes in."""
    positions = [o for o in node.operands if o in active]
    step = step_of(node, positions)
    group = OpenStation(1, _WEIGHT[step], frozenset({step}))
    idiom = frozenset(node.operands) if isinstance(node, Barrier) else softmax_parts(node)
    for operand in [] if _is_put_into_array(node) else positions:
        below = groups[operand]
        free = operand not in fixed and operand not in taken
        whole = free and operand in idiom
        if whole or (free and uses[operand] == 1 and _fits(step, operand, below, positions, group)):
            taken.add(operand)
            weight = 1 if whole else max(group.weight, _WEIGHT[step] + below.weight)
            group = OpenStation(group.nodes + below.nodes, weight, group.steps | below.steps)
    return group


def is_element(node: Node) -> bool:
    """Whether a node is one element of a leaf, x[2] or W[1, 2]: a value that has a name by itself."""
    return is_one_element(node) and isinstance(node.operands[0].operands[0], Tensor)


def is_one_element(node: Node) -> bool:
    """Whether a node is one element of an array, x[2] or tanh(x)[2]."""
    sliced = node.operands[0] if isinstance(node, Einsum) and node.is_sum and not node.rank else None
    return isinstance(sliced, Slice) and all(n == 1 for n in sliced.shape)


def _is_put_into_array(node: Node) -> bool:
    """Whether a node makes an array of one element of a scalar, to be stacked: the scalar is a value by itself."""
    return node.kind == "expand" and not node.operands[0].rank and all(n == 1 for n in node.shape)


def step_of(node: Node, positions: Sequence[Node]) -> str:
    """What kind of step a node is for the operands that vary."""
    if len(positions) == 1 and (is_op(node, "add") or is_op(node, "mul") or node.kind in _MOVES):
        return LIGHT
    if is_op(node, "add"):
        return SUM
    if isinstance(node, Einsum):
        if node.is_transpose:
            return LIGHT
        return TOTAL if node.is_sum else LINEAR if len(positions) == 1 else CURVED
    return CURVED


def _fits(step: str, operand: Node, below: OpenStation, positions: Sequence[Node], group: OpenStation) -> bool:
    """Whether a step that is `step` may take in an operand that only it uses."""
    if group.nodes + below.nodes > _LARGEST:
        return False
    if is_op(operand, "pow") and number_of(operand.operands[1]) == -1 and len(below.steps - {LIGHT, CURVED}) == 0:
        return below.nodes == 1  # a quotient
    if _WEIGHT[step] + below.weight > 1:
        return False
    if not _WEIGHT[step]:
        return True
    plain = below.steps == {LIGHT}
    return plain and not (len(positions) > 1 and is_op(operand, "add"))


def softmax_parts(node: Node) -> frozenset[Node]:
    """x - logsumexp(x) and what it is made of, where `node` is its exponential: one step, called softmax."""
    inner = node.operands[0] if is_op(node, "exp") else None
    if inner is None or not is_op(inner, "add") or len(inner.operands) != 2:
        return frozenset()
    return frozenset({inner}) if any(_is_minus_logsumexp(a, b) for a, b in _both(inner.operands)) else frozenset()


def _both(pair: Sequence[Node]) -> list[tuple[Node, Node]]:
    return [(pair[0], pair[1]), (pair[1], pair[0])]


def _is_minus_logsumexp(term: Node, x: Node) -> bool:
    """Whether `term` is -logsumexp(x), repeated."""
    others = [o for o in term.operands if number_of(o) != -1]
    if not is_op(term, "mul") or len(others) != 1:
        return False
    value = others[0].operands[0] if others[0].kind == "expand" else others[0]
    return value.kind == "reduce" and value.args[0].name == "logsumexp" and value.operands[0] is x
