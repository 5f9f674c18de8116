"""A graph as a straight program: one operation after the other, each on values of one kind.

In: a rank-0 expression, the values of its extents, a table of operations.  Out: `StraightProgram`: given leaves, it
runs the operations in order.  What a value is, the table says: an array on a tape (`compare/tape/`), an array of
numbers with any number of digits (`compare/scalars/`).

The graph is read once into a list of calls, as a user would have written them: `a + (-1)*b` is a subtraction,
`a * b**-1` a division.  Reading it costs nothing when the program runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import sympy

from symnet import dtypes
from symnet.errors import MissingRuleError, explain
from symnet.expr.nodes.abstract import refuse
from symnet.expr.nodes.constants import number_of
from symnet.expr.nodes.elementwise import is_op
from symnet.expr.nodes.extents import Dim
from symnet.expr.nodes.graph import consumers, topological
from symnet.expr.nodes.node import Extent, Node
from symnet.expr.nodes.symbols import Tensor
from symnet.expr.sympy.bodies import opened


class ReadingContext:
    """What reading a graph needs: extents as numbers, and the dtype of reals."""

    def __init__(self, dims: Mapping[Dim, int], dtype: str) -> None:
        self.dims = {dim: sympy.Integer(value) for dim, value in dims.items()}
        self.dtype = dtype

    def extent(self, extent: Extent) -> int:
        return extent if isinstance(extent, int) else int(extent.xreplace(self.dims))

    def shape(self, shape: Sequence[Extent]) -> tuple[int, ...]:
        return tuple(map(self.extent, shape))

    def window(self, node: Any, sizes: Sequence[Extent]) -> tuple[slice, ...]:
        return tuple(map(_slice, self.shape(node.starts), self.shape(sizes), node.steps))


def _slice(start: int, size: int, step: int) -> slice:
    """The slice start, start + step, … of `size` elements."""
    if not size:
        return slice(0, 0)
    stop = start + size * step
    return slice(start, None if stop < 0 else stop, step)


Statics = Callable[[Any, ReadingContext], dict[str, Any]]


def _scan(node: Any, reader: ReadingContext) -> dict[str, Any]:
    return {"axis": node.axis, "reverse": node.reverse, "exclusive": node.exclusive}


# node kind → what of an operation is fixed before the run, by keyword
STATICS: dict[str, Statics] = {
    "elementwise": lambda n, r: {"op": n.op, "dtype": r.dtype},
    "einsum": lambda n, r: {"inputs": n.inputs, "output": n.output},
    "reduce": lambda n, r: {"op": n.op, "axes": n.axes},
    "expand": lambda n, r: {"shape": r.shape(n.shape), "axes": n.axes},
    "reshape": lambda n, r: {"shape": r.shape(n.shape)},
    "slice": lambda n, r: {"window": r.window(n, n.shape)},
    "place": lambda n, r: {"shape": r.shape(n.shape), "window": r.window(n, n.operands[0].shape)},
    "concat": lambda n, r: {"axis": n.axis},
    "take": lambda n, r: {"axis": n.axis},
    "one_hot": lambda n, r: {"classes": r.extent(n.classes), "dtype": r.dtype, "wraps": n.wraps},
    "cumsum": lambda n, r: {"axis": n.axis, "reverse": n.reverse},
    "cumprod": _scan,
    "linear_recurrence": _scan,
    "solve": lambda n, r: {},
    "determinant": lambda n, r: {"op": n.op},
}
TRANSPARENT = ("named", "barrier", "sealed")  # a name, a barrier or a seal: the same value
ON_PAPER = ("abstract",)  # functions without a definition have no value


def _array(node: Any, reader: ReadingContext) -> Any:
    """A constant array, real ones in the dtype of reals."""
    held = node.contents.array
    return held.astype(reader.dtype, copy=False) if node.dtype in dtypes.REAL else held


# node kind → its value: a number as SymPy has it, the others as NumPy's
CONSTANTS: dict[str, Callable[[Any, ReadingContext], Any]] = {
    "number": lambda n, r: n.value,
    "size": lambda n, r: sympy.Integer(r.extent(n.extent)),
    "array": _array,
    "delta": lambda n, r: np.eye(r.extent(n.extent), dtype=r.dtype),
    "iota": lambda n, r: np.arange(r.extent(n.shape[0])),
}


@dataclass(frozen=True)
class Calculus:
    """How programs run: what a value is, and what is done with it.

    Attributes:
        name: for errors.
        file: where its table stands, for errors.
        operations: node kind → (state, *values, **what is fixed) → value, for every kind of `STATICS`.
        constant: what `CONSTANTS` gives, and the dtype of reals → a value.
    """

    name: str
    file: str
    operations: Mapping[str, Callable[..., Any]]
    constant: Callable[[Any, str], Any]


class StraightProgram:
    """A program that computes a value.

    Args:
        root: rank 0.
        dims: the value of every symbolic extent.
        dtype: of reals, as NumPy calls it.
        calculus: how it runs.
    """

    def __init__(self, root: Node, dims: Mapping[Dim, int], dtype: str, calculus: Calculus) -> None:
        self.dims, self.dtype, self.calculus = dims, dtype, calculus
        self.slots: dict[Node, int] = {}
        self.extra = 0  # slots of whole numbers, counted from the end
        self.leaves: list[tuple[int, str]] = []
        self.constants: list[tuple[int, Any]] = []
        self.calls: list[tuple[int, Callable[..., Any], tuple[int, ...]]] = []
        reader = ReadingContext(dims, dtype)
        root = opened(root)
        for node, operation, operands in read(root):
            self._add(node, operation, operands, reader)
        self.root = self.slots[root]

    def _add(self, node: Node, operation: str | None, operands: Sequence[Node], reader: ReadingContext) -> None:
        if node.kind in TRANSPARENT:
            self.slots[node] = self.slots[node.operands[0]]
            return
        slot = self.slots[node] = len(self.slots)
        if isinstance(node, Tensor):
            self.leaves.append((slot, node.name))
        elif node.kind in CONSTANTS:
            self.constants.append((slot, self.calculus.constant(CONSTANTS[node.kind](node, reader), self.dtype)))
        else:
            call = self._call(node, operation, reader)
            whole = node.dtype in dtypes.INTEGER
            self.calls.append((slot, call, tuple(self._whole(o) if whole else self.slots[o] for o in operands)))

    def _whole(self, operand: Node) -> int:
        """The slot of an operand of integers: of a number, one in which it is whole."""
        value = number_of(operand)
        if value is None or not value.is_Integer:
            return self.slots[operand]
        slot = self.extra = self.extra - 1
        self.constants.append((slot, self.calculus.constant(int(value), self.dtype)))
        return slot

    def _call(self, node: Node, operation: str | None, reader: ReadingContext) -> Callable[..., Any]:
        """What runs for a node: its own operation, or the elementwise one it was folded into."""
        table = self.calculus.operations
        if node.kind in ON_PAPER:
            refuse("compare(…)", node)
        if operation is not None:
            return partial(table["elementwise"], op=operation, dtype=reader.dtype)
        if node.kind not in table:
            expected = f"an operation for {node.kind} nodes, which {self.calculus.name} lacks"
            mend = f"Add it in {self.calculus.file}."
            raise MissingRuleError(explain("compare(…)", expected, type(node).__name__, mend))
        return partial(table[node.kind], **STATICS[node.kind](node, reader))

    def run(self, state: Any, leaves: Mapping[str, Any]) -> list[Any]:
        """The value in every slot, the last being the root's; `leaves` are values by name."""
        values: list[Any] = [None] * (len(self.slots) - self.extra)
        for slot, name in self.leaves:
            values[slot] = leaves[name]
        for slot, constant in self.constants:
            values[slot] = constant
        with np.errstate(all="ignore"):
            for slot, call, operands in self.calls:
                values[slot] = call(state, *[values[o] for o in operands])
        return values


# --------------------------------------------------------------------------- as a user would write it


def read(root: Node) -> list[tuple[Node, str | None, Sequence[Node]]]:
    """The operations in order: (node, the name of what it was folded into or None, operands).

    Negations and reciprocals that only one sum or product takes are folded into it.
    """
    users = consumers(root)
    nodes = {node: _spelled(node, users) for node in topological(root)}
    needed = {root}
    for node in reversed(list(nodes)):
        if node in needed:
            needed.update(nodes[node][1])
    return [(node, *spelling) for node, spelling in nodes.items() if node in needed]


def _spelled(node: Node, users: Mapping[Node, list[Node]]) -> tuple[str | None, Sequence[Node]]:
    if len(node.operands) == 2 and is_op(node, "add", "mul"):
        test, fold = (_is_negation, "subtract") if is_op(node, "add") else (_is_reciprocal, "divide")
        a, b = node.operands
        for first, second in ((a, b), (b, a)):
            if test(second) and len(users[second]) == 1:
                return fold, (first, _inside(second))
    if _is_negation(node):
        return "negative", (node.operands[1],)
    exponent = number_of(node.operands[1]) if is_op(node, "pow") else None
    if exponent == -1:
        return "reciprocal", (node.operands[0],)
    if exponent == 2:
        return "square", (node.operands[0],)
    if exponent == sympy.S.Half:
        return "sqrt", (node.operands[0],)
    return None, node.operands


def _is_negation(node: Node) -> bool:
    return is_op(node, "mul") and len(node.operands) == 2 and number_of(node.operands[0]) == -1


def _is_reciprocal(node: Node) -> bool:
    return is_op(node, "pow") and number_of(node.operands[1]) == -1


def _inside(node: Node) -> Node:
    """What a negation negates, or a reciprocal has below its line."""
    return node.operands[1] if _is_negation(node) else node.operands[0]
