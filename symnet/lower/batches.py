"""Which axes are streamed: those whose rows take most memory, and can be computed a superblock at a time.

In: the classes of axes under the roots (`axes.py`), and the values that are stored.  Out: classes in order, the first
with most to gain; a loop nest is streamed along the first of them that it has.

What an axis saves is the bytes of the stored values whose rows it runs over, but for those that are read across rows:
by a slice along the axis, an index, a cumulative sum, another axis of the same class.
A symbolic extent counts as long.  Of axes that save about as much, the batch is rather one that is symbolic or very
long, then the one that no output has, as gradients have those of parameters, then a symbolic one, then the leading one
of a leaf, then the one that saves more: along it there are fewer sums for which rows would have to wait.  What one axis
saves, the next one cannot save again.
An axis whose extent is known is streamed where more than `WORTH` bytes are saved and it leads, or is very long, so that
small programs, and products of large matrices, stay whole; and, where nothing else is streamed, if a long one is added
up into few results, for only rows can be shared then.
Axes of different classes and one extent are one class where no value has both: they are walked over together.
Not handled: a value with two streamed axes is streamed along the first alone.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterable
from dataclasses import dataclass, field

from symnet.dtypes import ITEMSIZE
from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.node import Extent, Node
from symnet.lower.axes import AxisClasses, NodeAxis, links_of
from symnet.lower.indexing import use_of
from symnet.lower.storage import Storage

LONG = 1 << 16  # what a symbolic extent counts for
WORTH = 1 << 20  # bytes that streaming along a known extent must save
SHORTEST, MANY = 16, 1 << 12  # the least known extents that are streamed, of a leading axis and of another one
LONG_SUM, FEW = 1 << 13, 16  # terms of a sum that is shared by its rows, and its results
ALIKE = 8  # how much more one axis saves than another that is rather the batch
SUMS = frozenset({"einsum", "reduce"})  # kinds that may add up along an axis, row by row
SCANS = frozenset(  # kinds that go from row to row
    {"cumsum", "cumprod", "linear_recurrence", "running_logsumexp", "scaled_sum"}
)


@dataclass(frozen=True)
class Streamed:
    """The classes that are streamed, in order; values whose rows are read across, and the kind of what reads them."""

    places: tuple[NodeAxis, ...]
    across: dict[Node, str]


@dataclass
class _Candidate:
    """A class of axes that may be streamed."""

    place: NodeAxis
    extents: set[Extent] = field(default_factory=set)
    leads: bool = False  # a leaf has it as the first of its axes
    saves: dict[Node, float] = field(default_factory=dict)  # bytes of values
    across: dict[Node, str] = field(default_factory=dict)  # values that are read across rows, and by what kind

    @property
    def is_known(self) -> bool:
        return all(isinstance(extent, int) for extent in self.extents)

    @property
    def is_short(self) -> bool:
        """Whether it is known and not very long, as axes of parameters are."""
        return all(isinstance(extent, int) and extent < MANY for extent in self.extents)

    def saved(self, done: set[Node]) -> float:
        """Bytes that are worth it, where some values are seen to."""
        total = sum(size for node, size in self.saves.items() if node not in done)
        return 0 if self.is_known and total < WORTH else total


def batches(classes: AxisClasses, storage: Storage, roots: Iterable[Node], real: str) -> Streamed:
    """The classes that are streamed, the first with most to gain."""
    found = _candidates(classes)
    _find_savings(classes, storage, set(roots), found, real)
    kept = {classes.find((root, axis)) for root in roots for axis in range(root.rank)}
    order = sorted(
        found.values(), key=lambda c: (c.is_short, c.place in kept, c.is_known, not c.leads, -sum(c.saves.values()))
    )
    chosen = list[_Candidate]()
    done = set[Node]()
    while (best := _best(order, done)) is not None:
        chosen.append(best)
        done |= best.saves.keys()
    default = [c for c in found.values() if not c.is_known]
    default = [c for c in default if c.leads] or default
    default = default or [c for c in found.values() if _is_added_up(classes, storage, c)]
    places = _of_different_extents(classes, chosen or default[:1])
    across = {node: kind for c in reversed(order) for node, kind in c.across.items()}
    return Streamed(tuple(places), across)


def _is_added_up(classes: AxisClasses, storage: Storage, candidate: _Candidate) -> bool:
    """Whether a stored value has a few results, each a sum along a long axis, whose rows nobody reads across."""
    if candidate.across or min(e for e in candidate.extents if isinstance(e, int)) < LONG_SUM:
        return False
    sums = [n for n in storage.order if n.kind in SUMS and math.prod(map(_length, n.shape)) <= FEW]
    return any(
        candidate.place in _places(classes, operand) and candidate.place not in _places(classes, node)
        for node in sums
        for operand in node.operands
    )


def _length(extent: Extent) -> int:
    return extent if isinstance(extent, int) else LONG


def _best(order: Iterable[_Candidate], done: set[Node]) -> _Candidate | None:
    """The first of those that save about as much as any."""
    saved = [(candidate, candidate.saved(done)) for candidate in order]
    most = max((size for _, size in saved), default=0)
    return next((candidate for candidate, size in saved if size and size * ALIKE >= most), None)


def _candidates(classes: AxisClasses) -> dict[NodeAxis, _Candidate]:
    """Classes of symbolic axes and of long ones, in the order in which leaves have them."""
    found: dict[NodeAxis, _Candidate] = {}
    for node in sorted(classes.order, key=lambda n: n.kind != "tensor"):
        for axis, extent in enumerate(node.shape):
            if isinstance(extent, int) and extent < (SHORTEST if axis == 0 else MANY):
                continue
            place = classes.find((node, axis))
            candidate = found.setdefault(place, _Candidate(place))
            candidate.extents.add(extent)
            candidate.leads |= node.kind == "tensor" and axis == 0
    return found


# --------------------------------------------------------------------------- what is saved


def _find_savings(
    classes: AxisClasses, storage: Storage, roots: set[Node], found: dict[NodeAxis, _Candidate], real: str
) -> None:
    stored = {n for n in storage.order if n.kind not in ("tensor", "array")}
    axes = {node: _places(classes, node, found) for node in classes.order}
    for node in reversed(classes.order):
        if node in stored and node not in roots:
            for place, mine in axes[node].items():
                if len(mine) == 1 and node not in found[place].across:
                    found[place].saves[node] = _bytes(node, real)
        for operand in node.operands:
            if axes[operand]:
                _find_read_across(classes, node, operand, axes, node in stored, found)
        if node.kind in ("take", "one_hot"):  # indices have a checked copy
            indices = use_of(node)[0]
            for place in axes[indices]:
                found[place].saves[node] = _bytes(indices, real)


def _find_read_across(
    classes: AxisClasses,
    node: Node,
    operand: Node,
    axes: dict[Node, dict[NodeAxis, list[int]]],
    is_stored: bool,
    found: dict[NodeAxis, _Candidate],
) -> None:
    """Note along which classes the rows of an operand are read across."""
    kept = {place for _, place in links_of(node)} if node.kind not in SUMS else set()
    inside = _indices(classes, node) if isinstance(node, Einsum) else {}
    for place, theirs in axes[operand].items():
        across = found[place].across
        mine = axes[node].get(place, ())
        if node in across and not is_stored and mine:
            across.setdefault(operand, across[node])
            continue
        several = inside.get(place, 0) > 1 or len(theirs) > 1 or len(mine) > 1
        lost = node.kind not in SUMS and any((operand, a) not in kept for a in theirs)
        if several or lost or (node.kind in SCANS and node.axis in theirs):
            across.setdefault(operand, node.kind)


def _places(classes: AxisClasses, node: Node, wanted: Container[NodeAxis] | None = None) -> dict[NodeAxis, list[int]]:
    """The axes of a node by their class, of some classes."""
    found: dict[NodeAxis, list[int]] = {}
    for axis in range(node.rank):
        place = classes.find((node, axis))
        if wanted is None or place in wanted:
            found.setdefault(place, []).append(axis)
    return found


def _indices(classes: AxisClasses, node: Einsum) -> dict[NodeAxis, int]:
    """How many indices of a contraction are of each class."""
    first: dict[int, NodeAxis] = {}
    for indices, operand in zip(node.inputs, node.operands, strict=True):
        for axis, index in enumerate(indices):
            first.setdefault(index, classes.find((operand, axis)))
    return {place: list(first.values()).count(place) for place in first.values()}


def _bytes(node: Node, real: str) -> float:
    size = float(ITEMSIZE[node.dtype or real])
    for extent in node.shape:
        size *= _length(extent)
    return size


# --------------------------------------------------------------------------- one extent, one walk


def _of_different_extents(classes: AxisClasses, chosen: Iterable[_Candidate]) -> list[NodeAxis]:
    """The classes, later ones that share an extent with another joined to it, or left out where a value has both."""
    kept: list[_Candidate] = []
    for candidate in chosen:
        alike = [other for other in kept if other.extents & candidate.extents]
        if not alike:
            kept.append(candidate)
        elif len(alike) == 1 and not _is_beside(classes, classes.find(alike[0].place), candidate.place):
            classes.join(alike[0].place, candidate.place)
            alike[0].extents |= candidate.extents
    return [classes.find(candidate.place) for candidate in kept]


def _is_beside(classes: AxisClasses, one: NodeAxis, other: NodeAxis) -> bool:
    """Whether a value, or the indices of a contraction, have axes of both classes."""
    for node in classes.order:
        places = _indices(classes, node) if isinstance(node, Einsum) else _places(classes, node)
        if one in places and other in places:
            return True
    return False
