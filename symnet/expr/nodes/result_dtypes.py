"""The dtype of a result, where truth values, integers, reals and numbers meet: NumPy's rules.

In: operands.  Out: a name of `symnet.dtypes`, or None where the result is weak (`RESULT`, by the rule that a primitive
names); and what a Python or NumPy number is beside integers.

Rules: "real" (integers become float64), "same" (promotion of the operands), "arithmetic" (the same, truth values count
as int64), "power", "bool", "branch" (promotion of all but the first), "weak" (a weak real: takes the dtype of what it
meets), and one for each conversion.

What is logic among truth values is built as logic (`operators.py`); here they count (True + True is 2).
Where this differs from NumPy: float32 never meets float64, an
integer beside float32 is float32, and an integer to a negative number is real.
"""

from __future__ import annotations

import numbers
from collections.abc import Callable, Sequence
from typing import Any

import sympy

from symnet import dtypes
from symnet.errors import RangeError, explain
from symnet.expr.nodes.constants import Number, as_node
from symnet.expr.nodes.node import Node

# Conversions: primitive → the dtype that it gives; None: the real dtype of what it meets.
CASTS: dict[str, str | None] = {
    "as_int32": "int32",
    "as_int64": "int64",
    "as_float64": "float64",
    "as_real": None,
}
COUNTED = frozenset({"bool", *dtypes.INTEGER})


def common_dtype(*operands: Node) -> str | None:
    """The operands' dtype; integers beside a weak number that is not whole become real (t / 2, a mean of counts)."""
    dtype = dtypes.promote(*(o.dtype for o in operands))
    if dtype in COUNTED and not all(o.dtype is not None or is_whole(o) for o in operands):
        return dtypes.DEFAULT_REAL
    return dtype


# Of whole values these make whole values; the first are whole whatever they hold.
_COUNTS = frozenset({"size", "delta", "iota", "one_hot", "indicator"})
_KEEP_WHOLE = frozenset({
    "expand", "reshape", "slice", "place", "concat", "take", "einsum", "cumsum", "cumprod",
    "linear_recurrence", "named", "barrier", "sealed",
    "add", "mul", "mod", "maximum", "minimum", "abs", "sign", "floor", "floor_divide", "where",
})  # fmt: skip
_DEPTH = 8  # levels of a weak value that are looked through; below it counts as real, which loses nothing


def is_whole(weak: Node, depth: int = _DEPTH) -> bool:
    """Whether a value without a dtype is an integer whatever the data: such a value leaves integers what they are."""
    if isinstance(weak, Number):
        return bool(weak.value.is_Integer)
    name = weak.op if weak.kind == "elementwise" else weak.kind
    if name in _COUNTS or weak.dtype is not None:
        return name in _COUNTS or weak.dtype not in dtypes.REAL
    if name == "pow":
        base, exponent = weak.operands
        power = exponent.value if isinstance(exponent, Number) else sympy.nan
        return bool(power.is_Integer and power >= 0) and depth > 0 and is_whole(base, depth - 1)
    return name in _KEEP_WHOLE and depth > 0 and all(is_whole(o, depth - 1) for o in weak.operands)


def arithmetic(*operands: Node) -> str | None:
    """`common_dtype`, where truth values count as 0 and 1."""
    dtype = common_dtype(*operands)
    return "int64" if dtype == "bool" else dtype


def _power(base: Node, exponent: Node) -> str | None:
    """Integers stay so under a constant exponent of at least 0, and become real under others."""
    dtype = arithmetic(base, exponent)
    negative = isinstance(exponent, Number) and bool(exponent.value.is_negative)
    return dtypes.DEFAULT_REAL if negative and dtype in dtypes.INTEGER else dtype


def real_dtype(*operands: Node) -> str | None:
    """The operands' dtype, a real one: of integers and truth values the default."""
    dtype = dtypes.promote(*(o.dtype for o in operands))
    return dtypes.DEFAULT_REAL if dtype in COUNTED else dtype


def _always(dtype: str | None) -> Callable[..., str | None]:
    return lambda *_: dtype


RESULT: dict[str, Callable[..., str | None]] = {
    "same": common_dtype,
    "arithmetic": arithmetic,
    "real": real_dtype,
    "power": _power,
    "bool": _always("bool"),
    "branch": lambda _, *rest: common_dtype(*rest),
    "weak": _always(None),
    **{name: _always(dtype) for name, dtype in CASTS.items()},
}

# --------------------------------------------------------------------------- numbers beside integers


def number_beside(value: Any) -> Node:
    """A number beside integers: a float stays real, though it be whole (i * 2.0)."""
    node = as_node(value)
    whole = isinstance(node, Number) and node.value.is_Integer
    is_float = isinstance(value, numbers.Real) and not isinstance(value, numbers.Rational)
    return Number(sympy.Float(float(value), 17)) if whole and is_float else node


def is_truth(value: Any) -> bool:
    """Whether a value is Python's or NumPy's True or False: a number of the dtype bool, no node."""
    return isinstance(value, bool) or type(value).__name__ in ("bool", "bool_")


def widened_by(values: Sequence[Any]) -> str | None:
    """The dtype that NumPy's own scalars bring along, as np.int64(2) does; None: Python's numbers bring none."""
    names = [str(getattr(v, "dtype", "")) for v in values if not isinstance(v, Node)]
    found = [_SCALARS[name] for name in names if name in _SCALARS]
    return max(found, key=dtypes.ALL.index, default=None)


_SCALARS = {
    **dict.fromkeys(("int8", "int16", "int32", "uint8", "uint16"), "int32"),
    **dict.fromkeys(("int64", "uint32"), "int64"),
    "uint64": "float64",
}
LIMITS = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}


def check_in_range(node: Node, op: str) -> None:
    """Whole numbers among the operands of integers are such as the result's dtype can hold; beside truth values, int64.

    Raises:
        RangeError: as NumPy's OverflowError.
    """
    counted = node.dtype == "bool" and all(o.dtype in ("bool", None) for o in node.operands)
    dtype = "int64" if counted else node.dtype
    if dtype not in LIMITS:
        return
    low, high = LIMITS[dtype]
    for operand in node.operands:
        value = operand.value if isinstance(operand, Number) else sympy.S.Zero
        if value.is_Integer and not low <= int(value) <= high:
            call = f"{op}({', '.join(o.dtype or 'number' for o in node.operands)})"
            expected = f"a number that {dtype} can hold, from {low} to {high}"
            mend = 'Declare the tensor with dtype="int64", or write a real number, as 2.0**40.'
            raise RangeError(explain(call, expected, str(value), mend))
