"""The part of a graph that one formula shows, and what the readers ask about it.

In: a root node.  Out: `View`: for each node the shape it would have if broadcasting were left to NumPy, and the
keys by which terms and factors are put in reading order.  Values under a name are not entered.
All of it is computed once per node, operands first.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from symnet.expr.nodes.abstract import Application
from symnet.expr.nodes.constants import number_of
from symnet.expr.nodes.extents import broadcast_shapes, same_shape
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.indexing import labels_by_name
from symnet.expr.nodes.movement import Slice
from symnet.expr.nodes.node import Node, Shape
from symnet.expr.printing.forms import Form, FormPart, Ref, call

_DEGREE_LIMIT = 1000
_PIECES = re.compile(r"(\d+)")


def visible(root: Node) -> list[Node]:
    """The nodes that the formula of `root` may show, operands first; a named value below the root is a leaf."""
    return topological(root, opens=lambda node: node.kind != "named")


FormReader = Callable[[Any, "View"], Form]


class View:
    """What the readers of forms ask about the visible nodes.

    Args:
        order: these nodes, operands first.
        readers: how nodes are read, by kind.
        constants: the arrays that are shown by a name, and that name.
        degrees: of values that the page names.
        leaf: how a leaf reads that stands for another value; None for other nodes.

    Attributes:
        shown: the shape of a node's text under NumPy's rules; smaller than its shape where an `Expand` is not written.
        degree: as of a polynomial in the leaves; functions count as one leaf.
        height: the number of nested operations.
        uses: how many visible nodes have a node for an operand.
        label: the first leaf's name, digits compared as numbers.
        constants: the arrays that are shown by a name, and that name.
        labels: the one-hot arrays that are shown by the name of their leaf.
        applied: the arguments that an abstract function is applied to, by its name.
    """

    def __init__(
        self,
        order: list[Node],
        readers: Mapping[str, FormReader],
        constants: Callable[[list[Node]], dict[Node, str]],
        degrees: Mapping[Any, float],
        leaf: Callable[[Node, View], Form | None],
    ) -> None:
        self.readers = readers
        self.order = order
        self.leaf = leaf
        self.constants = constants(self.order)
        self.labels = labels_by_name(self.order)
        self.applied: dict[str, set[tuple[Node, ...]]] = {}
        for application in (node for node in self.order if isinstance(node, Application)):
            self.applied.setdefault(application.name, set()).add(application.operands)
        self.uses = Counter(o for node in self.order if node.kind != "named" for o in node.operands)
        self.shown: dict[Node, Shape] = {}
        self.degree: dict[Node, float] = {}
        self.height: dict[Node, int] = {}
        self.label: dict[Node, tuple[Any, ...]] = {}
        for node in self.order:
            below = () if node.kind == "named" else node.operands
            self.shown[node] = _SHOWN.get(node.kind, _exact)(node, self)
            self.degree[node] = degrees[node] if node in degrees else _degree(node, [self.degree[o] for o in below])
            self.height[node] = 1 + max((self.height[o] for o in below), default=-1)
            lowest = min((self.label[o] for o in below if self.label[o]), default=())
            self.label[node] = _label(node) or (*lowest, *_position(node))

    def read(self, node: Node) -> Form:
        """The form of a node where NumPy broadcasts it; an unknown kind reads as a call of its class."""
        placed = self.leaf(node, self)
        if placed is not None:
            return placed
        reader = self.readers.get(node.kind)
        return reader(node, self) if reader else call(type(node).__name__, *self.refs(node.operands), rank=node.rank)

    def ref(self, node: Node, loose: bool = False) -> Ref:
        """A part for `node`; `loose` where the place broadcasts."""
        shown = self.shown[node]
        if loose and shown is not node.shape and not same_shape(shown, node.shape):
            return Ref(node, True, len(shown))
        return Ref(node, False, node.rank)

    def refs(self, nodes: Iterable[Node], loose: bool = False) -> list[FormPart]:
        return [self.ref(node, loose) for node in nodes]

    def term_key(self, node: Node) -> tuple[Any, ...]:
        """Order in a sum: by falling degree, then simple before nested, then by name."""
        return -self.degree[node], self.height[node], self.label[node], node.digest

    def factor_key(self, node: Node) -> tuple[Any, ...]:
        """Order in a product: scalars before arrays, simple before nested, then by name; derivatives of abstract
        functions last, the outer before the inner, as the chain rule writes them.
        """
        outer = self.height[_base(node)] if _is_named_derivative(_base(node)) else None
        height = self.height[node] if outer is None else -outer
        return bool(self.shown[node]), outer is not None, height, self.label[node], node.digest


def _base(node: Node) -> Node:
    return node.operands[0] if node.kind == "elementwise" and node.args[0].name == "pow" else node


def _is_named_derivative(node: Node) -> bool:
    return isinstance(node, Application) and bool(node.orders)


def _exact(node: Node, view: View) -> Shape:
    return node.shape


def _elementwise_shown(node: Node, view: View) -> Shape:
    shapes = [view.shown[o] for o in node.operands]
    if all(s is o.shape for s, o in zip(shapes, node.operands, strict=True)):
        return node.shape
    shape = broadcast_shapes("printing", *shapes)
    return node.shape if same_shape(shape, node.shape) else shape


def _expand_shown(node: Any, view: View) -> Shape:
    if not node.axes:
        return ()
    if all(node.shape[a] == 1 for a in node.new_axes):
        return node.shape
    shape = tuple(n if a in node.axes else 1 for a, n in enumerate(node.shape))[node.axes[0] :]
    return node.shape if same_shape(shape, node.shape) else shape


def _abstract_shown(node: Any, view: View) -> Shape:
    return _elementwise_shown(node, view) if node.is_elementwise else node.shape


_SHOWN: dict[str, Callable[[Any, View], Shape]] = {
    "elementwise": _elementwise_shown,
    "expand": _expand_shown,
    "abstract": _abstract_shown,
}


def _degree(node: Node, below: list[float]) -> float:
    op = node.args[0].name if node.kind == "elementwise" else node.kind
    degree = _DEGREE.get(op, _one)(node, below)
    return max(-_DEGREE_LIMIT, min(_DEGREE_LIMIT, degree))


def _one(node: Node, below: list[float]) -> float:
    return 1.0


def _total(node: Node, below: list[float]) -> float:
    return sum(below)


def _largest(node: Node, below: list[float]) -> float:
    return max(below)


def _power_degree(node: Node, below: list[float]) -> float:
    exponent = number_of(node.operands[1])
    return below[0] * float(exponent) if exponent is not None and exponent.is_finite else 1.0


_DEGREE: dict[str, Callable[[Node, list[float]], float]] = {
    "number": lambda node, below: 0.0,
    "array": lambda node, below: 0.0,
    "size": lambda node, below: 0.0,
    "abstract": lambda node, below: 0.0 if isinstance(node, Application) and node.orders else 1.0,
    "mul": _total,
    "einsum": _total,
    "pow": _power_degree,
    **dict.fromkeys(("add", "expand", "reshape", "slice", "place", "concat", "barrier", "sealed"), _largest),
}


def _position(node: Node) -> tuple[Any, ...]:
    """Where a slice begins, so that x[0] stands before x[1]."""
    starts = node.starts if isinstance(node, Slice) else ()
    return tuple((1, start, "") for start in starts) if all(isinstance(start, int) for start in starts) else ()


def _label(node: Node) -> tuple[Any, ...]:
    if node.kind == "array":  # after every name
        return ((2, 0, ""),)
    name = getattr(node, "name", None)
    if node.kind not in ("tensor", "named", "abstract") or name is None:
        return ()
    places = node.orders if isinstance(node, Application) else ()
    pieces = ((1, int(piece), "") if piece.isdigit() else (0, 0, piece) for piece in _PIECES.split(name))
    return (*pieces, *((1, k, "") for k in (-len(places), *places) if places))
