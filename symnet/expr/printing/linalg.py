"""How linear algebra reads: inv(A), solve(A, B), det(A), logdet(A), norm(x, axis=1).

In: a `Solve` or `Determinant` node (or the square root of a sum of squares) and a `View`.  Out: its `Form`.
"""

from __future__ import annotations

from typing import Any

from symnet.expr.nodes.constants import number_of
from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.elementwise import is_op
from symnet.expr.nodes.extents import product
from symnet.expr.nodes.node import Node
from symnet.expr.printing.forms import Form, FormPart, Ref, call
from symnet.expr.printing.view import View


def read_solve(node: Any, view: View) -> Form:
    if node.is_inverse:
        return call("inv", view.ref(node.matrix), rank=node.rank)
    matrix, right = view.refs(node.operands)
    if len(node.columns) == 1 or node.rank == 1:
        return call("solve", matrix, right, rank=node.rank)
    if not node.columns:  # a vector for each matrix
        axes = (":",) * node.rank
        column = Form("spread", (right,), ((*axes, "None"), True), node.rank + 1)
        return Form("index", (call("solve", matrix, column, rank=node.rank + 1),), (*axes, "0"), node.rank)
    first = node.columns[0]
    shape = (*node.shape[:first], product(node.shape[first:]))
    columns = call("reshape", right, rank=first + 1, shape=shape)
    return call("reshape", call("solve", matrix, columns, rank=first + 1), rank=node.rank, shape=node.shape)


def read_determinant(node: Any, view: View) -> Form:
    return call(node.op, view.ref(node.operands[0]), rank=node.rank)


def read_norm(root: Node, view: View) -> Form | None:
    """√Σx² over all axes, or some, as norm(x), with keepdims where the sum keeps them; None for other square roots."""
    repeated: Any = root.operands[0]
    squares = repeated.operands[0] if repeated.kind == "expand" else repeated
    if not isinstance(squares, Einsum) or not squares.is_sum or not is_op(squares.operands[0], "pow"):
        return None
    x, exponent = squares.operands[0].operands
    if number_of(exponent) != 2:
        return None
    gone = tuple(a for a, i in enumerate(squares.inputs[0]) if i not in squares.output)
    keywords: dict[str, Any] = {} if len(gone) == x.rank else {"axis": gone[0] if len(gone) == 1 else gone}
    if repeated is not squares:
        if x.rank != repeated.rank or repeated.new_axes != gone:
            return None
        keywords["keepdims"] = True
    return call("norm", view.ref(x), rank=root.rank, **keywords)


def is_inverse(part: FormPart) -> bool:
    """Whether a part is a matrix inverse."""
    node: Any = part.node if isinstance(part, Ref) else None
    return node is not None and node.kind == "solve" and node.is_inverse
