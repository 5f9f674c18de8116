"""Sums by index, the derivative of `take`: every element is added to the row that its index names.

In: an Einsum of one-hot rows and other factors in which the classes are kept and the indices summed,
Σᵣ 1[i[r] = j]·g[r, k], and the elementwise value fused behind it (or none).
Out: three nests; the work is that of the elements and of the rows that are written, not their product.

    seen[j] = 0                                        for every row j
    row i[r] of the sum += g[r]                        for every r in order: the first time it is seen, it is g[r]
    out[j] = f(row j of the sum, or 0 if not seen)     for every row j

What the additions round away is kept beside the sum, so that the error does not grow with what one row receives.
Rows that no index names are written once and not read.
Not handled: indices with axes that are kept (rows of their own for each), which stay products with one-hot rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.extents import TYPICAL, product
from symnet.expr.nodes.node import Node
from symnet.loops.ir import (
    Body,
    Buffer,
    Const,
    If,
    IntCondition,
    IntConst,
    IntExpr,
    IntLoad,
    IntVar,
    Load,
    Op,
    Store,
    Value,
)
from symnet.loops.sums import two_sum
from symnet.lower.contraction import index_axes, product_at
from symnet.lower.epilogue import epilogue
from symnet.lower.indexing import use_of
from symnet.lower.nest import Axis, Nest, nested
from symnet.lower.point import Index, constant
from symnet.lower.state import LoweringState
from symnet.simplify.machine.kinds import scattered

SHORT = 8  # elements of a row that it takes no longer to read and write than to ask whether it was seen
PLAIN = 32  # additions one after the other whose error is small: `schedule/partials.py` has chains as long


def read_once(node: Einsum, place: int) -> set[int]:
    """The indices over which a sum by index runs: those of the contraction, but for the classes."""
    return set(node.extents) - {node.inputs[place][-1]}


def _at(axis: Axis) -> IntExpr:
    """Where a loop over an axis is; one of extent 1 is none inside a kernel."""
    return IntConst(0) if axis.constant == 1 else IntVar(axis.var)


@dataclass(frozen=True)
class _Rows:
    """Where the sums stand, by the output's axes; `seen` by the class, None where rows are short and begin with 0.

    Attributes:
        classes: the output's axis of the rows.
        order: all axes of the output.
    """

    high: Buffer
    low: Buffer | None
    seen: Buffer | None
    classes: Axis
    order: tuple[Axis, ...]

    @property
    def index(self) -> Index:
        return tuple(map(_at, self.order))

    @property
    def along(self) -> list[Axis]:
        return [axis for axis in self.order if axis is not self.classes and axis.constant != 1]

    def begin(self) -> Nest:
        if self.seen is None:
            return Nest(f"{self.high.name}_zero", self.order, self.begun(self.index, constant(0, self.high.dtype)))
        place = (IntVar(self.classes.var),)
        return Nest(self.seen.name, (self.classes,), (Store(self.seen, place, Const(0, self.seen.dtype)),))

    def begun(self, at: Index, value: Value) -> Body:
        nothing = () if self.low is None else (Store(self.low, at, constant(0, self.low.dtype)),)
        return (Store(self.high, at, value), *nothing)

    def added(self, at: Index, value: Value) -> Body:
        if self.low is None:
            return (Store(self.high, at, value, "add"),)
        return two_sum(self.high, at, self.low, at, value)

    def total(self) -> Value:
        high = Load(self.high, self.index)
        return high if self.low is None else Op("add", (high, Load(self.low, self.index)), high.dtype)


def scatter_nests(
    state: LoweringState, node: Einsum, target: Node, buffer: Buffer, fresh: Callable[[str], str]
) -> tuple[list[Nest], list[Buffer]]:
    """The nests of a sum by index, and the buffers of their own.

    Args:
        state: of the lowering.
        node: the sum.
        target: the stored value (node itself, or an elementwise function of it).
        buffer: where it is stored.
        fresh: makes names of buffers.
    """
    place = scattered(node)
    assert place is not None
    axes = index_axes(state, node)
    order, classes = tuple(axes[i] for i in node.output), axes[node.inputs[place][-1]]
    dtype = state.dtype(node)

    def table(stem: str) -> Buffer:
        return Buffer(fresh(stem), dtype, buffer.shape, "workspace")

    short = _elements([a for a in order if a is not classes]) <= SHORT
    rows = _Rows(
        high=buffer if buffer.dtype == dtype else table("sums"),
        low=None if _few(node) or not dtype.startswith("float") else table("lost"),
        seen=None if short else Buffer(fresh("seen"), "int32", (classes.extent,), "workspace"),
        classes=classes,
        order=order,
    )
    nests = [rows.begin(), _addition(state, node, place, axes, rows), *_end(state, node, target, buffer, rows)]
    return nests, [b for b in (rows.high, rows.low, rows.seen) if b is not None and b is not buffer]


def _few(node: Einsum) -> bool:
    """Whether so few elements are added up that no rounding need be kept."""
    count = product(node.extents[i] for i in node.contracted)
    return isinstance(count, int) and count <= PLAIN


def _addition(state: LoweringState, node: Einsum, place: int, axes: dict[int, Axis], rows: _Rows) -> Nest:
    """The elements one after the other; those of one row of the sum side by side."""
    one_hot = node.operands[place]
    *where, classes = node.inputs[place]
    use = use_of(one_hot)
    indices = state.checked.get(use) or state.stored[use[0]]
    row = IntLoad(indices, tuple(IntVar(axes[i].var) for i in where))
    at = {i: row if i == classes else _at(axis) for i, axis in axes.items()}
    points = state.points("a")
    dtype = points.dtype(node)
    factors = [
        points.cast(points.at(operand, tuple(at[i] for i in index)), dtype)
        for k, (index, operand) in enumerate(zip(node.inputs, node.operands, strict=True))
        if k != place
    ]
    value = points.let(product_at(points, factors, dtype))
    lets, to = tuple(points.lets), tuple(at[i] for i in node.output)
    body = _lanes(rows.along, (*lets, *rows.added(to, value)))
    if rows.seen is not None:
        mark = Store(rows.seen, (row,), Const(1, rows.seen.dtype))
        first = (*_lanes(rows.along, (*lets, *rows.begun(to, value))), mark)
        body = (If(IntCondition("eq", IntLoad(rows.seen, (row,)), IntConst(0)), first, body),)
    reduced = dict.fromkeys((*where, *node.contracted))  # an index may run along two axes of the indices
    work = _elements(rows.along)
    return Nest(f"{rows.high.name}_scatter", (), body, tuple(axes[i] for i in reduced), kernel=work)


def _end(state: LoweringState, node: Einsum, target: Node, buffer: Buffer, rows: _Rows) -> list[Nest]:
    """What is stored, from the sum of a row that was seen and from 0 for others."""

    def stored(total: Value) -> Body:
        return epilogue(state, node, target, buffer, rows.index, total)

    there = () if target is node and rows.low is None else stored(rows.total())
    if rows.seen is None:
        return [Nest(buffer.name, rows.order, there)] if there else []
    position = rows.order.index(rows.classes) + 1
    outside, along = rows.order[:position], rows.order[position:]
    unseen = IntCondition("eq", IntLoad(rows.seen, (IntVar(rows.classes.var),)), IntConst(0))
    other = stored(constant(0, rows.high.dtype))
    body = If(unseen, _lanes(along, other), _lanes(along, there))
    return [Nest(buffer.name, outside, (body,), kernel=_elements(along))]


def _lanes(along: Sequence[Axis], body: Body) -> Body:
    """Loops over the axes of a row, the last one in lanes."""
    if not along or not body:
        return body
    return nested(along, body, ["serial"] * (len(along) - 1) + ["vector"])


def _elements(along: Sequence[Axis]) -> int:
    return int(product(TYPICAL if axis.constant is None else axis.constant for axis in along))
