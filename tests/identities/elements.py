"""Identities of functions of one variable and of single elements, as courses in calculus print them."""

from __future__ import annotations

import symnet as sn
from symnet.expr.nodes.node import Node
from tests.identities.identity import Identity

NOCEDAL = "Nocedal and Wright, Numerical Optimization, exercise 2.1"
STRANG = "Strang, Calculus, chapters 11 and 14"
HUBER = "Huber, Robust Estimation of a Location Parameter, 1964, section 1"
MATRIX_CALCULUS = "Magnus and Neudecker, Matrix Differential Calculus, 9.4"

v, C = sn.tensor("v", 3), sn.tensor("C", 2, 2)
A, c = sn.tensor("A", 2, 3), sn.tensor("c", 2)
s, r, t = sn.tensor("s"), sn.tensor("r"), sn.tensor("t")
d = sn.tensor("d", positive=True)
rosenbrock = 100 * (v[1] - v[0] ** 2) ** 2 + (1 - v[0]) ** 2


def matrix(*rows: list[Node]) -> Node:
    return sn.stack([sn.stack([sn.constant(0.0) + entry for entry in row]) for row in rows])


def vector(*entries: Node | float) -> Node:
    return sn.stack([sn.constant(0.0) + entry for entry in entries])


def huber(u: Node) -> Node:
    return sn.where(sn.abs(u) <= d, u**2 / 2, d * (sn.abs(u) - d / 2))


ELEMENTS = [
    Identity("Huber's function", HUBER, lambda: sn.grad(huber(s), s),
        lambda: sn.where(sn.abs(s) <= d, s, d * sn.sign(s))),
    Identity("Rosenbrock's gradient", NOCEDAL, lambda: sn.grad(rosenbrock, v),
        lambda: vector(-400 * v[0] * (v[1] - v[0] ** 2) - 2 * (1 - v[0]), 200 * (v[1] - v[0] ** 2), 0.0)),
    Identity("Rosenbrock's Hessian", NOCEDAL, lambda: sn.hessian(rosenbrock, v),
        lambda: matrix([-400 * (v[1] - 3 * v[0] ** 2) + 2, -400 * v[0], 0.0], [-400 * v[0], 200.0, 0.0], [0.0] * 3)),
    Identity("polar coordinates", STRANG,
        lambda: sn.jacobian(sn.stack([r * sn.cos(t), r * sn.sin(t)]), r), lambda: vector(sn.cos(t), sn.sin(t))),
    Identity("polar coordinates, by elements", STRANG,
        lambda: sn.jacobian(sn.stack([v[0] * sn.cos(v[1]), v[0] * sn.sin(v[1])]), v),
        lambda: matrix([sn.cos(v[1]), -v[0] * sn.sin(v[1]), 0.0], [sn.sin(v[1]), v[0] * sn.cos(v[1]), 0.0])),
    Identity("area of a parallelogram", STRANG, lambda: sn.grad(C[0, 0] * C[1, 1] - C[0, 1] * C[1, 0], C),
        lambda: matrix([C[1, 1], -C[1, 0]], [-C[0, 1], C[0, 0]])),
    Identity("product of three", STRANG, lambda: sn.hessian(v[0] * v[1] * v[2], v),
        lambda: matrix([0.0, v[2], v[1]], [v[2], 0.0, v[0]], [v[1], v[0], 0.0])),
    Identity("linear map, one element by another", MATRIX_CALCULUS,
        lambda: sn.derivative((A @ v)[1], v[2]), lambda: A[1, 2]),
    Identity("least squares, by one element", MATRIX_CALCULUS,
        lambda: sn.grad(sn.sum((A @ v - c) ** 2), A[1, 2]), lambda: 2 * (A[1] @ v - c[1]) * v[2],
        longer_by="the row is chosen inside the contraction, which counts one more product for each element"),
    Identity("log-sum-exp, by one element", MATRIX_CALCULUS,
        lambda: sn.grad(sn.logsumexp(v), v[1]), lambda: sn.softmax(v)[1]),
    Identity("softmax, one element by another", MATRIX_CALCULUS,
        lambda: sn.derivative(sn.softmax(v)[0], v[2]), lambda: -sn.softmax(v)[0] * sn.softmax(v)[2]),
]  # fmt: skip
