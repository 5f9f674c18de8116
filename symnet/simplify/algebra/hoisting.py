"""Movement taken out of functions, so that they meet what they cancel: log(softmax(z)[:, 1]) → log(softmax(z))[:, 1].

In: an elementwise node, a sum, a running sum or a reduction over moved operands in normal form.  Out: the move of the
same function of what was moved.  Only where what is moved holds an exponential, a logarithm or one of their kind
(`HOT`): that is computed for every element anyway, and is what logarithms, differences and quotients are exact beside.
Not handled: operands that are moved differently; zeros laid around.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from symnet.expr.facts.softmax import softmax_axes
from symnet.expr.nodes.constants import number_of
from symnet.expr.nodes.contraction import Einsum, contract
from symnet.expr.nodes.contraction import sum as sum_over
from symnet.expr.nodes.cumulative import CumulativeSum, cumulate
from symnet.expr.nodes.elementwise import elementwise, is_op
from symnet.expr.nodes.extents import same_extent, same_shape
from symnet.expr.nodes.graph import with_operands
from symnet.expr.nodes.indexing import Take, take
from symnet.expr.nodes.movement import Concat, Reshape, Slice, broadcast_to, concat, reshape
from symnet.expr.nodes.node import Axes, Node
from symnet.expr.nodes.reduction import Reduce, reduce
from symnet.simplify.forms.broadcast import align, spread
from symnet.simplify.rewrite import Rewrite

HOT = ("exp", "log", "sigmoid", "tanh", "softplus", "erf", "erfc", "cosh", "sinh", "cos")
_HOT_BELOW = "|".join((*HOT, "reduce"))
_MOVED_BELOW = "slice|reshape|take|einsum|concat"
_THROUGH = ("add", "mul", "pow", "log", "maximum", "minimum", "where", "abs")
_DEEPEST = 5
REARRANGES = ("slice", "reshape", "take")


def is_hot(x: Node, deepest: int = _DEEPEST) -> bool:
    """Whether an exponential or one of its kind stands in x, close by."""
    if not deepest:
        return False
    if is_op(x, *HOT) or is_logsumexp(x):
        return True
    if is_rearranged(x):
        return is_hot(moves_of(x)[1], deepest)
    inside = x.operands if is_op(x, *_THROUGH) or x.kind == "concat" else x.operands[:1]
    through = is_op(x, *_THROUGH) or x.kind in ("concat", "einsum", "reduce", "cumsum")
    return through and any(is_hot(o, deepest - 1) for o in inside)


def is_logsumexp(x: Node) -> bool:
    """Whether x is a log-sum-exp."""
    return isinstance(x, Reduce) and x.op == "logsumexp"


def is_move(x: Node) -> bool:
    return x.kind in REARRANGES or (isinstance(x, Einsum) and _permutes(x))


def is_rearranged(x: Node) -> bool:
    """Whether a node only puts elements of its first operand elsewhere, or repeats them."""
    return is_move(x) or x.kind == "expand"


def moves_of(x: Node) -> tuple[list[Node], Node]:
    """The nodes that rearrange, outermost first, and what they rearrange."""
    moves = []
    while is_rearranged(x):
        moves.append(x)
        x = x.operands[0]
    return moves, x


def moved_again(moves: Sequence[Node], x: Node) -> Node:
    """x as `moves_of` found another node of its shape moved."""
    for move in reversed(moves):
        x = with_operands(move, [x, *move.operands[1:]])
    return x


def _permutes(x: Einsum) -> bool:
    """Whether an einsum only reorders axes, or takes a diagonal, axes of extent 1 perhaps left out."""
    if len(x.operands) != 1:
        return False
    return all(n == 1 for i, n in zip(x.inputs[0], x.operands[0].shape, strict=True) if i not in x.output)


def compute_before_moving(node: Node) -> Node | None:
    """log(x[k:]) → (log x)[k:], 1 - σ(x)ᵀ → (1 - σ(x))ᵀ, log(concat(x, y)) → concat(log x, log y).

    Condition: what is moved is hot, and every other operand is a scalar, moved likewise, or repeated along what moves.
    Some classes of a softmax stay what they are in a sum, which may be that of all the others.
    """
    if not node.rank and sum(number_of(o) is None for o in node.operands) > 1:
        return None  # the rest of an array would be computed for one element
    if is_op(node, "mul") and sum(o.rank > 0 for o in node.operands) < 2:
        return None
    if is_op(node, "add") and any(map(_selects_classes, node.operands)):
        return None
    for operand in node.operands:
        move = _moved_part(operand)
        if move is None or not same_shape(move.shape, node.shape) or not _moves_heat(node, move):
            continue
        new = _joined_after(node, move) if isinstance(move, Concat) else moved_after(node, move)
        if new is not None:
            return new
    return _some_before_moving(node) if is_op(node, "mul") else None


def _some_before_moving(product: Node) -> Node | None:
    """y·a[k:]·b[k:] → y·(a·b)[k:]: the factors that are moved alike, where one of them is hot.

    Those of a product that is repeated are factors too: y·a[k:]·(g·b[k:])[:, None].
    """
    factors = _factors(product)
    for factor in factors:
        move = factor if is_move(factor) else None
        if move is None or not same_shape(move.shape, product.shape) or not is_hot(move):
            continue
        alike = [o for o in factors if o is move or _is_moved_like(move, o)]
        if 1 < len(alike) < len(factors):
            joined = moved_after(elementwise("mul", *alike), move)
            rest = [o for o in factors if o not in alike]
            return None if joined is None else elementwise("mul", *rest, joined)
    return None


def _factors(product: Node) -> list[Node]:
    """The operands of a product; of one that is repeated, its own, each repeated."""
    found: list[Node] = []
    for operand in product.operands:
        core, axes = align(operand, product.shape)
        if operand.kind == "expand" and is_op(core, "mul"):
            offset = core.rank
            found += [spread(o, axes[offset - o.rank :], product.shape) if o.rank else o for o in core.operands]
        else:
            found.append(operand)
    return found


def _is_moved_like(move: Node, x: Node) -> bool:
    """Whether a factor is moved as another one is, and varies along what that drops: others stand outside again."""
    core, _ = align(x, move.shape)
    before = _before(move, x) if core.rank and is_move(core) and core.kind == move.kind else None
    return before is not None and not _leaves_again(before, move)


def _moves_heat(node: Node, move: Node) -> bool:
    """Whether what is moved is hot, or what is moved likewise beside it: x[i] - logsumexp(x)[i] is x - logsumexp(x)."""
    cores = (align(o, node.shape)[0] for o in node.operands)
    parts = (part for core in cores if (part := _moved_part(core)) is not None)
    return is_hot(move) or any(part.kind == move.kind and is_hot(part) for part in parts)


def _moved_part(operand: Node) -> Node | None:
    """The move in c·move(x)."""
    if is_op(operand, "mul"):
        arrays = [o for o in operand.operands if (o.rank if operand.rank else number_of(o) is None)]
        operand = arrays[0] if len(arrays) == 1 else operand
    return operand if is_move(operand) or isinstance(operand, Concat) else None


def _selects_classes(term: Node) -> bool:
    """Whether a term is a multiple of some classes of a softmax, not all of them."""
    move = _moved_part(term)
    if isinstance(move, Slice) and _keeps_classes(move):
        return False
    while move is not None and (
        move.kind == "slice" or (isinstance(move, Einsum) and len(move.output) < len(move.inputs[0]))
    ):
        move = move.operands[0]
    if move is not None and is_op(move, "add"):
        return any(map(_selects_classes, move.operands))
    return move is not None and bool(softmax_axes(move))


def _keeps_classes(part: Slice) -> bool:
    whole = part.operands[0]
    return any(all(same_extent(part.shape[a], whole.shape[a]) for a in axes) for axes in softmax_axes(whole))


def moved_after(node: Node, move: Node) -> Node | None:
    """move(f(x, y)) for f(move(x), move(y)); None where an operand is moved otherwise."""
    inner = [x for x in (_before(move, o) for o in node.operands) if x is not None]
    whole = move.operands[0].shape
    if len(inner) < len(node.operands) or (is_op(node, "mul") and any(_leaves_again(x, move) for x in inner)):
        return None
    return with_operands(move, [broadcast_to(with_operands(node, inner), whole), *move.operands[1:]])


def _leaves_again(factor: Node, move: Node) -> bool:
    """Whether a factor of what is moved does not vary along an axis that the move drops: then it stands outside."""
    if not isinstance(move, Einsum) or not move.contracted or not factor.rank:
        return False
    _, axes = align(factor, move.operands[0].shape)
    return all(move.inputs[0][a] in move.output for a in axes)


def _before(move: Node, x: Node) -> Node | None:
    """y for x = move(y), x an operand of an elementwise node of the move's shape; None where it is not moved so."""
    if x is move:
        return x.operands[0]
    if not x.rank and number_of(x) is not None:
        return x
    part = _moved_part(x) if is_op(x, "mul") else None
    if part is not None:
        inner = _before(move, part)
        return None if inner is None else elementwise("mul", *(o for o in x.operands if o is not part), inner)
    if is_op(x, "mul") and x.rank and sum(o.rank > 0 for o in x.operands) == 1:
        inner = _before(move, x.operands[-1])
        return None if inner is None else elementwise("mul", *x.operands[:-1], inner)
    if not x.rank:
        return x if move.rank else None
    x = _dropped_first(x) if isinstance(move, Slice) else x
    if x.kind == move.kind and x.operands[1:] == move.operands[1:] and same_shape(x.shape, move.shape):
        rebuilt = with_operands(move, [x.operands[0], *move.operands[1:]]) if _fits(x, move) else None
        if rebuilt is x:
            return x.operands[0]
    core, axes = align(x, move.shape)
    before = _core_before(move, core, axes)
    return _function_before(move, x) if before is None else before


def _dropped_first(x: Node) -> Node:
    """x[:, 0][k:] for x[k:, 0], so that it meets what else is moved by [k:]; other nodes as they are."""
    part = x.operands[0] if isinstance(x, Einsum) and is_move(x) else x
    if not isinstance(part, Slice) or not isinstance(x, Einsum):
        return x
    (indices,), whole = x.inputs, part.operands[0]
    kept = [a for a, i in enumerate(indices) if i in x.output]
    if tuple(indices[a] for a in kept) != tuple(x.output) or len(set(indices)) < len(indices):
        return x
    starts, sizes, steps = (
        type(all_)(*(all_[a] if a not in kept else idle(a) for a in range(whole.rank)))
        for all_, idle in zip(part.args[1:4], (lambda a: 0, whole.shape.__getitem__, lambda a: 1), strict=True)
    )
    column = contract([indices], x.output, Slice(whole, starts, sizes, steps))
    starts, sizes, steps = (type(all_)(*(all_[a] for a in kept)) for all_ in part.args[1:4])
    return Slice(column, starts, sizes, steps)


def _function_before(move: Node, x: Node) -> Node | None:
    """exp(a) for exp(a[k:]): a function of what is moved likewise."""
    if x.kind != "elementwise" or not is_op(x, *HOT) or not same_shape(x.shape, move.shape):
        return None
    inner = [o for o in (_before(move, o) for o in x.operands) if o is not None]
    return None if len(inner) < len(x.operands) else with_operands(x, inner)


def _fits(x: Node, move: Node) -> bool:
    return same_shape(x.operands[0].shape, move.operands[0].shape)


def _core_before(move: Node, core: Node, axes: Axes) -> Node | None:
    """As `_before`, for an operand that is repeated and varies along `axes` alone."""
    whole = move.operands[0].shape
    if isinstance(move, Slice):
        core = _dropped_first(core)
        starts, steps = [move.starts[a] for a in axes], [move.steps[a] for a in axes]
        idle = all(s == 0 for s in starts) and all(s == 1 for s in steps)
        if idle and all(same_extent(whole[a], n) for a, n in zip(axes, core.shape, strict=True)):
            return spread(core, axes, whole)
        same = isinstance(core, Slice) and list(core.starts) == starts and list(core.steps) == steps
        if same and all(same_extent(whole[a], n) for a, n in zip(axes, core.operands[0].shape, strict=True)):
            return spread(core.operands[0], axes, whole)
    elif isinstance(move, Take):
        count = move.operands[1].rank
        window = range(move.axis, move.axis + count)
        if not set(axes) & set(window):
            return spread(core, tuple(a if a < move.axis else a - count + 1 for a in axes), whole)
        if isinstance(core, Take) and core.operands[1] is move.operands[1] and len(set(axes) & set(window)) == count:
            here = axes.index(move.axis)
            inner = (*axes[: here + 1], *(a - count + 1 for a in axes[here + count :]))
            return spread(core.operands[0], inner, whole) if core.axis == here else None
    elif isinstance(move, Reshape):
        return _core_before_reshape(move, core, axes)
    elif isinstance(move, Einsum) and len(axes) < move.rank:
        places = [move.inputs[0].index(move.output[a]) for a in axes]
        ordered = sorted(range(len(places)), key=places.__getitem__)
        turned = core if ordered == sorted(ordered) else contract([range(core.rank)], ordered, core)
        return spread(turned, tuple(sorted(places)), whole)
    return None


def _core_before_reshape(move: Reshape, core: Node, axes: Axes) -> Node | None:
    """A core along the first axes of what a reshape gives, where it folds the first axes of the whole into them."""
    whole, folded = move.operands[0].shape, move.shape
    if axes != tuple(range(len(axes))) or not axes or len(axes) == len(folded):
        return None
    for count in range(1, len(whole)):
        rest = len(axes) + len(whole) - count
        if rest == len(folded) and same_shape(whole[count:], folded[len(axes) :]):
            shape = whole[:count]
            known_size = all(isinstance(n, int) for n in (*shape, *core.shape))
            if known_size and prod(shape) == prod(core.shape):
                return spread(reshape(core, shape), tuple(range(count)), whole)
    return None


def _joined_after(node: Node, joined: Concat) -> Node | None:
    """The function of every piece, then joined."""
    pieces = [p for p in (_pieces(joined, o) for o in node.operands) if p is not None]
    if len(pieces) < len(node.operands):
        return None
    parts = []
    for k, x in enumerate(joined.operands):
        part = with_operands(node, [p[k] for p in pieces])
        parts.append(broadcast_to(part, x.shape))
    return with_operands(joined, parts)


def _pieces(joined: Concat, x: Node) -> list[Node] | None:
    """What x is beside each piece of what is joined: x itself where it is a scalar, its own piece where it is joined
    alike.
    """
    if not x.rank:
        return [x] * len(joined.operands)
    if is_op(x, "mul") and any(not o.rank for o in x.operands):
        arrays = [o for o in x.operands if o.rank]
        inner = _pieces(joined, arrays[0]) if len(arrays) == 1 else None
        scalars = [o for o in x.operands if not o.rank]
        return None if inner is None else [elementwise("mul", *scalars, piece) for piece in inner]
    if is_op(x, "indicator"):
        conditions = _pieces(joined, x.operands[0])
        return None if conditions is None else [elementwise("indicator", c) for c in conditions]
    core, axes = align(x, joined.shape)
    if joined.axis not in axes:
        return [spread(core, axes, piece.shape) for piece in joined.operands]
    if not isinstance(core, Concat) or axes[core.axis] != joined.axis or len(core.operands) != len(joined.operands):
        return None
    if any(
        not same_extent(a.shape[core.axis], b.shape[joined.axis])
        for a, b in zip(core.operands, joined.operands, strict=True)
    ):
        return None
    return [spread(a, axes, b.shape) for a, b in zip(core.operands, joined.operands, strict=True)]


# --------------------------------------------------------------------------- sums and reductions


def reduce_before_moving(node: Node) -> Node | None:
    """Σ x[k:] → (Σ x)[k:], Σ x[i] → (Σ x)[i], for sums, max, min, prod and log-sum-exp along other axes than those
    that move.

    Condition: what is moved is hot.
    """
    (x, *more), axes = node.operands, reduced_axes(node)
    if more or axes is None or not isinstance(x, (Slice, Take)) or not is_hot(x):
        return None
    if isinstance(x, Take):
        return _reduced_before_taking(node, x, axes)
    if not all(leaves_axis_alone(x, a) for a in axes):
        return None
    inner = with_operands(node, [x.operands[0]])
    kept = [a for a in range(x.rank) if a not in axes]
    starts, sizes, steps = (type(part)(*(part[a] for a in kept)) for part in x.args[1:4])
    return Slice(inner, starts, sizes, steps) if kept else inner


def leaves_axis_alone(part: Slice, axis: int) -> bool:
    """Whether a slice keeps all that stands along an axis, in its order."""
    (whole,) = part.operands
    return part.starts[axis] == 0 and part.steps[axis] == 1 and same_extent(whole.shape[axis], part.shape[axis])


def reduce_before_joining(node: Node) -> Node | None:
    """Σ concat(x, y) → concat(Σ x, Σ y), for sums, max, min, prod and log-sum-exp along other axes than the joined one.

    Condition: what is joined is hot.
    """
    (x, *more), axes = node.operands, reduced_axes(node)
    if more or axes is None or not isinstance(x, Concat) or x.axis in axes or not is_hot(x):
        return None
    return concat([with_operands(node, [piece]) for piece in x.operands], x.axis - sum(a < x.axis for a in axes))


def _reduced_before_taking(node: Node, x: Take, axes: Axes) -> Node | None:
    count = x.operands[1].rank
    if any(x.axis <= a < x.axis + count for a in axes):
        return None
    gone = [a if a < x.axis else a - count + 1 for a in axes]
    whole = x.operands[0]
    inner = reduce(node.op, whole, gone) if isinstance(node, Reduce) else sum_over(whole, gone)
    return take(inner, x.operands[1], x.axis - sum(a < x.axis for a in gone))


def cumulate_before_moving(node: CumulativeSum) -> Node | None:
    """cumsum(x[i], axis=1) → cumsum(x, axis=1)[i], and so for slices: along another axis than those that move.

    Condition: what is moved is hot.
    """
    (x,) = node.operands
    if not isinstance(x, (Slice, Take)) or not is_hot(x):
        return None
    axis = node.axis
    if isinstance(x, Take):
        count = x.operands[1].rank
        if x.axis <= axis < x.axis + count:
            return None
        axis -= 0 if axis < x.axis else count - 1
    elif not leaves_axis_alone(x, axis):
        return None
    return with_operands(x, [cumulate(x.operands[0], axis, node.reverse), *x.operands[1:]])


def cumulate_before_joining(node: CumulativeSum) -> Node | None:
    """cumsum(concat(x, y), axis=1) → concat(cumsum(x, axis=1), cumsum(y, axis=1)): along another axis.

    Condition: what is joined is hot.
    """
    (x,) = node.operands
    if not isinstance(x, Concat) or x.axis == node.axis or not is_hot(x):
        return None
    return concat([cumulate(piece, node.axis, node.reverse) for piece in x.operands], x.axis)


def reduced_axes(node: Node) -> Axes | None:
    """The axes that a sum or a reduction takes away; None for other nodes."""
    if isinstance(node, Reduce):
        return None if node.op == "argmax" else node.axes
    if isinstance(node, Einsum) and node.is_sum and not _permutes(node):
        return tuple(a for a, i in enumerate(node.inputs[0]) if i not in node.output)
    return None


HOISTS = (
    Rewrite(compute_before_moving, (
            "log", "exp", "add", "mul", "pow", "abs", "sigmoid", "tanh", "softplus", "xlogy", "maximum", "minimum",
            "where", "cosh", "sinh", "sign",
        ), below=(_HOT_BELOW, _MOVED_BELOW), domain="equal", role="exposing"),
    Rewrite(reduce_before_moving, ("einsum", "reduce"), domain="equal", role="exposing"),
    Rewrite(reduce_before_joining, ("einsum", "reduce"), below=("concat",), domain="equal", role="exposing"),
    Rewrite(cumulate_before_moving, ("cumsum",), domain="equal", role="exposing"),
    Rewrite(cumulate_before_joining, ("cumsum",), domain="equal", role="exposing"),
)  # fmt: skip
