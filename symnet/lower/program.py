"""Lowering: a numeric-form graph becomes nests over buffers.

In: roots with their output names, the leaves in the order of the call, the real dtype of weak values.
Out: `Lowered`: nests in order, buffers, signature; `naive_program` writes them as plain loops over whole arrays.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import sympy

from symnet.expr.nodes.abstract import refuse
from symnet.expr.nodes.constants import ConstantArray, Number
from symnet.expr.nodes.extents import Dim, difference, product
from symnet.expr.nodes.graph import dims_of, topological
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Tensor
from symnet.loops.ir import Buffer, Constant, Group, IntConst, IntExpr, IntVar, Program, Store, int_min, int_mul
from symnet.loops.signature import IndexBound, Requirement, Signature
from symnet.lower import constants, elementwise, indexing  # noqa: F401  (each fills the table INLINE)
from symnet.lower.argmax import argmax_nests
from symnet.lower.axes import axis_classes
from symnet.lower.batches import batches
from symnet.lower.contraction import contraction_nest
from symnet.lower.counts import count_requirements
from symnet.lower.cumulative import cumsum_nest
from symnet.lower.extents import lower_extent
from symnet.lower.indexing import bound_of, check_nest, checked_copy, use_of
from symnet.lower.linalg import (
    FactorBuffers,
    columns_shape,
    determinant_nest,
    factor_buffers,
    factor_nest,
    factored_matrix,
    solve_nest,
)
from symnet.lower.movement import concat_nest, place_nests
from symnet.lower.nest import Nest, naive_phase, of_one_batch
from symnet.lower.point import Use
from symnet.lower.ranges import surely_in_range
from symnet.lower.recurrence import recurrence_nest
from symnet.lower.reduction import reduce_nest
from symnet.lower.running import running_logsumexp_nest, scaled_sum_nest
from symnet.lower.scatter import scatter_nests
from symnet.lower.state import LoweringState, clear_of
from symnet.lower.storage import Storage, decide
from symnet.simplify.machine.arrangement import arrange
from symnet.simplify.machine.kinds import scattered


@dataclass(frozen=True)
class Lowered:
    """Everything below the graph that scheduling needs."""

    name: str
    dims: tuple[str, ...]
    inputs: tuple[Buffer, ...]
    outputs: tuple[Buffer, ...]
    workspace: tuple[Buffer, ...]
    nests: tuple[Nest, ...]
    signature: Signature
    constants: tuple[Constant, ...] = ()
    across: dict[str, str] = field(default_factory=dict)  # array → the kind of what reads across its rows


def lower(
    name: str,
    roots: Sequence[Node],
    outputs: Sequence[str],
    leaves: Sequence[Tensor],
    real: str,
    written: Sequence[Node] = (),
) -> Lowered:
    """Lower numeric-form roots to nests over buffers.

    Args:
        name: the C name.
        roots: numeric-form expressions.
        outputs: the names of their output arrays.
        leaves: the inputs, in the order of the call (unused ones too).
        real: dtype of weak values.
        written: the expressions as the user wrote them: what they require of extents and indices holds at the call,
            whether or not it simplified away.
    """
    roots = arrange(roots)
    classes = axis_classes(roots)
    dims = _dims(leaves, [*roots, *written])
    storage = decide(roots)
    streamed = batches(classes, storage, roots, real)
    state = LoweringState(classes, {place: k for k, place in enumerate(streamed.places, start=1)}, real, dims)
    inputs = _inputs(state, leaves)
    builder = _Builder(state, storage, outputs)
    arrays = builder.arrays()
    out_buffers = builder.outputs(roots, outputs)
    builder.run(roots)
    builder.copies(roots, out_buffers)
    signature = _signature(name, dims, inputs, out_buffers, roots, leaves, written or roots)
    signature = _checked_in_native_code(signature, builder.checks)
    across = {state.stored[n].name: kind for n, kind in streamed.across.items() if n in state.stored}
    workspace, nests = tuple(builder.workspace), tuple(map(of_one_batch, builder.nests))
    return Lowered(name, dims, inputs, tuple(out_buffers), workspace, nests, signature, arrays, across)


def naive_program(lowered: Lowered) -> Program:
    """The nests as plain serial loops over whole arrays: the floor *loops*."""
    unit = clear_of("u", lowered.dims)
    phases = tuple(replace(naive_phase(nest), unit_var=unit) for nest in lowered.nests)
    groups = (Group(phases, var=clear_of("block", lowered.dims)),) if phases else ()
    arrays = lowered.inputs, lowered.outputs, lowered.workspace
    return Program(lowered.name, lowered.dims, *arrays, groups, constants=lowered.constants)


def _dims(leaves: Iterable[Tensor], roots: Iterable[Node]) -> tuple[str, ...]:
    """The dims of the inputs' shapes in order, then those that only the expressions hold (given at the call)."""
    shapes = (n for leaf in leaves for n in leaf.shape)
    found = [s for n in shapes for s in sorted(sympy.sympify(n).free_symbols, key=str)]
    rest = sorted(dims_of(*roots), key=str)
    return tuple(dict.fromkeys(s.name for s in [*found, *rest] if isinstance(s, Dim)))


def _inputs(state: LoweringState, leaves: Sequence[Tensor]) -> tuple[Buffer, ...]:
    for leaf in leaves:
        state.stored[leaf] = state.buffer(leaf.name, leaf, "input")
    return tuple(state.stored[leaf] for leaf in leaves)


class _Builder:
    """Builds the nests of the stored nodes, in order."""

    def __init__(self, state: LoweringState, storage: Storage, outputs: Iterable[str]) -> None:
        self.state = state
        self.storage = storage
        self.nests: list[Nest] = []
        self.workspace: list[Buffer] = []
        self.factors: dict[tuple[Node, str], FactorBuffers] = {}
        self.checks: list[IndexBound] = []
        self.report: Buffer | None = None
        self.numbers: dict[str, int] = {}  # of the next name of a stem
        self.taken: set[str] = {*(b.name for b in state.stored.values()), *outputs}

    def fresh(self, stem: str) -> str:
        number = self.numbers.get(stem, 1)
        while (name := f"{stem}{number}") in self.taken:
            number += 1
        self.numbers[stem] = number + 1
        self.taken.add(name)
        return name

    def arrays(self) -> tuple[Constant, ...]:
        """The constant arrays, each a buffer of its own."""
        found = []
        for node in self.storage.order:
            if isinstance(node, ConstantArray):
                buffer = self.state.stored[node] = self.state.buffer(self.fresh("c"), node, "constant")
                found.append(Constant(buffer, node.contents))
        return tuple(found)

    def outputs(self, roots: Sequence[Node], names: Sequence[str]) -> list[Buffer]:
        """Output buffers; the first root of each distinct computed node is computed straight into its buffer."""
        buffers = []
        for root, name in zip(roots, names, strict=True):
            buffer = self.state.buffer(name, root, "output")
            buffers.append(buffer)
            if root not in self.state.stored and root.kind != "reshape":
                self.state.stored[root] = buffer
        return buffers

    def copies(self, roots: Sequence[Node], buffers: Sequence[Buffer]) -> None:
        """Roots that are leaves, views or repeated: copied into their outputs."""
        for root, buffer in zip(roots, buffers, strict=True):
            if self.state.stored[root] is not buffer:
                self._map(root, buffer, f"{buffer.name}_copy")

    def run(self, roots: Sequence[Node]) -> None:
        order = set(self.storage.order)
        for node in topological(*roots):
            if node.kind in ("take", "one_hot"):
                self._check(use_of(node))
            if node not in order or node.kind in ("tensor", "array"):
                continue
            if node.kind == "reshape":
                self._view(node)
                continue
            if node not in self.state.stored:
                self.state.stored[node] = self._temporary(node, "t")
            buffer = self.state.stored[node]
            computed = self.storage.anchors.get(node, node)
            _NESTS.get(computed.kind, _map_nest)(self, computed, node, buffer)

    def _check(self, use: Use) -> None:
        """A checked copy of indices that may lie outside."""
        if use in self.state.checked or surely_in_range(*use[:2]):
            return
        if self.report is None:
            self.report = Buffer(self.fresh("report"), "int64", (IntConst(3),), "workspace")
            self.workspace.insert(0, self.report)
        copy = checked_copy(self.state, use, self.fresh("index"))
        self.workspace.append(copy)
        self.nests.append(check_nest(self.state, use, copy, len(self.checks), self.report))
        self.state.checked[use] = copy
        self.checks.append(bound_of(use))

    def _temporary(self, node: Node, stem: str) -> Buffer:
        buffer = self.state.buffer(self.fresh(stem), node, "workspace")
        self.workspace.append(buffer)
        return buffer

    def _view(self, node: Node) -> None:
        base = self.state.stored[node.operands[0]]
        view = self.state.buffer(self.fresh("view"), node, base.space, base.view_of or base.name)
        self.workspace.append(view)
        self.state.stored[node] = view

    def _map(self, node: Node, buffer: Buffer, name: str) -> None:
        axes = self.state.axes(node)
        index: tuple[IntExpr, ...] = tuple(IntVar(a.var) for a in axes)
        points = self.state.points("v", node if self.state.stored.get(node) is buffer else None)
        value = points.cast(points.at(node, index), buffer.dtype)
        self.nests.append(Nest(name, axes, (*points.lets, Store(buffer, index, value))))

    def factored(self, matrix: Node, dtype: str) -> FactorBuffers:
        """The elimination of a matrix, done once for all that needs it."""
        found = self.factors.get((matrix, dtype))
        if found is None:
            found = self.factors[matrix, dtype] = factor_buffers(self.state, matrix, dtype, self.fresh)
            self.workspace += [buffer for buffer in found if buffer is not None]
            self.nests.append(factor_nest(self.state, matrix, found))
        return found

    def columns(self, node: Any, buffer: Buffer) -> Buffer:
        """A solution as vectors (one right-hand side) or as matrices of columns."""
        first, is_vector = columns_shape(node, buffer)
        kept, rest = buffer.shape[:first], buffer.shape[first:]
        if not rest or (len(rest) == 1 and not is_vector):
            return buffer
        shape = kept if is_vector else (*kept, functools.reduce(int_mul, rest))
        batch = buffer.batch_axis if buffer.batch_axis in range(first - 1) else None
        view = Buffer(self.fresh("view"), buffer.dtype, shape, buffer.space, buffer.view_of or buffer.name)
        view = view if batch is None else replace(view, batch_axis=batch, batch=buffer.batch)
        self.workspace.append(view)
        return view


def _map_nest(b: _Builder, node: Node, target: Node, buffer: Buffer) -> None:
    b._map(target, buffer, buffer.name)


def _einsum_nest(b: _Builder, node: Any, target: Node, buffer: Buffer) -> None:
    if scattered(node) is not None:
        nests, buffers = scatter_nests(b.state, node, target, buffer, b.fresh)
        b.nests += nests
        b.workspace += buffers
    elif node.contracted:
        b.nests.append(contraction_nest(b.state, node, target, buffer, b.storage.taken.get(node)))
    else:
        b._map(target, buffer, buffer.name)


def _reduce_nest(b: _Builder, node: Any, target: Node, buffer: Buffer) -> None:
    if node.op != "argmax":
        b.nests.append(reduce_nest(b.state, node, target, buffer, b.storage.taken.get(node)))
        return
    nests, buffers = argmax_nests(b.state, node, buffer, b.fresh)
    b.nests += nests
    b.workspace += buffers


def _place_nest(b: _Builder, node: Any, target: Node, buffer: Buffer) -> None:
    points = b.state.points("v")
    b.nests += place_nests(node, buffer, points, b.state.axes(node), b.state.axes(node.operands[0]))


def _concat_nest(b: _Builder, node: Any, target: Node, buffer: Buffer) -> None:
    for number, x in enumerate(node.operands):
        b.nests.append(concat_nest(node, number, buffer, b.state.points("v"), b.state.axes(x)))


def _solve_nest(b: _Builder, node: Any, target: Node, buffer: Buffer) -> None:
    matrix, transposed = factored_matrix(node)
    factors = b.factored(matrix, buffer.dtype)
    b.nests.append(solve_nest(b.state, node, buffer, b.columns(node, buffer), factors, transposed))


def _determinant_nest(b: _Builder, node: Any, target: Node, buffer: Buffer) -> None:
    matrix, _ = factored_matrix(node)
    b.nests.append(determinant_nest(b.state, node, buffer, b.factored(matrix, buffer.dtype)))


_NESTS: dict[str, Callable[[_Builder, Any, Node, Buffer], None]] = {
    "einsum": _einsum_nest,
    "reduce": _reduce_nest,
    "place": _place_nest,
    "concat": _concat_nest,
    "cumsum": lambda b, node, target, buffer: b.nests.append(cumsum_nest(b.state, node, buffer)),
    "cumprod": lambda b, node, target, buffer: b.nests.append(recurrence_nest(b.state, node, buffer)),
    "linear_recurrence": lambda b, node, target, buffer: b.nests.append(recurrence_nest(b.state, node, buffer)),
    "running_logsumexp": lambda b, node, target, buffer: b.nests.append(running_logsumexp_nest(b.state, node, buffer)),
    "scaled_sum": lambda b, node, target, buffer: b.nests.append(scaled_sum_nest(b.state, node, buffer)),
    "solve": _solve_nest,
    "determinant": _determinant_nest,
    "abstract": lambda b, node, target, buffer: refuse("compile(…)", node),
}


# --------------------------------------------------------------------------- what a call must satisfy


def _signature(
    name: str,
    dims: tuple[str, ...],
    inputs: tuple[Buffer, ...],
    outputs: list[Buffer],
    roots: Sequence[Node],
    leaves: Sequence[Tensor],
    written: Sequence[Node],
) -> Signature:
    used = {n for n in topological(*roots) if n.kind == "tensor"}
    unused = frozenset(leaf.name for leaf in leaves if leaf not in used)
    everything = topological(*written)
    requirements = tuple(
        dict.fromkeys(
            [
                *(r for n in everything for r in _REQUIRES.get(n.kind, _no_requirements)(n)),
                *(r for n in topological(*written, *roots) for r in count_requirements(n)),
            ]
        )
    )
    bounds = tuple(dict.fromkeys(b for n in topological(*written, *roots) for b in _bounds(n)))
    return Signature(name, dims, inputs, tuple(outputs), unused, requirements, bounds)


def _no_requirements(node: Node) -> list[Requirement]:
    return []


def _reduce_requirements(node: Any) -> list[Requirement]:
    count = product(node.operands[0].shape[a] for a in node.axes)
    checked = node.needs_elements and not isinstance(count, int)
    return [Requirement(lower_extent(count), 1, f"{node.op} of nothing")] if checked else []


def _mean_requirements(node: Any) -> list[Requirement]:
    """A division by an extent requires that this is not 0: there is no mean of nothing."""
    base, exponent = node.operands[0], node.operands[-1]
    negative = node.op == "pow" and isinstance(exponent, Number) and exponent.value.is_negative
    if negative and base.kind == "size":
        return [Requirement(lower_extent(base.args[0]), 1, f"mean over {base.args[0]}")]
    return []


def _slice_requirements(node: Any) -> list[Requirement]:
    """Slices of symbolic axes (steps of 1 or -1) stay inside; an empty one may stand at the end."""
    (x,) = node.operands
    found = []
    for extent, start, count, step in zip(x.shape, node.starts, node.shape, node.steps, strict=True):
        low, high = (start, start + count) if step > 0 else (start + 1 - count, start + 1)
        for inside in (count, low, difference(extent, high)):
            inside = sympy.expand(inside)
            if inside.free_symbols and not inside.is_nonnegative:
                short, rest = inside.as_coeff_Add()  # m - 3 >= 0 is said as m >= 3
                found.append(Requirement(lower_extent(rest), -int(short), f"slice of an axis of extent {extent}"))
    return found


def _take_requirements(node: Any) -> list[Requirement]:
    """Constant indices lie inside a symbolic extent; others are taken from an axis that has elements."""
    index, extent = node.operands[1], node.operands[0].shape[node.axis]
    if isinstance(extent, int) and extent:
        return []
    if isinstance(index, ConstantArray) and not isinstance(extent, int):
        last = int(index.contents.array.max(initial=-1))
        return [Requirement(lower_extent(extent), last + 1, f"index {last} along an axis of extent {extent}")]
    short = lower_extent(extent) - int_min(lower_extent(product(index.shape)), 1)
    return [Requirement(short, 0, f"indices into an axis of extent {extent}")]


_REQUIRES: dict[str, Callable[[Any], list[Requirement]]] = {
    "reduce": _reduce_requirements,
    "elementwise": _mean_requirements,
    "slice": _slice_requirements,
    "take": _take_requirements,
}


def _bounds(node: Node) -> list[IndexBound]:
    """The bounds of an integer leaf that is used as an index."""
    if node.kind not in ("take", "one_hot"):
        return []
    use = use_of(node)
    return [bound_of(use)] if use[0].kind == "tensor" else []


def _checked_in_native_code(signature: Signature, checks: Sequence[IndexBound]) -> Signature:
    """The signature with its checks; what they do not ask of leaves stays to be asked before the call."""
    asked = {(check.name, check.extent, wraps) for check in checks for wraps in {check.wraps, True}}
    rest = tuple(b for b in signature.index_bounds if (b.name, b.extent, b.wraps) not in asked)
    return replace(signature, index_bounds=rest, index_checks=tuple(checks))
