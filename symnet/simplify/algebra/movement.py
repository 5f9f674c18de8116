"""Rewrites of movement: repetition, reshape, slice, place, concat, take.

In: a movement node whose operands are in normal form.  Out: fewer moves, scalars outside.
"""

from __future__ import annotations

from typing import Any

from sympy import Integer

from symnet.expr.nodes.constants import number
from symnet.expr.nodes.contraction import Einsum, contract
from symnet.expr.nodes.elementwise import elementwise, is_op
from symnet.expr.nodes.expansion import Expand, expand
from symnet.expr.nodes.extents import ints_arg, same_shape, shape_arg
from symnet.expr.nodes.graph import with_operands
from symnet.expr.nodes.indexing import Take
from symnet.expr.nodes.movement import Concat, Place, Reshape, Slice, broadcast_to, concat, drop_axes, reshape
from symnet.expr.nodes.node import Node
from symnet.simplify.algebra.placing import PLACINGS
from symnet.simplify.forms.broadcast import align, cover, spread
from symnet.simplify.forms.coefficients import ONE, is_finite_scalar, product, split_coefficient, unsigned
from symnet.simplify.rewrite import Rewrite


def take_scalars_out_of_movement(node: Node) -> Node | None:
    """expand(s·x) → s·expand(x), and so for reshape, slice, place, take; pad(-ones(2)) → -pad(ones(2)).

    Condition: s is of rank 0, x is not; where zeros are laid around x, s is finite whatever the data.
    """
    inner = node.operands[0]
    if node.kind == "place" and isinstance(inner, Expand) and not inner.axes and node.dtype != "bool":
        value, factors = split_coefficient(inner.operands[0])
        body = cover(product(ONE, factors), (), inner.shape)
        return elementwise("mul", number(value), with_operands(node, [body])) if value not in (0, 1) else None
    if not is_op(inner, "mul") or inner.operands[0].rank or not inner.rank:
        return None
    scalars = [o for o in inner.operands if not o.rank and (node.kind != "place" or is_finite_scalar(o))]
    if not scalars:
        return None
    rest = [o for o in inner.operands if o not in scalars]
    body = rest[0] if len(rest) == 1 else elementwise("mul", *rest)
    return elementwise("mul", *scalars, with_operands(node, [body, *node.operands[1:]]))


def take_sign_out_of_movement(node: Node) -> Node | None:
    """(b - a)[k:] → -(a - b)[k:].  Condition: the sum's leading term is negative: of the two, a - b is left."""
    flipped = unsigned(node.operands[0])
    return None if flipped is None else elementwise("mul", -1, with_operands(node, [flipped, *node.operands[1:]]))


def move_nothing(node: Node) -> Node | None:
    """A move that leaves every element where it is → the operand.  Always."""
    x = node.operands[0]
    return x if same_shape(x.shape, node.shape) and _IDLE[node.kind](node) else None


_IDLE = {
    "expand": lambda node: True,
    "reshape": lambda node: True,
    "slice": lambda node: all(s == 0 for s in node.starts) and all(s == 1 for s in node.steps),
    "place": lambda node: all(s == 0 for s in node.starts) and all(s == 1 for s in node.steps),
}


def repeat_at_once(node: Expand) -> Node | None:
    """expand(expand(x)) → expand(x).  Always."""
    inner = node.operands[0]
    if not isinstance(inner, Expand):
        return None
    return expand(inner.operands[0], node.shape, tuple(node.axes[a] for a in inner.axes))


def reshape_at_once(node: Reshape) -> Node | None:
    """reshape(reshape(x)) → reshape(x).  Always."""
    inner = node.operands[0]
    return with_operands(node, [inner.operands[0]]) if isinstance(inner, Reshape) else None


def drop_axes_by_reshape(node: Einsum) -> Node | None:
    """reshape(x, (2, 4, 1))[:, :, 0] → reshape(x, (2, 4)).  Condition: only axes of extent 1 are dropped."""
    inner, indices = node.operands[0], node.inputs[0]
    if len(node.operands) > 1 or not isinstance(inner, Reshape) or len(set(indices)) < len(indices):
        return None
    gone = [n for i, n in zip(indices, inner.shape, strict=True) if i not in node.output]
    in_order = tuple(i for i in indices if i in node.output) == tuple(node.output)
    if not gone or any(n != 1 for n in gone) or not in_order:
        return None
    return reshape(inner.operands[0], node.shape)


def drop_axes_before_joining(node: Einsum) -> Node | None:
    """concat(x[:, None], y[:, None])[:, 0] → concat(x, y).

    Condition: only axes of extent 1 are dropped, another one than that of the pieces.
    """
    inner, indices = node.operands[0], node.inputs[0]
    if (
        len(node.operands) > 1
        or not isinstance(inner, Concat)
        or tuple(i for i in indices if i in node.output) != node.output
    ):
        return None
    gone = {a for a, i in enumerate(indices) if i not in node.output}
    if len(set(indices)) < len(indices) or inner.axis in gone or any(inner.shape[a] != 1 for a in gone):
        return None
    return concat([drop_axes(x, gone) for x in inner.operands], inner.axis - sum(a < inner.axis for a in gone))


def reshape_without_new_axes(node: Reshape) -> Node | None:
    """reshape(x[:, None]) → reshape(x).  Condition: x is repeated along axes of extent 1 only."""
    inner = node.operands[0]
    if not isinstance(inner, Expand) or any(inner.shape[a] != 1 for a in inner.new_axes):
        return None
    return with_operands(node, [inner.operands[0]])


def move_a_constant(node: Node) -> Node | None:
    """reshape, slice, take of a repeated scalar → the scalar repeated.  Always."""
    inner = node.operands[0]
    return cover(inner.operands[0], (), node.shape) if isinstance(inner, Expand) and not inner.axes else None


def move_what_is_repeated(node: Node) -> Node | None:
    """slice(expand(x)) → expand(slice(x)), take(expand(x)) → expand(take(x)).  Always: x is smaller."""
    inner = node.operands[0]
    if not isinstance(inner, Expand) or not inner.axes:
        return None
    x = inner.operands[0]
    if isinstance(node, Slice):
        starts, sizes, steps = (type(part)(*(part[a] for a in inner.axes)) for part in node.args[1:4])
        return expand(Slice(x, starts, sizes, steps), node.shape, inner.axes)
    assert isinstance(node, Take)
    count = node.operands[1].rank
    before = tuple(a for a in inner.axes if a < node.axis)
    after = tuple(a + count - 1 for a in inner.axes if a > node.axis)
    if node.axis not in inner.axes:
        return expand(x, node.shape, (*before, *after))
    taken = Take(x, node.operands[1], Integer(len(before)))
    return expand(taken, node.shape, (*before, *range(node.axis, node.axis + count), *after))


def move_the_condition(node: Node) -> Node | None:
    """[c][k:] → [c[k:]], also reshaped, taken, or without axes of extent 1.

    Always: comparisons meet what they settle.
    """
    inner = node.operands[0]
    if not is_op(inner, "indicator") or len(node.operands) > 1 + (node.kind == "take"):
        return None
    (condition,) = inner.operands
    if not isinstance(node, Einsum):
        return elementwise("indicator", with_operands(node, [condition, *node.operands[1:]]))
    indices = node.inputs[0]
    kept = tuple(i for i in indices if i in node.output)
    gone = [n for i, n in zip(indices, inner.shape, strict=True) if i not in node.output]
    if kept != tuple(node.output) or len(set(indices)) < len(indices) or any(n != 1 for n in gone):
        return None
    return elementwise("indicator", reshape(condition, node.shape))


def join_the_conditions(node: Concat) -> Node | None:
    """concat([p], [q]) → [concat(p, q)].  Always: a choice by them settles them at once."""
    if not all(is_op(x, "indicator") and x.operands[0].shape == x.shape for x in node.operands):
        return None
    return elementwise("indicator", with_operands(node, [x.operands[0] for x in node.operands]))


def move_before_negating(node: Node) -> Node | None:
    """(not c)[k:] → not c[k:].  Always: a choice by it is turned."""
    inner = node.operands[0]
    if not is_op(inner, "not"):
        return None
    return elementwise("not", with_operands(node, [inner.operands[0], *node.operands[1:]]))


def slice_what_was_placed(node: Slice) -> Node | None:
    """slice(place(x)) at the same window → x.  Always."""
    inner = node.operands[0]
    if not isinstance(inner, Place) or inner.starts != node.starts or inner.steps != node.steps:
        return None
    return inner.operands[0] if same_shape(inner.operands[0].shape, node.shape) else None


def slice_at_once(node: Slice) -> Node | None:
    """x[a:][b:] → x[a + b:], x[::-1][::-1] → x.  Always."""
    inner = node.operands[0]
    if not isinstance(inner, Slice):
        return None
    starts = tuple(a + s * b for a, b, s in zip(inner.starts, node.starts, inner.steps, strict=True))
    steps = tuple(a * b for a, b in zip(inner.steps, node.steps, strict=True))
    return Slice(inner.operands[0], shape_arg(starts), shape_arg(node.shape), ints_arg(steps))


def slice_before_dropping_axes(node: Slice) -> Node | None:
    """x[:, 0][k:] → x[k:, 0].  Condition: only axes of extent 1 are dropped, by an index or by a reshape."""
    inner = node.operands[0]
    kept = _axes_that_stay(inner)
    if kept is None:
        return None
    (x,) = inner.operands
    at = {axis: k for k, axis in enumerate(kept)}
    window = [
        (node.starts[at[a]], node.shape[at[a]], node.steps[at[a]]) if a in at else (0, 1, 1) for a in range(x.rank)
    ]
    part = _window(x, window)
    shorter = slice_at_once(part) if isinstance(part, Slice) else None
    part = part if shorter is None else shorter
    return reshape(part, node.shape) if isinstance(inner, Reshape) else with_operands(inner, [part])


def _axes_that_stay(inner: Node) -> list[int] | None:
    """The axes of what axes of extent 1 are dropped from; None for other nodes."""
    if len(inner.operands) != 1 or not isinstance(inner, (Einsum, Reshape)):
        return None
    x = inner.operands[0]
    if isinstance(inner, Reshape):
        long = [a for a in range(x.rank) if x.shape[a] != 1]
        return (
            long if len(long) == inner.rank < x.rank and same_shape([x.shape[a] for a in long], inner.shape) else None
        )
    (indices,) = inner.inputs
    kept = [a for a, i in enumerate(indices) if i in inner.output]
    dropped = all(x.shape[a] == 1 for a in range(x.rank) if a not in kept)
    in_order = tuple(indices[a] for a in kept) == tuple(inner.output)
    return kept if dropped and in_order and len(set(indices)) == len(indices) else None


def multiply_before_placing(node: Node) -> Node | None:
    """pad(x)*y → pad(x*y[window]): what stands beside the zeros may be infinite, and needs not be computed.

    Condition: y is an array.
    """
    cores = [align(o, node.shape) for o in node.operands]
    place = next((k for k, (core, _) in enumerate(cores) if isinstance(core, Place)), None)
    if place is None or sum(core.rank > 0 for core, _ in cores) < 2:
        return None
    placed, axes = cores[place]
    window: list[tuple[Any, Any, int]] = [(0, n, 1) for n in node.shape]
    for a, start, step, extent in zip(axes, placed.starts, placed.steps, placed.operands[0].shape, strict=True):
        window[a] = (start, extent, step)
    starts, shape, steps = (tuple(part) for part in zip(*window, strict=True))
    factors = [spread(placed.operands[0], axes, shape)]
    scalars = [core for core, _ in cores if not core.rank]
    for k, (core, where) in enumerate(cores):
        if k != place and core.rank:
            factors.append(spread(_window(core, [window[a] for a in where]), where, shape))
    body = broadcast_to(elementwise("mul", *factors), shape)
    whole = Place(body, shape_arg(node.shape), shape_arg(starts), ints_arg(steps))
    return elementwise("mul", *scalars, whole) if scalars else whole


def _window(x: Node, window: list[tuple[Any, Any, int]]) -> Node:
    """The part of x that starts at, has the extents of and steps as the window."""
    starts, shape, steps = (tuple(part) for part in zip(*window, strict=True))
    if same_shape(x.shape, shape) and all(s == 0 for s in starts) and all(s == 1 for s in steps):
        return x
    return Slice(x, shape_arg(starts), shape_arg(shape), ints_arg(steps))


def slice_one_of_the_joined(node: Slice) -> Node | None:
    """concat(x, y)[the part of x] → x.  Condition: exactly one operand's window along that axis."""
    inner = node.operands[0]
    if not isinstance(inner, Concat):
        return None
    axis = inner.axis
    others = [a for a in range(node.rank) if a != axis]
    if (
        any(node.starts[a] != 0 or node.steps[a] != 1 or node.shape[a] != inner.shape[a] for a in others)
        or node.steps[axis] != 1
    ):
        return None
    for offset, x in zip(inner.offsets, inner.operands, strict=True):
        if offset == node.starts[axis] and same_shape(x.shape, node.shape):
            return x
    return None


def join_parts_of_one(node: Concat) -> Node | None:
    """concat(x[:2], x[2:]) → x.  Condition: a part begins where the one before it ends, and is cut as it otherwise."""
    for k, (a, b) in enumerate(zip(node.operands, node.operands[1:], strict=False)):
        if isinstance(a, Slice) and isinstance(b, Slice) and _goes_on(a, b, node.axis):
            size = a.shape[node.axis] + b.shape[node.axis]
            sizes = shape_arg((*a.shape[: node.axis], size, *a.shape[node.axis + 1 :]))
            x, starts, _, steps = a.args
            parts = [*node.operands[:k], Slice(x, starts, sizes, steps), *node.operands[k + 2 :]]
            return concat(parts, node.axis) if len(parts) > 1 else parts[0]
    return None


def _goes_on(a: Slice, b: Slice, axis: int) -> bool:
    """Whether b is the part of one array that begins where a ends."""
    if a.operands != b.operands or a.steps != b.steps or a.steps[axis] != 1:
        return False
    ends = (*a.starts[:axis], a.starts[axis] + a.shape[axis], *a.starts[axis + 1 :])
    return same_shape(ends, b.starts)


def join_a_constant(node: Concat) -> Node | None:
    """concat(s, s), each repeated → s repeated.  Always."""
    first = node.operands[0]
    if not all(isinstance(x, Expand) and not x.axes and x.operands == first.operands for x in node.operands):
        return None
    return cover(first.operands[0], (), node.shape)


def take_common_scalar_out_of_concat(node: Concat) -> Node | None:
    """concat(s·x, s·y) → s·concat(x, y).  Condition: s is a scalar factor of every operand."""
    first = node.operands[0]
    if not is_op(first, "mul"):
        return None
    shared = [
        s for s in first.operands if not s.rank and all(is_op(o, "mul") and s in o.operands for o in node.operands)
    ]
    if not shared:
        return None
    rests = [[f for f in o.operands if f not in shared] for o in node.operands]
    bodies = [r[0] if len(r) == 1 else elementwise("mul", *r) for r in rests]
    return elementwise("mul", *shared, with_operands(node, bodies))


MOVEMENTS = (
    Rewrite(move_nothing, ("expand", "reshape", "slice", "place"), domain="equal", role="spelling"),
    Rewrite(repeat_at_once, ("expand",), domain="equal", role="spelling"),
    Rewrite(reshape_at_once, ("reshape",), domain="equal", role="spelling"),
    Rewrite(reshape_without_new_axes, ("reshape",), domain="equal", role="spelling"),
    Rewrite(drop_axes_by_reshape, ("einsum",), below=("reshape",), domain="equal", role="spelling"),
    Rewrite(drop_axes_before_joining, ("einsum",), below=("concat",), domain="equal", role="spelling"),
    Rewrite(move_a_constant, ("reshape", "slice", "take"), domain="equal", role="spelling"),
    Rewrite(move_what_is_repeated, ("slice", "take"), domain="equal", role="spelling"),
    Rewrite(
        move_the_condition,
        ("slice", "take", "reshape", "einsum"),
        below=("indicator",),
        domain="equal",
        role="spelling",
    ),
    Rewrite(join_the_conditions, ("concat",), domain="equal", role="shorter"),
    Rewrite(move_before_negating, ("slice", "take", "reshape"), domain="equal", role="spelling"),
    Rewrite(multiply_before_placing, ("mul",), below=("place",), domain="extends", role="shorter"),
    Rewrite(
        take_scalars_out_of_movement, ("expand", "reshape", "slice", "place", "take"), domain="equal", role="spelling"
    ),
    Rewrite(take_sign_out_of_movement, ("reshape", "slice", "place", "take"), domain="equal", role="spelling"),
    Rewrite(slice_what_was_placed, ("slice",), domain="equal", role="shorter"),
    Rewrite(slice_at_once, ("slice",), domain="equal", role="spelling"),
    Rewrite(slice_before_dropping_axes, ("slice",), domain="equal", role="spelling"),
    *PLACINGS,
    Rewrite(slice_one_of_the_joined, ("slice",), domain="equal", role="shorter"),
    Rewrite(join_parts_of_one, ("concat",), domain="equal", role="shorter"),
    Rewrite(join_a_constant, ("concat",), domain="equal", role="shorter"),
    Rewrite(take_common_scalar_out_of_concat, ("concat",), domain="equal", role="spelling"),
)


def moved(move: Node, x: Node) -> Node:
    """Another array, moved as `move` moves its operand, with moves of moves made one."""
    return _settled(with_operands(move, [x, *move.operands[1:]]))


def _settled(new: Node) -> Node:
    """A move made one with the moves below it; of what is repeated, the move that is repeated then."""
    for _ in range(3):
        fired = (r.apply(new) for r in MOVEMENTS if new.topic in r.on and r.name in _SETTLING)
        shorter = next((n for n in (_turned_at_once(new), *fired) if n is not None), None)
        if shorter is None:
            break
        new = shorter
    inner = new.operands[0] if isinstance(new, Expand) else new
    return with_operands(new, [_settled(inner)]) if inner is not new and isinstance(inner, (Slice, Take)) else new


_SETTLING = (
    "move_nothing",
    "reshape_at_once",
    "move_a_constant",
    "move_what_is_repeated",
    "slice_at_once",
    "slice_before_dropping_axes",
)


def _turned_at_once(node: Node) -> Node | None:
    """A.T.T → A, and so for every order of axes after another."""
    inner = node.operands[0] if isinstance(node, Einsum) and turns(node) else None
    if not isinstance(node, Einsum) or not isinstance(inner, Einsum) or not turns(inner):
        return None
    order = [inner.output[node.inputs[0].index(i)] for i in node.output]
    return inner.operands[0] if order == list(inner.inputs[0]) else contract(inner.inputs, order, inner.operands[0])


def turns(x: Einsum) -> bool:
    """Whether every axis of one array is kept."""
    return len(x.operands) == 1 and sorted(x.inputs[0]) == sorted(x.output)
