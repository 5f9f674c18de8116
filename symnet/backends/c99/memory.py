"""Elements of arrays: read, written, combined into.

In: an element in C (`X[8*i + j]`), its dtype, a value.  Out: an expression, or a line.  Booleans are one byte in
memory, 0 or 1, and bools elsewhere.
"""

from __future__ import annotations

from symnet.backends.c99.emitter import CEmitter, comment
from symnet.backends.c99.ops import combine
from symnet.backends.c99.types import CHOICE, SUM, CAddend, CValue, atom, is_real
from symnet.loops.integer_text import element_text
from symnet.loops.ir import Buffer, IntExpr
from symnet.loops.printer import COMBINES

_ASSIGN = {"add": "+", "mul": "*"}


def load(text: str, dtype: str) -> CValue:
    """An element as a value."""
    return CValue(f"{text} != 0", CHOICE, dtype) if dtype == "bool" else atom(text, dtype)


def store(e: CEmitter, text: str, value: CValue, note: str = "") -> None:
    """Overwrite an element."""
    stored = f"(uint8_t)({value.text})" if value.dtype == "bool" else value.text
    e.line(f"{text} = {stored};{note}")


def update(e: CEmitter, text: str, how: str, addend: CAddend, note: str = "") -> None:
    """Combine a value into an element."""
    dtype = addend[0].dtype
    operator = _ASSIGN.get(how)
    if operator and is_real(dtype) and not (len(addend) == 2 and e.unit.fused):
        value = addend[0].text if len(addend) == 1 else "*".join((addend[0].within(SUM + 1), addend[1].within(SUM + 2)))
        e.line(f"{text} {operator}= {value};{note}")
    else:
        store(e, text, combine(e.unit, how, load(text, dtype), addend), note)


def note_of(buffer: Buffer, index: tuple[IntExpr, ...], how: str | None = None) -> str:
    """A comment that says which element it is, where its place in memory does not show it."""
    if len(index) < 2:
        return ""
    sign = "" if how is None else f" {COMBINES[how]}"
    return f" /* {comment(element_text(buffer, index))}{sign} */"
