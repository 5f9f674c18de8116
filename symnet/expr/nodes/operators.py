"""Python's operators of nodes as users write them: NumPy's meaning, also of truth values.

In: nodes, numbers and arrays beside an operator, or in a ufunc of NumPy's.  Out: a node.
Of two truth values NumPy's arithmetic is logic: `b + c` is or, `b * c` is and, `b ^ c` is "one of them", and `b - c`
and `-b` are refused.  Everything else counts them as 0 and 1, in int64.  The functions of `elementwise.py`, which
derivatives and rewrites call, always count: there a mask is a number.
Not handled: bits of integers (`&`, `|`, `^`, `~` are of truth values only); int8, which NumPy gives for `%`, `//` and
`**` of two truth values: int64 here, with the same values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symnet.errors import DTypeError, explain
from symnet.expr.nodes import elementwise as counting
from symnet.expr.nodes.constants import as_node
from symnet.expr.nodes.elementwise import elementwise
from symnet.expr.nodes.node import Node


def is_logical(value: Any) -> bool:
    """Whether a value is a truth value or an array of them: Python's, NumPy's or a node."""
    return isinstance(value, bool) or str(getattr(value, "dtype", "")) == "bool"


# --------------------------------------------------------------------------- logic


def _logical(op: str, a: Any, b: Any) -> Node:
    """`op` of two truth values, of which one may be True or False themselves."""
    known = next(
        (x for x in (b, a) if not isinstance(x, Node) and is_logical(x) and getattr(x, "shape", ()) == ()), None
    )
    if known is None:
        return elementwise(op, a, b)
    other = as_node(a if known is b else b)
    if op == "ne":
        return elementwise("not", other) if known else other
    decides = bool(known) == (op == "or")  # p | True is True, in p's shape, and p & False is False
    return elementwise(op, other, elementwise("not", other)) if decides else other


def logical_and(a: Any, b: Any) -> Node:
    """Where both conditions hold: `a & b`, and `a * b` of truth values."""
    return _logical("and", a, b)


def logical_or(a: Any, b: Any) -> Node:
    """Where a condition holds: `a | b`, and `a + b` of truth values."""
    return _logical("or", a, b)


def logical_xor(a: Any, b: Any) -> Node:
    """Where one of two conditions holds, and not the other: `a ^ b`.

    Raises:
        DTypeError: of numbers.

    Example:
        >>> import symnet as sn
        >>> x = sn.tensor("x", 3)
        >>> sn.logical_xor(x > 0, x < 1).dtype
        'bool'
    """
    if not (is_logical(a) and is_logical(b)):
        got = " and ".join(x.dtype or "a number" for x in map(as_node, (a, b)))
        mend = "Compare first, as in (x > 0) ^ (y > 0); a power is x**n."
        raise DTypeError(explain("a ^ b", "two truth values", got, mend))
    return _logical("ne", a, b)


# --------------------------------------------------------------------------- arithmetic


def add(a: Any, b: Any) -> Node:
    """a + b, elementwise; of truth values `a | b`."""
    return logical_or(a, b) if is_logical(a) and is_logical(b) else counting.add(a, b)


def multiply(a: Any, b: Any) -> Node:
    """a * b, elementwise; of truth values `a & b`."""
    return logical_and(a, b) if is_logical(a) and is_logical(b) else counting.multiply(a, b)


def subtract(a: Any, b: Any) -> Node:
    """a - b, elementwise.

    Raises:
        DTypeError: of truth values, as in NumPy.
    """
    if is_logical(a) and is_logical(b):
        mend = "Write a ^ b where they differ (sn.logical_xor), or a + 0 - b to count them."
        raise DTypeError(explain("a - b", "numbers", "two truth values", mend))
    return counting.subtract(a, b)


def negative(a: Any) -> Node:
    """-a.

    Raises:
        DTypeError: of truth values, as in NumPy.
    """
    _refuse_truth("-a", a, "Write ~a where it does not hold (sn.logical_not), or 0 - a to count.")
    return counting.negative(a)


def positive(a: Any) -> Node:
    """+a, which is a.

    Raises:
        DTypeError: of truth values, as in NumPy.
    """
    _refuse_truth("+a", a, "Write a + 0 to count.")
    return as_node(a)


def sign(x: Any) -> Node:
    """-1, 0 or 1, elementwise; derivative 0.

    Args:
        x: any shape.

    Returns:
        a node of x's shape.

    Raises:
        DTypeError: of truth values, as in NumPy.
    """
    _refuse_truth("sign(x)", x, "Write x + 0 to count truth values.")
    return counting.sign(x)


def _refuse_truth(call: str, x: Any, mend: str) -> None:
    if is_logical(x):
        raise DTypeError(explain(call, "numbers", "truth values", mend))


def of_truth_values(build: Callable[..., Node], *operands: Any) -> Node:
    """A sum of products: of truth values alone whether any product holds, as NumPy's `@` and `einsum` have it."""
    found = build(*map(as_node, operands))
    counts = found.dtype != "bool" and all(map(is_logical, operands))
    return elementwise("ne", found, 0) if counts else found
