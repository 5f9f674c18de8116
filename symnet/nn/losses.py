"""Losses per sample: model first, target second.

In: predictions Y and targets D of one shape.  Out: one number per sample (the last axis is summed), or per element
for the binary loss.  The mean over samples is the empirical risk: `sn.mean(sn.cross_entropy(Y, D))`.

The model stands first in the formulas, too: the inputs of a function are in the order in which its leaves are met.

They take probabilities, and refuse anything that cannot be shown positive: logits handed in by mistake would give
NaN later, and a wrong formula now.  No rule anywhere names a pair of an output and a loss.
"""

from __future__ import annotations

from typing import Any

import sympy

from symnet import dtypes
from symnet.errors import AssumptionError, ShapeError, explain
from symnet.expr.facts.assumptions import known
from symnet.expr.nodes.constants import as_node, number
from symnet.expr.nodes.contraction import sum
from symnet.expr.nodes.elementwise import elementwise, log, negative, sigmoid, xlogy
from symnet.expr.nodes.extents import same_shape
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.reduction import log_softmax


def l2(Y: Any, D: Any) -> Node:
    """Half the squared error, ½ Σ (y - d)² over the last axis; its derivative by y is y - d.

    Args:
        Y: (…, K) real: predictions; a scalar is taken as one prediction.
        D: Y's shape: targets.

    Returns:
        (…): one number per sample.

    Raises:
        ShapeError: Y and D differ in shape.

    Example:
        >>> import symnet as sn
        >>> sn.l2(sn.tensor("Y", 5, 3), sn.tensor("D", 5, 3)).shape
        (5,)
    """
    Y, D = _pair("l2(Y, D)", Y, D)
    squares = elementwise("pow", Y - D, number(2))
    total = sum(squares, -1) if squares.rank else squares
    return elementwise("mul", number(sympy.S.Half), total)


def cross_entropy(Y: Any, D: Any, from_logits: bool = False) -> Node:
    """The cross-entropy -Σ d·log y over the last axis.

    Args:
        Y: (…, K) real: probabilities, shown positive by what they are made of (`softmax`) or declared so; with
            `from_logits` any real numbers, of which the softmax is taken.
        D: Y's shape: the target distribution, such as `labels("t", m, classes=K)` or a one-hot tensor.
        from_logits: whether Y holds logits.

    Returns:
        (…): one number per sample.

    Raises:
        AssumptionError: Y cannot be shown positive.
        ShapeError: Y and D differ in shape, or have no axis of classes.

    Example:
        >>> import symnet as sn
        >>> Z, D = sn.tensor("Z", 5, 3), sn.labels("t", 5, classes=3)
        >>> sn.cross_entropy(sn.softmax(Z), D).shape
        (5,)
    """
    call = "cross_entropy(Y, D)"
    Y, D = _pair(call, Y, D, classes=True)
    return negative(sum(_log_probabilities(call, Y, from_logits) * D, -1))


def kl_div(Y: Any, D: Any, from_logits: bool = False) -> Node:
    """The Kullback-Leibler divergence Σ d·(log d - log y) over the last axis, with 0·log 0 = 0.

    It is the cross-entropy less the entropy of d, so the two agree for one-hot d.

    Args:
        Y: (…, K) real: probabilities of the model, shown or declared positive; logits with `from_logits`.
        D: Y's shape: the target distribution.
        from_logits: whether Y holds logits.

    Returns:
        (…): one number per sample.

    Raises:
        AssumptionError: Y cannot be shown positive.
        ShapeError: Y and D differ in shape, or have no axis of classes.

    Example:
        >>> import symnet as sn
        >>> Z, D = sn.tensor("Z", 5, 3), sn.tensor("D", 5, 3, simplex=True)
        >>> sn.grad(sn.sum(sn.kl_div(sn.softmax(Z), D)), Z)
        softmax(Z) - D
    """
    call = "kl_div(Y, D)"
    Y, D = _pair(call, Y, D, classes=True)
    return sum(negative(_log_probabilities(call, Y, from_logits) * D) + xlogy(D, D), -1)


def binary_cross_entropy(Y: Any, D: Any, from_logits: bool = False) -> Node:
    """The binary cross-entropy -d·log y - (1 - d)·log(1 - y), elementwise: nothing is reduced.

    Args:
        Y: any shape: probabilities in (0, 1), as `sigmoid` gives; with `from_logits` any real numbers, of which the
            sigmoid is taken.
        D: Y's shape: 0, 1, or a probability.
        from_logits: whether Y holds logits.

    Returns:
        Y's shape.

    Raises:
        AssumptionError: Y cannot be shown to lie in (0, 1).
        ShapeError: Y and D differ in shape.

    Example:
        >>> import symnet as sn
        >>> z, d = sn.tensor("z", 5), sn.tensor("d", 5, unit=True)
        >>> sn.grad(sn.sum(sn.binary_cross_entropy(sn.sigmoid(z), d)), z)
        sigmoid(z) - d
    """
    call = "binary_cross_entropy(Y, D)"
    Y, D = _pair(call, Y, D)
    if from_logits:
        Y = sigmoid(Y)  # softplus(z) - d·z, the other spelling, cancels where d = 1 and z is large
    if not known(Y, "open_unit"):
        raise AssumptionError(
            explain(
                call,
                "probabilities: Y known to lie in (0, 1)",
                f"{Y}, which may be any number",
                "Pass sigmoid(Z), or from_logits=True if these are logits.",
            )
        )
    return negative(log(Y) * D) - log(1 - Y) * (1 - D)


def _pair(call: str, Y: Any, D: Any, classes: bool = False) -> tuple[Node, Node]:
    """Predictions and targets as nodes of one shape.

    Raises:
        ShapeError: when they differ, or have no axis of classes.
    """
    Y, D = as_node(Y), as_node(D)
    if classes and not Y.rank:
        raise ShapeError(
            explain(call, "an axis of classes", "a scalar", "For one output use binary_cross_entropy(sigmoid(z), d).")
        )
    if not same_shape(Y.shape, D.shape):
        integers = classes and D.dtype in dtypes.INTEGER and D.rank == Y.rank - 1
        mend = f"Pass sn.one_hot(t, {Y.shape[-1]}) for integer labels t." if integers else "Reshape one of them."
        raise ShapeError(explain(call, "Y and D of one shape", f"{Y.shape} and {D.shape}", mend))
    return Y, D


def _log_probabilities(call: str, Y: Node, from_logits: bool) -> Node:
    """log y of probabilities, or the log-softmax of logits.

    Raises:
        AssumptionError: when Y cannot be shown positive.
    """
    if from_logits:
        return log_softmax(Y)
    if not known(Y, "positive"):
        raise AssumptionError(
            explain(
                call,
                "probabilities: Y known to be positive",
                f"{Y}, which may hold any number",
                "Pass softmax(Z), or from_logits=True if these are logits; declare a tensor with positive=True.",
            )
        )
    return log(Y)
