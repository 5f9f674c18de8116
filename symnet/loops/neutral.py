"""What leaves every element alone that it is combined with.

In: a Store's `combine` and a dtype.  Out: a number of that dtype, as Python has it.
"""

from __future__ import annotations

LIMITS = {
    "bool": (False, True),
    "int32": (-(2**31), 2**31 - 1),
    "int64": (-(2**63), 2**63 - 1),
    "float32": (float("-inf"), float("inf")),
    "float64": (float("-inf"), float("inf")),
}
_KIND = {"bool": bool, "int32": int, "int64": int, "float32": float, "float64": float}


def neutral(combine: str, dtype: str) -> float | int | bool:
    """0 for add, 1 for mul, the least value for max and the largest for min."""
    if combine in ("max", "min"):
        return LIMITS[dtype][combine == "min"]
    return _KIND[dtype](combine == "mul")
