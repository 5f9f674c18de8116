"""Kinks at the very data: where one-sided slopes differ, or a choice is made, so that methods may answer otherwise.

In: a `LossAtPoint`.  Out: sentences.  The expression is run once, and the operands of `maximum`, `abs`, `where` and
their kind are looked at: equal ones are a tie, zero is the corner of an absolute value or of a root.
Not handled: a kink near the data, which only differences with their step can meet.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symnet.compare.problem import LossAtPoint
from symnet.compare.tape import Tape, TapeProgram, TapeValue
from symnet.compare.tape.reduction import to_line
from symnet.expr.nodes.constants import number_of
from symnet.expr.nodes.elementwise import is_op
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import Node
from symnet.expr.sympy.bodies import opened


def _tie(a: Any, b: Any) -> Any:
    return a == b


def _whole(a: Any, b: Any = 1.0) -> Any:
    return a / b == np.floor(a / b)


TIES: dict[str, tuple[str, Callable[..., Any]]] = {
    "maximum": ("the larger of two equal values is taken", _tie),
    "minimum": ("the smaller of two equal values is taken", _tie),
    "abs": ("|x| is taken of 0", lambda x: x == 0),
    "sign": ("the sign is taken of 0", lambda x: x == 0),
    "floor": ("a whole number is rounded", _whole),
    "floor_divide": ("a whole quotient is rounded", _whole),
    "mod": ("a remainder is 0", _whole),
    "cbrt": ("a root is taken of 0", lambda x: x == 0),
    **dict.fromkeys(("lt", "le", "gt", "ge", "eq", "ne"), ("two equal values are compared", _tie)),
}


def kinks(problem: LossAtPoint) -> list[str]:
    """One sentence for each sort of kink, with the number of places."""
    program = TapeProgram(problem.root, problem.wrt, problem.dims, "float64")
    leaves = {name: TapeValue(a) for name, a in problem.data_as("float64").items()}
    values = program.run(Tape(recording=False), leaves)
    moving = _moving(problem)
    found: dict[str, int] = {}
    for node in program.slots:
        if node in moving and node.operands:
            slots = [program.slots.get(operand) for operand in node.operands]  # None for one that was folded away
            sort, places = _places(node, [None if s is None else np.asarray(values[s].value) for s in slots])
            if places:
                found[sort] = found.get(sort, 0) + places
    return [f"{sort} ({places} {'place' if places == 1 else 'places'})" for sort, places in found.items()]


def _moving(problem: LossAtPoint) -> set[Node]:
    """The nodes that depend on what is differentiated by."""
    names = {leaf.name for leaf in problem.wrt}
    moving: set[Node] = set()
    for node in topological(opened(problem.root)):
        if (node.kind == "tensor" and node.name in names) or any(o in moving for o in node.operands):
            moving.add(node)
    return moving


def _places(node: Any, values: list[Any]) -> tuple[str, int]:
    """What is decided at a tie, and at how many places."""
    with np.errstate(all="ignore"):
        if node.kind == "elementwise" and node.op in TIES:
            sort, test = TIES[node.op]
            return sort, int(np.sum(test(*values)))
        if is_op(node, "pow") and 0 < float(number_of(node.operands[1]) or 0) < 1:
            return "a root is taken of 0", int(np.sum(values[0] == 0))
        if node.kind == "reduce" and node.op in ("max", "min"):
            line = to_line(values[0], node.axes)
            best = line.max(-1, keepdims=True) if node.op == "max" else line.min(-1, keepdims=True)
            return f"the {node.op} of a row is taken, which stands there more than once", int(
                np.sum((line == best).sum(-1) > 1)
            )
    return "", 0
