"""A graph as a program that the tape watches: one NumPy operation after the other.

In: a rank-0 expression, the leaves to differentiate by, arrays.  Out: `TapeProgram`: called, it runs the operations,
records them, and walks back.

The graph is read once into a list of calls, as a user would have written them: `a + (-1)*b` is a subtraction,
`a * b**-1` a division.  Reading it costs nothing at run time; recording and walking back happen at every call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import sympy

from symnet import dtypes
from symnet.arrays import Array
from symnet.compare.tape import contraction, cumulative, elementwise, linalg, movement, recurrence, reduction
from symnet.compare.tape.var import Tape, TapeValue
from symnet.errors import MissingRuleError, explain
from symnet.expr.nodes.abstract import refuse
from symnet.expr.nodes.constants import number_of
from symnet.expr.nodes.elementwise import is_op
from symnet.expr.nodes.extents import Dim
from symnet.expr.nodes.graph import consumers, topological
from symnet.expr.nodes.node import Extent, Node
from symnet.expr.nodes.symbols import Tensor
from symnet.expr.sympy.bodies import opened

Operation = Callable[..., TapeValue]


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
        return movement.slices(self.shape(node.starts), self.shape(sizes), node.steps)


def transparent(tape: Tape, x: TapeValue) -> TapeValue:
    """A name, a barrier or a seal: the same value."""
    return x


Statics = Callable[[Any, ReadingContext], dict[str, Any]]


# node kind → (the tape's operation, what of it is fixed before the run)
def _scan(node: Any, reader: ReadingContext) -> dict[str, Any]:
    return {"axis": node.axis, "reverse": node.reverse, "exclusive": node.exclusive}


OPERATIONS: dict[str, tuple[Operation, Statics]] = {
    "elementwise": (elementwise.elementwise, lambda n, r: {"op": n.op, "dtype": r.dtype}),
    "einsum": (contraction.einsum, lambda n, r: {"inputs": n.inputs, "output": n.output}),
    "reduce": (reduction.reduce, lambda n, r: {"op": n.op, "axes": n.axes}),
    "expand": (movement.expand, lambda n, r: {"shape": r.shape(n.shape), "axes": n.axes}),
    "reshape": (movement.reshape, lambda n, r: {"shape": r.shape(n.shape)}),
    "slice": (movement.slice_, lambda n, r: {"window": r.window(n, n.shape)}),
    "place": (movement.place, lambda n, r: {"shape": r.shape(n.shape), "window": r.window(n, n.operands[0].shape)}),
    "concat": (movement.concat, lambda n, r: {"axis": n.axis}),
    "take": (movement.take, lambda n, r: {"axis": n.axis}),
    "one_hot": (movement.one_hot, lambda n, r: {"classes": r.extent(n.classes), "dtype": r.dtype, "wraps": n.wraps}),
    "cumsum": (cumulative.cumsum, lambda n, r: {"axis": n.axis, "reverse": n.reverse}),
    "cumprod": (recurrence.cumprod, _scan),
    "linear_recurrence": (recurrence.linear_recurrence, _scan),
    "solve": (linalg.solve, lambda n, r: {}),
    "determinant": (linalg.determinant, lambda n, r: {"op": n.op}),
    "abstract": (transparent, lambda n, r: refuse("compare(…)", n)),
    "named": (transparent, lambda n, r: {}),
    "barrier": (transparent, lambda n, r: {}),
    "sealed": (transparent, lambda n, r: {}),
}


def _array(node: Any, reader: ReadingContext) -> Array:
    """A constant array, real ones in the dtype of reals."""
    held: Array = node.contents.array
    return held.astype(reader.dtype, copy=False) if node.dtype in dtypes.REAL else held


CONSTANTS: dict[str, Callable[[Any, ReadingContext], Any]] = {
    "number": lambda n, r: float(n.value),
    "size": lambda n, r: float(r.extent(n.extent)),
    "array": _array,
    "delta": lambda n, r: np.eye(r.extent(n.extent), dtype=r.dtype),
    "iota": lambda n, r: np.arange(r.extent(n.shape[0])),
}


class TapeProgram:
    """A program that computes a value and, with the tape, its gradients.

    Args:
        root: rank 0.
        wrt: leaves, in order.
        dims: the value of every symbolic extent.
        dtype: float32 or float64.
    """

    def __init__(self, root: Node, wrt: Sequence[Tensor], dims: Mapping[Dim, int], dtype: str) -> None:
        self.wrt = [leaf.name for leaf in wrt]
        self.dtype = dtype
        self.slots: dict[Node, int] = {}
        self.leaves: list[tuple[int, str, str]] = []
        self.constants: list[tuple[int, TapeValue]] = []
        self.calls: list[tuple[int, Operation, tuple[int, ...]]] = []
        reader = ReadingContext(dims, dtype)
        root = opened(root)
        for node, operation, operands in read(root):
            self._add(node, operation, operands, reader)
        self.root = self.slots[root]

    def _add(self, node: Node, operation: str | None, operands: Sequence[Node], reader: ReadingContext) -> None:
        slot = self.slots[node] = len(self.slots)
        if isinstance(node, Tensor):
            self.leaves.append((slot, node.name, self.dtype if node.dtype in dtypes.REAL else str(node.dtype)))
        elif node.kind in CONSTANTS:
            self.constants.append((slot, TapeValue(CONSTANTS[node.kind](node, reader))))
        else:
            self.calls.append((slot, _call(node, operation, reader), tuple(self.slots[o] for o in operands)))

    def run(self, tape: Tape, data: Mapping[str, Any]) -> tuple[TapeValue, dict[str, TapeValue]]:
        """The root and the leaves as variables."""
        values: list[Any] = [None] * len(self.slots)
        leaves = {}
        for slot, name, _ in self.leaves:
            values[slot] = leaves[name] = TapeValue(data[name], tape.recording and name in self.wrt)
        for slot, constant in self.constants:
            values[slot] = constant
        with np.errstate(all="ignore"):
            for slot, call, operands in self.calls:
                values[slot] = call(tape, *[values[o] for o in operands])
        return values[self.root], leaves

    def value(self, data: Mapping[str, Any]) -> float:
        """The value alone."""
        return float(self.run(Tape(recording=False), data)[0].value)

    def value_and_grad(self, data: Mapping[str, Any]) -> tuple[Any, list[Array], Tape]:
        """(value, gradients in the order of `wrt`, the tape)."""
        tape = Tape()
        root, leaves = self.run(tape, data)
        with np.errstate(all="ignore"):
            tape.backward(root)
        bars = [leaves[name] for name in self.wrt]
        return root.value, [np.zeros_like(v.value) if v.bar is None else v.bar for v in bars], tape


def _call(node: Node, operation: str | None, reader: ReadingContext) -> Operation:
    """What runs for a node: its own operation, or the elementwise one it was folded into."""
    if operation is not None:
        return partial(elementwise.elementwise, op=operation, dtype=reader.dtype)
    if node.kind not in OPERATIONS:
        expected = f"an operation for {node.kind} nodes in OPERATIONS"
        mend = "Add it in symnet/compare/tape/program.py."
        raise MissingRuleError(explain("compare(…)", expected, type(node).__name__, mend))
    function, statics = OPERATIONS[node.kind]
    return partial(function, **statics(node, reader))


# --------------------------------------------------------------------------- as a user would write it


def read(root: Node) -> list[tuple[Node, str | None, Sequence[Node]]]:
    """The operations in order: (node, the tape's name for it or None, operands).

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
