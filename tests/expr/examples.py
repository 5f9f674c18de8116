"""One node of every kind, and graphs that are deep or shared: what the foundation is tried on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import sympy

from symnet.expr.nodes.abstract import function
from symnet.expr.nodes.constants import as_node, identity, iota, number, size
from symnet.expr.nodes.contraction import einsum
from symnet.expr.nodes.cumulative import cumsum
from symnet.expr.nodes.elementwise import exp, tanh
from symnet.expr.nodes.expansion import expand, fill
from symnet.expr.nodes.extents import dim, ints_arg, shape_arg
from symnet.expr.nodes.indexing import labels, take
from symnet.expr.nodes.linalg import logdet, solve
from symnet.expr.nodes.movement import Place, concat, reshape
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.recurrence import cumprod, linear_recurrence
from symnet.expr.nodes.reduction import logsumexp, softmax
from symnet.expr.nodes.running import running_logsumexp, scaled_sum
from symnet.expr.nodes.symbols import Barrier, Sealed, scalar, tensor

m, n = dim("m"), dim("n")
X = tensor("X", m, 4)
A = tensor("A", 3, 4)
v = tensor("v", 4)
i = tensor("i", m, dtype="int64")
a = scalar("a")

EXAMPLES: dict[str, Node] = {
    "tensor": tensor("P", m * n + 2 * m, 3, dtype="float32", positive=True, simplex=True, latex="P_0"),
    "named": exp(X).named("Y", latex=r"\Upsilon"),
    "barrier": Barrier(exp(X)),
    "sealed": Sealed(X * exp(X)),
    "number": number(sympy.pi / 3),
    "size": size(m * n + 1),
    "array": as_node(np.array([[1.0, -2.0], [0.5, 0.0]])),
    "delta": identity(m),
    "iota": iota(m + 1),
    "elementwise": exp(X) + 0.1,
    "einsum": einsum("ij,kj->ki", X, A),
    "reduce": logsumexp(X, 1),
    "expand": expand(v, (m, 4), (1,)),
    "reshape": reshape(X, 2, -1),
    "slice": X[1:, ::2],
    "place": Place(v, shape_arg((9,)), shape_arg((1,)), ints_arg((2,))),
    "concat": concat([X, X * 2], 1),
    "cumsum": cumsum(X, 1),
    "cumprod": cumprod(X, 1, exclusive=True),
    "linear_recurrence": linear_recurrence(X, exp(X), 0, reverse=True),
    "running_logsumexp": running_logsumexp(X, 1),
    "scaled_sum": scaled_sum(X, exp(X), X, 0, reverse=True),
    "take": take(v, tensor("j", m, 2, dtype="int32")),
    "one_hot": labels("t", m, classes=10),
    "solve": solve(tensor("S", n, n), tensor("b", n)),
    "determinant": logdet(tensor("S", n, n)),
    "abstract": function("h", shape=(m, 2), latex="h")(X, v * v),
    "softmax": softmax(X),
    "fill": fill(number(sympy.Rational(1, 7)), (m, 2)),
}


def chain(length: int, step: Callable[[Node], Node] = tanh, start: Node = a) -> Node:
    """step(step(… start …))."""
    value = start
    for _ in range(length):
        value = step(value)
    return value


def doubled(times: int, start: Node = a) -> Node:
    """y = y + y: a tree of 2**times leaves in `times` nodes."""
    return chain(times, lambda y: y + y, start)
