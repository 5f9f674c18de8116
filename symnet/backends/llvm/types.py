"""LLVM spellings of symnet's dtypes, and the values that emission passes around.

In: dtype names, lane counts, Python numbers.  Out: LLVM type and constant text.  `bool` is one bit in
registers and one byte in memory.  Everything is text: a program becomes LLVM assembly directly, which costs
about a tenth of building it through an object model.
"""

from __future__ import annotations

import math
import struct
from functools import lru_cache
from typing import NamedTuple

REGISTER = {"bool": "i1", "int32": "i32", "int64": "i64", "float32": "float", "float64": "double"}
MEMORY = {**REGISTER, "bool": "i8"}
SUFFIX = {"i1": "i1", "i8": "i8", "i32": "i32", "i64": "i64", "float": "f32", "double": "f64", "ptr": "p0"}
SIZE = {"i1": 1, "i8": 1, "i32": 4, "i64": 8, "float": 4, "double": 8}  # bytes
REALS = ("float", "double")


class V(NamedTuple):
    """An SSA value or a constant.

    `lanes` is 0 for a scalar; `depth` is the index of the open region that defines it (0 for constants).
    """

    text: str
    scalar: str
    lanes: int = 0
    depth: int = 0

    @property
    def type(self) -> str:
        return vector(self.scalar, self.lanes)

    @property
    def typed(self) -> str:
        return f"{vector(self.scalar, self.lanes)} {self.text}"

    @property
    def constant(self) -> bool:
        return self.text[0] != "%"

    @property
    def is_number(self) -> bool:
        """Whether this is a real constant other than NaN: a pattern, but for the sign, up to that of infinity."""
        return self.text.startswith("0x") and int(self.text, 16) & (2**63 - 1) <= 0x7FF << 52


Addend = tuple[V, ...]
"""What a combining store adds: one value, or two whose product it is."""


def vector(scalar: str, lanes: int) -> str:
    """`float` with 16 lanes is `<16 x float>`; with 0 lanes it stays a scalar."""
    return f"<{lanes} x {scalar}>" if lanes else scalar


def suffix(scalar: str, lanes: int) -> str:
    """How intrinsic names spell a type: `f32`, `v16f32`."""
    return f"v{lanes}{SUFFIX[scalar]}" if lanes else SUFFIX[scalar]


def literal(value: float | int | bool, scalar: str) -> str:
    """A constant's text; reals are written as the bits of the nearest representable double."""
    return _literal(value, scalar, math.copysign(1.0, value))


@lru_cache(maxsize=4096)
def _literal(value: float | int | bool, scalar: str, sign: float) -> str:
    """The text, remembered by the sign too: 0.0 and -0.0 are equal."""
    if scalar == "i1":
        return "true" if value else "false"
    if scalar not in REALS:
        half = 1 << (8 * SIZE[scalar] - 1)
        return str((int(value) + half) % (2 * half) - half)  # an address that is never used may leave the range
    number = float(value)
    if scalar == "float":
        number = to_single(number)
    return f"0x{struct.unpack('<Q', struct.pack('<d', number))[0]:016X}"


def to_single(number: float) -> float:
    """The nearest float32, infinite beyond its range."""
    try:
        return float(struct.unpack("<f", struct.pack("<f", number))[0])
    except OverflowError:
        return math.copysign(math.inf, number)


def constant(value: float | int | bool, scalar: str, lanes: int = 0) -> V:
    """A constant scalar, or the same constant in every lane."""
    return V(splat_text(literal(value, scalar), scalar, lanes) if lanes else literal(value, scalar), scalar, lanes)


@lru_cache(maxsize=4096)
def splat_text(text: str, scalar: str, lanes: int) -> str:
    return f"splat ({scalar} {text})"


@lru_cache(maxsize=64)
def lane_numbers(scalar: str, lanes: int) -> V:
    """⟨0, 1, …, lanes-1⟩."""
    return V("<" + ", ".join(f"{scalar} {lane}" for lane in range(lanes)) + ">", scalar, lanes)


@lru_cache(maxsize=256)
def first_lanes(count: int, lanes: int) -> V:
    """The constant mask of the first `count` lanes."""
    bits = ("i1 true" if lane < count else "i1 false" for lane in range(lanes))
    return V("<" + ", ".join(bits) + ">", "i1", lanes)
