"""Figures as they are read.

In: numbers, or None for what was not measured.  Out: text.
"""

from __future__ import annotations

import math

UNKNOWN = "?"  # not measured; it means nothing else
UNDEFINED = "–"  # there is no truth to compare with


def time_text(seconds: float | None) -> str:
    """`12.3 µs`, `4.56 ms`, `7.8 s`."""
    if seconds is None:
        return UNKNOWN
    for unit, scale in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if seconds * scale >= 1 or unit == "µs":
            return f"{seconds * scale:.3g} {unit}" if seconds * scale < 1000 else f"{seconds * scale:,.0f} {unit}"
    raise AssertionError(seconds)


def numbers_text(count: int) -> str:
    """`1 number`, `3,040 numbers`."""
    return f"{count:,} number{'s' * (count != 1)}"


def count_text(count: float | None) -> str:
    """`123,456`; `1.23 M`, `45.6 G` where they are long."""
    if count is None:
        return UNKNOWN
    if count < 1e6:
        return f"{count:,.0f}"
    scale, unit = next((s, u) for s, u in ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M")) if count >= s)
    return f"{count / scale:.3g} {unit}" if count < 1000 * scale else f"{count / scale:,.0f} {unit}"


def error_text(error: float | None, floor: float = 0.0) -> str:
    """`1.2e-16`, `0`, `NaN`, `∞`; `≤ 1e-15` where less could not be told; `–` where the truth is undefined."""
    if error is None:
        return UNDEFINED
    if math.isnan(error):
        return "NaN"
    if math.isinf(error):
        return "∞"
    if error <= floor:
        return "0" if not floor else f"≤ {floor:.0e}"
    return f"{error:.1e}" if error else "0"


def ulp_text(ulp: float | None) -> str:
    """`0.5`, `12`, `3.1e+05`; `–` where the truth is undefined."""
    if ulp is None:
        return UNDEFINED
    if math.isnan(ulp):
        return "NaN"
    if math.isinf(ulp):
        return "∞"
    return f"{ulp:.2g}" if ulp < 100 else f"{ulp:.0f}" if ulp < 1e4 else f"{ulp:.1e}"


def ratio_text(ratio: float | None) -> str:
    """`1`, `2.35`, `1,234`."""
    if ratio is None:
        return UNKNOWN
    return "1" if ratio == 1 else f"{ratio:.3g}" if ratio < 100 else f"{ratio:,.0f}"
