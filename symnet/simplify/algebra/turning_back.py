"""A move that is undone below functions: (1/(1 + x[::-1]))[::-1] → 1/(1 + x), f(Xᵀ + c)ᵀ → f(X + c).

In: an array read backwards, with its axes in another order or reshaped, of elementwise functions in normal form.
Out: the functions of what was moved before, where the two moves cancel; both forms compute every element once.
Not handled: moves that leave elements out or repeat them; functions of arrays that are moved otherwise (hoisting.py).
"""

from __future__ import annotations

from symnet.expr.facts.softmax import softmax_axes
from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.extents import same_shape
from symnet.expr.nodes.graph import with_operands
from symnet.expr.nodes.movement import Reshape, Slice, broadcast_to
from symnet.expr.nodes.node import Node
from symnet.simplify.algebra.hoisting import is_move, moves_of
from symnet.simplify.algebra.movement import moved, turns
from symnet.simplify.forms.broadcast import align, cover
from symnet.simplify.rewrite import Rewrite

DEEPEST = 5


def undo_move_below_functions(move: Node) -> Node | None:
    """(1/(1 + x[::-1]))[::-1] → 1/(1 + x), and so for orders of axes and reshapes.

    Condition: every array in the functions is moved back, or repeated along what moves, or can be read so from a leaf.
    """
    x = move.operands[0]
    if x.kind != "elementwise" or not _keeps_every_element(move):
        return None
    met: list[Node] = []
    undone = _undone(move, x, DEEPEST, met)
    return broadcast_to(undone, move.shape) if undone is not None and met else None


def _keeps_every_element(move: Node) -> bool:
    """Whether a move puts every element somewhere else, once."""
    if isinstance(move, Slice):
        return all(abs(step) == 1 for step in move.steps) and same_shape(move.shape, move.operands[0].shape)
    return isinstance(move, Reshape) or (isinstance(move, Einsum) and turns(move))


def _undone(move: Node, x: Node, deepest: int, met: list[Node]) -> Node | None:
    """What the move makes of x with no move left but of leaves; those that it met go to `met`."""
    if not x.rank:
        return x
    if x.kind == "elementwise" and not softmax_axes(x):
        if not deepest:
            return None
        parts = []
        for operand in x.operands:
            whole = operand if same_shape(operand.shape, x.shape) else cover(*align(operand, x.shape), x.shape)
            part = _undone(move, whole if operand.rank else operand, deepest - 1, met)
            if part is None:
                return None
            parts.append(part)
        return broadcast_to(with_operands(x, parts), move.shape)
    new = moved(move, x)
    if is_move(x) and new is x.operands[0]:
        met.append(x)
        return new
    stays = x.kind == "expand" and new.kind == "expand" and new.operands[0] is x.operands[0]
    return new if stays or not moves_of(new)[1].operands else None


TURNINGS = (Rewrite(undo_move_below_functions, ("slice", "einsum", "reshape"), domain="equal", role="shorter"),)
