"""Repetitions moved to where they read best, before a formula is read.

In: a root.  Out: a graph of the same value: `(sum(x, axis=1)/n + 1)[:, None]` becomes sums that keep their axis, and
the reciprocal of a repeated value the reciprocal repeated, so that it stands below the line: `x/s[:, None]`.
Only for printing: what is computed stays as it was.
"""

from __future__ import annotations

from collections.abc import Iterable

from symnet.expr.nodes.constants import number_of
from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.elementwise import elementwise, is_op, operands_of
from symnet.expr.nodes.expansion import Expand, expand
from symnet.expr.nodes.graph import rebuild, topological, with_operands
from symnet.expr.nodes.node import Node, Shape
from symnet.expr.nodes.reduction import Reduce

_DEEPEST = 8  # elementwise operations that a repetition passes


def repeat_inside(root: Node) -> Node:
    """The root with repetitions moved inside sums, products and functions of reductions."""
    if not any(_is_repetition(node) for node in topological(root)):
        return root
    (result,) = rebuild([root], lambda node: _moved(node) if _is_repetition(node) else node)
    return result


def _is_repetition(node: Node) -> bool:
    """Whether a node repeats an elementwise value along an axis that NumPy's rules do not add by themselves."""
    if not isinstance(node, Expand) or node.operands[0].kind != "elementwise" or not node.axes:
        return False
    return node.new_axes[-1] > node.axes[0] and all(node.shape[a] != 1 for a in node.new_axes)


def _moved(node: Node) -> Node:
    assert isinstance(node, Expand)
    x = node.operands[0]
    if _is_made_of_reductions(x, node.shape, node.axes, _DEEPEST):
        return _repeated(x, node.shape, node.axes)
    if is_op(x, "mul", "pow") and any(map(_divides, operands_of("mul", x))):
        below = [o for o in operands_of("mul", x) if _divides(o)]
        above = [o for o in operands_of("mul", x) if not _divides(o)]
        parts = [_over_all(_product(above), node.shape, node.axes)] if above else []
        parts += [with_operands(o, [_over_all(o.operands[0], node.shape, node.axes), o.operands[1]]) for o in below]
        return _product(parts)
    return node


def _product(factors: Iterable[Node]) -> Node:
    parts = list(factors)
    return parts[0] if len(parts) == 1 else elementwise("mul", *parts)


def _divides(factor: Node) -> bool:
    exponent = number_of(factor.operands[1]) if is_op(factor, "pow") and factor.rank else None
    return exponent is not None and bool(exponent.is_negative)


def _is_made_of_reductions(x: Node, shape: Shape, axes: tuple[int, ...], depth: int) -> bool:
    """Whether every array in x is a reduction of an array of this shape along the axes that are repeated."""
    if not x.rank:
        return True
    if x.rank < len(axes) or not depth:
        return False
    if x.kind == "elementwise":
        return all(_is_made_of_reductions(o, shape, axes, depth - 1) for o in x.operands)
    whole = x.operands[0] if x.operands else x
    if whole.rank != len(shape) or not (isinstance(x, Reduce) or (isinstance(x, Einsum) and x.is_sum)):
        return False
    return _kept(x) == axes


def _kept(x: Node) -> tuple[int, ...]:
    """The axes of its operand that a reduction keeps."""
    whole = x.operands[0]
    if isinstance(x, Reduce):
        return tuple(a for a in range(whole.rank) if a not in x.axes)
    assert isinstance(x, Einsum)
    return tuple(a for a, i in enumerate(x.inputs[0]) if i in x.output)


def _repeated(x: Node, shape: Shape, axes: tuple[int, ...]) -> Node:
    """x, made of reductions, with each of them repeated."""
    if not x.rank:
        return x
    if x.kind == "elementwise":
        return with_operands(x, [_repeated(o, shape, axes) for o in x.operands])
    return expand(x, shape, axes)


def _over_all(x: Node, shape: Shape, axes: tuple[int, ...]) -> Node:
    """x repeated; a scalar stays one."""
    return expand(x, shape, axes[len(axes) - x.rank :]) if x.rank else x
