"""Label smoothing: targets that are not quite certain.

In: one-hot targets.  Out: 1 - (K-1)ε at the class, ε elsewhere.
Source: Szegedy et al., "Rethinking the Inception architecture for computer vision", 2016, section 7, with ε per
class (there ε/K).
"""

from __future__ import annotations

from typing import Any

from symnet.errors import ShapeError, ValueDomainError, explain
from symnet.expr.nodes.constants import as_node, exact, is_scalar, size
from symnet.expr.nodes.node import Node


def label_smoothing(D: Any, eps: Any) -> Node:
    """Smoothed targets ε + (1 - K·ε)·d: 1 - (K-1)ε where d = 1, ε where d = 0; rows keep their sum.

    Args:
        D: (…, K): one-hot (or any distribution) along the last axis.
        eps: a number from 0 to 1/(K-1), or a rank-0 node.

    Returns:
        a node of D's shape.

    Raises:
        ShapeError: D has no axis of classes.
        ValueDomainError: ε for which the class itself would get a negative target.

    Example:
        >>> import symnet as sn
        >>> D = sn.labels("t", 5, classes=3)
        >>> sn.nn.label_smoothing(D, 0.1).shape
        (5, 3)
    """
    D = as_node(D)
    call = f"label_smoothing(D, {eps})"
    if not D.rank:
        raise ShapeError(explain(call, "an axis of classes", "a scalar", "Give D the shape (…, K)."))
    classes = D.shape[-1]
    if is_scalar(eps) and isinstance(classes, int) and not getattr(eps, "free_symbols", None):
        _check(call, eps, classes)
        return as_node(exact(eps)) + as_node(1 - classes * exact(eps)) * D
    eps = as_node(eps)
    return eps + (1 - size(classes) * eps) * D


def _check(call: str, eps: Any, classes: int) -> None:
    if eps < 0 or (classes - 1) * eps > 1:
        raise ValueDomainError(
            explain(call, f"eps from 0 to 1/(K-1) with K = {classes}", str(eps), "Take a smaller eps, such as 0.01.")
        )
