"""C's spellings of symnet's dtypes and numbers, and the pieces of text that emission passes around.

In: dtype names, Python numbers.  Out: C types, literals and `CValue`, an expression that knows how tightly it binds.
`bool` is one byte in memory and C's own `bool` elsewhere.  Numbers are the shortest decimals that a compiler reads
back as the same bits.
"""

from __future__ import annotations

import math
import struct
from typing import NamedTuple

import numpy as np

from symnet.dtypes import INTEGER, REAL

C_TYPE = {"bool": "uint8_t", "int32": "int32_t", "int64": "int64_t", "float32": "float", "float64": "double"}
LOCAL_TYPE = {**C_TYPE, "bool": "bool"}
UNSIGNED_TYPE = {"int32": "uint32_t", "int64": "uint64_t", "float32": "uint32_t", "float64": "uint64_t"}
_INTEGER_LIMIT = {"int32": 2**31, "int64": 2**63}

CHOICE, SUM, PRODUCT, SIGN, ATOM = range(5)
"""How tightly an expression binds, the loosest first; comparisons and conditions are all of the first kind."""


class CValue(NamedTuple):
    """An expression of C; `constant` says that the program has it as a number."""

    text: str
    level: int
    dtype: str
    constant: bool = False

    def within(self, level: int) -> str:
        """The text where an operator wants operands that bind as tightly as `level`."""
        return self.text if self.level >= level else f"({self.text})"


CAddend = tuple[CValue, ...]
"""What a combining store adds: one value, or two whose product it is."""


def atom(text: str, dtype: str) -> CValue:
    """A name, a call or an element."""
    return CValue(text, ATOM, dtype)


def literal(value: float | int | bool, dtype: str) -> CValue:
    """A number of the program; not for NaN and infinity, which C has no literals for."""
    if dtype == "bool":
        return CValue("true" if value else "false", ATOM, dtype, True)
    text = integer_text(int(value), dtype) if dtype in INTEGER else real_text(float(value), dtype)
    return CValue(text, SIGN if text[0] == "-" else ATOM, dtype, True)


def integer_text(value: int, dtype: str) -> str:
    """An integer literal; what leaves the range wraps, as an address does that is never used."""
    half = _INTEGER_LIMIT[dtype]
    value = (value + half) % (2 * half) - half
    return f"{dtype.upper()}_MIN" if value == -half else str(value)


def real_text(value: float, dtype: str) -> str:
    """The shortest decimal of a finite number."""
    text = repr(value) if dtype == "float64" else str(to_single(value))
    if not any(mark in text for mark in ".e"):
        text += ".0"
    return text + "f" * (dtype == "float32")


def to_single(value: float) -> np.float32:
    """The nearest float32, infinite beyond its range."""
    with np.errstate(over="ignore"):
        return np.float32(value)


def rounded(value: float, dtype: str) -> float:
    """A number as the dtype has it."""
    return float(to_single(value)) if dtype == "float32" else float(value)


def is_finite(value: float, dtype: str) -> bool:
    """Whether a number has a literal."""
    return math.isfinite(rounded(value, dtype))


def pattern(value: float, dtype: str) -> str:
    """The bits of a number, as an unsigned literal."""
    code, bits = ("<f", "<I") if dtype == "float32" else ("<d", "<Q")
    (found,) = struct.unpack(bits, struct.pack(code, rounded(value, dtype)))
    return unsigned_text(found, dtype)


def unsigned_text(value: int, dtype: str) -> str:
    """A bit pattern as wide as the dtype, in hexadecimal where it is long."""
    text = str(value) if value < 256 else hex(value)
    return text + "U" if UNSIGNED_TYPE[dtype] == "uint32_t" else f"UINT64_C({text})"


def is_real(dtype: str) -> bool:
    """Whether numbers of the dtype are floating-point numbers."""
    return dtype in REAL
