"""Activation functions made of the primitives: sugar, with no rules of their own.

relu is `maximum(x, 0)`, so that relu′(0) = 1 follows from the tie rule of maximum.
"""

from __future__ import annotations

from typing import Any

import sympy

from symnet.expr.nodes.constants import as_node, number
from symnet.expr.nodes.elementwise import elementwise, erf, expm1, greater_equal, maximum, sigmoid, tanh, where
from symnet.expr.nodes.node import Node


def relu(x: Any) -> Node:
    """max(x, 0), elementwise; derivative 1[x >= 0], so 1 at 0.

    Example:
        >>> import symnet as sn
        >>> x = sn.tensor("x", 3)
        >>> sn.relu(x), sn.grad(sn.sum(sn.relu(x)), x)
        (relu(x), 1[x >= 0])
    """
    return maximum(x, 0)


def leaky_relu(x: Any, slope: Any = 0.01) -> Node:
    """x where x >= 0, slope·x elsewhere; derivative 1 at 0, as of relu."""
    x = as_node(x)
    return where(greater_equal(x, 0), x, elementwise("mul", slope, x))


def elu(x: Any, alpha: Any = 1) -> Node:
    """x where x >= 0, alpha·(eˣ - 1) elsewhere; derivative 1 at 0, as of relu."""
    x = as_node(x)
    return where(greater_equal(x, 0), x, elementwise("mul", alpha, expm1(elementwise("minimum", x, 0))))


def silu(x: Any) -> Node:
    """x·σ(x), also called swish.

    Example:
        >>> import symnet as sn
        >>> sn.silu(sn.tensor("x", 3))
        x*sigmoid(x)
    """
    x = as_node(x)
    return elementwise("mul", x, sigmoid(x))


def gelu(x: Any, approximate: bool = False) -> Node:
    """x·Φ(x), Φ the normal distribution function; `approximate` takes the tanh form.

    Source: Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016, sections 2 and 3.

    Example:
        >>> import symnet as sn
        >>> sn.gelu(sn.tensor("x", 3))
        x*(1 + erf(x/sqrt(2)))/2
    """
    x = as_node(x)
    if approximate:
        inner = sympy.sqrt(2 / sympy.pi) * (x + sympy.Rational(44715, 1000000) * x**3)
        bell = tanh(inner)
    else:
        bell = erf(x * number(1 / sympy.sqrt(2)))
    return number(sympy.Rational(1, 2)) * x * (1 + bell)
