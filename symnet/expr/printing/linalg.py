"""How linear algebra reads: inv(A), solve(A, B), det(A), logdet(A), norm(x, axis=1).

In: a `Solve` or `Determinant` node (or the square root of a sum of squares) and a `View`.  Out: its `Form`.
"""

from __future__ import annotations

from typing import Any

from symnet.expr.constants import number_of
from symnet.expr.contraction import Einsum
from symnet.expr.elementwise import is_op
from symnet.expr.node import Node
from symnet.expr.printing.forms import Form, Part, Ref, call
from symnet.expr.printing.view import View


def read_solve(node: Any, view: View) -> Form:
    if node.is_inverse:
        return call("inv", view.ref(node.matrix), rank=2)
    return call("solve", *view.refs(node.operands), rank=node.rank)


def read_determinant(node: Any, view: View) -> Form:
    return call(node.op, view.ref(node.operands[0]))


def read_norm(root: Node, view: View) -> Form | None:
    """√Σx² over all axes, or some, as norm(x); None for other square roots."""
    squares = root.operands[0]
    if not isinstance(squares, Einsum) or not squares.is_sum or not is_op(squares.operands[0], "pow"):
        return None
    x, exponent = squares.operands[0].operands
    if number_of(exponent) != 2:
        return None
    gone = tuple(a for a, i in enumerate(squares.inputs[0]) if i not in squares.output)
    keywords = {} if len(gone) == x.rank else {"axis": gone[0] if len(gone) == 1 else gone}
    return call("norm", view.ref(x), rank=root.rank, **keywords)


def is_inverse(part: Part) -> bool:
    """Whether a part is a matrix inverse."""
    node: Any = part.node if isinstance(part, Ref) else None
    return node is not None and node.kind == "solve" and node.is_inverse
