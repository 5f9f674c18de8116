"""Constant arrays as static arrays of the unit.

In: a program's constants.  Out: the text of an array for each, with its shape.  NaN and infinity are quotients, which
compilers compute: C has no other constant for them.
"""

from __future__ import annotations

import math
from textwrap import wrap
from typing import Any

from symnet.backends.c99.emitter import comment
from symnet.backends.c99.types import C_TYPE, literal
from symnet.loops.integer_text import buffer_text
from symnet.loops.ir import Constant

LINE = 112  # letters


def array_text(identifier: str, constant: Constant) -> str:
    """The definition of an array."""
    dtype, array = constant.buffer.dtype, constant.contents.array
    elements = [_element(value, dtype) for value in array.reshape(-1).tolist()] or ["0"]
    listed = wrap(", ".join(elements), LINE, break_long_words=False, break_on_hyphens=False)
    rows = "\n".join(f"    {row}" for row in listed)
    head = f"static const {C_TYPE[dtype]} {identifier}[{len(elements)}] = {{"
    return f"/* {comment(buffer_text(constant.buffer))} */\n{head}\n{rows}\n}};"


def _element(value: Any, dtype: str) -> str:
    if dtype == "bool":
        return "1" if value else "0"
    if not isinstance(value, float) or math.isfinite(value):
        return literal(value, dtype).text
    mark = "f" * (dtype == "float32")
    size = f"0.0{mark}/0.0{mark}" if math.isnan(value) else f"1.0{mark}/0.0{mark}"
    return size if math.copysign(1.0, value) > 0 else f"-{size}"
