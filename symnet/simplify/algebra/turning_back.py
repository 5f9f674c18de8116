"""A move that is undone below functions: (1/(1 + x[::-1]))[::-1] → 1/(1 + x), f(Xᵀ + c)ᵀ → f(X + c).

In: an array read backwards, with its axes in another order or reshaped, of elementwise functions in normal form.
Out: the functions of what was moved before, where the two moves cancel; both forms compute every element once.
Not handled: moves that leave elements out or repeat them; functions of arrays that are moved otherwise (hoisting.py).
"""

from __future__ import annotations

from collections.abc import Iterator

from symnet.expr.facts.softmax import softmax_axes
from symnet.expr.nodes.contraction import Einsum, contract
from symnet.expr.nodes.extents import ints_arg, same_shape, shape_arg
from symnet.expr.nodes.graph import with_operands
from symnet.expr.nodes.movement import Concat, Place, Reshape, Slice, broadcast_to
from symnet.expr.nodes.node import Node
from symnet.simplify.algebra.hoisting import is_move, moves_of
from symnet.simplify.algebra.movement import moved, turns
from symnet.simplify.forms.broadcast import covered
from symnet.simplify.forms.coefficients import is_multiple
from symnet.simplify.rewrite import Rewrite

DEEPEST = 5  # functions above an array, products with numbers not counted


def undo_move_below_functions(move: Node) -> Node | None:
    """(1/(1 + x[::-1]))[::-1] → 1/(1 + x), and so for orders of axes and reshapes.

    Condition: every array in the functions is moved back, or less than before (x[0, ::-1] is x[0] then), or repeated
    along what moves, or can be read so from a leaf.
    """
    x = move.operands[0]
    if x.kind != "elementwise" or not _keeps_every_element(move) or not any(map(is_move, _arrays(x, DEEPEST))):
        return None
    undoing = _Undoing(move)
    undone = undoing.of(x, DEEPEST)
    return broadcast_to(undone, move.shape) if undone is not None and undoing.met else None


def read_operand_in_its_own_order(node: Einsum) -> Node | None:
    """f(Xᵀ)ᵀ @ y, where the sum reads f(Xᵀ) by columns → f(X) @ y.

    Condition: every array in the function has its axes in that other order.
    """
    if turns(node):
        return None
    for k, x in enumerate(node.operands):
        arrays = _arrays(x, DEEPEST) if x.kind == "elementwise" and x.rank > 1 else ()
        turn = next((array for array in arrays if isinstance(array, Einsum) and turns(array)), None)
        if turn is not None:
            places = [turn.output.index(i) for i in turn.inputs[0]]
            undoing = _Undoing(contract([range(x.rank)], places, x))
            undone = undoing.of(x, DEEPEST)
            if undone is not None and not undoing.turned:
                inputs, operands = list(node.inputs), list(node.operands)
                inputs[k], operands[k] = tuple(inputs[k][p] for p in places), undone
                return contract(inputs, node.output, *operands)
    return None


def _arrays(x: Node, deepest: int) -> Iterator[Node]:
    """What the functions in x are of, where it has x's rank."""
    deepest += is_multiple(x)
    if x.kind == "elementwise" and deepest and not softmax_axes(x):
        for operand in x.operands:
            if operand.rank == x.rank:
                yield from _arrays(operand, deepest - 1)
    else:
        yield x


def _keeps_every_element(move: Node) -> bool:
    """Whether a move puts every element somewhere else, once."""
    if isinstance(move, Slice):
        return all(abs(step) == 1 for step in move.steps) and same_shape(move.shape, move.operands[0].shape)
    return isinstance(move, Reshape) or (isinstance(move, Einsum) and turns(move))


def _turned(x: Node) -> int:
    """How many axes are read backwards or in another order by the moves of an array: of x[0, ::-1] one."""
    count = 0
    while is_move(x):
        count += sum(step < 0 for step in x.steps) if isinstance(x, Slice) else isinstance(x, Einsum) and turns(x)
        x = x.operands[0]
    return count


class _Undoing:
    """A move taken to the arrays of a function, and of what is joined or laid among zeros there, piece by piece.

    met: whether it undid the move of one; turned: whether one is read moved instead.
    """

    def __init__(self, move: Node) -> None:
        self.move = move
        self.met = self.turned = False

    def of(self, x: Node, deepest: int) -> Node | None:
        """What the move makes of x, with no move left in it but of leaves, and of conditions read backwards."""
        return self._moved(self.move, x, deepest)

    def _moved(self, move: Node, x: Node, deepest: int) -> Node | None:
        if not x.rank:
            return x
        deepest += is_multiple(x)
        if x.kind == "elementwise" and not softmax_axes(x):
            return self._function_moved(move, x, deepest) if deepest else None
        if isinstance(move, Slice) and isinstance(x, (Concat, Place)):
            return self._pieces_moved(move, x, deepest)
        new = moved(move, x)
        undone = is_move(x) and (new is x.operands[0] or _turned(new) < _turned(x))
        stays = x.kind == "expand" and new.kind == "expand" and new.operands[0] is x.operands[0]
        self.met |= undone
        self.turned |= not (undone or stays)
        core = moves_of(new)[1]
        readable = not core.operands or (core.dtype == "bool" and isinstance(move, Slice))
        return new if undone or stays or readable else None

    def _function_moved(self, move: Node, x: Node, deepest: int) -> Node | None:
        parts = []
        for operand in x.operands:
            whole = covered(operand, x.shape) if operand.rank else operand
            part = self._moved(move, whole, deepest - 1)
            if part is None:
                return None
            parts.append(part)
        return broadcast_to(with_operands(x, parts), move.shape)

    def _pieces_moved(self, move: Slice, x: Concat | Place, deepest: int) -> Node | None:
        """concat(a, b)[::-1] → concat(b[::-1], a[::-1]), pad(a, (2, 0))[::-1] → pad(a[::-1], (0, 2))."""
        parts = []
        for operand in x.operands:
            last = [n - 1 if s < 0 else 0 for n, s in zip(operand.shape, move.steps, strict=True)]
            turning = Slice(operand, shape_arg(tuple(last)), shape_arg(operand.shape), ints_arg(move.steps))
            part = self._moved(turning, operand, deepest)
            if part is None:
                return None
            parts.append(broadcast_to(part, operand.shape))
        if isinstance(x, Concat):
            return with_operands(x, parts if move.steps[x.axis] > 0 else parts[::-1])
        starts = [
            start if turn > 0 else n - 1 - start - step * (extent - 1)
            for turn, n, start, step, extent in zip(
                move.steps, x.shape, x.starts, x.steps, x.operands[0].shape, strict=True
            )
        ]
        return Place(parts[0], shape_arg(x.shape), shape_arg(tuple(starts)), ints_arg(x.steps))


TURNINGS = (
    Rewrite(undo_move_below_functions, ("slice", "einsum", "reshape"), domain="equal", role="shorter"),
    Rewrite(read_operand_in_its_own_order, ("einsum",), domain="equal", role="shorter"),
)
