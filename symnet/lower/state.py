"""What every nest builder needs: buffers of stored nodes, axis identities, the program's real dtype."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from symnet.expr.nodes.contraction import letter
from symnet.expr.nodes.node import Node
from symnet.loops.ir import Buffer
from symnet.lower.axes import AxisClasses, NodeAxis
from symnet.lower.extents import lower_extent, lower_shape
from symnet.lower.nest import Axis
from symnet.lower.point import Points, Use


def clear_of(name: str, dims: Iterable[str]) -> str:
    """A name for a loop or a let that no run-time extent has, nor a name derived from it (`i_tile`, `v1_0`).

    Extents are named by the user and share one namespace with loops and lets.
    """
    while any(d.startswith(name) for d in dims):
        name += "_"
    return name


@dataclass
class LoweringState:
    """What the builders of nests share while one graph is lowered."""

    classes: AxisClasses
    batches: dict[NodeAxis, int]  # the classes that are streamed, and their numbers, from 1, by what they save
    real: str
    dims: tuple[str, ...] = ()
    stored: dict[Node, Buffer] = field(default_factory=dict)
    checked: dict[Use, Buffer] = field(default_factory=dict)  # copies of indices
    nests: int = 0  # numbers the computations of points, so that names differ across nests

    def points(self, prefix: str, computing: Node | None = None) -> Points:
        """A fresh computation of points; `computing` is the stored node being computed, not yet to be read."""
        self.nests += 1
        return Points(self.stored, self.real, self.clear(f"{prefix}{self.nests}_"), computing, checked=self.checked)

    def clear(self, name: str) -> str:
        return clear_of(name, self.dims)

    def dtype(self, node: Node) -> str:
        return node.dtype or self.real

    def batch_of(self, place: NodeAxis) -> int:
        """The number of the batch that an axis runs over; 0 for others."""
        return self.batches.get(self.classes.find(place), 0)

    def axis(self, var: str, place: NodeAxis) -> Axis:
        """The loop over one axis of a node."""
        node, a = place
        return Axis(self.clear(var), lower_extent(node.shape[a]), self.batch_of(place))

    def axes(self, node: Node, prefix: str = "") -> tuple[Axis, ...]:
        """The loops over all of a node's axes."""
        return tuple(self.axis(prefix + letter(a), (node, a)) for a in range(node.rank))

    def batch_axis(self, node: Node, rank: int) -> tuple[int | None, int]:
        """Which of the first axes of a node runs over the first batch that they have, if only one does; its number."""
        numbers = [self.batch_of((node, a)) for a in range(rank)]
        first = min(filter(None, numbers), default=0)
        return (numbers.index(first), first) if first and numbers.count(first) == 1 else (None, 0)

    def buffer(self, name: str, node: Node, space: str, view_of: str | None = None) -> Buffer:
        """A buffer for a node's value; it remembers which axis is the batch."""
        axis, batch = self.batch_axis(node, node.rank)
        return Buffer(name, self.dtype(node), lower_shape(node.shape), space, view_of, axis, batch)
