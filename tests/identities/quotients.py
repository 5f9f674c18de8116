"""Identities of quotients and of activations, over one denominator as courses in calculus print them."""

from __future__ import annotations

from collections.abc import Callable

import sympy

import symnet as sn
from symnet.expr.nodes.node import Node
from tests.identities.identity import Identity

STRANG = "Strang, Calculus, chapter 2"
THOMAS = "Thomas, Calculus, section 3.3"
JACKSON = "Jackson, Classical Electrodynamics, section 1.5"
MURRAY = "Murray, Mathematical Biology I, section 1.2"
SOFTSIGN = "Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks, 2010, 2.1"
ELU = "Clevert, Unterthiner and Hochreiter, Fast and Accurate Deep Network Learning by ELUs, 2016, section 3"

u, y, a, b = (sn.tensor(name) for name in "uyab")
x, w = sn.tensor("x", 5), sn.tensor("w", 5)
half = sympy.Rational(1, 2)


def slope(f: Node, times: int = 1) -> Callable[[], Node]:
    """The derivative by u, so many times."""

    def ours() -> Node:
        found = f
        for _ in range(times):
            found = sn.grad(found, u)
        return found

    return ours


QUOTIENTS = [
    Identity("u/(u² + 1)", THOMAS, slope(u / (u**2 + 1)),
        lambda: (1 - u**2) / (u**2 + 1) ** 2, prints="(1 - u**2)/(u**2 + 1)**2"),
    Identity("u/(u² + 1), twice", THOMAS, slope(u / (u**2 + 1), 2),
        lambda: 2 * u * (u**2 - 3) / (u**2 + 1) ** 3, prints="-2*u*(3 - u**2)/(u**2 + 1)**3"),
    Identity("u/(u² + 1), three times", THOMAS, slope(u / (u**2 + 1), 3),
        lambda: -6 * (u**4 - 6 * u**2 + 1) / (u**2 + 1) ** 4, prints="-6*(u**4 + 1 - 6*u**2)/(u**2 + 1)**4"),
    Identity("log(1 + u²), three times", THOMAS, slope(sn.log(1 + u**2), 3),
        lambda: 4 * u * (u**2 - 3) / (u**2 + 1) ** 3, prints="-4*u*(3 - u**2)/(u**2 + 1)**3"),
    Identity("(u + 1)/(u - 1)", STRANG, slope((u + 1) / (u - 1)),
        lambda: -2 / (u - 1) ** 2, prints="-2/(1 - u)**2"),
    Identity("a fractional linear map", STRANG, slope((a * u + b) / (u + y)),
        lambda: (a * y - b) / (u + y) ** 2, prints="(a*y - b)/(u + y)**2"),
    Identity("u²/(u - 1)", STRANG, slope(u**2 / (u - 1)),
        lambda: u * (u - 2) / (u - 1) ** 2, prints="-u*(2 - u)/(1 - u)**2"),
    Identity("a quotient of quadratics", STRANG, slope((1 - u**2) / (1 + u**2)),
        lambda: -4 * u / (1 + u**2) ** 2, prints="-4*u/(u**2 + 1)**2"),
    Identity("a trinomial below", STRANG, slope(u / (1 + u + u**2)),
        lambda: (1 - u**2) / (1 + u + u**2) ** 2, prints="(1 - u**2)/(u**2 + u + 1)**2"),
    Identity("a unit vector in the plane", JACKSON, slope(u / sn.sqrt(u**2 + y**2)),
        lambda: y**2 / (u**2 + y**2) ** (3 * half), prints="y**2/(u**2 + y**2)**(3/2)"),
    Identity("the field of a line", JACKSON, slope(u / (u**2 + y**2)),
        lambda: (y**2 - u**2) / (u**2 + y**2) ** 2, prints="(y**2 - u**2)/(u**2 + y**2)**2"),
    Identity("saturation", MURRAY, slope(u / (a + u)), lambda: a / (a + u) ** 2, prints="a/(a + u)**2"),
    Identity("Hill's function", MURRAY, slope(u**2 / (a**2 + u**2)),
        lambda: 2 * a**2 * u / (a**2 + u**2) ** 2, prints="2*u*a**2/(a**2 + u**2)**2"),
    Identity("of many values, with weights", THOMAS, lambda: sn.grad(sn.sum(w * x / (x**2 + 1)), x),
        lambda: w * (1 - x**2) / (x**2 + 1) ** 2, prints="w*(1 - x**2)/(x**2 + 1)**2"),
    Identity("of many values, twice", THOMAS, lambda: sn.hessian(sn.sum(sn.log(x**2 + 1)), x),
        lambda: 2 * sn.eye(5) * (1 - x**2) / (x**2 + 1) ** 2, prints="2*diag((1 - x**2)/(x**2 + 1)**2)"),
    Identity("softsign", SOFTSIGN, slope(u / (1 + sn.abs(u))),
        lambda: 1 / (1 + sn.abs(u)) ** 2, prints="1/(1 + abs(u))**2"),
    Identity("elu", ELU, slope(sn.elu(u)),
        lambda: sn.where(u >= 0, 1, sn.exp(u)), prints="where(u >= 0, 1, exp(u))"),
    Identity("elu of a steepness", ELU, slope(sn.elu(u, a)),
        lambda: sn.where(u >= 0, 1, a * sn.exp(u)), prints="where(u >= 0, 1, a*exp(u))"),
]  # fmt: skip
