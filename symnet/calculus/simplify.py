"""Simplification as users call it: the algebra form, with names kept.

In: a node, a list or a dict.  Out: the same structure in the form that people read.
The rewrites are in `symnet/simplify/`; the numeric form is applied by `compile`, not here.
"""

from __future__ import annotations

from typing import Any

from symnet.calculus.structure import Structure, flatten_values
from symnet.expr.nodes.names import attach, strip
from symnet.expr.nodes.symbols import check_leaves
from symnet.simplify.algebra.table import simplify as algebra_form


def simplify(expr: Structure) -> Any:
    """An equal expression in the form a textbook would print.

    It is equal wherever the original is defined, and uses what is known of the leaves (positive, one-hot, …).

    Args:
        expr: a node, a list of nodes, or a dict of nodes.

    Returns:
        a node, a list, or a dict, as given; values that had a name keep it.

    Raises:
        ArgumentError: two leaves of one name with different specifications.

    Example:
        >>> import symnet as sn
        >>> x = sn.tensor("x", 3)
        >>> sn.simplify(x + x - 2 * x + 1 * x)
        x
    """
    nodes, restore = flatten_values(expr)
    check_leaves("simplify(expr)", nodes)
    plain, labels = strip(nodes)
    simple = algebra_form([*plain, *labels])
    known = dict(labels)
    for value, new in zip(labels, simple[len(plain) :], strict=True):
        known.setdefault(new, labels[value])
    return restore(attach(simple[: len(plain)], known))
