"""Movement pushed into functions, so that what is moved meets what stands beside it: (1/x)[::-1] - 1 is 1/x[::-1] - 1.

In: an elementwise node over operands in normal form.  Out: the same node with every slice, take, reordering and reshape
near its top taken to what the functions are of, with what is joined there taken apart, and with axes of extent 1 that
were dropped put back where another operand has them.  The other direction, movement taken out of functions, is
`hoisting.py`: it needs operands that are moved alike, and computes once what is moved; this one always succeeds, and
computes it again.  So it is done only where a rewrite then fires.
Not handled: zeros laid around; reductions and softmax, which stay whole.
"""

from __future__ import annotations

from collections.abc import Callable

from symnet.expr.facts.softmax import softmax_axes
from symnet.expr.nodes.constants import number_of
from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.elementwise import elementwise, is_op, operands_of
from symnet.expr.nodes.expansion import Expand, expand
from symnet.expr.nodes.extents import has_unit_axis, ints_arg, same_shape, shape_arg
from symnet.expr.nodes.graph import with_operands
from symnet.expr.nodes.movement import Concat, Slice, broadcast_to, concat
from symnet.expr.nodes.node import Axes, Extent, Node, Shape, kept_by_depth, kept_on_node
from symnet.expr.nodes.reduction import Reduce
from symnet.expr.nodes.topics import bit_of
from symnet.simplify.algebra.exponentials import EXPONENTIALS
from symnet.simplify.algebra.hoisting import compute_before_moving, is_logsumexp, is_move, is_rearranged, reduced_axes
from symnet.simplify.algebra.hyperbolic import HYPERBOLICS
from symnet.simplify.algebra.movement import moved
from symnet.simplify.algebra.products import CANCELLED_DENOMINATOR, SQUARE_ROOT_OF_SQUARE
from symnet.simplify.algebra.reduction import constant_terms_apart
from symnet.simplify.algebra.soft_extremes import SOFT_EXTREMES
from symnet.simplify.algebra.sums import COMMON_FACTORS
from symnet.simplify.forms.broadcast import core_of, cover, covered, trailing
from symnet.simplify.forms.coefficients import ScaledFactors, is_multiple, product, split_coefficient, terms_of
from symnet.simplify.forms.factors import Factors
from symnet.simplify.forms.terms import Terms
from symnet.simplify.rewrite import Rewrite

DEEPEST = 4  # functions, products with numbers not counted
_JOINED = bit_of(Concat.kind)


@kept_on_node
def exposures(node: Node) -> tuple[Node, ...]:
    """The node with moves pushed into its operands, where that differs; it is asked for by many tables in turn."""
    if node.kind != "elementwise" or not (node.rank or any(map(_is_of_elements, node.operands))):
        return ()
    operands = [new for o in node.operands for new in (_exposed(o) if _meets(node, o) else ()) or (o,)]
    if has_unit_axis(node.shape):
        known: WidenedNodes = {}
        operands = [_widened(o, trailing(o.rank, node.rank), node.shape, DEEPEST, known) for o in operands]
    if all(new is old for new, old in zip(operands, node.operands, strict=True)):
        return ()
    return (broadcast_to(with_operands(node, operands), node.shape),)


@kept_on_node
def _is_of_elements(x: Node) -> bool:
    """Whether elements of arrays stand in a scalar formula."""
    return is_move(x) or (x.kind == "elementwise" and not x.rank and any(map(_is_of_elements, x.operands)))


@kept_on_node
def _exposed(x: Node) -> tuple[Node, ...]:
    """What `expose` makes of an operand, which may have many users, where that is not the operand itself."""
    new = expose(x, DEEPEST)
    return () if new is x else (new,)


def expose(x: Node, deepest: int) -> Node:
    """x with the moves near its top pushed into elementwise functions."""
    if not deepest or x.dtype == "bool" or not x.operands:
        return x
    return next(iter(_exposed_to(x, deepest)), x)


@kept_by_depth
def _exposed_to(x: Node, deepest: int) -> tuple[Node, ...]:
    new = _with_moves_inside(x, deepest)
    return () if new is x else (new,)


def _with_moves_inside(x: Node, deepest: int) -> Node:
    if is_move(x) or _has_new_unit_axes(x):
        return _pushed(x, deepest)
    if isinstance(x, Reduce):
        apart = constant_terms_apart(x)
        return x if apart is None else apart
    if is_op(x, "mul"):
        return _multiplied(x, [expose(o, deepest - 1) for o in x.operands])
    if is_op(x, "add", "pow", "softplus") or isinstance(x, Expand):
        return with_operands(x, [expose(o, deepest - 1) for o in x.operands])
    return x


def _multiplied(old: Node, factors: list[Node]) -> Node:
    """-1·(x·y) → -1·x·y: a product of new factors, whose own factors stand beside the others."""
    if all(new is o for new, o in zip(factors, old.operands, strict=True)):
        return old
    inner = [f for new in factors for f in operands_of("mul", new)]
    return broadcast_to(elementwise("mul", *inner), old.shape)


WidenedNodes = dict[tuple[Node, Axes, int], Node]


def _widened(x: Node, axes: Axes, shape: Shape, deepest: int, known: WidenedNodes) -> Node:
    """f(a[3]) → f(a[3:4]) for an operand of a node of shape (1,), so that it meets what else is of a[3:4].

    Condition: what has lost its axes of extent 1 has the shape of the node.
    """
    key = (x, axes, deepest)
    if key not in known:
        known[key] = _widened_anew(x, axes, shape, deepest, known)
    return known[key]


def _widened_anew(x: Node, axes: Axes, shape: Shape, deepest: int, known: WidenedNodes) -> Node:
    core, places = core_of(x, axes, shape)
    if isinstance(core, Einsum) and is_move(core):
        whole, (indices,) = core.operands[0], core.inputs
        kept = tuple(a for a, i in enumerate(indices) if i in core.output)
        in_order = tuple(indices[a] for a in kept) == tuple(core.output) and kept == places
        return whole if in_order and same_shape(whole.shape, shape) and len(set(indices)) == len(indices) else x
    if core.kind != "elementwise" or not deepest or softmax_axes(core):
        return x
    operands = [_widened(o, places[core.rank - o.rank :], shape, deepest - 1, known) for o in core.operands]
    if all(new is old for new, old in zip(operands, core.operands, strict=True)):
        return x
    repeated = [
        cover(o, places[core.rank - o.rank :], shape) if o.rank and o.rank < len(shape) else o for o in operands
    ]
    return broadcast_to(with_operands(core, repeated), shape)


def _has_new_unit_axes(x: Node) -> bool:
    """Whether x only has more axes of extent 1 than what it is of: a piece of a stack."""
    return isinstance(x, Expand) and all(x.shape[a] == 1 for a in x.new_axes)


def _pushed(move: Node, deepest: int) -> Node:
    """move(f(a, b)) → f(move(a), move(b)), and move(2·x) → 2·move(x)."""
    if not _heads(move.operands[0]) and not is_multiple(move.operands[0]):
        return move
    inner = expose(move.operands[0], deepest)
    if isinstance(inner, Reduce):
        return _reduced_after(move, inner)
    if inner.kind != "elementwise" or softmax_axes(inner) or any(o.dtype == "bool" for o in inner.operands):
        return move
    parts = [expose(moved(move, covered(o, inner.shape)), deepest - 1) if o.rank else o for o in inner.operands]
    return broadcast_to(with_operands(inner, parts), move.shape)


@kept_on_node
def _heads(x: Node) -> frozenset[str]:
    """The functions that stand at the top of x, below sums, products and moves; "number" for a sum with a number."""
    if is_op(x, "add", "mul"):
        beside = {"number"} if is_op(x, "add") and any(number_of(o) is not None for o in x.operands) else set()
        return frozenset(beside).union(*map(_heads, x.operands))
    if is_rearranged(x):
        return _heads(x.operands[0])
    return frozenset({x.topic}) if x.kind == "elementwise" or is_logsumexp(x) else frozenset()


# What may be met in a node, once it is no longer moved.  In others, any function.
_MET = {
    "add": frozenset({
        "exp", "log", "pow", "sigmoid", "tanh", "cosh", "cos", "softplus", "number", "reduce", "relu", "maximum",
        "minimum", "abs",
    }),
    "mul": frozenset({"exp", "log", "pow", "sinh", "cosh", "tanh", "sin", "cos", "sigmoid"}),
}  # fmt: skip


def _meets(node: Node, operand: Node) -> bool:
    heads = _heads(operand)
    return bool(heads & _MET.get(node.topic, heads))


def _reduced_after(move: Node, inner: Reduce) -> Node:
    """logsumexp(x)[k:] → logsumexp(x[k:]), where x has no move of its own to wait for."""
    if not is_logsumexp(inner) or not isinstance(move, Slice):
        return move
    x = inner.operands[0]
    kept = [a for a in range(x.rank) if a not in inner.axes]
    place = {a: k for k, a in enumerate(kept)}
    starts = shape_arg(tuple(move.starts[place[a]] if a in place else 0 for a in range(x.rank)))
    sizes = shape_arg(tuple(move.shape[place[a]] if a in place else n for a, n in enumerate(x.shape)))
    steps = ints_arg(tuple(move.steps[place[a]] if a in place else 1 for a in range(x.rank)))
    return with_operands(inner, [moved(Slice(x, starts, sizes, steps), x)])


# --------------------------------------------------------------------------- what is joined


def taken_apart(node: Node) -> tuple[int, list[Node]] | None:
    """The axis along which a node is joined near its top, and the node of every piece: 1 - concat(x, y) is joined from
    1 - x and 1 - y.
    """
    found = _joined_near(node) if node.kind == "elementwise" and node.topics & _JOINED else ()
    if not found:
        return None
    ((joined, axis),) = found
    if node.shape[axis] != joined.shape[joined.axis] or len(joined.operands) > MOST_PIECES:
        return None
    return node.rank + axis, [_piece(node, joined, axis, k, DEEPEST) for k in range(len(joined.operands))]


MOST_PIECES = 4


@kept_on_node
def _joined_near(x: Node) -> tuple[tuple[Concat, int], ...]:
    """What `_joined_in` finds; it is asked for by many tables in turn."""
    found = _joined_in(x, DEEPEST)
    return () if found is None else (found,)


def _joined_in(x: Node, deepest: int) -> tuple[Concat, int] | None:
    """What is joined close by, and along which axis of x, counted from the last."""
    if isinstance(x, Concat):
        return x, x.axis - x.rank
    found = _joined_below_top(x, deepest + is_multiple(x))
    return found[0] if found else None


@kept_by_depth
def _joined_below_top(x: Node, deepest: int) -> tuple[tuple[Concat, int], ...]:
    found = _first_joined(x, deepest)
    return () if found is None else (found,)


def _first_joined(x: Node, deepest: int) -> tuple[Concat, int] | None:
    if not deepest or not (x.kind == "elementwise" or isinstance(x, Expand)):
        return None
    for operand in x.operands:
        found = _joined_in(operand, deepest - 1)
        if found is not None:
            joined, axis = found
            axis = x.axes[axis] - x.rank if isinstance(x, Expand) else axis
            return None if any(axis + x.rank in axes for axes in softmax_axes(x)) else (joined, axis)
    return None


def _piece(x: Node, joined: Concat, axis: int, k: int, deepest: int) -> Node:
    """What x is beside piece k, along that axis counted from the last; what is not joined alike is sliced."""
    if x.rank < -axis or (x.shape[axis] == 1 and joined.shape[joined.axis] != 1):
        return x
    if isinstance(x, Concat) and x.axis - x.rank == axis and _extents(x) == _extents(joined):
        return x.operands[k]
    deepest += is_multiple(x)
    if x.kind == "elementwise" and deepest and not (x.dtype == "bool" and _joined_in(x, deepest) is None):
        return with_operands(x, [_piece(o, joined, axis, k, deepest - 1) for o in x.operands])
    place, extent = x.rank + axis, joined.operands[k].shape[joined.axis]
    below = _joined_below(x, place, joined, deepest)
    if below is not None:
        return with_operands(x, [_piece(x.operands[0], joined, below, k, deepest - 1)])
    if isinstance(x, Expand):
        inner = x.operands[0]
        if place in x.axes:
            inner = _piece(inner, joined, x.axes.index(place) - inner.rank, k, deepest)
        return expand(inner, (*x.shape[:place], extent, *x.shape[place + 1 :]), x.axes)
    return _window(x, place, joined.offsets[k], extent)


def _joined_below(x: Node, place: int, joined: Concat, deepest: int) -> int | None:
    """The axis, counted from the last, along which what a reduction or sum is of is joined alike."""
    axes = reduced_axes(x) if deepest else None
    if axes is None:
        return None
    inner = x.operands[0]
    axis = [a for a in range(inner.rank) if a not in axes][place] - inner.rank
    found = _joined_in(inner, deepest - 1)
    return axis if found is not None and found[1] == axis and _extents(found[0]) == _extents(joined) else None


def slice_one_of_what_is_joined(node: Slice) -> Node | None:
    """f(concat(x, y), z)[the part of x] → f(x, z[the part of x]).

    Condition: f is elementwise; exactly the window of one operand along that axis.
    """
    whole = node.operands[0]
    found = _joined_in(whole, DEEPEST) if whole.kind == "elementwise" else None
    if found is None:
        return None
    joined, axis = found[0], whole.rank + found[1]
    others = [a for a in range(node.rank) if a != axis]
    if not same_shape(whole.shape[axis : axis + 1], joined.shape[joined.axis : joined.axis + 1]):
        return None
    idle = all(node.starts[a] == 0 and same_shape(node.shape[a : a + 1], whole.shape[a : a + 1]) for a in others)
    if not idle or any(s != 1 for s in node.steps):
        return None
    for k, (offset, extent) in enumerate(zip(joined.offsets, _extents(joined), strict=True)):
        if offset == node.starts[axis] and extent == node.shape[axis]:
            return broadcast_to(_piece(whole, joined, found[1], k, DEEPEST), node.shape)
    return None


def _extents(joined: Concat) -> list[Extent]:
    return [x.shape[joined.axis] for x in joined.operands]


def _window(x: Node, axis: int, start: Extent, extent: Extent) -> Node:
    starts = shape_arg(tuple(start if a == axis else 0 for a in range(x.rank)))
    sizes = shape_arg(tuple(extent if a == axis else n for a, n in enumerate(x.shape)))
    part = Slice(x, starts, sizes, ints_arg((1,) * x.rank))
    return moved(part, x)


def pieces_of(node: Node) -> tuple[list[Node], Callable[[list[Node]], Node]] | None:
    """The node of every piece that it is joined from, and what joins them again."""
    apart = taken_apart(node)
    if apart is None:
        return None
    axis, pieces = apart
    return pieces, lambda new: concat([broadcast_to(n, p.shape) for n, p in zip(new, pieces, strict=True)], axis)


# --------------------------------------------------------------------------- where it helps


def meet_through_movement(node: Node) -> Node | None:
    """(1 + x)[k:] - 1 → x[k:], exp(x)[k:]·exp(-x[k:]) → 1, log(concat(1 + exp(x), y)) → concat(softplus(x), log(y)).

    Condition: like terms or factors meet, or a rewrite of exponentials fires, once moves are pushed into functions, or
    what is joined is taken apart.
    """
    for candidate in exposures(node):
        met = _met(candidate, node)
        if met is not None:
            return met
    apart = taken_apart(node)
    if apart is None:
        return None
    axis, pieces = apart
    new = [_met_in_piece(p) for p in pieces]
    if all(n is None for n in new):
        return None
    return concat([p if n is None else n for n, p in zip(new, pieces, strict=True)], axis)


def _met_in_piece(piece: Node) -> Node | None:
    """As `_met`, moves taken out of the piece or pushed into it."""
    for candidate in (piece, *exposures(piece)):
        met = _met(candidate, piece)
        if met is not None:
            return met
    return compute_before_moving(piece)


def _met(node: Node, before: Node) -> Node | None:
    """The node where terms or factors meet that did not `before`; else what a rewrite of exponentials makes of it."""
    if is_op(node, "add"):
        terms = Terms.of(node)
        meets = _is_log_softmax(terms) and (node is before or not _is_log_softmax(Terms.of(before)))
        if len(terms.coefficients) < terms.count_of_operands or meets:
            return terms.build()
    if is_op(node, "mul"):
        factors = Factors.of(node)
        if len(factors.powers) < sum(len(Factors.view(o).powers) for o in node.operands):
            return factors.build()
    node = _flat(node) if is_op(node, "add") else node
    for rewrite in MEETINGS:
        new = rewrite.apply(node) if node.topic in rewrite.on else None
        if new is not None:
            return broadcast_to(new, node.shape)
    return None


def _flat(total: Node) -> Node:
    """a + 2·(b + c) → a + 2·b + 2·c."""
    terms = [(value, factors) for o in total.operands for value, factors in _spread(o, total.rank)]
    return total if len(terms) == len(total.operands) else elementwise("add", *(product(*term) for term in terms))


def _spread(term: Node, rank: int) -> list[ScaledFactors]:
    """The terms of a multiple of a sum; else the term itself."""
    value, factors = split_coefficient(term)
    if len(factors) == 1 and is_op(factors[0], "add") and factors[0].rank == rank:
        return [(value * c, inner) for c, inner in terms_of(factors[0])]
    return [(value, factors)]


def _is_log_softmax(terms: Terms) -> bool:
    """Whether x - logsumexp(x) stands in a sum."""
    for (factors, _), coefficient in terms.coefficients.items():
        total = factors[0] if len(factors) == 1 else None
        if total is not None and is_logsumexp(total) and total.operands[0].rank == len(terms.shape):
            inside = Terms.of(total.operands[0]).coefficients
            if all(terms.coefficients.get(key) == -coefficient * c for key, c in inside.items()):
                return True
    return False


MEETINGS = (
    *EXPONENTIALS,
    *HYPERBOLICS,
    *SOFT_EXTREMES,
    SQUARE_ROOT_OF_SQUARE,
    CANCELLED_DENOMINATOR,
    COMMON_FACTORS,
)
EXPOSINGS = (
    Rewrite(slice_one_of_what_is_joined, ("slice",), domain="equal", role="shorter"),
    Rewrite(
        meet_through_movement,
        ("add", "mul", "log", "pow", "exp"),
        needs=("one_hot", "positive"),  # of those of `MEETINGS` what no rewrite before it takes
        domain="extends",
        role="exposing",
    ),
)
