"""Rewrites of reductions: max, min, prod, log-sum-exp.

In: a `reduce` node whose operand is in normal form.  Out: a reduction over fewer axes, or of a smaller operand.
"""

from __future__ import annotations

from symnet.expr.facts.softmax import softmax_axes
from symnet.expr.nodes.constants import number, size
from symnet.expr.nodes.contraction import sum as sum_over
from symnet.expr.nodes.elementwise import elementwise, is_op
from symnet.expr.nodes.expansion import Expand, expand
from symnet.expr.nodes.extents import product
from symnet.expr.nodes.graph import with_operands
from symnet.expr.nodes.indexing import Take
from symnet.expr.nodes.movement import Concat, Slice, drop_axes
from symnet.expr.nodes.node import Axes, Node
from symnet.expr.nodes.reduction import Reduce, reduce
from symnet.expr.nodes.result_dtypes import COUNTED
from symnet.simplify.algebra.movement import moved
from symnet.simplify.forms.broadcast import align, cover
from symnet.simplify.forms.coefficients import ONE, split_coefficient
from symnet.simplify.forms.coefficients import product as product_of
from symnet.simplify.rewrite import Rewrite


def reduce_repeated_operand_once(node: Reduce) -> Node | None:
    """max(expand(x)) → max(x); Π expand(x) → (Π x)ⁿ, whose product may be 0 where a power is ∞; log-sum-exp adds log n.

    Condition: the operand repeats along a reduced axis.
    """
    inner = node.operands[0]
    if not isinstance(inner, Expand) or node.op == "argmax":
        return None
    repeated = tuple(a for a in node.axes if a in inner.new_axes)
    if not repeated:
        return None
    count = size(product(inner.shape[a] for a in repeated))
    kept = tuple(a for a in range(inner.rank) if a not in repeated)
    shape = tuple(inner.shape[a] for a in kept)
    x: Node = expand(inner.operands[0], shape, tuple(kept.index(a) for a in inner.axes))
    rest = tuple(kept.index(a) for a in node.axes if a not in repeated)
    return _REPEATED[node.op](reduce(node.op, x, rest) if rest else x, count)


def reduce_before_repeating(node: Reduce) -> Node | None:
    """max(expand(x), 1) → expand(max(x)), and so for every reduction.

    Condition: x is not repeated along a reduced axis, but along another.
    """
    inner = node.operands[0]
    if not isinstance(inner, Expand) or not inner.new_axes or set(inner.new_axes) & set(node.axes):
        return None
    axes = tuple(inner.axes.index(a) for a in node.axes)
    kept = [a for a in range(inner.rank) if a not in node.axes]
    places = tuple(kept.index(a) for a in inner.axes if a not in node.axes)
    return expand(reduce(node.op, inner.operands[0], axes), node.shape, places)


_REPEATED = {
    "max": lambda x, n: x,
    "min": lambda x, n: x,
    "prod": lambda x, n: elementwise("pow", x, n),
    "logsumexp": lambda x, n: elementwise("add", x, elementwise("log", n)),
}


def take_constant_terms_out_of_reduction(node: Reduce) -> Node | None:
    """logsumexp(x + expand(c)) → logsumexp(x) + c; max and min likewise.

    Condition: c does not vary along the reduced axes; x is real (of integers a sum may wrap, and be smaller).
    """
    inner = node.operands[0]
    if node.op not in ("logsumexp", "max", "min") or not is_op(inner, "add") or inner.dtype in COUNTED:
        return None
    cores = [align(o, inner.shape) for o in inner.operands]
    outside = [(core, axes) for core, axes in cores if not set(axes) & set(node.axes)]
    if not outside or len(outside) == len(cores):
        return None
    rest = [o for o, (_, axes) in zip(inner.operands, cores, strict=True) if set(axes) & set(node.axes)]
    whole = rest[0] if len(rest) == 1 else elementwise("add", *rest)
    full = cover(whole, tuple(range(inner.rank - whole.rank, inner.rank)), inner.shape)
    return elementwise("add", reduce(node.op, full, node.axes), *(_after(c, axes, node) for c, axes in outside))


def constant_terms_apart(node: Reduce) -> Node | None:
    """logsumexp(x[k:]) + c[k:] for logsumexp((x + expand(c))[k:]), so that what is beside it meets c[k:].

    Condition: c does not vary along the reduced axes.
    """
    (x,) = node.operands
    opened = None if node.op != "logsumexp" or is_op(x, "add") else _opened(x, node.axes, DEEPEST)
    return None if opened is None else take_constant_terms_out_of_reduction(with_operands(node, [opened]))


DEEPEST = 3


def _opened(x: Node, axes: Axes, deepest: int) -> Node | None:
    """A sum with a term that does not vary along axes, moves taken to its terms; None for others."""
    if is_op(x, "add"):
        return x if any(set(axes).isdisjoint(align(o, x.shape)[1]) for o in x.operands) else None
    if not isinstance(x, (Slice, Take)) or not deepest:
        return None
    if isinstance(x, Take):
        count = x.operands[1].rank
        if not set(axes).isdisjoint(range(x.axis, x.axis + count)):
            return None
        axes = tuple(a if a < x.axis else a - count + 1 for a in axes)
    inner = _opened(x.operands[0], axes, deepest - 1)
    if inner is None:
        return None
    terms = []
    for operand in inner.operands:
        coefficient, factors = split_coefficient(operand)
        core, places = align(product_of(ONE, factors), inner.shape)
        terms.append(product_of(coefficient, (moved(x, cover(core, places, inner.shape)),)))
    return elementwise("add", *terms)


def _after(core: Node, axes: Axes, node: Reduce) -> Node:
    """A core that varies along `axes` of the operand, repeated to the result's shape."""
    kept = [a for a in range(node.operands[0].rank) if a not in node.axes]
    return cover(core, tuple(kept.index(a) for a in axes), node.shape)


def reduce_at_once(node: Reduce) -> Node | None:
    """max(max(x)) → max(x) over both axes.  Condition: the same operation, not argmax."""
    inner = node.operands[0]
    if not isinstance(inner, Reduce) or inner.op != node.op or node.op == "argmax":
        return None
    kept = [a for a in range(inner.operands[0].rank) if a not in inner.axes]
    return reduce(node.op, inner.operands[0], tuple(sorted((*inner.axes, *(kept[a] for a in node.axes)))))


def reduce_what_was_joined_apart(node: Reduce) -> Node | None:
    """max(stack(a, b), 0) → maximum(a, b), min likewise, Π concat(x, y) → Πx·Πy; also of s·concat(x, y), s a scalar.

    Condition: the axis along which they are joined is reduced; of max and min every piece is known to have an element,
    and pieces are few.  Ties go to the first on either side of the arrow.
    """
    scalars, joined = _scaled_join(node.operands[0])
    if node.op not in _TOGETHER or joined is None or joined.axis not in node.axes:
        return None
    if len(joined.operands) > MOST_PIECES or (node.needs_elements and not _have_elements(joined)):
        return None
    pieces = [elementwise("mul", *scalars, x) if scalars else x for x in joined.operands]
    first, *rest = (_reduced_piece(node, x, joined.axis) for x in pieces)
    for x in rest:
        first = elementwise(_TOGETHER[node.op], first, x)
    return first


_TOGETHER = {"max": "maximum", "min": "minimum", "prod": "mul"}
MOST_PIECES = 8


def _scaled_join(x: Node) -> tuple[list[Node], Concat | None]:
    """s and concat(…) of s·concat(…)."""
    arrays = [o for o in x.operands if o.rank] if is_op(x, "mul") else [x]
    if len(arrays) != 1 or not isinstance(arrays[0], Concat):
        return [], None
    return [o for o in x.operands if not o.rank] if x is not arrays[0] else [], arrays[0]


def _have_elements(joined: Concat) -> bool:
    extents = [x.shape[joined.axis] for x in joined.operands]
    return all(isinstance(n, int) and n > 0 for n in extents)


def _reduced_piece(node: Reduce, x: Node, axis: int) -> Node:
    """The reduction of one piece; along an axis of extent 1 there is nothing to do."""
    if x.shape[axis] != 1:
        return with_operands(node, [x])
    others = tuple(a for a in node.axes if a != axis)
    inner = reduce(node.op, x, others) if others else x
    return drop_axes(inner, {axis - sum(a < axis for a in others)})


def logsumexp_of_log(node: Reduce) -> Node | None:
    """logsumexp(log x) → log Σ x.  Always."""
    inner = node.operands[0]
    if node.op != "logsumexp" or not is_op(inner, "log"):
        return None
    return elementwise("log", sum_over(inner.operands[0], node.axes))


def logsumexp_of_log_softmax(node: Reduce) -> Node | None:
    """logsumexp(x - logsumexp(x)) → 0.  Always."""
    if node.op != "logsumexp" or tuple(node.axes) not in softmax_axes(elementwise("exp", node.operands[0])):
        return None
    return cover(number(0), (), node.shape)


REDUCTIONS = (
    Rewrite(reduce_before_repeating, ("reduce",), domain="equal", role="shorter"),
    Rewrite(reduce_repeated_operand_once, ("reduce",), domain="equal", role="spelling"),
    Rewrite(logsumexp_of_log_softmax, ("reduce",), domain="extends", role="shorter"),
    Rewrite(take_constant_terms_out_of_reduction, ("reduce",), domain="equal", role="shorter"),
    Rewrite(reduce_at_once, ("reduce",), domain="equal", role="shorter"),
    Rewrite(reduce_what_was_joined_apart, ("reduce",), domain="equal", role="exposing"),
    Rewrite(logsumexp_of_log, ("reduce",), domain="equal", role="shorter"),
)
