"""Powers and functions of a length in front of what is linear: hat(w/‖w‖)·sin ‖w‖ → hat(w)·sin ‖w‖/‖w‖.

In: expressions as written, and squares of lengths.  Out: the same with factors that are powers and functions of these
lengths taken out of contractions, of what is rearranged and of what is joined, up to the sum or function that they
stand in: there the divisors of a unit vector meet the functions that vanish with them.
Not handled: lengths that vary along an axis that is summed over, joined or reshaped.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sympy import Expr

from symnet.expr.nodes.constants import number, number_of
from symnet.expr.nodes.contraction import Einsum, contract
from symnet.expr.nodes.elementwise import Elementwise, elementwise, is_op
from symnet.expr.nodes.expansion import Expand, expand
from symnet.expr.nodes.graph import topological, with_operands
from symnet.expr.nodes.movement import Concat, concat
from symnet.expr.nodes.node import Axes, Node
from symnet.simplify.algebra.moved_axes import MOVED, axes_after, is_laid_out
from symnet.simplify.forms.broadcast import without_repetition
from symnet.simplify.forms.factors import Base, Factors
from symnet.simplify.numeric.singularities.power_series import SERIES_OF
from symnet.simplify.numeric.singularities.variables import stands_near

Front = dict[Base, Expr]


def new_axes_last(node: Node) -> Node:
    """sin(a·t[:, None]) → sin(a·t)[:, None]: axes of extent 1 are put in after what is computed, not before."""
    arrays = [o for o in node.operands if o.rank]
    if not isinstance(node, Elementwise) or not arrays:
        return node
    first = arrays[0]
    alike = all(
        isinstance(o, Expand) and o.shape == node.shape and isinstance(first, Expand) and o.axes == first.axes
        for o in arrays
    )
    if not alike or not isinstance(first, Expand) or any(node.shape[a] != 1 for a in first.new_axes):
        return node
    inner = with_operands(node, [o.operands[0] if o.rank else o for o in node.operands])
    return expand(new_axes_last(inner), node.shape, first.axes)


@dataclass
class LengthsInFront:
    """The nodes of a graph as products of what is made of lengths alone, and the rest.

    Attributes:
        lengths: the squares of the lengths.
    """

    lengths: set[Node]
    _alone: dict[Node, Base] = field(default_factory=dict)  # nodes made of lengths alone, without repetition
    _cores: set[Node] = field(default_factory=set)
    _parts: dict[Node, tuple[Front, Node]] = field(default_factory=dict)

    def of(self, roots: Iterable[Node]) -> list[Node]:
        """The roots with lengths in front of what is linear."""
        roots = list(roots)
        for node in topological(*roots):
            made = self._made_of_lengths(node)
            if made is not None:
                self._alone[node] = made
                self._cores.add(made[0])
            self._parts[node] = self._part(node)
        return [self._whole(root) for root in roots]

    def _made_of_lengths(self, node: Node) -> Base | None:
        """What a node that is made of lengths and numbers alone repeats, and the axes along which that varies."""
        if node in self.lengths:
            return node, tuple(range(node.rank))
        if isinstance(node, Expand):
            inner = self._alone.get(node.operands[0])
            return None if inner is None else (inner[0], tuple(node.axes[a] for a in inner[1]))
        if not isinstance(node, Elementwise) or not is_op(node, "add", "mul", "pow", *SERIES_OF):
            return None
        axes, cores = set(), []
        for operand in node.operands:
            value = number_of(operand)
            inner = self._alone.get(operand)
            if inner is None and value is None:
                return None
            if inner is not None:
                axes.add(tuple(node.rank - operand.rank + a for a in inner[1]))
            cores.append(number(value) if inner is None else inner[0])
        return (elementwise(node.op, *cores), axes.pop()) if len(axes) == 1 else None

    def _whole(self, node: Node) -> Node:
        """The node over the new ones, its front put back."""
        return _product(*self._parts[node])

    def _part(self, node: Node) -> tuple[Front, Node]:
        found: tuple[Front, Node] | None = None
        if node in self._alone:
            return self._split(Factors(node.shape).times(*self._alone[node]))
        if is_op(node, "mul"):
            return self._of_product(node)
        if is_op(node, "add"):
            found = self._of_sum(node)
        elif is_op(node, "pow"):
            found = self._of_power(node)
        elif isinstance(node, Einsum):
            found = self._of_contraction(node)
        elif isinstance(node, Concat):
            found = self._of_joined(node)
        elif is_laid_out(node):
            found = self._of_moved(node)
        return found or ({}, with_operands(node, [self._whole(o) for o in node.operands]))

    def _split(self, factors: Factors) -> tuple[Front, Node]:
        """What is made of lengths among factors, and the product of the others."""
        front = {b: e for b, e in factors.powers.items() if b[0] in self._cores and isinstance(e, Expr)}
        rest = factors.copy()
        for base in front:
            del rest.powers[base]
        return front, rest.build()

    def _of_product(self, node: Node) -> tuple[Front, Node]:
        factors = Factors(node.shape)
        for operand in node.operands:
            first = node.rank - operand.rank
            front, core = self._parts[operand]
            factors.times(core, tuple(range(first, node.rank)))
            for (base, axes), e in front.items():
                factors.times(base, tuple(first + a for a in axes), e)
        front, core = self._split(factors)
        here = {base for base, _ in front} & self.lengths
        beside = [each for each, _ in Factors.view(core).powers if isinstance(each, Elementwise)]
        if any(stands_near(each, here) for each in beside):  # functions of a·t, which meet t here
            return {}, factors.build()
        return front, core

    def _of_sum(self, node: Node) -> tuple[Front, Node] | None:
        """The front that all terms have."""
        fronts = []
        for operand in node.operands:
            front, core = self._parts[operand]
            first = node.rank - operand.rank
            if not _is_zero(core):
                fronts.append({(base, tuple(first + a for a in axes)): e for (base, axes), e in front.items()})
        common = _common(fronts)
        return (common, with_operands(node, [self._parts[o][1] for o in node.operands])) if common else None

    def _of_power(self, node: Node) -> tuple[Front, Node] | None:
        front, core = self._parts[node.operands[0]]
        exponent = number_of(node.operands[1])
        if not front or exponent is None or not exponent.is_Integer:
            return None
        return {b: e * exponent for b, e in front.items()}, with_operands(node, [core, node.operands[1]])

    def _of_moved(self, node: Node) -> tuple[Front, Node] | None:
        front, core = self._parts[node.operands[0]]
        after = axes_after(node)
        moved = {(base, tuple(after[a] for a in axes)): e for (base, axes), e in front.items()}
        if not all(_stands(axes) for _, axes in moved):
            return None
        return moved, with_operands(node, [core, *(self._whole(o) for o in node.operands[1:])])

    def _of_contraction(self, node: Einsum) -> tuple[Front, Node] | None:
        total: Front = {}
        operands = []
        for operand, indices in zip(node.operands, node.inputs, strict=True):
            front, core = self._parts[operand]
            outside = {}
            for (base, axes), e in front.items():
                at = [indices[a] for a in axes]
                places = tuple(node.output.index(i) if i in node.output else MOVED for i in at)
                if not _stands(places):
                    core = _product({(base, axes): e}, core)
                else:
                    outside[base, places] = e
            total = _together(total, outside)
            operands.append(core)
        return (total, contract(node.inputs, node.output, *operands)) if total else None

    def _of_joined(self, node: Concat) -> tuple[Front, Node] | None:
        """The front that all pieces have."""
        pieces = [self._parts[o] for o in node.operands]
        common = _common([front for front, core in pieces if not _is_zero(core)])
        if not common or any(node.axis in axes for _, axes in common):
            return None
        return common, concat([core for _, core in pieces], node.axis)


def _common(fronts: list[Front]) -> Front:
    """What stands in front of all, where that is one; nothing otherwise."""
    return fronts[0] if fronts and all(front == fronts[0] for front in fronts[1:]) else {}


def _stands(axes: Axes) -> bool:
    """Whether axes are ones of the result, in their order."""
    return MOVED not in axes and list(axes) == sorted(set(axes))


def _is_zero(core: Node) -> bool:
    inner = without_repetition(core)
    return number_of(inner) == 0 or (is_op(inner, "mul") and any(number_of(o) == 0 for o in inner.operands))


def _together(a: Front, b: Front) -> Front:
    total = dict(a)
    for base, e in b.items():
        total[base] = total.get(base, 0) + e
    return {base: e for base, e in total.items() if e != 0}


def _product(front: Front, core: Node) -> Node:
    """What stands in front times the rest."""
    if not front:
        return core
    factors = Factors(core.shape).times(core, tuple(range(core.rank)))
    for (base, axes), e in front.items():
        factors.times(base, axes, e)
    return factors.build()
