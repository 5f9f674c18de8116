"""Layers: a dense layer, and a stack of them.

In: a batch X (rows are samples) or one sample.  Out: the output node and the parameters as leaves.
A layer is a formula over new leaves; it holds no arrays (`initialisers.py` makes them).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from symnet import dtypes
from symnet.errors import ArgumentError, ShapeError, explain
from symnet.expr.nodes.constants import as_node
from symnet.expr.nodes.contraction import matmul
from symnet.expr.nodes.elementwise import tanh
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Tensor, tensor

Activation = Callable[[Any], Node]


def dense(X: Any, units: Any, activation: Activation | None = None, name: str = "") -> tuple[Node, list[Tensor]]:
    """A dense layer g(X W + b).

    Args:
        X: (m, d), or one sample (d,).
        units: the number of outputs h.
        activation: a function such as `sn.tanh`; None for none.
        name: tells the layer's leaves from others: "1" gives W1 and b1, "hidden" gives W_hidden and b_hidden.

    Returns:
        the output, (m, h) or (h,), and the parameters [W (d, h), b (h,)].

    Raises:
        ShapeError: X is a scalar.

    Example:
        >>> import symnet as sn
        >>> Y, params = sn.nn.dense(sn.tensor("X", sn.dim("m"), 4), 3, sn.tanh)
        >>> Y.shape, [p.name for p in params]
        ((m, 3), ['W', 'b'])
    """
    X = as_node(X)
    if not X.rank:
        raise ShapeError(explain("dense(X, …)", "X of shape (m, d) or (d,)", "a scalar", "Reshape it to (1,)."))
    suffix = name if name.isdigit() or not name else f"_{name}"
    dtype = X.dtype if X.dtype in dtypes.REAL else dtypes.DEFAULT_REAL
    W = tensor(f"W{suffix}", X.shape[-1], units, dtype=dtype, latex=_latex("W", name))
    b = tensor(f"b{suffix}", units, dtype=dtype, latex=_latex("b", name))
    Z = matmul(X, W) + b
    return (Z if activation is None else activation(Z)), [W, b]


def mlp(
    X: Any,
    units: Sequence[Any],
    activation: Activation = tanh,
    output: Activation | None = None,
    name: str = "",
) -> tuple[Node, list[Tensor]]:
    """A multilayer perceptron: dense layers one after another.

    Args:
        X: (m, d), or one sample (d,).
        units: the width of each layer, the last one the number of outputs.
        activation: between layers.
        output: after the last layer; None leaves logits.
        name: put before the layers' numbers when two networks stand in one expression.

    Returns:
        the output, (m, units[-1]), and the parameters [W1, b1, W2, b2, …].

    Raises:
        ArgumentError: no widths, or no list of them.

    Example:
        >>> import symnet as sn
        >>> X = sn.tensor("X", sn.dim("m"), 64)
        >>> Z, params = sn.nn.mlp(X, [128, 10], activation=sn.tanh)
        >>> Z.shape, [p.name for p in params]
        ((m, 10), ['W1', 'b1', 'W2', 'b2'])
    """
    if not isinstance(units, (list, tuple)):
        raise ArgumentError(
            explain(
                f"mlp(X, {units})", "a list of widths, one for each layer", repr(units), f"Write mlp(X, [{units}, 10])."
            )
        )
    widths = list(units)
    if not widths:
        raise ArgumentError(explain("mlp(X, [])", "at least one width", "none", "Write mlp(X, [128, 10])."))
    params: list[Tensor] = []
    value = as_node(X)
    for position, width in enumerate(widths, start=1):
        last = position == len(widths)
        value, more = dense(value, width, output if last else activation, f"{name}{position}")
        params += more
    return value, params


def _latex(letter: str, name: str) -> str | None:
    return rf"{letter}_{{{name}}}" if name.isdigit() else None
