"""The NumPy meaning of every scalar operation of the loop language.

In: the name of an `Op` or of a Store's `combine`.  Out: a function on NumPy scalars or arrays of lanes.

Semantics are NumPy's: `maximum` and `minimum` propagate NaN, comparisons with NaN are false (but for `ne`),
`xlogy(0, y)` is 0, `sign(nan)` is nan.  What NumPy leaves to the processor, or machine code does otherwise, is as
machine code has it: the sign of a zero is that zero, and a real that no integer is becomes the nearest, NaN 0.
`fma` rounds twice here: whether it is fused is a capability of a target (`arithmetic.py`), so no program may rely on
either.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symnet import dtypes
from symnet.loops.neutral import LIMITS
from symnet.loops.op_types import MATH
from symnet.reference import elementwise


def fma(a: Any, b: Any, c: Any) -> Any:
    """a·b + c."""
    return a * b + c


def sign(x: Any) -> Any:
    """-1, 0 or 1; a zero, a NaN and a truth value stay what they are."""
    return np.where(x > 0, x.dtype.type(1), np.where(x < 0, x.dtype.type(-1), x)) if x.dtype != "bool" else x


def cast(x: Any, dtype: str) -> Any:
    """A value in another dtype; reals become integers by truncation, NaN gives 0, out of range the nearest."""
    if not (x.dtype.kind == "f" and dtype in dtypes.INTEGER):
        return x.astype(dtype)
    low, high = LIMITS[dtype]
    inside = (x >= low) & (x < float(high + 1))  # both bounds are powers of two
    whole = np.where(inside, x, 0).astype(dtype)
    return np.select([x < low, x >= float(high + 1)], [np.dtype(dtype).type(low), np.dtype(dtype).type(high)], whole)


def rsqrt(x: Any) -> Any:
    """1/√x."""
    return np.reciprocal(np.sqrt(x))


def sigmoid(x: Any) -> Any:
    """1/(1 + e⁻ˣ), with no overflow on either side."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, x.dtype.type(1), small) / (1 + small)


def softplus(x: Any) -> Any:
    """log(1 + eˣ), with no overflow on either side."""
    return np.maximum(x, x.dtype.type(0)) + np.log1p(np.exp(-np.abs(x)))


def xlogy(x: Any, y: Any) -> Any:
    """x·log y, and 0 where x = 0 and y is a number."""
    return np.where((x == 0) & ~np.isnan(y), x.dtype.type(0), x * np.log(y))


MEANING: dict[str, Callable[..., Any]] = {
    **{name: elementwise.MEANING[name] for name in MATH},
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "neg": np.negative, "abs": np.abs,
    "maximum": np.maximum, "minimum": np.minimum, "fma": fma, "floor": np.floor, "sign": sign,
    "sqrt": np.sqrt, "rsqrt": rsqrt, "mod": np.mod, "floor_divide": np.floor_divide,
    "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal, "eq": np.equal, "ne": np.not_equal,
    "and": np.logical_and, "or": np.logical_or, "not": np.logical_not,
    "sigmoid": sigmoid, "softplus": softplus, "xlogy": xlogy,  # in the operand's dtype, and NaN as in machine code
    "select": np.where,
}  # fmt: skip
"""Every name of `op_types.OPS` but `cast`, whose result dtype stands on the node."""
